/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/apt/apt-files.h"
#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

/**
 * CamCandidate: the newest version of a source package that the repositories have.
 */
typedef struct {
	char *name, *version;
	const CamAptSource *source; /* whose index has it; a security suite's where several have */
	char *security;		    /* (nullable): the newest version of a security suite */
	GPtrArray *binaries;	    /* (element-type CamAptFile) */
} CamCandidate;

/**
 * CamCandidates: what the repositories of one release have of the packages that are wanted.
 */
typedef struct {
	GHashTable *wanted;  /* (nullable): source package → lowest installed version */
	GHashTable *found;   /* source package → CamCandidate */
	GPtrArray *releases; /* (element-type CamAptRelease): those that were read */
	GPtrArray *failures; /* what could not be read, in the words of the .c file */
	GString *unread;     /* suites that could not be read, and why, for the source's note */
	char *incomplete; /* (nullable): a suite that is missing here and may have what is newest */
} CamCandidates;

/* @packages: (nullable) (element-type CamPackage): NULL: all of the security suites. Must outlive
 * the result, as must the sources. */
CamCandidates *cam_candidates_new(const GPtrArray *packages);
void cam_candidates_free(CamCandidates *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamCandidates, cam_candidates_free)

/**
 * cam_candidates_read:
 * @sources: (element-type CamAptSource)
 *
 * Reads the packages of all suites; without wanted packages only the security suites. A suite that
 * cannot be read is noted. Of several locations that images propose for a suite the first one that
 * answers counts. UNAVAILABLE if no suite can be read.
 */
gboolean cam_candidates_read(CamCandidates *self, CamAptRepository *repository,
			     const GPtrArray *sources, const char *architecture,
			     CamProgress *progress, GCancellable *cancellable, GError **error);

/* (transfer container) (element-type utf8): the names to be judged, sorted: all that are wanted,
 * else all that were found. */
GPtrArray *cam_candidates_list_names(const CamCandidates *self);

G_END_DECLS
