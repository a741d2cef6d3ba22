/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registries, by OCI distribution-spec 1.1 and what registries make of it. Owns the protocol;
 * logging in is registry-auth.c, connections http-exchange.c.
 *
 * A reference without a host means Docker Hub; its host is docker.io in names and
 * registry-1.docker.io on the wire, and a repository of one component is below library/. Plain
 * HTTP is spoken with this machine, and elsewhere only if the user calls the registry insecure.
 */
#include <string.h>

#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest.h"
#include "snapshotter/transport/http-exchange.h"
#include "snapshotter/transport/image-transport-private.h"
#include "snapshotter/transport/registry-auth.h"

#define MAX_ERROR_SIZE (64 * 1024)
#define MAX_TAG_LIST   (1024 * 1024)
#define MAX_TAGS_SHOWN 10
#define ACCEPT_MANIFESTS                                                \
	CAM_MEDIA_TYPE_OCI_MANIFEST ", " CAM_MEDIA_TYPE_OCI_INDEX       \
				    ", " CAM_MEDIA_TYPE_DOCKER_MANIFEST \
				    ", " CAM_MEDIA_TYPE_DOCKER_INDEX

#define CAM_TYPE_REGISTRY (cam_registry_get_type())
G_DECLARE_FINAL_TYPE(CamRegistry, cam_registry, CAM, REGISTRY, CamImageTransport)

struct _CamRegistry {
	CamImageTransport parent_instance;
	CamHttpClient *client;
	CamRegistryAuth *auth;
	char *host;	  /* as in names */
	char *repository; /* as on the wire */
	char *base;	  /* "https://host" */
	char *scope;
	GHashTable *uploads; /* digest → Location of an upload that a refused mount has begun */
};

G_DEFINE_FINAL_TYPE(CamRegistry, cam_registry, CAM_TYPE_IMAGE_TRANSPORT)

/* ---- requests ---- */

static char *
url_of(CamRegistry *self, const char *kind, const char *name)
{
	return g_strconcat(self->base, "/v2/", self->repository, "/", kind, "/", name, NULL);
}

/* Secrets go to the registry alone, not to wherever a Location leads. */
static gboolean
is_own_url(CamRegistry *self, const char *url)
{
	gsize length = strlen(self->base);

	return strncmp(url, self->base, length) == 0 && url[length] == '/';
}

/* @request without Authorization; a challenge is answered once, and only if it is the registry's
 * own: a host that a redirect leads to may not ask for the registry's login. */
