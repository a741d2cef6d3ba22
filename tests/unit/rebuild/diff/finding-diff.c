/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rebuild/diff/finding-diff.h"

/* What became of findings. */

static void
add(GPtrArray *findings, const char *id, const char *package, const char *architecture)
{
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->id = g_strdup(id);
	finding->package = g_strdup(package);
	finding->architecture = g_strdup(architecture);
	g_ptr_array_add(findings, finding);
}

static GPtrArray *
new_list(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify) cam_finding_free);
}

static void
test_sorts_out(void)
{
	g_autoptr(GPtrArray) before = new_list(), after = new_list();
	g_autoptr(GPtrArray) closed = new_list(), remaining = new_list(), introduced = new_list();

	add(before, "CVE-1", "a", "amd64");
	add(before, "CVE-1", "b", "amd64");
	add(before, "CVE-1", "b", "i386");
	add(before, "CVE-2", "a", NULL);
	add(after, "CVE-1", "b", "amd64");
	add(after, "CVE-2", "a", NULL);
	add(after, "CVE-3", "a", "amd64");
	cam_diff_findings(before, after, closed, remaining, introduced);
	g_assert_cmpuint(closed->len, ==, 2);
	g_assert_cmpstr(((CamFinding *) closed->pdata[0])->package, ==, "a");
	g_assert_cmpstr(((CamFinding *) closed->pdata[1])->architecture, ==, "i386");
	g_assert_cmpuint(remaining->len, ==, 2);
	g_assert_cmpuint(introduced->len, ==, 1);
	g_assert_cmpstr(((CamFinding *) introduced->pdata[0])->id, ==, "CVE-3");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/finding-diff/sorts-out", test_sorts_out);
	return g_test_run();
}
