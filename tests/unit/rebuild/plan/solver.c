/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The solver on small universes: what is read from dpkg's paragraphs, what moves, what does not,
 * and what is said about it.
 */
#include "rebuild/plan/solver.h"

typedef struct {
	CamSolver *solver;
	GPtrArray *jobs;
} Fixture;

static GBytes *
text(const char *string)
{
	return g_bytes_new(string, strlen(string));
}

static CamSolver *
universe(const char *const *foreign, const char *installed, const char *offered)
{
	g_autoptr(GError) error = NULL;
	CamSolver *solver = cam_solver_new("amd64", foreign, &error);
	g_autoptr(GBytes) status = text(installed);
	g_autoptr(GBytes) packages = text(offered);
	int number;

	g_assert_no_error(error);
	cam_solver_add_installed(solver, status, "status", &error);
	g_assert_no_error(error);
	cam_solver_add_repository(solver, packages, "Packages", CAM_SOLVER_PIN_NORMAL, NULL,
				  &number, &error);
	g_assert_no_error(error);
	g_assert_cmpint(number, ==, 0);
	return solver;
}

static int
find_installed(CamSolver *solver, const char *name, const char *architecture)
{
	const GArray *installed = cam_solver_get_installed(solver);

	for (guint i = 0; i < installed->len; i++) {
		CamSolvable package;

		cam_solver_describe(solver, g_array_index(installed, int, i), &package);
		if (g_str_equal(package.name, name) &&
		    (!architecture || g_str_equal(package.architecture, architecture)))
			return package.id;
	}
	return 0;
}

