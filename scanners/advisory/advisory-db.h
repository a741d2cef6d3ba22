/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

typedef enum {
	CAM_SEVERITY_UNKNOWN,
	CAM_SEVERITY_NONE,
	CAM_SEVERITY_LOW,
	CAM_SEVERITY_MEDIUM,
	CAM_SEVERITY_HIGH,
	CAM_SEVERITY_CRITICAL,
} CamSeverity;

const char *cam_severity_name(CamSeverity severity); /* "critical" */
gboolean cam_severity_parse(const char *text, CamSeverity *out);
/* CVSS 2, 3.0, 3.1 and 4.0 vectors (first.org); the base score, or -1 if it is malformed. */
double cam_cvss_score(const char *vector);
CamSeverity cam_severity_for_score(double score);

/**
 * CamAdvisory: what a report needs of one advisory record.
 */
typedef struct {
	char *id;
	char **aliases; /* CVE and others, OSV's aliases and upstream */
	char *summary;	/* (nullable): one line; the first of details where there is none */
	CamSeverity severity;
	double score;	   /* CVSS base score or -1 */
	char *vector;	   /* (nullable) */
	char **references; /* URLs */
	char *source;	   /* name of the source that it came from, and the suite of a fix that no
			    * security suite has: "debian-changelog:bookworm (bookworm-updates)" */
	gint64 published, modified, withdrawn; /* seconds since 1970; 0: says nothing */
} CamAdvisory;
void cam_advisory_free(CamAdvisory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAdvisory, cam_advisory_free)

/* A security update whose changelog names no CVE has the id "SECURITY-UPDATE/<source>/<version>".
 */
#define CAM_SECURITY_UPDATE_PREFIX "SECURITY-UPDATE/"
gboolean cam_advisory_is_security_update(const char *id);

typedef struct {
	CamAdvisory *advisory;
	char *fixed_version; /* (nullable): the lowest fixed version above the installed one */
	gboolean pro_only;   /* only Ubuntu Pro has it */
} CamMatch;
void cam_match_free(CamMatch *self);

typedef struct {
	char *name;	/* "osv:/srv/feeds/debian.git", "debian-changelog:bookworm" */
	char *kind;	/* "osv-git", "osv-zip", "osv-directory", "osv-jsonl", "debian-changelog" */
	char *url;	/* where it is read from again */
	char *version;	/* commit, or sha256 of the feed */
	gint64 date;	/* seconds since 1970: of the newest record or Release, not of the import */
	gint64 updated; /* when it was read */
	guint64 records;
	char *note; /* (nullable): limits that reports must tell */
	/* What was read has no length, checksum or end mark that shows that it is all of it (plain
	 * JSON lines, a directory); the note says so too. */
	gboolean completeness_unknown;
} CamAdvisorySource;
void cam_advisory_source_free(CamAdvisorySource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAdvisorySource, cam_advisory_source_free)

/**
 * CamAdvisoryDb: <store>/advisories.db.
 */
#define CAM_TYPE_ADVISORY_DB (cam_advisory_db_get_type())
G_DECLARE_FINAL_TYPE(CamAdvisoryDb, cam_advisory_db, CAM, ADVISORY_DB, GObject)

CamAdvisoryDb *cam_advisory_db_open(const char *path, GError **error);
/* (element-type CamAdvisorySource) */
GPtrArray *cam_advisory_db_list_sources(CamAdvisoryDb *self, GError **error);
/* Changes whenever the content does; key of remembered matches. */
const char *cam_advisory_db_get_version(CamAdvisoryDb *self);
/* Between the two the database does not change for @self, whatever is written by others: version,
 * matches, coverage and sources belong together. Nothing may be written through @self. */
gboolean cam_advisory_db_begin_read(CamAdvisoryDb *self, GError **error);
void cam_advisory_db_end_read(CamAdvisoryDb *self);
/* Whether any record, of any source, speaks of packages of @ecosystem. */
gboolean cam_advisory_db_has_ecosystem(CamAdvisoryDb *self, const char *ecosystem, gboolean *has,
				       GError **error);

/**
 * CamCoverage: how far the sources of the database judge one version of one source package.
 *
 * A feed that names a hundred packages of an ecosystem or more covers all of it, a smaller one
 * those that it names. A changelog source covers
 * @fixes alone, of the packages that it looked up and of the versions that they then judged.
 */
typedef struct {
	gboolean fixes;	  /* a source knows which published versions fix what: "none found" means
			   * something */
	gboolean unfixed; /* a source also tells of vulnerabilities without a published fix */
	char *reason;	  /* (nullable): why @fixes is FALSE, a phrase: "not looked up", "not in the
			   * repositories of bookworm", "its changelog could not be read" */
	gint64 looked_at; /* seconds since 1970; 0: by a feed as a whole, or never */
} CamCoverage;
void cam_coverage_clear(CamCoverage *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamCoverage, cam_coverage_clear)

/* Fills @out, whatever it held before. */
gboolean
cam_advisory_db_get_coverage(CamAdvisoryDb *self, const char *ecosystem, const char *source_package,
			     const char *version, CamCoverage *out, GError **error);
/* Withdrawn advisories never match. (element-type CamMatch), by id */
GPtrArray *cam_advisory_db_match(CamAdvisoryDb *self, const char *ecosystem, const char *package,
				 const char *version, GError **error);

/**
 * CamFeed: adds or refreshes one source.
 *
 * cam_feed_import_osv() recognises @location: a directory of .json files, a .zip, a .jsonl (also
 * .gz, .xz, .zst), a tar, or a git repository (path with .git, git+https://, git+ssh://,
 * git+file://, or any URL ending in .git): the latter is cloned below @git_dir and later
 * updated by the diff of the two commits' trees. The update is one transaction: an interrupted one
 * changes nothing. Memory is bounded; a record over 16 MiB or malformed is counted and named, not
 * fatal.
 *
 * A feed that is cut, holds no OSV record, holds more malformed records than sound ones, or lost
 * more than CAM_FEED_MAX_SHRINK percent of the records that it had changes nothing and is
 * %CAM_ERROR_DATA_LOSS, %CAM_ERROR_INVALID_ARGUMENT or, for the last, which
 * %CAM_FEED_ACCEPT_SHRINK allows, %CAM_ERROR_FAILED_PRECONDITION.
 */
typedef enum {
	CAM_FEED_NONE = 0,
	CAM_FEED_ACCEPT_SHRINK = 1 << 0,
} CamFeedFlags;

#define CAM_FEED_MAX_SHRINK 10

typedef struct {
	guint64 added, changed, removed, unchanged, malformed;
} CamFeedResult;
gboolean cam_feed_import_osv(CamAdvisoryDb *db, const char *location, const char *name,
			     const char *git_dir, CamFeedFlags flags, CamProgress *progress,
			     CamFeedResult *result, GCancellable *cancellable, GError **error);
/* Refreshes every source that has a location, or one. */
gboolean cam_feed_update(CamAdvisoryDb *db, const char *name, const char *git_dir,
			 CamFeedFlags flags, CamProgress *progress, CamFeedResult *result,
			 GCancellable *cancellable, GError **error);
/* Forgets a source, of any kind, with all that it said, and its clone. NOT_FOUND. */
gboolean cam_feed_remove(CamAdvisoryDb *db, const char *name, const char *git_dir, GError **error);

G_END_DECLS
