/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/snapshot.h"

G_BEGIN_DECLS

/**
 * CamSnapshotDb:
 *
 * What is known of snapshots, in SQLite. A snapshot's own content is a number of layers of the
 * store, in order, and on top of them, while it has one, an upper directory. What is written is
 * durable when it returns: containerd, which asked for it, believes it from then on. Not
 * thread-safe.
 */
typedef struct _CamSnapshotDb CamSnapshotDb;

typedef struct {
	gint64 id;
	gint64 parent; /* 0 for none */
	char *name;
	CamSnapshotKind kind;
	gboolean has_upper;   /* an upper directory is part of the content */
	char **layers;	      /* diffIDs, the lowest first */
	char *chain;	      /* (nullable): chainID of all layers from the base up to and with this
			       * snapshot's own, where no upper directory lies between */
	guint64 size, inodes; /* of a committed snapshot */
} CamSnapshotRow;
void cam_snapshot_row_free(CamSnapshotRow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSnapshotRow, cam_snapshot_row_free)

/* One upper directory of an ancestor that the mounts of a snapshot name. */
typedef struct {
	gint64 upper;	/* id of the ancestor */
	guint n_layers; /* how many layers of the ancestor lie below its upper directory */
} CamSnapshotUse;

CamSnapshotDb *cam_snapshot_db_open(const char *path, GError **error);
void cam_snapshot_db_close(CamSnapshotDb *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSnapshotDb, cam_snapshot_db_close)

gboolean cam_snapshot_db_begin(CamSnapshotDb *self, GError **error);
gboolean cam_snapshot_db_commit(CamSnapshotDb *self, GError **error);
void cam_snapshot_db_rollback(CamSnapshotDb *self);

/* NOT_FOUND. */
CamSnapshotRow *cam_snapshot_db_find(CamSnapshotDb *self, const char *name, GError **error);
CamSnapshotRow *cam_snapshot_db_get(CamSnapshotDb *self, gint64 id, GError **error);
/* (element-type CamSnapshotRow): @id and what it stands on, the base first; empty for 0. */
GPtrArray *cam_snapshot_db_chain(CamSnapshotDb *self, gint64 id, GError **error);
/* (element-type CamSnapshotRow): all, parents before children. */
GPtrArray *cam_snapshot_db_rows(CamSnapshotDb *self, GError **error);
/* (element-type CamSnapshotRow): the committed ones that have an upper directory, parents before
 * children: in the order of their commits. */
GPtrArray *cam_snapshot_db_uppers(CamSnapshotDb *self, GError **error);
/* (element-type CamSnapshotRow): the committed ones that are merged layers and that no other
 * committed one stands on: whole images. */
GPtrArray *cam_snapshot_db_leaves(CamSnapshotDb *self, GError **error);
gboolean
cam_snapshot_db_has_children(CamSnapshotDb *self, gint64 id, gboolean *has, GError **error);
gboolean
cam_snapshot_db_has_chain(CamSnapshotDb *self, const char *chain, gboolean *has, GError **error);
/* Whether somebody began in the last @young nanoseconds to unpack a layer and is not done. */
gboolean
cam_snapshot_db_is_unpacking(CamSnapshotDb *self, gint64 young, gboolean *is, GError **error);
/* A committed snapshot whose chainID begins with the hex digits @begin; NOT_FOUND. */
CamSnapshotRow *cam_snapshot_db_find_chain(CamSnapshotDb *self, const char *begin, GError **error);
/* (nullable): the name of a committed snapshot with this parent and this value of the label; NULL
 * without error if there is none. */
char *cam_snapshot_db_find_labelled(CamSnapshotDb *self, gint64 parent, const char *label,
				    const char *value, GError **error);

/* ALREADY_EXISTS. @labels: (nullable). Returns: the id; 0 on error. */
gint64
cam_snapshot_db_insert(CamSnapshotDb *self, const char *name, gint64 parent, CamSnapshotKind kind,
		       gboolean has_upper, GHashTable *labels, GError **error);
/* Durable with the next other write only: a row that a power failure brings back is one that
 * containerd does not know and removes again. */
gboolean cam_snapshot_db_remove(CamSnapshotDb *self, gint64 id, GError **error);
/* Makes an active snapshot a committed one called @name; ALREADY_EXISTS. Its uses end. */
gboolean cam_snapshot_db_seal(CamSnapshotDb *self, gint64 id, const char *name, gint64 parent,
			      guint64 size, guint64 inodes, GHashTable *labels, GError **error);
gboolean
cam_snapshot_db_add_layer(CamSnapshotDb *self, gint64 id, const char *diff_id, GError **error);
gboolean
cam_snapshot_db_set_upper(CamSnapshotDb *self, gint64 id, gboolean has_upper, GError **error);
gboolean
cam_snapshot_db_set_chain(CamSnapshotDb *self, gint64 id, const char *chain, GError **error);
/* (element-type gint64): the committed snapshots that stand on @id. */
GArray *cam_snapshot_db_children(CamSnapshotDb *self, gint64 id, GError **error);

/* (element-type CamSnapshotUse): the top first. */
GArray *cam_snapshot_db_get_uses(CamSnapshotDb *self, gint64 id, GError **error);
gboolean
cam_snapshot_db_set_uses(CamSnapshotDb *self, gint64 id, const GArray *uses, GError **error);
gboolean cam_snapshot_db_is_used(CamSnapshotDb *self, gint64 upper, gboolean *used, GError **error);

CamSnapshotInfo *cam_snapshot_db_stat(CamSnapshotDb *self, const char *name, GError **error);
/* (element-type CamSnapshotInfo): all, by name. */
GPtrArray *cam_snapshot_db_list(CamSnapshotDb *self, GError **error);
/* Replaces all labels, and notes the time. */
gboolean
cam_snapshot_db_set_labels(CamSnapshotDb *self, gint64 id, GHashTable *labels, GError **error);

G_END_DECLS
