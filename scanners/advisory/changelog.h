/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/changelog-feed.h"

G_BEGIN_DECLS

/* Raised whenever the rules of changelog.c change: changelogs that were read by older ones are read
 * again. */
#define CAM_CHANGELOG_RULES 2

/* (nullable) (transfer full): the version of the last entry, where the text says that older ones
 * were cut off; NULL where it is whole. */
char *cam_changelog_get_oldest(const char *changelog, gsize size);

/* (nullable) (transfer full): the first item of a version's entry, as one line. */
char *cam_changelog_get_title(const char *changelog, gsize size, const char *version);

G_END_DECLS
