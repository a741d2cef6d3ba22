/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns which packaged files an image does not want to have.
 */
#include "rebuild/pkgmgr/path-filter.h"

#include <fnmatch.h>

typedef struct {
	char *pattern;
	gboolean exclude;
} Rule;

struct _CamPathFilter {
	GArray *rules;
};

static void
rule_clear(gpointer data)
{
	Rule *self = data;

	g_free(self->pattern);
}

CamPathFilter *
cam_path_filter_new(void)
{
	CamPathFilter *self = g_new0(CamPathFilter, 1);

	self->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
	g_array_set_clear_func(self->rules, rule_clear);
	return self;
}

void
cam_path_filter_free(CamPathFilter *self)
{
	if (!self)
		return;
	g_array_unref(self->rules);
	g_free(self);
}

void
cam_path_filter_add(CamPathFilter *self, const char *pattern, gboolean exclude)
{
	Rule rule = { g_strdup(pattern), exclude };

	g_array_append_val(self->rules, rule);
}

gboolean
cam_path_filter_excludes(const CamPathFilter *self, const char *path)
{
	g_autofree char *absolute = g_strconcat("/", path, NULL);
	gboolean excluded = FALSE;

	for (guint i = 0; i < self->rules->len; i++) {
		const Rule *rule = &g_array_index(self->rules, Rule, i);

		if (fnmatch(rule->pattern, absolute, 0) == 0)
			excluded = rule->exclude;
	}
	return excluded;
}
