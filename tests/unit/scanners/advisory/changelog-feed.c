/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changelogs as text, and the whole way from a local repository to matches. */
#include "scanners/advisory/changelog-feed.h"

#include "tests/unit/scanners/apt/local-repository.h"

static void
collect(const char *cve, const char *version, const char *text, gpointer user_data)
{
	g_string_append_printf(user_data, "%s=%s(%s);", cve, version, text);
}

static void
assert_changelog(const char *changelog, const char *expected)
{
	g_autoptr(GString) found = g_string_new(NULL);

	cam_changelog_foreach_cve(changelog, strlen(changelog), collect, found);
	g_assert_cmpstr(found->str, ==, expected);
}

#define ENTRY(version, body)                                \
	"curl (" version ") suite; urgency=medium\n\n" body \
	"\n\n -- A B <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n\n"

static void
test_rule(void)
{
	/* the entry that names it first */
	assert_changelog(ENTRY("1.2-3", "  * More for CVE-2023-1111.")
				 ENTRY("1.2-2", "  * Fix cve-2023-1111: overflow.")
					 ENTRY("1.2-1", "  * Initial."),
			 "CVE-2023-1111=1.2-2(Fix cve-2023-1111: overflow.);");
	/* a package for a stable release made from a newer one */
	assert_changelog(
		ENTRY("1.3-1~deb12u1", "  * Rebuild.")
			ENTRY("1.3-1", "  * CVE-2023-1111 CVE-2023-22222222"),
		"CVE-2023-1111=1.3-1~deb12u1((null));CVE-2023-22222222=1.3-1~deb12u1((null));");
	/* newer entries with higher versions change nothing */
	assert_changelog(ENTRY("2.0-1", "  * New.") ENTRY("1.0-1", "  * CVE-2023-1111: x"),
			 "CVE-2023-1111=1.0-1(x);");
}

static void
test_items(void)
{
	assert_changelog(ENTRY("1",
			       "  * Backport patches:\n    - CVE-2023-1111: first\n      over two "
			       "lines\n    - second (CVE-2023-1112)\n\n  [ Somebody ]\n  * Long\n"
			       "    item for CVE-2023-1113"),
			 "CVE-2023-1111=1(first over two lines);"
			 "CVE-2023-1112=1(second (CVE-2023-1112));"
			 "CVE-2023-1113=1(Long item for CVE-2023-1113);");
}

/* What is said of other entries: kinds of mention are in changelog-mention.c's table. */
static void
test_mentions(void)
{
	/* the fix, though a newer entry speaks of its regression, and one that is not there */
	assert_changelog(
		ENTRY("1.2-4", "  * Fix regression of CVE-2023-1111 and\n    CVE-2023-1112.")
			ENTRY("1.2-3", "  * CVE-2023-1111: a"),
		"CVE-2023-1111=1.2-3(a);");
	/* taken back, and fixed again */
	assert_changelog(ENTRY("1.2-5", "  * Fix CVE-2023-1111 in another way")
				 ENTRY("1.2-4", "  * Revert fix for CVE-2023-1111")
					 ENTRY("1.2-3", "  * Fix CVE-2023-1111"),
			 "CVE-2023-1111=1.2-5(Fix CVE-2023-1111 in another way);");
	assert_changelog(ENTRY("1.2-4", "  * Revert fix for CVE-2023-1111.")
				 ENTRY("1.2-3", "  * Fix CVE-2023-1111"),
			 "");
	/* an item's later paragraphs, and the items of a list */
	assert_changelog(ENTRY("1.2-3", "  * CVE-2023-1111: a\n\n    Names as CVE-2023-1112 had "
					"them\n    are read as before."),
			 "CVE-2023-1111=1.2-3(a);");
	assert_changelog(ENTRY("1.2-3", "  * Drop patches, applied upstream:\n    - "
					"CVE-2023-1111.patch\n  * Add:\n    - CVE-2023-1112.patch"),
			 "CVE-2023-1112=1.2-3(CVE-2023-1112.patch);");
	/* the entry of 2024 speaks of what was long ago */
	assert_changelog(ENTRY("1.2-3", "  * Names that CVE-2012-0868 treats are read."), "");
	/* neighbours share the title */
	assert_changelog(ENTRY("1.2-3", "  * CVE-2023-1111 + CVE-2023-1112 and CVE-2023-1113\n"
					"    heap overflow"),
			 "CVE-2023-1111=1.2-3(heap overflow);CVE-2023-1112=1.2-3(heap overflow);"
			 "CVE-2023-1113=1.2-3(heap overflow);");
}

