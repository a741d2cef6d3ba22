/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of deb822(5) paragraphs. Owns the array of fields of the current paragraph; the text
 * is the caller's. Knows no field: that is its users' business.
 */
#include "scanners/apt/deb822.h"

#include <string.h>

typedef struct {
	const char *name, *value;
	gsize name_size, value_size; /* the value with its continuation lines */
} Field;

void
cam_deb822_init(CamDeb822 *self, const char *data, gsize size)
{
	self->data = data;
	self->end = data + size;
	self->fields = g_array_new(FALSE, FALSE, sizeof(Field));
	self->raw = data;
	self->raw_size = 0;
	self->line = 0;
	self->next_line = 1;
	self->odd_line = 0;
}

void
cam_deb822_clear(CamDeb822 *self)
{
	g_clear_pointer(&self->fields, g_array_unref);
}

/* The line at self->data, without its end; moves behind it. */
static const char *
take_line(CamDeb822 *self, gsize *size)
{
	const char *line = self->data;
	const char *newline = memchr(line, '\n', self->end - line);

	self->data = newline != NULL ? newline + 1 : self->end;
	self->next_line++;
	*size = (newline != NULL ? newline : self->end) - line;
	if (*size > 0 && line[*size - 1] == '\r')
		(*size)--;
	return line;
}

static gboolean
is_blank(const char *line, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (line[i] != ' ' && line[i] != '\t')
			return FALSE;
	return TRUE;
}

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* FALSE: it belongs to no field. Such a line is passed over, as the text around it is sound. */
static gboolean
add_line(CamDeb822 *self, const char *line, gsize size)
{
	const char *colon;
	Field field;

	if (line[0] == ' ' || line[0] == '\t') {
		if (self->fields->len > 0) {
			Field *last = &g_array_index(self->fields, Field, self->fields->len - 1);

			last->value_size = line + size - last->value;
		}
		return self->fields->len > 0;
	}
	colon = memchr(line, ':', size);
	if (colon == NULL || colon == line)
		return FALSE;
	field.name = line;
	field.name_size = colon - line;
	field.value = skip_blanks(colon + 1, line + size);
	field.value_size = line + size - field.value;
	g_array_append_val(self->fields, field);
	return TRUE;
}

gboolean
cam_deb822_next(CamDeb822 *self)
{
	g_array_set_size(self->fields, 0);
	self->raw_size = 0;
	self->odd_line = 0;
	while (self->data < self->end) {
		guint number = self->next_line;
		gsize size;
		const char *line = take_line(self, &size);

		if (is_blank(line, size)) {
			if (self->fields->len > 0)
				return TRUE;
			continue;
		}
		if (line[0] == '#')
			continue;
		if (self->fields->len == 0) {
			self->raw = line;
			self->line = number;
		}
		if (!add_line(self, line, size) && self->odd_line == 0)
			self->odd_line = number;
		self->raw_size = line + size - self->raw;
	}
	return self->fields->len > 0;
}

/* (nullable): the first one of this name, from the @from-th field on. */
static const Field *
find_field(CamDeb822 *self, const char *name, guint from)
{
	gsize size = strlen(name);

	for (guint i = from; i < self->fields->len; i++) {
		const Field *field = &g_array_index(self->fields, Field, i);

		if (field->name_size == size && g_ascii_strncasecmp(field->name, name, size) == 0)
			return field;
	}
	return NULL;
}

const char *
cam_deb822_get(CamDeb822 *self, const char *field, gsize *size)
{
	const Field *found = find_field(self, field, 0);

	*size = found != NULL ? found->value_size : 0;
	return found != NULL ? found->value : NULL;
}

gboolean
cam_deb822_has_twice(CamDeb822 *self, const char *field)
{
	const Field *first = find_field(self, field, 0);

	return first != NULL &&
	       find_field(self, field, (guint) (first - (const Field *) self->fields->data) + 1) !=
		       NULL;
}

char *
cam_deb822_dup(CamDeb822 *self, const char *field)
{
	gsize size;
	const char *value = cam_deb822_get(self, field, &size);
	const char *end = value + size;
	GString *text;

	if (value == NULL)
		return NULL;
	text = g_string_sized_new(size);
	for (const char *line = value, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', end - line);
		const char *line_end = newline != NULL ? newline : end;

		next = newline != NULL ? newline + 1 : end;
		if (line != value && *line == '#')
			continue;
		line = skip_blanks(line, line_end);
		while (line_end > line && g_ascii_isspace(line_end[-1]))
			line_end--;
		if (line != value)
			g_string_append_c(text, '\n');
		g_string_append_len(text, line, line_end - line);
	}
	return g_string_free(text, FALSE);
}

const char *
cam_deb822_raw(CamDeb822 *self, gsize *size)
{
	*size = self->raw_size;
	return self->raw;
}
