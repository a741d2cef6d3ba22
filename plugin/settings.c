/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the configuration means, for command line and daemon alike. */
#include "plugin/settings.h"

#include <errno.h>
#include <unistd.h>

#include <config.h>

char *
cam_settings_store_path(const CamConfig *config, const char *option)
{
	if (option != NULL)
		return g_strdup(option);
	if (config->store != NULL)
		return g_strdup(config->store);
	if (geteuid() == 0)
		return g_strdup(CAM_STATE_DIR);
	return g_build_filename(g_get_user_data_dir(), "cambium", NULL);
}

CamStore *
cam_settings_open_store(const char *path, gboolean create, GCancellable *cancellable,
			GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);

	if (create && g_mkdir_with_parents(parent, 0755) != 0) {
		cam_set_error_errno(error, errno, "cannot make %s for the store", parent);
		return NULL;
	}
	return cam_store_open(path, create, cancellable, error);
}

CamAptRepository *
cam_settings_open_apt(const CamConfig *config, CamStore *store, GError **error)
{
	g_autofree char *cache = g_build_filename(cam_store_get_path(store), "cache", "apt", NULL);
	CamAptRepository *repository = cam_apt_repository_new(cache, error);

	if (repository != NULL)
		cam_apt_repository_set_limits(repository, (gint64) config->index_size,
					      (gint64) config->package_size);
	return repository;
}

CamSeverity
cam_settings_unknown_counts_as(const CamConfig *config)
{
	return config->unknown_counts_as != CAM_SEVERITY_UNKNOWN ? config->unknown_counts_as
								 : CAM_SEVERITY_MEDIUM;
}

CamSeverity
cam_settings_level(int choice, CamSeverity fallback)
{
	CamSeverity level = fallback;

	if (choice > 0)
		cam_severity_parse(cam_level_names[choice - 1], &level);
	return level;
}

CamGateRule
cam_settings_gate_rule(const CamConfig *config, CamSeverity level)
{
	return (CamGateRule){
		.level = level,
		.unknown_counts_as = cam_settings_unknown_counts_as(config),
		.unknown_pending_counts_as =
			config->unknown_with_fix_counts_as != CAM_SEVERITY_UNKNOWN
				? config->unknown_with_fix_counts_as
				: CAM_SEVERITY_CRITICAL,
	};
}

CamLayerLimits
cam_settings_layer_limits(const CamConfig *config)
{
	return (CamLayerLimits){
		.max_size = config->layer_size,
		.max_entries = config->layer_entries,
		.max_ratio = (guint32) config->layer_ratio,
		.allow_ambiguous = config->allow_ambiguous == CAM_CONFIG_YES,
	};
}
