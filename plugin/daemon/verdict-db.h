/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/daemon/verdict.h"

G_BEGIN_DECLS

/**
 * CamVerdictDb: <store>/verdicts.db: which images containerd has, and what scans of them said.
 * Thread-safe.
 */
typedef struct _CamVerdictDb CamVerdictDb;

/* @create: FALSE: a database that does not exist is %CAM_ERROR_NOT_FOUND */
CamVerdictDb *cam_verdict_db_open(const char *store_path, gboolean create, GError **error);
void cam_verdict_db_free(CamVerdictDb *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamVerdictDb, cam_verdict_db_free)

/* Remembers the image, and the scan if there was one (of its manifest, whatever the name). A name
 * that stood for something else stands for this from now on. */
gboolean cam_verdict_db_put(CamVerdictDb *self, const CamVerdict *verdict, GError **error);
/* NOT_FOUND. */
CamVerdict *
cam_verdict_db_get(CamVerdictDb *self, const char *name_space, const char *name, GError **error);
/* (element-type CamVerdict): all images, by namespace and name */
GPtrArray *cam_verdict_db_list(CamVerdictDb *self, GError **error);
/* Those with these layers; those that stand for this digest. */
GPtrArray *cam_verdict_db_find_chain(CamVerdictDb *self, const char *chain_id, GError **error);
GPtrArray *cam_verdict_db_find_target(CamVerdictDb *self, const char *target, GError **error);

/**
 * cam_verdict_db_forget:
 * @store_name: (out) (nullable): name in the store that no image is left for
 *
 * Forgets an image; one that is not known is no error.
 */
gboolean cam_verdict_db_forget(CamVerdictDb *self, const char *name_space, const char *name,
			       char **store_name, GError **error);

G_END_DECLS
