/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layer tars: that the bytes depend on the changes alone, and that GNU tar and libarchive read
 * what was meant.
 */
#include "rebuild/layer/layer-writer.h"

#include <string.h>

#define EPOCH 1700000000

static CamRootfs *
make_lower(void)
{
	CamMemoryRootfs *lower = cam_memory_rootfs_new();
	CamStat directory = { .type = CAM_NODE_DIRECTORY, .mode = 02711, .uid = 7, .gid = 8 };

	cam_memory_rootfs_add(lower, "var/lib", &directory, NULL);
	cam_memory_rootfs_add_file(lower, "var/lib/old", "old", -1, 0644);
	cam_memory_rootfs_add_file(lower, "var/lib/tree/a", "a", -1, 0644);
	cam_memory_rootfs_add_file(lower, "var/lib/tree/b", "b", -1, 0644);
	cam_memory_rootfs_add_file(lower, "usr/bin/tool", "tool", -1, 0755);
	cam_memory_rootfs_add_symlink(lower, "bin", "usr/bin");
	return CAM_ROOTFS(lower);
}

static gint64
lower_mtime(const char *path, gpointer user_data)
{
	return g_str_equal(path, "var/lib") ? 1600000000 : -1;
}

static CamLayerTar *
make_tar(void)
{
	g_autoptr(CamRootfs) lower = make_lower();

	return cam_layer_tar_new(lower, lower_mtime, NULL, EPOCH);
}

static GInputStream *
open_text(const char *path, gpointer user_data, GError **error)
{
	return g_memory_input_stream_new_from_data(user_data, (gssize) strlen(user_data), NULL);
}

static void
add_text(CamLayerTar *tar, const char *path, const char *text)
{
	CamStat stat = { .type = CAM_NODE_REGULAR, .mode = 0644, .size = strlen(text) };

	cam_layer_tar_add(tar, path, &stat, 1650000000, open_text, (gpointer) text);
}

static void
add_node(CamLayerTar *tar, const char *path, CamNodeType type, guint32 mode)
{
	CamStat stat = { .type = type, .mode = mode };

	cam_layer_tar_add(tar, path, &stat, 1650000000, NULL, NULL);
}

static GBytes *
write_tar(CamLayerTar *tar)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;

	cam_layer_tar_write(tar, out, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_output_stream_close(out, NULL, NULL));
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static void
assert_refused(CamLayerTar *tar, CamError code, const char *part)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_layer_tar_write(tar, out, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) code);
	g_assert_nonnull(strstr(error->message, part));
}

/* What GNU tar says that the bytes hold; it must have nothing to complain about. */
static char *
list_tar(GBytes *bytes)
{
	const char *argv[] = { "tar",	      "--list",
			       "--verbose",   "--numeric-owner",
			       "--full-time", "--quoting-style=escape",
			       "--file=-",    NULL };
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
		G_SUBPROCESS_FLAGS_STDERR_MERGE);
	g_autoptr(GSubprocess) process = NULL;
	g_autoptr(GBytes) listing = NULL;
	g_autoptr(GError) error = NULL;

	g_subprocess_launcher_setenv(launcher, "TZ", "UTC", TRUE);
	g_subprocess_launcher_setenv(launcher, "LC_ALL", "C", TRUE);
	process = g_subprocess_launcher_spawnv(launcher, argv, &error);
	g_assert_no_error(error);
	g_subprocess_communicate(process, bytes, NULL, &listing, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_subprocess_get_successful(process));
	return g_strndup(g_bytes_get_data(listing, NULL), g_bytes_get_size(listing));
}

/* ---- tests ---- */

static void
add_change(CamLayerTar *tar, guint i)
{
	CamStat capable = { .type = CAM_NODE_REGULAR, .mode = 0755 };
	g_autoptr(GVariant) xattrs = g_variant_ref_sink(g_variant_new_parsed(
		"[(b'user.b', @ay [0x00, 0x0a]), (b'security.selinux', @ay [0x31]),"
		" (b'trusted.overlay.opaque', @ay [0x79]), (b'user.overlay.origin', @ay [0x01]),"
		" (b'security.capability', @ay [0x01, 0x02])]"));

	switch (i) {
	case 0:
		add_text(tar, "usr/bin/tool", "new tool\n");
		break;
	case 1:
		add_text(tar, "/var/lib/x", "x");
		break;
	case 2:
		cam_layer_tar_add_whiteout(tar, "var/lib/old");
		break;
	case 3:
		cam_layer_tar_add_whiteout(tar, "var/lib/tree");
		break;
	case 4:
		cam_layer_tar_add_whiteout(tar, "var/lib/tree/a");
		break;
	case 5:
		add_node(tar, "var/lib/+dir/", CAM_NODE_DIRECTORY, 0700);
		break;
	case 6:
		cam_layer_tar_add_hardlink(tar, "usr/bin/alias", "usr/bin/tool");
		break;
	case 7:
		capable.xattrs = xattrs;
		cam_layer_tar_add(tar, "usr/bin/ping", &capable, EPOCH + 5, NULL, NULL);
		break;
	case 8:
		add_text(tar, "usr/bin-x", "");
		break;
	case 9:
		add_text(tar, "usr/gr\303\274n", "g");
		break;
	}
}
#define N_CHANGES 10

