/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands, in the order in which the help shows them. */
#include "plugin/cli/commands.h"

const CamCommand *const cam_commands[] = {
	&cam_command_import,	&cam_command_images,	 &cam_command_host,
	&cam_command_inspect,	&cam_command_db_update,	 &cam_command_db_import,
	&cam_command_db_status, &cam_command_db_remove,	 &cam_command_scan,
	&cam_command_packages,	&cam_command_fix,	 &cam_command_diff,
	&cam_command_export,	&cam_command_rm,	 &cam_command_gc,
	&cam_command_verify,	&cam_command_completion, &cam_command_help,
	&cam_command_complete,	&cam_command_man,	 NULL,
};
