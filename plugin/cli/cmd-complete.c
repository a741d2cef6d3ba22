/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium __complete`: what the completion scripts ask. */
#include "plugin/cli/commands.h"

#include "plugin/cli/completion.h"

static const CamArgument arguments[] = {
	{ "WORD", CAM_ARGUMENT_ANY, CAM_COMPLETE_NOTHING, NULL,
	  "the words so far; the last one is to be completed" },
	{ NULL },
};

static void
add_images(CamCli *cli, const char *prefix, GPtrArray *candidates)
{
	g_autoptr(GPtrArray) names = cam_cli_list_image_names(cli, NULL);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (g_str_has_prefix(name, prefix))
			g_ptr_array_add(candidates, g_strdup_printf("%s\timage", name));
	}
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) before = g_strdupv((char **) words);
	g_autofree char *prefix = NULL;
	guint n = g_strv_length(before);
	CamCompletion also;

	if (n == 0)
		return TRUE;
	prefix = g_steal_pointer(&before[n - 1]);
	also = cam_complete(before, prefix, candidates);
	if (also == CAM_COMPLETE_IMAGE)
		add_images(cli, prefix, candidates);
	for (guint i = 0; i < candidates->len; i++) {
		cam_cli_print(cli, g_ptr_array_index(candidates, i));
		cam_cli_print(cli, "\n");
	}
	if (also == CAM_COMPLETE_DIRECTORY)
		cam_cli_print(cli, ":directory\n");
	else
		cam_cli_print(cli, also == CAM_COMPLETE_NOTHING ? ":nothing\n" : ":file\n");
	return TRUE;
}

const CamCommand cam_command_complete = {
	.name = "__complete",
	.summary = "answer a shell",
	.description = "Used by the completion scripts.",
	.arguments = arguments,
	.hidden = TRUE,
	.run = run,
};
