/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/plan/fix-plan.h"
#include "rebuild/proof/deb-content.h"
#include "rebuild/publish/lower-times.h"

G_BEGIN_DECLS

/**
 * CamFixMemory:
 *
 * One patch, many images: which layer carried out which plan, and on what kind of tree. A tree
 * that is like the first in all that matters gets the same layer, and the package manager does not
 * run.
 *
 * What matters: every path that the layer touches (its identity, its absence, a directory's time,
 * which the layer repeats), and all of the system around them that the scripts of packages may
 * have looked at: /usr, /etc, /boot, /bin and its like, /var/lib. What images of one base differ
 * in is elsewhere as a rule: /srv, /opt, /home, /app.
 *
 * These conditions are about usefulness. That a layer, which programs of one image made, harms no
 * other image rests on cam_layer_prove() alone, which the caller asks in find's @accepts.
 */
typedef struct _CamFixMemory CamFixMemory;

/* In <store>/fixes.db. */
CamFixMemory *cam_fix_memory_open(CamStore *store, GError **error);
void cam_fix_memory_close(CamFixMemory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixMemory, cam_fix_memory_close)

/* Names what is to be done and by which package manager: equal keys, equal work. */
char *cam_fix_memory_key(const CamFixPlan *plan, const char *manager);

/* Whether the layer @diff_id may go on the tree that is asked for. *@accepted is FALSE before. */
typedef gboolean (*CamFixMemoryAccepts)(const char *diff_id, gpointer user_data, gboolean *accepted,
					GError **error);

/* *@diff_id: (nullable): the first layer of the store that does @key's work on such a tree and that
 * @accepts accepts, and its *@epoch. */
gboolean cam_fix_memory_find(CamFixMemory *self, const char *key, CamRootfs *lower,
			     CamLowerTimes *times, CamFixMemoryAccepts accepts, gpointer user_data,
			     char **diff_id, gint64 *epoch, GError **error);
/* Remembers that the layer @diff_id, which is in the store, did it on this tree. */
gboolean
cam_fix_memory_add(CamFixMemory *self, const char *key, CamRootfs *lower, CamLowerTimes *times,
		   const char *diff_id, gint64 epoch, GError **error);

/* (nullable): what the package with this digest ships; NULL without @error: not known. */
CamDebContent *cam_fix_memory_get_content(CamFixMemory *self, const char *sha256, GError **error);
gboolean cam_fix_memory_put_content(CamFixMemory *self, const char *sha256,
				    const CamDebContent *content, GError **error);

G_END_DECLS
