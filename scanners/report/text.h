/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * cam_text_escape:
 *
 * What comes out of an image, a feed or a registry, made fit for a terminal: control characters
 * (C0, DEL, C1), line and paragraph separators, and characters that turn the direction of writing
 * become `\x1b` or `\u{202e}`; bytes that are no UTF-8 become `\xff`. A backslash stays as it is.
 * Everything that Cambium prints for people and did not write itself must go through here.
 */
char *cam_text_escape(const char *text);

/**
 * cam_text_escape_json:
 * @json: a document in UTF-8, in which the writer has escaped what RFC 8259 wants escaped
 *
 * The same document, also fit for a terminal: what is harmful beyond that (DEL, C1, marks of
 * direction) is written as `\u009b`.
 */
char *cam_text_escape_json(const char *json);

/* Terminal columns that @text (UTF-8 without control characters) takes. */
guint cam_text_width(const char *text);

/* @text if it fits into @width columns; otherwise its beginning and "…". */
char *cam_text_ellipsize(const char *text, guint width);

/**
 * cam_text_append_wrapped:
 * @text: escaped text
 * @start: column at which the output stands
 * @indent: columns that further lines are indented by
 * @width: columns of the terminal; 0: never wrap
 *
 * Appends @text, breaking lines at blanks.
 */
void
cam_text_append_wrapped(GString *out, const char *text, guint start, guint indent, guint width);

G_END_DECLS
