/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which sources serve a release: those of an image, and those of the machine with its codename
 * exchanged. Owns what is known of how distributions name their suites.
 */
#include "scanners/apt/apt-sources.h"

#include <string.h>

#include "scanners/apt/apt-source.h"

typedef struct {
	const char *id;		      /* os-release ID */
	const char *const *codenames; /* oldest first, then names that move */
	const char *const *components;
} Distribution;

static const char *const debian_codenames[] = { "wheezy",   "jessie",	 "stretch",  "buster",
						"bullseye", "bookworm",	 "trixie",   "forky",
						"duke",	    "sid",	 "unstable", "testing",
						"stable",   "oldstable", NULL };
static const char *const debian_components[] = { "main", "contrib", "non-free", "non-free-firmware",
						 NULL };
static const char *const ubuntu_codenames[] = { "trusty",   "xenial",	"bionic",   "focal",
						"jammy",    "noble",	"oracular", "plucky",
						"questing", "resolute", "devel",    NULL };
static const char *const ubuntu_components[] = { "main", "restricted", "universe", "multiverse",
						 NULL };
static const Distribution distributions[] = {
	{ "debian", debian_codenames, debian_components },
	{ "ubuntu", ubuntu_codenames, ubuntu_components },
};

/* Pockets whose packages are meant for every machine: not backports, not proposed. */
static const char *const pockets[] = { "", "-updates", "-security", "/updates", NULL };

static const Distribution *
find_distribution(const char *id)
{
	for (gsize i = 0; i < G_N_ELEMENTS(distributions); i++)
		if (g_str_equal(distributions[i].id, id))
			return &distributions[i];
	return NULL;
}

static int
index_of(const char *const *list, const char *word)
{
	for (int i = 0; list[i] != NULL; i++)
		if (g_str_equal(list[i], word))
			return i;
	return -1;
}

gboolean
cam_apt_source_is_security(const CamAptSource *self)
{
	return g_str_has_suffix(self->suite, "-security") ||
	       g_str_has_suffix(self->suite, "/updates");
}

/* Debian named its security suites "buster/updates" up to Debian 10. */
static const char *
security_pocket(const Distribution *distribution, const char *codename)
{
	int bullseye = index_of(debian_codenames, "bullseye");
	int index = index_of(debian_codenames, codename);

	if (distribution->codenames == debian_codenames && index >= 0 && index < bullseye)
		return "/updates";
	return "-security";
}

/* Whether the components are the distribution's own and the key, where one is named, too. */
static gboolean
is_own_archive(const Distribution *distribution, const CamAptSource *source)
{
	g_autofree char *key = NULL;

	if (source->components[0] == NULL)
		return FALSE;
	for (gsize i = 0; source->components[i] != NULL; i++)
		if (index_of(distribution->components, source->components[i]) < 0)
			return FALSE;
	if (source->signed_by == NULL || source->signed_by[0] != '/')
		return TRUE;
	key = g_path_get_basename(source->signed_by);
	return g_str_has_prefix(key, distribution->id);
}

/* (nullable): what stands in @source's suite behind the codename. */
static const char *
find_pocket(const Distribution *distribution, const CamAptSource *source)
{
	gsize size = strcspn(source->suite, "-/");
	g_autofree char *codename = g_strndup(source->suite, size);
	int pocket = index_of(pockets, source->suite + size);

	if (pocket < 0 || index_of(distribution->codenames, codename) < 0)
		return NULL;
	return pockets[pocket];
}

/* non-free-firmware is new in Debian 12. */
static void
drop_absent_components(const Distribution *distribution, const char *codename, CamAptSource *source)
{
	int bookworm = index_of(debian_codenames, "bookworm");
	int index = index_of(debian_codenames, codename);
	gsize kept = 0;

	if (distribution->codenames != debian_codenames || index < 0 || index >= bookworm)
		return;
	for (gsize i = 0; source->components[i] != NULL; i++) {
		char *component = source->components[i];

		if (g_str_equal(component, "non-free-firmware"))
			g_free(component);
		else
			source->components[kept++] = component;
	}
	source->components[kept] = NULL;
}

/* (nullable): @source of the machine, made to serve @codename. */
static CamAptSource *
exchange_codename(const Distribution *distribution, const char *codename,
		  const CamAptSource *source)
{
	const char *pocket = find_pocket(distribution, source);
	CamAptSource *copy;

	if (pocket == NULL || !is_own_archive(distribution, source))
		return NULL;
	copy = cam_apt_source_copy(source);
	if (cam_apt_source_is_security(source))
		pocket = security_pocket(distribution, codename);
	g_free(copy->suite);
	copy->suite = g_strconcat(codename, pocket, NULL);
	drop_absent_components(distribution, codename, copy);
	return copy;
}

/* Two sources of one suite below a directory of one name ("…/debian") are mirrors of one archive.
 */
static gboolean
is_same_archive(const CamAptSource *a, const CamAptSource *b)
{
	const char *a_slash = strrchr(a->uri, '/'), *b_slash = strrchr(b->uri, '/');

	return g_str_equal(a->suite, b->suite) && g_strcmp0(a_slash, b_slash) == 0;
}

/* Adds @source (taken) without the components that an equal source in the list serves already. */
static void
add_source(GPtrArray *list, CamAptSource *source)
{
	gboolean flat = source->components[0] == NULL;

	for (guint i = 0; i < list->len; i++) {
		const CamAptSource *other = g_ptr_array_index(list, i);
		gsize kept = 0;

		if (flat && g_str_equal(other->uri, source->uri) &&
		    g_str_equal(other->suite, source->suite)) {
			cam_apt_source_free(source);
			return;
		}
		if (flat || !is_same_archive(other, source))
			continue;
		for (gsize c = 0; source->components[c] != NULL; c++) {
			char *component = source->components[c];

			if (index_of((const char *const *) other->components, component) >= 0)
				g_free(component);
			else
				source->components[kept++] = component;
		}
		source->components[kept] = NULL;
	}
	if (flat || source->components[0] != NULL)
		g_ptr_array_add(list, source);
	else
		cam_apt_source_free(source);
}

GPtrArray *
cam_apt_sources_for_release(const char *distribution, const char *codename, const GPtrArray *host,
			    const GPtrArray *image)
{
	const Distribution *known = find_distribution(distribution);
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);

	/* The machine's come first: it is known to reach them, and its keys are trusted. */
	for (guint i = 0; known != NULL && codename != NULL && host != NULL && i < host->len; i++) {
		CamAptSource *source =
			exchange_codename(known, codename, g_ptr_array_index(host, i));

		if (source != NULL)
			add_source(list, source);
	}
	for (guint i = 0; image != NULL && i < image->len; i++)
		add_source(list, cam_apt_source_copy(g_ptr_array_index(image, i)));
	return list;
}
