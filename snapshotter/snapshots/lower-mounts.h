/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/mount.h"

G_BEGIN_DECLS

/**
 * CamLowerMounts:
 *
 * Merged trees of chains, each shown at a path of its own for as long as somebody wants it, so that
 * another process can mount an overlay on it: `lower/ID/` in the store's directory, where ID is the
 * beginning of the chainID. An overlay that is mounted keeps what it stands on, also when it is
 * hidden here. Thread-safe.
 */
typedef struct _CamLowerMounts CamLowerMounts;

/* One a store. Hides what an earlier process showed; checkouts are left. */
CamLowerMounts *cam_lower_mounts_new(CamStore *store, CamMountMethod method, GError **error);
/* Hides all; checkouts are left. */
void cam_lower_mounts_free(CamLowerMounts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLowerMounts, cam_lower_mounts_free)

/* Shows the tree of @diff_ids, whose chainID is @chain, if it is not shown. */
gboolean cam_lower_mounts_show(CamLowerMounts *self, const char *const *diff_ids, const char *chain,
			       GCancellable *cancellable, GError **error);
/* Builds the EROFS image ahead of time; does not mount it. */
gboolean cam_lower_mounts_make(CamLowerMounts *self, const char *const *diff_ids,
			       GCancellable *cancellable, GError **error);
gboolean cam_lower_mounts_is_shown(CamLowerMounts *self, const char *chain);
/* Also removes a checkout, which nothing may stand on any more. */
void cam_lower_mounts_hide(CamLowerMounts *self, const char *chain);
/* Removes what belongs to none of the chains that are the keys of @chains. */
void cam_lower_mounts_sweep(CamLowerMounts *self, GHashTable *chains);

/* What stands for the tree at the end of overlayfs's option lowerdir. */
char *cam_lower_mounts_lowerdir(CamLowerMounts *self, const char *chain);
/* (nullable): where the whole tree can be seen without an overlay; NULL if nowhere. */
char *cam_lower_mounts_directory(CamLowerMounts *self, const char *chain);
/* Where the root directory's own mode, owner and time can be read while it is shown. */
char *cam_lower_mounts_root(CamLowerMounts *self, const char *chain);
/* (nullable): the beginning of the chainID that a path from those functions belongs to. */
char *cam_lower_mounts_parse(CamLowerMounts *self, const char *path);

G_END_DECLS
