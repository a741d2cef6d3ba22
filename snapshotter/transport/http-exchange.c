/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests and answers over libsoup: redirects, retries, ranges. The one file that knows libsoup.
 * What an answer means is decided above.
 */
#include "snapshotter/transport/http-exchange.h"

#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "snapshotter/transport/address-guard.h"
#include "snapshotter/transport/deadline.h"
#include "snapshotter/transport/pause.h"
#include "snapshotter/transport/stream-bytes.h"

#define IDLE_TIMEOUT_S 60
#define MAX_ATTEMPTS   5
#define MAX_REDIRECTS  10
/* A server that an untrusted party chose gets less time. */
#define MAX_PUBLIC_ATTEMPTS 2
#define PUBLIC_WINDOW	    15000 /* milliseconds */
#define MAX_RETRY_AFTER_S   60

static const CamPace usual_pace = { .window = 60000, .min_rate = 4096, .longest = 600000 };

struct _CamHttpClient {
	GObject parent_instance;
	SoupSession *session;
	gboolean insecure;
	CamPace pace;
	gboolean public_only;
};

G_DEFINE_FINAL_TYPE(CamHttpClient, cam_http_client, G_TYPE_OBJECT)

static void
cam_http_client_finalize(GObject *object)
{
	CamHttpClient *self = CAM_HTTP_CLIENT(object);

	g_clear_object(&self->session);
	G_OBJECT_CLASS(cam_http_client_parent_class)->finalize(object);
}

static void
cam_http_client_class_init(CamHttpClientClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_http_client_finalize;
}

/* Content codings would change sizes and ranges under our feet, and credentials are the registry
 * client's: libsoup does neither here. */
static void
cam_http_client_init(CamHttpClient *self)
{
	self->session = soup_session_new_with_options("timeout", IDLE_TIMEOUT_S, "user-agent",
						      "cambium/" CAM_VERSION, NULL);
	soup_session_remove_feature_by_type(self->session, SOUP_TYPE_CONTENT_DECODER);
	soup_session_remove_feature_by_type(self->session, SOUP_TYPE_AUTH_MANAGER);
	self->pace = usual_pace;
}

void
cam_http_client_set_pace(CamHttpClient *self, const CamPace *pace)
{
	self->pace = *pace;
}

CamHttpClient *
cam_http_client_new(void)
{
	return g_object_new(CAM_TYPE_HTTP_CLIENT, NULL);
}

CamHttpClient *
cam_http_client_new_insecure(void)
{
	CamHttpClient *self = cam_http_client_new();

	self->insecure = TRUE;
	return self;
}

CamHttpClient *
cam_http_client_new_public(void)
{
	CamHttpClient *self = cam_http_client_new();

	self->public_only = TRUE;
	self->pace.window = PUBLIC_WINDOW;
	return self;
}

gboolean
cam_http_client_is_public(CamHttpClient *self)
{
	return self->public_only;
}

/* ---- answers ---- */

void
cam_http_response_free(CamHttpResponse *self)
{
	if (self == NULL)
		return;
	g_free(self->url);
	g_clear_pointer(&self->headers, g_hash_table_unref);
	g_clear_object(&self->body);
	g_free(self);
}

const char *
cam_http_response_get_header(const CamHttpResponse *self, const char *name)
{
	return g_hash_table_lookup(self->headers, name);
}

static void
add_header(const char *name, const char *value, gpointer user_data)
{
	GHashTable *headers = user_data;
	g_autofree char *key = g_ascii_strdown(name, -1);
	const char *before = g_hash_table_lookup(headers, key);
	char *joined = before != NULL ? g_strconcat(before, ", ", value, NULL) : g_strdup(value);

	g_hash_table_replace(headers, g_steal_pointer(&key), joined);
}

GBytes *
cam_http_response_read(CamHttpResponse *self, gsize max_size, GCancellable *cancellable,
		       GError **error)
{
	cam_paced_stream_limit(self->body);
	return cam_stream_read_bytes(self->body, max_size, self->url, cancellable, error);
}

