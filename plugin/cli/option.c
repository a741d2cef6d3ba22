/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The option parser of the command line. GOptionEntry binds to addresses of variables, which rules
 * out constant tables that help, man pages and completions could be made from as well: hence this
 * small model of our own.
 */
#include "plugin/cli/option.h"

#include <string.h>

#include "plugin/cli/suggest.h"
#include "snapshotter/snapshotter.h"

typedef struct {
	const CamOptionSet *sets;
	guint n_sets;
	char **argv;
	int next; /* word to look at */
	GPtrArray *arguments;
} Parser;

static const CamOption *
find(const Parser *self, const char *name, gsize length, char letter, gpointer *target)
{
	for (guint i = 0; i < self->n_sets; i++) {
		for (const CamOption *o = self->sets[i].options; o != NULL && o->name != NULL;
		     o++) {
			gboolean same = name != NULL ? strlen(o->name) == length &&
							       strncmp(o->name, name, length) == 0
						     : o->letter == letter;

			if (same) {
				*target = self->sets[i].target;
				return o;
			}
		}
	}
	return NULL;
}

static gboolean
fail_unknown(const Parser *self, const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *meant;

	for (guint i = 0; i < self->n_sets; i++) {
		for (const CamOption *o = self->sets[i].options; o != NULL && o->name != NULL; o++)
			g_ptr_array_add(names, (gpointer) o->name);
	}
	g_ptr_array_add(names, NULL);
	meant = cam_suggest(name, (const char *const *) names->pdata);
	if (meant == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "unknown option '--%s'",
				     name);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "unknown option '--%s'; did you mean '--%s'?", name, meant);
}

static gboolean
store_choice(const CamOption *option, int *slot, const char *value, GError **error)
{
	g_autofree char *all = NULL;

	for (int i = 0; option->choices[i] != NULL; i++) {
		if (g_ascii_strcasecmp(option->choices[i], value) == 0) {
			*slot = i + 1;
			return TRUE;
		}
	}
	all = g_strjoinv(", ", (char **) option->choices);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "--%s: '%s' is not one of %s",
			     option->name, value, all);
}

static gboolean
store_value(const CamOption *option, gpointer target, char *value, GError **error)
{
	gpointer slot = (char *) target + option->offset;
	GPtrArray **list = slot;

	switch (option->kind) {
	case CAM_OPTION_FLAG:
		*(gboolean *) slot = TRUE;
		return TRUE;
	case CAM_OPTION_TEXT:
		*(const char **) slot = value;
		return TRUE;
	case CAM_OPTION_LIST:
		if (*list == NULL)
			*list = g_ptr_array_new_null_terminated(1, NULL, TRUE);
		g_ptr_array_add(*list, value);
		return TRUE;
	case CAM_OPTION_CHOICE:
		return store_choice(option, slot, value, error);
	}
	g_assert_not_reached();
}

/* The value that follows as a word of its own. */
static gboolean
take_value(Parser *self, const CamOption *option, char **value, GError **error)
{
	*value = self->argv[self->next];
	if (*value == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "option '--%s' needs a value: --%s %s", option->name,
				     option->name, option->value);
	self->next++;
	return TRUE;
}

static gboolean
parse_long(Parser *self, char *word, GError **error)
{
	char *equals = strchr(word, '=');
	gsize length = equals != NULL ? (gsize) (equals - word) : strlen(word);
	gpointer target;
	const CamOption *option = find(self, word, length, 0, &target);
	char *value = equals != NULL ? equals + 1 : NULL;

	if (option == NULL) {
		g_autofree char *name = g_strndup(word, length);

		return fail_unknown(self, name, error);
	}
	if (option->kind == CAM_OPTION_FLAG && value != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "option '--%s' takes no value", option->name);
	if (option->kind != CAM_OPTION_FLAG && value == NULL &&
	    !take_value(self, option, &value, error))
		return FALSE;
	return store_value(option, target, value, error);
}

static gboolean
parse_letters(Parser *self, char *letters, GError **error)
{
	for (char *l = letters; *l != '\0'; l++) {
		gpointer target;
		const CamOption *option = find(self, NULL, 0, *l, &target);
		char *value = l[1] != '\0' ? l + 1 : NULL;

		if (option == NULL)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "unknown option '-%c'", *l);
		if (option->kind == CAM_OPTION_FLAG) {
			if (!store_value(option, target, NULL, error))
				return FALSE;
			continue;
		}
		if (value == NULL && !take_value(self, option, &value, error))
			return FALSE;
		return store_value(option, target, value, error);
	}
	return TRUE;
}

int
cam_options_parse(const CamOptionSet *sets, guint n_sets, char **argv,
		  gboolean only_before_argument, GPtrArray *arguments, GError **error)
{
	Parser self = { sets, n_sets, argv, 0, arguments };
	gboolean options_end = FALSE;

	while (self.argv[self.next] != NULL) {
		char *word = self.argv[self.next];

		/* "-" alone is an argument: standard output. */
		if (options_end || word[0] != '-' || word[1] == '\0') {
			if (only_before_argument)
				return self.next;
			g_ptr_array_add(arguments, word);
			self.next++;
			continue;
		}
		self.next++;
		if (strcmp(word, "--") == 0)
			options_end = TRUE;
		else if (word[1] == '-' ? !parse_long(&self, word + 2, error)
					: !parse_letters(&self, word + 1, error))
			return -1;
	}
	return self.next;
}

void
cam_options_clear(const CamOptionSet *set)
{
	for (const CamOption *o = set->options; o != NULL && o->name != NULL; o++) {
		if (o->kind == CAM_OPTION_LIST) {
			GPtrArray **list = (gpointer) ((char *) set->target + o->offset);

			g_clear_pointer(list, g_ptr_array_unref);
		}
	}
}
