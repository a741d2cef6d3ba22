/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * containerd's filters in words: fields, operators, values, and quotes with Go's escapes. What is
 * legal where follows containerd's own scanner to the letter, its oddities included, because
 * clients were written against it.
 */
#include "snapshotter/snapshots/filter-scanner.h"

#include <string.h>

#define ILLEGAL	      ((gunichar) -1)
#define REPLACEMENT   0xfffd /* Go cannot tell it from bytes that are not UTF-8 */
#define NEXT_LINE     0x85
#define MAX_CHARACTER 0x10ffff

gunichar
cam_filter_peek(const CamFilterScanner *self)
{
	gunichar c;

	if (*self->at == '\0')
		return 0;
	c = g_utf8_get_char_validated(self->at, -1);
	return c >= ILLEGAL - 1 || c == REPLACEMENT ? ILLEGAL : c;
}

/* Steps over it too, where it is legal. */
static gunichar
next(CamFilterScanner *self)
{
	gunichar c = cam_filter_peek(self);

	if (c != 0 && c != ILLEGAL)
		self->at = g_utf8_next_char(self->at);
	return c;
}

static gboolean
is_space(gunichar c)
{
	return c == '\v' || c == NEXT_LINE || g_unichar_isspace(c);
}

static gboolean
is_operator(gunichar c)
{
	return c == '=' || c == '!' || c == '~';
}

static gboolean
is_field(gunichar c)
{
	return c == '_' || (c < 0x80 && g_ascii_isalnum((char) c));
}

static gboolean
is_value(gunichar c)
{
	return c != ILLEGAL && c != ',' && !is_space(c) && g_unichar_isgraph(c) &&
	       g_unichar_type(c) != G_UNICODE_PRIVATE_USE;
}

static void
skip(CamFilterScanner *self, gboolean (*wanted)(gunichar c))
{
	while (wanted(cam_filter_peek(self)))
		next(self);
}

static CamFilterToken
illegal(CamFilterScanner *self, const char *problem)
{
	self->problem = problem;
	return CAM_FILTER_ILLEGAL;
}

/* How many digits an escape needs, and in which base. */
static guint
escape_digits(char c, guint *base)
{
	*base = 16;
	switch (c) {
	case 'x':
		return 2;
	case 'u':
		return 4;
	case 'U':
		return 8;
	}
	*base = 8;
	return c >= '0' && c <= '7' ? 3 : 0;
}

static gboolean
read_digits(const char *at, guint n, guint base, guint64 *value)
{
	*value = 0;
	for (guint i = 0; i < n; i++) {
		int digit = g_ascii_xdigit_value(at[i]);

		if (digit < 0 || (guint) digit >= base)
			return FALSE;
		*value = *value * base + (guint) digit;
	}
	return TRUE;
}

/* After the backslash. */
static gboolean
scan_escape(CamFilterScanner *self, gunichar quote)
{
	guint base, n = escape_digits(*self->at, &base);
	guint64 value;

	if (n == 0) {
		gunichar c = next(self);

		return c == quote || (c != 0 && c < 0x80 && strchr("abfnrtv\\", (char) c));
	}
	if (base == 16)
		self->at++;
	if (!read_digits(self->at, n, base, &value))
		return FALSE;
	self->at += n;
	return TRUE;
}

static CamFilterToken
scan_quoted(CamFilterScanner *self, gunichar quote)
{
	gunichar c;

	while ((c = next(self)) != quote) {
		if (c == 0 || c == '\n' || c == ILLEGAL)
			return illegal(self, "quoted text does not end");
		if (c == '\\' && !scan_escape(self, quote))
			return illegal(self, "this escape means nothing inside quotes");
	}
	return CAM_FILTER_QUOTED;
}

static CamFilterToken
scan_word(CamFilterScanner *self, gunichar first)
{
	if (first == '"' || first == '/' || first == '|')
		return scan_quoted(self, first);
	if (first == ',' || first == '.') {
		self->value = FALSE;
		return CAM_FILTER_SEPARATOR;
	}
	if (is_operator(first)) {
		skip(self, is_operator);
		self->value = TRUE;
		return CAM_FILTER_OPERATOR;
	}
	if (self->value) {
		skip(self, is_value);
		self->value = FALSE;
		return CAM_FILTER_VALUE;
	}
	if (!is_field(first))
		return illegal(self, "unexpected character");
	skip(self, is_field);
	return CAM_FILTER_FIELD;
}

CamFilterToken
cam_filter_scan(CamFilterScanner *self)
{
	CamFilterToken token;
	gunichar first;

	do {
		self->word = self->at;
		first = next(self);
	} while (first != 0 && first != ILLEGAL && is_space(first));
	if (first == 0)
		token = CAM_FILTER_END;
	else if (first == ILLEGAL)
		token = illegal(self, "this is not UTF-8");
	else
		token = scan_word(self, first);
	self->end = self->at;
	return token;
}

/* (nullable): where it ends, after the backslash at @at. */
static const char *
unquote_escape(const char *at, GString *out)
{
	static const char names[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
	guint base, n = escape_digits(*at, &base);
	const char *name;
	guint64 value;

	if (n == 0) {
		name = strchr(names, *at);
		g_string_append_c(out, name != NULL ? meant[name - names] : *at);
		return at + 1;
	}
	if (base == 16)
		at++;
	/* The scanner saw that all digits are there. */
	if (!read_digits(at, n, base, &value))
		return NULL;
	if (n <= 3) {
		/* One byte, whatever it makes of its neighbours. */
		if (value > G_MAXUINT8)
			return NULL;
		g_string_append_c(out, (char) value);
	} else {
		if (value > MAX_CHARACTER)
			return NULL;
		g_string_append_unichar(out, g_unichar_validate((gunichar) value) ? (gunichar) value
										  : REPLACEMENT);
	}
	return at + n;
}

GString *
cam_filter_unquote(const char *word, const char *end)
{
	GString *out = g_string_new(NULL);

	for (word++, end--; word != NULL && word < end;) {
		const char *stop = memchr(word, '\\', (gsize) (end - word));

		g_string_append_len(out, word, (stop != NULL ? stop : end) - word);
		word = stop != NULL ? unquote_escape(stop + 1, out) : end;
	}
	if (word == NULL)
		g_string_free(g_steal_pointer(&out), TRUE);
	return out;
}
