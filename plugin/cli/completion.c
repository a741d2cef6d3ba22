/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shell completion. The scripts are stubs: they ask `cambium __complete`, which answers from the
 * command tables, so that no shell has to know them.
 */
#include "plugin/cli/completion.h"

#include <string.h>

const char *const cam_completion_shells[] = { "bash", "zsh", "fish", NULL };

/* The answer of __complete: lines "WORD\tDESCRIPTION", then ":file", ":directory" or ":nothing". */
static const char *const scripts[] = {
	/* bash */
	"# bash completion for cambium, made by 'cambium completion bash'\n"
	"_cambium() {\n"
	"\tlocal line word=$2\n"
	"\t# readline cuts words at ':' and '='; ask with the whole word, answer with its rest.\n"
	"\tlocal text=${COMP_LINE:0:COMP_POINT}\n"
	"\tlocal -a words\n"
	"\tread -ra words <<< \"$text\"\n"
	"\t[[ $text == *[[:space:]] ]] && words+=('')\n"
	"\tlocal whole=${words[-1]}\n"
	"\tlocal cut=${whole%\"$word\"}\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase \"$line\" in\n"
	"\t\t:file) while IFS= read -r line; do COMPREPLY+=(\"$line\"); done \\\n"
	"\t\t\t< <(compgen -f -- \"$word\"); compopt -o filenames 2> /dev/null ;;\n"
	"\t\t:directory) while IFS= read -r line; do COMPREPLY+=(\"$line\"); done \\\n"
	"\t\t\t< <(compgen -d -- \"$word\"); compopt -o filenames 2> /dev/null ;;\n"
	"\t\t:*) ;;\n"
	"\t\t*) line=${line%%$'\\t'*}; COMPREPLY+=(\"${line#\"$cut\"}\") ;;\n"
	"\t\tesac\n"
	"\tdone < <(\"${words[0]}\" __complete -- \"${words[@]:1}\" 2> /dev/null)\n"
	"}\n"
	"complete -F _cambium cambium\n",
	/* zsh */
	"#compdef cambium\n"
	"# zsh completion for cambium, made by 'cambium completion zsh'\n"
	"_cambium() {\n"
	"\tlocal line\n"
	"\tlocal -a found\n"
	"\tfor line in \"${(@f)$(\"${words[1]}\" __complete -- \"${(@)words[2,CURRENT]}\" 2> "
	"/dev/null)}\"; do\n"
	"\t\tcase $line in\n"
	"\t\t:file) _files ;;\n"
	"\t\t:directory) _files -/ ;;\n"
	"\t\t:*) ;;\n"
	"\t\t*) found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#found )) && _describe cambium found\n"
	"}\n"
	"# Autoloaded, this file is the function itself.\n"
	"if [[ $funcstack[1] == _cambium ]]; then _cambium \"$@\"; else compdef _cambium cambium; "
	"fi\n",
	/* fish */
	"# fish completion for cambium, made by 'cambium completion fish'\n"
	"function __cambium_complete\n"
	"    set -l words (commandline -opc)\n"
	"    set -l word (commandline -ct)\n"
	"    for line in ($words[1] __complete -- $words[2..-1] \"$word\" 2> /dev/null)\n"
	"        switch $line\n"
	"            case ':file'\n"
	"                __fish_complete_path $word\n"
	"            case ':directory'\n"
	"                __fish_complete_directories $word\n"
	"            case ':*'\n"
	"            case '*'\n"
	"                printf '%s\\n' $line\n"
	"        end\n"
	"    end\n"
	"end\n"
	"complete -c cambium -f -a '(__cambium_complete)'\n",
};

const char *
cam_completion_script(const char *shell)
{
	for (guint i = 0; cam_completion_shells[i] != NULL; i++) {
		if (strcmp(cam_completion_shells[i], shell) == 0)
			return scripts[i];
	}
	return NULL;
}

static void
add(GPtrArray *candidates, const char *prefix, const char *word, const char *description)
{
	if (g_str_has_prefix(word, prefix))
		g_ptr_array_add(candidates, g_strdup_printf("%s\t%s", word, description));
}

static void
add_choices(GPtrArray *candidates, const char *prefix, const char *const *choices)
{
	for (guint i = 0; choices[i] != NULL; i++)
		add(candidates, prefix, choices[i], "");
}

static void
add_options(GPtrArray *candidates, const char *prefix, const CamOption *options)
{
	for (const CamOption *o = options; o != NULL && o->name != NULL; o++) {
		g_autofree char *word = g_strconcat("--", o->name, NULL);

		add(candidates, prefix, word, o->help);
	}
}

