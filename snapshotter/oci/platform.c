/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Platforms: their spelling, the spellings that mean the same, and which image runs where.
 */
#include "snapshotter/oci/platform.h"

#include <string.h>
#include <sys/utsname.h>

#define MAX_FIELD_LENGTH 64

typedef struct {
	const char *spelled, *spelled_variant; /* variant NULL: any */
	const char *architecture, *variant;    /* variant NULL: as it was */
} Alias;

/* As containerd's platforms package normalises them: "" is no variant. */
static const Alias aliases[] = {
	{ "x86_64", NULL, "amd64", NULL },
	{ "x86-64", NULL, "amd64", NULL },
	{ "aarch64", NULL, "arm64", NULL },
	{ "armhf", NULL, "arm", "v7" },
	{ "armel", NULL, "arm", "v6" },
	{ "armv7l", NULL, "arm", "v7" },
	{ "armv6l", NULL, "arm", "v6" },
	{ "i386", NULL, "386", "" },
	{ "i686", NULL, "386", "" },
	{ "ppc64el", NULL, "ppc64le", NULL },
	{ "mips64el", NULL, "mips64le", NULL },
	{ "loongarch64", NULL, "loong64", NULL },
	{ "amd64", "v1", "amd64", "" },
	{ "arm64", "8", "arm64", "" },
	{ "arm64", "v8", "arm64", "" },
	{ "arm64", "v8.0", "arm64", "" },
	{ "arm", "", "arm", "v7" },
	{ "arm", "5", "arm", "v5" },
	{ "arm", "6", "arm", "v6" },
	{ "arm", "7", "arm", "v7" },
	{ "arm", "8", "arm", "v8" },
};

/* Every alias is tried once, in order: names come before variants in the table. */
static void
normalize(CamPlatform *self)
{
	for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++) {
		const Alias *alias = &aliases[i];
		const char *variant = self->variant != NULL ? self->variant : "";

		if (!g_str_equal(self->architecture, alias->spelled) ||
		    (alias->spelled_variant != NULL &&
		     !g_str_equal(variant, alias->spelled_variant)))
			continue;
		g_free(self->architecture);
		self->architecture = g_strdup(alias->architecture);
		if (alias->variant == NULL)
			continue;
		g_free(self->variant);
		self->variant = alias->variant[0] != '\0' ? g_strdup(alias->variant) : NULL;
	}
}

CamPlatform *
cam_platform_new(const char *os, const char *architecture, const char *variant)
{
	CamPlatform *self = g_new0(CamPlatform, 1);

	self->os = g_ascii_strdown(os, -1);
	self->architecture = g_ascii_strdown(architecture, -1);
	if (variant != NULL && variant[0] != '\0')
		self->variant = g_ascii_strdown(variant, -1);
	normalize(self);
	return self;
}

static gboolean
is_field(const char *text)
{
	gsize length = strlen(text);

	return length > 0 && length <= MAX_FIELD_LENGTH &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       length;
}

CamPlatform *
cam_platform_parse(const char *text, GError **error)
{
	g_auto(GStrv) fields = g_strsplit(text, "/", 4);
	guint n = g_strv_length(fields);
	gboolean valid = n >= 1 && n <= 3;

	for (guint i = 0; valid && i < n; i++)
		valid = is_field(fields[i]);
	if (!valid) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "\"%s\" is no platform: write os/architecture or "
			      "os/architecture/variant, as in linux/arm64",
			      text);
		return NULL;
	}
	if (n == 1)
		return cam_platform_new("linux", fields[0], NULL);
	return cam_platform_new(fields[0], fields[1], fields[2]);
}

CamPlatform *
cam_platform_host(void)
{
	struct utsname host;

	if (uname(&host) < 0)
		return cam_platform_new("linux", "unknown", NULL);
	return cam_platform_new("linux", host.machine, NULL);
}

CamPlatform *
cam_platform_copy(const CamPlatform *self)
{
	CamPlatform *copy = g_new0(CamPlatform, 1);

	copy->os = g_strdup(self->os);
	copy->architecture = g_strdup(self->architecture);
	copy->variant = g_strdup(self->variant);
	return copy;
}

char *
cam_platform_to_string(const CamPlatform *self)
{
	return g_strjoin("/", self->os, self->architecture, self->variant, NULL);
}

gboolean
cam_platform_match(const CamPlatform *wanted, const CamPlatform *offered)
{
	return g_str_equal(wanted->os, offered->os) &&
	       g_str_equal(wanted->architecture, offered->architecture) &&
	       (wanted->variant == NULL || offered->variant == NULL ||
		g_str_equal(wanted->variant, offered->variant));
}

void
cam_platform_free(CamPlatform *self)
{
	if (self == NULL)
		return;
	g_free(self->os);
	g_free(self->architecture);
	g_free(self->variant);
	g_free(self);
}