static CamHttpResponse *
registry_send(CamRegistry *self, const CamHttpRequest *request, const char *scope,
	      GCancellable *cancellable, GError **error)
{
	for (guint attempt = 0;; attempt++) {
		g_autoptr(GPtrArray) headers = g_ptr_array_new();
		g_autoptr(CamHttpResponse) response = NULL;
		const char *authorization = cam_registry_auth_get_header(self->auth, scope);
		CamHttpRequest authorized = *request;

		for (gsize i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
			g_ptr_array_add(headers, (gpointer) request->headers[i]);
		if (authorization != NULL && is_own_url(self, request->url)) {
			g_ptr_array_add(headers, (gpointer) "Authorization");
			g_ptr_array_add(headers, (gpointer) authorization);
		}
		g_ptr_array_add(headers, NULL);
		authorized.headers = (const char *const *) headers->pdata;
		response = cam_http_client_send(self->client, &authorized, cancellable, error);
		if (response == NULL || response->status != 401 || attempt > 0 ||
		    response->elsewhere || request->body_stream != NULL ||
		    !is_own_url(self, request->url))
			return g_steal_pointer(&response);
		if (!cam_registry_auth_answer(
			    self->auth, cam_http_response_get_header(response, "www-authenticate"),
			    scope, cancellable, error))
			return NULL;
	}
}

static CamHttpResponse *
registry_request(CamRegistry *self, const char *method, const char *url, GCancellable *cancellable,
		 GError **error)
{
	static const char *const accept[] = { "Accept", ACCEPT_MANIFESTS ", */*", NULL };
	CamHttpRequest request = { .method = method, .url = url, .headers = accept };

	return registry_send(self, &request, self->scope, cancellable, error);
}

/* distribution-spec, "Error Codes": {"errors":[{"code":…,"message":…}]}. (nullable) */
static char *
error_detail(CamHttpResponse *response, GCancellable *cancellable)
{
	g_autoptr(GBytes) bytes =
		cam_http_response_read(response, MAX_ERROR_SIZE, cancellable, NULL);
	g_autoptr(JsonObject) json =
		bytes != NULL ? cam_json_parse_document(bytes, MAX_ERROR_SIZE, NULL) : NULL;
	JsonArray *errors = cam_json_get_array(json, "errors");
	JsonNode *first = errors != NULL && json_array_get_length(errors) > 0
				  ? json_array_get_element(errors, 0)
				  : NULL;
	const char *code, *message;

	if (first == NULL || !JSON_NODE_HOLDS_OBJECT(first))
		return NULL;
	code = cam_json_get_string(json_node_get_object(first), "code");
	message = cam_json_get_string(json_node_get_object(first), "message");
	return g_strdup_printf("%s: %.200s", code != NULL ? code : "error",
			       message != NULL ? message : "");
}

static gboolean
registry_fail(CamHttpResponse *response, const char *what, GCancellable *cancellable,
	      GError **error)
{
	g_autofree char *detail = error_detail(response, cancellable);

	return cam_http_status_error(response->status, what, detail, error);
}

/* What the answer claims the digest to be; (nullable) */
static const char *
claimed_digest(const CamHttpResponse *response)
{
	const char *digest = cam_http_response_get_header(response, "docker-content-digest");

	return cam_digest_is_valid(digest) ? digest : NULL;
}

/* ---- manifests ---- */

static const char *
own_reference(CamRegistry *self)
{
	const CamReference *reference =
		cam_image_transport_get_location(CAM_IMAGE_TRANSPORT(self))->reference;

	return reference->digest != NULL ? reference->digest : reference->tag;
}

/* What tags there are, for people who mistyped one; "" if that cannot be said. */
static char *
list_tags(CamRegistry *self, GCancellable *cancellable)
{
	g_autofree char *url = url_of(self, "tags", "list");
	g_autoptr(CamHttpResponse) response = registry_request(self, "GET", url, cancellable, NULL);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(JsonObject) json = NULL;
	g_autoptr(GString) text = g_string_new("; tags there:");
	JsonArray *tags;
	guint n;

	if (response == NULL || response->status != 200)
		return g_strdup("");
	bytes = cam_http_response_read(response, MAX_TAG_LIST, cancellable, NULL);
	json = bytes != NULL ? cam_json_parse_document(bytes, MAX_TAG_LIST, NULL) : NULL;
	tags = cam_json_get_array(json, "tags");
	n = tags != NULL ? json_array_get_length(tags) : 0;
	if (n == 0)
		return g_strdup("");
	for (guint i = 0; i < MIN(n, MAX_TAGS_SHOWN); i++) {
		JsonNode *tag = json_array_get_element(tags, i);

		if (JSON_NODE_HOLDS_VALUE(tag) && json_node_get_value_type(tag) == G_TYPE_STRING)
			g_string_append_printf(text, " %.128s", json_node_get_string(tag));
	}
	if (n > MAX_TAGS_SHOWN)
		g_string_append(text, " …");
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
content_type_of(const CamHttpResponse *response)
{
	const char *type = cam_http_response_get_header(response, "content-type");
	char *bare;

	if (type == NULL)
		return g_strdup("application/octet-stream");
	bare = g_strndup(type, strcspn(type, ";"));
	return g_strstrip(bare);
}

static GBytes *
registry_get_manifest(CamImageTransport *transport, const char *reference, char **media_type,
		      GCancellable *cancellable, GError **error)
{
	CamRegistry *self = CAM_REGISTRY(transport);
	const char *wanted = reference != NULL ? reference : own_reference(self);
	g_autofree char *url = url_of(self, "manifests", wanted);
	g_autofree char *actual = NULL, *served = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamHttpResponse) response =
		registry_request(self, "GET", url, cancellable, error);
	const char *claimed;

	if (response == NULL)
		return NULL;
	if (response->status == 404) {
		g_autofree char *tags = list_tags(self, cancellable);

		cam_set_error(error, CAM_ERROR_NOT_FOUND, "%s/%s has no image \"%s\"%s", self->host,
			      self->repository, wanted, tags);
		return NULL;
	}
	if (response->status != 200) {
		registry_fail(response, url, cancellable, error);
		return NULL;
	}
	bytes = cam_http_response_read(response, CAM_MANIFEST_MAX_SIZE, cancellable, error);
	if (bytes == NULL)
		return NULL;
	/* Where a digest was asked for, the wrapper has verified against that one. */
	claimed = claimed_digest(response);
	actual = claimed != NULL ? cam_digest_like(claimed, bytes) : NULL;
	if (g_strcmp0(claimed, actual) != 0) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "%s sent a manifest that hashes to %s and calls it %s", url, actual,
			      claimed);
		return NULL;
	}
	served = content_type_of(response);
	if (cam_digest_is_valid(wanted)) {
		*media_type = cam_manifest_guess_media_type(bytes);
		return g_steal_pointer(&bytes);
	}
	*media_type = cam_manifest_media_type(bytes, served, error);
	if (*media_type == NULL) {
		cam_error_translate(error, "%s (%s)", url, served);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}