/* A job that wants any newer version of each named package ("name" or "name:arch"). */
static GPtrArray *
jobs_for(CamSolver *solver, const char *names)
{
	GPtrArray *jobs = g_ptr_array_new_with_free_func((GDestroyNotify) cam_solver_job_free);
	g_auto(GStrv) list = g_strsplit(names, " ", -1);

	for (guint i = 0; list[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(list[i], ":", 2);
		int id = find_installed(solver, parts[0], parts[1]);
		CamSolverJob *job = cam_solver_job_new(id, (int) i);

		g_assert_cmpint(id, >, 0);
		g_array_unref(job->choices);
		job->choices = cam_solver_get_candidates(solver, id);
		g_assert_cmpuint(job->choices->len, >, 0);
		g_ptr_array_add(jobs, job);
	}
	return jobs;
}

/* "a 1→2, b →1" in the order of installation. */
static char *
run(CamSolver *solver, GPtrArray *jobs)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) steps = cam_solver_run(solver, jobs, &error);
	g_autoptr(GString) out = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < steps->len; i++) {
		const CamSolverStep *step = &g_array_index(steps, CamSolverStep, i);
		CamSolvable package, old = { .version = "" };

		cam_solver_describe(solver, step->id, &package);
		if (step->replaces)
			cam_solver_describe(solver, step->replaces, &old);
		g_string_append_printf(out, "%s%s%s%s %s→%s", i ? ", " : "", package.name,
				       g_str_equal(package.architecture, "i386") ? ":" : "",
				       g_str_equal(package.architecture, "i386") ? "i386" : "",
				       old.version, package.version);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
assert_plan(const char *installed, const char *offered, const char *names, const char *expected)
{
	g_autoptr(CamSolver) solver = universe(NULL, installed, offered);
	g_autoptr(GPtrArray) jobs = jobs_for(solver, names);
	g_autofree char *plan = run(solver, jobs);

	g_assert_cmpstr(plan, ==, expected);
}

#define OK "Status: install ok installed\n"

static void
test_upgrade(void)
{
	/* the highest version; nothing else moves */
	assert_plan("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		    "Package: b\n" OK "Version: 1\nArchitecture: amd64\n\n",
		    "Package: a\nVersion: 2\nArchitecture: amd64\n\n"
		    "Package: a\nVersion: 3\nArchitecture: amd64\n\n"
		    "Package: b\nVersion: 2\nArchitecture: amd64\n\n",
		    "a", "a 1→3");
	/* epochs, tildes, and an architecture that becomes "all" */
	assert_plan("Package: a\n" OK "Version: 1:1.0~rc1-1\nArchitecture: amd64\n\n",
		    "Package: a\nVersion: 2.0\nArchitecture: amd64\n\n"
		    "Package: a\nVersion: 1:1.0-1\nArchitecture: all\n\n",
		    "a", "a 1:1.0~rc1-1→1:1.0-1");
}

static void
test_new_dependency(void)
{
	g_autoptr(CamSolver) solver =
		universe(NULL, "Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n",
			 "Package: a\nVersion: 2\nArchitecture: amd64\nDepends: lib (>= 1) | "
			 "other, virtual\n\n"
			 "Package: lib\nVersion: 1\nArchitecture: amd64\n\n"
			 "Package: real\nVersion: 5\nArchitecture: all\nProvides: virtual\n\n");
	g_autoptr(GPtrArray) jobs = jobs_for(solver, "a");
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) steps = cam_solver_run(solver, jobs, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(steps->len, ==, 3);
	for (guint i = 0; i < steps->len; i++) {
		const CamSolverStep *step = &g_array_index(steps, CamSolverStep, i);
		CamSolvable package, by;

		cam_solver_describe(solver, step->id, &package);
		if (i == 2) { /* what is needed comes first */
			g_assert_cmpstr(package.name, ==, "a");
			continue;
		}
		g_assert_cmpint(step->replaces, ==, 0);
		g_assert_cmpint(step->required_by, >, 0);
		cam_solver_describe(solver, step->required_by, &by);
		g_assert_cmpstr(by.name, ==, "a");
	}
}

static void
test_recommends_do_not_count(void)
{
	assert_plan("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n",
		    "Package: a\nVersion: 2\nArchitecture: amd64\nRecommends: b\n\n"
		    "Package: b\nVersion: 1\nArchitecture: amd64\n\n",
		    "a", "a 1→2");
}

static void
test_replaces_takes_no_ones_place(void)
{
	/* a 2 replaces files of b: b stays installed */
	assert_plan("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		    "Package: b\n" OK "Version: 1\nArchitecture: amd64\n\n",
		    "Package: a\nVersion: 2\nArchitecture: amd64\nReplaces: b (<< 2)\n"
		    "Breaks: c (<< 2)\n\n",
		    "a", "a 1→2");
	/* with Breaks, b must move along */
	assert_plan("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		    "Package: b\n" OK "Version: 1\nArchitecture: amd64\n\n",
		    "Package: a\nVersion: 2\nArchitecture: amd64\nReplaces: b (<< 2)\n"
		    "Breaks: b (<< 2)\n\n"
		    "Package: b\nVersion: 2\nArchitecture: amd64\n\n",
		    "a", "b 1→2, a 1→2");
}

static void
assert_refused(const char *installed, const char *offered, const char *names, const char *expected,
	       guint index, const char *reason)
{
	g_autoptr(CamSolver) solver = universe(NULL, installed, offered);
	g_autoptr(GPtrArray) jobs = jobs_for(solver, names);
	g_autofree char *plan = run(solver, jobs);

	g_assert_cmpstr(plan, ==, expected);
	for (guint i = 0; i < jobs->len; i++) {
		CamSolverJob *job = g_ptr_array_index(jobs, i);

		g_assert_cmpstr(job->refused, ==, i == index ? reason : NULL);
	}
}

static void
test_refused(void)
{
	/* a dependency that nobody has: the rest is still done */
	assert_refused("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		       "Package: b\n" OK "Version: 1\nArchitecture: amd64\n\n",
		       "Package: a\nVersion: 2\nArchitecture: amd64\nDepends: gone (>= 3)\n\n"
		       "Package: b\nVersion: 2\nArchitecture: amd64\n\n",
		       "a b", "b 1→2", 0, "a 2 needs gone >= 3, which no repository offers");
	/* a removal */
	assert_refused("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		       "Package: b\n" OK "Version: 1\nArchitecture: amd64\n\n",
		       "Package: a\nVersion: 2\nArchitecture: amd64\nConflicts: b\n\n", "a", "", 0,
		       "a 2 conflicts with b 1, which would have to be removed");
	/* two that exclude each other: the heavier one stays */
	assert_refused("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		       "Package: b\n" OK "Version: 1\nArchitecture: amd64\n\n",
		       "Package: a\nVersion: 2\nArchitecture: amd64\nConflicts: b (>= 2)\n\n"
		       "Package: b\nVersion: 2\nArchitecture: amd64\n\n",
		       "a b", "b 1→2", 0, "a 2 conflicts with b 2, which would have to be removed");
}

static void
test_held(void)
{
	/* a needs a newer b, which is held */
	assert_refused("Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n"
		       "Package: b\nStatus: hold ok installed\nVersion: 1\nArchitecture: amd64\n\n",
		       "Package: a\nVersion: 2\nArchitecture: amd64\nDepends: b (>= 2)\n\n"
		       "Package: b\nVersion: 2\nArchitecture: amd64\n\n",
		       "a", "", 0, "b 1 is held");
}

static void
test_not_installed_is_absent(void)
{
	g_autoptr(CamSolver) solver = universe(
		NULL,
		"Package: a\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: amd64\n\n"
		"Package: b\nStatus: install ok triggers-pending\nVersion: 1\nArchitecture: "
		"amd64\n\n"
		"Package: c\nVersion: 1\nArchitecture: amd64\n\n",
		"Package: b\nVersion: 1\nArchitecture: amd64\n\n");

	g_assert_cmpuint(cam_solver_get_installed(solver)->len, ==, 2);
	g_assert_cmpint(find_installed(solver, "a", NULL), ==, 0);
	g_assert_true(cam_solver_is_offered(solver, find_installed(solver, "b", NULL)));
	g_assert_false(cam_solver_is_offered(solver, find_installed(solver, "c", NULL)));
}

static void
test_source(void)
{
	g_autoptr(CamSolver) solver = universe(
		NULL,
		"Package: libssl3\nSource: openssl\nVersion: 3.0.1-1\nArchitecture: amd64\n\n"
		"Package: gcc-base\nSource: gcc-12 (12.2.0-14)\nVersion: 12.2.0-14+b1\n"
		"Architecture: amd64\n\n",
		"");
	CamSolvable package;

	cam_solver_describe(solver, find_installed(solver, "libssl3", NULL), &package);
	g_assert_cmpstr(package.source_name, ==, "openssl");
	g_assert_cmpstr(package.source_version, ==, "3.0.1-1");
	cam_solver_describe(solver, find_installed(solver, "gcc-base", NULL), &package);
	g_assert_cmpstr(package.source_name, ==, "gcc-12");
	g_assert_cmpstr(package.source_version, ==, "12.2.0-14");
}

static void
test_foreign_architecture(void)
{
	static const char *const foreign[] = { "i386", NULL };
	g_autoptr(CamSolver) solver = universe(
		foreign,
		"Package: libc\n" OK "Version: 1\nArchitecture: amd64\nMulti-Arch: same\n\n"
		"Package: libc\n" OK "Version: 1\nArchitecture: i386\nMulti-Arch: same\n\n"
		"Package: tool\n" OK "Version: 1\nArchitecture: amd64\nMulti-Arch: foreign\n\n"
		"Package: app\n" OK "Version: 1\nArchitecture: i386\nDepends: libc, tool\n\n",
		"Package: libc\nVersion: 2\nArchitecture: amd64\nMulti-Arch: same\n\n"
		"Package: libc\nVersion: 2\nArchitecture: i386\nMulti-Arch: same\n\n"
		"Package: app\nVersion: 2\nArchitecture: i386\nDepends: libc (>= 2), tool (>= "
		"1)\n\n");
	g_autoptr(GPtrArray) native = jobs_for(solver, "libc:amd64");
	g_autoptr(GPtrArray) app = jobs_for(solver, "app:i386");
	g_autofree char *both = run(solver, native);
	g_autofree char *all = run(solver, app);

	/* both architectures of a Multi-Arch: same package move together */
	g_assert_true(g_str_equal(both, "libc 1→2, libc:i386 1→2") ||
		      g_str_equal(both, "libc:i386 1→2, libc 1→2"));
	g_assert_true(g_str_has_suffix(all, "app:i386 1→2"));
	g_assert_nonnull(strstr(all, "libc:i386 1→2"));
	g_assert_null(strstr(all, "tool"));
}

static void
test_pins(void)
{
	g_autoptr(CamSolver) solver =
		universe(NULL, "Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n",
			 "Package: a\nVersion: 2\nArchitecture: amd64\n\n");
	g_autoptr(GBytes) backports = text("Package: a\nVersion: 3\nArchitecture: amd64\n\n");
	g_autoptr(GBytes) experimental = text("Package: a\nVersion: 4\nArchitecture: amd64\n\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) candidates = NULL;
	CamSolvable best, next;
	int number;

	cam_solver_add_repository(solver, backports, "b", CAM_SOLVER_PIN_BUT_AUTOMATIC, NULL,
				  &number, &error);
	g_assert_no_error(error);
	cam_solver_add_repository(solver, experimental, "e", CAM_SOLVER_PIN_NOT_AUTOMATIC, NULL,
				  &number, &error);
	g_assert_no_error(error);
	candidates = cam_solver_get_candidates(solver, find_installed(solver, "a", NULL));
	g_assert_cmpuint(candidates->len, ==, 2);
	cam_solver_describe(solver, g_array_index(candidates, int, 0), &best);
	cam_solver_describe(solver, g_array_index(candidates, int, 1), &next);
	g_assert_cmpstr(best.version, ==, "2");
	g_assert_cmpstr(next.version, ==, "3");
}

static void
test_excluded(void)
{
	g_autoptr(CamSolver) solver =
		universe(NULL, "Package: a\n" OK "Version: 1\nArchitecture: amd64\n\n", "");
	g_autoptr(GHashTable) excluded = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GBytes) packages = text("Package: a\nVersion: 2\nArchitecture: amd64\n\n");
	g_autoptr(GError) error = NULL;
	int number;

	g_hash_table_add(excluded, (gpointer) "a");
	cam_solver_add_repository(solver, packages, "p", CAM_SOLVER_PIN_NORMAL, excluded, &number,
				  &error);
	g_assert_no_error(error);
	g_assert_false(cam_solver_is_offered(solver, find_installed(solver, "a", NULL)));
}

static void
test_file(void)
{
	g_autoptr(CamSolver) solver = universe(
		NULL,
		"Package: a\nVersion: 1\nArchitecture: amd64\n\n"
		"Package: b\nVersion: 1\nArchitecture: amd64\n\n",
		"Package: a\nVersion: 2\nArchitecture: amd64\nFilename: pool/a_2.deb\nSize: 77\n"
		"SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\n"
		"Package: b\nVersion: 2\nArchitecture: amd64\nFilename: pool/b_2.deb\nSize: "
		"77\n\n");
	g_autoptr(GArray) a = cam_solver_get_candidates(solver, find_installed(solver, "a", NULL));
	g_autoptr(GArray) b = cam_solver_get_candidates(solver, find_installed(solver, "b", NULL));
	g_autofree char *filename = NULL, *sha256 = NULL;
	g_autoptr(GError) error = NULL;
	gint64 size;

	g_assert_true(cam_solver_get_file(solver, g_array_index(a, int, 0), &filename, &sha256,
					  &size, &error));
	g_assert_cmpstr(filename, ==, "pool/a_2.deb");
	g_assert_cmpint(size, ==, 77);
	g_clear_pointer(&filename, g_free);
	g_clear_pointer(&sha256, g_free);
	g_assert_false(cam_solver_get_file(solver, g_array_index(b, int, 0), &filename, &sha256,
					   &size, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
}

/* "b c": names of what a step needs, in the order of the steps. */
static char *
needs_of(CamSolver *solver, const GArray *steps, const char *name)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; i < steps->len; i++) {
		int id = g_array_index(steps, CamSolverStep, i).id;
		CamSolvable package;

		cam_solver_describe(solver, id, &package);
		if (!g_str_equal(package.name, name))
			continue;

		g_autoptr(GArray) needs = cam_solver_get_needs(solver, id, steps);

		for (guint j = 0; j < needs->len; j++) {
			cam_solver_describe(solver, g_array_index(needs, int, j), &package);
			g_string_append_printf(out, "%s%s", j ? " " : "", package.name);
		}
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
test_needs(void)
{
	static const struct {
		const char *name, *needs;
	} cases[] = {
		{ "app", "lib" },	 /* a newer version than the installed one */
		{ "lib", "plugin" },	 /* whose old version wants the old lib */
		{ "plugin", "lib" },	 /* whose new version wants the new lib */
		{ "breaker", "broken" }, /* breaks the installed version */
		{ "alone", "" },	 /* the installed lib would do */
	};
	g_autoptr(CamSolver) solver = universe(
		NULL,
		"Package: app\n" OK "Version: 1\nDepends: lib\nArchitecture: amd64\n\n"
		"Package: lib\n" OK "Version: 1\nArchitecture: amd64\n\n"
		"Package: plugin\n" OK "Version: 1\nDepends: lib (= 1)\nArchitecture: amd64\n\n"
		"Package: breaker\n" OK "Version: 1\nArchitecture: amd64\n\n"
		"Package: broken\n" OK "Version: 1\nArchitecture: amd64\n\n"
		"Package: alone\n" OK "Version: 1\nArchitecture: amd64\n\n",
		"Package: app\nVersion: 2\nDepends: lib (>= 2)\nArchitecture: amd64\n\n"
		"Package: lib\nVersion: 2\nArchitecture: amd64\n\n"
		"Package: plugin\nVersion: 2\nDepends: lib (= 2)\nArchitecture: amd64\n\n"
		"Package: breaker\nVersion: 2\nBreaks: broken (<< 2)\nArchitecture: amd64\n\n"
		"Package: broken\nVersion: 2\nArchitecture: amd64\n\n"
		"Package: alone\nVersion: 2\nDepends: lib (>= 1)\nArchitecture: amd64\n\n");
	g_autoptr(GPtrArray) jobs = jobs_for(solver, "app lib plugin breaker broken alone");
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) steps = cam_solver_run(solver, jobs, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(steps->len, ==, 6);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *needs = needs_of(solver, steps, cases[i].name);

		g_assert_cmpstr(needs, ==, cases[i].needs);
	}
}

/* What the installed version lacks, the candidate may lack: nothing else. */
static void
test_lenient(void)
{
	g_autoptr(CamSolver) solver = universe(NULL,
					       "Package: tz\nVersion: 1\nArchitecture: "
					       "all\nDepends: debconf (>= 0.5) | debconf-2\n\n",
					       "Package: tz\nVersion: 2\nArchitecture: "
					       "all\nDepends: debconf (>= 1) | cdebconf, lib\n\n"
					       "Package: debconf\nVersion: 2\nArchitecture: all\n\n"
					       "Package: lib\nVersion: 1\nArchitecture: amd64\n\n");
	g_autoptr(GPtrArray) strict_jobs = jobs_for(solver, "tz");
	g_autofree char *strict = run(solver, strict_jobs);
	g_autofree char *lenient = NULL;

	g_assert_nonnull(strstr(strict, "debconf"));
	cam_solver_set_lenient(solver);

	g_autoptr(GPtrArray) lenient_jobs = jobs_for(solver, "tz");

	lenient = run(solver, lenient_jobs);
	g_assert_cmpstr(lenient, ==, "lib →1, tz 1→2");
}

/* A status file is what a stranger put into an image. */
static void
test_hostile_status(void)
{
	g_autoptr(GString) chain = g_string_new("Package: a\nVersion: 1\nDepends: x");
	static const char *const bad[] = {
		"Package: a\n\n",
		"Version: 1\n\n",
		"Package: a\nVersion: 1\nDepends: b (>= 1\n\n",
		"Package: a\nVersion: 1\nDepends: b (~ 1)\n\n",
		"Package: a\nVersion: 1\nDepends: b ( )\n\n",
		"Package: a\nVersion: 1\nDepends: |\n\n",
		"Package: a\nVersion: 1\nDepends: b:\n\n",
		"Package: a\nVersion: 1\nProvides: b | c\n\n",
		"Package: a\nVersion: 1\nConflicts: b; rm\n\n",
	};

	for (guint i = 0; i < 100000; i++)
		g_string_append(chain, " | x");
	g_string_append(chain, "\n\n");
	for (gsize i = 0; i <= G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamSolver) solver = cam_solver_new("amd64", NULL, &error);
		g_autoptr(GBytes) status = text(i < G_N_ELEMENTS(bad) ? bad[i] : chain->str);

		g_assert_false(cam_solver_add_installed(solver, status, "status", &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		g_assert_true(g_str_has_prefix(error->message, "status:1"));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/solver/upgrade", test_upgrade);
	g_test_add_func("/plan/solver/new-dependency", test_new_dependency);
	g_test_add_func("/plan/solver/recommends", test_recommends_do_not_count);
	g_test_add_func("/plan/solver/replaces", test_replaces_takes_no_ones_place);
	g_test_add_func("/plan/solver/refused", test_refused);
	g_test_add_func("/plan/solver/held", test_held);
	g_test_add_func("/plan/solver/not-installed", test_not_installed_is_absent);
	g_test_add_func("/plan/solver/source", test_source);
	g_test_add_func("/plan/solver/foreign-architecture", test_foreign_architecture);
	g_test_add_func("/plan/solver/pins", test_pins);
	g_test_add_func("/plan/solver/excluded", test_excluded);
	g_test_add_func("/plan/solver/file", test_file);
	g_test_add_func("/plan/solver/needs", test_needs);
	g_test_add_func("/plan/solver/lenient", test_lenient);
	g_test_add_func("/plan/solver/hostile-status", test_hostile_status);
	return g_test_run();
}
