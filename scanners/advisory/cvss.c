/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CVSS vectors to scores: the grammar that all versions share, and the base scores of 2.0, 3.0 and
 * 3.1 by the formulas of their specifications (first.org). 4.0 is cvss4.c's.
 */
#include "scanners/advisory/cvss.h"

#include <string.h>

#include "scanners/advisory/advisory-db.h"

#define MAX_VECTOR_SIZE 512

static gboolean
take_metric(char *word, const CamCvssMetric *metrics, gsize n_metrics, char *chosen)
{
	char *value = strchr(word, ':');

	if (value == NULL || value[1] == '\0')
		return FALSE;
	*value++ = '\0';
	for (gsize i = 0; i < n_metrics; i++) {
		if (!g_str_equal(metrics[i].name, word))
			continue;
		if (chosen[i] != '\0')
			return FALSE;
		chosen[i] = value[0];
		return metrics[i].values == NULL ||
		       (value[1] == '\0' && strchr(metrics[i].values, value[0]) != NULL);
	}
	return FALSE;
}

gboolean
cam_cvss_parse(const char *vector, const CamCvssMetric *metrics, gsize n_metrics, gsize n_mandatory,
	       char *chosen)
{
	g_auto(GStrv) words = NULL;

	if (strlen(vector) > MAX_VECTOR_SIZE)
		return FALSE;
	memset(chosen, 0, n_metrics);
	words = g_strsplit(vector, "/", -1);
	for (gsize i = 0; words[i] != NULL; i++) {
		gboolean trailing = words[i][0] == '\0' && i > 0 && words[i + 1] == NULL;

		if (!trailing && !take_metric(words[i], metrics, n_metrics, chosen))
			return FALSE;
	}
	for (gsize i = 0; i < n_metrics; i++) {
		if (chosen[i] == '\0' && i < n_mandatory)
			return FALSE;
		if (chosen[i] == '\0')
			chosen[i] = 'X';
	}
	return TRUE;
}

/* The number that belongs to a letter: values[i] to letters[i]. */
static double
weigh(char letter, const char *letters, const double *values)
{
	return values[strchr(letters, letter) - letters];
}

/* CVSS 2.0 complete guide, section 3.2.1 */
static double
score2(const char *vector)
{
	static const CamCvssMetric metrics[] = {
		{ "AV", "LAN" }, { "AC", "HML" }, { "Au", "MSN" }, { "C", "NPC" }, { "I", "NPC" },
		{ "A", "NPC" },	 { "E", NULL },	  { "RL", NULL },  { "RC", NULL }, { "CDP", NULL },
		{ "TD", NULL },	 { "CR", NULL },  { "IR", NULL },  { "AR", NULL },
	};
	static const double vectors[] = { 0.395, 0.646, 1.0 };
	static const double complexities[] = { 0.35, 0.61, 0.71 };
	static const double authentications[] = { 0.45, 0.56, 0.704 };
	static const double impacts[] = { 0.0, 0.275, 0.660 };
	char m[G_N_ELEMENTS(metrics)];
	double impact, exploitability, score;

	if (!cam_cvss_parse(vector, metrics, G_N_ELEMENTS(metrics), 6, m))
		return -1;
	impact =
		10.41 * (1 - (1 - weigh(m[3], "NPC", impacts)) * (1 - weigh(m[4], "NPC", impacts)) *
				     (1 - weigh(m[5], "NPC", impacts)));
	exploitability = 20 * weigh(m[0], "LAN", vectors) * weigh(m[1], "HML", complexities) *
			 weigh(m[2], "MSN", authentications);
	if (impact == 0)
		return 0;
	score = (0.6 * impact + 0.4 * exploitability - 1.5) * 1.176;
	return (int) (score * 10 + 0.5) / 10.0;
}

/* CVSS 3.1 specification, appendix A: to the next tenth, free of what binary fractions do. */
static double
round_up(double value)
{
	gint64 scaled = (gint64) (value * 100000 + 0.5);

	if (scaled % 10000 == 0)
		return scaled / 100000.0;
	return (scaled / 10000 + 1) / 10.0;
}

static double
power15(double base)
{
	double squared = base * base, eighth = squared * squared * squared * squared;

	return eighth * squared * squared * squared * base;
}

/* CVSS 3.1 specification, section 7.1; the base score of 3.0 is the same. */
static double
score3(const char *vector)
{
	static const CamCvssMetric metrics[] = {
		{ "AV", "NALP" }, { "AC", "LH" },  { "PR", "NLH" }, { "UI", "NR" }, { "S", "UC" },
		{ "C", "HLN" },	  { "I", "HLN" },  { "A", "HLN" },  { "E", NULL },  { "RL", NULL },
		{ "RC", NULL },	  { "CR", NULL },  { "IR", NULL },  { "AR", NULL }, { "MAV", NULL },
		{ "MAC", NULL },  { "MPR", NULL }, { "MUI", NULL }, { "MS", NULL }, { "MC", NULL },
		{ "MI", NULL },	  { "MA", NULL },
	};
	static const double vectors[] = { 0.85, 0.62, 0.55, 0.2 };
	static const double complexities[] = { 0.77, 0.44 };
	static const double privileges[] = { 0.85, 0.62, 0.27 };
	static const double changed_privileges[] = { 0.85, 0.68, 0.5 };
	static const double interactions[] = { 0.85, 0.62 };
	static const double impacts[] = { 0.56, 0.22, 0.0 };
	char m[G_N_ELEMENTS(metrics)];
	double sub_score, impact, exploitability;
	gboolean changed;

	if (!cam_cvss_parse(vector, metrics, G_N_ELEMENTS(metrics), 8, m))
		return -1;
	changed = m[4] == 'C';
	sub_score = 1 - (1 - weigh(m[5], "HLN", impacts)) * (1 - weigh(m[6], "HLN", impacts)) *
				(1 - weigh(m[7], "HLN", impacts));
	impact = changed ? 7.52 * (sub_score - 0.029) - 3.25 * power15(sub_score - 0.02)
			 : 6.42 * sub_score;
	exploitability = 8.22 * weigh(m[0], "NALP", vectors) * weigh(m[1], "LH", complexities) *
			 weigh(m[2], "NLH", changed ? changed_privileges : privileges) *
			 weigh(m[3], "NR", interactions);
	if (impact <= 0)
		return 0;
	return round_up(MIN((changed ? 1.08 : 1.0) * (impact + exploitability), 10));
}

double
cam_cvss_score(const char *vector)
{
	if (g_str_has_prefix(vector, "CVSS:4.0/")) {
		int tenths = cam_cvss4_score(vector + strlen("CVSS:4.0/"));

		return tenths < 0 ? -1 : tenths / 10.0;
	}
	if (g_str_has_prefix(vector, "CVSS:3.0/") || g_str_has_prefix(vector, "CVSS:3.1/"))
		return score3(vector + strlen("CVSS:3.x/"));
	if (g_str_has_prefix(vector, "CVSS:2.0/"))
		return score2(vector + strlen("CVSS:2.0/"));
	if (vector[0] == '(' && g_str_has_suffix(vector, ")")) {
		g_autofree char *inner = g_strndup(vector + 1, strlen(vector) - 2);

		return score2(inner);
	}
	return score2(vector);
}
