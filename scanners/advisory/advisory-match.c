/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From records to matches: several records, and several sources, tell of one vulnerability. Pure:
 * knows no database.
 */
#include "scanners/advisory/advisory-match.h"

#include <string.h>

/* All rows of one identity. */
typedef struct {
	const char *id;
	GPtrArray *rows;   /* (element-type CamAdvisoryRow), not owned; after select_rows() those
			    * that speak */
	GPtrArray *silent; /* the others */
} Group;

void
cam_advisory_row_free(CamAdvisoryRow *self)
{
	if (self == NULL)
		return;
	g_strfreev(self->identities);
	g_free(self->kind);
	g_free(self->source);
	g_free(self->fixed);
	g_strfreev(self->aliases);
	g_free(self->summary);
	g_strfreev(self->references);
	g_free(self->vector);
	g_free(self);
}

void
cam_advisory_free(CamAdvisory *self)
{
	if (self == NULL)
		return;
	g_free(self->id);
	g_strfreev(self->aliases);
	g_free(self->summary);
	g_free(self->vector);
	g_strfreev(self->references);
	g_free(self->source);
	g_free(self);
}

gboolean
cam_advisory_is_security_update(const char *id)
{
	return g_str_has_prefix(id, CAM_SECURITY_UPDATE_PREFIX);
}

void
cam_match_free(CamMatch *self)
{
	if (self == NULL)
		return;
	cam_advisory_free(self->advisory);
	g_free(self->fixed_version);
	g_free(self);
}

static void
group_free(Group *self)
{
	g_ptr_array_unref(self->rows);
	g_ptr_array_unref(self->silent);
	g_free(self);
}

static int
compare_groups(gconstpointer a, gconstpointer b)
{
	return strcmp((*(Group *const *) a)->id, (*(Group *const *) b)->id);
}

/* Sorted by id. */
static GPtrArray *
group_rows(const GPtrArray *rows)
{
	g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *groups = g_ptr_array_new_with_free_func((GDestroyNotify) group_free);

	for (guint i = 0; i < rows->len; i++) {
		CamAdvisoryRow *row = g_ptr_array_index(rows, i);

		for (gsize n = 0; row->identities[n] != NULL; n++) {
			Group *group = g_hash_table_lookup(by_id, row->identities[n]);

			if (group == NULL) {
				group = g_new0(Group, 1);
				group->id = row->identities[n];
				group->rows = g_ptr_array_new();
				group->silent = g_ptr_array_new();
				g_hash_table_insert(by_id, row->identities[n], group);
				g_ptr_array_add(groups, group);
			}
			g_ptr_array_add(group->rows, row);
		}
	}
	g_ptr_array_sort(groups, compare_groups);
	return groups;
}

static gboolean
is_changelog(const CamAdvisoryRow *row)
{
	return g_str_equal(row->kind, CAM_ADVISORY_KIND_CHANGELOG);
}

/* ---- which rows speak ---- */

static gboolean
has_scope(const Group *group, CamScope scope)
{
	for (guint i = 0; i < group->rows->len; i++) {
		const CamAdvisoryRow *row = g_ptr_array_index(group->rows, i);

		if (row->scope == scope && !is_changelog(row))
			return TRUE;
	}
	return FALSE;
}

static gboolean
has_changelog(const Group *group)
{
	for (guint i = 0; i < group->rows->len; i++)
		if (is_changelog(g_ptr_array_index(group->rows, i)))
			return TRUE;
	return FALSE;
}

/* See cam_advisory_match_rows(). */
static CamScope
find_scope(const Group *group, CamBuild build)
{
	if (build == CAM_BUILD_FIPS && has_scope(group, CAM_SCOPE_FIPS))
		return CAM_SCOPE_FIPS;
	if (build == CAM_BUILD_ESM && has_scope(group, CAM_SCOPE_PRO))
		return CAM_SCOPE_PRO;
	if (has_scope(group, CAM_SCOPE_RELEASE) || has_changelog(group))
		return CAM_SCOPE_RELEASE;
	return has_scope(group, CAM_SCOPE_PRO) ? CAM_SCOPE_PRO : CAM_SCOPE_ANY_RELEASE;
}

