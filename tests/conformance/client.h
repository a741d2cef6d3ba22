/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * containerd's snapshots service as its clients call it: a snapshotter that serves it itself, or
 * containerd with a snapshotter behind it.
 */
#pragma once

#include "plugin/containerd/grpc-channel.h"

G_BEGIN_DECLS

typedef struct {
	char *socket;
	char *name_space;  /* (nullable): of containerd */
	char *snapshotter; /* by which containerd knows it */
} ClientOptions;

typedef struct _Client Client;

Client *client_new(const ClientOptions *options);
void client_free(Client *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* @labels: (nullable). Answers are (element-type CamSnapshotMount); NULL with the error that the
 * service answered. */
GPtrArray *client_prepare(Client *self, const char *key, const char *parent, GHashTable *labels,
			  GError **error);
GPtrArray *
client_view(Client *self, const char *key, const char *parent, GHashTable *labels, GError **error);
GPtrArray *client_mounts(Client *self, const char *key, GError **error);
/* @parent: (nullable): of a snapshot that was prepared without one (containerd 2.2) */
gboolean client_commit(Client *self, const char *name, const char *key, const char *parent,
		       GHashTable *labels, GError **error);
gboolean client_remove(Client *self, const char *key, GError **error);
CamSnapshotInfo *client_stat(Client *self, const char *key, GError **error);
/* @info: what is sent of it is all of it; @paths: (nullable): the field mask */
CamSnapshotInfo *
client_update(Client *self, const CamSnapshotInfo *info, const char *const *paths, GError **error);
/* (element-type CamSnapshotInfo) */
GPtrArray *client_list(Client *self, const char *const *filters, GError **error);
gboolean client_usage(Client *self, const char *key, gint64 *size, gint64 *inodes, GError **error);

G_END_DECLS
