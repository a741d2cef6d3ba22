/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/completion.h"

#include <string.h>

/* What is offered behind a line of words, as "word word …"; the last word is the prefix. */
static char *
offered(const char *line, CamCompletion *also)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *prefix = g_steal_pointer(&words[g_strv_length(words) - 1]);
	GString *text = g_string_new(NULL);

	*also = cam_complete(words, prefix, candidates);
	for (guint i = 0; i < candidates->len; i++) {
		const char *candidate = g_ptr_array_index(candidates, i);

		g_assert_nonnull(strchr(candidate, '\t'));
		g_string_append_printf(text, "%s%.*s", i > 0 ? " " : "",
				       (int) strcspn(candidate, "\t"), candidate);
	}
	return g_string_free(text, FALSE);
}

static void
test_offers(void)
{
	static const struct {
		const char *line, *words;
		CamCompletion also;
	} cases[] = {
		{ "sc", "scan", CAM_COMPLETE_NOTHING },
		{ "d", "db diff", CAM_COMPLETE_NOTHING },
		{ "db ", "update import status remove", CAM_COMPLETE_NOTHING },
		{ "-q db s", "status", CAM_COMPLETE_NOTHING },
		{ "--store /srv db s", "status", CAM_COMPLETE_NOTHING },
		{ "scan ", "", CAM_COMPLETE_IMAGE },
		{ "scan x ", "", CAM_COMPLETE_NOTHING },
		{ "scan --sev", "--severity", CAM_COMPLETE_NOTHING },
		{ "scan --severity ", "critical high medium low", CAM_COMPLETE_NOTHING },
		{ "scan --severity h", "high", CAM_COMPLETE_NOTHING },
		{ "scan --severity high ", "", CAM_COMPLETE_IMAGE },
		{ "scan --store ", "", CAM_COMPLETE_DIRECTORY },
		{ "scan --format j", "json", CAM_COMPLETE_NOTHING },
		{ "rm a b ", "", CAM_COMPLETE_IMAGE },
		{ "completion ", "bash zsh fish", CAM_COMPLETE_NOTHING },
		{ "help sc", "scan", CAM_COMPLETE_NOTHING },
		{ "nonsense ", "", CAM_COMPLETE_NOTHING },
		{ "__", "", CAM_COMPLETE_NOTHING },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		CamCompletion also;
		g_autofree char *words = offered(cases[i].line, &also);

		g_test_message("%s", cases[i].line);
		g_assert_cmpstr(words, ==, cases[i].words);
		g_assert_cmpint(also, ==, cases[i].also);
	}
}

static void
test_scripts(void)
{
	for (guint i = 0; cam_completion_shells[i] != NULL; i++) {
		const char *script = cam_completion_script(cam_completion_shells[i]);

		g_assert_nonnull(strstr(script, "__complete"));
	}
	g_assert_null(cam_completion_script("tcsh"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/completion/offers", test_offers);
	g_test_add_func("/completion/scripts", test_scripts);
	return g_test_run();
}
