/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ostree.h>

#include "snapshotter/oci/digest.h"
#include "snapshotter/store/file-stamp.h"

G_BEGIN_DECLS

/**
 * CamObjectJob: one file object to be hashed and, if the repository lacks it, written.
 */
typedef struct {
	guint32 uid, gid, mode; /* mode with the type bits */
	GVariant *xattrs;	/* as OSTree has them: sorted, never NULL */
	char *symlink;		/* (nullable) */
	guint8 *data;		/* (nullable): content in memory */
	int fd;			/* or in a file, closed when it was written; else -1 */
	guint64 size;
	gboolean may_link;  /* the file itself may become the object, also with content in memory */
	CamFileStamp stamp; /* of a file that may be linked */

	/* Valid once cam_object_writer_wait() returned TRUE. */
	CamSha256 object;
	CamSha256 content; /* regular files */
	gboolean is_new;
	gboolean linked; /* new, and not copied */

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

/* @tmpfd: a directory on the repository's file system; used until the writer is freed */
CamObjectWriter *cam_object_writer_new(OstreeRepo *repo, int tmpfd, GError **error);
/* Waits until @size more bytes of content may be in memory. */
void cam_object_writer_reserve(CamObjectWriter *self, CamObjectJob *job, gsize size);
/* @job must live until it is done. */
void cam_object_writer_push(CamObjectWriter *self, CamObjectJob *job);
gboolean cam_object_job_is_done(CamObjectJob *job);
/* Waits for @job. */
gboolean cam_object_writer_wait(CamObjectWriter *self, CamObjectJob *job, GError **error);
/* Puts the files that were linked in place, durably; to be called when all jobs are done. */
gboolean cam_object_writer_publish(CamObjectWriter *self, GError **error);
/* Waits for all jobs; those not begun do nothing. */
void cam_object_writer_free(CamObjectWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamObjectWriter, cam_object_writer_free)

G_END_DECLS
