/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/changelog-mention.h"

#include <string.h>

/* How changelogs put it. "@" stands for the CVE that is asked about. */
static const struct {
	const char *item, *parent;
	int age;
	CamMentionKind kind;
} cases[] = {
	/* fixes */
	{ "@: overflow in the parser", NULL, 0, CAM_MENTION_FIX },
	{ "Fix @", NULL, 9, CAM_MENTION_FIX },
	{ "Fix CVE-2001-0001, CVE-2001-0002 and @.", NULL, 9, CAM_MENTION_FIX },
	{ "Check the size of names (@) (Closes: #1)", NULL, 9, CAM_MENTION_FIX },
	{ "d/patches/@.patch: add, from upstream", NULL, 9, CAM_MENTION_FIX },
	{ "@.patch: remove a wrong cast", NULL, 0, CAM_MENTION_FIX },
	{ "@: Remove the alias from the configuration", NULL, 0, CAM_MENTION_FIX },
	{ "CVE-2001-0001: overflow. Also fixes @.", NULL, 9, CAM_MENTION_FIX },
	{ "Fix the following CVEs: @", NULL, 9, CAM_MENTION_FIX },
	{ "Backport the fix for @ from 1.2", NULL, 9, CAM_MENTION_FIX },
	{ "Fix predictable hashes as per @", NULL, 0, CAM_MENTION_FIX },
	{ "Regression introduced in 1.16.0. Fixes @.", NULL, 0, CAM_MENTION_FIX },
	{ "Fix a regression since 3.6.3, breaking the guarantees of the protocol. SA-2020 @", NULL,
	  0, CAM_MENTION_FIX },
	{ "Revert \"epoll: use refcount\" (@)", NULL, 0, CAM_MENTION_FIX },
	{ "Revert the fix for @ and use the correct patches", NULL, 0, CAM_MENTION_FIX },
	{ "Remove \".\" from the path. Fixes @.", NULL, 0, CAM_MENTION_FIX },
	{ "@.patch", "Add patches of upstream:", 0, CAM_MENTION_FIX },
	/* regressions of a fix */
	{ "Fix regression of @", NULL, 0, CAM_MENTION_NEWS },
	{ "Fix @ regression: trust the configuration", NULL, 0, CAM_MENTION_NEWS },
	{ "A regression caused by @ fix could lead to a crash", NULL, 0, CAM_MENTION_NEWS },
	{ "Fix a leak which was introduced by the fix for @", NULL, 0, CAM_MENTION_NEWS },
	{ "Put back what was erroneously removed in fix for @", NULL, 0, CAM_MENTION_NEWS },
	{ "d/patches/fix-@-regression.patch: restore the old behaviour", NULL, 0,
	  CAM_MENTION_NEWS },
	{ "The @ patch broke connections.", NULL, 0, CAM_MENTION_NEWS },
	/* what others belong to */
	{ "Following the fix for @, the expressions were revised", NULL, 0, CAM_MENTION_NEWS },
	{ "As a follow-up of @ in another library", NULL, 0, CAM_MENTION_NEWS },
	{ "Follow up to CVE-2001-0001 and @", NULL, 0, CAM_MENTION_NEWS },
	{ "CVE-2001-0001: incomplete fix for @", NULL, 0, CAM_MENTION_NEWS },
	{ "Fix CVE-2001-0001. (Similar to @, but another way.)", NULL, 0, CAM_MENTION_NEWS },
	{ "This is a similar issue as @.", NULL, 0, CAM_MENTION_NEWS },
	{ "CVE-2001-0001: Apply @ hardening to the other function", NULL, 0, CAM_MENTION_NEWS },
	{ "CVE-2001-0001: a way around the partial @ fix", NULL, 0, CAM_MENTION_NEWS },
	{ "The fix for @, plus others, was meant to prevent that", NULL, 0, CAM_MENTION_NEWS },
	{ "Tighten checks (A. Author) The fix for @ was meant to", NULL, 0, CAM_MENTION_NEWS },
	{ "add regression test for @", NULL, 0, CAM_MENTION_NEWS },
	/* no vulnerability here */
	{ "Not affected by @, as SSLv2 is off", NULL, 0, CAM_MENTION_NEWS },
	{ "While 1.8 is not vulnerable to @, this is urgent", NULL, 0, CAM_MENTION_NEWS },
	{ "Fix @ (not affected, SSLv2 is off)", NULL, 0, CAM_MENTION_NEWS },
	{ "The issue (@) was already fixed by the previous upload.", NULL, 0, CAM_MENTION_NEWS },
	/* patches that go */
	{ "Drop @.patch, applied upstream", NULL, 0, CAM_MENTION_NEWS },
	{ "Remove patches a.patch and CVE-2001-0001.patch, @.patch: merged", NULL, 0,
	  CAM_MENTION_NEWS },
	{ "debian/patches/@.diff: drop, merged upstream", NULL, 0, CAM_MENTION_NEWS },
	{ "@.patch", "Drop patches that upstream has:", 0, CAM_MENTION_NEWS },
	{ "@", "The following do not affect this package:", 0, CAM_MENTION_NEWS },
	/* news of long ago */
	{ "Names with newlines allowed injection. @ fixed these at the time, but later work "
	  "brought "
	  "them back",
	  NULL, 13, CAM_MENTION_NEWS },
	{ "The parser treats @ style names as before", NULL, 3, CAM_MENTION_NEWS },
	{ "The parser treats @ style names as before", NULL, 2, CAM_MENTION_FIX },
	/* fixes that are taken back */
	{ "Revert the fix for @, as it breaks logins", NULL, 0, CAM_MENTION_REVERT },
	{ "Revert @: breaks logins", NULL, 0, CAM_MENTION_REVERT },
	{ "Back out patch for @", NULL, 0, CAM_MENTION_REVERT },
	{ "Disable patches for @", NULL, 0, CAM_MENTION_REVERT },
};

static void
test_table(void)
{
	static const char cve[] = "CVE-2023-1111";
	g_autoptr(CamMentionRules) rules = cam_mention_rules_new();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize start = strcspn(cases[i].item, "@");
		g_autofree char *item = g_strdup_printf("%.*s%s%s", (int) start, cases[i].item, cve,
							cases[i].item + start + 1);

		g_test_message("%s", item);
		g_assert_cmpint(cam_mention_rules_classify(rules, item, start, start + strlen(cve),
							   cases[i].parent, cases[i].age),
				==, cases[i].kind);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/changelog-mention/table", test_table);
	return g_test_run();
}
