/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store-private.h"

G_BEGIN_DECLS

/* Digests (GHashTable sets of strings) that images and leases need. */
typedef struct {
	GHashTable *blobs;
	GHashTable *layers; /* diffIDs */
	GHashTable *chains; /* chainIDs: of every image, and of every part of it from the base on */
} CamReachable;

/* An image that cannot be read is FAILED_PRECONDITION: nobody can say what it needs. */
gboolean cam_reachable_collect(CamStore *store, CamReachable *self, GError **error);
void cam_reachable_clear(CamReachable *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamReachable, cam_reachable_clear)

G_END_DECLS
