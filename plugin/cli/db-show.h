/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"

G_BEGIN_DECLS

#define CAM_DB_SCHEMA "cambium.db/v1"

/* Shared by the commands `db …`. */

/* The store's advisory database. @create: also where there is no store yet. (transfer none) */
CamAdvisoryDb *cam_cli_get_advisories(CamCli *cli, gboolean create, GError **error);
/* Where feeds that are git repositories are cloned to. */
char *cam_cli_git_dir(CamCli *cli);
/* All sources as table or JSON. */
gboolean cam_show_advisory_sources(CamCli *cli, CamAdvisoryDb *db, GError **error);
/* A remark about what a feed brought. */
void cam_note_feed(CamCli *cli, const char *name, const CamFeedResult *result);

G_END_DECLS
