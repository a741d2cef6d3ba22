/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/acceptance.h"

#include "scanners/scanners.h"

/* Which packages a policy accepts without judgement. */

#define TODAY "2026-11-28"

typedef struct {
	const char *package, *origin, *until; /* of the acceptance; NULL: not given */
	gboolean wanted;
} Case;

static CamUnjudged *
docker(void)
{
	CamUnjudged *unjudged = cam_unjudged_new("docker-ce", "5:24", "not looked up");

	cam_unjudged_add_package(unjudged, "docker-ce", "Docker <support@docker.example>");
	cam_unjudged_add_package(unjudged, "docker-ce-cli", "Docker <support@docker.example>");
	return unjudged;
}

static void
test_cases(void)
{
	static const Case cases[] = {
		{ "docker-ce", NULL, NULL, TRUE },
		{ "docker-*", NULL, TODAY, TRUE },
		{ "docker-*", NULL, "2026-11-27", FALSE },
		{ "docker-ce-cli", NULL, NULL, FALSE }, /* not all of them */
		{ "openssl", NULL, NULL, FALSE },
		{ NULL, "Docker *", NULL, TRUE },
		{ NULL, "Debian *", NULL, FALSE },
		{ "docker-ce", "Docker *", "2027-01-01", TRUE },
		{ "docker-ce", "Debian *", NULL, FALSE },
		{ "openssl", "Docker *", NULL, FALSE },
		{ NULL, NULL, NULL, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *packages[] = { (char *) cases[i].package, NULL };
		char *origins[] = { (char *) cases[i].origin, NULL };
		CamAcceptance acceptance = {
			.name = (char *) "x",
			.packages = cases[i].package != NULL ? packages : NULL,
			.origins = cases[i].origin != NULL ? origins : NULL,
			.until = (char *) cases[i].until,
		};
		g_autoptr(GPtrArray) all = g_ptr_array_new();
		g_autoptr(CamUnjudged) unjudged = docker();

		g_ptr_array_add(all, &acceptance);
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpint(cam_acceptance_find(all, unjudged, TODAY) != NULL, ==,
				cases[i].wanted);
		g_assert_null(cam_acceptance_find(NULL, unjudged, TODAY));
	}
}

/* Packages of one source whose makers differ have none that could be named. */
static void
test_mixed_origins(void)
{
	char *origins[] = { (char *) "*", NULL };
	CamAcceptance acceptance = { .name = (char *) "x", .origins = origins };
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autoptr(CamUnjudged) unjudged = docker();

	g_ptr_array_add(all, &acceptance);
	cam_unjudged_add_package(unjudged, "docker-ce-extra", "somebody else");
	g_assert_null(unjudged->origin);
	cam_unjudged_add_package(unjudged, "docker-ce-more", "Docker <support@docker.example>");
	g_assert_null(unjudged->origin);
	g_assert_null(cam_acceptance_find(all, unjudged, TODAY));
}

static void
test_groups(void)
{
	g_autoptr(GPtrArray) all =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_unjudged_free);
	g_autoptr(GPtrArray) groups = NULL;
	const CamUnjudgedGroup *group;

	for (guint i = 0; i < 6; i++) {
		CamUnjudged *one = cam_unjudged_new("s", "1", i % 2 == 0 ? "looks odd" : "absent");

		cam_unjudged_add_package(one, "a", NULL);
		if (i == 1)
			cam_unjudged_add_package(one, "b", NULL);
		if (i == 5)
			one->accepted_by = g_strdup("x");
		g_ptr_array_add(all, one);
	}
	groups = cam_unjudged_group(all);
	g_assert_cmpuint(groups->len, ==, 2);
	group = groups->pdata[0];
	g_assert_cmpstr(group->reason, ==, "absent");
	g_assert_cmpuint(group->packages->len, ==, 3);
	group = groups->pdata[1];
	g_assert_cmpuint(group->packages->len, ==, 3);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/acceptance/cases", test_cases);
	g_test_add_func("/acceptance/mixed-origins", test_mixed_origins);
	g_test_add_func("/acceptance/groups", test_groups);
	return g_test_run();
}
