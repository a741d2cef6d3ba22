/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* Where the packages of distributions put the keyrings of their archives. */
#define CAM_APT_SYSTEM_KEYRINGS "/usr/share/keyrings"

/**
 * cam_apt_keyrings_list:
 * @distribution: os-release ID, "debian"
 * @system: a directory with keyrings of many distributions, %CAM_APT_SYSTEM_KEYRINGS: those that
 *     are known to be @distribution's are taken
 * @dirs: NULL-terminated: each may have a directory of the distribution's name, of which every
 *     file with the ending gpg, asc or pgp is taken
 *
 * The machine's keyrings for the archive of a distribution. An image has no say in this.
 *
 * Returns: (transfer full): paths, NULL-terminated; none where the machine knows no key
 */
char **cam_apt_keyrings_list(const char *distribution, const char *system, const char *const *dirs);

/* (nullable): "debian-archive-keyring": the package that brings the keys of @distribution. */
const char *cam_apt_keyrings_package(const char *distribution);

G_END_DECLS
