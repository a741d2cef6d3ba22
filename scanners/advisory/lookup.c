/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a changelog source learned of a source package, and which versions that judges. Writing it
 * is advisory-update.c's; where it is put together with what feeds cover is advisory-coverage.c's.
 */
#include "scanners/advisory/lookup.h"

#include "scanners/advisory/advisory-db-private.h"

void
cam_lookup_free(CamLookup *self)
{
	if (self == NULL)
		return;
	g_free(self->ecosystem);
	g_free(self->package);
	g_free(self->release);
	g_free(self->candidate);
	g_free(self->suite);
	g_free(self->oldest);
	g_free(self->reason);
	g_free(self);
}

/* (nullable) (transfer full): why @version, which is below the candidate, is not judged. */
static char *
find_doubt(const CamLookup *self, const char *version)
{
	if (self->outcome == CAM_LOOKUP_FAILED)
		return g_strdup(self->reason);
	/* Found current with a higher version: what lies between was not read. */
	if (self->outcome != CAM_LOOKUP_READ)
		return g_strdup("not looked up");
	if (self->oldest != NULL && cam_version_compare_deb(version, self->oldest) < 0)
		return g_strdup_printf("its changelog reaches back to %s only", self->oldest);
	return NULL;
}

void
cam_lookup_judge(const CamLookup *self, const char *version, CamCoverage *out)
{
	int order = self->candidate != NULL ? cam_version_compare_deb(version, self->candidate) : 1;

	out->looked_at = self->looked_at;
	if (self->candidate == NULL)
		out->reason =
			self->outcome == CAM_LOOKUP_FAILED
				? g_strdup(self->reason)
				: g_strdup_printf("not in the repositories of %s", self->release);
	else if (order > 0)
		out->reason = g_strdup("newer than what the repositories hold");
	else if (order < 0)
		out->reason = find_doubt(self, version);
	/* This version was not looked at: the look-up of a higher one must not put off its own. */
	if (order < 0 && self->outcome == CAM_LOOKUP_CURRENT)
		out->looked_at = 0;
	out->fixes = out->reason == NULL;
}

CamLookup *
cam_lookup_from_row(CamStatement *row)
{
	CamLookup *self = g_new0(CamLookup, 1);

	self->ecosystem = g_strdup(cam_statement_text(row, 0));
	self->package = g_strdup(cam_statement_text(row, 1));
	self->outcome = cam_statement_int(row, 2);
	self->release = g_strdup(cam_statement_text(row, 3));
	self->candidate = g_strdup(cam_statement_text(row, 4));
	self->suite = g_strdup(cam_statement_text(row, 5));
	self->oldest = g_strdup(cam_statement_text(row, 6));
	self->reason = g_strdup(cam_statement_text(row, 7));
	self->looked_at = cam_statement_int(row, 8);
	self->rules = cam_statement_int(row, 9);
	return self;
}

CamLookup *
cam_advisory_db_find_lookup(CamAdvisoryDb *db, const char *source, const char *package,
			    GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(
		cam_advisory_db_get_database(db),
		"SELECT " CAM_LOOKUP_COLUMNS " FROM lookups l JOIN sources s ON s.id = l.source"
		" WHERE s.name = ? AND l.package = ?",
		error);

	if (statement == NULL)
		return NULL;
	cam_statement_bind_text(statement, 1, source);
	cam_statement_bind_text(statement, 2, package);
	return cam_statement_step(statement, error) ? cam_lookup_from_row(statement) : NULL;
}

gboolean
cam_advisory_db_count_failed_lookups(CamAdvisoryDb *db, const char *source, gint64 *count,
				     GError **error)
{
	g_autoptr(CamStatement) statement =
		cam_database_prepare(cam_advisory_db_get_database(db),
				     "SELECT count(*) FROM lookups l JOIN sources s"
				     " ON s.id = l.source WHERE s.name = ? AND l.outcome = ?",
				     error);
	gboolean row;

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, source);
	cam_statement_bind_int(statement, 2, CAM_LOOKUP_FAILED);
	if (!cam_statement_step_checked(statement, &row, error))
		return FALSE;
	*count = cam_statement_int(statement, 0);
	return TRUE;
}
