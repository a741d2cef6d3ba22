/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Man pages, made from the same tables as the help. The build runs `cambium __man NAME` for each.
 */
#include "plugin/cli/man.h"

#include <string.h>

#include "config.h"
#include "plugin/cli/help.h"
#include "plugin/config.h"
#include "plugin/daemon/daemon-options.h"

/* Appends @text so that roff prints it as it is: man(7), groff_char(7). */
static void
append_escaped(GString *out, const char *text)
{
	gboolean line_start = TRUE;

	for (const char *p = text; *p != '\0'; p++) {
		if (line_start && (*p == '.' || *p == '\''))
			g_string_append(out, "\\&");
		if (*p == '\\')
			g_string_append(out, "\\e");
		else if (*p == '-')
			g_string_append(out, "\\-");
		else if (g_str_has_prefix(p, "…")) {
			g_string_append(out, "...");
			p += strlen("…") - 1;
		} else
			g_string_append_c(out, *p);
		line_start = *p == '\n';
	}
}

static void
append_title(GString *out, const char *name, const char *section, const char *summary)
{
	g_autofree char *upper = g_ascii_strup(name, -1);

	g_string_append(out, ".TH ");
	append_escaped(out, upper);
	g_string_append_printf(out, " %s \"\" \"Cambium " CAM_VERSION "\" \"Cambium\"\n.SH NAME\n",
			       section);
	append_escaped(out, name);
	g_string_append(out, " \\- ");
	append_escaped(out, summary);
	g_string_append_c(out, '\n');
}

static void
append_paragraphs(GString *out, const char *text)
{
	g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);

	for (guint i = 0; paragraphs[i] != NULL; i++) {
		g_string_append(out, ".PP\n");
		append_escaped(out, paragraphs[i]);
		g_string_append_c(out, '\n');
	}
}

static void
append_item(GString *out, const char *term, const char *text)
{
	g_string_append(out, ".TP\n.B ");
	append_escaped(out, term);
	g_string_append_c(out, '\n');
	append_escaped(out, text);
	g_string_append_c(out, '\n');
}

static void
append_options(GString *out, const char *title, const CamOption *options)
{
	if (options == NULL || options->name == NULL)
		return;
	g_string_append_printf(out, ".SH %s\n", title);
	for (const CamOption *o = options; o->name != NULL; o++) {
		g_autofree char *term = cam_option_to_string(o);
		g_autofree char *help = cam_option_help(o);

		append_item(out, term, help);
	}
}

static void
append_exit_status(GString *out)
{
	static const char *const codes[][2] = {
		{ "0", "done" },
		{ "1", "failed; the message says why" },
		{ "2", "wrong usage" },
		{ "3", "a policy is violated: scan \\-\\-fail\\-on found something" },
		{ "4", "an image, layer or location does not exist" },
		{ "130", "interrupted" },
	};

	g_string_append(out, ".SH EXIT STATUS\n");
	for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
		g_string_append_printf(out, ".TP\n.B %s\n%s\n", codes[i][0], codes[i][1]);
}

char *
cam_man_name(const CamCommand *command)
{
	char *name = g_strdup_printf("cambium-%s", command->name);

	return g_strdelimit(name, " ", '-');
}

char *
cam_man_for_command(const CamCommand *command)
{
	g_autofree char *name = cam_man_name(command);
	g_autofree char *usage = cam_command_usage(command);
	GString *out = g_string_new(NULL);

	append_title(out, name, "1", command->summary);
	g_string_append(out, ".SH SYNOPSIS\n.B ");
	append_escaped(out, usage);
	g_string_append(out, "\n.SH DESCRIPTION\n");
	append_paragraphs(out, command->description);
	for (const CamArgument *a = command->arguments; a != NULL && a->name != NULL; a++)
		append_item(out, a->name, a->help);
	append_options(out, "OPTIONS", command->options);
	append_options(out, "GLOBAL OPTIONS", cam_global_options);
	append_exit_status(out);
	g_string_append(out, ".SH EXAMPLES\n");
	for (const CamExample *e = command->examples; e != NULL && e->command != NULL; e++)
		append_item(out, e->command, e->help);
	g_string_append(out, ".SH SEE ALSO\n.BR cambium (1),\n.BR cambium.conf (5)\n");
	return g_string_free(out, FALSE);
}

