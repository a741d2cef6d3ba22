/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever stands in a dpkg database: it becomes packages and problems that are plain text and
 * survive being stored.
 */
#include "fuzz.h"

#include <string.h>

#include "scanners/scanners.h"

static void
check_text(const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		g_assert_true(g_ascii_isprint(*text) || *text == '\t');
}

static void
check_package(const CamPackage *package)
{
	g_autofree char *purl = cam_package_get_purl(package, "debian", "12");

	g_assert_true(package->name[0] != '\0' && package->version[0] != '\0');
	g_assert_nonnull(package->source_name);
	g_assert_nonnull(package->source_version);
	check_text(package->name);
	check_text(package->version);
	check_text(package->architecture);
	check_text(package->source_name);
	check_text(package->source_version);
	check_text(package->multi_arch);
	check_text(purl);
	g_assert_null(strchr(purl, ' '));
}

static void
check_stored(CamInventory *inventory)
{
	g_autoptr(GBytes) bytes = cam_inventory_to_bytes(inventory);
	g_autoptr(CamInventory) copy = cam_inventory_from_bytes(bytes);

	g_assert_nonnull(copy);
	g_assert_cmpuint(copy->packages->len, ==, inventory->packages->len);
	for (guint i = 0; i < copy->packages->len; i++)
		g_assert_cmpint(cam_package_compare(copy->packages->pdata[i],
						    inventory->packages->pdata[i]),
				==, 0);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamInventory) inventory = cam_inventory_new();
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(CamInventory) stored = cam_inventory_from_bytes(bytes);

	g_assert_true(
		cam_dpkg_parse_status((const char *) data, size, "status", inventory, &error));
	for (guint i = 0; i < inventory->packages->len; i++)
		check_package(inventory->packages->pdata[i]);
	for (guint i = 0; i < inventory->problems->len; i++)
		check_text(inventory->problems->pdata[i]);
	check_stored(inventory);
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char *const seeds[] = {
		"Package: a\nStatus: install ok installed\nVersion: 1:2-3+b1\nSource: s (2-3)\n"
		"Architecture: amd64\nMulti-Arch: same\nEssential: yes\n\n"
		"Package: b\nStatus: hold ok half-configured\nVersion: 2~rc1\n",
		"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
		"Package: a\nVersion: 1\nSource: (\n",
		"# comment\r\nPackage : a\r\nVersion:\r\n 1\r\n",
		":\n\n \nPackage:\n",
	};
	GPtrArray *bytes = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	for (gsize i = 0; i < G_N_ELEMENTS(seeds); i++)
		g_ptr_array_add(bytes, g_bytes_new_static(seeds[i], strlen(seeds[i])));
	return bytes;
}
