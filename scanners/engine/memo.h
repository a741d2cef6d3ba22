/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamMemo: results remembered under a digest of all that they depend on.
 *
 * Only a cache, so nothing here fails: what cannot be read is not remembered; a damaged file is
 * replaced; where nothing can be written, results live as long as the CamMemo, as far as they fit
 * into a few MiB. Several processes may use one file.
 */
typedef struct _CamMemo CamMemo;

typedef enum {
	CAM_MEMO_WALK,	    /* tree → the paths below it that scanners want */
	CAM_MEMO_FRAGMENT,  /* files → what one scanner makes of them */
	CAM_MEMO_INVENTORY, /* chain of layers → inventory with layers named */
	CAM_MEMO_MATCH,	    /* package version → its matches in one version of the advisories */
	CAM_MEMO_N_KINDS,
} CamMemoKind;

CamMemo *cam_memo_open(const char *path);
/* All results of @kind that were made under another generation are of no use any more and are
 * dropped with the next flush that writes one of @kind. */
void cam_memo_set_generation(CamMemo *self, CamMemoKind kind, const char *generation);
/* (nullable) */
GBytes *cam_memo_get(CamMemo *self, CamMemoKind kind, const CamSha256 *key);
/* Seen by cam_memo_get() at once, written by cam_memo_flush(), or here when much has come together.
 */
void cam_memo_put(CamMemo *self, CamMemoKind kind, const CamSha256 *key, GBytes *value);
void cam_memo_flush(CamMemo *self);
void cam_memo_free(CamMemo *self); /* without a flush */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamMemo, cam_memo_free)

/* The digest of strings, which may hold any byte but NUL; NULL-terminated. */
void cam_memo_key(CamSha256 *out, ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
