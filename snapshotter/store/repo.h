/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ostree.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* What a repository's GError means, with context; that the reserve of free space would be broken
 * is a full disk. Always FALSE. */
gboolean cam_repo_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* (transfer full): another object for the repository of @repo, with an open transaction: there is
 * one an object. Aborting or committing it is the caller's. */
OstreeRepo *cam_repo_begin(OstreeRepo *repo, GCancellable *cancellable, GError **error);

/* Writes @tree and a commit of it, equal for equal trees, into the open transaction and lets @ref
 * point to it. @notes: (nullable) a{sv} */
gboolean cam_repo_commit_tree(OstreeRepo *repo, OstreeMutableTree *tree, const char *ref,
			      GVariant *notes, GCancellable *cancellable, GError **error);

/* The checksums of a ref's root directory and its notes (nullable). NOT_FOUND. */
gboolean cam_repo_read_commit(OstreeRepo *repo, const char *ref, char **contents, char **metadata,
			      GVariant **notes, GError **error);

/* Gives an open transaction up and removes what it wrote. */
void cam_repo_abort(OstreeRepo *repo);

/* Removes what transactions left behind whose process is gone, or that were given up: libostree
 * keeps that for a day. Those that run are locked and stay. */
gboolean cam_repo_sweep(OstreeRepo *repo, GError **error);

G_END_DECLS
