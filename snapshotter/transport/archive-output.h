/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamArchiveOutput:
 *
 * A tar that is written front to back and appears under its name when it is whole. The same
 * members in the same order give the same bytes: times are 0.
 */
typedef struct _CamArchiveOutput CamArchiveOutput;

CamArchiveOutput *cam_archive_output_new(const char *path, GError **error);
/* Whether a member of this name was added. */
gboolean cam_archive_output_has(CamArchiveOutput *self, const char *name);
gboolean
cam_archive_output_add_stream(CamArchiveOutput *self, const char *name, GInputStream *content,
			      guint64 size, GCancellable *cancellable, GError **error);
gboolean cam_archive_output_add_bytes(CamArchiveOutput *self, const char *name, GBytes *bytes,
				      GError **error);
/* Puts the archive in place of what is there. */
gboolean cam_archive_output_commit(CamArchiveOutput *self, GError **error);
void cam_archive_output_free(CamArchiveOutput *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamArchiveOutput, cam_archive_output_free)

G_END_DECLS
