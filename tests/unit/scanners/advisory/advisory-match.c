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
	g_autoptr(GPtrArray) matches = cam_advisory_match_rows(rows, cam_version_compare_deb);
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
		matches = cam_advisory_match_rows(rows, cam_version_compare_deb);
		g_assert_cmpuint(matches->len, ==, cases[i].expected ? 1 : 0);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/advisory-match/merge", test_merge);
	g_test_add_func("/advisory-match/notice-of-many", test_notice_of_many);
	g_test_add_func("/advisory-match/changelog", test_changelog);
	return g_test_run();
}
