/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logging in to registries. Owns tokens while the transport lives; where logins come from is
 * registry-credentials.c.
 */
#include "snapshotter/transport/registry-auth.h"

#include <string.h>

#include "snapshotter/oci/json.h"
#include "snapshotter/transport/registry-challenge.h"
#include "snapshotter/transport/registry-credentials.h"

#define MAX_TOKEN_SIZE (1024 * 1024)
#define CLIENT_ID      "cambium"

struct _CamRegistryAuth {
	CamHttpClient *client;
	char *host, *repository;
	char *auth_file; /* (nullable) */
	gboolean plain_allowed;
	gboolean looked_up;
	CamCredentials *credentials; /* (nullable) */
	GHashTable *headers;	     /* scope → value for Authorization */
};

CamRegistryAuth *
cam_registry_auth_new(CamHttpClient *client, const char *host, const char *repository,
		      const char *auth_file, gboolean plain_allowed)
{
	CamRegistryAuth *self = g_new0(CamRegistryAuth, 1);

	self->client = g_object_ref(client);
	self->host = g_strdup(host);
	self->repository = g_strdup(repository);
	self->auth_file = g_strdup(auth_file);
	self->plain_allowed = plain_allowed;
	self->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return self;
}

void
cam_registry_auth_free(CamRegistryAuth *self)
{
	if (self == NULL)
		return;
	g_object_unref(self->client);
	g_free(self->host);
	g_free(self->repository);
	g_free(self->auth_file);
	cam_credentials_free(self->credentials);
	g_hash_table_unref(self->headers);
	g_free(self);
}

const char *
cam_registry_auth_get_header(CamRegistryAuth *self, const char *scope)
{
	return g_hash_table_lookup(self->headers, scope);
}

static gboolean
look_up_credentials(CamRegistryAuth *self, GCancellable *cancellable, GError **error)
{
	const char *one_file[] = { self->auth_file, NULL };
	g_auto(GStrv) files = NULL;

	if (self->looked_up)
		return TRUE;
	if (self->auth_file == NULL)
		files = cam_credentials_default_files();
	else if (!g_file_test(self->auth_file, G_FILE_TEST_EXISTS))
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "there is no file with credentials %s", self->auth_file);
	if (!cam_credentials_find(files != NULL ? (const char *const *) files : one_file,
				  self->host, self->repository, &self->credentials, cancellable,
				  error))
		return FALSE;
	self->looked_up = TRUE;
	return TRUE;
}

static char *
basic_header(const CamCredentials *credentials)
{
	g_autofree char *plain =
		g_strconcat(credentials->username, ":", credentials->password, NULL);
	g_autofree char *encoded = g_base64_encode((const guchar *) plain, strlen(plain));

	return g_strconcat("Basic ", encoded, NULL);
}

/* ---- bearer tokens ---- */

static void
append_param(GString *text, const char *name, const char *value)
{
	g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);

	g_string_append_printf(text, "%s%s=%s", text->len > 0 ? "&" : "", name, escaped);
}

/* distribution, "Token Authentication Specification": GET, the login as basic. */
static CamHttpResponse *
get_token(CamRegistryAuth *self, const char *realm, const char *service, const char *scope,
	  GCancellable *cancellable, GError **error)
{
	g_autoptr(GString) query = g_string_new(NULL);
	g_auto(GStrv) scopes = g_strsplit(scope, " ", -1);
	g_autofree char *url = NULL;
	g_autofree char *basic = self->credentials != NULL ? basic_header(self->credentials) : NULL;
	const char *headers[] = { basic != NULL ? "Authorization" : NULL, basic, NULL };
	CamHttpRequest request = { .headers = headers };

	if (service != NULL)
		append_param(query, "service", service);
	for (gsize i = 0; scopes[i] != NULL; i++)
		append_param(query, "scope", scopes[i]);
	url = g_strconcat(realm, strchr(realm, '?') != NULL ? "&" : "?", query->str, NULL);
	request.url = url;
	return cam_http_client_send(self->client, &request, cancellable, error);
}