/* By HEAD; from a registry that does not say the digest there, by GET. */
static gboolean
registry_resolve_tag(CamImageTransport *transport, const char *tag, char **digest,
		     GCancellable *cancellable, GError **error)
{
	CamRegistry *self = CAM_REGISTRY(transport);
	g_autofree char *url = url_of(self, "manifests", tag);
	g_autoptr(CamHttpResponse) response =
		registry_request(self, "HEAD", url, cancellable, error);
	g_autofree char *media_type = NULL;
	g_autoptr(GBytes) bytes = NULL;

	if (response == NULL)
		return FALSE;
	if (response->status == 404)
		return TRUE;
	if (response->status != 200)
		return registry_fail(response, url, cancellable, error);
	*digest = g_strdup(claimed_digest(response));
	if (*digest != NULL)
		return TRUE;
	bytes = registry_get_manifest(transport, tag, &media_type, cancellable, error);
	if (bytes == NULL)
		return FALSE;
	*digest = cam_digest_for_bytes(bytes);
	return TRUE;
}

static gboolean
is_refusal(guint status)
{
	static const guint refusals[] = { 400, 403, 405, 409, 412 };

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		if (refusals[i] == status)
			return TRUE;
	}
	return FALSE;
}

/* Registries with immutable tags say so in many ways (ECR 400, Docker Hub 403, ACR 405, Quay 409,
 * Harbor 412): what the tag stands for now tells an immutable tag from another refusal, and a
 * refusal from a race that our own bytes have won. */
static gboolean
explain_refusal(CamRegistry *self, CamHttpResponse *refusal, const char *tag, const char *digest,
		GCancellable *cancellable, GError **error)
{
	g_autofree char *what =
		g_strdup_printf("cannot write %s/%s:%s", self->host, self->repository, tag);
	g_autofree char *detail = error_detail(refusal, cancellable);
	g_autofree char *now = NULL;

	if (!registry_resolve_tag(CAM_IMAGE_TRANSPORT(self), tag, &now, cancellable, NULL) ||
	    now == NULL)
		return cam_http_status_error(refusal->status, what, detail, error);
	if (g_str_equal(now, digest))
		return TRUE;
	return cam_set_error(
		error, CAM_ERROR_ALREADY_EXISTS,
		"%s: the tag stands for %s and the registry refuses to replace it (HTTP "
		"%u%s%s); tags may be immutable there: choose another tag",
		what, now, refusal->status, detail != NULL ? ", " : "",
		detail != NULL ? detail : "");
}

