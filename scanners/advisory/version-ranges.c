/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Affected versions of a package: writing them as a compact text and asking that text about a
 * version. The order of versions is version.c's.
 */
#include "scanners/advisory/version-ranges.h"

#include <string.h>

typedef struct {
	char kind;
	char *version;
} Event;

struct _CamVersionRanges {
	CamVersionCompare compare;
	GString *text;
	GArray *events; /* of the range that is open */
};

static void
event_clear(Event *event)
{
	g_free(event->version);
}

CamVersionRanges *
cam_version_ranges_new(CamVersionCompare compare)
{
	CamVersionRanges *self = g_new0(CamVersionRanges, 1);

	self->compare = compare;
	self->text = g_string_new(NULL);
	self->events = g_array_new(FALSE, FALSE, sizeof(Event));
	g_array_set_clear_func(self->events, (GDestroyNotify) event_clear);
	return self;
}

void
cam_version_ranges_free(CamVersionRanges *self)
{
	if (self == NULL)
		return;
	g_string_free(self->text, TRUE);
	g_array_unref(self->events);
	g_free(self);
}

/* "0" as an introduction is before everything, be it "0~rc1". */
static gboolean
is_beginning(const Event *event)
{
	return event->kind == 'i' && g_str_equal(event->version, "0");
}

static int
compare_events(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const Event *left = a, *right = b;
	const CamVersionRanges *self = user_data;

	if (is_beginning(left) || is_beginning(right))
		return is_beginning(right) - is_beginning(left);
	return self->compare(left->version, right->version);
}

static void
finish_range(CamVersionRanges *self)
{
	if (self->compare != NULL && self->events->len > 0) {
		g_array_sort_with_data(self->events, compare_events, self);
		g_string_append(self->text, "r\n");
		for (guint i = 0; i < self->events->len; i++) {
			const Event *event = &g_array_index(self->events, Event, i);

			g_string_append_printf(self->text, "%c %s\n", event->kind, event->version);
		}
	}
	g_array_set_size(self->events, 0);
}

void
cam_version_ranges_begin(CamVersionRanges *self)
{
	finish_range(self);
}

void
cam_version_ranges_add_event(CamVersionRanges *self, char kind, const char *version)
{
	Event event = { kind, g_strdup(version) };

	g_array_append_val(self->events, event);
}

void
cam_version_ranges_add_version(CamVersionRanges *self, const char *version)
{
	finish_range(self);
	if (!cam_version_ranges_match(self->text->str, self->compare, version, NULL))
		g_string_append_printf(self->text, "= %s\n", version);
}

char *
cam_version_ranges_finish(CamVersionRanges *self)
{
	char *text;

	finish_range(self);
	text = g_strdup(self->text->str);
	cam_version_ranges_free(self);
	return text;
}

/* How far reading one range has come. */
typedef struct {
	gboolean affected;
	gboolean has_limit, below_limit;
	const char *fixed; /* (nullable): in the text, not terminated by itself */
	gsize fixed_size;
} RangeState;

static void
take_event(RangeState *state, CamVersionCompare compare, char kind, const char *event,
	   const char *version)
{
	gboolean beginning = kind == 'i' && g_str_equal(event, "0");
	int order = beginning ? 1 : compare(version, event);

	switch (kind) {
	case 'i':
		if (order >= 0)
			state->affected = TRUE;
		break;
	case 'f':
		if (order >= 0)
			state->affected = FALSE;
		break;
	case 'l':
		if (order > 0)
			state->affected = FALSE;
		break;
	default: /* 't' */
		state->has_limit = TRUE;
		state->below_limit = state->below_limit || order < 0;
		break;
	}
}

/* A later range, or a single version, ends the one before. */
static void
end_range(RangeState *state, CamVersionCompare compare, gboolean *matches, char **fixed)
{
	if (state->affected && (!state->has_limit || state->below_limit)) {
		*matches = TRUE;
		if (state->fixed != NULL) {
			g_autofree char *candidate = g_strndup(state->fixed, state->fixed_size);

			if (*fixed == NULL || compare(candidate, *fixed) < 0) {
				g_free(*fixed);
				*fixed = g_steal_pointer(&candidate);
			}
		}
	}
	memset(state, 0, sizeof(*state));
}

gboolean
cam_version_ranges_match(const char *ranges, CamVersionCompare compare, const char *version,
			 char **fixed)
{
	g_autofree char *lowest_fix = NULL;
	g_autoptr(GString) value = g_string_new(NULL);
	RangeState state = { 0 };
	gboolean matches = FALSE;

	for (const char *line = ranges, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		g_string_truncate(value, 0);
		if (end - line > 2)
			g_string_append_len(value, line + 2, end - line - 2);
		if (line[0] == 'r') {
			end_range(&state, compare, &matches, &lowest_fix);
		} else if (line[0] == '=') {
			end_range(&state, compare, &matches, &lowest_fix);
			matches = matches || (compare != NULL ? compare(value->str, version) == 0
							      : g_str_equal(value->str, version));
		} else if (compare != NULL) {
			take_event(&state, compare, line[0], value->str, version);
			if (line[0] == 'f' && state.fixed == NULL &&
			    compare(value->str, version) > 0) {
				state.fixed = line + 2;
				state.fixed_size = end - line - 2;
			}
		}
	}
	end_range(&state, compare, &matches, &lowest_fix);
	if (fixed != NULL)
		*fixed = matches ? g_steal_pointer(&lowest_fix) : NULL;
	return matches;
}
