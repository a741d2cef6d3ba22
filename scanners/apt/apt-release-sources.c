/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which sources serve a release: those of an image, and those of the machine with its codename
 * exchanged. Owns what is known of how distributions name their suites.
 */
#include "scanners/apt/apt-sources.h"

#include <string.h>

#include "scanners/apt/apt-source.h"

/* An image names one or two. */
#define MAX_PROPOSED_SERVERS 4
/* All images of a release together. */
#define MAX_ALTERNATIVE_SERVERS 8

typedef struct {
	const char *id;		      /* os-release ID */
	const char *origin;	      /* of its Release files */
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
	{ "debian", "Debian", debian_codenames, debian_components },
	{ "ubuntu", "Ubuntu", ubuntu_codenames, ubuntu_components },
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
exchange_codename(const Distribution *distribution, const char *codename, const CamAptTrust *trust,
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
	/* The key that signs one release may be no other's. */
	if (!g_str_equal(copy->suite, source->suite))
		copy->keyrings = g_strdupv((char **) trust->keyrings);
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

/* Takes from @source the components that @other serves. */
static void
drop_served_components(CamAptSource *source, const CamAptSource *other)
{
	gsize kept = 0;

	for (gsize c = 0; source->components[c] != NULL; c++) {
		char *component = source->components[c];

		if (index_of((const char *const *) other->components, component) >= 0)
			g_free(component);
		else
			source->components[kept++] = component;
	}
	source->components[kept] = NULL;
}

/* Adds @source (taken) without the components that the list serves already. What an image proposes
 * is the distribution's archive, wherever it lies, so that an equal suite is the same. */
static void
add_source(GPtrArray *list, CamAptSource *source)
{
	gboolean flat = source->components[0] == NULL;

	for (guint i = 0; i < list->len; i++) {
		const CamAptSource *other = g_ptr_array_index(list, i);

		if (flat && g_str_equal(other->uri, source->uri) &&
		    g_str_equal(other->suite, source->suite)) {
			cam_apt_source_free(source);
			return;
		}
		if (!flat && (source->provenance == CAM_APT_PROPOSED
				      ? g_str_equal(other->suite, source->suite)
				      : is_same_archive(other, source)))
			drop_served_components(source, other);
	}
	if (flat || source->components[0] != NULL)
		g_ptr_array_add(list, source);
	else
		cam_apt_source_free(source);
}

/* ---- what an image names ---- */

static gboolean
is_remote(const CamAptSource *source)
{
	g_autofree char *scheme = g_uri_parse_scheme(source->uri);

	return g_strcmp0(scheme, "http") == 0 || g_strcmp0(scheme, "https") == 0;
}

/* Whether the machine's configuration names the server of @source. */
static gboolean
is_named_server(const GPtrArray *sources, const CamAptSource *source)
{
	g_autoptr(GUri) wanted = g_uri_parse(source->uri, G_URI_FLAGS_NONE, NULL);

	for (guint i = 0; wanted != NULL && sources != NULL && i < sources->len; i++) {
		const CamAptSource *other = g_ptr_array_index(sources, i);
		g_autoptr(GUri) uri = g_uri_parse(other->uri, G_URI_FLAGS_NONE, NULL);

		if (uri != NULL && cam_http_is_same_server(uri, wanted))
			return TRUE;
	}
	return FALSE;
}

/* (nullable): @source of the image as a location of the distribution's archive, which the keys of
 * the machine must verify. */
static CamAptSource *
propose(const Distribution *distribution, const char *codename, const CamAptTrust *trust,
	const CamAptSource *source)
{
	const char *pocket = find_pocket(distribution, source);
	gsize size = strlen(codename);
	CamAptSource *copy;

	if (pocket == NULL || strncmp(source->suite, codename, size) != 0 ||
	    !g_str_equal(source->suite + size, pocket) || trust->keyrings[0] == NULL)
		return NULL;
	for (gsize i = 0; source->components[i] != NULL; i++)
		if (index_of(distribution->components, source->components[i]) < 0)
			return NULL;
	copy = cam_apt_source_new(source->uri, source->suite,
				  (const char *const *) source->components);
	copy->origin = g_strdup(source->origin);
	copy->provenance = CAM_APT_PROPOSED;
	copy->keyrings = g_strdupv((char **) trust->keyrings);
	copy->archive = g_strdup(distribution->origin);
	return copy;
}

/* Each server may take its time to fail. */
static gboolean
is_one_server_too_many(const GPtrArray *list, const CamAptSource *source, guint max)
{
	g_autoptr(GPtrArray) servers = g_ptr_array_new();

	for (guint i = 0; i < list->len; i++) {
		CamAptSource *other = g_ptr_array_index(list, i);

		if (other->provenance == CAM_APT_PROPOSED && !is_named_server(servers, other))
			g_ptr_array_add(servers, other);
	}
	return servers->len >= max && !is_named_server(servers, source);
}

static void
add_of_image(GPtrArray *list, const Distribution *distribution, const char *codename,
	     const CamAptTrust *trust, const CamAptSource *source)
{
	CamAptSource *copy = NULL;

	if (trust->image == CAM_APT_IMAGE_IGNORED || !is_remote(source))
		return;
	if (distribution != NULL && codename != NULL)
		copy = propose(distribution, codename, trust, source);
	if (copy == NULL && trust->image == CAM_APT_IMAGE_BELIEVED) {
		copy = cam_apt_source_copy(source);
		copy->provenance = CAM_APT_IMAGE;
		copy->image_only = TRUE;
	}
	if (copy == NULL)
		return;
	if (is_one_server_too_many(list, copy, MAX_PROPOSED_SERVERS)) {
		cam_apt_source_free(copy);
		return;
	}
	copy->guarded = !is_named_server(trust->host, copy) && !is_named_server(trust->named, copy);
	add_source(list, copy);
}

GPtrArray *
cam_apt_sources_for_release(const char *distribution, const char *codename,
			    const CamAptTrust *trust, const GPtrArray *image)
{
	const Distribution *known = find_distribution(distribution);
	const GPtrArray *host = trust->host;
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);

	/* The machine's come first: it is known to reach them, and its keys are trusted. */
	for (guint i = 0; known != NULL && codename != NULL && i < host->len; i++) {
		CamAptSource *source =
			exchange_codename(known, codename, trust, g_ptr_array_index(host, i));

		if (source != NULL)
			add_source(list, source);
	}
	for (guint i = 0; image != NULL && i < image->len; i++)
		add_of_image(list, known, codename, trust, g_ptr_array_index(image, i));
	return list;
}

/* ---- what several images name ---- */

static gboolean
is_listed(const GPtrArray *list, const CamAptSource *source)
{
	for (guint i = 0; i < list->len; i++) {
		const CamAptSource *other = g_ptr_array_index(list, i);

		if (g_str_equal(other->uri, source->uri) &&
		    g_str_equal(other->suite, source->suite) &&
		    g_strv_equal((const char *const *) other->components,
				 (const char *const *) source->components))
			return TRUE;
	}
	return FALSE;
}

gboolean
cam_apt_sources_add_alternatives(GPtrArray *list, const GPtrArray *more)
{
	for (guint i = 0; i < list->len; i++) {
		const CamAptSource *source = g_ptr_array_index(list, i);

		if (source->provenance == CAM_APT_NAMED || source->provenance == CAM_APT_HOST)
			return FALSE;
	}
	for (guint i = 0; i < more->len; i++) {
		const CamAptSource *source = g_ptr_array_index(more, i);

		if (source->provenance == CAM_APT_PROPOSED && !is_listed(list, source) &&
		    !is_one_server_too_many(list, source, MAX_ALTERNATIVE_SERVERS))
			g_ptr_array_add(list, cam_apt_source_copy(source));
	}
	return TRUE;
}
