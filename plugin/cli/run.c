/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run of the command line from argv to exit status. It is kept light: nothing is opened or
 * initialised before a command asks for it, since a warm scan shall take milliseconds.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "plugin/cli/cli-private.h"
#include "plugin/cli/help.h"
#include "plugin/cli/interrupt.h"

static CamExit
fail(const GError *error, CamExit code)
{
	/* It may quote names from an image or the words of a registry. */
	g_autofree char *message = cam_text_escape(error->message);

	fprintf(stderr, "cambium: %s\n", message);
	if (code == CAM_EXIT_USAGE)
		fprintf(stderr, "'cambium --help' lists the commands, 'cambium help COMMAND' "
				"explains one\n");
	return code;
}

/* A reader that has gone away ends us as it would end any other tool. */
static CamExit
finish_output(CamCli *self, CamExit code)
{
	if (self->output_errno == 0 && fflush(stdout) != 0)
		self->output_errno = errno;
	if (self->output_errno == 0)
		return code;
	if (self->output_errno == EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	fprintf(stderr, "cambium: cannot write to standard output: %s\n",
		g_strerror(self->output_errno));
	return CAM_EXIT_FAILED;
}

static void
cli_clear(CamCli *self)
{
	g_clear_object(&self->engine);
	g_clear_pointer(&self->hold, cam_store_release);
	g_clear_object(&self->store);
	g_clear_pointer(&self->display, cam_progress_display_free);
	g_clear_object(&self->progress);
	g_clear_object(&self->cancellable);
	g_clear_pointer(&self->config, cam_config_free);
}

static gboolean
prepare(CamCli *self, GError **error)
{
	const char *config = self->options.config;
	CamDisplayStyle style = self->options.quiet	? CAM_DISPLAY_NONE
				: isatty(STDERR_FILENO) ? CAM_DISPLAY_BARS
							: CAM_DISPLAY_LINES;

	self->config =
		cam_config_load(config != NULL ? config : CAM_CONFIG_FILE, config != NULL, error);
	if (self->config == NULL)
		return FALSE;
	self->cancellable = g_cancellable_new();
	self->progress = cam_progress_new();
	self->display = cam_progress_display_new(self->progress, stderr, style,
						 cam_cli_terminal_width(STDERR_FILENO));
	cam_interrupt_watch(self->cancellable);
	return TRUE;
}

static CamExit
run_prepared(CamCli *self, const CamCommand *command, gconstpointer options, char **arguments)
{
	g_autoptr(GError) error = NULL;
	int number;

	if (!prepare(self, &error))
		return fail(error, CAM_EXIT_USAGE);
	if (command->run(self, options, (const char *const *) arguments, &error))
		return finish_output(self, self->exit_code);
	cam_progress_display_clear(self->display);
	number = cam_interrupt_signal();
	if (self->output_errno != 0)
		return finish_output(self, CAM_EXIT_FAILED);
	if (number != 0 && g_error_matches(error, CAM_ERROR, CAM_ERROR_CANCELLED))
		return fail(error, (CamExit) (128 + number));
	return fail(error,
		    self->exit_code != CAM_EXIT_OK ? self->exit_code : cam_exit_for_error(error));
}

static CamExit
run_command(CamCli *self, const CamCommand *command, char **words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_null_terminated(4, NULL, TRUE);
	g_autofree gpointer options = g_malloc0(MAX(command->options_size, 1));
	CamOptionSet sets[] = { { command->options, options },
				{ cam_global_options, &self->options } };
	CamExit code = CAM_EXIT_USAGE;

	self->command = command;
	if (cam_options_parse(sets, G_N_ELEMENTS(sets), words, FALSE, arguments, &error) < 0) {
		fail(error, code);
	} else if (self->options.help) {
		g_autofree char *help = cam_help_for_command(command);

		fputs(help, stdout);
		code = finish_output(self, CAM_EXIT_OK);
	} else if (!cam_command_check_arguments(command, arguments->len,
						(const char *const *) arguments->pdata, &error)) {
		fail(error, code);
	} else {
		code = run_prepared(self, command, options, (char **) arguments->pdata);
	}
	cam_options_clear(&sets[0]);
	return code;
}

static CamExit
print_overview(CamCli *self)
{
	g_autofree char *help = cam_help_overview();

	fputs(help, self->options.help ? stdout : stderr);
	return self->options.help ? finish_output(self, CAM_EXIT_OK) : CAM_EXIT_USAGE;
}

CamExit
cam_cli_main(char **argv, const CamCliBackend *backend)
{
	CamCli self = { .argv = argv, .backend = backend };
	CamOptionSet global = { cam_global_options, &self.options };
	g_autoptr(GError) error = NULL;
	const CamCommand *command;
	char **words = argv[0] != NULL ? argv + 1 : argv;
	int consumed = cam_options_parse(&global, 1, words, TRUE, NULL, &error);
	guint used;
	CamExit code;

	if (consumed < 0)
		return fail(error, CAM_EXIT_USAGE);
	if (self.options.version) {
		puts("cambium " CAM_VERSION);
		return finish_output(&self, CAM_EXIT_OK);
	}
	if (words[consumed] == NULL)
		return print_overview(&self);
	command = cam_command_find_words(words + consumed, &used, &error);
	if (command == NULL)
		return fail(error, CAM_EXIT_USAGE);
	code = run_command(&self, command, words + consumed + used);
	cli_clear(&self);
	return code;
}
