/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* deb-version(7): <0, 0, >0. Total on any two strings. */
int cam_version_compare_deb(const char *a, const char *b);

/* The order of an OSV ecosystem ("Debian:12", "Ubuntu:22.04:LTS", …); NULL if it has none here. */
typedef int (*CamVersionCompare)(const char *a, const char *b);
CamVersionCompare cam_version_compare_for_ecosystem(const char *ecosystem);

G_END_DECLS
