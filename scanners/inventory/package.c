/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One installed package as a value, and its package URL. Where packages are found is the business
 * of the scanners beside this file.
 */
#include "scanners/inventory/package.h"

#include <string.h>

CamPackage *
cam_package_new(CamPackageType type, const char *name, const char *version)
{
	CamPackage *self = g_new0(CamPackage, 1);

	self->type = type;
	self->name = g_strdup(name);
	self->version = g_strdup(version);
	self->source_name = g_strdup(name);
	self->source_version = g_strdup(version);
	self->layer = -1;
	return self;
}

CamPackage *
cam_package_copy(const CamPackage *self)
{
	CamPackage *copy = g_memdup2(self, sizeof(*self));

	copy->name = g_strdup(self->name);
	copy->version = g_strdup(self->version);
	copy->architecture = g_strdup(self->architecture);
	copy->source_name = g_strdup(self->source_name);
	copy->source_version = g_strdup(self->source_version);
	copy->multi_arch = g_strdup(self->multi_arch);
	copy->origin = g_strdup(self->origin);
	copy->path = g_strdup(self->path);
	return copy;
}

void
cam_package_free(CamPackage *self)
{
	g_free(self->name);
	g_free(self->version);
	g_free(self->architecture);
	g_free(self->source_name);
	g_free(self->source_version);
	g_free(self->multi_arch);
	g_free(self->origin);
	g_free(self->path);
	g_free(self);
}

int
cam_package_compare(const CamPackage *a, const CamPackage *b)
{
	int order = g_strcmp0(a->name, b->name);

	if (order == 0)
		order = g_strcmp0(a->architecture, b->architecture);
	if (order == 0)
		order = g_strcmp0(a->version, b->version);
	return order != 0 ? order : g_strcmp0(a->path, b->path);
}

/* purl-spec, "Character encoding": all but these is percent-encoded; the colon never is. */
#define PURL_PLAIN ".-_~:"

static void
append_encoded(GString *purl, const char *text)
{
	for (; *text != '\0'; text++) {
		if (g_ascii_isalnum(*text) || strchr(PURL_PLAIN, *text) != NULL)
			g_string_append_c(purl, *text);
		else
			g_string_append_printf(purl, "%%%02X", (guchar) *text);
	}
}

char *
cam_package_get_purl(const CamPackage *self, const char *distribution, const char *version_id)
{
	static const char *const types[] = {
		[CAM_PACKAGE_DEB] = "deb",
		[CAM_PACKAGE_RPM] = "rpm",
		[CAM_PACKAGE_APK] = "apk",
	};
	g_autoptr(GString) purl = g_string_new("pkg:");
	char separator = '?';

	g_string_append_printf(purl, "%s/", types[self->type]);
	append_encoded(purl, distribution);
	g_string_append_c(purl, '/');
	append_encoded(purl, self->name);
	g_string_append_c(purl, '@');
	append_encoded(purl, self->version);
	if (self->architecture != NULL) {
		g_string_append_printf(purl, "%carch=", separator);
		append_encoded(purl, self->architecture);
		separator = '&';
	}
	if (version_id != NULL) {
		g_string_append_printf(purl, "%cdistro=", separator);
		append_encoded(purl, distribution);
		g_string_append_c(purl, '-');
		append_encoded(purl, version_id);
	}
	return g_string_free(g_steal_pointer(&purl), FALSE);
}
