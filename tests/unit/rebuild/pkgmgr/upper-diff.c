/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a changed mount becomes as a layer. The mount is imitated: "upper" holds the names that
 * overlayfs would, "merged" what one would see.
 */
#include "rebuild/pkgmgr/upper-diff.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

typedef struct {
	char *top;
	CamFd upper, merged;
	CamMemoryRootfs *lower;
	const GPtrArray *masks;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *upper = NULL, *merged = NULL;

	f->top = g_dir_make_tmp("cambium-diff-XXXXXX", &error);
	g_assert_no_error(error);
	upper = g_build_filename(f->top, "upper", NULL);
	merged = g_build_filename(f->top, "merged", NULL);
	g_assert_cmpint(mkdir(upper, 0755), ==, 0);
	g_assert_cmpint(mkdir(merged, 0755), ==, 0);
	f->upper = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->merged = open(merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->lower = cam_memory_rootfs_new();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	cam_fd_close(f->upper);
	cam_fd_close(f->merged);
	g_clear_object(&f->lower);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->top, NULL));
	g_free(f->top);
}

static CamStat
own_stat(CamNodeType type, guint32 mode, gsize size)
{
	CamStat stat = {
		.type = type, .mode = mode, .uid = getuid(), .gid = getgid(), .size = size
	};

	return stat;
}

static void
lower_file(Fixture *f, const char *path, const char *content)
{
	g_autoptr(GBytes) bytes = g_bytes_new(content, strlen(content));
	CamStat stat = own_stat(CAM_NODE_REGULAR, 0644, strlen(content));

	cam_memory_rootfs_add(f->lower, path, &stat, bytes);
}

static void
lower_directory(Fixture *f, const char *path)
{
	CamStat stat = own_stat(CAM_NODE_DIRECTORY, 0755, 0);

	cam_memory_rootfs_add(f->lower, path, &stat, NULL);
}

static void
make_parents(int top, const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);

	if (!g_str_equal(parent, "."))
		g_assert_true(cam_mkdirs_at(top, parent, 0755, NULL));
}

static void
write_at(int top, const char *path, const char *content)
{
	make_parents(top, path);

	g_auto(CamFd) fd = openat(top, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	g_assert_cmpint(fd, >=, 0);
	g_assert_true(cam_write_all(fd, content, strlen(content), NULL));
}

/* A file that was written through the mount. */
static void
put(Fixture *f, const char *path, const char *content)
{
	write_at(f->upper, path, content);
	write_at(f->merged, path, content);
}

/* A name that overlayfs remembers as removed: what it looks like does not matter. */
static void
remove_path(Fixture *f, const char *path)
{
	write_at(f->upper, path, "");
}

static char *
diff_with(Fixture *f, const char *const *made)
{
	g_autoptr(CamLayerTar) tar = cam_layer_tar_new(CAM_ROOTFS(f->lower), NULL, NULL, 1000);
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GString) list = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	cam_upper_diff(f->upper, f->merged, CAM_ROOTFS(f->lower), made, f->masks, tar, NULL,
		       &error);
	g_assert_no_error(error);
	cam_layer_tar_write(tar, out, NULL, &error);
	g_assert_no_error(error);
	g_output_stream_close(out, NULL, NULL);

	g_autoptr(GBytes) bytes =
		g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
	g_autoptr(GInputStream) in = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(CamArchive) archive = cam_archive_open_stream(in, &error);
	const CamArchiveEntry *entry;

	g_assert_no_error(error);
	while ((entry = cam_archive_next(archive, NULL, &error)))
		if (entry->type != CAM_ARCHIVE_DIRECTORY)
			g_string_append_printf(list, "%s%s%s\n", entry->path,
					       entry->link_target ? " = " : "",
					       entry->link_target ? entry->link_target : "");
	g_assert_no_error(error);
	return g_string_free(g_steal_pointer(&list), FALSE);
}

static void
assert_layer(Fixture *f, const char *expected)
{
	g_autofree char *layer = diff_with(f, NULL);

	g_assert_cmpstr(layer, ==, expected);
}

static void
test_changes(Fixture *f, gconstpointer data)
{
	lower_file(f, "usr/same", "same");
	lower_file(f, "usr/changed", "before");
	lower_file(f, "usr/gone", "x");
	lower_file(f, "usr/untouched", "x");
	put(f, "usr/same", "same"); /* rewritten as it was */
	put(f, "usr/changed", "after!");
	put(f, "usr/new", "new");
	put(f, "var/log/dpkg.log", "noise");
	remove_path(f, "usr/gone");
	remove_path(f, "usr/never-was");
	assert_layer(f, "usr/.wh.gone\nusr/changed\nusr/new\n");
}

