/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds logins where other tools left them. Writes none, keeps none longer than its caller.
 */
#include "snapshotter/transport/registry-credentials.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/oci/json.h"

#define MAX_FILE_SIZE  (4 * 1024 * 1024)
#define DOCKER_HUB_KEY "https://index.docker.io/v1/"
/* What helpers answer as the user name where the secret is an identity token. */
#define TOKEN_USER_NAME "<token>"

void
cam_credentials_free(CamCredentials *self)
{
	if (self == NULL)
		return;
	g_free(self->username);
	g_free(self->password);
	g_free(self->identity_token);
	g_free(self);
}

char **
cam_credentials_default_files(void)
{
	g_autoptr(GStrvBuilder) files = g_strv_builder_new();
	const char *explicit_file = g_getenv("REGISTRY_AUTH_FILE");
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	const char *docker = g_getenv("DOCKER_CONFIG");
	g_autofree char *of_runtime = g_build_filename(runtime != NULL ? runtime : "/nonexistent",
						       "containers", "auth.json", NULL);
	g_autofree char *of_user =
		g_strdup_printf("/run/containers/%u/auth.json", (guint) geteuid());
	g_autofree char *of_config =
		g_build_filename(g_get_user_config_dir(), "containers", "auth.json", NULL);
	g_autofree char *of_docker =
		docker != NULL ? g_build_filename(docker, "config.json", NULL)
			       : g_build_filename(g_get_home_dir(), ".docker", "config.json", NULL);

	if (explicit_file != NULL && explicit_file[0] != '\0')
		g_strv_builder_add(files, explicit_file);
	g_strv_builder_add_many(files, of_runtime, of_user, of_config, of_docker, NULL);
	return g_strv_builder_end(files);
}

/* ---- helpers ---- */

static gboolean
is_helper_name(const char *name)
{
	gsize length = strlen(name);

	return length > 0 && length < 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       length;
}

static CamCredentials *
read_helper_answer(const char *answer)
{
	g_autoptr(GBytes) bytes = g_bytes_new(answer, strlen(answer));
	g_autoptr(JsonObject) json = cam_json_parse_object(bytes, MAX_FILE_SIZE, NULL);
	const char *user = cam_json_get_string(json, "Username");
	const char *secret = cam_json_get_string(json, "Secret");
	CamCredentials *credentials;

	if (user == NULL || secret == NULL)
		return NULL;
	credentials = g_new0(CamCredentials, 1);
	if (g_str_equal(user, TOKEN_USER_NAME)) {
		credentials->identity_token = g_strdup(secret);
	} else {
		credentials->username = g_strdup(user);
		credentials->password = g_strdup(secret);
	}
	return credentials;
}

/* A helper that is not installed is an error, one that knows nothing of the host is not. */
static gboolean
ask_helper(const char *name, const char *host, CamCredentials **credentials,
	   GCancellable *cancellable, GError **error)
{
	const char *server = g_str_equal(host, "docker.io") ? DOCKER_HUB_KEY : host;
	g_autofree char *program = g_strconcat("docker-credential-", name, NULL);
	g_autofree char *answer = NULL;
	g_autoptr(GSubprocess) process = NULL;

	if (!is_helper_name(name))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "\"%s\" is no name of a credential helper", name);
	process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					   G_SUBPROCESS_FLAGS_STDERR_SILENCE,
				   error, program, "get", NULL);
	if (process == NULL ||
	    !g_subprocess_communicate_utf8(process, server, cancellable, &answer, NULL, error))
		return cam_error_translate(error, "credential helper %s", program);
	if (!g_subprocess_get_successful(process))
		return TRUE;
	*credentials = read_helper_answer(answer);
	return *credentials != NULL ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "credential helper %s did not answer as helpers do", program);
}

/* ---- files ---- */

/* "https://h.example/v1/" and "h.example" mean the same. */
static char *
bare_key(const char *key)
{
	static const char *const suffixes[] = { "/v1", "/v2" };
	const char *scheme = strstr(key, "://");
	char *bare = g_strdup(scheme != NULL ? scheme + 3 : key);

	while (g_str_has_suffix(bare, "/"))
		bare[strlen(bare) - 1] = '\0';
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		if (g_str_has_suffix(bare, suffixes[i]))
			bare[strlen(bare) - strlen(suffixes[i])] = '\0';
	}
	if (g_str_equal(bare, "index.docker.io") || g_str_equal(bare, "registry-1.docker.io")) {
		g_free(bare);
		bare = g_strdup("docker.io");
	}
	return bare;
}

