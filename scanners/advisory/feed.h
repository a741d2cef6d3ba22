/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kinds of OSV feeds share. */
#pragma once

#include "scanners/advisory/advisory-db-private.h"

G_BEGIN_DECLS

#define CAM_FEED_MAX_RECORD_SIZE (16 * 1024 * 1024)

/**
 * CamFeedRun: one reading of one feed.
 */
typedef struct {
	CamAdvisoryUpdate *update;
	CamProgress *progress;
	guint phase;
	GCancellable *cancellable;
} CamFeedRun;

/* One record. @key: (nullable): its id, where the feed has no files. FALSE only if reading cannot
 * go on: a malformed record is counted and named. */
gboolean
cam_feed_run_take(CamFeedRun *self, const char *key, const char *data, gsize size, GError **error);
/* A record that could not even be read. */
gboolean cam_feed_run_skip(CamFeedRun *self, const char *key, const char *reason, GError **error);
gboolean cam_feed_run_is_record_name(const char *path);

/* osv-feed.c: reads the whole of a feed of files. */
gboolean cam_osv_feed_read_directory(CamFeedRun *run, const char *path, GError **error);
gboolean cam_osv_feed_read_archive(CamFeedRun *run, const char *path, GError **error);
gboolean cam_osv_feed_read_lines(CamFeedRun *run, const char *path, GError **error);

/**
 * cam_git_feed_read:
 * @url: what libgit2 can clone, or the path of a repository, which is then read where it is
 * @git_dir: where clones are kept
 * @old_version: (nullable): the commit that the database holds
 * @version: (out): the commit that it holds now
 */
gboolean cam_git_feed_read(CamFeedRun *run, const char *url, const char *git_dir,
			   const char *old_version, char **version, GError **error);

G_END_DECLS
