/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of ecosystems, and which speak of which release. How what they say is weighed is
 * advisory-match.c's. */
#include "scanners/advisory/ecosystem.h"

#include <string.h>

#define UBUNTU "Ubuntu:"
#define PRO    UBUNTU "Pro:"

void
cam_scoped_ecosystem_free(CamScopedEcosystem *self)
{
	g_free(self->ecosystem);
	g_free(self);
}

/* "22.04" */
static gboolean
is_release(const char *part)
{
	return g_ascii_isdigit(part[0]) && part[strspn(part, "0123456789.")] == '\0';
}

/*
 * "Pro:22.04:LTS", "Pro:FIPS-updates:22.04:LTS", "Pro:22.04:LTS:Realtime:Kernel", whatever the
 * order. Of what Pro offers only FIPS has other builds of the release's own packages.
 */
static char *
normalise_pro(const char *ecosystem)
{
	g_auto(GStrv) parts = g_strsplit(ecosystem + strlen(PRO), ":", -1);
	const char *release = NULL, *fips = NULL;

	for (guint i = 0; parts[i] != NULL; i++) {
		if (is_release(parts[i]))
			release = parts[i];
		else if (g_str_has_prefix(parts[i], "FIPS"))
			fips = parts[i];
	}
	if (release == NULL)
		return g_strdup(ecosystem);
	return fips != NULL ? g_strconcat(PRO, fips, ":", release, NULL)
			    : g_strconcat(PRO, release, NULL);
}

char *
cam_ecosystem_normalise(const char *ecosystem)
{
	gsize size = strlen(ecosystem);

	if (g_str_has_prefix(ecosystem, PRO))
		return normalise_pro(ecosystem);
	if (g_str_has_prefix(ecosystem, UBUNTU) && g_str_has_suffix(ecosystem, ":LTS"))
		size -= strlen(":LTS");
	return g_strndup(ecosystem, size);
}

static void
add(GPtrArray *list, char *ecosystem, CamScope scope)
{
	CamScopedEcosystem *scoped = g_new0(CamScopedEcosystem, 1);

	scoped->ecosystem = ecosystem;
	scoped->scope = scope;
	g_ptr_array_add(list, scoped);
}

GPtrArray *
cam_ecosystem_list_scopes(const char *ecosystem)
{
	static const char *const fips[] = { "FIPS:", "FIPS-updates:", "FIPS-preview:" };
	GPtrArray *list =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_scoped_ecosystem_free);
	g_autofree char *normal = cam_ecosystem_normalise(ecosystem);
	const char *release = strchr(normal, ':');

	add(list, g_strdup(normal), CAM_SCOPE_RELEASE);
	if (release == NULL)
		return list;
	release++;
	add(list, g_strndup(normal, (gsize) (release - 1 - normal)), CAM_SCOPE_ANY_RELEASE);
	if (!g_str_has_prefix(normal, UBUNTU) || !is_release(release))
		return list;
	add(list, g_strconcat(PRO, release, NULL), CAM_SCOPE_PRO);
	for (gsize i = 0; i < G_N_ELEMENTS(fips); i++)
		add(list, g_strconcat(PRO, fips[i], release, NULL), CAM_SCOPE_FIPS);
	return list;
}

CamBuild
cam_build_of(const char *package, const char *version)
{
	g_autofree char *text = g_ascii_strdown(version, -1);
	g_autofree char *name = g_ascii_strdown(package, -1);

	if (strstr(text, "fips") != NULL || strstr(name, "fips") != NULL)
		return CAM_BUILD_FIPS;
	for (const char *esm = strstr(text, "esm"); esm != NULL; esm = strstr(esm + 1, "esm"))
		if (esm > text && !g_ascii_isalnum(esm[-1]) && g_ascii_isdigit(esm[3]))
			return CAM_BUILD_ESM;
	return CAM_BUILD_PLAIN;
}
