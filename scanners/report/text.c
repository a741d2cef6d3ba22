/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for terminals: nothing that an image says may steer one; widths count in columns. What is
 * printed, and when, is the business of others.
 */
#include "scanners/report/text.h"

#include <string.h>

static gboolean
is_harmless(gunichar c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return FALSE;
	/* Directional marks, embeddings, overrides, isolates; line and paragraph separators. */
	return !(c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		 (c >= 0x2066 && c <= 0x2069) || c == 0xfeff);
}

char *
cam_text_escape(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (*text != '\0') {
		gunichar c = g_utf8_get_char_validated(text, -1);

		if (c == (gunichar) -1 || c == (gunichar) -2) {
			g_string_append_printf(out, "\\x%02x", (guchar) *text++);
			continue;
		}
		if (is_harmless(c))
			g_string_append_unichar(out, c);
		else
			g_string_append_printf(out, c < 0x80 ? "\\x%02x" : "\\u{%04x}", c);
		text = g_utf8_next_char(text);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
cam_text_escape_json(const char *json)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (; *json != '\0'; json = g_utf8_next_char(json)) {
		gunichar c = g_utf8_get_char(json);

		/* Below 0x20 there is only the white space between members. */
		if (c < 0x20 || is_harmless(c))
			g_string_append_unichar(out, c);
		else
			g_string_append_printf(out, "\\u%04x", c);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static guint
char_width(gunichar c)
{
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

guint
cam_text_width(const char *text)
{
	guint width = 0;

	for (; *text != '\0'; text = g_utf8_next_char(text))
		width += char_width(g_utf8_get_char(text));
	return width;
}

char *
cam_text_ellipsize(const char *text, guint width)
{
	const char *end = text;
	guint used = 0;

	if (cam_text_width(text) <= width)
		return g_strdup(text);
	if (width == 0)
		return g_strdup("");
	while (used + char_width(g_utf8_get_char(end)) <= width - 1) {
		used += char_width(g_utf8_get_char(end));
		end = g_utf8_next_char(end);
	}
	return g_strdup_printf("%.*s…", (int) (end - text), text);
}

void
cam_text_append_wrapped(GString *out, const char *text, guint start, guint indent, guint width)
{
	guint column = start;
	gboolean first = TRUE;

	while (*(text += strspn(text, " ")) != '\0') {
		gsize size = strcspn(text, " ");
		g_autofree char *word = g_strndup(text, size);
		guint word_width = cam_text_width(word);

		if (!first && width != 0 && column + 1 + word_width > width) {
			g_string_append_printf(out, "\n%*s", (int) indent, "");
			column = indent;
		} else if (!first) {
			g_string_append_c(out, ' ');
			column++;
		}
		g_string_append(out, word);
		column += word_width;
		first = FALSE;
		text += size;
	}
}
