/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * cam_checksum64:
 * @seed: the checksum of what came before, or any number
 *
 * A checksum against accidents, several gigabytes a second: every change of one word changes it,
 * all others do but for one in 2^64. No protection from forgery. @size must be a multiple of 8, but
 * for the last piece.
 */
guint64 cam_checksum64(guint64 seed, gconstpointer data, gsize size);

G_END_DECLS
