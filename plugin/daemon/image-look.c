/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done about one image of containerd. Every reason (an event, a list, new advisories, a
 * policy check that is waiting) leads to the same job, which asks containerd what is true now: so
 * events may come twice, late or not at all.
 */
#include "plugin/daemon/image-look.h"

#include <string.h>

#include "plugin/containerd/containerd-images.h"
#include "plugin/daemon/image-resolve.h"

/* An image that is not unpacked yet is looked at whenever asked for a minute, then not so often,
 * then it is taken for one of others. */
#define EAGERNESS     (60 * G_USEC_PER_SEC)
#define LOOK_INTERVAL (30 * G_USEC_PER_SEC)
#define PATIENCE      (15 * 60 * G_USEC_PER_SEC)

/* Between two tries to look up the packages of an image. */
#define LOOK_UP_PAUSE (30 * 60 * G_USEC_PER_SEC)

/* An image whose layers are not all committed here: it is being unpacked, or somewhere else. */
typedef struct {
	char *name_space, *name, *chain_id;
	gint64 since, looked; /* monotonic time */
} Pending;

struct _CamImageLook {
	CamImageLookParts parts;
	GMutex mutex;
	GHashTable *pending; /* key of the job → Pending */
};

typedef struct {
	CamImageLook *self;
	char *name_space, *name;
} Task;

static gboolean look(gpointer data, GCancellable *cancellable, GError **error);

static void
pending_free(gpointer data)
{
	Pending *self = data;

	g_free(self->name_space);
	g_free(self->name);
	g_free(self->chain_id);
	g_free(self);
}

static void
task_free(gpointer data)
{
	Task *task = data;

	g_free(task->name_space);
	g_free(task->name);
	g_free(task);
}

CamImageLook *
cam_image_look_new(const CamImageLookParts *parts)
{
	CamImageLook *self = g_new0(CamImageLook, 1);

	self->parts = *parts;
	self->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, pending_free);
	g_mutex_init(&self->mutex);
	return self;
}

void
cam_image_look_free(CamImageLook *self)
{
	if (self == NULL)
		return;
	g_hash_table_unref(self->pending);
	g_mutex_clear(&self->mutex);
	g_free(self);
}

static char *
key_of(const char *name_space, const char *name)
{
	return g_strdup_printf("image %s in namespace %s", name, name_space);
}

void
cam_image_look_later(CamImageLook *self, const char *name_space, const char *name,
		     CamJobPriority priority)
{
	g_autofree char *key = key_of(name_space, name);
	Task *task = g_new(Task, 1);

	*task = (Task){ self, g_strdup(name_space), g_strdup(name) };
	cam_jobs_add(self->parts.jobs, key, priority, look, task, task_free);
}

/* ---- images that are being unpacked ---- */

static gboolean
is_unpacked(CamImageLook *self, const char *chain_id, gboolean *unpacked, GError **error)
{
	g_autofree char *filter =
		g_strdup_printf("kind==committed,name~=\"(^|[/ ])%s$\"", chain_id);
	const char *const filters[] = { filter, NULL };
	g_autoptr(GPtrArray) found = cam_snapshotter_list(self->parts.snapshotter, filters, error);

	*unpacked = found != NULL && found->len > 0;
	return found != NULL;
}

/* Its layers are in the store: one that was fixed or imported here need not be unpacked. */
static gboolean
is_known(CamImageLook *self, const char *chain_id, gboolean *known, GError **error)
{
	g_auto(GStrv) diff_ids = NULL;

	if (!cam_store_find_chain(cam_snapshotter_get_store(self->parts.snapshotter), chain_id,
				  &diff_ids, error))
		return FALSE;
	*known = diff_ids != NULL;
	return TRUE;
}

static void
set_pending(CamImageLook *self, const CamVerdict *verdict)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	char *key = key_of(verdict->name_space, verdict->name);
	Pending *old = g_hash_table_lookup(self->pending, key);
	Pending *pending = g_new0(Pending, 1);
	gint64 now = g_get_monotonic_time();

	pending->name_space = g_strdup(verdict->name_space);
	pending->name = g_strdup(verdict->name);
	pending->chain_id = g_strdup(verdict->chain_id);
	pending->since =
		old != NULL && strcmp(old->chain_id, verdict->chain_id) == 0 ? old->since : now;
	pending->looked = now;
	g_hash_table_replace(self->pending, key, pending);
}

