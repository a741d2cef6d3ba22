/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/osv-record.h"

#include <string.h>

static CamOsvRecord *
parse(const char *json)
{
	g_autoptr(GError) error = NULL;
	CamOsvRecord *record = cam_osv_record_parse(json, strlen(json), &error);

	g_assert_no_error(error);
	return record;
}

static void
assert_list(char **list, const char *expected)
{
	g_autofree char *joined = g_strjoinv(" ", list);

	g_assert_cmpstr(joined, ==, expected);
}

static void
test_debian(void)
{
	g_autoptr(CamOsvRecord) record = parse(
		"{\"schema_version\":\"1.6.0\",\"id\":\"DEBIAN-CVE-2023-1\",\"upstream\":[\"CVE-"
		"2023-1\"],\"published\":\"2023-01-02T03:04:05Z\",\"modified\":\"2023-02-03T04:05:"
		"06.789Z\",\"details\":\"First line.\\nSecond.\",\"references\":[{\"type\":\"WEB\","
		"\"url\":\"https://example.org/1\"}],\"severity\":[{\"type\":\"CVSS_V2\",\"score\":"
		"\"AV:N/AC:L/Au:N/C:P/I:P/A:P\"},{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/"
		"AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}],\"affected\":[{\"package\":{\"ecosystem\":"
		"\"Debian:12\",\"name\":\"curl\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
		"\"introduced\":\"0\"},{\"fixed\":\"7.88-2\"}]},{\"type\":\"GIT\",\"events\":[{"
		"\"introduced\":\"0\"}]}],\"versions\":[\"7.88-1\"],\"ecosystem_specific\":{"
		"\"urgency\":\"low\"}},{\"package\":{\"ecosystem\":\"Debian:11\",\"name\":\"curl\"}"
		","
		"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}]}]}");
	const CamOsvAffected *affected;

	g_assert_cmpstr(record->id, ==, "DEBIAN-CVE-2023-1");
	assert_list(record->identities, "CVE-2023-1");
	assert_list(record->aliases, "DEBIAN-CVE-2023-1");
	assert_list(record->references, "https://example.org/1");
	g_assert_cmpstr(record->summary, ==, "First line.");
	g_assert_cmpint(record->published, ==, 1672628645);
	g_assert_cmpint(record->modified, ==, 1675397106);
	g_assert_cmpint(record->withdrawn, ==, 0);
	g_assert_cmpuint(record->affected->len, ==, 2);
	affected = g_ptr_array_index(record->affected, 0);
	g_assert_cmpstr(affected->ecosystem, ==, "Debian:12");
	g_assert_cmpstr(affected->package, ==, "curl");
	g_assert_cmpstr(affected->ranges, ==, "r\ni 0\nf 7.88-2\n");
	g_assert_cmpfloat_with_epsilon(affected->severity.score, 9.8, 0.01);
	g_assert_cmpint(affected->severity.severity, ==, CAM_SEVERITY_CRITICAL);
	affected = g_ptr_array_index(record->affected, 1);
	g_assert_cmpstr(affected->ranges, ==, "r\ni 0\n");
}

static void
test_notice_of_many(void)
{
	g_autoptr(CamOsvRecord) record =
		parse("{\"id\":\"DSA-1-1\",\"modified\":\"2023-01-01T00:00:00Z\",\"withdrawn\":"
		      "\"2024-01-01T00:00:00Z\",\"upstream\":[\"CVE-2023-2\",\"CVE-2023-1\",\"CVE-"
		      "2023-2\",7],\"affected\":[]}");

	assert_list(record->identities, "CVE-2023-2 CVE-2023-1");
	assert_list(record->aliases, "DSA-1-1");
	g_assert_cmpint(record->withdrawn, ==, 1704067200);
	g_assert_null(record->summary);
}

#define AFFECTS(ecosystem)                                       \
	"\"affected\":[{\"package\":{\"ecosystem\":\"" ecosystem \
	"\",\"name\":\"p\"},\"versions\":"                       \
	"[\"1\"]}]"

/* What an erratum is related to is what it fixes; for a library it is only similar. */
static void
test_related(void)
{
	g_autoptr(CamOsvRecord) erratum = parse(
		"{\"id\":\"RLSA-1\",\"related\":[\"CVE-2023-1\"]," AFFECTS("Rocky Linux:8") "}");
	g_autoptr(CamOsvRecord) similar =
		parse("{\"id\":\"GHSA-1\",\"related\":[\"CVE-2023-1\"]," AFFECTS("PyPI") "}");
	g_autoptr(CamOsvRecord) both =
		parse("{\"id\":\"USN-1\",\"upstream\":[\"CVE-2023-2\"],\"related\":[\"CVE-2023-"
		      "1\"]," AFFECTS("Ubuntu:22.04:LTS") "}");

	assert_list(erratum->identities, "CVE-2023-1");
	assert_list(similar->identities, "GHSA-1");
	assert_list(both->identities, "CVE-2023-2");
	g_assert_cmpstr(((CamOsvAffected *) both->affected->pdata[0])->ecosystem, ==,
			"Ubuntu:22.04");
}

