/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/changelog-feed.h"

G_BEGIN_DECLS

/* Raised whenever the rules of changelog.c change: changelogs that were read by older ones are read
 * again. */
#define CAM_CHANGELOG_RULES 1

/* (nullable) (transfer full): the version of the last entry, where the text says that older ones
 * were cut off; NULL where it is whole. */
char *cam_changelog_get_oldest(const char *changelog, gsize size);

/**
 * cam_changelog_read_deb:
 * @path: a binary package
 *
 * Returns: the text of its Debian changelog; NULL without error where it ships none (its
 *     documentation is then a link to another package's)
 */
char *
cam_changelog_read_deb(const char *path, gsize *size, GCancellable *cancellable, GError **error);

G_END_DECLS
