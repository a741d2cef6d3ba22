/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/changelog-candidates.h"

G_BEGIN_DECLS

/* @changelog: (nullable): NULL where none could be read. */
typedef void (*CamChangelogTake)(const CamCandidate *candidate, const char *changelog, gsize size,
				 gpointer user_data);

/**
 * cam_changelogs_fetch:
 * @candidates: what the repositories have
 * @wanted: (element-type CamCandidate): those whose changelogs are read
 *
 * Calls back once for each of @wanted, in no order. The source package's own changelog comes first,
 * as it is whole; then those of binary packages, smallest first. One that is cut off above what is
 * installed is only taken where there is no better one.
 */
gboolean
cam_changelogs_fetch(const CamCandidates *candidates, const GPtrArray *wanted,
		     CamAptRepository *repository, CamProgress *progress, GCancellable *cancellable,
		     CamChangelogTake take, gpointer user_data, GError **error);

G_END_DECLS
