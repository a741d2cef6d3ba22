/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium help`: the overview, or one command explained. */
#include "plugin/cli/commands.h"

#include "plugin/cli/help.h"

static const CamArgument arguments[] = {
	{ "COMMAND", CAM_ARGUMENT_ANY, CAM_COMPLETE_COMMAND, NULL, "the command to explain" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium help", "What there is." },
	{ "cambium help fix", "One command, with examples." },
	{ "cambium help db update", "A command of two words." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	g_autofree char *text = NULL;
	const CamCommand *command;
	guint used;

	if (words[0] == NULL) {
		text = cam_help_overview();
		cam_cli_print(cli, text);
		return TRUE;
	}
	command = cam_command_find_words((char **) words, &used, error);
	if (command == NULL) {
		cam_cli_set_exit(cli, CAM_EXIT_USAGE);
		return FALSE;
	}
	text = cam_help_for_command(command);
	cam_cli_print(cli, text);
	return TRUE;
}

const CamCommand cam_command_help = {
	.name = "help",
	.summary = "explain a command",
	.description = "Explains a command and shows examples; without one, lists all commands.",
	.arguments = arguments,
	.examples = examples,
	.run = run,
};
