/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress for people: a bar on terminals, plain lines elsewhere. What is shown comes from the
 * signals of CamProgress alone.
 */
#include "plugin/cli/progress-display.h"

#include <string.h>

#include "scanners/scanners.h"

#define BAR_CELLS	24
#define LINE_AFTER_USEC (2 * G_USEC_PER_SEC) /* shorter steps get no plain line */
#define STALE_USEC	(3 * G_USEC_PER_SEC) /* a step of unknown length that fell silent */

typedef struct {
	char *name;
	char *shown; /* the name, fit for a terminal */
	guint64 done, total;
	CamProgressUnit unit;
	gint64 begun, updated; /* monotonic microseconds */
	gboolean told;	       /* has had its plain line */
} Phase;

struct _CamProgressDisplay {
	CamProgress *progress;
	FILE *out;
	CamDisplayStyle style;
	guint width;
	GMutex lock;	   /* guards all below */
	GPtrArray *phases; /* (element-type Phase), open ones, the oldest first */
	gboolean drawn;
};

static void
phase_free(gpointer data)
{
	Phase *phase = data;

	g_free(phase->name);
	g_free(phase->shown);
	g_free(phase);
}

static Phase *
take_phase(CamProgressDisplay *self, const char *name, gint64 now)
{
	Phase *phase;

	for (guint i = 0; i < self->phases->len; i++) {
		phase = g_ptr_array_index(self->phases, i);
		if (strcmp(phase->name, name) == 0)
			return phase;
	}
	phase = g_new0(Phase, 1);
	phase->name = g_strdup(name);
	phase->shown = cam_text_escape(name);
	phase->begun = now;
	g_ptr_array_add(self->phases, phase);
	return phase;
}

static void
drop_finished(CamProgressDisplay *self, gint64 now)
{
	for (guint i = self->phases->len; i > 0; i--) {
		const Phase *phase = g_ptr_array_index(self->phases, i - 1);
		gboolean stale = phase->total == 0 && now - phase->updated > STALE_USEC;

		if (stale || (phase->total > 0 && phase->done >= phase->total))
			g_ptr_array_remove_index(self->phases, i - 1);
	}
}

/* How far a step is, behind its name; nothing where it does not count. */
static char *
amount(const Phase *phase)
{
	g_autofree char *done = NULL, *total = NULL;

	if (phase->done == 0 && phase->total == 0)
		return g_strdup("");
	if (phase->unit == CAM_PROGRESS_ITEMS && phase->total == 0)
		return g_strdup_printf(": %" G_GUINT64_FORMAT, phase->done);
	if (phase->unit == CAM_PROGRESS_ITEMS)
		return g_strdup_printf(": %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, phase->done,
				       phase->total);
	done = g_format_size(phase->done);
	total = g_format_size(phase->total);
	if (phase->total == 0)
		return g_strconcat(": ", done, NULL);
	return g_strdup_printf(": %s of %s", done, total);
}

static void
erase(CamProgressDisplay *self)
{
	if (self->drawn)
		fputs("\r\033[K", self->out);
	self->drawn = FALSE;
}

static void
draw_bar(CamProgressDisplay *self)
{
	const Phase *phase;
	g_autofree char *text = NULL, *numbers = NULL, *more = NULL, *cut = NULL;
	char bar[BAR_CELLS + 1];
	guint cells;

	erase(self);
	if (self->phases->len == 0) {
		fflush(self->out);
		return;
	}
	phase = g_ptr_array_index(self->phases, 0);
	cells = phase->total > 0 ? (guint) ((double) MIN(phase->done, phase->total) /
					    (double) phase->total * BAR_CELLS)
				 : 0;
	memset(bar, '.', BAR_CELLS);
	memset(bar, '#', cells);
	bar[BAR_CELLS] = '\0';
	numbers = amount(phase);
	more = self->phases->len > 1 ? g_strdup_printf(" (+%u more)", self->phases->len - 1)
				     : g_strdup("");
	text = phase->total > 0 ? g_strdup_printf("[%s] %s%s%s", bar, phase->shown, numbers, more)
				: g_strdup_printf("%s%s%s", phase->shown, numbers, more);
	cut = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), (glong) self->width - 1));
	fputs(cut, self->out);
	fflush(self->out);
	self->drawn = TRUE;
}

static void
print_line(CamProgressDisplay *self, Phase *phase, gint64 now)
{
	g_autofree char *numbers = NULL;

	if (phase->told || now - phase->begun < LINE_AFTER_USEC)
		return;
	phase->told = TRUE;
	numbers = amount(phase);
	fprintf(self->out, "%s%s\n", phase->shown, numbers);
	fflush(self->out);
}

static void
on_updated(CamProgress *progress, const char *name, guint64 done, guint64 total,
	   CamProgressUnit unit, CamProgressDisplay *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
	gint64 now = g_get_monotonic_time();
	Phase *phase = take_phase(self, name, now);

	phase->done = done;
	phase->total = total;
	phase->unit = unit;
	phase->updated = now;
	if (self->style == CAM_DISPLAY_LINES)
		print_line(self, phase, now);
	drop_finished(self, now);
	if (self->style == CAM_DISPLAY_BARS)
		draw_bar(self);
}

static void
on_message(CamProgress *progress, const char *text, CamProgressDisplay *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
	g_autofree char *shown = cam_text_escape(text);

	erase(self);
	fprintf(self->out, "%s\n", shown);
	fflush(self->out);
}

CamProgressDisplay *
cam_progress_display_new(CamProgress *progress, FILE *out, CamDisplayStyle style, guint width)
{
	CamProgressDisplay *self = g_new0(CamProgressDisplay, 1);

	self->progress = g_object_ref(progress);
	self->out = out;
	self->style = style;
	self->width = MAX(width, 40);
	self->phases = g_ptr_array_new_with_free_func(phase_free);
	g_mutex_init(&self->lock);
	if (style != CAM_DISPLAY_NONE) {
		g_signal_connect(progress, "updated", G_CALLBACK(on_updated), self);
		g_signal_connect(progress, "message", G_CALLBACK(on_message), self);
	}
	return self;
}

void
cam_progress_display_clear(CamProgressDisplay *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

	erase(self);
	fflush(self->out);
}

void
cam_progress_display_free(CamProgressDisplay *self)
{
	g_signal_handlers_disconnect_by_data(self->progress, self);
	cam_progress_display_clear(self);
	g_object_unref(self->progress);
	g_ptr_array_unref(self->phases);
	g_mutex_clear(&self->lock);
	g_free(self);
}
