/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking up commands by the words that somebody typed, and telling what was wrong with them. The
 * table itself is in commands.c.
 */
#include "plugin/cli/command.h"

#include <string.h>

#include "plugin/cli/suggest.h"
#include "snapshotter/snapshotter.h"

const CamCommand *
cam_command_find(const char *name)
{
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		if (strcmp(cam_commands[i]->name, name) == 0)
			return cam_commands[i];
	}
	return NULL;
}

static gboolean
is_group(const char *name, const char *word)
{
	gsize length = strlen(word);

	return strncmp(name, word, length) == 0 && name[length] == ' ';
}

/* The names that could stand where @word does: of commands and groups, or, with @group, the second
 * words of that group. */
static GPtrArray *
candidates(const char *group)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; cam_commands[i] != NULL; i++) {
		const char *name = cam_commands[i]->name;
		const char *space = strchr(name, ' ');
		g_autofree char *first =
			space != NULL ? g_strndup(name, (gsize) (space - name)) : g_strdup(name);

		if (cam_commands[i]->hidden)
			continue;
		if (group != NULL && is_group(name, group))
			g_ptr_array_add(names, g_strdup(space + 1));
		else if (group == NULL &&
			 !g_ptr_array_find_with_equal_func(names, first, g_str_equal, NULL))
			g_ptr_array_add(names, g_steal_pointer(&first));
	}
	return names;
}

static gboolean
fail_unknown(const char *group, const char *word, GError **error)
{
	g_autoptr(GPtrArray) names = candidates(group);
	g_autofree char *list = NULL;
	const char *meant;

	g_ptr_array_add(names, NULL);
	list = g_strjoinv(", ", (char **) names->pdata);
	if (word == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "'%s' needs one more word: %s", group, list);
	meant = cam_suggest(word, (const char *const *) names->pdata);
	if (meant == NULL)
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT, "unknown command '%s%s%s'; there are %s",
			group != NULL ? group : "", group != NULL ? " " : "", word, list);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "unknown command '%s%s%s'; did you mean '%s%s%s'?",
			     group != NULL ? group : "", group != NULL ? " " : "", word,
			     group != NULL ? group : "", group != NULL ? " " : "", meant);
}

const CamCommand *
cam_command_find_words(char **words, guint *used, GError **error)
{
	const CamCommand *command = cam_command_find(words[0]);
	g_autofree char *two = NULL;
	gboolean group = FALSE;

	*used = 1;
	if (command != NULL)
		return command;
	for (guint i = 0; cam_commands[i] != NULL; i++)
		group |= is_group(cam_commands[i]->name, words[0]);
	if (!group) {
		fail_unknown(NULL, words[0], error);
		return NULL;
	}
	*used = 2;
	if (words[1] != NULL) {
		two = g_strdup_printf("%s %s", words[0], words[1]);
		command = cam_command_find(two);
	}
	if (command == NULL)
		fail_unknown(words[0], words[1], error);
	return command;
}

static gboolean
check_choice(const CamArgument *argument, const char *word, GError **error)
{
	g_autofree char *all = NULL;

	if (argument->completion != CAM_COMPLETE_CHOICES ||
	    g_strv_contains(argument->choices, word))
		return TRUE;
	all = g_strjoinv(", ", (char **) argument->choices);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "'%s' is not one of %s", word, all);
}

gboolean
cam_command_check_arguments(const CamCommand *command, guint n_words, const char *const *words,
			    GError **error)
{
	guint i = 0;

	for (const CamArgument *a = command->arguments; a != NULL && a->name != NULL; a++) {
		gboolean many = a->count == CAM_ARGUMENT_MANY || a->count == CAM_ARGUMENT_ANY;
		gboolean needed = a->count == CAM_ARGUMENT_ONE || a->count == CAM_ARGUMENT_MANY;

		if (i >= n_words && needed) {
			g_autofree char *usage = cam_command_usage(command);

			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s is missing: %s; usage: %s", a->name, a->help,
					     usage);
		}
		if (i < n_words && !check_choice(a, words[i], error))
			return FALSE;
		i = many ? MAX(i, n_words) : i + 1;
	}
	if (n_words > i) {
		g_autofree char *usage = cam_command_usage(command);

		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "'%s' is one argument too many; usage: %s", words[i], usage);
	}
	return TRUE;
}

char *
cam_command_usage(const CamCommand *command)
{
	GString *text = g_string_new("cambium ");

	g_string_append(text, command->name);
	if (command->options != NULL && command->options->name != NULL)
		g_string_append(text, " [OPTION…]");
	for (const CamArgument *a = command->arguments; a != NULL && a->name != NULL; a++) {
		switch (a->count) {
		case CAM_ARGUMENT_ONE:
			g_string_append_printf(text, " %s", a->name);
			break;
		case CAM_ARGUMENT_OPTIONAL:
			g_string_append_printf(text, " [%s]", a->name);
			break;
		case CAM_ARGUMENT_MANY:
			g_string_append_printf(text, " %s…", a->name);
			break;
		case CAM_ARGUMENT_ANY:
			g_string_append_printf(text, " [%s…]", a->name);
			break;
		}
	}
	return g_string_free(text, FALSE);
}
