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
	gboolean has_end;	 /* (out): something in the feed shows that it is all of it */
	gboolean is_partial;	 /* (out): only what changed was read */
	gboolean lost_its_place; /* (out): of a malformed record it is not known which one it is */
} CamFeedRun;

/* One record. @key: (nullable): its id, where the feed has no files. FALSE only if reading cannot
 * go on: a malformed record is counted and named. */
gboolean
cam_feed_run_take(CamFeedRun *self, const char *key, const char *data, gsize size, GError **error);
/* A record that could not even be read. */
gboolean cam_feed_run_skip(CamFeedRun *self, const char *key, const char *reason, GError **error);
gboolean cam_feed_run_is_record_name(const char *path);

/* osv-feed.c: reads the whole of a feed of files; one that is cut is DATA_LOSS. */
gboolean cam_osv_feed_read_directory(CamFeedRun *run, const char *path, GError **error);
gboolean cam_osv_feed_read_tar(CamFeedRun *run, const char *path, GError **error);
gboolean cam_osv_feed_read_zip(CamFeedRun *run, const char *path, GError **error);
gboolean cam_osv_feed_read_lines(CamFeedRun *run, const char *path, GError **error);

/* feed-check.c */
/* The file as it is; INVALID_ARGUMENT for what is no regular file. */
GInputStream *cam_feed_open_file(const char *path, GError **error);
/* What a file is without its compression; bad checksums of that are DATA_LOSS. */
GInputStream *cam_feed_open(const char *path, GError **error);
/* The end of an archive that was read without an error and had @n_entries: readers of archives do
 * not miss it. */
gboolean cam_feed_check_tar_end(const char *path, GCancellable *cancellable, GError **error);
gboolean cam_feed_check_zip_end(const char *path, guint64 n_entries, GError **error);
/* Whether a file is compressed in a form that has an end mark of its own. */
gboolean cam_feed_is_compressed(const char *path);
/* Whether what was read is a feed at all, and no less than before. @path: (nullable): of the file,
 * for the message. @old: (nullable) */
gboolean cam_feed_check_records(CamFeedRun *run, const char *path, const CamAdvisorySource *old,
				CamFeedFlags flags, GError **error);

/**
 * cam_git_feed_read:
 * @url: what libgit2 can clone, or the path of a repository, which is then read where it is
 * @git_dir: where clones are kept
 * @old_version: (nullable): the commit that the database holds
 * @version: (out): the commit that it holds now
 */
gboolean cam_git_feed_read(CamFeedRun *run, const char *url, const char *git_dir,
			   const char *old_version, char **version, GError **error);
/* (transfer full) (nullable): the clone of @url; NULL where it is read in place. */
char *cam_git_feed_clone_path(const char *url, const char *git_dir);

G_END_DECLS
