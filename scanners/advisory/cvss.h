/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the versions of CVSS share: how a vector is written. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	const char *name;
	const char *values; /* one letter each; NULL: any word, of no effect on the score */
} CamCvssMetric;

/**
 * cam_cvss_parse:
 * @vector: "AV:N/AC:L/…", without what names the version
 * @metrics: all that may occur, the mandatory ones first
 * @chosen: (out): the letter that was chosen, a metric's index its index; 'X' where nothing was
 * said
 *
 * Returns: FALSE if a metric is unknown, repeated, missing or has no such value
 */
gboolean cam_cvss_parse(const char *vector, const CamCvssMetric *metrics, gsize n_metrics,
			gsize n_mandatory, char *chosen);

/* CVSS 4.0. @vector: without "CVSS:4.0/"; all of its metrics count. In tenths, -1 if malformed. */
int cam_cvss4_score(const char *vector);

G_END_DECLS