static void
test_not_cves(void)
{
	assert_changelog("", "");
	assert_changelog("CVE-2023-1111 before any entry\n", "");
	assert_changelog(ENTRY("1", "  * CVE-2023-111 CVE-20233-1111 CVE-abcd-1111 XCVE- CVE-2023-"
				    "12345678901234567890123 CVE-"),
			 "");
	assert_changelog("curl (1) suite; urgency=low\nCVE-2023-111", "");
	assert_changelog("curl (1 2) suite; urgency=low\n CVE-2023-1111\n", "");
	assert_changelog("curl () suite; urgency=low\n CVE-2023-1111\n", "");
}

/* No byte beyond the text is touched: it is copied to where the sanitizer sees its end. */
static void
test_every_cut(void)
{
	static const char text[] = ENTRY("1.2-3", "  * CVE-2023-1111: a\n    b\n - c")
		ENTRY("1.2-2", "  [ x ]\n  * for CVE-2023-1112");

	for (gsize size = 0; size < sizeof(text); size++) {
		g_autofree char *cut = g_memdup2(text, MAX(size, 1));
		g_autoptr(GString) found = g_string_new(NULL);

		cam_changelog_foreach_cve(cut, size, collect, found);
	}
}

/* ---- the feed ---- */

static GPtrArray *
installed(const char *source, const char *version)
{
	GPtrArray *packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	CamPackage *package = cam_package_new(CAM_PACKAGE_DEB, source, version);

	g_ptr_array_add(packages, package);
	return packages;
}

static CamFeedResult
update(LocalRepository *local, CamAdvisoryDb *db, const GPtrArray *packages, GError **error)
{
	g_autoptr(CamAptRepository) repository = local_repository_open_cache(local);
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	CamOsRelease os = { .id = (char *) "debian",
			    .codename = (char *) "bookworm",
			    .ecosystem = (char *) "Debian:12" };
	CamFeedResult result = { 0 };

	g_ptr_array_add(sources, local_repository_source(local, "bookworm-security"));
	g_ptr_array_add(sources, local_repository_source(local, "bookworm-updates"));
	cam_feed_update_changelogs(db, repository, sources, &os, "amd64", packages, NULL, &result,
				   NULL, error);
	return result;
}

/* @fixed: (nullable): of the one CVE that is found; updates without one do not count. */
static void
assert_match(CamAdvisoryDb *db, const char *package, const char *version, const char *fixed)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) matches =
		cam_advisory_db_match(db, "Debian:12", package, version, &error);
	guint found = 0;

	g_assert_no_error(error);
	for (guint i = 0; i < matches->len; i++) {
		const CamMatch *match = g_ptr_array_index(matches, i);

		if (cam_advisory_is_security_update(match->advisory->id))
			continue;
		found++;
		g_assert_cmpstr(match->fixed_version, ==, fixed);
		g_assert_cmpstr(match->advisory->id, ==, "CVE-2023-1111");
		g_assert_cmpint(match->advisory->severity, ==, CAM_SEVERITY_UNKNOWN);
		g_assert_true(
			g_str_has_prefix(match->advisory->source, "debian-changelog:bookworm"));
	}
	g_assert_cmpuint(found, ==, fixed != NULL ? 1 : 0);
}

