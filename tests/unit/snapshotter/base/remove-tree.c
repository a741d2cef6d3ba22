/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of the removal of trees that others made: deep, wide, shut, protected, mounted upon. */
#include "snapshotter/base/remove-tree.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/snapshots/disk-usage.h"

#define NOBODY 65534

typedef struct {
	char *path;
	int dirfd;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->path = g_dir_make_tmp("cambium-remove-XXXXXX", &error);
	g_assert_no_error(error);
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_true(cam_mkdirs_at(f->dirfd, "tree/a/b", 0755, &error));
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
touch(int dirfd, const char *name)
{
	g_auto(CamFd) fd = openat(dirfd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
}

static gboolean
exists(Fixture *f, const char *path)
{
	return faccessat(f->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
assert_removed(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_remove_tree_at(f->dirfd, "tree", &error));
	g_assert_no_error(error);
	g_assert_false(exists(f, "tree"));
}

/* @depth nested directories, each with a file. */
static void
make_deep(Fixture *f, guint depth, const char *name)
{
	int fd = openat(f->dirfd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (guint i = 0; i < depth; i++) {
		int next;

		g_assert_cmpint(mkdirat(fd, name, 0755), ==, 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		g_assert_cmpint(next, >=, 0);
		close(fd);
		fd = next;
		if (i % 100 == 0)
			touch(fd, "file");
	}
	close(fd);
}

static void
limit_descriptors(struct rlimit *before)
{
	struct rlimit few;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, before), ==, 0);
	few = *before;
	few.rlim_cur = 64;
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
}

static void
test_deep(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct rlimit before;
	char longest[256];
	guint64 size, inodes;

	memset(longest, 'n', 255);
	longest[255] = '\0';
	make_deep(f, 6500, "d");
	make_deep(f, 300, longest);
	limit_descriptors(&before);
	g_assert_true(cam_disk_usage(f->dirfd, "tree", &size, &inodes, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(inodes, ==, 3 + 6500 + 65 + 300 + 3);
	assert_removed(f);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
}

static void
test_wide(Fixture *f, gconstpointer data)
{
	for (guint i = 0; i < 4200; i++) {
		g_autofree char *name = g_strdup_printf("tree/a/%u", i);

		g_assert_cmpint(mkdirat(f->dirfd, name, 0755), ==, 0);
	}
	assert_removed(f);
}

static void
test_follows_nothing(Fixture *f, gconstpointer data)
{
	touch(f->dirfd, "outside");
	g_assert_cmpint(mkdirat(f->dirfd, "folder", 0755), ==, 0);
	touch(f->dirfd, "folder/file");
	g_assert_cmpint(symlinkat("../../outside", f->dirfd, "tree/a/link"), ==, 0);
	g_assert_cmpint(symlinkat("../../folder", f->dirfd, "tree/a/directory"), ==, 0);
	g_assert_cmpint(mkfifoat(f->dirfd, "tree/a/fifo", 0600), ==, 0);
	assert_removed(f);
	/* What is absent is no error, whatever is missing of its path. */
	assert_removed(f);
	g_assert_true(cam_remove_tree_at(f->dirfd, "none/at/all", NULL));
	g_assert_true(exists(f, "outside") && exists(f, "folder/file"));
	g_assert_cmpint(symlinkat("folder", f->dirfd, "alias"), ==, 0);
	g_assert_true(cam_remove_tree_at(f->dirfd, "alias", NULL));
	g_assert_true(exists(f, "folder/file") && !exists(f, "alias"));
}

/* Runs @check in a process of its own, as an ordinary user if @uid is set; TRUE if it returned 0.
 */
static gboolean
run_apart(Fixture *f, int (*check)(Fixture *), uid_t uid)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0))
			_exit(99);
		_exit(check(f));
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int
remove_shut(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	if (cam_mkdirs_at(f->dirfd, "tree/x/y/z", 0755, NULL) &&
	    symlinkat("../../../victim", f->dirfd, "tree/x/y/link") == 0 &&
	    fchmodat(f->dirfd, "tree/x/y/z", 0000, 0) == 0 &&
	    fchmodat(f->dirfd, "tree/x/y", 0000, 0) == 0 &&
	    fchmodat(f->dirfd, "tree/x", 0500, 0) == 0 &&
	    cam_remove_tree_at(f->dirfd, "tree/x", &error))
		return exists(f, "tree/x");
	return 2;
}

static void
test_shut(Fixture *f, gconstpointer data)
{
	struct stat st;

	if (geteuid() == 0) {
		g_assert_cmpint(fchmodat(f->dirfd, ".", 0755, 0), ==, 0);
		g_assert_cmpint(fchmodat(f->dirfd, "tree", 0777, 0), ==, 0);
	}
	g_assert_cmpint(mkdirat(f->dirfd, "victim", 0710), ==, 0);
	g_assert_true(run_apart(f, remove_shut, geteuid() == 0 ? NOBODY : 0));
	/* Nothing outside is opened up. */
	g_assert_cmpint(fstatat(f->dirfd, "victim", &st, 0), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0710);
}

static gboolean
protect(Fixture *f, const char *path, int flag)
{
	g_auto(CamFd) fd = openat(f->dirfd, path, O_RDONLY | O_CLOEXEC);
	int flags;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	       (flags |= flag, ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
}

static void
test_protected(Fixture *f, gconstpointer data)
{
	touch(f->dirfd, "tree/a/file");
	touch(f->dirfd, "tree/a/b/log");
	if (!protect(f, "tree/a/file", FS_IMMUTABLE_FL) ||
	    !protect(f, "tree/a/b/log", FS_APPEND_FL) || !protect(f, "tree/a/b", FS_IMMUTABLE_FL) ||
	    !protect(f, "tree/a", FS_APPEND_FL)) {
		g_test_skip("attributes cannot be set here");
		return;
	}
	assert_removed(f);
}

/* What is mounted stays, and what shows it; all else goes. */
static int
remove_mounted(Fixture *f)
{
	g_autofree char *folder = g_build_filename(f->path, "folder", NULL);
	g_autofree char *place = g_build_filename(f->path, "tree", "a", "b", NULL);
	g_autoptr(GError) error = NULL;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(folder, place, NULL, MS_BIND, NULL) != 0)
		return 0;
	if (cam_remove_tree_at(f->dirfd, "tree", &error) || error == NULL)
		return 1;
	return !exists(f, "folder/file") || exists(f, "tree/c") || !exists(f, "tree/a/b");
}

static void
test_mounted(Fixture *f, gconstpointer data)
{
	g_assert_cmpint(mkdirat(f->dirfd, "folder", 0755), ==, 0);
	touch(f->dirfd, "folder/file");
	g_assert_true(cam_mkdirs_at(f->dirfd, "tree/c/d", 0755, NULL));
	touch(f->dirfd, "tree/c/file");
	g_assert_true(run_apart(f, remove_mounted, 0));
	g_assert_true(exists(f, "folder/file"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)
	ADD("/remove-tree/deep", test_deep);
	ADD("/remove-tree/wide", test_wide);
	ADD("/remove-tree/follows-nothing", test_follows_nothing);
	ADD("/remove-tree/shut", test_shut);
	ADD("/remove-tree/protected", test_protected);
	ADD("/remove-tree/mounted", test_mounted);
	return g_test_run();
}
