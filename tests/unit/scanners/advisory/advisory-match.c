/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/advisory-match.h"

#include <string.h>

static void
add_row(GPtrArray *rows, const char *kind, const char *identities, const char *aliases,
	gboolean affected, const char *fixed, double score)
{
	CamAdvisoryRow *row = g_new0(CamAdvisoryRow, 1);

	row->affected = affected;
	row->identities = g_strsplit(identities, " ", -1);
	row->kind = g_strdup(kind);
	row->source = g_strdup(kind);
	row->fixed = g_strdup(fixed);
	row->aliases = g_strsplit(aliases, " ", -1);
	row->summary = g_strdup_printf("by %s", kind);
	row->references = g_new0(char *, 1);
	row->severity = cam_severity_for_score(score);
	row->score = score;
	g_ptr_array_add(rows, row);
}

static GPtrArray *
new_rows(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify) cam_advisory_row_free);
}

/* "CVE-1(fixed,score,source)[aliases]" of each match. */
static char *
match(const GPtrArray *rows)
{
	g_autoptr(GPtrArray) matches =
		cam_advisory_match_rows(rows, CAM_BUILD_PLAIN, cam_version_compare_deb);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < matches->len; i++) {
		const CamMatch *m = g_ptr_array_index(matches, i);
		g_autofree char *aliases = g_strjoinv(" ", m->advisory->aliases);

		g_string_append_printf(text, "%s(%s,%.1f,%s)[%s]", m->advisory->id,
				       m->fixed_version, m->advisory->score, m->advisory->source,
				       aliases);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_merge(void)
{
	g_autoptr(GPtrArray) rows = new_rows();
	g_autofree char *text = NULL;

	add_row(rows, "a", "CVE-1", "DEBIAN-CVE-1", TRUE, "2.0", -1);
	add_row(rows, "b", "CVE-1", "GHSA-1", TRUE, "1.9", 7.5);
	add_row(rows, "b", "CVE-1", "GHSA-1", FALSE, NULL, -1);
	text = match(rows);
	g_assert_cmpstr(text, ==, "CVE-1(1.9,7.5,a, b)[DEBIAN-CVE-1 GHSA-1]");
}

static void
test_notice_of_many(void)
{
	g_autoptr(GPtrArray) rows = new_rows();
	g_autofree char *text = NULL;

	add_row(rows, "a", "CVE-2 CVE-1", "DSA-1 DEBIAN-CVE-1 DEBIAN-CVE-2", TRUE, "2", -1);
	add_row(rows, "a", "CVE-1", "DEBIAN-CVE-1", TRUE, "2", 5);
	add_row(rows, "a", "NO-CVE-YET", "OTHER", TRUE, NULL, -1);
	text = match(rows);
	g_assert_cmpstr(text, ==,
			"CVE-1(2,5.0,a)[DSA-1 DEBIAN-CVE-1]CVE-2(2,-1.0,a)[DSA-1 DEBIAN-CVE-2]"
			"NO-CVE-YET((null),-1.0,a)[OTHER]");
}

static void
test_changelog(void)
{
	static const struct {
		gboolean record, record_affected;
		const char *record_fixed;
		gboolean changelog_affected;
		gboolean expected;
	} cases[] = {
		{ FALSE, FALSE, NULL, TRUE, TRUE }, /* only the changelog knows */
		{ FALSE, FALSE, NULL, FALSE, FALSE },
		{ TRUE, FALSE, NULL, TRUE, FALSE }, /* the record overrules */
		{ TRUE, TRUE, "3", FALSE, TRUE },
		{ TRUE, TRUE, NULL, FALSE, FALSE }, /* a fix that the record does not know yet */
		{ TRUE, TRUE, NULL, TRUE, TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) rows = new_rows();
		g_autoptr(GPtrArray) matches = NULL;

		if (cases[i].record)
			add_row(rows, "osv-git", "CVE-1", "A", cases[i].record_affected,
				cases[i].record_fixed, 5);
		add_row(rows, CAM_ADVISORY_KIND_CHANGELOG, "CVE-1", "B",
			cases[i].changelog_affected, cases[i].changelog_affected ? "2" : NULL, -1);
		matches = cam_advisory_match_rows(rows, CAM_BUILD_PLAIN, cam_version_compare_deb);
		g_assert_cmpuint(matches->len, ==, cases[i].expected ? 1 : 0);
	}
}

/* "P+9": a row of Ubuntu Pro, affected, fixed in 9; "F-": one of FIPS, not affected; "c+9": a
 * changelog. G is a second track of FIPS. */
static void
add_scoped_row(GPtrArray *rows, const char *word)
{
	static const char letters[] = "RAPFG";
	const char *letter = strchr(letters, word[0]);
	CamAdvisoryRow *row;

	add_row(rows, letter != NULL ? "osv-git" : CAM_ADVISORY_KIND_CHANGELOG, "CVE-1", "A",
		word[1] == '+', word[2] != '\0' ? word + 2 : NULL, 5);
	row = g_ptr_array_index(rows, rows->len - 1);
	row->track = letter != NULL ? (guint) (letter - letters) : 0;
	row->scope = MIN(row->track, CAM_SCOPE_FIPS);
}

static void
test_scopes(void)
{
	static const struct {
		const char *rows;
		const char *plain, *esm, *fips; /* "9", "pro 9", "none": affected; "-": not */
	} cases[] = {
		{ "R+9", "9", "9", "9" },
		{ "R-", "-", "-", "-" },
		/* fixed in Pro alone, with and without a row of the release */
		{ "P+9", "pro 9", "pro 9", "pro 9" },
		{ "P+", "none", "none", "none" },
		{ "R+ P+9", "pro 9", "pro 9", "pro 9" },
		{ "R+8 P+9", "8", "8", "8" },
		{ "R+9 P+8", "9", "9", "9" },
		/* an ESM build that has the fix, and another branch of the release that has not */
		{ "R+ P-", "none", "-", "none" },
		{ "R+9 P-", "9", "-", "9" },
		{ "R- P+9", "-", "pro 9", "-" },
		/* FIPS */
		{ "F+9", "-", "-", "pro 9" },
		{ "R- F+9", "-", "-", "pro 9" },
		{ "R+8 F-", "8", "8", "-" },
		{ "R+8 P+9 F+", "8", "8", "none" },
		{ "F+ G+9", "-", "-", "pro 9" },
		{ "F+ G-", "-", "-", "-" },
		{ "F+9 F- G+", "-", "-", "pro 9" },
		/* the whole distribution */
		{ "A+9", "9", "9", "9" },
		{ "A+9 R-", "-", "-", "-" },
		{ "A- R+", "none", "none", "none" },
		{ "A+9 R+", "none", "none", "none" },
		{ "A+9 c-", "-", "-", "-" },
		{ "A+9 c+8", "8", "8", "8" },
		{ "A+ P-", "-", "-", "-" },
		/* changelogs */
		{ "R+ c-", "-", "-", "-" },
		{ "R+ P+9 c+8", "8", "8", "8" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *expected[] = { cases[i].plain, cases[i].esm, cases[i].fips };
		g_autoptr(GPtrArray) rows = new_rows();
		g_auto(GStrv) words = g_strsplit(cases[i].rows, " ", -1);

		for (guint w = 0; words[w] != NULL; w++)
			add_scoped_row(rows, words[w]);
		for (int build = CAM_BUILD_PLAIN; build <= CAM_BUILD_FIPS; build++) {
			g_autoptr(GPtrArray) matches =
				cam_advisory_match_rows(rows, build, cam_version_compare_deb);
			const CamMatch *m = matches->len > 0 ? matches->pdata[0] : NULL;
			g_autofree char *text = m == NULL ? g_strdup("-")
						: m->fixed_version == NULL
							? g_strdup("none")
							: g_strconcat(m->pro_only ? "pro " : "",
								      m->fixed_version, NULL);

			g_test_message("%s, build %d", cases[i].rows, build);
			g_assert_cmpstr(text, ==, expected[build]);
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/advisory-match/merge", test_merge);
	g_test_add_func("/advisory-match/notice-of-many", test_notice_of_many);
	g_test_add_func("/advisory-match/changelog", test_changelog);
	g_test_add_func("/advisory-match/scopes", test_scopes);
	return g_test_run();
}