/* All matches: "id=fixed (title) source;". */
static char *
describe_matches(CamAdvisoryDb *db, const char *package, const char *version)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) matches =
		cam_advisory_db_match(db, "Debian:12", package, version, &error);
	g_autoptr(GString) text = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < matches->len; i++) {
		const CamMatch *match = g_ptr_array_index(matches, i);
		const CamAdvisory *advisory = match->advisory;

		g_string_append_printf(text, "%s=%s(%s)%s;", advisory->id, match->fixed_version,
				       advisory->summary,
				       advisory->source + strlen("debian-changelog:bookworm"));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

#define assert_matches(db, package, version, expected)                           \
	G_STMT_START                                                             \
	{                                                                        \
		g_autofree char *text_ = describe_matches(db, package, version); \
		g_assert_cmpstr(text_, ==, expected);                            \
	}                                                                        \
	G_STMT_END

static void
test_feed(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) curl = NULL, sources = NULL;
	g_autoptr(GError) error = NULL;
	const CamAdvisorySource *source;
	CamFeedResult result;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	g_assert_no_error(error);
	curl = installed("curl", "7-1");
	/* The smallest package has no changelog; the next one has. */
	g_free(local_repository_add(local, "libcurl", "7-3", "curl", NULL));
	g_free(local_repository_add(local, "curl", "7-3+b1", "curl (7-3)",
				    ENTRY("7-3", "  * New.") ENTRY("7-2", "  * CVE-2023-1111: x")));
	g_free(local_repository_add(local, "other", "2", NULL, ENTRY("2", "  * CVE-2023-2222")));
	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);

	result = update(local, db, curl, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(result.added, ==, 2);
	assert_match(db, "curl", "7-1", "7-2");
	assert_match(db, "curl", "7-2", NULL);
	assert_match(db, "other", "1", NULL);
	sources = cam_advisory_db_list_sources(db, &error);
	source = g_ptr_array_index(sources, 0);
	g_assert_cmpstr(source->kind, ==, "debian-changelog");
	g_assert_nonnull(strstr(source->note, "severities are unknown"));
	/* The suite that is not there is told, not passed over in silence. */
	g_assert_nonnull(strstr(source->note, "bookworm-updates could not be read"));

	/* Nothing is fetched again: the packages are gone and nobody notices. */
	local_remove(local, "pool/curl_7-3+b1_all.deb");
	result = update(local, db, curl, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(result.added + result.changed + result.removed, ==, 0);
	g_assert_cmpuint(result.unchanged, >, 0); /* what is not looked at again is there too */
	assert_match(db, "curl", "7-1", "7-2");
}

/* (transfer full): what the database says of how far a version is judged. */
static char *
describe_coverage(CamAdvisoryDb *db, const char *package, const char *version)
{
	g_auto(CamCoverage) coverage = { 0 };
	g_autoptr(GError) error = NULL;

	cam_advisory_db_get_coverage(db, "Debian:12", package, version, &coverage, &error);
	g_assert_no_error(error);
	g_assert_false(coverage.unfixed);
	return g_strdup(coverage.fixes ? "judged" : coverage.reason);
}

#define assert_coverage(db, package, version, expected)                           \
	G_STMT_START                                                              \
	{                                                                         \
		g_autofree char *text_ = describe_coverage(db, package, version); \
		g_assert_cmpstr(text_, ==, expected);                             \
	}                                                                         \
	G_STMT_END

/* Each look-up adds to what is known; one with a newer index judges anew. */
static void
test_coverage(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) curl = installed("curl", "7-1"), other = installed("other", "2");
	g_autoptr(GPtrArray) absent = installed("absent", "1"), bare = installed("bare", "1");
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	g_free(local_repository_add(local, "curl", "7-2", NULL,
				    ENTRY("7-2", "  * CVE-2023-1111: x") ENTRY(
					    "6-1", "  * Old.") "# Older entries have been removed "
							       "from this changelog.\n"));
	g_free(local_repository_add(local, "other", "2", NULL, ENTRY("2", "  * CVE-2023-2222")));
	g_free(local_repository_add(local, "bare", "2", NULL, NULL));
	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);
	local_repository_publish(local, "bookworm-updates", LOCAL_HONEST);
	assert_coverage(db, "curl", "7-1", "no source for Debian:12");

	update(local, db, curl, &error);
	g_assert_no_error(error);
	assert_coverage(db, "curl", "7-1", "judged");
	assert_coverage(db, "curl", "7-2", "judged");
	assert_coverage(db, "curl", "6-1", "judged");
	assert_coverage(db, "curl", "5-1", "its changelog reaches back to 6-1 only");
	assert_coverage(db, "curl", "7-3", "newer than what the repositories hold");
	assert_coverage(db, "other", "2", "not looked up");

	update(local, db, other, &error);
	update(local, db, absent, &error);
	update(local, db, bare, &error);
	g_assert_no_error(error);
	assert_coverage(db, "curl", "7-1", "judged");
	assert_match(db, "curl", "7-1", "7-2");
	assert_coverage(db, "other", "2", "judged");
	assert_coverage(db, "other", "1", "not looked up");
	assert_coverage(db, "absent", "1", "not in the repositories of bookworm");
	assert_coverage(db, "bare", "1", "its changelog could not be read");
	assert_coverage(db, "bare", "2", "judged");

	/* a newer index */
	g_free(local_repository_add(local, "curl", "7-3", NULL,
				    ENTRY("7-3", "  * New.") ENTRY("7-2", "  * CVE-2023-1111: x")));
	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);
	update(local, db, curl, &error);
	g_assert_no_error(error);
	assert_coverage(db, "curl", "7-3", "judged");
	assert_coverage(db, "curl", "5-1", "judged");
	assert_coverage(db, "other", "2", "judged");
}

