/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* What somebody has logged in to a registry with. */
typedef struct {
	char *username;
	char *password;
	char *identity_token; /* (nullable): an OAuth2 refresh token, instead of the two */
} CamCredentials;

void cam_credentials_free(CamCredentials *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamCredentials, cam_credentials_free)

/**
 * cam_credentials_default_files:
 *
 * The files that skopeo, podman and docker keep logins in, best first:
 * $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, /run/containers/UID/auth.json,
 * $XDG_CONFIG_HOME/containers/auth.json, $DOCKER_CONFIG/config.json (~/.docker/config.json).
 * This is the only place of the room that reads the environment.
 */
char **cam_credentials_default_files(void);

/**
 * cam_credentials_find:
 * @files: NULL-terminated; what is absent is passed over
 * @host: registry, with port if any; "docker.io" for Docker Hub
 * @credentials: (out) (nullable): NULL where there are none: that is no error
 *
 * By containers-auth.json(5): in each file credHelpers, then `auths` from the most specific
 * HOST/NAMESPACE/REPOSITORY to the HOST, then credsStore. Helpers run as `docker-credential-X get`.
 */
gboolean
cam_credentials_find(const char *const *files, const char *host, const char *repository,
		     CamCredentials **credentials, GCancellable *cancellable, GError **error);

G_END_DECLS
