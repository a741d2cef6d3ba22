/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* What runs on a host, as containerd knows it. Plain values: who shows them needs no gRPC. */

typedef struct {
	char *id;
	char *status; /* "running", "paused", "created", "pausing" */
	char *snapshotter;
	gboolean ours;	   /* @snapshotter is cambiumd */
	gboolean outdated; /* it runs what the name stood for earlier */
} CamHostContainer;
void cam_host_container_free(CamHostContainer *self);

typedef struct {
	char *name_space, *name;
	char *digest;	 /* what the name stands for: a manifest or an index */
	char *chain_id;	 /* (nullable): of this host's platform, where containerd has its config */
	char **unpacked; /* names of the snapshotters that have it unpacked, NULL-terminated */
	GPtrArray *containers; /* (element-type CamHostContainer): those that are alive, by id */
} CamHostImage;
void cam_host_image_free(CamHostImage *self);

typedef struct {
	const char *containerd;	       /* its socket */
	const char *cambiumd;	       /* that of our snapshotter */
	const char *const *namespaces; /* (nullable): all */
} CamHostOptions;

/* (transfer full) (element-type CamHostImage): by namespace and name. Of the names that CRI gives
 * to one digest the readable one alone is listed. */
typedef GPtrArray *(*CamHostLister)(const CamHostOptions *options, GCancellable *cancellable,
				    GError **error);

G_END_DECLS