static gboolean
registry_put_manifest(CamImageTransport *transport, GBytes *bytes, const char *media_type,
		      const char *tag, GCancellable *cancellable, GError **error)
{
	CamRegistry *self = CAM_REGISTRY(transport);
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	g_autofree char *url = url_of(self, "manifests", tag != NULL ? tag : digest);
	CamHttpRequest request = {
		.method = "PUT", .url = url, .content_type = media_type, .body = bytes
	};
	g_autoptr(CamHttpResponse) response =
		registry_send(self, &request, self->scope, cancellable, error);

	if (response == NULL)
		return FALSE;
	if (response->status == 201 || response->status == 200 || response->status == 202)
		return TRUE;
	if (tag != NULL && is_refusal(response->status))
		return explain_refusal(self, response, tag, digest, cancellable, error);
	return registry_fail(response, url, cancellable, error);
}

/* ---- blobs: reading ---- */

typedef struct {
	CamRegistry *registry;
	CamDescriptor *descriptor;
} BlobSource;

static void
blob_source_free(BlobSource *self)
{
	g_object_unref(self->registry);
	cam_descriptor_free(self->descriptor);
	g_free(self);
}

/* A foreign layer, from where its owner offers it. (nullable) NULL without error if nobody does. */
static CamHttpResponse *
request_foreign(BlobSource *self, goffset offset, GCancellable *cancellable)
{
	JsonArray *urls = cam_json_get_array(self->descriptor->json, "urls");

	for (guint i = 0; urls != NULL && i < json_array_get_length(urls); i++) {
		JsonNode *node = json_array_get_element(urls, i);
		CamHttpRequest request = { .range_start = offset };
		g_autoptr(CamHttpResponse) response = NULL;

		if (!JSON_NODE_HOLDS_VALUE(node) ||
		    json_node_get_value_type(node) != G_TYPE_STRING ||
		    !g_str_has_prefix(json_node_get_string(node), "https://"))
			continue;
		request.url = json_node_get_string(node);
		response =
			cam_http_client_send(self->registry->client, &request, cancellable, NULL);
		if (response != NULL && response->status < 300)
			return g_steal_pointer(&response);
	}
	return NULL;
}

static GInputStream *
open_at(goffset offset, gpointer user_data, GCancellable *cancellable, GError **error)
{
	BlobSource *self = user_data;
	g_autofree char *url = url_of(self->registry, "blobs", self->descriptor->digest);
	CamHttpRequest request = { .url = url, .range_start = offset };
	g_autoptr(CamHttpResponse) response =
		registry_send(self->registry, &request, self->registry->scope, cancellable, error);

	if (response == NULL)
		return NULL;
	if (response->status == 404) {
		CamHttpResponse *foreign = request_foreign(self, offset, cancellable);

		if (foreign != NULL) {
			cam_http_response_free(response);
			response = foreign;
		}
	}
	if (response->status >= 400 && response->status != 416) {
		registry_fail(response, url, cancellable, error);
		return NULL;
	}
	return cam_http_response_steal_body_at(response, offset, cancellable, error);
}

static GInputStream *
registry_open_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		   GCancellable *cancellable, GError **error)
{
	BlobSource *source = g_new0(BlobSource, 1);

	source->registry = CAM_REGISTRY(g_object_ref(transport));
	source->descriptor = cam_descriptor_copy(descriptor);
	return cam_image_transport_cached_stream(transport, descriptor, open_at, source,
						 (GDestroyNotify) blob_source_free, error);
}

/* Registries that answer no HEAD are asked for the bytes. */
static gboolean
registry_holds_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		    GCancellable *cancellable)
{
	CamRegistry *self = CAM_REGISTRY(transport);
	g_autofree char *url = url_of(self, "blobs", descriptor->digest);
	g_autoptr(CamHttpResponse) response =
		registry_request(self, "HEAD", url, cancellable, NULL);

	return response != NULL && response->status == 200;
}

/* ---- blobs: writing ---- */