static void
test_golden(void)
{
	g_autoptr(CamLayerTar) tar = make_tar();
	g_autoptr(GBytes) bytes = NULL, again = NULL;
	g_autofree char *listing = NULL, *digest = NULL;

	for (guint i = 0; i < N_CHANGES; i++)
		add_change(tar, i);
	bytes = write_tar(tar);
	listing = list_tar(bytes);
	g_assert_cmpstr(listing, ==,
			"drwxr-xr-x 0/0               0 2023-11-14 22:13:20 usr/\n"
			"drwxr-xr-x 0/0               0 2023-11-14 22:13:20 usr/bin/\n"
			"-rw-r--r-- 0/0               9 2022-04-15 05:20:00 usr/bin/alias\n"
			"-rwxr-xr-x 0/0               0 2023-11-14 22:13:20 usr/bin/ping\n"
			"hrw-r--r-- 0/0               0 2022-04-15 05:20:00 usr/bin/tool link to "
			"usr/bin/alias\n"
			"-rw-r--r-- 0/0               0 2022-04-15 05:20:00 usr/bin-x\n"
			"-rw-r--r-- 0/0               1 2022-04-15 05:20:00 usr/gr\\303\\274n\n"
			"drwxr-xr-x 0/0               0 2023-11-14 22:13:20 var/\n"
			"drwx--s--x 7/8               0 2020-09-13 12:26:40 var/lib/\n"
			"---------- 0/0               0 1970-01-01 00:00:00 var/lib/.wh.old\n"
			"---------- 0/0               0 1970-01-01 00:00:00 var/lib/.wh.tree\n"
			"drwx------ 0/0               0 2022-04-15 05:20:00 var/lib/+dir/\n"
			"-rw-r--r-- 0/0               1 2022-04-15 05:20:00 var/lib/x\n");
	/* The digest names layers that exist: it may change only with a reason worth a release
	 * note. */
	digest = cam_digest_for_bytes(bytes);
	g_assert_cmpstr(digest, ==,
			"sha256:e72165ee3349516d4c031f29ba49e890b2e26c7e95a3d55042600953318c811f");
	again = write_tar(tar);
	g_assert_true(g_bytes_equal(bytes, again));
}

static void
test_order_independent(void)
{
	g_autoptr(GBytes) first = NULL;

	for (guint round = 0; round < 50; round++) {
		g_autoptr(CamLayerTar) tar = make_tar();
		g_autoptr(GBytes) bytes = NULL;
		guint order[N_CHANGES];

		for (guint i = 0; i < N_CHANGES; i++)
			order[i] = i;
		for (guint i = N_CHANGES - 1; i > 0 && round > 0; i--) {
			guint j = (guint) g_test_rand_int_range(0, (gint32) i + 1);
			guint swap = order[i];

			order[i] = order[j];
			order[j] = swap;
		}
		for (guint i = 0; i < N_CHANGES; i++)
			add_change(tar, order[i]);
		bytes = write_tar(tar);
		if (first == NULL)
			first = g_bytes_ref(bytes);
		g_assert_true(g_bytes_equal(first, bytes));
	}
}

static void
test_whiteouts(void)
{
	g_autoptr(CamLayerTar) tar = make_tar();
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *listing = NULL;

	g_assert_true(cam_layer_tar_is_empty(tar));
	/* not in the lower tree: says nothing, and brings no parent along */
	cam_layer_tar_add_whiteout(tar, "var/lib/never");
	cam_layer_tar_add_whiteout(tar, "opt/never/was");
	/* added and removed: added wins, in either order */
	add_text(tar, "usr/bin/tool", "t");
	cam_layer_tar_add_whiteout(tar, "usr/bin/tool");
	cam_layer_tar_add_whiteout(tar, "var/lib/old");
	add_text(tar, "var/lib/old", "new");
	/* a file in the place of a directory covers what was below */
	add_text(tar, "var/lib/tree", "now a file");
	cam_layer_tar_add_whiteout(tar, "var/lib/tree/a");
	g_assert_false(cam_layer_tar_is_empty(tar));
	bytes = write_tar(tar);
	listing = list_tar(bytes);
	g_assert_null(strstr(listing, ".wh."));
	g_assert_null(strstr(listing, "opt"));
	g_assert_nonnull(strstr(listing, " 3 2022-04-15 05:20:00 var/lib/old\n"));
}

