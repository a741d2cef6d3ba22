/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Help texts, made from the command tables. Man pages (man.c) and completions (completion.c) are
 * made from the same tables.
 */
#include "plugin/cli/help.h"

#include <string.h>

#define WIDTH  96
#define COLUMN 28 /* where the right-hand texts begin */

static void
fill_paragraph(GString *out, const char *paragraph, guint indent, guint width)
{
	g_auto(GStrv) words = g_strsplit_set(paragraph, " \n\t", -1);
	glong column = 0;

	for (guint i = 0; words[i] != NULL; i++) {
		glong length = g_utf8_strlen(words[i], -1);

		if (length == 0)
			continue;
		if (column > 0 && column + 1 + length > (glong) (width - indent)) {
			g_string_append_c(out, '\n');
			column = 0;
		}
		if (column == 0)
			g_string_append_printf(out, "%*s", (int) indent, "");
		else
			g_string_append_c(out, ' ');
		column += length + (column > 0);
		g_string_append(out, words[i]);
	}
	g_string_append_c(out, '\n');
}

char *
cam_text_fill(const char *text, guint indent, guint width)
{
	g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);
	GString *out = g_string_new(NULL);

	for (guint i = 0; paragraphs[i] != NULL; i++) {
		if (i > 0)
			g_string_append_c(out, '\n');
		fill_paragraph(out, paragraphs[i], indent, width);
	}
	return g_string_free(out, FALSE);
}

/* "  left             right, filled" */
static void
append_pair(GString *out, const char *left, const char *right)
{
	g_autofree char *filled = cam_text_fill(right, COLUMN, WIDTH);

	if (g_utf8_strlen(left, -1) + 4 > COLUMN)
		g_string_append_printf(out, "  %s\n%s", left, filled);
	else
		g_string_append_printf(out, "  %s%*s%s", left,
				       (int) (COLUMN - 2 - g_utf8_strlen(left, -1)), "",
				       filled + COLUMN);
}

char *
cam_option_to_string(const CamOption *option)
{
	GString *text = g_string_new(NULL);

	if (option->letter != 0)
		g_string_append_printf(text, "-%c, ", option->letter);
	g_string_append_printf(text, "--%s", option->name);
	if (option->kind != CAM_OPTION_FLAG)
		g_string_append_printf(text, " %s", option->value);
	return g_string_free(text, FALSE);
}

char *
cam_option_help(const CamOption *option)
{
	g_autofree char *choices = NULL;

	if (option->kind == CAM_OPTION_LIST)
		return g_strdup_printf("%s (may be repeated)", option->help);
	if (option->kind != CAM_OPTION_CHOICE)
		return g_strdup(option->help);
	choices = g_strjoinv(", ", (char **) option->choices);
	return g_strdup_printf("%s: %s", option->help, choices);
}

void
cam_help_append_options(GString *out, const char *title, const CamOption *options)
{
	if (options == NULL || options->name == NULL)
		return;
	g_string_append_printf(out, "\n%s:\n", title);
	for (const CamOption *o = options; o->name != NULL; o++) {
		g_autofree char *left = cam_option_to_string(o);
		g_autofree char *right = cam_option_help(o);

		append_pair(out, left, right);
	}
}

char *
cam_help_overview(void)
{
	GString *out = g_string_new(
		"Usage: cambium [OPTION…] COMMAND …\n"
		"\n"
		"Keeps container images as trees in one content-addressed store, finds what is "
		"wrong with\n"
		"them, and heals it by growing one new layer.\n"
		"\n"
		"The main job:\n"
		"  cambium import docker://registry.example.org/shop:1.0   fetch it into the "
		"store\n"
		"  cambium db update                                       learn what is known to "
		"be wrong\n"
		"  cambium scan registry.example.org/shop:1.0              see what is wrong with "
		"it\n"
		"  cambium fix registry.example.org/shop:1.0               make …/shop:1.0_fix\n"
		"\n"
		"Commands:\n");

	for (guint i = 0; cam_commands[i] != NULL; i++) {
		if (!cam_commands[i]->hidden)
			append_pair(out, cam_commands[i]->name, cam_commands[i]->summary);
	}
	cam_help_append_options(out, "Options, before or after the command", cam_global_options);
	g_string_append(out,
			"\nExit status: 0 done; 1 failed; 2 wrong usage; 3 a policy is violated"
			" (scan --fail-on);\n4 not found; 130 interrupted.\n"
			"\n'cambium help COMMAND' explains a command and shows examples.\n");
	return g_string_free(out, FALSE);
}

char *
cam_help_for_command(const CamCommand *command)
{
	g_autofree char *usage = cam_command_usage(command);
	g_autofree char *description = cam_text_fill(command->description, 0, WIDTH);
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "Usage: %s\n\n%s", usage, description);
	if (command->arguments != NULL && command->arguments->name != NULL)
		g_string_append(out, "\nArguments:\n");
	for (const CamArgument *a = command->arguments; a != NULL && a->name != NULL; a++)
		append_pair(out, a->name, a->help);
	cam_help_append_options(out, "Options", command->options);
	cam_help_append_options(out, "Options of every command", cam_global_options);
	g_string_append(out, "\nExamples:\n");
	for (const CamExample *e = command->examples; e != NULL && e->command != NULL; e++)
		g_string_append_printf(out, "  %s\n      %s\n", e->command, e->help);
	return g_string_free(out, FALSE);
}
