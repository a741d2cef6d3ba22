/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/transport/http-exchange.h"

G_BEGIN_DECLS

/**
 * CamRegistryAuth:
 *
 * Answers the challenges of one registry for one repository: basic, bearer tokens (distribution's
 * token specification, and OAuth2 with an identity token), anonymous where there is no login.
 */
typedef struct _CamRegistryAuth CamRegistryAuth;

/* @auth_file: (nullable): instead of the usual files. @plain_allowed: whether secrets may go to a
 * token server beyond this machine over plain HTTP. */
CamRegistryAuth *
cam_registry_auth_new(CamHttpClient *client, const char *host, const char *repository,
		      const char *auth_file, gboolean plain_allowed);

/* (nullable) (transfer none): value for Authorization in requests of @scope, as far as known. */
const char *cam_registry_auth_get_header(CamRegistryAuth *self, const char *scope);

/* Makes get_header() give what @challenge (the WWW-Authenticate of a 401) asks for.
 * @scope: one or more of distribution's resource scopes, parted by blanks. */
gboolean cam_registry_auth_answer(CamRegistryAuth *self, const char *challenge, const char *scope,
				  GCancellable *cancellable, GError **error);

void cam_registry_auth_free(CamRegistryAuth *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamRegistryAuth, cam_registry_auth_free)

G_END_DECLS
