/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamProgress: counts what long operations report and passes it on as signals, at a rate that a
 * terminal can follow. It draws nothing.
 */
#include "snapshotter/base/progress.h"

#define MIN_INTERVAL_USEC (100 * 1000)

typedef struct {
	char *text;
	guint64 done, total;
	CamProgressUnit unit;
	gint64 emitted; /* monotonic time of the last signal */
} Phase;

struct _CamProgress {
	GObject parent;
	GMutex mutex;
	GHashTable *phases; /* id → Phase */
	guint last_id;
};

G_DEFINE_FINAL_TYPE(CamProgress, cam_progress, G_TYPE_OBJECT)

enum { SIGNAL_UPDATED, SIGNAL_MESSAGE, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
phase_free(gpointer data)
{
	Phase *phase = data;

	g_free(phase->text);
	g_free(phase);
}

static void
cam_progress_init(CamProgress *self)
{
	g_mutex_init(&self->mutex);
	self->phases = g_hash_table_new_full(NULL, NULL, NULL, phase_free);
}

static void
cam_progress_finalize(GObject *object)
{
	CamProgress *self = CAM_PROGRESS(object);

	g_hash_table_unref(self->phases);
	g_mutex_clear(&self->mutex);
	G_OBJECT_CLASS(cam_progress_parent_class)->finalize(object);
}

static void
cam_progress_class_init(CamProgressClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_progress_finalize;

	/**
	 * CamProgress::updated:
	 * @phase: its text
	 * @done: so much is done
	 * @total: of so much, 0 if that is not known
	 * @unit: a CamProgressUnit
	 */
	signals[SIGNAL_UPDATED] = g_signal_new("updated", CAM_TYPE_PROGRESS, G_SIGNAL_RUN_LAST, 0,
					       NULL, NULL, NULL, G_TYPE_NONE, 4, G_TYPE_STRING,
					       G_TYPE_UINT64, G_TYPE_UINT64, G_TYPE_UINT);
	/**
	 * CamProgress::message:
	 * @text: a line for people
	 */
	signals[SIGNAL_MESSAGE] = g_signal_new("message", CAM_TYPE_PROGRESS, G_SIGNAL_RUN_LAST, 0,
					       NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

CamProgress *
cam_progress_new(void)
{
	return g_object_new(CAM_TYPE_PROGRESS, NULL);
}

/* Handlers run without the mutex, on a copy: they may call back. */
static void
emit_updated(CamProgress *self, const Phase *phase)
{
	g_signal_emit(self, signals[SIGNAL_UPDATED], 0, phase->text, phase->done, phase->total,
		      (guint) phase->unit);
}

guint
cam_progress_begin(CamProgress *self, const char *phase, guint64 total, CamProgressUnit unit)
{
	Phase first = { .text = (char *) phase, .total = total, .unit = unit };
	guint id;

	if (self == NULL)
		return 0;
	g_mutex_lock(&self->mutex);
	if (++self->last_id == 0)
		self->last_id = 1;
	id = self->last_id;
	Phase *kept = g_memdup2(&first, sizeof first);
	kept->text = g_strdup(phase);
	kept->emitted = g_get_monotonic_time();
	g_hash_table_replace(self->phases, GUINT_TO_POINTER(id), kept);
	g_mutex_unlock(&self->mutex);
	emit_updated(self, &first);
	return id;
}

void
cam_progress_advance(CamProgress *self, guint id, guint64 amount)
{
	g_autofree char *text = NULL;
	Phase copy;
	gint64 now;

	if (self == NULL)
		return;
	now = g_get_monotonic_time();
	g_mutex_lock(&self->mutex);
	Phase *phase = g_hash_table_lookup(self->phases, GUINT_TO_POINTER(id));
	if (phase != NULL) {
		phase->done += amount;
		if (now - phase->emitted >= MIN_INTERVAL_USEC) {
			phase->emitted = now;
			copy = *phase;
			copy.text = text = g_strdup(phase->text);
		}
	}
	g_mutex_unlock(&self->mutex);
	if (text != NULL)
		emit_updated(self, &copy);
}

void
cam_progress_end(CamProgress *self, guint id)
{
	gpointer phase = NULL;

	if (self == NULL)
		return;
	g_mutex_lock(&self->mutex);
	g_hash_table_steal_extended(self->phases, GUINT_TO_POINTER(id), NULL, &phase);
	g_mutex_unlock(&self->mutex);
	if (phase == NULL)
		return;
	((Phase *) phase)->total = ((Phase *) phase)->done;
	emit_updated(self, phase);
	phase_free(phase);
}

void
cam_progress_message(CamProgress *self, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (self == NULL)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_signal_emit(self, signals[SIGNAL_MESSAGE], 0, text);
}
