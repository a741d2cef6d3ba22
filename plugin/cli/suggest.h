/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Number of single-character edits (insert, delete, replace, swap of neighbours) from @a to @b. */
guint cam_edit_distance(const char *a, const char *b);

/**
 * cam_suggest:
 * @candidates: NULL-terminated
 *
 * Returns: (nullable) (transfer none): the candidate that @text was probably meant to be: the
 *     nearest one within a third of its length, or one that @text is the beginning of
 */
const char *cam_suggest(const char *text, const char *const *candidates);

G_END_DECLS
