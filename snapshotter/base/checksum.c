/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fast checksum of pages and files. */
#include "snapshotter/base/checksum.h"

#include <string.h>

/* Odd, so that multiplying loses nothing: each step maps different states to different states. */
#define MULTIPLIER G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)

static guint64
mix(guint64 state, guint64 word)
{
	state = (state ^ word) * MULTIPLIER;
	return state ^ (state >> 29);
}

guint64
cam_checksum64(guint64 seed, gconstpointer data, gsize size)
{
	const guint8 *p = data;
	guint64 word;

	for (; size >= sizeof word; size -= sizeof word, p += sizeof word) {
		memcpy(&word, p, sizeof word);
		seed = mix(seed, GUINT64_FROM_LE(word));
	}
	if (size == 0)
		return seed;
	word = 0;
	memcpy(&word, p, size);
	return mix(mix(seed, GUINT64_FROM_LE(word)), size);
}