static void
test_made(Fixture *f, gconstpointer data)
{
	static const char *const made[] = { "usr/sbin/policy-rc.d", NULL };
	g_autofree char *layer = NULL;

	lower_file(f, "usr/sbin/x", "x");
	put(f, "usr/sbin/policy-rc.d", "");
	layer = diff_with(f, made);
	g_assert_cmpstr(layer, ==, "");
}

/* A file that was written for the time of the run is none of the layer's, unless it changed. */
static void
test_masks(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) content = g_bytes_new_static("masked", 6);
	CamDpkgMask one = { (char *) "etc/one", 0644, content },
		    two = { (char *) "etc/two", 0644, content };
	g_autoptr(GPtrArray) masks = g_ptr_array_new();

	g_ptr_array_add(masks, &one);
	g_ptr_array_add(masks, &two);
	f->masks = masks;
	lower_file(f, "etc/one", "the image's");
	lower_file(f, "etc/two", "the image's");
	put(f, "etc/one", "masked");
	put(f, "etc/two", "masked, then replaced by an upgrade");
	assert_layer(f, "etc/two\n");
}

/* What an opaque directory hides is removed, one by one. */
static void
test_opaque(Fixture *f, gconstpointer data)
{
	lower_directory(f, "dir");
	lower_file(f, "dir/kept", "kept");
	lower_file(f, "dir/hidden", "x");
	lower_file(f, "dir/sub/hidden", "x");
	put(f, "dir/kept", "kept");
	put(f, "dir/new", "new");

	g_auto(CamFd) dir = openat(f->upper, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0) < 0) {
		g_test_skip("needs root on a file system with trusted attributes");
		return;
	}
	assert_layer(f, "dir/.wh.hidden\ndir/.wh.sub\ndir/new\n");
}

/* Two names of one file stay so, also when one of them is as it was. */
static void
test_hard_links(Fixture *f, gconstpointer data)
{
	lower_file(f, "bin/a", "new content");
	lower_file(f, "bin/b", "old content");
	put(f, "bin/a", "new content");
	write_at(f->upper, "bin/b", "");
	g_assert_cmpint(linkat(f->merged, "bin/a", f->merged, "bin/b", 0), ==, 0);
	assert_layer(f, "bin/a\nbin/b = bin/a\n");
}

static void
test_pyc(Fixture *f, gconstpointer data)
{
	lower_file(f, "py/same.py", "1");
	lower_file(f, "py/__pycache__/same.cpython-311.pyc", "old");
	lower_file(f, "py/changed.py", "1");
	lower_file(f, "py/__pycache__/changed.cpython-311.pyc", "old");
	put(f, "py/same.py", "1");
	put(f, "py/__pycache__/same.cpython-311.pyc", "new");
	put(f, "py/changed.py", "2");
	put(f, "py/__pycache__/changed.cpython-311.pyc", "new");
	put(f, "py/__pycache__/sourceless.cpython-311.pyc", "new");
	assert_layer(f, "py/__pycache__/changed.cpython-311.pyc\n"
			"py/__pycache__/sourceless.cpython-311.pyc\n"
			"py/changed.py\n");
}

/* Links that lead out, FIFOs and sockets in place of files: nothing is followed, nothing hangs. */
static void
test_hostile(Fixture *f, gconstpointer data)
{
	lower_file(f, "etc/passwd", "root");
	lower_directory(f, "usr");
	g_assert_true(cam_mkdirs_at(f->upper, "etc", 0755, NULL));
	g_assert_true(cam_mkdirs_at(f->merged, "etc", 0755, NULL));
	g_assert_cmpint(symlinkat("/etc/shadow", f->upper, "etc/passwd"), ==, 0);
	g_assert_cmpint(symlinkat("/etc/shadow", f->merged, "etc/passwd"), ==, 0);
	g_assert_cmpint(mkfifoat(f->upper, "etc/fifo", 0644), ==, 0);
	g_assert_cmpint(mkfifoat(f->merged, "etc/fifo", 0644), ==, 0);
	/* a directory that became a link: nothing is walked through it */
	g_assert_cmpint(symlinkat("/", f->upper, "usr"), ==, 0);
	g_assert_cmpint(symlinkat("/", f->merged, "usr"), ==, 0);
	assert_layer(f, "etc/fifo\netc/passwd = /etc/shadow\nusr = /\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define TEST(name, function) \
	g_test_add("/pkgmgr/upper-diff/" name, Fixture, NULL, set_up, function, tear_down)
	TEST("changes", test_changes);
	TEST("made", test_made);
	TEST("masks", test_masks);
	TEST("opaque", test_opaque);
	TEST("hard-links", test_hard_links);
	TEST("pyc", test_pyc);
	TEST("hostile", test_hostile);
	return g_test_run();
}
