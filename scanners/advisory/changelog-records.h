/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/changelog-candidates.h"

G_BEGIN_DECLS

/**
 * cam_changelog_make_records:
 * @changelog: (nullable): of the candidate; NULL: none could be read
 * @date: of what is known, seconds since 1970
 * @records: (element-type CamOsvRecord)
 *
 * Appends one record for each CVE that the changelog fixes, and one for the newest version of a
 * security suite if none of these is fixed by it: an update that names no CVE is an update all the
 * same. What only another suite fixes bears its name. Keys are "PACKAGE/IDENTITY".
 */
void cam_changelog_make_records(const CamCandidate *candidate, const char *ecosystem,
				const char *changelog, gsize size, gint64 date, GPtrArray *records);

G_END_DECLS
