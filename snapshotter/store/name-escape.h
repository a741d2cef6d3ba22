/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * OSTree's names are UTF-8; tar's are bytes. A name that OSTree cannot hold, or that looks like one
 * that was escaped, is kept as CAM_ESCAPE_PREFIX and its bytes, those that are no letter, digit,
 * ".", "_" or "-" as "%XX". Escaped names may be longer than a file system allows: nothing checks
 * them out as they are.
 */
#define CAM_ESCAPE_PREFIX ".cambium-name!"

/* (transfer full): the name to use in an OSTree tree */
char *cam_name_escape(const char *name);
/* (transfer full): the name that was escaped; anything else unchanged */
char *cam_name_unescape(const char *name);

G_END_DECLS