static void
select_rows(Group *group, CamBuild build)
{
	CamScope scope = find_scope(group, build);
	g_autoptr(GPtrArray) all = g_steal_pointer(&group->rows);

	group->rows = g_ptr_array_new();
	for (guint i = 0; i < all->len; i++) {
		CamAdvisoryRow *row = g_ptr_array_index(all, i);

		/* Changelogs are of the builds that the archive has. */
		if (is_changelog(row) ? scope != CAM_SCOPE_FIPS : row->scope == scope)
			g_ptr_array_add(group->rows, row);
		else
			g_ptr_array_add(group->silent, row);
	}
}

/* Whether another row of the same track, or the row itself, says that the version is affected. */
static gboolean
is_track_affected(const Group *group, guint track)
{
	for (guint i = 0; i < group->rows->len; i++) {
		const CamAdvisoryRow *row = g_ptr_array_index(group->rows, i);

		if (row->affected && row->track == track)
			return TRUE;
	}
	return FALSE;
}

/* One module has several tracks, and a build of any may be installed: what one of them fixes below
 * the installed version is fixed. */
static gboolean
is_fixed_in_a_track(const Group *group)
{
	for (guint i = 0; i < group->rows->len; i++) {
		const CamAdvisoryRow *row = g_ptr_array_index(group->rows, i);

		if (row->scope == CAM_SCOPE_FIPS && !is_track_affected(group, row->track))
			return TRUE;
	}
	return FALSE;
}

/* Whether the group's package is affected, see cam_advisory_match_rows(). */
static gboolean
is_affected(const Group *group)
{
	gboolean recorded = FALSE, affected = FALSE, fix_known = FALSE;
	gboolean in_changelog = FALSE, changelog_affected = FALSE;

	for (guint i = 0; i < group->rows->len; i++) {
		const CamAdvisoryRow *row = g_ptr_array_index(group->rows, i);

		if (is_changelog(row)) {
			in_changelog = TRUE;
			changelog_affected = changelog_affected || row->affected;
		} else {
			recorded = TRUE;
			affected = affected || row->affected;
			fix_known = fix_known || (row->affected && row->fixed != NULL);
		}
	}
	if (!recorded)
		return changelog_affected;
	if (affected && is_fixed_in_a_track(group))
		return FALSE;
	/* Records that know of no fix may be older than the package that has it. */
	if (affected && !fix_known && in_changelog)
		return changelog_affected;
	return affected;
}

/* How much a row knows of the severity. */
static int
rank_severity(const CamAdvisoryRow *row)
{
	return row->score >= 0 ? 2 : row->severity != CAM_SEVERITY_UNKNOWN ? 1 : 0;
}

/* Whether a name is of another CVE than the one that @id is: a notice of many CVEs names them all.
 */
static gboolean
is_foreign(const char *name, const char *id)
{
	const char *cve = strstr(name, "CVE-");

	if (g_str_equal(name, id))
		return TRUE;
	return cve != NULL && g_str_has_prefix(id, "CVE-") && !g_str_equal(cve, id);
}

/* @id: (nullable): keeps out what is not a name of it */
static void
add_strings(GPtrArray *list, char **strings, const char *id)
{
	for (gsize i = 0; strings[i] != NULL; i++)
		if ((id == NULL || !is_foreign(strings[i], id)) &&
		    !g_ptr_array_find_with_equal_func(list, strings[i], g_str_equal, NULL))
			g_ptr_array_add(list, g_strdup(strings[i]));
}

static char **
steal_strings(GPtrArray *list)
{
	g_ptr_array_add(list, NULL);
	return (char **) g_ptr_array_free(list, FALSE);
}

