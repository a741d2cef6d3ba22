/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * cam_maintainer_script_is_idle:
 * @package: binary package
 * @name: "preinst" or "postinst"
 * @text: the script
 * @version: the version that it comes with
 * @from: the version that it would upgrade
 *
 * Whether the script, run for an upgrade from @from in a tree without a package manager, would
 * change nothing there: because every line is of a kind that changes nothing, or because the script
 * is one that was read and found to be so.
 */
gboolean cam_maintainer_script_is_idle(const char *package, const char *name, const char *text,
				       gsize size, const char *version, const char *from);

/* Whether a "triggers" file asks for nothing but ldconfig, which a tree without it does not miss.
 */
gboolean cam_triggers_are_idle(const char *text, gsize size);

/* The hash of a script without comments, blank lines and its own version; for the table of known
 * ones. */
char *cam_maintainer_script_shape(const char *text, gsize size, const char *version);

G_END_DECLS
