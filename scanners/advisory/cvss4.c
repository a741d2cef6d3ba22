/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CVSS 4.0 scores (first.org, CVSS v4.0 specification, section 8): a vector belongs to a
 * MacroVector, six classes of equivalence, whose score a table gives; the distance to the worst
 * vector of the same MacroVector is interpolated towards the next lower ones.
 */
#include "scanners/advisory/cvss.h"

#include <string.h>

/* clang-format off */
typedef enum {
	AV, AC, AT, PR, UI, VC, VI, VA, SC, SI, SA, /* mandatory */
	E, CR, IR, AR,
	MAV, MAC, MAT, MPR, MUI, MVC, MVI, MVA, MSC, MSI, MSA, /* in the order of what they modify */
} Metric;
/* clang-format on */
#define N_MANDATORY 11
#define N_SCORED    15 /* metrics that have a level */

static const CamCvssMetric metrics[] = {
	{ "AV", "NALP" },   { "AC", "LH" },	{ "AT", "NP" },	   { "PR", "NLH" },
	{ "UI", "NPA" },    { "VC", "HLN" },	{ "VI", "HLN" },   { "VA", "HLN" },
	{ "SC", "HLN" },    { "SI", "HLN" },	{ "SA", "HLN" },   { "E", "XAPU" },
	{ "CR", "XHML" },   { "IR", "XHML" },	{ "AR", "XHML" },  { "MAV", "XNALP" },
	{ "MAC", "XLH" },   { "MAT", "XNP" },	{ "MPR", "XNLH" }, { "MUI", "XNPA" },
	{ "MVC", "XHLN" },  { "MVI", "XHLN" },	{ "MVA", "XHLN" }, { "MSC", "XHLN" },
	{ "MSI", "XHLNS" }, { "MSA", "XHLNS" }, { "S", NULL },	   { "AU", NULL },
	{ "R", NULL },	    { "V", NULL },	{ "RE", NULL },	   { "U", NULL },
};

/* Worst first: the level of a value is its index. SC has no S, but counts as if it had. */
static const char *const levels[N_SCORED] = {
	"NALP", "LH",	"NP",	"NLH", "NPA", "HLN", "HLN", "HLN",
	"SHLN", "SHLN", "SHLN", "APU", "HML", "HML", "HML",
};

