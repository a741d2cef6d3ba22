/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/command.h"

G_BEGIN_DECLS

/* Man pages as roff: of cambium itself, of one command, of cambium.conf, of cambiumd. */
char *cam_man_overview(void);
char *cam_man_for_command(const CamCommand *command);
char *cam_man_config(void);
char *cam_man_daemon(void);

/* (transfer full): the page's name, "cambium-db-update" */
char *cam_man_name(const CamCommand *command);

G_END_DECLS