static CamError
code_of_status(guint status)
{
	static const struct {
		guint status;
		CamError code;
	} table[] = {
		{ 400, CAM_ERROR_INVALID_ARGUMENT },   { 401, CAM_ERROR_UNAUTHENTICATED },
		{ 403, CAM_ERROR_PERMISSION_DENIED },  { 404, CAM_ERROR_NOT_FOUND },
		{ 405, CAM_ERROR_UNIMPLEMENTED },      { 407, CAM_ERROR_UNAUTHENTICATED },
		{ 408, CAM_ERROR_UNAVAILABLE },	       { 409, CAM_ERROR_ALREADY_EXISTS },
		{ 410, CAM_ERROR_NOT_FOUND },	       { 412, CAM_ERROR_FAILED_PRECONDITION },
		{ 413, CAM_ERROR_RESOURCE_EXHAUSTED }, { 416, CAM_ERROR_DATA_LOSS },
		{ 429, CAM_ERROR_UNAVAILABLE },	       { 501, CAM_ERROR_UNIMPLEMENTED },
		{ 507, CAM_ERROR_RESOURCE_EXHAUSTED },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].status == status)
			return table[i].code;
	}
	return status >= 500 ? CAM_ERROR_UNAVAILABLE : CAM_ERROR_UNKNOWN;
}

gboolean
cam_http_status_error(guint status, const char *what, const char *detail, GError **error)
{
	const char *reason = soup_status_get_phrase(status);
	const char *advice = "";

	if (status == 401)
		advice = "; log in (skopeo login, docker login) or name a file with credentials";
	else if (status == 429)
		advice = "; the server asks for fewer requests: try again later";
	if (detail != NULL && detail[0] != '\0')
		return cam_set_error(error, code_of_status(status), "%s: HTTP %u %s (%s)%s", what,
				     status, reason, detail, advice);
	return cam_set_error(error, code_of_status(status), "%s: HTTP %u %s%s", what, status,
			     reason, advice);
}

/* ---- one request ---- */

static gboolean
accept_certificate(SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors,
		   gpointer user_data)
{
	return TRUE;
}

static SoupMessage *
make_message(CamHttpClient *self, const CamHttpRequest *request, GUri *uri, gboolean with_secrets)
{
	SoupMessage *message = soup_message_new_from_uri(
		request->method != NULL ? request->method : SOUP_METHOD_GET, uri);
	SoupMessageHeaders *headers = soup_message_get_request_headers(message);

	soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
	if (self->insecure)
		g_signal_connect(message, "accept-certificate", G_CALLBACK(accept_certificate),
				 NULL);
	for (gsize i = 0; request->headers != NULL && request->headers[i] != NULL; i += 2) {
		if (with_secrets || g_ascii_strcasecmp(request->headers[i], "Authorization") != 0)
			soup_message_headers_append(headers, request->headers[i],
						    request->headers[i + 1]);
	}
	if (request->range_start > 0)
		soup_message_headers_set_range(headers, request->range_start, -1);
	if (request->body_stream != NULL)
		soup_message_set_request_body(message, request->content_type, request->body_stream,
					      request->body_size);
	else if (request->body != NULL)
		soup_message_set_request_body_from_bytes(message, request->content_type,
							 request->body);
	return message;
}

/* As people read it: without user, password and query, which may hold signatures. */
static char *
shown_url(GUri *uri)
{
	return g_uri_to_string_partial(uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY);
}

/* What is sent, and at which pace. */
typedef struct {
	const CamPace *pace;
	CamDeadline *deadline;
	guint64 written;
} Sending;

/* An upload may take as long as it needs while it goes on at the pace. */
static void
on_written(SoupMessage *message, guint size, gpointer user_data)
{
	Sending *self = user_data;

	self->written += size;
	if (self->written < (guint64) self->pace->min_rate * self->pace->window / 1000)
		return;
	self->written = 0;
	cam_deadline_extend(self->deadline);
}