static void
test_replaced_link(void)
{
	g_autoptr(CamLayerTar) tar = make_tar();
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *listing = NULL;

	add_node(tar, "bin", CAM_NODE_DIRECTORY, 0750);
	add_text(tar, "bin/sub/file", "x");
	bytes = write_tar(tar);
	listing = list_tar(bytes);
	g_assert_cmpstr(listing, ==,
			"drwxr-x--- 0/0               0 2022-04-15 05:20:00 bin/\n"
			"drwxr-xr-x 0/0               0 2023-11-14 22:13:20 bin/sub/\n"
			"-rw-r--r-- 0/0               1 2022-04-15 05:20:00 bin/sub/file\n");
}

static void
test_node_types(void)
{
	g_autoptr(CamLayerTar) tar = make_tar();
	CamStat device = {
		.type = CAM_NODE_CHARACTER, .mode = 0620, .rdev_major = 5, .rdev_minor = 1
	};
	CamStat link = { .type = CAM_NODE_SYMLINK, .mode = 0777, .link_target = (char *) "/etc/x" };
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *listing = NULL;

	add_node(tar, "", CAM_NODE_DIRECTORY, 0700);
	cam_layer_tar_add(tar, "dev/console", &device, 1, NULL, NULL);
	device.type = CAM_NODE_BLOCK;
	cam_layer_tar_add(tar, "dev/disk", &device, 1, NULL, NULL);
	cam_layer_tar_add(tar, "link", &link, -5, NULL, NULL);
	cam_layer_tar_add_hardlink(tar, "same-link", "link");
	add_node(tar, "pipe", CAM_NODE_FIFO, 04600);
	bytes = write_tar(tar);
	listing = list_tar(bytes);
	g_assert_cmpstr(listing, ==,
			"drwx------ 0/0               0 2022-04-15 05:20:00 ./\n"
			"drwxr-xr-x 0/0               0 2023-11-14 22:13:20 dev/\n"
			"crw--w---- 0/0             5,1 1970-01-01 00:00:01 dev/console\n"
			"brw--w---- 0/0             5,1 1970-01-01 00:00:01 dev/disk\n"
			"lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 link -> /etc/x\n"
			"prwS------ 0/0               0 2022-04-15 05:20:00 pipe\n"
			"lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 same-link -> /etc/x\n");
}

/* Long, split, non-ASCII and non-UTF-8 names, as paths and as link targets. */
static void
test_names(void)
{
	g_autofree char *part = g_strnfill(90, 'n');
	g_autofree char *split = g_strdup_printf("%s/%s", part, part);
	g_autofree char *deep = g_strdup_printf("d%s/%s/%s", part, part, part);
	g_autofree char *wide = g_strnfill(200, 'w');
	g_autofree char *binary = g_strdup_printf("\377%s", wide);
	const char *const names[] = { split,	  deep,	     wide,	   binary,
				      "\302\265", "\300raw", "line\nbreak" };
	g_autoptr(CamLayerTar) tar = make_tar();
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(CamArchive) archive = NULL;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GError) error = NULL;
	const CamArchiveEntry *entry;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *link = g_strdup_printf("links/%u", i);
		CamStat stat = { .type = CAM_NODE_SYMLINK,
				 .mode = 0777,
				 .link_target = (char *) names[i] };

		add_text(tar, names[i], "x");
		cam_layer_tar_add(tar, link, &stat, 1, NULL, NULL);
	}
	bytes = write_tar(tar);
	stream = g_memory_input_stream_new_from_bytes(bytes);
	archive = cam_archive_open_stream(stream, &error);
	g_assert_no_error(error);
	while ((entry = cam_archive_next(archive, NULL, &error)) != NULL) {
		if (entry->type != CAM_ARCHIVE_DIRECTORY)
			g_assert_true(g_hash_table_add(seen, g_strdup(entry->path)));
		if (entry->type == CAM_ARCHIVE_SYMLINK)
			g_hash_table_add(seen, g_strconcat("-> ", entry->link_target, NULL));
	}
	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *target = g_strconcat("-> ", names[i], NULL);

		g_assert_true(g_hash_table_contains(seen, names[i]));
		g_assert_true(g_hash_table_contains(seen, target));
	}
	g_assert_cmpuint(g_hash_table_size(seen), ==, 3 * G_N_ELEMENTS(names));
}

static void
test_hardlinks(void)
{
	g_autoptr(CamLayerTar) tar = make_tar();
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *listing = NULL;

	cam_layer_tar_add_hardlink(tar, "a", "m");
	cam_layer_tar_add_hardlink(tar, "z", "a");
	add_text(tar, "m", "content");
	bytes = write_tar(tar);
	listing = list_tar(bytes);
	g_assert_cmpstr(listing, ==,
			"-rw-r--r-- 0/0               7 2022-04-15 05:20:00 a\n"
			"hrw-r--r-- 0/0               0 2022-04-15 05:20:00 m link to a\n"
			"hrw-r--r-- 0/0               0 2022-04-15 05:20:00 z link to a\n");
}

