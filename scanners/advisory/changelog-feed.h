/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"
#include "scanners/apt/apt-repository.h"
#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

/**
 * cam_feed_update_changelogs:
 * @sources: (element-type CamAptSource): repositories of one release
 * @os: the release
 * @packages: (nullable) (element-type CamPackage): what to look up; what is known of other packages
 *     stays. NULL: all of the security suites.
 *
 * The Debian changelog source: for each source package with a newer candidate, the smallest binary
 * package is fetched and its changelog read; a CVE is fixed by the lowest version at or above
 * an entry that names it. Source packages of a version seen before are not fetched again. What
 * each look-up showed is remembered (cam_advisory_db_get_coverage()). Records have unknown severity
 * and there is no "unfixed" knowledge: the source's note says so. Several processes may do this at
 * once.
 */
gboolean cam_feed_update_changelogs(CamAdvisoryDb *db, CamAptRepository *repository,
				    const GPtrArray *sources, const CamOsRelease *os,
				    const char *architecture, const GPtrArray *packages,
				    CamProgress *progress, CamFeedResult *result,
				    GCancellable *cancellable, GError **error);

/* The pure part. @changelog: text of a debian/changelog. Calls back per CVE with the version that
 * fixes it and the item (nullable) that names it. */
typedef void (*CamChangelogFunc)(const char *cve, const char *version, const char *text,
				 gpointer user_data);
void cam_changelog_foreach_cve(const char *changelog, gsize size, CamChangelogFunc func,
			       gpointer user_data);

G_END_DECLS
