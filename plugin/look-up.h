/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"

G_BEGIN_DECLS

/**
 * CamLookUp: what looking packages up takes. All of it outlives it.
 */
typedef struct {
	const CamConfig *config;
	CamStore *store;
	CamScanEngine *engine;
	const GPtrArray *repo_lines; /* (nullable) (element-type utf8): see cam_find_sources() */
	CamProgress *progress;	     /* (nullable) */
} CamLookUp;

/* Whether it is time to look up the package: never done, or not for a day. @now: seconds since 1970
 */
gboolean cam_look_up_is_due(const CamUnjudged *unjudged, gint64 now);

/* Whether the image has packages that no source has looked at, or not for a day. */
gboolean cam_look_up_is_wanted(const CamScanResult *result);

/**
 * cam_look_up:
 * @result: a scan of @image
 *
 * Asks the repositories of the image's release about those packages, over the network, and stores
 * in the database of advisories what they say. A new scan then knows it.
 *
 * Whatever keeps it from doing so is the error.
 */
gboolean cam_look_up(const CamLookUp *self, const CamImage *image, const CamScanResult *result,
		     GCancellable *cancellable, GError **error);

/**
 * cam_look_up_select:
 * @packages: (element-type CamPackage)
 * @wanted: (nullable): set of source packages and their versions, "NAME VERSION"; NULL: all
 * @selected: (element-type CamPackage): gets those to look up, not owned
 *
 * An image says how much it has, not how much is fetched for it: packages of more source packages
 * than `limits.lookups` are left out.
 *
 * Returns: of how many source packages
 */
guint cam_look_up_select(const CamConfig *config, const GPtrArray *packages, GHashTable *wanted,
			 GPtrArray *selected);

/* The limit. */
guint64 cam_look_up_limit(const CamConfig *config);

/* Makes @after, the scan behind a look-up for what @before lacked, say what was left out. */
void cam_look_up_explain_rest(const CamConfig *config, const CamScanResult *before,
			      CamScanResult *after);

/* Makes @result say why its packages were not looked up. */
void cam_look_up_explain(CamScanResult *result, const GError *problem);

/**
 * cam_look_up_scan:
 *
 * Scans the image; where that shows packages that no source has looked at, looks these up and scans
 * once more. If they cannot be looked up, the result says so, or with `scan.lookup_failure = fail`
 * the scan fails.
 */
CamScanResult *
cam_look_up_scan(const CamLookUp *self, const CamImage *image, const CamScanOptions *options,
		 GCancellable *cancellable, GError **error);

/* (nullable) (transfer none): the architecture of the packages, as dpkg calls it: of the first that
 * is made for one. @packages: (element-type CamPackage) */
const char *cam_look_up_architecture(const GPtrArray *packages);

G_END_DECLS