/* The MacroVectors' scores in tenths, by EQ1, EQ2, EQ3, EQ4, EQ5, EQ6; 0 where there is none. */
static const guint8 scores[3][2][3][3][3][2] = {
	/* clang-format off */
	{
		{ /* EQ1 = 0, EQ2 = 0 */
			{ { { 100, 99 }, { 98, 95 }, { 95, 92 } },
			  { { 100, 96 }, { 93, 87 }, { 91, 81 } },
			  { { 93, 90 }, { 89, 80 }, { 81, 68 } } },
			{ { { 98, 95 }, { 95, 92 }, { 90, 84 } },
			  { { 93, 92 }, { 89, 81 }, { 81, 65 } },
			  { { 88, 80 }, { 78, 70 }, { 69, 48 } } },
			{ { { 0, 92 }, { 0, 82 }, { 0, 72 } },
			  { { 0, 79 }, { 0, 69 }, { 0, 50 } },
			  { { 0, 69 }, { 0, 55 }, { 0, 27 } } },
		},
		{ /* EQ1 = 0, EQ2 = 1 */
			{ { { 99, 97 }, { 95, 92 }, { 92, 85 } },
			  { { 95, 91 }, { 90, 83 }, { 84, 71 } },
			  { { 92, 81 }, { 82, 71 }, { 72, 53 } } },
			{ { { 95, 93 }, { 92, 85 }, { 85, 73 } },
			  { { 92, 82 }, { 80, 72 }, { 70, 59 } },
			  { { 84, 70 }, { 71, 52 }, { 50, 30 } } },
			{ { { 0, 86 }, { 0, 75 }, { 0, 52 } },
			  { { 0, 71 }, { 0, 52 }, { 0, 29 } },
			  { { 0, 63 }, { 0, 29 }, { 0, 17 } } },
		},
	},
	{
		{ /* EQ1 = 1, EQ2 = 0 */
			{ { { 98, 95 }, { 94, 87 }, { 91, 81 } },
			  { { 94, 89 }, { 86, 74 }, { 77, 64 } },
			  { { 87, 75 }, { 74, 63 }, { 63, 49 } } },
			{ { { 94, 89 }, { 88, 77 }, { 76, 67 } },
			  { { 86, 76 }, { 74, 58 }, { 59, 50 } },
			  { { 72, 57 }, { 57, 52 }, { 52, 25 } } },
			{ { { 0, 83 }, { 0, 70 }, { 0, 54 } },
			  { { 0, 65 }, { 0, 58 }, { 0, 26 } },
			  { { 0, 53 }, { 0, 21 }, { 0, 13 } } },
		},
		{ /* EQ1 = 1, EQ2 = 1 */
			{ { { 95, 90 }, { 88, 76 }, { 76, 70 } },
			  { { 90, 77 }, { 75, 62 }, { 61, 53 } },
			  { { 77, 66 }, { 68, 59 }, { 52, 30 } } },
			{ { { 89, 78 }, { 76, 67 }, { 62, 58 } },
			  { { 74, 59 }, { 57, 57 }, { 47, 23 } },
			  { { 61, 52 }, { 57, 29 }, { 24, 16 } } },
			{ { { 0, 71 }, { 0, 59 }, { 0, 30 } },
			  { { 0, 58 }, { 0, 26 }, { 0, 15 } },
			  { { 0, 23 }, { 0, 13 }, { 0, 6 } } },
		},
	},
	{
		{ /* EQ1 = 2, EQ2 = 0 */
			{ { { 93, 87 }, { 86, 72 }, { 75, 58 } },
			  { { 86, 74 }, { 74, 61 }, { 56, 34 } },
			  { { 70, 54 }, { 52, 40 }, { 40, 22 } } },
			{ { { 85, 75 }, { 74, 55 }, { 62, 51 } },
			  { { 72, 57 }, { 55, 41 }, { 46, 19 } },
			  { { 53, 36 }, { 34, 19 }, { 19, 8 } } },
			{ { { 0, 64 }, { 0, 51 }, { 0, 20 } },
			  { { 0, 47 }, { 0, 21 }, { 0, 11 } },
			  { { 0, 24 }, { 0, 9 }, { 0, 4 } } },
		},
		{ /* EQ1 = 2, EQ2 = 1 */
			{ { { 88, 75 }, { 73, 53 }, { 60, 50 } },
			  { { 73, 55 }, { 59, 40 }, { 41, 20 } },
			  { { 54, 43 }, { 45, 22 }, { 20, 11 } } },
			{ { { 75, 55 }, { 58, 45 }, { 40, 21 } },
			  { { 61, 51 }, { 48, 18 }, { 20, 9 } },
			  { { 46, 18 }, { 17, 7 }, { 8, 2 } } },
			{ { { 0, 53 }, { 0, 24 }, { 0, 14 } },
			  { { 0, 24 }, { 0, 12 }, { 0, 5 } },
			  { { 0, 10 }, { 0, 3 }, { 0, 1 } } },
		},
	},
	/* clang-format on */
};

/* How many steps a MacroVector is deep (specification, table 24 and following). */
static const int depth1[] = { 1, 4, 5 }, depth2[] = { 1, 2 }, depth4[] = { 6, 5, 4 };
static const int depth36[3][2] = { { 7, 6 }, { 8, 8 }, { 0, 10 } };

/* The worst vectors of each class: values of the metrics named beside it. */
static const Metric metrics1[] = { AV, PR, UI }, metrics2[] = { AC, AT };
static const Metric metrics36[] = { VC, VI, VA, CR, IR, AR }, metrics4[] = { SC, SI, SA };
static const char *const worst1[3][4] = {
	{ "NNN" },
	{ "ANN", "NLN", "NNP" },
	{ "PNN", "ALP" },
};
static const char *const worst2[2][3] = { { "LN" }, { "HN", "LP" } };
static const char *const worst4[3][2] = { { "HSS" }, { "HHH" }, { "LLL" } };
static const char *const worst36[3][2][6] = {
	{ { "HHHHHH" }, { "HHLMMH", "HHHMMM" } },
	{ { "LHHHHH", "HLHHHH" }, { "LHLHMH", "LHHHMM", "HLHMHM", "HLLMHH", "LLHHHM" } },
	{ { NULL }, { "LLLHHH" } },
};

/* What counts: the modified value if there is one, the worst where a threat or a requirement is not
 * known. */
static void
resolve(char *m)
{
	for (Metric i = 0; i < N_MANDATORY; i++)
		if (m[MAV + i] != 'X')
			m[i] = m[MAV + i];
	if (m[E] == 'X')
		m[E] = 'A';
	for (Metric i = CR; i <= AR; i++)
		if (m[i] == 'X')
			m[i] = 'H';
}

