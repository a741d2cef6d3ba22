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

/* The cache of package repositories of a store, with the configuration's limits. */
CamAptRepository *cam_settings_open_apt(const CamConfig *config, CamStore *store, GError **error);

/* What a finding of unknown severity counts as. */
CamSeverity cam_settings_unknown_counts_as(const CamConfig *config);

/* The level that a choice of cam_level_names stands for; 0: @fallback. */
CamSeverity cam_settings_level(int choice, CamSeverity fallback);

/* What may not pass a gate of that level. */
CamGateRule cam_settings_gate_rule(const CamConfig *config, CamSeverity level);

CamLayerLimits cam_settings_layer_limits(const CamConfig *config);

G_END_DECLS
