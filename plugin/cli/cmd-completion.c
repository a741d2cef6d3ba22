/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium completion`: prints the stub that makes a shell ask us. */
#include "plugin/cli/commands.h"

#include "plugin/cli/completion.h"

static const CamArgument arguments[] = {
	{ "SHELL", CAM_ARGUMENT_ONE, CAM_COMPLETE_CHOICES, cam_completion_shells,
	  "bash, zsh or fish" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "source <(cambium completion bash)", "For this shell, now." },
	{ "cambium completion fish > ~/.config/fish/completions/cambium.fish", "For good." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	cam_cli_print(cli, cam_completion_script(words[0]));
	return TRUE;
}

const CamCommand cam_command_completion = {
	.name = "completion",
	.summary = "print a shell's completion script",
	.description = "Prints the script that completes commands, options and names of images. "
		       "Packages install it where the shells look; use this to try it.",
	.arguments = arguments,
	.examples = examples,
	.run = run,
};