/* Until the body of the answer begins. A server that sends its headers byte by byte would keep
 * libsoup's time-out, which is one for each read, from running out. */
static GInputStream *
send_in_time(CamHttpClient *self, SoupMessage *message, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamDeadline) deadline = cam_deadline_new(self->pace.window, cancellable, error);
	g_autoptr(GInputStream) body = NULL;
	Sending sending = { .pace = &self->pace, .deadline = deadline };
	gulong id;

	if (deadline == NULL)
		return NULL;
	id = g_signal_connect(message, "wrote-body-data", G_CALLBACK(on_written), &sending);
	body = soup_session_send(self->session, message, cam_deadline_get_cancellable(deadline),
				 error);
	g_signal_handler_disconnect(message, id);
	if (body == NULL && cam_deadline_has_passed(deadline)) {
		g_clear_error(error);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
			    "there was no answer within %u seconds", self->pace.window / 1000);
	}
	return body != NULL ? cam_paced_stream_new(g_steal_pointer(&body), &self->pace) : NULL;
}

static void
on_network_event(SoupMessage *message, GSocketClientEvent event, GIOStream *connection,
		 gpointer guard)
{
	cam_address_guard_event(guard, event, connection);
}

/* Within the client's bounds on whom it connects to. */
static GInputStream *
send_guarded(CamHttpClient *self, SoupMessage *message, GUri *uri, GCancellable *cancellable,
	     GError **error)
{
	g_auto(CamAddressGuard) guard = { 0 };
	g_autoptr(GError) problem = NULL;
	GInputStream *body;
	gulong handler;

	if (!self->public_only)
		return send_in_time(self, message, cancellable, error);
	if (!cam_address_guard_begin(&guard, soup_session_get_proxy_resolver(self->session), uri,
				     cancellable, error))
		return NULL;
	handler = g_signal_connect(message, "network-event", G_CALLBACK(on_network_event), &guard);
	body = send_in_time(self, message, cancellable, &problem);
	g_signal_handler_disconnect(message, handler);
	if (body == NULL && guard.refused != NULL)
		cam_address_guard_set_error(&guard, uri, error);
	else if (body == NULL)
		g_propagate_error(error, g_steal_pointer(&problem));
	return body;
}

/* A certificate that begins to be valid later than now speaks of the clock, as a rule. */
static void
explain_certificate(SoupMessage *message, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *shown = g_date_time_format(now, "%Y-%m-%d %H:%M UTC");

	if (soup_message_get_tls_peer_certificate_errors(message) & G_TLS_CERTIFICATE_NOT_ACTIVATED)
		g_prefix_error(
			error,
			"the certificate is not valid yet, and this machine's clock says %s: "
			"is it right? ",
			shown);
}

static CamHttpResponse *
send_once(CamHttpClient *self, const CamHttpRequest *request, GUri *uri, gboolean with_secrets,
	  GCancellable *cancellable, GError **error)
{
	g_autoptr(SoupMessage) message = make_message(self, request, uri, with_secrets);
	g_autoptr(GInputStream) body = send_guarded(self, message, uri, cancellable, error);
	CamHttpResponse *response;

	if (body == NULL) {
		explain_certificate(message, error);
		return NULL;
	}
	response = g_new0(CamHttpResponse, 1);
	response->status = soup_message_get_status(message);
	response->url = shown_url(uri);
	response->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	soup_message_headers_foreach(soup_message_get_response_headers(message), add_header,
				     response->headers);
	response->body = g_steal_pointer(&body);
	return response;
}

/* ---- redirects ---- */

static gboolean
is_redirect(const CamHttpRequest *request, const CamHttpResponse *response)
{
	static const guint any_method[] = { 307, 308 };
	gboolean reading = request->method == NULL || g_str_equal(request->method, "GET") ||
			   g_str_equal(request->method, "HEAD");

	if (cam_http_response_get_header(response, "location") == NULL ||
	    request->body_stream != NULL)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(any_method); i++) {
		if (response->status == any_method[i])
			return TRUE;
	}
	return reading && response->status >= 301 && response->status <= 303;
}

