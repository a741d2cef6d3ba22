/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "Did you mean …?": finds the word that a mistyped one was meant to be. Knows nothing of commands
 * or options.
 */
#include "plugin/cli/suggest.h"

#include <string.h>

/* Nobody types longer names; longer input is only compared for equality. */
#define MAX_LENGTH 64

guint
cam_edit_distance(const char *a, const char *b)
{
	gsize n = strlen(a), m = strlen(b);
	guint rows[3][MAX_LENGTH + 1];

	if (n > MAX_LENGTH || m > MAX_LENGTH)
		return strcmp(a, b) == 0 ? 0 : G_MAXUINT;
	for (gsize j = 0; j <= m; j++)
		rows[0][j] = (guint) j;
	for (gsize i = 1; i <= n; i++) {
		guint *row = rows[i % 3];
		const guint *above = rows[(i - 1) % 3];

		row[0] = (guint) i;
		for (gsize j = 1; j <= m; j++) {
			guint replace = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = MIN(replace, MIN(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *
cam_suggest(const char *text, const char *const *candidates)
{
	const char *best = NULL;
	guint best_distance = G_MAXUINT;

	for (guint i = 0; candidates[i] != NULL; i++) {
		guint distance = cam_edit_distance(text, candidates[i]);
		guint limit = MAX(1, (guint) strlen(candidates[i]) / 3);

		if (strlen(text) >= 2 && g_str_has_prefix(candidates[i], text))
			distance = MIN(distance, 1);
		if (distance <= limit && distance < best_distance) {
			best = candidates[i];
			best_distance = distance;
		}
	}
	return best;
}
