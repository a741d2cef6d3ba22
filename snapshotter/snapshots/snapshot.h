/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* The values are those of the wire. */
typedef enum {
	CAM_SNAPSHOT_VIEW = 1,
	CAM_SNAPSHOT_ACTIVE = 2,
	CAM_SNAPSHOT_COMMITTED = 3,
} CamSnapshotKind;

typedef struct {
	char *name;   /* key of an active snapshot or view, name of a committed one */
	char *parent; /* "" for none */
	CamSnapshotKind kind;
	gint64 created, updated; /* nanoseconds since 1970, UTC */
	GHashTable *labels;	 /* char * → char * */
} CamSnapshotInfo;
void cam_snapshot_info_free(CamSnapshotInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSnapshotInfo, cam_snapshot_info_free)

/* What mount(2) is to be told, as containerd's mount.Mount. */
typedef struct {
	char *type, *source;
	char *target;	/* "" */
	char **options; /* NULL-terminated */
} CamSnapshotMount;
CamSnapshotMount *
cam_snapshot_mount_new(const char *type, const char *source, const char *const *options);
void cam_snapshot_mount_free(CamSnapshotMount *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSnapshotMount, cam_snapshot_mount_free)

/* TRUE for equal type, source and options. */
gboolean cam_snapshot_mount_equal(const CamSnapshotMount *a, const CamSnapshotMount *b);
/* (nullable) (transfer none): of the option "NAME=…" the value. */
const char *cam_snapshot_mount_get_option(const CamSnapshotMount *self, const char *name);

/**
 * cam_snapshot_key_name:
 *
 * Returns: (transfer none): what the client called it: containerd puts "NAMESPACE/NUMBER/" in front
 * of its clients' keys
 */
const char *cam_snapshot_key_name(const char *key);
/* Whether containerd's unpackers call the snapshots so that they extract layers into:
 * "extract-NUMBER-… CHAINID". No container can be called so. */
gboolean cam_snapshot_key_is_extraction(const char *key);

G_END_DECLS
