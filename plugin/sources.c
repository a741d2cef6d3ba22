/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which package repositories serve a release: the one place where the command line, the
 * configuration, the machine and an image are weighed against each other.
 */
#include "plugin/sources.h"

#include <config.h>

static GPtrArray *
parse_lines(const GPtrArray *lines, GError **error)
{
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);

	for (guint i = 0; i < lines->len; i++) {
		CamAptSource *source = cam_apt_source_parse(g_ptr_array_index(lines, i), error);

		if (source == NULL) {
			cam_error_translate(error, "--repo");
			return NULL;
		}
		source->origin = g_strdup("--repo");
		g_ptr_array_add(sources, source);
	}
	return g_steal_pointer(&sources);
}

/* Sources that are verified with the machine's trusted keys are with those of the distribution,
 * too. */
static void
add_keyrings(GPtrArray *sources, char **keyrings)
{
	for (guint i = 0; i < sources->len; i++) {
		CamAptSource *source = g_ptr_array_index(sources, i);

		if (source->signed_by == NULL && source->key == NULL)
			source->keyrings = g_strdupv(keyrings);
	}
}

static char **
list_keyrings(const CamConfig *config, const CamOsRelease *os)
{
	static const char *const defaults[] = { CAM_KEYRINGS, CAM_SHARED_KEYRINGS, NULL };

	return cam_apt_keyrings_list(
		os->id, CAM_APT_SYSTEM_KEYRINGS,
		config->keyrings != NULL ? (const char *const *) config->keyrings : defaults);
}

static CamAptImageTrust
image_trust(const CamConfig *config)
{
	return config->image_sources != 0 ? (CamAptImageTrust) (config->image_sources - 1)
					  : CAM_APT_IMAGE_VERIFIED;
}

/* What the image names. Its name goes before each remark: it is what the reader can act on. */
static GPtrArray *
read_image(const CamConfig *config, CamStore *store, const CamImage *image, GPtrArray *remarks,
	   GCancellable *cancellable, GError **error)
{
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(
		store, (const char *const *) image->diff_ids, cancellable, error);
	gboolean believed = image_trust(config) == CAM_APT_IMAGE_BELIEVED;
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *sources;

	if (rootfs == NULL)
		return NULL;
	sources = cam_apt_sources_read_rootfs(rootfs, believed, problems, error);
	for (guint i = 0; remarks != NULL && i < problems->len; i++)
		g_ptr_array_add(remarks,
				g_strdup_printf("%s: %s", image->name,
						(const char *) g_ptr_array_index(problems, i)));
	return sources;
}

static GPtrArray *
find_unnamed(const CamConfig *config, CamStore *store, const CamImage *image,
	     const CamOsRelease *os, char **keyrings, GPtrArray *remarks, GCancellable *cancellable,
	     GError **error)
{
	g_autoptr(GPtrArray) host = cam_apt_sources_read_host(NULL, error);
	g_autoptr(GPtrArray) named = cam_config_list_sources(config);
	g_autoptr(GPtrArray) own = NULL;
	CamAptTrust trust = {
		.host = host,
		.named = named,
		.keyrings = (const char *const *) keyrings,
		.image = image_trust(config),
	};

	if (host == NULL)
		return NULL;
	if (trust.image != CAM_APT_IMAGE_IGNORED) {
		own = read_image(config, store, image, remarks, cancellable, error);
		if (own == NULL)
			return NULL;
	}
	return cam_apt_sources_for_release(os->id, os->codename, &trust, own);
}

static GPtrArray *
no_source(const CamOsRelease *os, char **keyrings, GError **error)
{
	const char *package = cam_apt_keyrings_package(os->id);
	const char *name = os->ecosystem != NULL     ? os->ecosystem
			   : os->pretty_name != NULL ? os->pretty_name
						     : os->id;
	g_autofree char *keys =
		keyrings[0] == NULL && package != NULL
			? g_strdup_printf("install %s, the keys of its archive, so that the "
					  "image's own locations can be verified, or ",
					  package)
			: g_strdup("");

	cam_set_error(error, CAM_ERROR_NOT_FOUND,
		      "no source for %s: %sname its repositories under [sources] in cambium.conf "
		      "or with --repo",
		      name, keys);
	return NULL;
}

/* (nullable): what the configuration says of the distribution, else of that which it is based on.
 */
static GPtrArray *
find_named(const CamConfig *config, const CamOsRelease *os, const CamOsRelease *archive,
	   GError **error)
{
	g_autoptr(GError) problem = NULL;
	GPtrArray *sources = NULL;

	if (os->codename != NULL)
		sources = cam_config_get_sources(config, os->id, os->codename, &problem);
	if (sources == NULL && problem == NULL && archive->codename != NULL)
		sources = cam_config_get_sources(config, archive->id, archive->codename, &problem);
	if (problem != NULL)
		g_propagate_error(error, g_steal_pointer(&problem));
	return sources;
}

GPtrArray *
cam_find_sources(const CamConfig *config, const GPtrArray *repo_lines, CamStore *store,
		 const CamImage *image, const CamOsRelease *os, GPtrArray *remarks,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(CamOsRelease) archive = cam_os_release_dup_archive(os);
	g_auto(GStrv) keyrings = list_keyrings(config, archive);
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) sources = NULL;

	if (repo_lines != NULL)
		sources = parse_lines(repo_lines, &problem);
	else
		sources = find_named(config, os, archive, &problem);
	if (problem != NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	if (sources != NULL) {
		add_keyrings(sources, keyrings);
	} else if (archive->codename != NULL) {
		sources = find_unnamed(config, store, image, archive, keyrings, remarks,
				       cancellable, error);
		if (sources == NULL)
			return NULL;
	}
	return sources != NULL && sources->len > 0 ? g_steal_pointer(&sources)
						   : no_source(archive, keyrings, error);
}
