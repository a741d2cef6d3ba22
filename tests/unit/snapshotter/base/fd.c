/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of confined opening and durable files. */
#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char *path;
	int dirfd;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->path = g_dir_make_tmp("cambium-fd-XXXXXX", &error);
	g_assert_no_error(error);
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(f->dirfd, >=, 0);
	g_assert_true(cam_mkdirs_at(f->dirfd, "root/a/b", 0755, &error));
	g_assert_no_error(error);
	g_assert_cmpint(symlinkat("/a", f->dirfd, "root/absolute"), ==, 0);
	g_assert_cmpint(symlinkat("../outside", f->dirfd, "root/out"), ==, 0);
	g_autoptr(GBytes) text = g_bytes_new_static("secret", 6);
	g_assert_true(cam_write_file_at(f->dirfd, "outside", text, 0600, &error));
	g_assert_true(cam_write_file_at(f->dirfd, "root/a/b/file", text, 0640, &error));
	g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->path, &error));
	g_assert_no_error(error);
	g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
	close(f->dirfd);
	g_free(f->path);
}

static void
test_confined(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamFd) root = openat(f->dirfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_auto(CamFd) fd = cam_openat_beneath(root, "a/b/file", O_RDONLY, 0, &error);

	g_assert_no_error(error);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(cam_openat_beneath(root, "../outside", O_RDONLY, 0, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);
	g_assert_cmpint(cam_openat_beneath(root, "out", O_RDONLY, 0, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);
	g_assert_cmpint(cam_openat_beneath(root, "absolute/b/file", O_RDONLY, 0, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);

	g_auto(CamFd) inside = cam_openat_in_root(root, "absolute/b/file", O_RDONLY, 0, &error);
	g_assert_no_error(error);
	g_assert_cmpint(inside, >=, 0);
	g_assert_cmpint(cam_openat_in_root(root, "out", O_RDONLY, 0, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_read(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) all = cam_read_file_at(f->dirfd, "outside", 6, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(all, NULL), g_bytes_get_size(all), "secret", 6);
	g_assert_null(cam_read_file_at(f->dirfd, "outside", 5, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);
	g_assert_null(cam_read_file_at(f->dirfd, "nothing", 5, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

/* What is no regular file is refused at once: opening a FIFO must not wait for a writer. */
static void
test_only_regular(Fixture *f, gconstpointer data)
{
	static const char *const paths[] = { "fifo", "socket", "root", "to-fifo", "device" };
	int (*const functions[])(int, const char *, GError **) = { cam_open_regular_at,
								   cam_open_regular_beneath,
								   cam_open_regular_in_root };
	g_auto(CamFd) file = cam_open_regular_beneath(f->dirfd, "root/a/b/file", NULL);

	g_assert_cmpint(file, >=, 0);
	g_assert_cmpint(mkfifoat(f->dirfd, "fifo", 0600), ==, 0);
	g_assert_cmpint(mknodat(f->dirfd, "socket", S_IFSOCK | 0600, 0), ==, 0);
	g_assert_cmpint(symlinkat("fifo", f->dirfd, "to-fifo"), ==, 0);
	g_assert_cmpint(symlinkat("/dev/zero", f->dirfd, "device"), ==, 0);
	alarm(20); /* a call that waits ends the test */
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;

		for (gsize j = 0; j < G_N_ELEMENTS(functions); j++) {
			g_assert_cmpint(functions[j](f->dirfd, paths[i], &error), ==, -1);
			g_assert_nonnull(error);
			g_clear_error(&error);
		}
		g_assert_null(cam_read_file_at(f->dirfd, paths[i], 100, &error));
		g_assert_nonnull(error);
	}
	alarm(0);
}

static void
test_write(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) text = g_bytes_new_static("new", 3);
	struct stat st;

	g_assert_true(cam_write_file_at(f->dirfd, "root/a/b/file", text, 0664, &error));
	g_assert_no_error(error);
	g_assert_cmpint(fstatat(f->dirfd, "root/a/b/file", &st, 0), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0664);
	g_assert_cmpint(st.st_size, ==, 3);
	g_assert_false(cam_write_file_at(f->dirfd, "root/a", text, 0664, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_false(cam_write_file_at(f->dirfd, "none/a", text, 0664, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);

	/* Failed attempts leave nothing behind. */
	g_autoptr(GDir) dir = NULL;
	g_autofree char *root = g_build_filename(f->path, "root", NULL);
	guint n = 0;
	dir = g_dir_open(root, 0, NULL);
	while (g_dir_read_name(dir) != NULL)
		n++;
	g_assert_cmpuint(n, ==, 3);
}

static void
test_mkdirs(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_mkdirs_at(f->dirfd, "x//y/z/", 0755, &error));
	g_assert_no_error(error);
	g_assert_true(cam_mkdirs_at(f->dirfd, "x/y", 0755, &error));
	g_assert_no_error(error);
	g_assert_cmpint(faccessat(f->dirfd, "x/y/z", X_OK, 0), ==, 0);
	g_assert_false(cam_mkdirs_at(f->dirfd, "outside", 0755, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_false(cam_mkdirs_at(f->dirfd, "outside/x", 0755, &error));
	g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)
	ADD("/base/fd/confined", test_confined);
	ADD("/base/fd/read", test_read);
	ADD("/base/fd/only-regular", test_only_regular);
	ADD("/base/fd/write", test_write);
	ADD("/base/fd/mkdirs", test_mkdirs);
	return g_test_run();
}
