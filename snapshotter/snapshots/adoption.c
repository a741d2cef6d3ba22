/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When uppers are adopted, and images of what was committed are made: in a thread of its own, after
 * the last request has been answered for a while, so that a pull in several steps is not slowed
 * down. How it is done is the snapshotter's.
 */
#include "snapshotter/base/thread.h"
#include "snapshotter/snapshots/snapshotter-private.h"

/* Nanoseconds after which nobody believes any more that a layer is still being unpacked. */
#define UNPACKING_MAX (600 * G_GINT64_CONSTANT(1000000000))

struct _CamAdoption {
	CamSnapshotter *snapshotter; /* outlives us */
	gint64 idle;		     /* microseconds */
	GThread *thread;
	GCancellable *cancellable;
	GHashTable *refused; /* set of ids that can never be layers; the thread's own */

	GMutex mutex;
	GCond changed;
	gint64 last_request; /* monotonic time */
	gboolean waiting;    /* there may be something to adopt */
	gboolean running;
	gboolean stopped;
	guint settling; /* how many wait for the end */
};

/* Whether the thread is to leave off. */
static gboolean
is_called_away(CamAdoption *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return self->stopped ||
	       (self->settling == 0 && g_get_monotonic_time() < self->last_request + self->idle);
}

/* FALSE if it may succeed when time has passed. Removing the last snapshot that uses an upper
 * directory wakes the thread. */
static gboolean
adopt_one(CamAdoption *self, const CamSnapshotRow *row)
{
	g_autoptr(GError) error = NULL;
	gint64 began = g_get_monotonic_time();

	if (cam_snapshotter_adopt(self->snapshotter, row->id, FALSE, self->cancellable, &error)) {
		g_debug("snapshot %s is in the store now (%.3f s)", row->name,
			(double) (g_get_monotonic_time() - began) / G_USEC_PER_SEC);
		return TRUE;
	}
	if (error->code == (int) CAM_ERROR_UNAVAILABLE || error->code == (int) CAM_ERROR_ABORTED ||
	    error->code == (int) CAM_ERROR_RESOURCE_EXHAUSTED) {
		g_debug("%s", error->message);
		return error->code == (int) CAM_ERROR_UNAVAILABLE;
	}
	if (error->code != (int) CAM_ERROR_NOT_FOUND && error->code != (int) CAM_ERROR_CANCELLED) {
		/* What a container may do at any time is nothing to worry about. */
		g_log(G_LOG_DOMAIN,
		      error->code == (int) CAM_ERROR_UNIMPLEMENTED ? G_LOG_LEVEL_INFO
								   : G_LOG_LEVEL_WARNING,
		      "%s; it stays a directory of its own", error->message);
		g_hash_table_add(self->refused, g_memdup2(&row->id, sizeof(row->id)));
	}
	return TRUE;
}

/* TRUE if nothing is left that could be adopted now or later. */
static gboolean
adopt_all(CamAdoption *self, gboolean hurried)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	gboolean unpacking = FALSE, done = TRUE;

	g_mutex_lock(&self->snapshotter->mutex);
	rows = cam_snapshot_db_uppers(self->snapshotter->db, &error);
	if (rows && rows->len > 0 && !hurried)
		cam_snapshot_db_is_unpacking(self->snapshotter->db, UNPACKING_MAX, &unpacking,
					     NULL);
	g_mutex_unlock(&self->snapshotter->mutex);
	if (unpacking)
		return FALSE;
	if (!rows)
		g_warning("%s", error->message);
	for (guint i = 0; rows && i < rows->len; i++) {
		const CamSnapshotRow *row = g_ptr_array_index(rows, i);

		if (is_called_away(self))
			return FALSE;
		if (!g_hash_table_contains(self->refused, &row->id))
			done &= adopt_one(self, row);
	}
	return done;
}

/* The first container on an image shall not wait for it. What fails here is said to whoever asks.
 */
