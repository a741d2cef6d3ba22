/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/option.h"

G_BEGIN_DECLS

typedef struct _CamCli CamCli;

/* How many words an argument stands for. */
typedef enum {
	CAM_ARGUMENT_ONE,
	CAM_ARGUMENT_OPTIONAL,
	CAM_ARGUMENT_MANY, /* one or more; only as the last */
	CAM_ARGUMENT_ANY,  /* any number; only as the last */
} CamArgumentCount;

/* Tables end with an entry without name. */
typedef struct {
	const char *name; /* "IMAGE" */
	CamArgumentCount count;
	CamCompletion completion;
	const char *const *choices; /* (nullable): of CAM_COMPLETE_CHOICES */
	const char *help;
} CamArgument;

/* Tables end with an entry without command. */
typedef struct {
	const char *command; /* "cambium scan shop:1.0" */
	const char *help;    /* what it does, a sentence */
} CamExample;

/**
 * CamCommand:
 *
 * One command of the command line: all that the parser, the help, the man page and the completion
 * need. One file each, cmd-NAME.c.
 */
typedef struct {
	const char *name;	 /* "scan", "db update" */
	const char *summary;	 /* a phrase in lower case, for lists */
	const char *description; /* paragraphs parted by blank lines; lines are filled */
	const CamArgument *arguments;
	const CamOption *options;
	gsize options_size; /* of the struct that they fill */
	const CamExample *examples;
	gboolean hidden; /* not for people */
	/* Takes a CamStoreHold: it puts things that become reachable only at its end, or reads
	 * what somebody might remove meanwhile. Never for gc. */
	gboolean holds_store;

	/* @options: the filled struct. @arguments: as many as the table allows, NULL-terminated.
	 * Data goes out through cam_cli_print(). The exit code follows from the error, unless
	 * cam_cli_set_exit() or cam_cli_usage_error() said another. */
	gboolean (*run)(CamCli *cli, gconstpointer options, const char *const *arguments,
			GError **error);
} CamCommand;

/* All commands, in the order of the help; ends with NULL. */
extern const CamCommand *const cam_commands[];

/* Options that every command has. */
extern const CamOption cam_global_options[];

/* (nullable): by its full name ("db update"). */
const CamCommand *cam_command_find(const char *name);

/**
 * cam_command_find_words:
 * @words: NULL-terminated, the command's name first
 * @used: (out): how many words the name has
 *
 * %CAM_ERROR_INVALID_ARGUMENT suggests what was probably meant.
 */
const CamCommand *cam_command_find_words(char **words, guint *used, GError **error);

/* Whether there are as many words as @command takes; the error names what is missing. */
gboolean cam_command_check_arguments(const CamCommand *command, guint n_words,
				     const char *const *words, GError **error);

/* "cambium scan [OPTION…] IMAGE" */
char *cam_command_usage(const CamCommand *command);

G_END_DECLS
