/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * CamDeb822:
 *
 * A reader of deb822(5) paragraphs (status, Packages, Release, debian.sources) over memory that
 * outlives it: no copying, no limit on the number of paragraphs, tolerant of CRLF and of comments.
 * Field names compare without case.
 */
typedef struct {
	const char *data, *end; /* what is left */
	GArray *fields;		/* of the current paragraph */
	const char *raw;	/* the current paragraph */
	gsize raw_size;
	guint line; /* where the current paragraph starts, from 1 */
	guint next_line;
	guint odd_line; /* the first one of it, or between it and the one before, that belongs to
			 * no field; 0: none */
} CamDeb822;

void cam_deb822_init(CamDeb822 *self, const char *data, gsize size);
/* FALSE at the end, where odd_line is of what stood behind the last paragraph. */
gboolean cam_deb822_next(CamDeb822 *self);
/* (nullable): the raw value of a field, without the leading blank, not NUL-terminated. */
const char *cam_deb822_get(CamDeb822 *self, const char *field, gsize *size);
/* Whether the paragraph has the field more than once, of which only the first is seen. */
gboolean cam_deb822_has_twice(CamDeb822 *self, const char *field);
/* (nullable) (transfer full): the same as a string; continuation lines without their indentation
 * and joined by "\n", comments taken out. */
char *cam_deb822_dup(CamDeb822 *self, const char *field);
/* The paragraph as it stands in the text, without the newline at its end. */
const char *cam_deb822_raw(CamDeb822 *self, gsize *size);
void cam_deb822_clear(CamDeb822 *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamDeb822, cam_deb822_clear)

G_END_DECLS
