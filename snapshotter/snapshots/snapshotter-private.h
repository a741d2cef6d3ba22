/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the snapshotter share; nobody else includes it.
 *
 *   snapshotter.c         the object, and what only reads or writes rows
 *   snapshot-create.c     prepare, view, commit
 *   snapshot-content.c    apply, diff, adoption
 *   snapshot-repair.c     what a crash left
 */
#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/snapshots/lower-mounts.h"
#include "snapshotter/snapshots/snapshot-base.h"
#include "snapshotter/snapshots/snapshotter.h"

G_BEGIN_DECLS

#define CAM_SNAPSHOT_REF_LABEL "containerd.io/snapshot.ref"

typedef struct _CamAdoption CamAdoption;

struct _CamSnapshotter {
	GObject parent_instance;

	CamStore *store;
	CamLayerLimits limits;
	char *folder; /* absolute: …/snapshots */
	CamFd folder_fd;
	CamFd lock;
	guint max_uses; /* upper directories that mount(2)'s options have room for */

	GMutex adopt_mutex; /* one adoption at a time; taken before the other */
	GMutex mutex;
	CamSnapshotDb *db; /* guarded by it */
	gint64 adopting;   /* guarded by it: the snapshot whose upper is being adopted, or 0 */
	CamLowerMounts *lowers;
	CamAdoption *adoption; /* (nullable) */
	gint expect_differ;
};

/* "ID/fs", "ID/work" below the folder, or whole. */
char *cam_snapshotter_below(gint64 id, const char *name);
char *cam_snapshotter_path(CamSnapshotter *self, gint64 id, const char *name);

/* Removes the directory of a snapshot that needs it no more. Not under the mutex. */
void cam_snapshotter_drop_directory(CamSnapshotter *self, gint64 id);
/* The same for uppers that became layers, but for those that are mounted: cleanup finds them. */
void cam_snapshotter_drop_uppers(CamSnapshotter *self, const GArray *ids);
/* Under the mutex: those of @uses that are layers by now and that nobody uses; ids. */
GArray *cam_snapshotter_idle_uppers(CamSnapshotter *self, const GArray *uses);

/**
 * cam_snapshotter_update_chain:
 *
 * Under the mutex, in a transaction: finds out whether all below and with a committed snapshot is
 * layers now, and so for those that stand on it. @changed: (element-type gint64): ids are added.
 */
gboolean
cam_snapshotter_update_chain(CamSnapshotter *self, gint64 id, GArray *changed, GError **error);
/* Lets the store keep what a snapshot consists of. */
gboolean cam_snapshotter_lease(CamSnapshotter *self, const CamSnapshotRow *row, GError **error);
/* The same for several, and their chains are known in the store from now on. */
gboolean cam_snapshotter_lease_changed(CamSnapshotter *self, const GArray *ids, GError **error);
char *cam_snapshotter_lease_id(gint64 id);
#define CAM_SNAPSHOT_LEASES "snapshot/"

/* The mounts of @row, which stands on @base. @show: whether its lower tree must be there already.
 */
GPtrArray *cam_snapshotter_build_mounts(CamSnapshotter *self, const CamSnapshotRow *row,
					const CamSnapshotBase *base, gboolean show,
					GCancellable *cancellable, GError **error);

/**
 * cam_snapshotter_adopt:
 * @needed: whether somebody waits for it
 *
 * Turns the upper directory of a committed snapshot into a layer of the store: by hard links, which
 * change the link counts of its files. While a container could see that, it is UNAVAILABLE, or,
 * where @needed, done by copying. UNAVAILABLE too while the directory may still be written to.
 * NOT_FOUND if there is none (any more).
 */
gboolean cam_snapshotter_adopt(CamSnapshotter *self, gint64 id, gboolean needed,
			       GCancellable *cancellable, GError **error);

/* Makes what a container on the committed snapshot @id will be mounted from. */
gboolean cam_snapshotter_make_lower(CamSnapshotter *self, gint64 id, GCancellable *cancellable,
				    GError **error);

/* Removes directories and trees that belong to no snapshot. */
gboolean cam_snapshotter_sweep(CamSnapshotter *self, GCancellable *cancellable, GError **error);
gboolean cam_snapshotter_repair(CamSnapshotter *self, GCancellable *cancellable, GError **error);

/* ---- adoption.c: when ---- */

CamAdoption *cam_adoption_new(CamSnapshotter *snapshotter, guint idle_ms, GError **error);
/* A request came: wait with it. */
void cam_adoption_touch(CamAdoption *self);
/* There is something to adopt, or an image to be made. */
void cam_adoption_wake(CamAdoption *self);
/* Waits until nothing is left that can be adopted. */
void cam_adoption_settle(CamAdoption *self);
/* Ends the thread. */
void cam_adoption_free(CamAdoption *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAdoption, cam_adoption_free)

G_END_DECLS