/* A Location header may be relative. */
static char *
resolve_location(CamRegistry *self, const CamHttpResponse *response, const char *request_url,
		 GError **error)
{
	const char *location = cam_http_response_get_header(response, "location");
	char *url = NULL;

	if (location != NULL)
		url = g_uri_resolve_relative(request_url, location,
					     G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_PATH,
					     NULL);
	if (url == NULL)
		cam_set_error(error, CAM_ERROR_UNAVAILABLE,
			      "%s accepted an upload but did not say where to", self->host);
	return url;
}

/* 201: the registry has it from @from; 202: it has begun an upload instead, which is kept for
 * put_blob(). Other answers mean no. */
static gboolean
try_mount(CamRegistry *self, const char *digest, const char *from, gboolean *present,
	  GCancellable *cancellable, GError **error)
{
	g_autofree char *scope = g_strdup_printf("%s repository:%s:pull", self->scope, from);
	g_autofree char *query = g_strdup_printf("uploads/?mount=%s&from=%s", digest, from);
	g_autofree char *url = url_of(self, "blobs", query);
	CamHttpRequest request = { .method = "POST", .url = url };
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
	g_autoptr(CamHttpResponse) response = NULL;
	char *location;

	request.body = nothing;
	response = registry_send(self, &request, scope, cancellable, error);
	if (response == NULL)
		return FALSE;
	*present = response->status == 201;
	if (response->status != 202)
		return TRUE;
	location = resolve_location(self, response, url, NULL);
	if (location != NULL)
		g_hash_table_replace(self->uploads, g_strdup(digest), location);
	return TRUE;
}

static gboolean
registry_has_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		  const char *mount_from, gboolean *present, GCancellable *cancellable,
		  GError **error)
{
	CamRegistry *self = CAM_REGISTRY(transport);
	g_autofree char *url = url_of(self, "blobs", descriptor->digest);
	g_autoptr(CamHttpResponse) response =
		registry_request(self, "HEAD", url, cancellable, error);

	if (response == NULL)
		return FALSE;
	*present = response->status == 200;
	if (*present)
		return TRUE;
	if (response->status != 404)
		return registry_fail(response, url, cancellable, error);
	if (mount_from == NULL || g_str_equal(mount_from, self->repository))
		return TRUE;
	return try_mount(self, descriptor->digest, mount_from, present, cancellable, error);
}

/* (nullable): where to send the blob */
static char *
begin_upload(CamRegistry *self, const char *digest, GCancellable *cancellable, GError **error)
{
	g_autofree char *url = url_of(self, "blobs", "uploads/");
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
	CamHttpRequest request = { .method = "POST", .url = url, .body = nothing };
	g_autoptr(CamHttpResponse) response = NULL;
	gpointer begun = NULL;

	if (g_hash_table_steal_extended(self->uploads, digest, NULL, &begun))
		return begun;
	response = registry_send(self, &request, self->scope, cancellable, error);
	if (response == NULL)
		return NULL;
	if (response->status != 202) {
		registry_fail(response, url, cancellable, error);
		return NULL;
	}
	return resolve_location(self, response, url, error);
}

static gboolean
registry_put_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		  GInputStream *content, GCancellable *cancellable, GError **error)
{
	CamRegistry *self = CAM_REGISTRY(transport);
	g_autofree char *location = begin_upload(self, descriptor->digest, cancellable, error);
	g_autofree char *url = NULL;
	CamHttpRequest request = { .method = "PUT",
				   .content_type = "application/octet-stream",
				   .body_stream = content,
				   .body_size = descriptor->size };
	g_autoptr(CamHttpResponse) response = NULL;

	if (location == NULL)
		return FALSE;
	url = g_strconcat(location, strchr(location, '?') != NULL ? "&" : "?",
			  "digest=", descriptor->digest, NULL);
	request.url = url;
	response = registry_send(self, &request, self->scope, cancellable, error);
	if (response == NULL)
		return FALSE;
	if (response->status == 201 || response->status == 204)
		return TRUE;
	return registry_fail(response, descriptor->digest, cancellable, error);
}

static gboolean
registry_commit(CamImageTransport *transport, GCancellable *cancellable, GError **error)
{
	return TRUE; /* A registry shows each manifest when it is put: the tag comes last. */
}