static void
test_severity_words(void)
{
	static const struct {
		const char *json;
		CamSeverity severity;
	} cases[] = {
		{ "{\"id\":\"A\"," AFFECTS("x") "}", CAM_SEVERITY_UNKNOWN },
		{ "{\"id\":\"A\",\"database_specific\":{\"severity\":\"MODERATE\"}," AFFECTS(
			  "x") "}",
		  CAM_SEVERITY_MEDIUM },
		{ "{\"id\":\"A\",\"severity\":[{\"type\":\"Ubuntu\",\"score\":\"high\"}]," AFFECTS(
			  "x") "}",
		  CAM_SEVERITY_HIGH },
		{ "{\"id\":\"A\",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"rubbish\"}]"
		  "," AFFECTS("x") "}",
		  CAM_SEVERITY_UNKNOWN },
		{ "{\"id\":\"A\",\"severity\":[{\"type\":\"Ubuntu\",\"score\":\"high\"},{\"type\":"
		  "\"CVSS_V2\",\"score\":\"AV:L/AC:H/Au:N/C:P/I:N/A:N\"}]," AFFECTS("x") "}",
		  CAM_SEVERITY_LOW },
		{ "{\"id\":\"A\",\"affected\":[{\"package\":{\"ecosystem\":\"x\",\"name\":\"p\"},"
		  "\"versions\":[\"1\"],\"ecosystem_specific\":{\"urgency\":\"unimportant\"}}]}",
		  CAM_SEVERITY_LOW },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamOsvRecord) record = parse(cases[i].json);
		const CamOsvAffected *affected = g_ptr_array_index(record->affected, 0);

		g_assert_cmpint(affected->severity.severity, ==, cases[i].severity);
	}
}

static void
test_package_named_twice(void)
{
	g_autoptr(CamOsvRecord) record =
		parse("{\"id\":\"A\",\"affected\":["
		      "{\"package\":{\"ecosystem\":\"x\",\"name\":\"p\"},\"versions\":[\"1\"]},"
		      "{\"package\":{\"ecosystem\":\"x\",\"name\":\"p\"},\"versions\":[\"2\"]}]}");

	g_assert_cmpuint(record->affected->len, ==, 1);
	g_assert_cmpstr(((CamOsvAffected *) record->affected->pdata[0])->ranges, ==, "= 1\n= 2\n");
}

static void
test_long_summary(void)
{
	g_autoptr(GString) json = g_string_new("{\"id\":\"A\",\"summary\":\"");
	g_autoptr(CamOsvRecord) record = NULL;

	for (guint i = 0; i < 1000; i++)
		g_string_append(json, "\303\251");
	g_string_append(json, "\"}");
	record = parse(json->str);
	g_assert_true(g_utf8_validate(record->summary, -1, NULL));
	g_assert_cmpuint(strlen(record->summary), <, 310);
	g_assert_true(g_str_has_suffix(record->summary, "…"));
}

static void
test_malformed(void)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{",
		"{}",
		"{\"id\":1}",
		"{\"id\":\"\"}",
		"{\"id\":\"a\\nb\"}",
		"{\"id\":\"A\",\"affected\":[1]}",
		"{\"id\":\"A\",\"affected\":[{\"package\":{}}]}",
		"{\"id\":\"A\",\"affected\":[{\"package\":{\"name\":\"p\",\"ecosystem\":\"x\"},"
		"\"ranges\":[3]}]}",
		"{\"id\":\"A\",\"affected\":[{\"package\":{\"name\":\"p\",\"ecosystem\":\"x\"},"
		"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[\"x\"]}]}]}",
		"{\"id\":\"A\",\"affected\":[{\"package\":{\"name\":\"p\",\"ecosystem\":\"x\"},"
		"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"fixed\":\"1\\n2\"}]}]}]}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_osv_record_parse(bad[i], strlen(bad[i]), &error));
		g_assert_true(error != NULL && error->domain == CAM_ERROR);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/osv-record/debian", test_debian);
	g_test_add_func("/osv-record/notice-of-many", test_notice_of_many);
	g_test_add_func("/osv-record/related", test_related);
	g_test_add_func("/osv-record/severity-words", test_severity_words);
	g_test_add_func("/osv-record/package-named-twice", test_package_named_twice);
	g_test_add_func("/osv-record/long-summary", test_long_summary);
	g_test_add_func("/osv-record/malformed", test_malformed);
	return g_test_run();
}