static void
clear_pending(CamImageLook *self, const char *name_space, const char *name)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autofree char *key = key_of(name_space, name);

	g_hash_table_remove(self->pending, key);
}

/* *@ready: its layers are here. If not, the commit of the last one will lead here again:
 * it waits before the question, so that none is missed. */
static gboolean
wait_for_unpack(CamImageLook *self, const CamVerdict *verdict, gboolean *ready, GError **error)
{
	gboolean known;

	set_pending(self, verdict);
	if (!is_known(self, verdict->chain_id, &known, error) ||
	    !is_unpacked(self, verdict->chain_id, ready, error))
		return FALSE;
	/* What containerd unpacked itself is linked into the store first. Then the import finds
	 * all contents there, and writes nothing. */
	if (*ready && !known)
		cam_snapshotter_settle(self->parts.snapshotter);
	*ready |= known;
	if (*ready)
		clear_pending(self, verdict->name_space, verdict->name);
	return TRUE;
}

void
cam_image_look_on_commit(CamImageLook *self, const char *chain_id)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, self->pending);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Pending *pending = value;

		if (strcmp(pending->chain_id, chain_id) == 0)
			cam_image_look_later(self, pending->name_space, pending->name,
					     CAM_JOB_SOON);
	}
}

void
cam_image_look_at_pending(CamImageLook *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	gint64 now = g_get_monotonic_time();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, self->pending);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Pending *pending = value;

		if (now - pending->since > PATIENCE)
			g_hash_table_iter_remove(&iter);
		else if (now - pending->since < EAGERNESS || now - pending->looked > LOOK_INTERVAL)
			cam_image_look_later(self, pending->name_space, pending->name,
					     CAM_JOB_NORMAL);
	}
}

/* ---- looking at one image ---- */

