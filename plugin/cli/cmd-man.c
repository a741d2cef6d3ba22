/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium __man`: prints one man page; used by the build. */
#include "plugin/cli/commands.h"

#include <string.h>

#include "plugin/cli/man.h"

static const CamArgument arguments[] = {
	{ "PAGE", CAM_ARGUMENT_OPTIONAL, CAM_COMPLETE_NOTHING, NULL,
	  "cambium, cambium-COMMAND, cambium.conf or cambiumd; without it, all names are listed" },
	{ NULL },
};

static gboolean
list_pages(CamCli *cli)
{
	cam_cli_print(cli, "cambium\ncambium.conf\ncambiumd\n");
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		g_autofree char *name = cam_man_name(cam_commands[i]);

		if (cam_commands[i]->hidden)
			continue;
		cam_cli_print(cli, name);
		cam_cli_print(cli, "\n");
	}
	return TRUE;
}

static char *
make_page(const char *page)
{
	if (strcmp(page, "cambium") == 0)
		return cam_man_overview();
	if (strcmp(page, "cambium.conf") == 0)
		return cam_man_config();
	if (strcmp(page, "cambiumd") == 0)
		return cam_man_daemon();
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		g_autofree char *name = cam_man_name(cam_commands[i]);

		if (!cam_commands[i]->hidden && strcmp(page, name) == 0)
			return cam_man_for_command(cam_commands[i]);
	}
	return NULL;
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	g_autofree char *text = NULL;

	if (words[0] == NULL)
		return list_pages(cli);
	text = make_page(words[0]);
	if (text == NULL)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND, "there is no page %s", words[0]);
	cam_cli_print(cli, text);
	return TRUE;
}

const CamCommand cam_command_man = {
	.name = "__man",
	.summary = "print a man page as roff",
	.description = "Used by the build.",
	.arguments = arguments,
	.hidden = TRUE,
	.run = run,
};
