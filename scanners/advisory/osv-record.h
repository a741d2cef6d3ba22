/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"
#include "scanners/advisory/ecosystem.h"
#include "scanners/advisory/version-ranges.h"

G_BEGIN_DECLS

typedef struct {
	CamSeverity severity;
	double score; /* or -1 */
	char *vector; /* (nullable) */
} CamOsvSeverity;

/**
 * CamOsvAffected: one package that a record names.
 */
typedef struct {
	char *ecosystem; /* as cam_ecosystem_normalise() writes it */
	char *package;
	char *ranges;		 /* what cam_version_ranges_match() reads */
	CamOsvSeverity severity; /* its own, or the record's */
} CamOsvAffected;

/**
 * CamOsvRecord: what Cambium keeps of an OSV record (ossf.github.io/osv-schema, 1.6).
 */
typedef struct {
	char *id;
	char **identities; /* the CVEs that it stands for; its id where there is none */
	char **aliases;	   /* other names: of aliases and upstream all that is no CVE, and its id */
	char *summary;	   /* (nullable): one line */
	char *suite;	   /* (nullable): of a changelog: which suite has the fix, where no suite of
			    * security does */
	char **references;
	gint64 published, modified, withdrawn; /* seconds since 1970, 0: says nothing */
	GPtrArray *affected;		       /* (element-type CamOsvAffected) */
} CamOsvRecord;

/* INVALID_ARGUMENT names what is wrong. */
CamOsvRecord *cam_osv_record_parse(const char *data, gsize size, GError **error);
void cam_osv_record_free(CamOsvRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamOsvRecord, cam_osv_record_free)

CamOsvAffected *
cam_osv_affected_new(const char *ecosystem, const char *package, const char *ranges);
void cam_osv_affected_free(CamOsvAffected *self);

G_END_DECLS
