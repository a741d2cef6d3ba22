/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When images of containerd are looked at: as its events say, all of them whenever it comes back,
 * and now and then. What is done with one is image-look.c's.
 */
#include "plugin/daemon/image-watch.h"

#include <string.h>
#include <sys/stat.h>

#include "plugin/containerd/containerd-events.h"
#include "plugin/containerd/containerd-images.h"

#define FIRST_PAUSE   1 /* seconds until containerd is tried again, doubled up to … */
#define LAST_PAUSE    30
#define SYNC_INTERVAL (5 * 60 * G_USEC_PER_SEC) /* between two looks at everything */

struct _CamImageWatch {
	CamImageWatchParts parts;
	GCancellable *cancellable;
	GThread *thread;
	gint64 synced;			 /* monotonic time; of the main thread */
	struct stat advisories, journal; /* as last seen; of the main thread */
};

static gboolean
is_ours(CamImageWatch *self, const char *name_space)
{
	return self->parts.namespaces == NULL || self->parts.namespaces[0] == NULL ||
	       g_strv_contains(self->parts.namespaces, name_space);
}

/* ---- looking at everything ---- */

static gboolean
sync_namespace(CamImageWatch *self, const char *name_space, GHashTable *seen,
	       GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) images =
		cam_containerd_list_images(self->parts.containerd, name_space, cancellable, error);

	if (images == NULL)
		return FALSE;
	for (guint i = 0; i < images->len; i++) {
		const CamContainerdImage *image = g_ptr_array_index(images, i);

		g_hash_table_add(seen, g_strdup_printf("%s %s", name_space, image->name));
		cam_image_look_later(self->parts.look, name_space, image->name, CAM_JOB_NORMAL);
	}
	return TRUE;
}

/* What was remembered and is not there any more. */
static gboolean
look_at_absent(CamImageWatch *self, GHashTable *seen, GError **error)
{
	g_autoptr(GPtrArray) known = cam_verdict_db_list(self->parts.verdicts, error);

	if (known == NULL)
		return FALSE;
	for (guint i = 0; i < known->len; i++) {
		const CamVerdict *verdict = g_ptr_array_index(known, i);
		g_autofree char *key = g_strdup_printf("%s %s", verdict->name_space, verdict->name);

		if (is_ours(self, verdict->name_space) && !g_hash_table_contains(seen, key))
			cam_image_look_later(self->parts.look, verdict->name_space, verdict->name,
					     CAM_JOB_NORMAL);
	}
	return TRUE;
}

static gboolean
sync_all(gpointer data, GCancellable *cancellable, GError **error)
{
	CamImageWatch *self = data;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) namespaces =
		cam_containerd_list_namespaces(self->parts.containerd, cancellable, error);

	if (namespaces == NULL)
		return FALSE;
	for (guint i = 0; namespaces[i] != NULL; i++) {
		if (is_ours(self, namespaces[i]) &&
		    !sync_namespace(self, namespaces[i], seen, cancellable, error))
			return FALSE;
	}
	return look_at_absent(self, seen, error);
}

/* ---- now and then ---- */

/* Whether the file has changed since it was last asked for. */
static gboolean
has_changed(CamImageWatch *self, const char *name, struct stat *seen)
{
	g_autofree char *path = g_build_filename(self->parts.root, name, NULL);
	struct stat now = { 0 };
	gboolean changed;

	if (stat(path, &now) != 0)
		memset(&now, 0, sizeof(now));
	changed = now.st_ino != seen->st_ino || now.st_size != seen->st_size ||
		  now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
		  now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
	*seen = now;
	return changed;
}

void
cam_image_watch_tick(CamImageWatch *self)
{
	gint64 now = g_get_monotonic_time();
	gboolean changed = has_changed(self, "advisories.db", &self->advisories);

	/* SQLite writes into the journal first. */
	changed |= has_changed(self, "advisories.db-wal", &self->journal);
	if (changed)
		cam_image_look_at_stale(self->parts.look);
	if (now - self->synced > SYNC_INTERVAL) {
		self->synced = now;
		cam_jobs_add(self->parts.jobs, "look at all images", CAM_JOB_IDLE, sync_all, self,
			     NULL);
	}
	cam_image_look_at_pending(self->parts.look);
}