/* Without the security suite nothing is judged that was not judged before. */
static void
test_incomplete(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) curl = installed("curl", "7-1"), other = installed("other", "2");
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	g_free(local_repository_add(local, "curl", "7-2", NULL,
				    ENTRY("7-2", "  * CVE-2023-1111: x")));
	g_free(local_repository_add(local, "other", "2", NULL, ENTRY("2", "  * CVE-2023-2222")));
	local_repository_publish(local, "bookworm-updates", LOCAL_HONEST);
	update(local, db, curl, &error);
	g_assert_no_error(error);
	assert_match(db, "curl", "7-1", "7-2");
	assert_coverage(db, "curl", "7-1", "bookworm-security could not be read");
	assert_coverage(db, "curl", "7-2", "bookworm-security could not be read");

	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);
	update(local, db, curl, &error);
	assert_coverage(db, "curl", "7-1", "judged");
	local_repository_publish(local, "bookworm-security", LOCAL_EXPIRED);
	update(local, db, curl, &error);
	update(local, db, other, &error);
	g_assert_no_error(error);
	assert_coverage(db, "curl", "7-1", "judged");
	assert_coverage(db, "other", "2", "bookworm-security could not be read");
}

static void
test_unreadable(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) curl = NULL;
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	curl = installed("curl", "7-1");
	update(local, db, curl, &error);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
}

static void
test_corrupt_package(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) curl = NULL;
	g_autoptr(GBytes) evil = NULL;
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GError) error = NULL;
	const CamAdvisorySource *source;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	curl = installed("curl", "7-1");
	g_free(local_repository_add(local, "curl", "7-3", NULL, ENTRY("7-3", "  * CVE-2023-1111")));
	evil = local_make_deb("curl", ENTRY("7-3", "  * CVE-2023-1112"));
	local_write(local, "pool/curl_7-3_all.deb", g_bytes_get_data(evil, NULL),
		    g_bytes_get_size(evil));
	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);
	update(local, db, curl, &error);
	g_assert_no_error(error);
	assert_match(db, "curl", "7-1", NULL);
	assert_matches(db, "curl", "7-1", "SECURITY-UPDATE/curl/7-3=7-3((null));");
	assert_coverage(db, "curl", "7-1", "its changelog could not be read");
	sources = cam_advisory_db_list_sources(db, NULL);
	source = g_ptr_array_index(sources, 0);
	g_assert_nonnull(strstr(source->note, "1 source packages could not be looked up"));
}

