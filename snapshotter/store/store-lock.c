/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock of a store: flock(2) on two files. "lock" is what operations share; "gate" is held by a
 * sweep while it waits for it, and looked at by who is about to share.
 */
#include "snapshotter/store/store-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "snapshotter/base/fd.h"

#define POLL_USEC 20000

struct _CamStoreLock {
	int dirfd;
	char *path;
	gboolean read_only;
	GMutex mutex;
	GHashTable *holders; /* GThread → how many holds it took */
};

CamStoreLock *
cam_store_lock_new(int dirfd, const char *path, gboolean read_only)
{
	CamStoreLock *self = g_new0(CamStoreLock, 1);

	self->dirfd = dirfd;
	self->path = g_strdup(path);
	self->read_only = read_only;
	self->holders = g_hash_table_new(NULL, NULL);
	g_mutex_init(&self->mutex);
	return self;
}

void
cam_store_lock_free(CamStoreLock *self)
{
	if (self == NULL)
		return;
	g_hash_table_unref(self->holders);
	g_mutex_clear(&self->mutex);
	g_free(self->path);
	g_free(self);
}

void
cam_store_lock_count(CamStoreLock *self, GThread *thread, int change)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	int count = GPOINTER_TO_INT(g_hash_table_lookup(self->holders, thread)) + change;

	if (count > 0)
		g_hash_table_insert(self->holders, thread, GINT_TO_POINTER(count));
	else
		g_hash_table_remove(self->holders, thread);
}

static gboolean
has_hold(CamStoreLock *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return g_hash_table_contains(self->holders, g_thread_self());
}

static int
open_file(CamStoreLock *self, const char *name, GError **error)
{
	int fd = openat(self->dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* flock(2) takes any descriptor; a store that was never written to has no file. */
	if (fd < 0 && self->read_only)
		fd = openat(self->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && self->read_only && errno == ENOENT)
		fd = openat(self->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open the lock of store %s", self->path);
	return fd;
}

/* Whether the lock was got before @deadline (0: none). */
static gboolean
wait_for(CamStoreLock *self, int fd, int operation, gint64 deadline, gboolean *got,
	 GCancellable *cancellable, GError **error)
{
	*got = FALSE;
	while (flock(fd, operation | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return cam_set_error_errno(error, errno, "cannot lock store %s",
						   self->path);
		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, "waiting for the lock of store %s",
						   self->path);
		if (deadline != 0 && g_get_monotonic_time() >= deadline)
			return TRUE;
		g_usleep(POLL_USEC);
	}
	*got = TRUE;
	return TRUE;
}

/* Lets a sweep that waits go first, for a while: what it waits for may be a hold of this process,
 * which needs this one. */
static gboolean
pass_gate(CamStoreLock *self, GCancellable *cancellable, GError **error)
{
	g_auto(CamFd) gate = -1;
	gboolean got;

	if (self->read_only || has_hold(self))
		return TRUE;
	gate = open_file(self, "gate", NULL);
	/* On a full disk there is none. */
	return gate < 0 || wait_for(self, gate, LOCK_SH, g_get_monotonic_time() + CAM_LOCK_GATE_MAX,
				    &got, cancellable, error);
}

int
cam_store_lock_share(CamStoreLock *self, GCancellable *cancellable, GError **error)
{
	g_auto(CamFd) fd = open_file(self, "lock", error);
	gboolean got;

	if (fd < 0 || !pass_gate(self, cancellable, error) ||
	    !wait_for(self, fd, LOCK_SH, 0, &got, cancellable, error))
		return -1;
	return cam_fd_steal(&fd);
}

int
cam_store_lock_exclude(CamStoreLock *self, GCancellable *cancellable, GError **error)
{
	g_auto(CamFd) fd = -1, gate = -1;
	gboolean got;

	if (self->read_only) {
		cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
			      "the store %s cannot be written to: nothing can be removed from it",
			      self->path);
		return -1;
	}
	fd = open_file(self, "lock", error);
	gate = fd >= 0 ? open_file(self, "gate", NULL) : -1;
	if (fd < 0 || (gate >= 0 && !wait_for(self, gate, LOCK_EX, 0, &got, cancellable, error)) ||
	    !wait_for(self, fd, LOCK_EX, 0, &got, cancellable, error))
		return -1;
	return cam_fd_steal(&fd);
}
