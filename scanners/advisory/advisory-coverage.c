/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far the database judges one version of a package: feeds cover an ecosystem, changelog sources
 * the packages that they looked up.
 */
#include "scanners/advisory/advisory-db-private.h"
#include "scanners/advisory/lookup.h"

void
cam_coverage_clear(CamCoverage *self)
{
	g_clear_pointer(&self->reason, g_free);
}

/* A vendor's feed names hundreds of packages of a release. One that names fewer, as a feed of one's
 * own does, judges those that it names and no others. */
#define WHOLE_FEED "100"

static gboolean
ask_feeds_of(CamAdvisoryDb *self, const char *ecosystem, const char *package, CamCoverage *out,
	     GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(
		cam_advisory_db_get_database(self),
		"SELECT count(*), ifnull(max(unfixed), 0) FROM covered c WHERE ecosystem = ?1"
		" AND (packages >= " WHOLE_FEED " OR EXISTS (SELECT 1 FROM packages p"
		" JOIN affected f ON f.package = p.id JOIN advisories a ON a.id = f.advisory"
		" WHERE p.ecosystem = ?1 AND p.name = ?2 AND a.source = c.source"
		" AND a.withdrawn = 0))",
		error);
	gboolean row;

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, ecosystem);
	cam_statement_bind_text(statement, 2, package);
	if (!cam_statement_step_checked(statement, &row, error))
		return FALSE;
	out->fixes |= row && cam_statement_int(statement, 0) > 0;
	out->unfixed |= row && cam_statement_int(statement, 1) > 0;
	return TRUE;
}

/* All that speak of the release, but for FIPS: few packages have such builds. */
static gboolean
ask_feeds(CamAdvisoryDb *self, const char *ecosystem, const char *package, CamCoverage *out,
	  GError **error)
{
	g_autoptr(GPtrArray) scopes = cam_ecosystem_list_scopes(ecosystem);

	for (guint i = 0; i < scopes->len; i++) {
		const CamScopedEcosystem *scoped = g_ptr_array_index(scopes, i);

		if (scoped->scope != CAM_SCOPE_FIPS &&
		    !ask_feeds_of(self, scoped->ecosystem, package, out, error))
			return FALSE;
	}
	return TRUE;
}

/* Of several changelog sources, one that judges is enough. */
static gboolean
ask_changelogs(CamAdvisoryDb *self, const char *ecosystem, const char *package, const char *version,
	       CamCoverage *out, GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(
		cam_advisory_db_get_database(self),
		"SELECT " CAM_LOOKUP_COLUMNS " FROM lookups l WHERE l.ecosystem = ?"
		" AND l.package = ? ORDER BY l.looked_at",
		error);
	gboolean row;

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, ecosystem);
	cam_statement_bind_text(statement, 2, package);
	while (!out->fixes) {
		g_autoptr(CamLookup) lookup = NULL;

		if (!cam_statement_step_checked(statement, &row, error))
			return FALSE;
		if (!row)
			return TRUE;
		lookup = cam_lookup_from_row(statement);
		g_clear_pointer(&out->reason, g_free);
		cam_lookup_judge(lookup, version, out);
	}
	return TRUE;
}

static gboolean
has_changelog_source(CamAdvisoryDb *self, const char *ecosystem, gboolean *has, GError **error)
{
	g_autoptr(CamStatement) statement =
		cam_database_prepare(cam_advisory_db_get_database(self),
				     "SELECT 1 FROM lookups WHERE ecosystem = ? LIMIT 1", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, ecosystem);
	return cam_statement_step_checked(statement, has, error);
}

gboolean
cam_advisory_db_get_coverage(CamAdvisoryDb *self, const char *ecosystem, const char *source_package,
			     const char *version, CamCoverage *out, GError **error)
{
	g_autofree char *normal = cam_ecosystem_normalise(ecosystem);
	gboolean has;

	g_return_val_if_fail(CAM_IS_ADVISORY_DB(self), FALSE);

	*out = (CamCoverage){ 0 };
	if (!ask_feeds(self, normal, source_package, out, error))
		return FALSE;
	if (out->fixes)
		return TRUE;
	if (!ask_changelogs(self, normal, source_package, version, out, error) ||
	    (!out->fixes && out->reason == NULL &&
	     !has_changelog_source(self, normal, &has, error))) {
		cam_coverage_clear(out);
		return FALSE;
	}
	if (!out->fixes && out->reason == NULL)
		out->reason = has ? g_strdup("not looked up")
				  : g_strdup_printf("no source for %s", ecosystem);
	return TRUE;
}
