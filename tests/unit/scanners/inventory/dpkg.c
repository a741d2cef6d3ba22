/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

#include <string.h>

/* dpkg's databases, well-formed and not. */

static CamInventory *
parse(const char *text)
{
	g_autoptr(CamInventory) inventory = cam_inventory_new();
	g_autoptr(GError) error = NULL;

	cam_dpkg_parse_status(text, strlen(text), "var/lib/dpkg/status", inventory, &error);
	g_assert_no_error(error);
	return g_steal_pointer(&inventory);
}

static void
test_fields(void)
{
	g_autoptr(CamInventory) inventory = parse("Package: libssl3\n"
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
						  "Version: 1:1.2.13\n");
	const CamPackage *package;

	g_assert_cmpuint(inventory->problems->len, ==, 0);
	g_assert_cmpuint(inventory->packages->len, ==, 2);
	package = inventory->packages->pdata[0];
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
	package = inventory->packages->pdata[1];
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
	g_autoptr(CamInventory) inventory = parse(text);

	g_assert_cmpuint(inventory->problems->len, ==, 0);
	g_assert_cmpuint(inventory->packages->len, ==, listed ? 1 : 0);
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

/* The stanza costs itself, whatever stands before and behind it. */
static void
assert_malformed(const char *stanza, const char *message)
{
	static const char *const around[][2] = {
		{ "", "" },
		{ "", "\nPackage: last\nVersion: 1\n" },
		{ "Package: first\nVersion: 1\n\n", "\nPackage: last\nVersion: 1\n" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(around); i++) {
		g_autofree char *text = g_strconcat(around[i][0], stanza, around[i][1], NULL);
		g_autoptr(CamInventory) inventory = parse(text);
		guint line = 1 + (i == 2 ? 3 : 0) + (stanza[0] == '\n' ? 1 : 0);
		g_autofree char *problem = g_strdup_printf(
			"var/lib/dpkg/status:%u: %s; the package is left out", line, message);

		g_assert_cmpuint(inventory->packages->len, ==, i);
		g_assert_cmpuint(inventory->problems->len, ==, 1);
		g_assert_cmpstr(inventory->problems->pdata[0], ==, problem);
	}
}

static void
test_malformed(void)
{
	assert_malformed("\nVersion: 1\n", "stanza without a package's name");
	assert_malformed("Package: a\nStatus: install ok installed\n",
			 "installed package without a version");
	assert_malformed("Package: a\nStatus: install ok sold\nVersion: 1\n",
			 "malformed field Status");
	assert_malformed("Package: a\nStatus: installed\nVersion: 1\n", "malformed field Status");
	assert_malformed("Package: a\nVersion: 1\nSource: b (2\n", "malformed field Source");
	assert_malformed("Package: ../a\nVersion: 1\n", "stanza without a package's name");
	assert_malformed("Package: a\nVersion: 1\033[2J\n", "malformed field Version");
	assert_malformed("Package: a\nVersion: 1\n 2\n", "malformed field Version");
	assert_malformed("Package: a\xff\nVersion: 1\n", "malformed field Package");
	assert_malformed("Package: a\nVersion: 1\nPackage: b\nVersion: 2\n",
			 "two fields Package in one stanza");
	assert_malformed("Package: a\nVersion: 9\nversion: 1\n",
			 "two fields Version in one stanza");
}

/* A package may be lost in it: it is told, and what is whole beside it is listed. */
static void
test_odd_lines(void)
{
	static const struct {
		const char *text;
		guint line, n_packages;
	} cases[] = {
		{ "Package: a\nVersion: 1\n\nPackage b\nVersion 2\n", 4, 1 },
		{ "Package: a\nVersion: 1\n\n Package: b\n Version: 2\n", 4, 1 },
		{ " Package: b\n\nPackage: a\nVersion: 1\n", 1, 1 },
		{ "<html>\nPackage: a\nVersion: 1\n\nPackage: b\nVersion: 1\n", 1, 2 },
		{ "Package: a\nVersion: 1\n<<<<<<<\n", 3, 1 },
		{ "\x89PNG\r\n", 1, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamInventory) inventory = parse(cases[i].text);
		g_autofree char *problem = g_strdup_printf(
			"var/lib/dpkg/status:%u: a line that belongs to no field; it is left out",
			cases[i].line);

		g_assert_cmpuint(inventory->packages->len, ==, cases[i].n_packages);
		g_assert_cmpuint(inventory->problems->len, ==, 1);
		g_assert_cmpstr(inventory->problems->pdata[0], ==, problem);
	}
}

static void
test_cut(void)
{
	static const char text[] = "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
				   "Package: b\nVersion: 2\nStatus: install ok installed\n";

	/* Wherever the file ends: what is whole is listed, or the cut is told. */
	for (gsize size = 0; size < sizeof(text); size++) {
		g_autofree char *cut = g_strndup(text, size);
		g_autoptr(CamInventory) inventory = parse(cut);

		if (size >= strlen("Package: a\nStatus: install ok installed\nVersion: 1"))
			g_assert_cmpuint(inventory->packages->len, >=, 1);
		else if (size >= strlen("Package: a\nStatus: install ok installed\n"))
			g_assert_cmpuint(inventory->problems->len, ==, 1);
		g_assert_cmpuint(inventory->problems->len, <=, 1);
	}
}

static void
test_many(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(CamInventory) good = NULL, bad = NULL, too_many = NULL;

	for (guint i = 0; i < 20000; i++)
		g_string_append_printf(text,
				       "Package: p%u\nStatus: install ok installed\n"
				       "Version: %u\n\n\n",
				       i, i);
	good = parse(text->str);
	g_assert_cmpuint(good->packages->len, ==, 20000);
	g_assert_cmpstr(((CamPackage *) good->packages->pdata[19999])->version, ==, "19999");

	for (guint i = 0; i < 90000; i++)
		g_string_append_printf(text, "Package: q%u\nVersion: 1\n\n", i);
	too_many = parse(text->str);
	g_assert_cmpuint(too_many->packages->len, ==, 0);
	g_assert_cmpuint(too_many->problems->len, ==, 1);
	g_assert_nonnull(strstr(too_many->problems->pdata[0], "more than 100000 packages"));

	/* The report of an image must not grow with the number of its faults. */
	g_string_truncate(text, 0);
	for (guint i = 0; i < 1000; i++)
		g_string_append(text, "Package: a\n\n");
	bad = parse(text->str);
	g_assert_cmpuint(bad->problems->len, ==, 21);
	g_assert_nonnull(strstr(bad->problems->pdata[20], "980 more malformed stanzas"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dpkg/fields", test_fields);
	g_test_add_func("/dpkg/states", test_states);
	g_test_add_func("/dpkg/malformed", test_malformed);
	g_test_add_func("/dpkg/odd-lines", test_odd_lines);
	g_test_add_func("/dpkg/cut", test_cut);
	g_test_add_func("/dpkg/many", test_many);
	return g_test_run();
}
