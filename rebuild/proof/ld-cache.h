/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/proof/proof-private.h"

G_BEGIN_DECLS

/* One line of ldconfig -p: which file answers for a library's name. */
typedef struct {
	char *name, *path;
	guint32 flags;
} CamLdEntry;

/* (nullable) (element-type CamLdEntry): the entries of an ld.so.cache(5), in their order; NULL for
 * what is none. */
GPtrArray *cam_ld_cache_read(GBytes *bytes);

/**
 * cam_ld_cache_compare:
 *
 * Whether @after is what ldconfig makes of @before when the packages of the fix are exchanged: what
 * was there stays, in its order, unless its file is gone; what is new is a library that a package
 * ships, in a directory that the cache had before, under a name that had no other file.
 *
 * Returns: (nullable) (transfer full): why it is not
 */
char *cam_ld_cache_compare(const CamProof *self, GBytes *before, GBytes *after);

G_END_DECLS
