/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ostree.h>

#include "snapshotter/oci/digest.h"

G_BEGIN_DECLS

/**
 * CamObjectJob: one file object to be hashed and, if the repository lacks it, written.
 */
typedef struct {
	guint32 uid, gid, mode; /* mode with the type bits */
	GVariant *xattrs;	/* as OSTree has them: sorted, never NULL */
	char *symlink;		/* (nullable) */
	guint8 *data;		/* (nullable): content in memory */
	int fd;			/* or a spooled file, closed when it was written; else -1 */
	guint64 size;

	/* Valid once cam_object_writer_wait() returned TRUE. */
	CamSha256 object;
	CamSha256 content; /* regular files */
	gboolean is_new;

	gsize reserved; /* the writer's own from here on */
	gint done;
	GError *error;
} CamObjectJob;

CamObjectJob *cam_object_job_new(void);
void cam_object_job_free(CamObjectJob *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamObjectJob, cam_object_job_free)

/**
 * CamObjectWriter: a pool of threads that write objects into the open transaction of a repository.
 * Digests are OpenSSL's: libostree is told the checksum and does not hash again.
 */
typedef struct _CamObjectWriter CamObjectWriter;

CamObjectWriter *cam_object_writer_new(OstreeRepo *repo);
/* Waits until @size more bytes of content may be in memory. */
void cam_object_writer_reserve(CamObjectWriter *self, CamObjectJob *job, gsize size);
/* @job must live until it is done. */
void cam_object_writer_push(CamObjectWriter *self, CamObjectJob *job);
gboolean cam_object_job_is_done(CamObjectJob *job);
/* Waits for @job. */
gboolean cam_object_writer_wait(CamObjectWriter *self, CamObjectJob *job, GError **error);
/* Waits for all jobs; those not begun do nothing. */
void cam_object_writer_free(CamObjectWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamObjectWriter, cam_object_writer_free)

G_END_DECLS