/* ---- the thread ---- */

static void
handle_event(CamImageWatch *self, const CamContainerdEvent *event)
{
	if (!is_ours(self, event->name_space))
		return;
	switch (event->kind) {
	case CAM_CONTAINERD_EVENT_IMAGE_CREATE:
	case CAM_CONTAINERD_EVENT_IMAGE_UPDATE:
	case CAM_CONTAINERD_EVENT_IMAGE_DELETE:
		if (event->image != NULL)
			cam_image_look_later(self->parts.look, event->name_space, event->image,
					     CAM_JOB_SOON);
		return;
	case CAM_CONTAINERD_EVENT_SNAPSHOT_COMMIT:
		if (event->snapshot != NULL)
			cam_image_look_on_commit(self->parts.look, event->snapshot);
		return;
	case CAM_CONTAINERD_EVENT_OTHER:
		return;
	}
}

/* Follows containerd until it goes away, which is the error. */
static gboolean
follow(CamImageWatch *self, gboolean *reached, GError **error)
{
	static const char *const filters[] = {
		"topic==\"/images/create\"",
		"topic==\"/images/update\"",
		"topic==\"/images/delete\"",
		"topic==\"/snapshot/commit\"",
		NULL,
	};
	CamContainerdEvents *events =
		cam_containerd_subscribe(self->parts.containerd, filters, self->cancellable, error);
	CamContainerdEvent *event;

	if (events == NULL)
		return FALSE;
	/* Events come from now on: what there is already is listed. */
	*reached = sync_all(self, self->cancellable, error);
	if (*reached)
		g_message("looking after the images of containerd on %s",
			  cam_containerd_get_address(self->parts.containerd));
	while (*reached && (event = cam_containerd_events_next(events, error)) != NULL) {
		handle_event(self, event);
		cam_containerd_event_free(event);
	}
	cam_containerd_events_free(events);
	return FALSE;
}

/* FALSE if it was cancelled. */
static gboolean
sleep_for(CamImageWatch *self, guint seconds)
{
	GPollFD fd;

	if (g_cancellable_make_pollfd(self->cancellable, &fd)) {
		g_poll(&fd, 1, (gint) seconds * 1000);
		g_cancellable_release_fd(self->cancellable);
	}
	return !g_cancellable_is_cancelled(self->cancellable);
}

static gpointer
run(gpointer data)
{
	CamImageWatch *self = data;
	guint pause = FIRST_PAUSE;
	gboolean told = FALSE;

	do {
		g_autoptr(GError) error = NULL;
		gboolean reached = FALSE;

		follow(self, &reached, &error);
		if (g_cancellable_is_cancelled(self->cancellable))
			break;
		if (reached) {
			pause = FIRST_PAUSE;
			told = FALSE;
		}
		/* Once: a machine may well have no containerd yet. */
		if (!told)
			g_message("cannot reach containerd; image scanning is paused: %s",
				  error->message);
		told = TRUE;
		if (!sleep_for(self, pause))
			break;
		pause = MIN(pause * 2, LAST_PAUSE);
	} while (TRUE);
	return NULL;
}

CamImageWatch *
cam_image_watch_new(const CamImageWatchParts *parts, GError **error)
{
	g_autoptr(CamImageWatch) self = g_new0(CamImageWatch, 1);

	self->parts = *parts;
	self->cancellable = g_cancellable_new();
	self->synced = g_get_monotonic_time();
	has_changed(self, "advisories.db", &self->advisories);
	has_changed(self, "advisories.db-wal", &self->journal);
	self->thread = cam_thread_start("images", run, self, error);
	return self->thread != NULL ? g_steal_pointer(&self) : NULL;
}

void
cam_image_watch_free(CamImageWatch *self)
{
	if (self == NULL)
		return;
	g_cancellable_cancel(self->cancellable);
	g_clear_pointer(&self->thread, g_thread_join);
	g_object_unref(self->cancellable);
	g_free(self);
}
