/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/command.h"

G_BEGIN_DECLS

extern const char *const cam_completion_shells[]; /* NULL-terminated */

/* (nullable): the script for one of the shells; NULL for another name */
const char *cam_completion_script(const char *shell);

/**
 * cam_complete:
 * @words: what stands between "cambium" and the word to complete, NULL-terminated
 * @prefix: what there is of that word
 * @candidates: (element-type utf8): gets "WORD\tDESCRIPTION" for each that begins with @prefix
 *
 * Returns: what else may stand there and is not known to the tables: files, directories, images
 */
CamCompletion cam_complete(char **words, const char *prefix, GPtrArray *candidates);

G_END_DECLS
