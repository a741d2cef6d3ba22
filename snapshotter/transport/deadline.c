/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deadlines by a thread that waits. A time-out of a main context would need one that runs, which a
 * blocking call has not.
 */
#include "snapshotter/transport/deadline.h"

#include "snapshotter/base/thread.h"

struct _CamDeadline {
	guint milliseconds;
	GCancellable *cancellable;
	GCancellable *chained; /* (nullable) */
	gulong chained_id;
	GThread *thread;
	GMutex lock; /* guards all below */
	GCond changed;
	gint64 until; /* monotonic microseconds */
	gboolean ended, passed;
};

static gpointer
wait_until(gpointer data)
{
	CamDeadline *self = data;

	g_mutex_lock(&self->lock);
	while (!self->ended && g_get_monotonic_time() < self->until)
		g_cond_wait_until(&self->changed, &self->lock, self->until);
	self->passed = !self->ended;
	g_mutex_unlock(&self->lock);
	if (self->passed)
		g_cancellable_cancel(self->cancellable);
	return NULL;
}

static void
on_chained(GCancellable *chained, gpointer user_data)
{
	g_cancellable_cancel(user_data);
}

static void
begin_anew(CamDeadline *self)
{
	self->until =
		g_get_monotonic_time() + (gint64) self->milliseconds * G_TIME_SPAN_MILLISECOND;
}

CamDeadline *
cam_deadline_new(guint milliseconds, GCancellable *chained, GError **error)
{
	g_autoptr(CamDeadline) self = g_new0(CamDeadline, 1);

	self->milliseconds = milliseconds;
	self->cancellable = g_cancellable_new();
	g_mutex_init(&self->lock);
	g_cond_init(&self->changed);
	begin_anew(self);
	self->thread = cam_thread_start("deadline", wait_until, self, error);
	if (self->thread == NULL)
		return NULL;
	if (chained != NULL) {
		self->chained = g_object_ref(chained);
		self->chained_id = g_cancellable_connect(chained, G_CALLBACK(on_chained),
							 self->cancellable, NULL);
	}
	return g_steal_pointer(&self);
}

GCancellable *
cam_deadline_get_cancellable(CamDeadline *self)
{
	return self->cancellable;
}

void
cam_deadline_extend(CamDeadline *self)
{
	g_mutex_lock(&self->lock);
	begin_anew(self);
	g_mutex_unlock(&self->lock);
}

gboolean
cam_deadline_has_passed(CamDeadline *self)
{
	gboolean passed;

	g_mutex_lock(&self->lock);
	passed = self->passed;
	g_mutex_unlock(&self->lock);
	return passed;
}

void
cam_deadline_free(CamDeadline *self)
{
	if (self == NULL)
		return;
	if (self->chained != NULL)
		g_cancellable_disconnect(self->chained, self->chained_id);
	g_clear_object(&self->chained);
	g_mutex_lock(&self->lock);
	self->ended = TRUE;
	g_cond_signal(&self->changed);
	g_mutex_unlock(&self->lock);
	g_clear_pointer(&self->thread, g_thread_join);
	g_object_unref(self->cancellable);
	g_mutex_clear(&self->lock);
	g_cond_clear(&self->changed);
	g_free(self);
}
