/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/base/progress.h"
#include "snapshotter/oci/digest.h"

G_BEGIN_DECLS

/**
 * CamDigestStream: passes bytes on, hashes and counts them. Unlike cam_verify_stream_new() it does
 * not know beforehand what they should be.
 */
#define CAM_TYPE_DIGEST_STREAM (cam_digest_stream_get_type())
G_DECLARE_FINAL_TYPE(CamDigestStream, cam_digest_stream, CAM, DIGEST_STREAM, GFilterInputStream)

/* @hasher: (transfer full). @progress (nullable) advances @phase by what is read. */
CamDigestStream *
cam_digest_stream_new(GInputStream *base, CamHasher *hasher, CamProgress *progress, guint phase);
/* Bytes so far; may be asked from any thread. */
guint64 cam_digest_stream_get_count(CamDigestStream *self);
/* (transfer full): the digest of all; once, after the end was read. */
char *cam_digest_stream_finish(CamDigestStream *self);

G_END_DECLS
