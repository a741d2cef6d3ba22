/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

#include <string.h>

/* dpkg's databases, well-formed and not. */

static GPtrArray *
parse(const char *text, GError **error)
{
	return cam_dpkg_parse_status(text, strlen(text), "var/lib/dpkg/status", error);
}

static void
test_fields(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) packages = parse("Package: libssl3\n"
					      "Essential: yes\n"
					      "Status: hold ok installed\n"
					      "Source: openssl (3.0.11-1)\n"
					      "Version: 3.0.11-1+b2\n"
					      "Architecture: amd64\n"
					      "Multi-Arch: same\n"
					      "Maintainer: J\xc3\xb6rg <j@example.org>\n"
					      "Description: x\n"
					      " Version: 9\n"
					      "\n"
					      "Package: zlib1g\n"
					      "Status: install ok installed\n"
					      "Source: zlib\n"
					      "Origin: Example Corp\n"
					      "Maintainer: somebody\n"
					      "Version: 1:1.2.13\n",
					      &error);
	const CamPackage *package;

	g_assert_no_error(error);
	g_assert_cmpuint(packages->len, ==, 2);
	package = packages->pdata[0];
	g_assert_cmpstr(package->name, ==, "libssl3");
	g_assert_cmpstr(package->version, ==, "3.0.11-1+b2");
	g_assert_cmpstr(package->source_name, ==, "openssl");
	g_assert_cmpstr(package->source_version, ==, "3.0.11-1");
	g_assert_cmpstr(package->architecture, ==, "amd64");
	g_assert_cmpstr(package->multi_arch, ==, "same");
	g_assert_cmpstr(package->origin, ==, "J\xc3\xb6rg <j@example.org>");
	g_assert_cmpstr(package->path, ==, "var/lib/dpkg/status");
	g_assert_true(package->held);
	g_assert_true(package->essential);
	package = packages->pdata[1];
	g_assert_cmpstr(package->source_name, ==, "zlib");
	g_assert_cmpstr(package->source_version, ==, "1:1.2.13");
	g_assert_cmpstr(package->origin, ==, "Example Corp");
	g_assert_false(package->held);
	g_assert_false(package->essential);
	g_assert_null(package->architecture);
}

static void
assert_listed(const char *status, gboolean listed)
{
	g_autofree char *text = g_strdup_printf("Package: a\n%s\nVersion: 1\n", status);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) packages = parse(text, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(packages->len, ==, listed ? 1 : 0);
}

static void
test_states(void)
{
	assert_listed("Status: install ok installed", TRUE);
	assert_listed("Status: deinstall ok installed", TRUE);
	assert_listed("Status: install ok unpacked", TRUE);
	assert_listed("Status: install ok half-configured", TRUE);
	assert_listed("Status: install ok triggers-pending", TRUE);
	assert_listed("Status: install ok triggers-awaited", TRUE);
	assert_listed("Status: install reinstreq half-installed", TRUE);
	assert_listed("Status: deinstall ok config-files", FALSE);
	assert_listed("Status: purge ok not-installed", FALSE);
	assert_listed("Section: of status.d, no status", TRUE);
}

static void
assert_malformed(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_assert_cmpstr(error->message, ==, message);
}

static void
test_malformed(void)
{
	assert_malformed("\nVersion: 1\n",
			 "var/lib/dpkg/status:2: stanza without a package's name");
	assert_malformed("Package: a\nStatus: install ok installed\n",
			 "var/lib/dpkg/status:1: installed package without a version");
	assert_malformed("Package: a\nStatus: install ok sold\nVersion: 1\n",
			 "var/lib/dpkg/status:1: malformed field Status");
	assert_malformed("Package: a\nStatus: installed\nVersion: 1\n",
			 "var/lib/dpkg/status:1: malformed field Status");
	assert_malformed("Package: a\nVersion: 1\nSource: b (2\n",
			 "var/lib/dpkg/status:1: malformed field Source");
	assert_malformed("Package: ../a\nVersion: 1\n",
			 "var/lib/dpkg/status:1: stanza without a package's name");
	assert_malformed("Package: a\nVersion: 1\033[2J\n",
			 "var/lib/dpkg/status:1: malformed field Version");
	assert_malformed("Package: a\nVersion: 1\n 2\n",
			 "var/lib/dpkg/status:1: malformed field Version");
	assert_malformed("Package: a\xff\nVersion: 1\n",
			 "var/lib/dpkg/status:1: malformed field Package");
}

static void
test_many(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GPtrArray) packages = NULL;

	for (guint i = 0; i < 20000; i++)
		g_string_append_printf(text,
				       "Package: p%u\nStatus: install ok installed\n"
				       "Version: %u\n\n\n",
				       i, i);
	packages = parse(text->str, NULL);
	g_assert_cmpuint(packages->len, ==, 20000);
	g_assert_cmpstr(((CamPackage *) packages->pdata[19999])->version, ==, "19999");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dpkg/fields", test_fields);
	g_test_add_func("/dpkg/states", test_states);
	g_test_add_func("/dpkg/malformed", test_malformed);
	g_test_add_func("/dpkg/many", test_many);
	return g_test_run();
}