static gboolean
forget(CamImageLook *self, const char *name_space, const char *name, GError **error)
{
	g_autofree char *store_name = NULL;
	g_autoptr(GError) problem = NULL;

	clear_pending(self, name_space, name);
	if (!cam_verdict_db_forget(self->parts.verdicts, name_space, name, &store_name, error))
		return FALSE;
	if (store_name == NULL)
		return TRUE;
	if (!cam_store_remove_image(cam_snapshotter_get_store(self->parts.snapshotter), store_name,
				    &problem) &&
	    !g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	g_message("forgot %s, which containerd has no more (namespace %s)", name, name_space);
	return TRUE;
}

/* From a verdict about the same target under another name. */
static gboolean
copy_digests(CamImageLook *self, CamVerdict *verdict, const CamDescriptor *target)
{
	g_autoptr(GPtrArray) alike =
		cam_verdict_db_find_target(self->parts.verdicts, target->digest, NULL);
	const CamVerdict *other;

	if (alike == NULL || alike->len == 0)
		return FALSE;
	other = g_ptr_array_index(alike, 0);
	verdict->target = g_strdup(other->target);
	verdict->manifest_digest = g_strdup(other->manifest_digest);
	verdict->config_digest = g_strdup(other->config_digest);
	verdict->chain_id = g_strdup(other->chain_id);
	return TRUE;
}

/* What is known of the image that a name stands for now; it is remembered before it is scanned. */
static CamVerdict *
learn(CamImageLook *self, const Task *task, const CamDescriptor *target, GCancellable *cancellable,
      GError **error)
{
	g_autoptr(CamVerdict) old =
		cam_verdict_db_get(self->parts.verdicts, task->name_space, task->name, NULL);
	g_autoptr(CamVerdict) verdict = NULL;

	if (old != NULL && strcmp(old->target, target->digest) == 0)
		return g_steal_pointer(&old);
	verdict = cam_verdict_new();
	verdict->name_space = g_strdup(task->name_space);
	verdict->name = g_strdup(task->name);
	/* The tag has moved: so may its name in the store. */
	verdict->store_name = old != NULL ? g_strdup(old->store_name) : NULL;
	if (!copy_digests(self, verdict, target) &&
	    !cam_image_resolve(self->parts.containerd, task->name_space, target, verdict,
			       cancellable, error))
		return NULL;
	if (!cam_verdict_db_put(self->parts.verdicts, verdict, error))
		return NULL;
	/* With the verdict, if the same image has one under another name. */
	return cam_verdict_db_get(self->parts.verdicts, task->name_space, task->name, error);
}

static gboolean
keep_name(CamImageLook *self, CamVerdict *verdict, GError **error)
{
	g_autofree char *before = g_strdup(verdict->store_name);

	if (!cam_image_scanner_keep_name(self->parts.scanner, verdict, error))
		return FALSE;
	return g_strcmp0(before, verdict->store_name) == 0 ||
	       cam_verdict_db_put(self->parts.verdicts, verdict, error);
}

static gboolean
is_current(CamImageLook *self, const CamVerdict *verdict)
{
	g_autofree char *database = cam_image_scanner_database(self->parts.scanner);

	return verdict->scanned_at != 0 && g_strcmp0(verdict->database, database) == 0;
}

static gboolean
scan(CamImageLook *self, CamVerdict *verdict, GCancellable *cancellable, GError **error)
{
	gint64 start = g_get_monotonic_time();
	g_autofree char *counts = NULL;

	if (!cam_image_scanner_scan(self->parts.scanner, verdict, cancellable, error) ||
	    !cam_verdict_db_put(self->parts.verdicts, verdict, error))
		return FALSE;
	counts = cam_verdict_counts_text(verdict);
	g_message("scanned %s (namespace %s): risk level %s, %s (%.3f s)", verdict->name,
		  verdict->name_space, cam_severity_name(verdict->level), counts,
		  (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC);
	return TRUE;
}

/* ---- packages that no source has looked at ---- */

static char *
look_up_key_of(const char *name_space, const char *name)
{
	return g_strdup_printf("packages of image %s in namespace %s", name, name_space);
}

/* A job of its own, behind the scans of all images: what is known refuses without the network. */
static gboolean
look_up(gpointer data, GCancellable *cancellable, GError **error)
{
	Task *task = data;
	CamImageLook *self = task->self;
	g_autoptr(GError) problem = NULL;
	g_autoptr(CamVerdict) verdict =
		cam_verdict_db_get(self->parts.verdicts, task->name_space, task->name, NULL);
	g_autoptr(CamVerdict) still = NULL;

	if (verdict == NULL || !cam_verdict_wants_look_up(verdict))
		return TRUE;
	if (cam_image_scanner_look_up(self->parts.scanner, verdict, cancellable, &problem)) {
		g_message("looked up packages of %s (namespace %s): risk level %s, %u not judged",
			  verdict->name, verdict->name_space, cam_severity_name(verdict->level),
			  cam_verdict_count_unjudged(verdict));
		/* The pause is for what it could not settle: other advisories, or none, may make
		 * another one necessary at once. */
		if (cam_verdict_count_unjudged(verdict) == 0)
			verdict->looked_up_at = 0;
	} else if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	} else {
		g_warning("cannot look up packages of %s (namespace %s), which are not judged: %s",
			  verdict->name, verdict->name_space, problem->message);
	}
	/* It may have been forgotten, or stand for another image, meanwhile. */
	still = cam_verdict_db_get(self->parts.verdicts, task->name_space, task->name, NULL);
	return still == NULL || strcmp(still->target, verdict->target) != 0 ||
	       cam_verdict_db_put(self->parts.verdicts, verdict, error);
}

static void
look_up_later(CamImageLook *self, const CamVerdict *verdict, CamJobPriority priority)
{
	g_autofree char *key = look_up_key_of(verdict->name_space, verdict->name);
	Task *task;

	if (self->parts.offline || !cam_verdict_wants_look_up(verdict))
		return;
	task = g_new(Task, 1);
	*task = (Task){ self, g_strdup(verdict->name_space), g_strdup(verdict->name) };
	cam_jobs_add(self->parts.jobs, key, priority, look_up, task, task_free);
}

/* Not at once again where it has just failed. */
static void
look_up_in_time(CamImageLook *self, const CamVerdict *verdict)
{
	if (g_get_real_time() - verdict->looked_up_at > LOOK_UP_PAUSE)
		look_up_later(self, verdict, CAM_JOB_NORMAL);
}

/* ---- the job ---- */

static gboolean
judge(CamImageLook *self, CamVerdict *verdict, GCancellable *cancellable, GError **error)
{
	gboolean ready;

	if (!keep_name(self, verdict, error))
		return FALSE;
	if (*verdict->chain_id == '\0')
		return TRUE;
	if (!is_current(self, verdict)) {
		if (!wait_for_unpack(self, verdict, &ready, error))
			return FALSE;
		if (!ready)
			return TRUE;
		if (!scan(self, verdict, cancellable, error))
			return FALSE;
	}
	look_up_in_time(self, verdict);
	return TRUE;
}

/* Whether the image has another name, which is looked at: CRI makes one of the config's digest. */
static gboolean
has_better_name(CamImageLook *self, const CamVerdict *verdict, GCancellable *cancellable)
{
	g_autoptr(GPtrArray) images = cam_containerd_list_images(
		self->parts.containerd, verdict->name_space, cancellable, NULL);

	for (guint i = 0; images != NULL && i < images->len; i++) {
		const CamContainerdImage *image = g_ptr_array_index(images, i);

		if (!cam_digest_is_valid(image->name) &&
		    strcmp(image->target->digest, verdict->target) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The job. What is no image for this machine is none of our business, and no failure. */
static gboolean
look(gpointer data, GCancellable *cancellable, GError **error)
{
	Task *task = data;
	CamImageLook *self = task->self;
	g_autoptr(GError) problem = NULL;
	g_autoptr(CamContainerdImage) image = cam_containerd_get_image(
		self->parts.containerd, task->name_space, task->name, cancellable, &problem);
	g_autoptr(CamVerdict) verdict = NULL;

	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return forget(self, task->name_space, task->name, error);
	if (image != NULL)
		verdict = learn(self, task, image->target, cancellable, &problem);
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND) ||
	    g_error_matches(problem, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT)) {
		g_debug("%s in namespace %s is left alone: %s", task->name, task->name_space,
			problem->message);
		return TRUE;
	}
	if (problem != NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	if (cam_digest_is_valid(verdict->name) && has_better_name(self, verdict, cancellable))
		return TRUE;
	return judge(self, verdict, cancellable, error);
}

/* ---- looking at many ---- */

static gboolean
refresh(gpointer data, GCancellable *cancellable, GError **error)
{
	CamImageLook *self = data;
	g_autoptr(GPtrArray) known = cam_verdict_db_list(self->parts.verdicts, error);

	if (known == NULL)
		return FALSE;
	for (guint i = 0; i < known->len; i++) {
		const CamVerdict *verdict = g_ptr_array_index(known, i);

		if (verdict->scanned_at != 0 && !is_current(self, verdict))
			cam_image_look_later(self, verdict->name_space, verdict->name,
					     CAM_JOB_IDLE);
	}
	return TRUE;
}

void
cam_image_look_at_stale(CamImageLook *self)
{
	cam_jobs_add(self->parts.jobs, "look for new advisories", CAM_JOB_IDLE, refresh, self,
		     NULL);
}

void
cam_image_look_at_unjudged(CamImageLook *self)
{
	g_autoptr(GPtrArray) known = cam_verdict_db_list(self->parts.verdicts, NULL);

	for (guint i = 0; known != NULL && i < known->len; i++)
		look_up_later(self, g_ptr_array_index(known, i), CAM_JOB_NORMAL);
}

gboolean
cam_image_look_is_scanning(CamImageLook *self, const GPtrArray *verdicts, gboolean ask)
{
	gboolean scanning = verdicts->len == 0 && cam_jobs_is_busy(self->parts.jobs);

	for (guint i = 0; i < verdicts->len; i++) {
		const CamVerdict *verdict = g_ptr_array_index(verdicts, i);
		g_autofree char *key = key_of(verdict->name_space, verdict->name);
		g_autofree char *look_up_key = look_up_key_of(verdict->name_space, verdict->name);

		if (ask && verdict->scanned_at == 0)
			cam_image_look_later(self, verdict->name_space, verdict->name,
					     CAM_JOB_SOON);
		else if (ask && cam_jobs_has(self->parts.jobs, look_up_key))
			look_up_later(self, verdict, CAM_JOB_SOON);
		scanning |= cam_jobs_has(self->parts.jobs, key) ||
			    cam_jobs_has(self->parts.jobs, look_up_key);
	}
	return scanning;
}
