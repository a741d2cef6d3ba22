/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_changelog_read_file:
 * @path: where a file of a binary or source package stands
 * @name: its name in the repository, which tells what it is: .deb, .diff.gz, or a tarball
 *
 * @elsewhere: (out) (nullable) (transfer full): the binary package whose documentation this one
 * shares
 *
 * Nothing is unpacked but the changelog, and reading stops behind it.
 *
 * Returns: the text of its Debian changelog; NULL without error where it has none (the
 *     documentation of a binary package may be a link to another package's)
 */
char *cam_changelog_read_file(const char *path, const char *name, gsize *size, char **elsewhere,
			      GCancellable *cancellable, GError **error);

/* (nullable): what a diff (dsc(5), format 1.0) adds as debian/changelog. @diff ends with a NUL. */
char *cam_changelog_from_diff(const char *diff, gsize size, gsize *changelog_size);

G_END_DECLS