static int
effective_port(GUri *uri)
{
	if (g_uri_get_port(uri) > 0)
		return g_uri_get_port(uri);
	return g_str_equal(g_uri_get_scheme(uri), "https") ? 443 : 80;
}

gboolean
cam_http_is_same_server(GUri *a, GUri *b)
{
	const char *one = g_uri_get_host(a), *other = g_uri_get_host(b);

	return one != NULL && other != NULL && g_ascii_strcasecmp(one, other) == 0 &&
	       effective_port(a) == effective_port(b);
}

static gboolean
same_origin(GUri *a, GUri *b)
{
	return g_str_equal(g_uri_get_scheme(a), g_uri_get_scheme(b)) &&
	       cam_http_is_same_server(a, b);
}

static GUri *
parse_http_uri(GUri *base, const char *text, GError **error)
{
	g_autoptr(GUri) uri = base != NULL
				      ? g_uri_parse_relative(base, text, SOUP_HTTP_URI_FLAGS, error)
				      : g_uri_parse(text, SOUP_HTTP_URI_FLAGS, error);

	if (uri == NULL) {
		cam_error_translate(error, "\"%s\" is no URL", text);
		return NULL;
	}
	if ((!g_str_equal(g_uri_get_scheme(uri), "http") &&
	     !g_str_equal(g_uri_get_scheme(uri), "https")) ||
	    g_uri_get_host(uri) == NULL || g_uri_get_host(uri)[0] == '\0') {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "\"%s\" is no HTTP URL", text);
		return NULL;
	}
	return g_steal_pointer(&uri);
}

gboolean
cam_http_host_is_this_machine(const char *host)
{
	g_autofree char *name = host[0] == '[' ? g_strndup(host + 1, strcspn(host + 1, "]"))
					       : g_strndup(host, strcspn(host, ":"));
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

	if (address == NULL)
		address = g_inet_address_new_from_string(name);
	return g_ascii_strcasecmp(name, "localhost") == 0 ||
	       (address != NULL && g_inet_address_get_is_loopback(address));
}

static CamHttpResponse *
send_following(CamHttpClient *self, const CamHttpRequest *request, GUri *first,
	       GCancellable *cancellable, GError **error)
{
	g_autoptr(GUri) uri = g_uri_ref(first);

	for (guint i = 0; i <= MAX_REDIRECTS; i++) {
		g_autoptr(CamHttpResponse) response =
			send_once(self, request, uri, same_origin(first, uri), cancellable, error);
		g_autoptr(GUri) next = NULL;

		if (response == NULL)
			return NULL;
		response->elsewhere = !same_origin(first, uri);
		if (!is_redirect(request, response))
			return g_steal_pointer(&response);
		next = parse_http_uri(uri, cam_http_response_get_header(response, "location"),
				      error);
		if (next == NULL)
			return NULL;
		if (!self->insecure && g_str_equal(g_uri_get_scheme(uri), "https") &&
		    !g_str_equal(g_uri_get_scheme(next), "https")) {
			cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				      "%s redirects from https to plain http", response->url);
			return NULL;
		}
		if (request->confidential && !same_origin(first, next)) {
			cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				      "%s redirects a request that holds a login to another host",
				      response->url);
			return NULL;
		}
		g_clear_pointer(&uri, g_uri_unref);
		uri = g_steal_pointer(&next);
	}
	cam_set_error(error, CAM_ERROR_UNAVAILABLE, "%s redirects more than %d times", request->url,
		      MAX_REDIRECTS);
	return NULL;
}

/* ---- retries ---- */

