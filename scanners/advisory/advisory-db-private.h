/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writing side of the advisory database, for the feeds. */
#pragma once

#include "scanners/advisory/lookup.h"
#include "scanners/advisory/osv-record.h"

G_BEGIN_DECLS

/**
 * CamAdvisoryUpdate: the refreshing of one source, in one transaction.
 *
 * Every record of a feed has a key that is its own within the source: the path of its file, or its
 * id where there are no files.
 */
typedef struct _CamAdvisoryUpdate CamAdvisoryUpdate;

/* Takes over name, kind and url of @source; makes it if it is new. */
CamAdvisoryUpdate *
cam_advisory_update_begin(CamAdvisoryDb *db, const CamAdvisorySource *source, GError **error);

/* Whether the record of this key is there with this very digest; it then counts as seen. FALSE
 * without error: it must be read. */
gboolean cam_advisory_update_is_known(CamAdvisoryUpdate *self, const char *key,
				      const CamSha256 *digest, GError **error);
/* Adds or replaces. */
gboolean cam_advisory_update_put(CamAdvisoryUpdate *self, const char *key, const CamSha256 *digest,
				 const CamOsvRecord *record, GError **error);
gboolean cam_advisory_update_remove(CamAdvisoryUpdate *self, const char *key, GError **error);
/* Removes all that was neither known, put nor kept: for feeds that are read as a whole. */
gboolean cam_advisory_update_remove_unseen(CamAdvisoryUpdate *self, GError **error);
/* Counts a record as malformed. What is known of its key (nullable) stays: an old record says more
 * than none. */
gboolean cam_advisory_update_keep(CamAdvisoryUpdate *self, const char *key, GError **error);
/* The same for the records of one package alone: those whose keys are "PACKAGE/…". */
gboolean cam_advisory_update_remove_unseen_below(CamAdvisoryUpdate *self, const char *package,
						 GError **error);
/* Remembers what looking a package up has shown; replaces what was known of it. */
gboolean
cam_advisory_update_set_lookup(CamAdvisoryUpdate *self, const CamLookup *lookup, GError **error);
/* For feeds that know, without looking at each, that @n records are as they were. */
void cam_advisory_update_count_unchanged(CamAdvisoryUpdate *self, guint64 n);
const CamFeedResult *cam_advisory_update_get_result(CamAdvisoryUpdate *self);
/* Records that said something of a package before this update and do not any more. */
guint64 cam_advisory_update_count_lost(CamAdvisoryUpdate *self);
/* What the source has now, the update included. */
gboolean
cam_advisory_update_count_records(CamAdvisoryUpdate *self, guint64 *records, GError **error);
/* Nothing in what was read shows that it is all: see CamAdvisorySource. */
void cam_advisory_update_set_no_end(CamAdvisoryUpdate *self);

/**
 * cam_advisory_update_commit:
 * @version: commit or digest of the feed
 * @date: (nullable): 0: that of the newest record
 * @note: (nullable)
 */
gboolean cam_advisory_update_commit(CamAdvisoryUpdate *self, const char *version, gint64 date,
				    const char *note, CamFeedResult *result, GError **error);
/* Without a commit nothing has happened. */
void cam_advisory_update_free(CamAdvisoryUpdate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAdvisoryUpdate, cam_advisory_update_free)

/* With all its records. The caller knows that there is such a source. */
gboolean cam_advisory_db_remove_source(CamAdvisoryDb *db, const char *name, GError **error);

/* (nullable) (transfer full): the source of that name; NULL without error where there is none. */
CamAdvisorySource *
cam_advisory_db_find_source(CamAdvisoryDb *self, const char *name, GError **error);

/* For the files that share its tables. */
CamDatabase *cam_advisory_db_get_database(CamAdvisoryDb *self);

/* What cam_lookup_from_row() reads of a query in which "lookups" is called l. */
#define CAM_LOOKUP_COLUMNS                                                              \
	"l.ecosystem, l.package, l.outcome, l.release, l.candidate, l.suite, l.oldest," \
	" l.reason, l.looked_at, l.rules"
CamLookup *cam_lookup_from_row(CamStatement *row);

/* How many packages of its ecosystem the source of a row of "covered" names. */
#define CAM_PACKAGES_OF_COVERED                                                       \
	"SELECT count(DISTINCT f.package) FROM packages p"                            \
	" JOIN affected f ON f.package = p.id JOIN advisories a ON a.id = f.advisory" \
	" WHERE p.ecosystem = covered.ecosystem AND a.source = covered.source"        \
	" AND a.withdrawn = 0"

/* Lists of names as one column: joined by newlines. */
char *cam_advisory_join(char **list);
char **cam_advisory_split(const char *text);

G_END_DECLS
