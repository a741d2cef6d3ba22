/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* Whether the text holds a public key in ASCII armour (RFC 9580, section 6.2). */
gboolean cam_keyring_is_armored(const char *data, gsize size);

/**
 * cam_keyring_dearmor:
 *
 * The binary form of a keyring, which is all that gpgv reads: the blocks of an armoured one decoded
 * and joined, any other as it is.
 */
GBytes *cam_keyring_dearmor(GBytes *keyring, GError **error);

G_END_DECLS
