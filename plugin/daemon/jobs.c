/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A queue of background jobs. It knows nothing of what they do. A GThreadPool would neither find
 * a waiting job by its key nor take it out again.
 */
#include "plugin/daemon/jobs.h"

#include <sys/resource.h>

#define NICE 10

typedef struct {
	char *key;
	CamJobPriority priority;
	CamJobFunc func;
	gpointer data;
	GDestroyNotify destroy;
	GCancellable *cancellable;
} Job;

struct _CamJobs {
	GMutex mutex;
	GCond changed;
	GQueue waiting; /* Job, what is next at the head */
	GList *running; /* Job */
	GPtrArray *threads;
	gboolean closed;
};

static void
job_clear_data(Job *job)
{
	if (job->destroy != NULL)
		job->destroy(g_steal_pointer(&job->data));
	job->destroy = NULL;
}

static void
job_free(Job *job)
{
	job_clear_data(job);
	g_object_unref(job->cancellable);
	g_free(job->key);
	g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_free)

static GList *
find(GList *list, const char *key)
{
	while (list != NULL && g_strcmp0(((Job *) list->data)->key, key) != 0)
		list = list->next;
	return list;
}

/* Behind all of its priority. */
static void
enqueue(CamJobs *self, Job *job)
{
	GList *before = self->waiting.head;

	while (before != NULL && ((Job *) before->data)->priority >= job->priority)
		before = before->next;
	if (before != NULL)
		g_queue_insert_before(&self->waiting, before, job);
	else
		g_queue_push_tail(&self->waiting, job);
}

/* The first that is not running already; NULL at the end. */
static Job *
take(CamJobs *self)
{
	while (!self->closed) {
		for (GList *l = self->waiting.head; l != NULL; l = l->next) {
			Job *job = l->data;

			if (find(self->running, job->key) == NULL) {
				g_queue_delete_link(&self->waiting, l);
				self->running = g_list_prepend(self->running, job);
				return job;
			}
		}
		g_cond_wait(&self->changed, &self->mutex);
	}
	return NULL;
}

static void
run_job(Job *job)
{
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();

	g_debug("%s: begins", job->key);
	if (job->func(job->data, job->cancellable, &error))
		g_debug("%s: done in %.3f s", job->key,
			(double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC);
	else if (g_error_matches(error, CAM_ERROR, CAM_ERROR_CANCELLED))
		g_debug("%s: cancelled", job->key);
	else
		g_warning("%s: %s", job->key, error->message);
}

static gpointer
work(gpointer data)
{
	CamJobs *self = data;
	Job *job;

	/* Of this thread alone, on Linux. */
	setpriority(PRIO_PROCESS, 0, NICE);
	g_mutex_lock(&self->mutex);
	while ((job = take(self)) != NULL) {
		g_mutex_unlock(&self->mutex);
		run_job(job);
		/* Who waits for the job may also count on its data being gone. */
		job_clear_data(job);
		g_mutex_lock(&self->mutex);
		self->running = g_list_remove(self->running, job);
		job_free(job);
		g_cond_broadcast(&self->changed);
	}
	g_mutex_unlock(&self->mutex);
	return NULL;
}

CamJobs *
cam_jobs_new(guint n_threads, GError **error)
{
	g_autoptr(CamJobs) self = g_new0(CamJobs, 1);

	g_mutex_init(&self->mutex);
	g_cond_init(&self->changed);
	g_queue_init(&self->waiting);
	self->threads = g_ptr_array_new_with_free_func((GDestroyNotify) g_thread_join);
	for (guint i = 0; i < n_threads; i++) {
		GThread *thread = cam_thread_start("job", work, self, error);

		if (thread == NULL)
			return NULL;
		g_ptr_array_add(self->threads, thread);
	}
	return g_steal_pointer(&self);
}

/* Frees @job where it is not needed. */
static void
add(CamJobs *self, Job *job)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(Job) unneeded = job;
	GList *old = find(self->waiting.head, job->key);

	if (self->closed)
		return;
	if (old == NULL) {
		enqueue(self, g_steal_pointer(&unneeded));
		g_cond_broadcast(&self->changed);
	} else if (((Job *) old->data)->priority < job->priority) {
		Job *waiting = old->data;

		g_queue_delete_link(&self->waiting, old);
		waiting->priority = job->priority;
		enqueue(self, waiting);
	}
}

void
cam_jobs_add(CamJobs *self, const char *key, CamJobPriority priority, CamJobFunc func,
	     gpointer data, GDestroyNotify destroy)
{
	Job *job = g_new0(Job, 1);

	*job = (Job){ g_strdup(key), priority, func, data, destroy, g_cancellable_new() };
	add(self, job);
}

gboolean
cam_jobs_has(CamJobs *self, const char *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return find(self->waiting.head, key) != NULL || find(self->running, key) != NULL;
}

gboolean
cam_jobs_is_busy(CamJobs *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return self->waiting.length > 0 || self->running != NULL;
}

void
cam_jobs_cancel(CamJobs *self, const char *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	GList *waiting = find(self->waiting.head, key), *running = find(self->running, key);

	if (waiting != NULL) {
		job_free(waiting->data);
		g_queue_delete_link(&self->waiting, waiting);
		g_cond_broadcast(&self->changed);
	}
	if (running != NULL)
		g_cancellable_cancel(((Job *) running->data)->cancellable);
}

void
cam_jobs_wait(CamJobs *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	while (self->waiting.length > 0 || self->running != NULL)
		g_cond_wait(&self->changed, &self->mutex);
}

void
cam_jobs_close(CamJobs *self)
{
	g_mutex_lock(&self->mutex);
	self->closed = TRUE;
	g_queue_clear_full(&self->waiting, (GDestroyNotify) job_free);
	for (GList *l = self->running; l != NULL; l = l->next)
		g_cancellable_cancel(((Job *) l->data)->cancellable);
	g_cond_broadcast(&self->changed);
	g_mutex_unlock(&self->mutex);
	g_ptr_array_set_size(self->threads, 0);
}

void
cam_jobs_free(CamJobs *self)
{
	if (self == NULL)
		return;
	cam_jobs_close(self);
	g_ptr_array_unref(self->threads);
	g_mutex_clear(&self->mutex);
	g_cond_clear(&self->changed);
	g_free(self);
}