/* Where the changelog is found: each package has another place for it. */
static void
test_places(void)
{
	static const char cut[] = ENTRY("7-3", "  * Again.")
		ENTRY("7-2", "  * Regression of CVE-2023-1111: x") "# Older entries have been "
								   "removed from this changelog.\n";
	static const char whole[] = ENTRY("7-3", "  * Again.") ENTRY("7-2", "  * Old.")
		ENTRY("7-1", "  * CVE-2023-1111");
	static const char diff[] = "--- a-7.orig/x\n+++ a-7/x\n@@ -0,0 +1 @@\n+CVE-2023-1119\n"
				   "--- a-7.orig/debian/changelog\n"
				   "+++ a-7/debian/changelog\t2020-01-01\n@@ -0,0 +1,7 @@\n"
				   "+a (7-3) suite; urgency=low\n+\n+  * CVE-2023-1111\n+\n"
				   "--- a-7.orig/debian/control\n+++ a-7/debian/control\n"
				   "@@ -0,0 +1 @@\n+CVE-2023-1112\n";
	static const struct {
		const char *file, *path, *text;
	} sources[] = {
		{ "quilt_7-3.debian.tar.xz", "debian/changelog", whole },
		{ "native_7-3.tar.gz", "native-7/debian/changelog", whole },
		{ "diff_7-3.diff.gz", NULL, diff },
		{ "strange_7-3.debian.tar.xz", "x/debian/debian/changelog", whole },
	};
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) packages =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
		g_autofree char *name = g_strndup(sources[i].file, strcspn(sources[i].file, "_"));
		g_autoptr(GBytes) file =
			sources[i].path != NULL
				? local_make_tar(sources[i].path, sources[i].text)
				: local_gzip(sources[i].text, strlen(sources[i].text));

		g_free(local_repository_add(local, name, "7-3", NULL, cut));
		local_repository_add_source(local, name, "7-3", sources[i].file, file);
		g_ptr_array_add(packages, cam_package_new(CAM_PACKAGE_DEB, name, "7-0"));
	}
	/* of twelve binary packages one has it, and the others lead there */
	for (guint i = 0; i < 12; i++) {
		g_autofree char *name = g_strdup_printf("link%u", i);

		g_free(local_repository_add(local, name, "7-3", "link",
					    i == 11 ? whole : "-> link11"));
	}
	g_ptr_array_add(packages, cam_package_new(CAM_PACKAGE_DEB, "link", "7-0"));
	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);
	update(local, db, packages, &error);
	g_assert_no_error(error);
	assert_match(db, "quilt", "7-0", "7-1");
	assert_match(db, "native", "7-0", "7-1");
	assert_match(db, "diff", "7-0", "7-3");
	assert_match(db, "link", "7-0", "7-1");
	assert_coverage(db, "quilt", "7-0", "judged");
	assert_coverage(db, "native", "7-0", "judged");
	assert_coverage(db, "diff", "7-0", "judged");
	assert_coverage(db, "link", "7-0", "judged");
	assert_coverage(db, "strange", "7-0", "its changelog reaches back to 7-2 only");
}

/* An update without a CVE is found as such; what no security suite has says where it comes from. */
static void
test_suites(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) curl = installed("curl", "7-1");
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	db = cam_advisory_db_open(":memory:", &error);
	g_free(local_repository_add(local, "curl", "7-3", NULL,
				    ENTRY("7-3", "  * New data.\n  * More.")
					    ENTRY("7-2", "  * CVE-2023-1111: x")));
	local_repository_publish(local, "bookworm-security", LOCAL_HONEST);
	update(local, db, curl, &error);
	assert_matches(db, "curl", "7-1",
		       "CVE-2023-1111=7-2(x);SECURITY-UPDATE/curl/7-3=7-3(New data.);");
	assert_matches(db, "curl", "7-2", "SECURITY-UPDATE/curl/7-3=7-3(New data.);");
	assert_matches(db, "curl", "7-3", "");

	/* another suite goes further */
	g_free(local_repository_add(local, "curl", "7-4", NULL,
				    ENTRY("7-4", "  * CVE-2023-1112: y")
					    ENTRY("7-3", "  * New data.")
						    ENTRY("7-2", "  * CVE-2023-1111: x")));
	local_repository_publish(local, "bookworm-updates", LOCAL_HONEST);
	update(local, db, curl, &error);
	g_assert_no_error(error);
	assert_matches(db, "curl", "7-1",
		       "CVE-2023-1111=7-2(x);CVE-2023-1112=7-4(y) (bookworm-updates);"
		       "SECURITY-UPDATE/curl/7-3=7-3(New data.);");
	assert_matches(db, "curl", "7-3", "CVE-2023-1112=7-4(y) (bookworm-updates);");
}

/* ---- an independent oracle ---- */

typedef struct {
	CamAdvisoryDb *oracle;
	char *source; /* package */
	GHashTable *seen;
	guint same, different;
} Comparison;

static void
compare(const char *cve, const char *version, const char *text, gpointer user_data)
{
	Comparison *self = user_data;
	g_autofree char *key = g_strdup_printf("%s/%s", self->source, cve);
	g_autoptr(GPtrArray) matches = NULL;

	if (!g_hash_table_add(self->seen, g_steal_pointer(&key)))
		return;
	matches = cam_advisory_db_match(self->oracle, "Debian:12", self->source, "0~~", NULL);
	for (guint i = 0; i < matches->len; i++) {
		const CamMatch *match = g_ptr_array_index(matches, i);

		if (!g_str_equal(match->advisory->id, cve))
			continue;
		if (g_strcmp0(match->fixed_version, version) == 0) {
			self->same++;
		} else {
			self->different++;
			g_test_message("%s %s: %s, not %s", self->source, cve, version,
				       match->fixed_version);
		}
	}
}

