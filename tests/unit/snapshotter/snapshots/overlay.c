/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EROFS image, object store and overlay together, in every way that a kernel may want it: what is
 * read, and what a change leaves in the upper directory.
 */
#include "snapshotter/snapshots/overlay.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "fixture.h"
#include "snapshotter/base/mount-table.h"
#include "snapshotter/snapshots/checkout.h"
#include "snapshotter/snapshots/erofs-image.h"
#include "snapshotter/snapshots/mount-probe.h"

#define MTIME (G_GINT64_CONSTANT(1700000000) * 1000000000 + 5)

typedef struct {
	char *top, *lower, *target, *objects_path, *upper, *work, *middle;
	CamFd objects;
	CamMemoryRootfs *rootfs;
	CamTreeHistory *history;
	CamLayerTree *layer; /* that the history is made of */
} World;

static void
remember(World *world, const char *path, CamNodeType type)
{
	CamLayerEntry entry = { .path = path, .type = type, .mtime = MTIME };

	g_assert_true(cam_layer_tree_add(world->layer, &entry, NULL));
}

static void
make_tree(World *world)
{
	static const guint8 capability[20] = { 1, 0, 0, 2, 0, 0x20 };
	g_autoptr(GBytes) ping = g_bytes_new_static("ping", 4);
	CamLayerEntry hard = {
		.path = "etc/hard", .is_hardlink = TRUE, .link_target = "etc/conf", .mtime = MTIME
	};
	CamStat null = {
		.type = CAM_NODE_CHARACTER, .mode = 0666, .rdev_major = 1, .rdev_minor = 3
	};
	CamStat capable = { .mode = 0755, .size = 4 };

	capable.xattrs = g_variant_ref_sink(g_variant_new_parsed(
		"[(b'security.capability', %@ay)]",
		g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, capability, 20, 1)));
	cam_memory_rootfs_add_file(world->rootfs, "etc/conf", "content", -1, 0644);
	cam_memory_rootfs_add_file(world->rootfs, "etc/hard", "content", -1, 0644);
	/* Alike, but another file. */
	cam_memory_rootfs_add_file(world->rootfs, "etc/twin", "content", -1, 0644);
	cam_memory_rootfs_add_file(world->rootfs, "etc/owned", "owned", -1, 04755);
	cam_memory_rootfs_add_file(world->rootfs, "etc/empty", "", 0, 0644);
	cam_memory_rootfs_add_file(world->rootfs, "d/sub/x", "x", -1, 0644);
	cam_memory_rootfs_add_file(world->rootfs, "ab/own", "in a folder named as objects are", -1,
				   0644);
	cam_memory_rootfs_add_symlink(world->rootfs, "link", "etc/conf");
	cam_memory_rootfs_add(world->rootfs, "null", &null, NULL);
	cam_memory_rootfs_add(world->rootfs, "ping", &capable, ping);
	g_variant_unref(capable.xattrs);
	remember(world, "etc", CAM_NODE_DIRECTORY);
	remember(world, "etc/conf", CAM_NODE_REGULAR);
	remember(world, "link", CAM_NODE_SYMLINK);
	g_assert_true(cam_layer_tree_add(world->layer, &hard, NULL));
	cam_tree_history_add_layer(world->history, world->layer);
}