static gboolean
is_pro(const CamAdvisoryRow *row)
{
	return row->scope == CAM_SCOPE_PRO || row->scope == CAM_SCOPE_FIPS;
}

/* A fix that everybody can have goes before one of Ubuntu Pro; of the same kind, the lowest. */
static void
merge_fixed(CamMatch *match, const CamAdvisoryRow *row, CamVersionCompare compare)
{
	if (row->fixed == NULL)
		return;
	if (match->fixed_version != NULL && match->pro_only == is_pro(row) &&
	    (compare == NULL || compare(row->fixed, match->fixed_version) >= 0))
		return;
	if (match->fixed_version != NULL && !match->pro_only && is_pro(row))
		return;
	g_free(match->fixed_version);
	match->fixed_version = g_strdup(row->fixed);
	match->pro_only = is_pro(row);
}

/* Rows that do not judge the version may still know a fix of it: another build of the same package,
 * which is no replacement for a certified one. */
static void
merge_silent(CamMatch *match, const Group *group, CamVersionCompare compare)
{
	if (has_scope(group, CAM_SCOPE_FIPS))
		return;
	for (guint i = 0; i < group->silent->len; i++) {
		const CamAdvisoryRow *row = g_ptr_array_index(group->silent, i);

		if (row->affected && !is_changelog(row) &&
		    (row->scope == CAM_SCOPE_RELEASE || row->scope == CAM_SCOPE_PRO))
			merge_fixed(match, row, compare);
	}
}

/* The row that knows most speaks; from the others come names and what it lacks. */
static CamMatch *
merge_group(const Group *group, CamVersionCompare compare)
{
	CamMatch *match = g_new0(CamMatch, 1);
	CamAdvisory *advisory = g_new0(CamAdvisory, 1);
	GPtrArray *aliases = g_ptr_array_new(), *references = g_ptr_array_new();
	GPtrArray *sources = g_ptr_array_new();
	const CamAdvisoryRow *best = NULL;
	g_auto(GStrv) source_names = NULL;

	for (guint i = 0; i < group->rows->len; i++) {
		CamAdvisoryRow *row = g_ptr_array_index(group->rows, i);
		char *source[] = { row->source, NULL };

		if (!row->affected)
			continue;
		if (best == NULL || rank_severity(row) > rank_severity(best))
			best = row;
		if (row->summary != NULL && (advisory->summary == NULL || row == best)) {
			g_free(advisory->summary);
			advisory->summary = g_strdup(row->summary);
		}
		merge_fixed(match, row, compare);
		add_strings(aliases, row->aliases, group->id);
		add_strings(references, row->references, NULL);
		add_strings(sources, source, NULL);
		if (row->published != 0 &&
		    (advisory->published == 0 || row->published < advisory->published))
			advisory->published = row->published;
		advisory->modified = MAX(advisory->modified, row->modified);
	}
	merge_silent(match, group, compare);
	advisory->id = g_strdup(group->id);
	advisory->severity = best->severity;
	advisory->score = best->score;
	advisory->vector = g_strdup(best->vector);
	advisory->aliases = steal_strings(aliases);
	advisory->references = steal_strings(references);
	source_names = steal_strings(sources);
	advisory->source = g_strjoinv(", ", source_names);
	match->advisory = advisory;
	return match;
}

GPtrArray *
cam_advisory_match_rows(const GPtrArray *rows, CamBuild build, CamVersionCompare compare)
{
	g_autoptr(GPtrArray) groups = group_rows(rows);
	GPtrArray *matches = g_ptr_array_new_with_free_func((GDestroyNotify) cam_match_free);

	for (guint i = 0; i < groups->len; i++) {
		Group *group = g_ptr_array_index(groups, i);

		select_rows(group, build);
		if (is_affected(group))
			g_ptr_array_add(matches, merge_group(group, compare));
	}
	return matches;
}