static void
make_lowers(CamAdoption *self)
{
	g_autoptr(GPtrArray) rows = NULL;

	g_mutex_lock(&self->snapshotter->mutex);
	rows = cam_snapshot_db_leaves(self->snapshotter->db, NULL);
	g_mutex_unlock(&self->snapshotter->mutex);
	for (guint i = 0; rows && i < rows->len && !is_called_away(self); i++) {
		const CamSnapshotRow *row = g_ptr_array_index(rows, i);
		g_autoptr(GError) error = NULL;

		if (!cam_snapshotter_make_lower(self->snapshotter, row->id, self->cancellable,
						&error))
			g_debug("no image of %s: %s", row->name, error->message);
	}
}

/* Under the mutex: until there is something to do and nobody asks for anything else. */
static void
wait_for_work(CamAdoption *self)
{
	while (!self->stopped) {
		gint64 until = self->last_request + self->idle;

		if (!self->waiting)
			g_cond_wait(&self->changed, &self->mutex);
		else if (self->settling > 0 || g_get_monotonic_time() >= until)
			return;
		else
			g_cond_wait_until(&self->changed, &self->mutex, until);
	}
}

static gpointer
run(gpointer data)
{
	CamAdoption *self = data;

	g_mutex_lock(&self->mutex);
	while (wait_for_work(self), !self->stopped) {
		gboolean hurried = self->settling > 0;
		gboolean done;

		self->waiting = FALSE;
		self->running = TRUE;
		g_mutex_unlock(&self->mutex);
		done = adopt_all(self, hurried);
		make_lowers(self);
		g_mutex_lock(&self->mutex);
		self->running = FALSE;
		/* Who waits for the end does not wait for what cannot be done now. */
		if (hurried)
			self->settling = 0;
		if (!done) {
			self->waiting = TRUE;
			self->last_request = g_get_monotonic_time();
		}
		g_cond_broadcast(&self->changed);
	}
	g_mutex_unlock(&self->mutex);
	return NULL;
}

CamAdoption *
cam_adoption_new(CamSnapshotter *snapshotter, guint idle_ms, GError **error)
{
	g_autoptr(CamAdoption) self = g_new0(CamAdoption, 1);

	self->snapshotter = snapshotter;
	self->idle = (gint64) idle_ms * 1000;
	self->cancellable = g_cancellable_new();
	self->refused = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_mutex_init(&self->mutex);
	g_cond_init(&self->changed);
	self->last_request = g_get_monotonic_time();
	self->thread = cam_thread_start("adoption", run, self, error);
	return self->thread != NULL ? g_steal_pointer(&self) : NULL;
}

void
cam_adoption_touch(CamAdoption *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	self->last_request = g_get_monotonic_time();
}

void
cam_adoption_wake(CamAdoption *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	self->waiting = TRUE;
	self->last_request = g_get_monotonic_time();
	g_cond_broadcast(&self->changed);
}

void
cam_adoption_settle(CamAdoption *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	/* A round that runs may have begun before what the caller waits for was there. */
	while (self->running && !self->stopped)
		g_cond_wait(&self->changed, &self->mutex);
	self->waiting = TRUE;
	self->settling++;
	g_cond_broadcast(&self->changed);
	while (self->settling > 0 && !self->stopped)
		g_cond_wait(&self->changed, &self->mutex);
}

void
cam_adoption_free(CamAdoption *self)
{
	g_cancellable_cancel(self->cancellable);
	g_mutex_lock(&self->mutex);
	self->stopped = TRUE;
	g_cond_broadcast(&self->changed);
	g_mutex_unlock(&self->mutex);
	g_clear_pointer(&self->thread, g_thread_join);
	g_hash_table_unref(self->refused);
	g_object_unref(self->cancellable);
	g_mutex_clear(&self->mutex);
	g_cond_clear(&self->changed);
	g_free(self);
}