static void
world_init(World *world)
{
	world->top = g_dir_make_tmp("cam-overlay-XXXXXX", NULL);
	world->lower = fixture_make_dir(world->top, "lower");
	world->middle = fixture_make_dir(world->top, "middle");
	/* Neither colons nor commas may matter. */
	world->target = fixture_make_dir(world->top, "tar:get,a=b\\");
	world->objects_path = fixture_make_dir(world->top, "ob:jects");
	world->upper = fixture_make_dir(world->top, "up,per");
	world->work = fixture_make_dir(world->top, "work");
	world->objects = open(world->objects_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	world->rootfs = cam_memory_rootfs_new();
	world->history = cam_tree_history_new();
	world->layer = cam_layer_tree_new(TRUE);
	make_tree(world);
	fixture_write_objects(CAM_ROOTFS(world->rootfs), world->objects_path);
}

static void
world_clear(World *world)
{
	g_autoptr(GError) error = NULL;

	cam_mount_sweep(world->top, &error);
	g_assert_no_error(error);
	fixture_remove_tree(world->top);
	cam_fd_close(world->objects);
	g_object_unref(world->rootfs);
	cam_tree_history_free(world->history);
	cam_layer_tree_free(world->layer);
	for (char **path = (char *[]){ world->top, world->lower, world->target, world->objects_path,
				       world->upper, world->work, world->middle, NULL };
	     *path; path++)
		g_free(*path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

/* FALSE: skipped. */
static gboolean
mount_lower(World *world, CamDataLayers data, gboolean loop)
{
	g_autofree char *path = g_build_filename(world->top, "image", NULL);
	g_auto(CamFd) image = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	g_autoptr(GError) error = NULL;

	cam_erofs_image_write(CAM_ROOTFS(world->rootfs), world->history, data == CAM_DATA_ORDINARY,
			      image, NULL, &error);
	g_assert_no_error(error);
	if (cam_erofs_mount(image, loop, world->lower, &error))
		return TRUE;
	g_test_skip(error->message);
	return FALSE;
}

static gboolean
mount_overlay(int lower, int objects, const char *upper, const char *work, CamDataLayers data,
	      gboolean by_options, const char *target)
{
	g_auto(CamFd) upper_fd = upper ? open(upper, O_PATH | O_CLOEXEC) : -1;
	g_auto(CamFd) work_fd = work ? open(work, O_PATH | O_CLOEXEC) : -1;
	CamOverlay overlay = { lower, objects, upper_fd, work_fd, data, by_options };
	g_autoptr(GError) error = NULL;

	if (cam_overlay_mount(&overlay, target, &error))
		return TRUE;
	g_test_skip(error->message);
	return FALSE;
}

static void
assert_content(const char *top, const char *path, const char *expected)
{
	g_autofree char *full = g_build_filename(top, path, NULL), *text = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(full, &text, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, expected);
}

static struct stat
stat_of(const char *top, const char *path)
{
	g_autofree char *full = g_build_filename(top, path, NULL);
	struct stat st = { 0 };

	if (lstat(full, &st) != 0)
		st.st_mode = 0;
	return st;
}

static void
check_reading(const World *world, gboolean exact)
{
	struct stat conf = stat_of(world->target, "etc/conf");
	struct stat hard = stat_of(world->target, "etc/hard");
	g_autofree char *ping = g_build_filename(world->target, "ping", NULL);
	char value[64];
	guint count = 0;

	assert_content(world->target, "etc/conf", "content");
	assert_content(world->target, "etc/hard", "content");
	assert_content(world->target, "etc/twin", "content");
	assert_content(world->target, "etc/empty", "");
	assert_content(world->target, "link", "content");
	assert_content(world->target, "ab/own", "in a folder named as objects are");
	assert_content(world->target, "null", "");
	g_assert_cmpuint(stat_of(world->target, "etc/owned").st_mode, ==, S_IFREG | 04755);
	g_assert_cmpuint(stat_of(world->target, "null").st_rdev, ==, makedev(1, 3));
	g_assert_cmpint(stat_of(world->target, "etc").st_mtim.tv_nsec, ==, 5);
	g_assert_cmpint(stat_of(world->target, "link").st_mtim.tv_sec, ==, 1700000000);
	g_assert_cmpint(getxattr(ping, "security.capability", value, sizeof(value)), ==, 20);
	g_assert_cmpuint(conf.st_ino, ==, hard.st_ino);
	g_assert_cmpuint(stat_of(world->target, "etc/twin").st_ino, !=, conf.st_ino);
	if (exact) {
		g_assert_cmpint(conf.st_mtim.tv_sec, ==, 1700000000);
		g_assert_cmpuint(conf.st_nlink, ==, 2);
	}
	g_autoptr(GDir) dir = g_dir_open(world->target, 0, NULL);
	while (g_dir_read_name(dir))
		count++;
	g_assert_cmpuint(count, ==, 6); /* etc d ab link null ping: no object folders */
	g_assert_cmpint(g_remove(ping), ==, -1);
	g_assert_cmpint(errno, ==, EROFS);
}

static void
test_read_only(gconstpointer data)
{
	CamDataLayers layers = GPOINTER_TO_INT(data);

	if (!fixture_enter_mount_namespace())
		return;
	for (guint way = 0; way < 4; way++) {
		g_auto(World) world;

		world_init(&world);
		if (!mount_lower(&world, layers, way & 1))
			return;
		g_auto(CamFd) lower = open(world.lower, O_PATH | O_CLOEXEC);
		if (!mount_overlay(lower, world.objects, NULL, NULL, layers, way & 2, world.target))
			return;
		check_reading(&world, TRUE);
	}
}

/* What a fix may do to a tree; then what is in the upper directory. */
static void
change_tree(const char *target)
{
	g_autofree char *conf = g_build_filename(target, "etc/conf", NULL);
	g_autofree char *owned = g_build_filename(target, "etc/owned", NULL);
	g_autofree char *ping = g_build_filename(target, "ping", NULL);
	g_autofree char *sub = g_build_filename(target, "d/sub", NULL);
	g_autofree char *moved = g_build_filename(target, "d/moved", NULL);
	g_autofree char *ab = g_build_filename(target, "ab", NULL);
	g_autofree char *own = g_build_filename(target, "ab/own", NULL);

	g_assert_cmpint(chmod(conf, 0600), ==, 0);
	g_assert_cmpint(chown(owned, 5, 6), ==, 0);
	g_assert_cmpint(g_remove(ping), ==, 0);
	/* redirect_dir=off: mv(1) and dpkg copy then. */
	g_assert_cmpint(rename(sub, moved), ==, -1);
	g_assert_cmpint(errno, ==, EXDEV);
	g_assert_cmpint(g_remove(own), ==, 0);
	g_assert_cmpint(g_rmdir(ab), ==, 0);
	g_assert_cmpint(g_mkdir(ab, 0750), ==, 0);
}

static void
check_upper(const World *world)
{
	g_autofree char *conf = g_build_filename(world->upper, "etc/conf", NULL);
	g_autofree char *ab = g_build_filename(world->upper, "ab", NULL);
	struct stat owned = stat_of(world->upper, "etc/owned");
	struct stat ping = stat_of(world->upper, "ping");
	char value[64];

	/* Whole files: nothing in the upper refers to anything below. */
	assert_content(world->upper, "etc/conf", "content");
	assert_content(world->upper, "etc/owned", "owned");
	g_assert_cmpint(lgetxattr(conf, "trusted.overlay.metacopy", value, sizeof(value)), ==, -1);
	g_assert_cmpint(lgetxattr(conf, "trusted.overlay.redirect", value, sizeof(value)), ==, -1);
	g_assert_cmpuint(owned.st_uid, ==, 5);
	g_assert_cmpuint(owned.st_mode, ==, S_IFREG | 0755);
	g_assert_cmpuint(stat_of(world->upper, "etc/conf").st_mode, ==, S_IFREG | 0600);
	g_assert_true(S_ISCHR(ping.st_mode) && ping.st_rdev == 0);
	g_assert_cmpint(lgetxattr(ab, "trusted.overlay.opaque", value, sizeof(value)), ==, 1);
	g_assert_cmpuint(stat_of(world->upper, "d").st_mode, ==, 0);
	g_assert_cmpuint(stat_of(world->upper, "link").st_mode, ==, 0);
}

/* @data: with a middle overlay, as kernels before 6.16 need it? */
static void
test_writable(gconstpointer data)
{
	gboolean stacked = GPOINTER_TO_INT(data);

	if (!fixture_enter_mount_namespace())
		return;
	for (guint way = 0; way < 2; way++) {
		CamDataLayers layers = stacked ? CAM_DATA_METACOPY : CAM_DATA_FREE;
		g_auto(World) world;

		world_init(&world);
		if (!mount_lower(&world, layers, stacked))
			return;
		g_auto(CamFd) lower = open(world.lower, O_PATH | O_CLOEXEC);
		if (stacked) {
			if (!mount_overlay(lower, world.objects, NULL, NULL, layers, way,
					   world.middle))
				return;
			cam_fd_close(cam_fd_steal(&lower));
			lower = open(world.middle, O_PATH | O_CLOEXEC);
		}
		if (!mount_overlay(lower, stacked ? -1 : world.objects, world.upper, world.work,
				   layers, way, world.target))
			return;
		change_tree(world.target);
		check_upper(&world);
		assert_content(world.target, "etc/hard", "content");
	}
}

/* The store's objects stay as they are, whatever happens above. */
static void
test_objects_untouched(void)
{
	if (!fixture_enter_mount_namespace())
		return;
	g_auto(World) world;

	world_init(&world);
	if (!mount_lower(&world, CAM_DATA_FREE, FALSE))
		return;
	g_auto(CamFd) lower = open(world.lower, O_PATH | O_CLOEXEC);
	if (!mount_overlay(lower, world.objects, world.upper, world.work, CAM_DATA_FREE, FALSE,
			   world.target))
		return;
	g_autofree char *conf = g_build_filename(world.target, "etc/conf", NULL);
	g_auto(CamFd) fd = open(conf, O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(pwrite(fd, "CHANGED", 7, 0), ==, 7);
	assert_content(world.target, "etc/conf", "CHANGED");
	g_assert_cmpint(umount2(world.target, MNT_DETACH), ==, 0);
	if (!mount_overlay(lower, world.objects, NULL, NULL, CAM_DATA_FREE, FALSE, world.target))
		return;
	assert_content(world.target, "etc/conf", "content");
}

static void
test_checkout(void)
{
	g_autoptr(GError) error = NULL;

	if (!fixture_enter_mount_namespace())
		return;
	g_auto(World) world;
	world_init(&world);
	/* These objects are bare content: files are copied. */
	cam_checkout_tree(CAM_ROOTFS(world.rootfs), world.history, world.objects, FALSE,
			  world.lower, NULL, &error);
	g_assert_no_error(error);
	cam_bind_mount(world.lower, world.target, &error);
	g_assert_no_error(error);
	check_reading(&world, FALSE);
}

static void
test_checkout_links(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(World) world;

	world_init(&world);
	if (geteuid() != 0) {
		g_test_skip("files of other owners need root");
		return;
	}
	cam_checkout_tree(CAM_ROOTFS(world.rootfs), world.history, world.objects, TRUE, world.lower,
			  NULL, &error);
	g_assert_no_error(error);
	/* two names and the object; the twin is a file of its own */
	g_assert_cmpuint(stat_of(world.lower, "etc/conf").st_nlink, ==, 3);
	g_assert_cmpuint(stat_of(world.lower, "etc/twin").st_nlink, ==, 1);
	g_assert_cmpuint(stat_of(world.lower, "etc/empty").st_nlink, ==, 1);
	assert_content(world.lower, "link", "content");
}

static void
test_abilities(void)
{
	g_auto(CamMountAbilities) abilities = { 0 };
	g_autofree char *top = g_dir_make_tmp("cam-probe-XXXXXX", NULL);

	if (!fixture_enter_mount_namespace()) {
		g_rmdir(top);
		return;
	}
	gint64 start = g_get_monotonic_time();
	cam_mount_find_abilities(top, &abilities);
	g_test_message("erofs %d loop %d data %d in %" G_GINT64_FORMAT " us: %s", abilities.erofs,
		       abilities.loop, abilities.data, g_get_monotonic_time() - start,
		       abilities.problem);
	g_assert_true((abilities.data == CAM_DATA_NONE) == (abilities.problem != NULL));
	g_assert_cmpint(g_rmdir(top), ==, 0); /* nothing is left in it */
}

static void
test_abilities_denied(void)
{
	g_auto(CamMountAbilities) abilities = { 0 };

	cam_mount_find_abilities("/nonexistent", &abilities);
	g_assert_false(abilities.erofs);
	g_assert_nonnull(strstr(abilities.problem, "/nonexistent"));
}

static void
test_sweep(void)
{
	g_autofree char *top = g_dir_make_tmp("cam-sweep-XXXXXX", NULL);
	g_autofree char *inside = fixture_make_dir(top, "in side\\n");
	g_autofree char *sibling = g_strconcat(top, "-sibling", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_mount_sweep("/nonexistent", &error));
	if (!fixture_enter_mount_namespace()) {
		g_rmdir(inside);
		g_rmdir(top);
		return;
	}
	g_mkdir(sibling, 0755);
	g_assert_cmpint(mount("none", sibling, "tmpfs", 0, NULL), ==, 0);
	g_assert_cmpint(mount("none", inside, "tmpfs", 0, NULL), ==, 0);
	g_autofree char *deeper = fixture_make_dir(inside, "deeper");
	g_assert_cmpint(mount("none", deeper, "tmpfs", 0, NULL), ==, 0);
	g_auto(CamFd) busy = open(deeper, O_RDONLY | O_CLOEXEC);
	g_assert_true(cam_mount_sweep(top, &error));
	g_assert_no_error(error);
	g_assert_cmpint(g_rmdir(inside), ==, 0);
	g_assert_cmpint(g_rmdir(top), ==, 0);
	g_assert_cmpint(umount2(sibling, 0), ==, 0); /* was left alone */
	g_rmdir(sibling);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/overlay/read-only/ordinary", GINT_TO_POINTER(CAM_DATA_ORDINARY),
			     test_read_only);
	g_test_add_data_func("/overlay/read-only/metacopy", GINT_TO_POINTER(CAM_DATA_METACOPY),
			     test_read_only);
	g_test_add_data_func("/overlay/read-only/free", GINT_TO_POINTER(CAM_DATA_FREE),
			     test_read_only);
	g_test_add_data_func("/overlay/writable/direct", GINT_TO_POINTER(FALSE), test_writable);
	g_test_add_data_func("/overlay/writable/stacked", GINT_TO_POINTER(TRUE), test_writable);
	g_test_add_func("/overlay/objects-untouched", test_objects_untouched);
	g_test_add_func("/checkout/bind", test_checkout);
	g_test_add_func("/checkout/links", test_checkout_links);
	g_test_add_func("/mount/abilities", test_abilities);
	g_test_add_func("/mount/abilities-denied", test_abilities_denied);
	g_test_add_func("/mount/sweep", test_sweep);
	return g_test_run();
}