static void
test_bad_hardlinks(void)
{
	g_autoptr(CamLayerTar) nothing = make_tar();
	g_autoptr(CamLayerTar) cycle = make_tar();
	g_autoptr(CamLayerTar) directory = make_tar();

	cam_layer_tar_add_hardlink(nothing, "a", "usr/bin/tool");
	assert_refused(nothing, CAM_ERROR_INVALID_ARGUMENT, "leads to nothing");
	cam_layer_tar_add_hardlink(cycle, "a", "b");
	cam_layer_tar_add_hardlink(cycle, "b", "a");
	assert_refused(cycle, CAM_ERROR_INVALID_ARGUMENT, "leads to nothing");
	add_node(directory, "d", CAM_NODE_DIRECTORY, 0755);
	cam_layer_tar_add_hardlink(directory, "a", "d");
	assert_refused(directory, CAM_ERROR_INVALID_ARGUMENT, "leads to nothing");
}

static void
test_bad_paths(void)
{
	static const struct {
		const char *path;
		const char *message;
	} cases[] = {
		{ "a/../b", "not a plain path" },   { "..", "not a plain path" },
		{ "a//b", "not a plain path" },	    { "a/./b", "not a plain path" },
		{ "etc/.wh.passwd", "a whiteout" }, { ".wh..wh..opq", "a whiteout" },
		{ "bin/tool", "no directory" },	    { "usr/bin/tool/x", "no directory" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamLayerTar) tar = make_tar();

		add_text(tar, cases[i].path, "x");
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, cases[i].message);
	}
}

static void
test_contradictions(void)
{
	g_autoptr(CamLayerTar) removed = make_tar();
	g_autoptr(CamLayerTar) below_file = make_tar();
	g_autoptr(CamLayerTar) root = make_tar();

	cam_layer_tar_add_whiteout(removed, "var/lib");
	add_text(removed, "var/lib/x", "x");
	assert_refused(removed, CAM_ERROR_INVALID_ARGUMENT, "replaces or removes");
	add_text(below_file, "f", "x");
	add_text(below_file, "f/x", "x");
	assert_refused(below_file, CAM_ERROR_INVALID_ARGUMENT, "replaces or removes");
	cam_layer_tar_add_whiteout(root, "/");
	assert_refused(root, CAM_ERROR_INVALID_ARGUMENT, "root");
}

static GInputStream *
open_nothing(const char *path, gpointer user_data, GError **error)
{
	cam_set_error(error, CAM_ERROR_NOT_FOUND, "%s is gone", path);
	return NULL;
}

static void
test_content_changed(void)
{
	static const guint64 sizes[] = { 3, 5, 600 };
	g_autoptr(CamLayerTar) gone = make_tar();
	CamStat stat = { .type = CAM_NODE_REGULAR, .size = 1 };

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(CamLayerTar) tar = make_tar();

		stat.size = sizes[i];
		cam_layer_tar_add(tar, "f", &stat, 0, open_text, (gpointer) "four");
		assert_refused(tar, CAM_ERROR_DATA_LOSS, "changed its size");
	}
	cam_layer_tar_add(gone, "f", &stat, 0, open_nothing, NULL);
	assert_refused(gone, CAM_ERROR_NOT_FOUND, "f is gone");
}

static void
count_free(gpointer data)
{
	++*(guint *) data;
}

static void
test_keep(void)
{
	guint freed = 0;
	CamLayerTar *tar = make_tar();

	cam_layer_tar_keep(tar, &freed, count_free);
	g_assert_cmpuint(freed, ==, 0);
	cam_layer_tar_free(tar);
	g_assert_cmpuint(freed, ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layer-writer/golden", test_golden);
	g_test_add_func("/layer-writer/order-independent", test_order_independent);
	g_test_add_func("/layer-writer/whiteouts", test_whiteouts);
	g_test_add_func("/layer-writer/replaced-link", test_replaced_link);
	g_test_add_func("/layer-writer/node-types", test_node_types);
	g_test_add_func("/layer-writer/names", test_names);
	g_test_add_func("/layer-writer/hardlinks", test_hardlinks);
	g_test_add_func("/layer-writer/bad-hardlinks", test_bad_hardlinks);
	g_test_add_func("/layer-writer/bad-paths", test_bad_paths);
	g_test_add_func("/layer-writer/contradictions", test_contradictions);
	g_test_add_func("/layer-writer/content-changed", test_content_changed);
	g_test_add_func("/layer-writer/keep", test_keep);
	return g_test_run();
}