static gboolean
is_passing_status(guint status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static gboolean
is_passing_error(const GError *error)
{
	return (error->domain == G_IO_ERROR && error->code != G_IO_ERROR_CANCELLED) ||
	       g_error_matches(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE);
}

/* What the server asks for, within reason; else what the number of attempts says. */
static guint
pause_before_retry(const CamHttpResponse *response, guint attempt)
{
	const char *text =
		response != NULL ? cam_http_response_get_header(response, "retry-after") : NULL;
	g_autoptr(GDateTime) date = NULL;
	guint64 seconds = 0;

	if (text == NULL)
		return cam_pause_for_attempt(attempt);
	if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &seconds, NULL)) {
		date = soup_date_time_new_from_http_string(text);
		if (date != NULL)
			seconds = (guint64) CLAMP(g_date_time_to_unix(date) -
							  g_get_real_time() / G_USEC_PER_SEC,
						  0, MAX_RETRY_AFTER_S);
	}
	return MAX((guint) MIN(seconds, MAX_RETRY_AFTER_S) * 1000, cam_pause_for_attempt(attempt));
}

CamHttpResponse *
cam_http_client_send(CamHttpClient *self, const CamHttpRequest *request, GCancellable *cancellable,
		     GError **error)
{
	g_autoptr(GUri) uri = parse_http_uri(NULL, request->url, error);
	guint attempts = request->body_stream != NULL || request->once ? 1
			 : self->public_only			       ? MAX_PUBLIC_ATTEMPTS
								       : MAX_ATTEMPTS;
	g_autofree char *shown = NULL;

	if (uri == NULL)
		return NULL;
	shown = shown_url(uri);
	for (guint attempt = 1;; attempt++) {
		g_autoptr(GError) local = NULL;
		g_autoptr(CamHttpResponse) response =
			send_following(self, request, uri, cancellable, &local);

		if (response != NULL &&
		    (!is_passing_status(response->status) || attempt == attempts))
			return g_steal_pointer(&response);
		if (response == NULL && (!is_passing_error(local) || attempt == attempts)) {
			gboolean ours = local->domain == CAM_ERROR;

			cam_error_translate(&local, "cannot reach %s", shown);
			if (!ours && local->code != (int) CAM_ERROR_CANCELLED)
				local->code = (int) CAM_ERROR_UNAVAILABLE;
			g_propagate_error(error, g_steal_pointer(&local));
			return NULL;
		}
		if (!cam_pause(pause_before_retry(response, attempt), cancellable, error))
			return NULL;
	}
}

/* ---- ranges ---- */

static gboolean
skip_to(GInputStream *stream, goffset count, GCancellable *cancellable, GError **error)
{
	while (count > 0) {
		gssize n = g_input_stream_skip(stream, (gsize) MIN(count, 1 << 20), cancellable,
					       error);

		if (n < 0)
			return FALSE;
		if (n == 0)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "it is shorter than what was read before");
		count -= n;
	}
	return TRUE;
}

/* "bytes START-END/TOTAL" */
static gboolean
starts_at(const char *content_range, goffset start)
{
	g_autofree char *wanted = g_strdup_printf("bytes %" G_GOFFSET_FORMAT "-", start);

	return content_range != NULL && g_str_has_prefix(content_range, wanted);
}

/* "bytes * /TOTAL" comes with 416: asking from the very end on is no error. */
static gboolean
ends_at(const char *content_range, goffset end)
{
	g_autofree char *wanted = g_strdup_printf("bytes */%" G_GOFFSET_FORMAT, end);

	return g_strcmp0(content_range, wanted) == 0;
}

GInputStream *
cam_http_response_steal_body_at(CamHttpResponse *response, goffset range_start,
				GCancellable *cancellable, GError **error)
{
	const char *content_range = cam_http_response_get_header(response, "content-range");

	if (response->status == 416 && ends_at(content_range, range_start))
		return g_memory_input_stream_new();
	if (response->status == 206 && starts_at(content_range, range_start))
		return g_steal_pointer(&response->body);
	if (response->status == 206) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s sent another range than asked for",
			      response->url);
		return NULL;
	}
	if (response->status != 200) {
		cam_http_status_error(response->status, response->url, NULL, error);
		return NULL;
	}
	if (!skip_to(response->body, range_start, cancellable, error))
		return NULL;
	return g_steal_pointer(&response->body);
}
