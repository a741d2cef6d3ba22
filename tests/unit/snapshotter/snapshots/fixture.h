/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of this folder share: a private mount name space, and a small object store. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/snapshots/lower-tree.h"
#include "snapshotter/store/memory-rootfs.h"

/* Whatever is mounted afterwards goes with this process. FALSE: the test was skipped. */
static inline gboolean
fixture_enter_mount_namespace(void)
{
	static gboolean entered;

	if (geteuid() != 0) {
		g_test_skip("mounting needs root");
		return FALSE;
	}
	if (!entered &&
	    (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
		g_test_skip("no private mount name space can be had here");
		return FALSE;
	}
	entered = TRUE;
	return TRUE;
}

static inline char *
fixture_make_dir(const char *parent, const char *name)
{
	char *path = g_build_filename(parent, name, NULL);

	g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	return path;
}

static inline void
fixture_remove_tree(const char *path)
{
	g_autoptr(GError) error = NULL;

	cam_remove_tree_at(AT_FDCWD, path, &error);
	g_assert_no_error(error);
}

static inline gboolean
fixture_write_object(const CamLowerEntry *entry, gpointer user_data, GError **error)
{
	const gpointer *context = user_data;
	CamRootfs *rootfs = context[0];
	const char *objects = context[1];
	g_autoptr(GBytes) content = NULL;
	char hex[65];

	if (entry->stat->type != CAM_NODE_REGULAR)
		return TRUE;
	content = cam_rootfs_read(rootfs, entry->path, G_MAXSSIZE, error);
	g_assert_nonnull(content);
	cam_sha256_to_hex(entry->object, hex);
	g_autofree char *folder = g_strdup_printf("%s/%.2s", objects, hex);
	g_autofree char *path = g_strdup_printf("%s/%s.file", folder, hex + 2);
	g_mkdir(folder, 0755);
	g_assert_true(g_file_set_contents(path, g_bytes_get_data(content, NULL),
					  (gssize) g_bytes_get_size(content), NULL));
	return TRUE;
}

/* Files of @rootfs by identity below @objects, as the store keeps them. */
static inline void
fixture_write_objects(CamRootfs *rootfs, const char *objects)
{
	static const CamLowerVisitor visitor = { .visit = fixture_write_object };
	gconstpointer context[] = { rootfs, objects };
	g_autoptr(GError) error = NULL;

	cam_lower_tree_walk(rootfs, NULL, &visitor, context, NULL, &error);
	g_assert_no_error(error);
}
