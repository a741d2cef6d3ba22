/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * CamTreeVisitor:
 *
 * What is done in each directory of a walk.
 */
typedef struct {
	/* @fd was entered and stays open: deals with what is in it, and adds to @children (utf8)
	 * the names of the directories to go into. At most %CAM_TREE_BATCH; more come when it is
	 * entered
	 * @again. */
	gboolean (*enter)(gpointer user_data, int fd, const char *name, gboolean again,
			  GPtrArray *children, GError **error);
	/* All children of @name in @parent have been left. TRUE: enter it once more. */
	gboolean (*leave)(gpointer user_data, int parent, const char *name);
	/* (nullable): @name in @parent cannot be entered, or is none of this file system: goes on
	 * if TRUE. Takes @problem (transfer full). */
	gboolean (*pass)(gpointer user_data, int parent, const char *name, GError *problem,
			 GError **error);
} CamTreeVisitor;

#define CAM_TREE_BATCH 4096

/**
 * cam_tree_walk:
 * @name: a directory in @dirfd; no link is followed
 *
 * Visits @name and all directories below it, whatever their depth, with few descriptors and no
 * recursion. What is mounted in the tree, bind mounts too, is not entered. A directory that was
 * moved away meanwhile is %CAM_ERROR_ABORTED: nothing outside of the tree is ever visited.
 */
gboolean cam_tree_walk(int dirfd, const char *name, const CamTreeVisitor *visitor,
		       gpointer user_data, GCancellable *cancellable, GError **error);

/**
 * cam_directory_open:
 *
 * Opens the directory @name of @dirfd: no link, no mount point (%CAM_ERROR_FAILED_PRECONDITION),
 * opened up first if it is the caller's and shut to him. -1 on error.
 */
int cam_directory_open(int dirfd, const char *name, GError **error);

G_END_DECLS
