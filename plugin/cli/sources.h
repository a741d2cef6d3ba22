/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"

G_BEGIN_DECLS

#define CAM_REPO_OPTION(type, member)                                                        \
	{                                                                                    \
		"repo", 0, CAM_OPTION_LIST, G_STRUCT_OFFSET(type, member), "LINE", NULL,     \
			CAM_COMPLETE_NOTHING,                                                \
			"a repository to use instead of those that are found, as a line of " \
			"sources.list(5)"                                                    \
	}

/**
 * cam_cli_named_sources:
 * @lines: (nullable) (element-type utf8): what --repo said
 *
 * The repositories that the user named for a release, on the command line or in the
 * configuration; NULL without error where none were. (element-type CamAptSource)
 */
GPtrArray *
cam_cli_named_sources(CamCli *cli, const CamOsRelease *os, const GPtrArray *lines, GError **error);

/* The named ones, else those of the machine and of the image. */
GPtrArray *cam_cli_find_sources(CamCli *cli, const CamImage *image, const CamOsRelease *os,
				const GPtrArray *lines, GError **error);

G_END_DECLS