/* (nullable): the member of @object whose key means @wanted */
static JsonNode *
find_key(JsonObject *object, const char *wanted)
{
	JsonObjectIter iter;
	const char *key;
	JsonNode *node;

	if (object == NULL)
		return NULL;
	if (json_object_has_member(object, wanted))
		return json_object_get_member(object, wanted);
	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &key, &node)) {
		g_autofree char *bare = bare_key(key);

		if (g_str_equal(bare, wanted))
			return node;
	}
	return NULL;
}

/* "auth" is base64 of user:password. (nullable) */
static CamCredentials *
read_entry(JsonObject *entry)
{
	const char *auth = cam_json_get_string(entry, "auth");
	const char *identity = cam_json_get_string(entry, "identitytoken");
	g_autofree char *decoded = NULL;
	CamCredentials *credentials;
	gsize length = 0;
	char *colon;

	if (identity != NULL && identity[0] != '\0') {
		credentials = g_new0(CamCredentials, 1);
		credentials->identity_token = g_strdup(identity);
		return credentials;
	}
	if (auth == NULL || auth[0] == '\0')
		return NULL;
	decoded = (char *) g_base64_decode(auth, &length);
	decoded = g_realloc(decoded, length + 1);
	decoded[length] = '\0';
	colon = strchr(decoded, ':');
	if (colon == NULL)
		return NULL;
	credentials = g_new0(CamCredentials, 1);
	credentials->username = g_strndup(decoded, (gsize) (colon - decoded));
	credentials->password = g_strdup(colon + 1);
	return credentials;
}

static CamCredentials *
find_in_auths(JsonObject *auths, const char *host, const char *repository)
{
	g_autofree char *key = g_strjoin("/", host, repository, NULL);

	for (;;) {
		JsonNode *node = find_key(auths, key);
		CamCredentials *credentials = NULL;
		char *slash;

		if (node != NULL && JSON_NODE_HOLDS_OBJECT(node))
			credentials = read_entry(json_node_get_object(node));
		if (credentials != NULL)
			return credentials;
		slash = strrchr(key, '/');
		if (slash == NULL)
			return NULL;
		*slash = '\0';
	}
}

static gboolean
find_in_file(JsonObject *json, const char *host, const char *repository,
	     CamCredentials **credentials, GCancellable *cancellable, GError **error)
{
	JsonNode *helper = find_key(cam_json_get_object(json, "credHelpers"), host);
	const char *store = cam_json_get_string(json, "credsStore");

	if (helper != NULL && JSON_NODE_HOLDS_VALUE(helper) &&
	    json_node_get_value_type(helper) == G_TYPE_STRING)
		return ask_helper(json_node_get_string(helper), host, credentials, cancellable,
				  error);
	*credentials = find_in_auths(cam_json_get_object(json, "auths"), host, repository);
	if (*credentials != NULL || store == NULL || store[0] == '\0')
		return TRUE;
	return ask_helper(store, host, credentials, cancellable, error);
}

gboolean
cam_credentials_find(const char *const *files, const char *host, const char *repository,
		     CamCredentials **credentials, GCancellable *cancellable, GError **error)
{
	*credentials = NULL;
	for (gsize i = 0; files[i] != NULL && *credentials == NULL; i++) {
		g_autoptr(GError) local = NULL;
		g_autoptr(JsonObject) json = NULL;
		g_autoptr(GBytes) bytes =
			cam_read_file_at(AT_FDCWD, files[i], MAX_FILE_SIZE, &local);

		if (g_error_matches(local, CAM_ERROR, (int) CAM_ERROR_NOT_FOUND) ||
		    g_error_matches(local, CAM_ERROR, (int) CAM_ERROR_FAILED_PRECONDITION))
			continue;
		if (bytes != NULL && g_bytes_get_size(bytes) == 0)
			continue;
		if (bytes != NULL)
			json = cam_json_parse_object(bytes, MAX_FILE_SIZE, &local);
		if (json == NULL) {
			g_propagate_error(error, g_steal_pointer(&local));
			return cam_error_translate(error, "credentials in %s", files[i]);
		}
		if (!find_in_file(json, host, repository, credentials, cancellable, error))
			return cam_error_translate(error, "%s", files[i]);
	}
	return TRUE;
}
