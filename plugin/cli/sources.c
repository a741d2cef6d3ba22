/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which package repositories a command asks: what the user named has precedence. */
#include "plugin/cli/sources.h"

GPtrArray *
cam_cli_named_sources(CamCli *cli, const CamOsRelease *os, const GPtrArray *lines, GError **error)
{
	g_autoptr(GPtrArray) sources = NULL;

	if (lines == NULL) {
		if (os->codename == NULL)
			return NULL;
		return cam_config_get_sources(cam_cli_get_config(cli), os->id, os->codename, error);
	}
	sources = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	for (guint i = 0; i < lines->len; i++) {
		CamAptSource *source = cam_apt_source_parse(g_ptr_array_index(lines, i), error);

		if (source == NULL) {
			cam_error_translate(error, "--repo");
			return NULL;
		}
		g_ptr_array_add(sources, source);
	}
	return g_steal_pointer(&sources);
}

GPtrArray *
cam_cli_find_sources(CamCli *cli, const CamImage *image, const CamOsRelease *os,
		     const GPtrArray *lines, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) named = cam_cli_named_sources(cli, os, lines, &problem);
	g_autoptr(GPtrArray) host = NULL, own = NULL;
	g_autoptr(CamRootfs) rootfs = NULL;

	if (problem != NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	if (named != NULL)
		return g_steal_pointer(&named);
	host = cam_apt_sources_read_host(NULL, error);
	if (host == NULL)
		return NULL;
	rootfs = cam_store_open_rootfs(cam_cli_get_store(cli, FALSE, NULL),
				       (const char *const *) image->diff_ids,
				       cam_cli_get_cancellable(cli), error);
	if (rootfs == NULL)
		return NULL;
	own = cam_apt_sources_read_rootfs(rootfs, error);
	if (own == NULL)
		return NULL;
	return cam_apt_sources_for_release(os->id, os->codename, host, own);
}
