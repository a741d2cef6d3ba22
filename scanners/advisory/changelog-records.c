/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the changelog of a candidate to records of advisories. Which CVE which version fixes is
 * changelog.c's.
 */
#include "scanners/advisory/changelog-records.h"

#include <string.h>

#include "scanners/advisory/advisory-db-private.h"
#include "scanners/advisory/changelog.h"

typedef struct {
	const CamCandidate *candidate;
	const char *ecosystem;
	gint64 date;
	GPtrArray *records;
	gboolean explained; /* the newest security update fixes a CVE */
} Context;

/* (nullable): the suite without which there would be no @version. */
static const char *
find_suite(const CamCandidate *candidate, const char *version)
{
	if (candidate->security != NULL &&
	    cam_version_compare_deb(version, candidate->security) <= 0)
		return NULL;
	return candidate->source->suite;
}

/* Takes @identity. */
static void
add_record(Context *self, char *identity, const char *version, const char *summary)
{
	g_autoptr(CamVersionRanges) ranges = cam_version_ranges_new(cam_version_compare_deb);
	CamOsvRecord *record = g_new0(CamOsvRecord, 1);
	g_autofree char *written = NULL;

	cam_version_ranges_add_event(ranges, 'i', "0");
	cam_version_ranges_add_event(ranges, 'f', version);
	written = cam_version_ranges_finish(g_steal_pointer(&ranges));
	record->id = g_strdup_printf("%s/%s", self->candidate->name, identity);
	record->identities = g_new0(char *, 2);
	record->identities[0] = identity;
	record->aliases = g_new0(char *, 1);
	record->summary = g_strdup(summary);
	record->suite = g_strdup(find_suite(self->candidate, version));
	record->references = g_new0(char *, 1);
	record->modified = self->date;
	record->affected = g_ptr_array_new_with_free_func((GDestroyNotify) cam_osv_affected_free);
	g_ptr_array_add(record->affected,
			cam_osv_affected_new(self->ecosystem, self->candidate->name, written));
	g_ptr_array_add(self->records, record);
}

static void
take_cve(const char *cve, const char *version, const char *text, gpointer user_data)
{
	Context *self = user_data;

	if (g_strcmp0(version, self->candidate->security) == 0)
		self->explained = TRUE;
	add_record(self, g_strdup(cve), version, text);
}

void
cam_changelog_make_records(const CamCandidate *candidate, const char *ecosystem,
			   const char *changelog, gsize size, gint64 date, GPtrArray *records)
{
	Context self = { candidate, ecosystem, date, records, FALSE };
	const char *security = candidate->security;
	g_autofree char *title = NULL;

	if (changelog != NULL)
		cam_changelog_foreach_cve(changelog, size, take_cve, &self);
	if (security == NULL || self.explained)
		return;
	if (changelog != NULL)
		title = cam_changelog_get_title(changelog, size, security);
	add_record(&self,
		   g_strdup_printf(CAM_SECURITY_UPDATE_PREFIX "%s/%s", candidate->name, security),
		   security, title);
}
