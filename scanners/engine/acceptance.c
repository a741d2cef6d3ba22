/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a policy accepts without judgement. Reading policies from the configuration is the business
 * of the room plugin.
 */
#include "scanners/engine/acceptance.h"

#include <string.h>

void
cam_acceptance_free(CamAcceptance *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_strfreev(self->packages);
	g_strfreev(self->origins);
	g_free(self->until);
	g_free(self->reason);
	g_free(self);
}

static gboolean
fits_any(char **patterns, const char *text)
{
	for (char **pattern = patterns; *pattern != NULL; pattern++)
		if (g_pattern_match_simple(*pattern, text))
			return TRUE;
	return FALSE;
}

/* By the name of the source, or by those of all its binary packages that are installed. */
static gboolean
fits_names(char **patterns, const CamUnjudged *unjudged)
{
	if (fits_any(patterns, unjudged->source_package))
		return TRUE;
	for (guint i = 0; i < unjudged->packages->len; i++)
		if (!fits_any(patterns, unjudged->packages->pdata[i]))
			return FALSE;
	return unjudged->packages->len > 0;
}

const CamAcceptance *
cam_acceptance_find(const GPtrArray *acceptances, const CamUnjudged *unjudged, const char *today)
{
	for (guint i = 0; acceptances != NULL && i < acceptances->len; i++) {
		const CamAcceptance *acceptance = acceptances->pdata[i];

		if ((acceptance->packages == NULL && acceptance->origins == NULL) ||
		    (acceptance->packages != NULL && !fits_names(acceptance->packages, unjudged)))
			continue;
		if (acceptance->origins != NULL &&
		    (unjudged->origin == NULL || !fits_any(acceptance->origins, unjudged->origin)))
			continue;
		/* ISO dates sort as text does. */
		if (acceptance->until == NULL || strcmp(today, acceptance->until) <= 0)
			return acceptance;
	}
	return NULL;
}
