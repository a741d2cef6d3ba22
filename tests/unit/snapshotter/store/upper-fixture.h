/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Upper directories beside a temporary store, made by hand or by a real overlay. */
#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "layer-fixture.h"
#include "snapshotter/store/upper-layer.h"

typedef struct {
	char *path;
	CamFd fd;
} Upper;

static G_GNUC_UNUSED void
upper_clear(Upper *self)
{
	cam_fd_close(self->fd);
	g_free(self->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Upper, upper_clear)

/* A new, empty directory on the store's file system. */
static G_GNUC_UNUSED Upper
upper_new(TemporaryStore *store, const char *name)
{
	Upper self = { .path = g_build_filename(store->path, name, NULL) };

	g_assert_cmpint(g_mkdir(self.path, 0755), ==, 0);
	g_assert_cmpint(chmod(self.path, 0755), ==, 0);
	self.fd = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(self.fd, >=, 0);
	return self;
}

static G_GNUC_UNUSED void
make_file(int dirfd, const char *path, const char *content, guint mode)
{
	g_auto(CamFd) fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	g_assert_true(cam_write_all(fd, content, strlen(content), NULL));
	g_assert_cmpint(fchmod(fd, mode), ==, 0);
}

static G_GNUC_UNUSED void
make_directory(int dirfd, const char *path, guint mode)
{
	g_assert_cmpint(mkdirat(dirfd, path, 0700), ==, 0);
	g_assert_cmpint(fchmodat(dirfd, path, mode, 0), ==, 0);
}

static G_GNUC_UNUSED void
make_node(int dirfd, const char *path, guint mode, guint major, guint minor)
{
	g_assert_cmpint(mknodat(dirfd, path, mode, makedev(major, minor)), ==, 0);
	g_assert_cmpint(fchmodat(dirfd, path, mode & 07777, 0), ==, 0);
}

static G_GNUC_UNUSED void
set_attribute(int dirfd, const char *path, const char *name, gconstpointer value, gsize size)
{
	g_auto(CamFd) fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	g_assert_cmpint(fsetxattr(fd, name, value, size, 0), ==, 0);
}

static G_GNUC_UNUSED void
set_time(int dirfd, const char *path, time_t seconds, long nanoseconds)
{
	struct timespec times[2] = { { seconds, nanoseconds }, { seconds, nanoseconds } };

	g_assert_cmpint(utimensat(dirfd, path, times, AT_SYMLINK_NOFOLLOW), ==, 0);
}

static const guint8 capability_bytes[20] G_GNUC_UNUSED = { 1, 0, 0, 2, 0, 0x20 };

/* user::rw-, user:1:r--, group::r--, mask::r--, other::r-- */
static const guint8 acl_bytes[] G_GNUC_UNUSED = {
	2, 0, 0,   0,	1,   0,	  6,  0, 255, 255, 255, 255, 2,	  0,   4,
	0, 1, 0,   0,	0,   4,	  0,  4, 0,   255, 255, 255, 255, 16,  0,
	4, 0, 255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255,
};

/* Device nodes, owners and trusted attributes are root's. FALSE: the test was skipped. */
static G_GNUC_UNUSED gboolean
need_root(void)
{
	if (geteuid() == 0)
		return TRUE;
	g_test_skip("needs root");
	return FALSE;
}

static G_GNUC_UNUSED gboolean
enter_mount_namespace(void)
{
	static gboolean entered;

	if (!need_root())
		return FALSE;
	if (!entered &&
	    (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
		g_test_skip("no private mount name space can be had here");
		return FALSE;
	}
	entered = TRUE;
	return TRUE;
}

static G_GNUC_UNUSED CamLayerInfo *
adopt(CamStore *store, const Upper *upper)
{
	g_autoptr(GError) error = NULL;
	CamLayerInfo *info = cam_store_adopt_upper(store, upper->fd, NULL, NULL, &error);

	g_assert_no_error(error);
	return info;
}

static G_GNUC_UNUSED GBytes *
stream_upper(const Upper *upper)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = cam_upper_layer_stream_new(upper->fd, &error);
	GBytes *bytes = read_to_end(stream, &error);

	g_assert_no_error(error);
	return bytes;
}

static G_GNUC_UNUSED void
assert_whole(CamStore *store)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamVerifyResult) result = { 0 };

	g_assert_true(cam_store_verify(store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < result.problems->len; i++) {
		CamVerifyProblem *problem = g_ptr_array_index(result.problems, i);

		g_error("%s: %s", problem->subject, problem->problem);
	}
}
