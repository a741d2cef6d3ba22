/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables for terminals: columns as wide as their widest cell, narrowed to a width. What the cells
 * say is the business of each command.
 */
#include "scanners/report/table.h"

#include "scanners/report/text.h"

#define GAP	     2 /* columns between two columns */
#define MIN_NARROWED 6 /* a narrower column says nothing */

struct _CamTable {
	guint n_columns;
	GPtrArray *rows; /* (element-type GStrv), escaped, the headings first */
	gboolean *right; /* by column */
};

CamTable *
cam_table_new(const char *const *headings)
{
	CamTable *self = g_new0(CamTable, 1);

	self->n_columns = g_strv_length((char **) headings);
	self->rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
	self->right = g_new0(gboolean, self->n_columns);
	cam_table_add_row(self, headings);
	return self;
}

void
cam_table_add_row(CamTable *self, const char *const *values)
{
	char **row = g_new0(char *, self->n_columns + 1);

	for (guint i = 0; i < self->n_columns; i++)
		row[i] = cam_text_escape(values[i] != NULL ? values[i] : "");
	g_ptr_array_add(self->rows, row);
}

void
cam_table_align_right(CamTable *self, guint column)
{
	g_return_if_fail(column < self->n_columns);
	self->right[column] = TRUE;
}

void
cam_table_free(CamTable *self)
{
	g_ptr_array_unref(self->rows);
	g_free(self->right);
	g_free(self);
}

/* Takes columns from the widest one until all fit or none can give any more. */
static void
narrow(guint *widths, guint n_columns, guint width)
{
	guint total = (n_columns - 1) * GAP;

	for (guint i = 0; i < n_columns; i++)
		total += widths[i];
	while (total > width) {
		guint widest = 0;

		for (guint i = 1; i < n_columns; i++)
			if (widths[i] >= widths[widest])
				widest = i;
		if (widths[widest] <= MIN_NARROWED)
			return;
		widths[widest]--;
		total--;
	}
}

static guint *
measure(const CamTable *self, guint width)
{
	guint *widths = g_new0(guint, self->n_columns + 1);

	for (guint r = 0; r < self->rows->len; r++) {
		char **row = self->rows->pdata[r];

		for (guint i = 0; i < self->n_columns; i++)
			widths[i] = MAX(widths[i], cam_text_width(row[i]));
	}
	if (width > 0 && self->n_columns > 0)
		narrow(widths, self->n_columns, width);
	return widths;
}

static void
append_row(const CamTable *self, char **row, const guint *widths, GString *out)
{
	guint owed = 0; /* blanks that are written only if something follows */

	for (guint i = 0; i < self->n_columns; i++) {
		g_autofree char *cell = cam_text_ellipsize(row[i], widths[i]);
		guint padding = widths[i] - cam_text_width(cell);

		if (self->right[i])
			owed += padding;
		if (cell[0] != '\0') {
			g_string_append_printf(out, "%*s%s", (int) owed, "", cell);
			owed = 0;
		}
		if (!self->right[i])
			owed += padding;
		owed += GAP;
	}
}

char *
cam_table_format(CamTable *self, const CamTableStyle *style)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree guint *widths = measure(self, style->width);

	for (guint r = 0; r < self->rows->len; r++) {
		gboolean bold = r == 0 && style->colour;

		g_string_append(out, bold ? "\033[1m" : "");
		append_row(self, self->rows->pdata[r], widths, out);
		g_string_append(out, bold ? "\033[0m\n" : "\n");
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}
