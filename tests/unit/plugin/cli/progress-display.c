/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/progress-display.h"

#include <string.h>

/* What a short run of an operation leaves on the stream. */
static char *
shown(CamDisplayStyle style)
{
	g_autoptr(CamProgress) progress = cam_progress_new();
	char *buffer = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&buffer, &size);
	CamProgressDisplay *display = cam_progress_display_new(progress, out, style, 80);
	guint id = cam_progress_begin(progress, "layer 1/2", 100, CAM_PROGRESS_ITEMS);
	char *text;

	cam_progress_message(progress, "the base is in the store already");
	cam_progress_advance(progress, id, 100);
	cam_progress_end(progress, id);
	cam_progress_display_free(display);
	fclose(out);
	text = g_strdup(buffer);
	free(buffer);
	return text;
}

static void
test_bars(void)
{
	g_autofree char *text = shown(CAM_DISPLAY_BARS);

	g_assert_nonnull(strstr(text, "] layer 1/2: 0 of 100"));
	g_assert_nonnull(strstr(text, "\r\033[Kthe base is in the store already\n"));
	/* Nothing of it stays on the line. */
	g_assert_true(g_str_has_suffix(text, "\r\033[K") || g_str_has_suffix(text, "\n"));
}

static void
test_lines(void)
{
	g_autofree char *text = shown(CAM_DISPLAY_LINES);

	/* A short step gets no line. */
	g_assert_cmpstr(text, ==, "the base is in the store already\n");
}

static void
test_none(void)
{
	g_autofree char *text = shown(CAM_DISPLAY_NONE);

	g_assert_cmpstr(text, ==, "");
}

/* A step that does not count shows its name alone. */
static void
test_uncounted(void)
{
	g_autoptr(CamProgress) progress = cam_progress_new();
	g_autofree char *text = NULL;
	char *buffer = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&buffer, &size);
	CamProgressDisplay *display = cam_progress_display_new(progress, out, CAM_DISPLAY_BARS, 80);
	guint id = cam_progress_begin(progress, "comparing trees", 0, CAM_PROGRESS_ITEMS);

	cam_progress_end(progress, id);
	cam_progress_display_free(display);
	fclose(out);
	text = g_strdup(buffer);
	free(buffer);
	g_assert_nonnull(strstr(text, "comparing trees"));
	g_assert_null(strstr(text, "comparing trees:"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/progress-display/bars", test_bars);
	g_test_add_func("/progress-display/lines", test_lines);
	g_test_add_func("/progress-display/uncounted", test_uncounted);
	g_test_add_func("/progress-display/none", test_none);
	return g_test_run();
}
