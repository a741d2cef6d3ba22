/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	guint width;	  /* columns of the terminal; 0: do not cut */
	gboolean colour;  /* the terminal understands ECMA-48 (SGR) */
	gboolean verbose; /* all columns, references, suggestions */
} CamTableStyle;

/**
 * CamTable: columns that fit themselves to a width; serves every command that prints a table.
 */
typedef struct _CamTable CamTable;
CamTable *cam_table_new(const char *const *headings);
/* As many values as headings; NULL is shown as nothing. Control characters and invalid UTF-8 are
 * shown escaped (cam_text_escape()). */
void cam_table_add_row(CamTable *self, const char *const *values);
/* The columns of numbers. */
void cam_table_align_right(CamTable *self, guint column);
/* Cells that are too wide end in "…"; the widest columns give way first. */
char *cam_table_format(CamTable *self, const CamTableStyle *style);
void cam_table_free(CamTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTable, cam_table_free)

G_END_DECLS
