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
#define CAM_ACCEPT_SHRINK_OPTION(type, member)                                                  \
	{                                                                                       \
		"accept-shrink", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(type, member), NULL, NULL, \
			CAM_COMPLETE_NOTHING,                                                   \
			"believe feeds that lost more than a tenth of their records"            \
	}
/* What to type where a feed was refused for what it lost; "" for any other problem. */
const char *cam_shrink_hint(const GError *problem);
/* NOT_FOUND if one of @names is no source. @also: (nullable): a prefix that is always right. */
gboolean cam_check_source_names(CamAdvisoryDb *db, const char *const *names, const char *also,
				GError **error);
/* A remark about what a feed brought. */
void cam_note_feed(CamCli *cli, const char *name, const CamFeedResult *result);

G_END_DECLS
