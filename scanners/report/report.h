/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/scanner.h"

G_BEGIN_DECLS

#define CAM_REPORT_SCHEMA "cambium.report/v1"

/* The published form; see scanners/report/README.md for every member. */
JsonObject *cam_report_to_json(const CamScanResult *result);
JsonObject *cam_report_packages_to_json(const CamScanResult *result);

typedef struct {
	guint width;	  /* columns of the terminal; 0: do not cut */
	gboolean colour;
	gboolean verbose; /* all columns, references, suggestions */
} CamTableStyle;

/* The tables that `scan` and `packages` print, UTF-8, each line ends in "\n". */
char *cam_report_to_table(const CamScanResult *result, const CamTableStyle *style);
char *cam_report_packages_to_table(const CamScanResult *result, const CamTableStyle *style);

/**
 * CamTable: columns that fit themselves to a width; serves every command that prints a table.
 */
typedef struct _CamTable CamTable;
CamTable *cam_table_new(const char *const *headings);
/* As many values as headings. Control characters and invalid UTF-8 are shown escaped. */
void cam_table_add_row(CamTable *self, const char *const *values);
char *cam_table_format(CamTable *self, const CamTableStyle *style);
void cam_table_free(CamTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTable, cam_table_free)

G_END_DECLS
