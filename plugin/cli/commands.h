/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"

G_BEGIN_DECLS

/* One a file, cmd-NAME.c; commands.c lists them. */
extern const CamCommand cam_command_import;
extern const CamCommand cam_command_host;
extern const CamCommand cam_command_images;
extern const CamCommand cam_command_inspect;
extern const CamCommand cam_command_db_update;
extern const CamCommand cam_command_db_import;
extern const CamCommand cam_command_db_status;
extern const CamCommand cam_command_db_remove;
extern const CamCommand cam_command_scan;
extern const CamCommand cam_command_packages;
extern const CamCommand cam_command_fix;
extern const CamCommand cam_command_diff;
extern const CamCommand cam_command_export;
extern const CamCommand cam_command_rm;
extern const CamCommand cam_command_gc;
extern const CamCommand cam_command_verify;
extern const CamCommand cam_command_completion;
extern const CamCommand cam_command_help;
extern const CamCommand cam_command_complete;
extern const CamCommand cam_command_man;

G_END_DECLS