/* ---- life ---- */

static void
cam_registry_finalize(GObject *object)
{
	CamRegistry *self = CAM_REGISTRY(object);

	g_clear_object(&self->client);
	cam_registry_auth_free(self->auth);
	g_free(self->host);
	g_free(self->repository);
	g_free(self->base);
	g_free(self->scope);
	g_hash_table_unref(self->uploads);
	G_OBJECT_CLASS(cam_registry_parent_class)->finalize(object);
}

static void
cam_registry_class_init(CamRegistryClass *klass)
{
	CamImageTransportClass *transport = CAM_IMAGE_TRANSPORT_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_registry_finalize;
	transport->get_manifest = registry_get_manifest;
	transport->resolve_tag = registry_resolve_tag;
	transport->open_blob = registry_open_blob;
	transport->holds_blob = registry_holds_blob;
	transport->has_blob = registry_has_blob;
	transport->put_blob = registry_put_blob;
	transport->put_manifest = registry_put_manifest;
	transport->commit = registry_commit;
}

static void
cam_registry_init(CamRegistry *self)
{
	self->uploads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Whether a registry answers there: 200, or 401 where it wants a login. */
static gboolean
answers(CamRegistry *self, const char *base, GCancellable *cancellable, GError **error)
{
	g_autofree char *url = g_strconcat(base, "/v2/", NULL);
	CamHttpRequest request = { .url = url, .once = TRUE };
	g_autoptr(CamHttpResponse) response =
		cam_http_client_send(self->client, &request, cancellable, error);

	if (response == NULL)
		return FALSE;
	return response->status == 200 || response->status == 401 || response->status == 429 ||
	       response->status >= 500 ||
	       cam_http_status_error(response->status, url, "no registry answers there", error);
}

/* Beyond this machine the safe way is tried first; on it, the usual one. */
static gboolean
choose_scheme(CamRegistry *self, const char *wire_host, gboolean insecure,
	      GCancellable *cancellable, GError **error)
{
	gboolean here = cam_http_host_is_this_machine(wire_host);
	const char *schemes[] = { here ? "http://" : "https://", here ? "https://" : "http://" };
	g_autoptr(GError) first = NULL;

	if (!here && !insecure) {
		self->base = g_strconcat("https://", wire_host, NULL);
		return TRUE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
		g_autofree char *base = g_strconcat(schemes[i], wire_host, NULL);

		if (answers(self, base, cancellable, first == NULL ? &first : NULL)) {
			self->base = g_steal_pointer(&base);
			return TRUE;
		}
	}
	g_propagate_error(error, g_steal_pointer(&first));
	return FALSE;
}

CamImageTransport *
cam_registry_open(const CamLocation *location, gboolean writable,
		  const CamTransportOptions *options, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamRegistry) self = g_object_new(CAM_TYPE_REGISTRY, NULL);
	const CamReference *reference = location->reference;
	gboolean insecure = options != NULL && options->insecure;
	gboolean hub;

	cam_image_transport_set_up(CAM_IMAGE_TRANSPORT(self), location, writable, options);
	self->host = g_strdup(reference->host != NULL ? reference->host : "docker.io");
	hub = g_str_equal(self->host, "docker.io") || g_str_equal(self->host, "index.docker.io");
	self->repository = hub && strchr(reference->repository, '/') == NULL
				   ? g_strconcat("library/", reference->repository, NULL)
				   : g_strdup(reference->repository);
	self->scope = g_strdup_printf("repository:%s:%s", self->repository,
				      writable ? "pull,push" : "pull");
	self->client = insecure ? cam_http_client_new_insecure() : cam_http_client_new();
	if (!choose_scheme(self, hub ? "registry-1.docker.io" : self->host, insecure, cancellable,
			   error))
		return NULL;
	self->auth = cam_registry_auth_new(self->client, hub ? "docker.io" : self->host,
					   self->repository,
					   options != NULL ? options->auth_file : NULL, insecure);
	return CAM_IMAGE_TRANSPORT(g_steal_pointer(&self));
}
