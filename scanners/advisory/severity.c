/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words for how bad a vulnerability is: ours, and those of the distributions and databases.
 */
#include <string.h>

#include "scanners/advisory/advisory-db.h"

/* The first word of a severity is ours; the rest is what feeds say for it. Debian's "unimportant"
 * stands for something without effect in practice; it is kept visible as low. */
static const struct {
	CamSeverity severity;
	const char *word;
} words[] = {
	{ CAM_SEVERITY_UNKNOWN, "unknown" },   { CAM_SEVERITY_UNKNOWN, "not yet assigned" },
	{ CAM_SEVERITY_UNKNOWN, "untriaged" }, { CAM_SEVERITY_NONE, "none" },
	{ CAM_SEVERITY_LOW, "low" },	       { CAM_SEVERITY_LOW, "negligible" },
	{ CAM_SEVERITY_LOW, "unimportant" },   { CAM_SEVERITY_LOW, "minor" },
	{ CAM_SEVERITY_MEDIUM, "medium" },     { CAM_SEVERITY_MEDIUM, "moderate" },
	{ CAM_SEVERITY_HIGH, "high" },	       { CAM_SEVERITY_HIGH, "important" },
	{ CAM_SEVERITY_CRITICAL, "critical" },
};

const char *
cam_severity_name(CamSeverity severity)
{
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (words[i].severity == severity)
			return words[i].word;
	g_return_val_if_reached("unknown");
}

gboolean
cam_severity_parse(const char *text, CamSeverity *out)
{
	/* Debian marks guessed urgencies with stars: "low**". */
	gsize size = strcspn(text, "*");

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strlen(words[i].word) == size &&
		    g_ascii_strncasecmp(words[i].word, text, size) == 0) {
			*out = words[i].severity;
			return TRUE;
		}
	}
	return FALSE;
}

/* CVSS 3.1 specification, section 5, and 4.0, section 6.3. */
CamSeverity
cam_severity_for_score(double score)
{
	if (score < 0)
		return CAM_SEVERITY_UNKNOWN;
	if (score < 0.1)
		return CAM_SEVERITY_NONE;
	if (score < 4.0)
		return CAM_SEVERITY_LOW;
	if (score < 7.0)
		return CAM_SEVERITY_MEDIUM;
	return score < 9.0 ? CAM_SEVERITY_HIGH : CAM_SEVERITY_CRITICAL;
}