/* Commands and groups; with @group the second words of that group. */
static void
add_commands(GPtrArray *candidates, const char *prefix, const char *group)
{
	g_autofree char *last_group = g_strdup("");

	for (guint i = 0; cam_commands[i] != NULL; i++) {
		const CamCommand *command = cam_commands[i];
		gsize length = strcspn(command->name, " ");
		gboolean in_group = command->name[length] == ' ';
		g_autofree char *first = g_strndup(command->name, length);

		if (command->hidden)
			continue;
		if (group != NULL && in_group && strcmp(first, group) == 0)
			add(candidates, prefix, command->name + length + 1, command->summary);
		else if (group == NULL && !in_group)
			add(candidates, prefix, first, command->summary);
		else if (group == NULL && strcmp(first, last_group) != 0)
			add(candidates, prefix, first, "several commands");
		if (in_group) {
			g_free(last_group);
			last_group = g_steal_pointer(&first);
		}
	}
}

/* The option of one of the two tables that the word @text names, if it takes a value. */
static const CamOption *
option_with_value(const CamCommand *command, const char *text)
{
	const CamOption *tables[] = { cam_global_options,
				      command != NULL ? command->options : NULL };

	for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
		for (const CamOption *o = tables[i]; o != NULL && o->name != NULL; o++) {
			gboolean same = g_str_has_prefix(text, "--")
						? strcmp(text + 2, o->name) == 0
						: text[0] == '-' && text[1] == o->letter &&
							  o->letter != 0 && text[2] == '\0';

			if (same && o->kind != CAM_OPTION_FLAG)
				return o;
		}
	}
	return NULL;
}

/* Where the cursor stands: behind which command and argument, or behind which option. */
typedef struct {
	const CamCommand *command; /* (nullable) */
	const char *group;	   /* (nullable): a first word that needs a second */
	const CamOption *option;   /* (nullable): whose value is wanted */
	guint n_arguments;
} Position;

static void
locate(Position *at, char **words)
{
	for (guint i = 0; words[i] != NULL; i++) {
		if (at->option != NULL) {
			at->option = NULL;
		} else if (words[i][0] == '-') {
			at->option = option_with_value(at->command, words[i]);
		} else if (at->command != NULL) {
			at->n_arguments++;
		} else if (at->group != NULL) {
			g_autofree char *name = g_strdup_printf("%s %s", at->group, words[i]);

			at->command = cam_command_find(name);
		} else {
			at->command = cam_command_find(words[i]);
			at->group = at->command == NULL ? words[i] : NULL;
		}
	}
}

static const CamArgument *
argument_at(const CamCommand *command, guint n)
{
	const CamArgument *argument = command->arguments;

	for (; argument != NULL && argument->name != NULL; argument++) {
		gboolean many =
			argument->count == CAM_ARGUMENT_MANY || argument->count == CAM_ARGUMENT_ANY;

		if (n == 0 || many)
			return argument;
		n--;
	}
	return NULL;
}

static CamCompletion
offer(CamCompletion completion, const char *const *choices, const char *prefix,
      GPtrArray *candidates)
{
	if (completion == CAM_COMPLETE_CHOICES)
		add_choices(candidates, prefix, choices);
	else if (completion == CAM_COMPLETE_COMMAND)
		add_commands(candidates, prefix, NULL);
	else
		return completion;
	return CAM_COMPLETE_NOTHING;
}

CamCompletion
cam_complete(char **words, const char *prefix, GPtrArray *candidates)
{
	Position at = { 0 };
	const CamArgument *argument;

	locate(&at, words);
	if (at.option != NULL)
		return offer(at.option->kind == CAM_OPTION_CHOICE ? CAM_COMPLETE_CHOICES
								  : at.option->completion,
			     at.option->choices, prefix, candidates);
	if (prefix[0] == '-') {
		add_options(candidates, prefix, at.command != NULL ? at.command->options : NULL);
		add_options(candidates, prefix, cam_global_options);
		return CAM_COMPLETE_NOTHING;
	}
	if (at.command == NULL) {
		add_commands(candidates, prefix, at.group);
		return CAM_COMPLETE_NOTHING;
	}
	argument = argument_at(at.command, at.n_arguments);
	if (argument == NULL)
		return CAM_COMPLETE_NOTHING;
	return offer(argument->completion, argument->choices, prefix, candidates);
}
