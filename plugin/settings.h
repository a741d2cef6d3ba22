/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"

G_BEGIN_DECLS

/* What the configuration means where command line and daemon must mean the same by it. */

/* @option: (nullable): what --store or --root says; it has precedence. (transfer full) */
char *cam_settings_store_path(const CamConfig *config, const char *option);

/* Opens the store in @path, making it and the directories above it if @create. */
CamStore *cam_settings_open_store(const char *path, gboolean create, GCancellable *cancellable,
				  GError **error);

/* What a finding of unknown severity counts as. */
CamSeverity cam_settings_unknown_counts_as(const CamConfig *config);

CamLayerLimits cam_settings_layer_limits(const CamConfig *config);

G_END_DECLS
