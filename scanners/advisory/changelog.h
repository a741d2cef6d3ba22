/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/changelog-feed.h"

G_BEGIN_DECLS

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
