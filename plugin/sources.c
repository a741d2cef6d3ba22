/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which package repositories serve a release: the one place where the command line, the
 * configuration, the machine and an image are weighed against each other.
 */
#include "plugin/sources.h"

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

static GPtrArray *
find_unnamed(CamStore *store, const CamImage *image, const CamOsRelease *os,
	     GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) host = cam_apt_sources_read_host(NULL, error);
	g_autoptr(GPtrArray) own = NULL;
	g_autoptr(CamRootfs) rootfs = NULL;

	if (host == NULL)
		return NULL;
	rootfs = cam_store_open_rootfs(store, (const char *const *) image->diff_ids, cancellable,
				       error);
	if (rootfs == NULL)
		return NULL;
	own = cam_apt_sources_read_rootfs(rootfs, error);
	if (own == NULL)
		return NULL;
	return cam_apt_sources_for_release(os->id, os->codename, host, own);
}

static GPtrArray *
no_source(const CamOsRelease *os, GError **error)
{
	const char *name = os->ecosystem != NULL     ? os->ecosystem
			   : os->pretty_name != NULL ? os->pretty_name
						     : os->id;

	cam_set_error(error, CAM_ERROR_NOT_FOUND,
		      "no source for %s: add one to the apt sources of the machine, or under "
		      "[sources] in cambium.conf, or name one with --repo",
		      name);
	return NULL;
}

GPtrArray *
cam_find_sources(const CamConfig *config, const GPtrArray *repo_lines, CamStore *store,
		 const CamImage *image, const CamOsRelease *os, GCancellable *cancellable,
		 GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) sources = NULL;

	if (repo_lines != NULL)
		return parse_lines(repo_lines, error);
	if (os->codename == NULL)
		return no_source(os, error);
	sources = cam_config_get_sources(config, os->id, os->codename, &problem);
	if (problem != NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	if (sources == NULL)
		sources = find_unnamed(store, image, os, cancellable, error);
	if (sources == NULL)
		return NULL;
	return sources->len > 0 ? g_steal_pointer(&sources) : no_source(os, error);
}
