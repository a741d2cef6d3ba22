/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees of files: what is mounted, how it is changed, and what is in it. */
#pragma once

#include <gio/gio.h>

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* (element-type CamSnapshotMount): as containerd's mount package does it. */
void tree_mount(const GPtrArray *mounts, const char *target);
void tree_unmount(const char *target);

typedef enum {
	CHANGE_END,
	CHANGE_FILE, /* @text is written, @mode set; the file may be there */
	CHANGE_DIRECTORY,
	CHANGE_REMOVE, /* with all that is in it */
	CHANGE_OWNER,  /* to @mode and the group of the same number */
	CHANGE_RENAME, /* to @text */
	CHANGE_LINK,   /* another name, @text */
} ChangeKind;

typedef struct {
	ChangeKind kind;
	const char *path, *text;
	guint mode;
} Change;

/* @changes: ends with CHANGE_END */
void tree_change(const char *root, const Change *changes);

/* (transfer full): everything in it, a line each: type, mode, owners, content, attributes, and
 * which names are one file. No times: a copy to an upper directory has its own for directories. */
char *tree_describe(const char *root);

G_END_DECLS