/* The same by OAuth2: POST, the identity token as refresh token. */
static CamHttpResponse *
post_token(CamRegistryAuth *self, const char *realm, const char *service, const char *scope,
	   GCancellable *cancellable, GError **error)
{
	g_autoptr(GString) form = g_string_new(NULL);
	g_autoptr(GBytes) body = NULL;
	CamHttpRequest request = { .method = "POST",
				   .url = realm,
				   .content_type = "application/x-www-form-urlencoded",
				   .confidential = TRUE };

	append_param(form, "grant_type", "refresh_token");
	append_param(form, "refresh_token", self->credentials->identity_token);
	append_param(form, "client_id", CLIENT_ID);
	append_param(form, "scope", scope);
	if (service != NULL)
		append_param(form, "service", service);
	body = g_bytes_new(form->str, form->len);
	request.body = body;
	return cam_http_client_send(self->client, &request, cancellable, error);
}

static gboolean
read_token(CamRegistryAuth *self, CamHttpResponse *response, const char *scope,
	   GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(JsonObject) json = NULL;
	const char *token;

	if (response->status != 200)
		return cam_http_status_error(response->status, response->url, NULL, error);
	bytes = cam_http_response_read(response, MAX_TOKEN_SIZE, cancellable, error);
	if (bytes == NULL)
		return FALSE;
	json = cam_json_parse_document(bytes, MAX_TOKEN_SIZE, error);
	if (json == NULL)
		return cam_error_translate(error, "token server %s", response->url);
	token = cam_json_get_string(json, "token");
	if (token == NULL)
		token = cam_json_get_string(json, "access_token");
	/* A line break would end the header and begin another. */
	if (token == NULL || token[0] == '\0' || strpbrk(token, "\r\n") != NULL)
		return cam_set_error(error, CAM_ERROR_UNAUTHENTICATED,
				     "token server %s gave no token", response->url);
	g_hash_table_replace(self->headers, g_strdup(scope), g_strconcat("Bearer ", token, NULL));
	return TRUE;
}

/* A login must not cross a network in plain text, wherever the registry itself was reached. */
static gboolean
may_receive_login(CamRegistryAuth *self, const char *realm)
{
	g_autoptr(GUri) uri = g_uri_parse(realm, G_URI_FLAGS_NONE, NULL);

	if (uri == NULL || g_uri_get_host(uri) == NULL)
		return FALSE;
	return self->plain_allowed || g_str_equal(g_uri_get_scheme(uri), "https") ||
	       cam_http_host_is_this_machine(g_uri_get_host(uri));
}

static gboolean
answer_bearer(CamRegistryAuth *self, const CamChallenge *challenge, const char *scope,
	      GCancellable *cancellable, GError **error)
{
	const char *realm = cam_challenge_get_param(challenge, "realm");
	const char *service = cam_challenge_get_param(challenge, "service");
	g_autoptr(CamHttpResponse) response = NULL;

	if (realm == NULL)
		return cam_set_error(error, CAM_ERROR_UNAUTHENTICATED, "%s names no token server",
				     self->host);
	if (!may_receive_login(self, realm))
		return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				     "%s wants a login to go over plain http to %s", self->host,
				     realm);
	if (self->credentials != NULL && self->credentials->identity_token != NULL)
		response = post_token(self, realm, service, scope, cancellable, error);
	else
		response = get_token(self, realm, service, scope, cancellable, error);
	return response != NULL && read_token(self, response, scope, cancellable, error);
}

gboolean
cam_registry_auth_answer(CamRegistryAuth *self, const char *challenge, const char *scope,
			 GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) challenges = cam_challenges_parse(challenge != NULL ? challenge : "");
	const CamChallenge *bearer = cam_challenges_find(challenges, "bearer");
	const char *advice = "log in (skopeo login, docker login) or name a file with credentials";

	g_hash_table_remove(self->headers, scope);
	if (!look_up_credentials(self, cancellable, error))
		return FALSE;
	if (bearer != NULL)
		return answer_bearer(self, bearer, scope, cancellable, error);
	if (cam_challenges_find(challenges, "basic") == NULL)
		return cam_set_error(error, CAM_ERROR_UNAUTHENTICATED,
				     "%s wants a login of a kind that is not known: %s", self->host,
				     challenge != NULL ? challenge : "(no challenge)");
	if (self->credentials == NULL || self->credentials->username == NULL)
		return cam_set_error(error, CAM_ERROR_UNAUTHENTICATED, "%s wants a login: %s",
				     self->host, advice);
	g_hash_table_replace(self->headers, g_strdup(scope), basic_header(self->credentials));
	return TRUE;
}