char *
cam_man_overview(void)
{
	GString *out = g_string_new(NULL);

	append_title(out, "cambium", "1", "container images as trees: import, scan, fix");
	g_string_append(out,
			".SH SYNOPSIS\n.B cambium\n[OPTION...] COMMAND ...\n.SH DESCRIPTION\n");
	append_paragraphs(
		out,
		"Cambium keeps the layers of container images as trees in one content-addressed "
		"store, scans those trees where they lie, and heals what is wrong by growing one "
		"new "
		"layer and a new manifest, named <tag>_fix.\n\n"
		"An image is named by its reference in the store (shop:1.0), by a digest or an "
		"unambiguous beginning of one, or by a location: docker://HOST/REPOSITORY:TAG, "
		"oci:DIRECTORY:TAG, oci-archive:FILE, docker-archive:FILE, or simply the path of "
		"such "
		"a directory or file. Commands that read an image import a location first.\n\n"
		"Data goes to standard output, progress and messages to standard error.");
	g_string_append(out, ".SH COMMANDS\n");
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		if (!cam_commands[i]->hidden)
			append_item(out, cam_commands[i]->name, cam_commands[i]->summary);
	}
	append_options(out, "OPTIONS", cam_global_options);
	append_exit_status(out);
	g_string_append(out, ".SH ENVIRONMENT\n");
	append_item(out, "NO_COLOR", "if it is set and not empty, no colours are used");
	append_item(out, "XDG_DATA_HOME", "the store of a user who is not root lies below it");
	append_item(out, "REGISTRY_AUTH_FILE, DOCKER_CONFIG",
		    "where credentials for registries are looked for, as other tools do");
	g_string_append(out, ".SH FILES\n");
	append_item(out, CAM_STATE_DIR, "the store of root");
	append_item(out, "~/.local/share/cambium", "the store of another user");
	append_item(out, CAM_CONFIG_FILE, "see cambium.conf(5)");
	g_string_append(out, ".SH SEE ALSO\n");
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		g_autofree char *name = cam_man_name(cam_commands[i]);

		if (cam_commands[i]->hidden)
			continue;
		g_string_append(out, ".BR ");
		append_escaped(out, name);
		g_string_append(out, " (1),\n");
	}
	g_string_append(out, ".BR cambium.conf (5),\n.BR cambiumd (8)\n");
	return g_string_free(out, FALSE);
}

char *
cam_man_config(void)
{
	GString *out = g_string_new(NULL);
	const char *group = "";

	append_title(out, "cambium.conf", "5", "configuration of cambium");
	g_string_append(out, ".SH DESCRIPTION\n");
	append_paragraphs(out,
			  "A key file: groups in brackets, one KEY=VALUE a line, comments after "
			  "#. Lists are parted by semicolons. It is read from " CAM_CONFIG_FILE
			  " if it exists, or from the file that --config names. Options of the "
			  "command line have precedence. An unknown key is an error.");
	for (const CamConfigKey *k = cam_config_keys; k->group != NULL; k++) {
		g_autofree char *fallback = NULL;
		g_autofree char *text = NULL;

		if (strcmp(group, k->group) != 0) {
			group = k->group;
			g_string_append_printf(out, ".SH [%s]\n", group);
		}
		fallback = k->fallback != NULL ? g_strdup_printf(" Default: %s.", k->fallback)
					       : g_strdup("");
		text = g_strconcat(k->help, fallback, NULL);
		append_item(out, k->key, text);
	}
	g_string_append(out, ".SH SEE ALSO\n.BR cambium (1),\n.BR cambiumd (8)\n");
	return g_string_free(out, FALSE);
}

char *
cam_man_daemon(void)
{
	GString *out = g_string_new(NULL);

	append_title(out, "cambiumd", "8", cam_daemon_summary);
	g_string_append(out, ".SH SYNOPSIS\n.B cambiumd\n[OPTION...]\n.SH DESCRIPTION\n");
	append_paragraphs(out, cam_daemon_description);
	append_options(out, "OPTIONS", cam_daemon_options);
	g_string_append(out, ".SH FILES\n");
	append_item(out, CAM_STATE_DIR, "the store of root");
	append_item(out, CAM_DAEMON_SOCKET, "where containerd finds it");
	append_item(out, CAM_CONFIG_FILE, "see cambium.conf(5)");
	g_string_append(out, ".SH SEE ALSO\n.BR cambium (1),\n.BR cambium.conf (5)\n");
	return g_string_free(out, FALSE);
}
