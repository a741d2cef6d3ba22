/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of containerd's filter language; snapshot-filter.c makes sentences of them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	CAM_FILTER_END,
	CAM_FILTER_FIELD,
	CAM_FILTER_QUOTED, /* with its quotes */
	CAM_FILTER_VALUE,
	CAM_FILTER_SEPARATOR, /* "," or "." */
	CAM_FILTER_OPERATOR,  /* any run of "=", "!" and "~" */
	CAM_FILTER_ILLEGAL,
} CamFilterToken;

typedef struct {
	const char *at;		/* NUL-terminated; what was not scanned yet */
	gboolean value;		/* an operator came: what follows is a value */
	const char *word, *end; /* of the last token */
	const char *problem;	/* (nullable): of the last illegal token */
} CamFilterScanner;

CamFilterToken cam_filter_scan(CamFilterScanner *self);
/* The character that comes next, blanks included: 0 at the end, (gunichar) -1 where it is illegal.
 */
gunichar cam_filter_peek(const CamFilterScanner *self);
/* @word: a quoted token
 * Returns: (transfer full) (nullable): any bytes; NULL if an escape stands for nothing */
GString *cam_filter_unquote(const char *word, const char *end);

G_END_DECLS
