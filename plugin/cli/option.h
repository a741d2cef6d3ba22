/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a shell offers for a value or an argument. */
typedef enum {
	CAM_COMPLETE_NOTHING,
	CAM_COMPLETE_FILE,
	CAM_COMPLETE_DIRECTORY,
	CAM_COMPLETE_IMAGE, /* names of images in the store, and files (locations) */
	CAM_COMPLETE_COMMAND,
	CAM_COMPLETE_CHOICES,
} CamCompletion;

/* What an option stores, at its offset in the command's options struct. */
typedef enum {
	CAM_OPTION_FLAG,   /* gboolean */
	CAM_OPTION_TEXT,   /* const char *, a string of argv */
	CAM_OPTION_LIST,   /* GPtrArray * of strings of argv, NULL-terminated; repeatable */
	CAM_OPTION_CHOICE, /* int: 0 where it is not given, else 1 + the index in choices */
} CamOptionKind;

/**
 * CamOption: one option, for the parser, the help, the man page and the completion alike. Tables
 * of them end with an entry without name.
 */
typedef struct {
	const char *name; /* without the dashes */
	char letter;	  /* or 0 */
	CamOptionKind kind;
	gsize offset;
	const char *value;	    /* what its value is called, "DIR"; NULL for flags */
	const char *const *choices; /* of CAM_OPTION_CHOICE, NULL-terminated */
	CamCompletion completion;
	const char *help; /* a phrase in lower case, without full stop */
} CamOption;

/* A table and the struct that it fills, which starts zeroed. */
typedef struct {
	const CamOption *options;
	gpointer target;
} CamOptionSet;

/**
 * cam_options_parse:
 * @sets: tables that are looked at in turn
 * @argv: words, NULL-terminated; they must outlive the targets
 * @only_before_argument: stop at the first word that is no option
 * @arguments: (inout): gets the words that are no options
 *
 * Understands `--name VALUE`, `--name=VALUE`, `-lVALUE`, `-l VALUE`, joined flags (`-qv`) and `--`.
 *
 * Returns: the number of words consumed, or -1 with %CAM_ERROR_INVALID_ARGUMENT whose message
 *     suggests what was probably meant
 */
int cam_options_parse(const CamOptionSet *sets, guint n_sets, char **argv,
		      gboolean only_before_argument, GPtrArray *arguments, GError **error);

/* Frees what parsing allocated in the target. */
void cam_options_clear(const CamOptionSet *set);

G_END_DECLS