/* Specification, tables 24 to 29. */
static void
classify(const char *m, int eq[6])
{
	guint open = (m[AV] == 'N') + (m[PR] == 'N') + (m[UI] == 'N');
	gboolean any_high = m[VC] == 'H' || m[VI] == 'H' || m[VA] == 'H';

	eq[0] = open == 3 ? 0 : open > 0 && m[AV] != 'P' ? 1 : 2;
	eq[1] = m[AC] == 'L' && m[AT] == 'N' ? 0 : 1;
	eq[2] = m[VC] == 'H' && m[VI] == 'H' ? 0 : any_high ? 1 : 2;
	eq[3] = m[SI] == 'S' || m[SA] == 'S'		       ? 0
		: m[SC] == 'H' || m[SI] == 'H' || m[SA] == 'H' ? 1
							       : 2;
	eq[4] = m[E] == 'A' ? 0 : m[E] == 'P' ? 1 : 2;
	eq[5] = (m[CR] == 'H' && m[VC] == 'H') || (m[IR] == 'H' && m[VI] == 'H') ||
				(m[AR] == 'H' && m[VA] == 'H')
			? 0
			: 1;
}

static int
level(Metric metric, char value)
{
	return strchr(levels[metric], value) - levels[metric];
}

/* Steps from the first of the worst vectors that is nowhere better than @m. */
static int
distance(const char *m, const Metric *of, gsize n, const char *const *worst)
{
	for (; *worst != NULL; worst++) {
		int sum = 0;
		gboolean reaches = TRUE;

		for (gsize i = 0; i < n; i++) {
			int steps = level(of[i], m[of[i]]) - level(of[i], (*worst)[i]);

			reaches = reaches && steps >= 0;
			sum += steps;
		}
		if (reaches)
			return sum;
	}
	return 0;
}

/* The score of a MacroVector in tenths, 0 where there is none. */
static int
look_up(const int eq[6])
{
	if (eq[0] > 2 || eq[1] > 1 || eq[2] > 2 || eq[3] > 2 || eq[4] > 2 || eq[5] > 1)
		return 0;
	return scores[eq[0]][eq[1]][eq[2]][eq[3]][eq[4]][eq[5]];
}

/* The score one class lower. */
static int
look_up_lower(const int eq[6], int class)
{
	int lower[6];

	memcpy(lower, eq, sizeof(lower));
	lower[class]++;
	return look_up(lower);
}

/* EQ3 and EQ6 depend on each other and are lowered as one. */
static int
look_up_lower36(const int eq[6])
{
	int left = look_up_lower(eq, 5), right = look_up_lower(eq, 2);

	if (eq[2] == 0 && eq[5] == 0)
		return MAX(left, right);
	return eq[5] == 0 ? left : eq[2] == 2 ? 0 : right;
}

int
cam_cvss4_score(const char *vector)
{
	char m[G_N_ELEMENTS(metrics)];
	int eq[6], value;
	double sum = 0, score;
	guint n = 0;

	if (!cam_cvss_parse(vector, metrics, G_N_ELEMENTS(metrics), N_MANDATORY, m))
		return -1;
	resolve(m);
	if (m[VC] == 'N' && m[VI] == 'N' && m[VA] == 'N' && m[SC] == 'N' && m[SI] == 'N' &&
	    m[SA] == 'N')
		return 0;
	classify(m, eq);
	value = look_up(eq);

	const struct {
		int lower, distance, depth;
	} parts[] = {
		{ look_up_lower(eq, 0), distance(m, metrics1, 3, worst1[eq[0]]), depth1[eq[0]] },
		{ look_up_lower(eq, 1), distance(m, metrics2, 2, worst2[eq[1]]), depth2[eq[1]] },
		{ look_up_lower36(eq), distance(m, metrics36, 6, worst36[eq[2]][eq[5]]),
		  depth36[eq[2]][eq[5]] },
		{ look_up_lower(eq, 3), distance(m, metrics4, 3, worst4[eq[3]]), depth4[eq[3]] },
		{ look_up_lower(eq, 4), 0, 1 },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (parts[i].lower == 0)
			continue;
		sum += (double) (value - parts[i].lower) * parts[i].distance / parts[i].depth;
		n++;
	}
	score = n > 0 ? value - sum / n : value;
	return CLAMP((int) (score + 0.5 + 1e-5), 0, 100);
}