static void
compare_file(Comparison *self, const char *path)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GFileInputStream) base = g_file_read(file, NULL, NULL);
	g_autoptr(GInputStream) plain =
		base != NULL ? cam_archive_decompress_stream_new(G_INPUT_STREAM(base), NULL) : NULL;
	g_autoptr(GOutputStream) text = g_memory_output_stream_new_resizable();
	const char *data;
	gsize size;

	if (plain == NULL ||
	    g_output_stream_splice(text, plain, G_OUTPUT_STREAM_SPLICE_NONE, NULL, NULL) < 0)
		return;
	data = g_memory_output_stream_get_data(G_MEMORY_OUTPUT_STREAM(text));
	size = g_memory_output_stream_get_data_size(G_MEMORY_OUTPUT_STREAM(text));
	if (size == 0 || memchr(data, ' ', size) == NULL)
		return;
	g_free(self->source);
	self->source = g_strndup(data, (const char *) memchr(data, ' ', size) - data);
	cam_changelog_foreach_cve(data, size, compare, self);
}

static gboolean
is_bookworm(void)
{
	g_autofree char *text = NULL;
	gsize size;
	g_autoptr(CamOsRelease) os = NULL;

	if (!g_file_get_contents("/etc/os-release", &text, &size, NULL))
		return FALSE;
	os = cam_os_release_parse(text, size);
	return g_strcmp0(os->ecosystem, "Debian:12") == 0;
}

/* The changelogs of this very machine against another derivation of the same release. */
static void
test_oracle(void)
{
	const char *shared = g_getenv("CAM_SHARED");
	g_autofree char *feed = g_build_filename(shared != NULL ? shared : "/nonexistent", "data",
						 "advisories", "debian12-osv.jsonl.xz", NULL);
	g_autoptr(CamAdvisoryDb) db = cam_advisory_db_open(":memory:", NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Comparison comparison = { .oracle = db, .seen = seen };
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = NULL;
	const char *name;

	if (!g_file_test(feed, G_FILE_TEST_EXISTS) || !is_bookworm()) {
		g_test_skip("the oracle or a Debian 12 is not here");
		return;
	}
	g_assert_true(cam_feed_import_osv(db, feed, NULL, "/nonexistent", CAM_FEED_NONE, NULL, NULL,
					  NULL, &error));
	g_assert_no_error(error);
	dir = g_dir_open("/usr/share/doc", 0, &error);
	g_assert_no_error(error);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path =
			g_build_filename("/usr/share/doc", name, "changelog.Debian.gz", NULL);

		compare_file(&comparison, path);
	}
	g_free(comparison.source);
	g_test_message("%u pairs are the same, %u differ", comparison.same, comparison.different);
	/* The machine's packages may be older than those that the oracle read, so what a later
	 * upload said is missing here: a few may differ. */
	if (comparison.same + comparison.different == 0)
		g_test_skip("this machine has no changelogs");
	else
		g_assert_cmpuint(comparison.different * 50, <=, comparison.same);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/changelog-feed/rule", test_rule);
	g_test_add_func("/changelog-feed/items", test_items);
	g_test_add_func("/changelog-feed/mentions", test_mentions);
	g_test_add_func("/changelog-feed/not-cves", test_not_cves);
	g_test_add_func("/changelog-feed/every-cut", test_every_cut);
	g_test_add_func("/changelog-feed/feed", test_feed);
	g_test_add_func("/changelog-feed/coverage", test_coverage);
	g_test_add_func("/changelog-feed/incomplete", test_incomplete);
	g_test_add_func("/changelog-feed/unreadable", test_unreadable);
	g_test_add_func("/changelog-feed/corrupt-package", test_corrupt_package);
	g_test_add_func("/changelog-feed/places", test_places);
	g_test_add_func("/changelog-feed/suites", test_suites);
	g_test_add_func("/changelog-feed/oracle", test_oracle);
	return g_test_run();
}
