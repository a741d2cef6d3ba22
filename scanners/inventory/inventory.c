/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inventory of an image as a value, and its form at rest. Who finds packages and who remembers
 * inventories is the business of the scanners and of the engine.
 */
#include "scanners/inventory/inventory.h"

/* Names come from images and may be any bytes, which GVariant's strings may not: all is "ay". */
#define PACKAGE_TYPE   "(yayaymayayaymaymaybbayi)"
#define OS_TYPE	       "(aymaymaymaymaymaymaymay)"
#define INVENTORY_TYPE "(m" OS_TYPE "a" PACKAGE_TYPE "aayaay)"

CamInventory *
cam_inventory_new(void)
{
	CamInventory *self = g_new0(CamInventory, 1);

	self->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	self->paths = g_ptr_array_new_with_free_func(g_free);
	self->problems = g_ptr_array_new_with_free_func(g_free);
	return self;
}

void
cam_inventory_free(CamInventory *self)
{
	g_clear_pointer(&self->os, cam_os_release_free);
	g_ptr_array_unref(self->packages);
	g_ptr_array_unref(self->paths);
	g_ptr_array_unref(self->problems);
	g_free(self);
}

void
cam_inventory_absorb(CamInventory *self, CamInventory *other)
{
	if (other->os != NULL) {
		g_clear_pointer(&self->os, cam_os_release_free);
		self->os = g_steal_pointer(&other->os);
	}
	g_ptr_array_extend_and_steal(self->packages, g_steal_pointer(&other->packages));
	g_ptr_array_extend_and_steal(self->paths, g_steal_pointer(&other->paths));
	g_ptr_array_extend_and_steal(self->problems, g_steal_pointer(&other->problems));
	other->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	other->paths = g_ptr_array_new_with_free_func(g_free);
	other->problems = g_ptr_array_new_with_free_func(g_free);
}

void
cam_inventory_add_problem(CamInventory *self, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(self->problems, g_utf8_make_valid(text, -1));
}

static int
compare_packages(gconstpointer a, gconstpointer b)
{
	return cam_package_compare(*(const CamPackage *const *) a, *(const CamPackage *const *) b);
}

static int
compare_strings(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

void
cam_inventory_sort(CamInventory *self)
{
	g_ptr_array_sort(self->packages, compare_packages);
	g_ptr_array_sort(self->paths, compare_strings);
}

static GVariant *
maybe_bytestring(const char *text)
{
	return g_variant_new_maybe(G_VARIANT_TYPE_BYTESTRING,
				   text != NULL ? g_variant_new_bytestring(text) : NULL);
}

static GVariant *
os_to_variant(const CamOsRelease *os)
{
	return g_variant_new("(^ay@may@may@may@may@may@may@may)", os->id,
			     maybe_bytestring(os->version_id), maybe_bytestring(os->codename),
			     maybe_bytestring(os->pretty_name), maybe_bytestring(os->ecosystem),
			     maybe_bytestring(os->based_on), maybe_bytestring(os->end_of_life),
			     maybe_bytestring(os->end_of_lts));
}

static GVariant *
package_to_variant(const CamPackage *package)
{
	return g_variant_new("(y^ay^ay@may^ay^ay@may@maybb^ayi)", (guchar) package->type,
			     package->name, package->version,
			     maybe_bytestring(package->architecture), package->source_name,
			     package->source_version, maybe_bytestring(package->multi_arch),
			     maybe_bytestring(package->origin), package->held, package->essential,
			     package->path != NULL ? package->path : "", package->layer);
}

static GVariant *
bytestrings(const GPtrArray *texts)
{
	return g_variant_new_bytestring_array((const char *const *) texts->pdata, texts->len);
}

GBytes *
cam_inventory_to_bytes(const CamInventory *self)
{
	g_auto(GVariantBuilder) packages = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a" PACKAGE_TYPE));
	g_autoptr(GVariant) variant = NULL;

	for (guint i = 0; i < self->packages->len; i++)
		g_variant_builder_add_value(&packages,
					    package_to_variant(self->packages->pdata[i]));
	variant = g_variant_ref_sink(g_variant_new(
		"(@m" OS_TYPE "@a" PACKAGE_TYPE "@aay@aay)",
		g_variant_new_maybe(G_VARIANT_TYPE(OS_TYPE),
				    self->os != NULL ? os_to_variant(self->os) : NULL),
		g_variant_builder_end(&packages), bytestrings(self->paths),
		bytestrings(self->problems)));
	return g_variant_get_data_as_bytes(variant);
}

static char *
dup_maybe(GVariant *maybe)
{
	g_autoptr(GVariant) value = g_variant_get_maybe(maybe);

	g_variant_unref(maybe);
	return value != NULL ? g_variant_dup_bytestring(value, NULL) : NULL;
}

static CamOsRelease *
os_from_variant(GVariant *variant)
{
	CamOsRelease *os = g_new0(CamOsRelease, 1);
	char **members[] = { &os->version_id, &os->codename,	&os->pretty_name, &os->ecosystem,
			     &os->based_on,   &os->end_of_life, &os->end_of_lts };

	g_variant_get_child(variant, 0, "^ay", &os->id);
	for (guint i = 0; i < G_N_ELEMENTS(members); i++)
		*members[i] = dup_maybe(g_variant_get_child_value(variant, i + 1));
	return os;
}

static CamPackage *
package_from_variant(GVariant *variant)
{
	CamPackage *package = g_new0(CamPackage, 1);
	GVariant *architecture, *multi_arch, *origin;
	guchar type;

	g_variant_get(variant, "(y^ay^ay@may^ay^ay@may@maybb^ayi)", &type, &package->name,
		      &package->version, &architecture, &package->source_name,
		      &package->source_version, &multi_arch, &origin, &package->held,
		      &package->essential, &package->path, &package->layer);
	package->type = type;
	package->architecture = dup_maybe(architecture);
	package->multi_arch = dup_maybe(multi_arch);
	package->origin = dup_maybe(origin);
	return package;
}

static void
add_bytestrings(GPtrArray *texts, GVariant *array)
{
	for (gsize i = 0; i < g_variant_n_children(array); i++) {
		char *text;

		g_variant_get_child(array, i, "^ay", &text);
		g_ptr_array_add(texts, text);
	}
}

CamInventory *
cam_inventory_from_bytes(GBytes *bytes)
{
	g_autoptr(GVariant) variant = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(INVENTORY_TYPE), bytes, FALSE));
	g_autoptr(CamInventory) self = NULL;
	g_autoptr(GVariant) os = NULL, packages = NULL, paths = NULL, problems = NULL;

	if (!g_variant_is_normal_form(variant))
		return NULL;
	self = cam_inventory_new();
	g_variant_get(variant, "(m@" OS_TYPE "@a" PACKAGE_TYPE "@aay@aay)", &os, &packages, &paths,
		      &problems);
	if (os != NULL)
		self->os = os_from_variant(os);
	for (gsize i = 0; i < g_variant_n_children(packages); i++) {
		g_autoptr(GVariant) package = g_variant_get_child_value(packages, i);

		g_ptr_array_add(self->packages, package_from_variant(package));
	}
	add_bytestrings(self->paths, paths);
	add_bytestrings(self->problems, problems);
	return g_steal_pointer(&self);
}
