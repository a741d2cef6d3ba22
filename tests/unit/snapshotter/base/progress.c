/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of what CamProgress emits, and how often. */
#include "snapshotter/base/progress.h"

#include <libglib-testing/signal-logger.h>

static void
assert_updated(GtSignalLogger *logger, CamProgress *progress, const char *phase, guint64 done,
	       guint64 total, guint unit)
{
	g_autofree char *seen_phase = NULL;
	guint64 seen_done, seen_total;
	guint seen_unit;

	gt_signal_logger_assert_emission_pop(logger, progress, "updated", &seen_phase, &seen_done,
					     &seen_total, &seen_unit);
	g_assert_cmpstr(seen_phase, ==, phase);
	g_assert_cmpuint(seen_done, ==, done);
	g_assert_cmpuint(seen_total, ==, total);
	g_assert_cmpuint(seen_unit, ==, unit);
}

static void
test_begin_end(void)
{
	g_autoptr(CamProgress) progress = cam_progress_new();
	g_autoptr(GtSignalLogger) logger = gt_signal_logger_new();
	guint id;

	gt_signal_logger_connect(logger, progress, "updated");
	id = cam_progress_begin(progress, "layer 1/2", 100, CAM_PROGRESS_BYTES);
	g_assert_cmpuint(id, !=, 0);
	assert_updated(logger, progress, "layer 1/2", 0, 100, CAM_PROGRESS_BYTES);
	for (guint i = 0; i < 80; i++)
		cam_progress_advance(progress, id, 1);
	cam_progress_end(progress, id);
	/* Whatever was told between, it was less than one signal a step. */
	g_assert_cmpuint(gt_signal_logger_get_n_emissions(logger), <, 40);
	while (gt_signal_logger_get_n_emissions(logger) > 1)
		gt_signal_logger_pop_emission(logger, NULL, NULL, NULL, NULL);
	assert_updated(logger, progress, "layer 1/2", 80, 80, CAM_PROGRESS_BYTES);
	/* A phase that ended is silent. */
	cam_progress_advance(progress, id, 1);
	cam_progress_end(progress, id);
	gt_signal_logger_assert_no_emissions(logger);
}

static void
test_interval(void)
{
	g_autoptr(CamProgress) progress = cam_progress_new();
	g_autoptr(GtSignalLogger) logger = gt_signal_logger_new();
	guint a = cam_progress_begin(progress, "a", 0, CAM_PROGRESS_ITEMS);
	guint b = cam_progress_begin(progress, "b", 0, CAM_PROGRESS_ITEMS);

	g_assert_cmpuint(a, !=, b);
	g_usleep(110 * 1000);
	gt_signal_logger_connect(logger, progress, "updated");
	cam_progress_advance(progress, a, 2);
	assert_updated(logger, progress, "a", 2, 0, CAM_PROGRESS_ITEMS);
	cam_progress_advance(progress, b, 3);
	assert_updated(logger, progress, "b", 3, 0, CAM_PROGRESS_ITEMS);
}

static void
test_message(void)
{
	g_autoptr(CamProgress) progress = cam_progress_new();
	g_autoptr(GtSignalLogger) logger = gt_signal_logger_new();
	g_autofree char *text = NULL;

	gt_signal_logger_connect(logger, progress, "message");
	cam_progress_message(progress, "%d layers", 3);
	gt_signal_logger_assert_emission_pop(logger, progress, "message", &text);
	g_assert_cmpstr(text, ==, "3 layers");
}

static void
test_null(void)
{
	g_assert_cmpuint(cam_progress_begin(NULL, "x", 1, CAM_PROGRESS_BYTES), ==, 0);
	cam_progress_advance(NULL, 0, 1);
	cam_progress_end(NULL, 0);
	cam_progress_message(NULL, "x");
}

static gpointer
advance_thread(gpointer data)
{
	guint id = cam_progress_begin(data, "thread", 0, CAM_PROGRESS_ITEMS);

	for (guint i = 0; i < 10000; i++)
		cam_progress_advance(data, id, 1);
	cam_progress_end(data, id);
	return NULL;
}

static void
test_threads(void)
{
	g_autoptr(CamProgress) progress = cam_progress_new();
	GThread *threads[4];

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("advance", advance_thread, progress);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/progress/begin-end", test_begin_end);
	g_test_add_func("/base/progress/interval", test_interval);
	g_test_add_func("/base/progress/message", test_message);
	g_test_add_func("/base/progress/null", test_null);
	g_test_add_func("/base/progress/threads", test_threads);
	return g_test_run();
}
