/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/version.h"

G_BEGIN_DECLS

/*
 * The affected versions of one package as a text that is stored and read in place: lines of a
 * letter and a version.
 *
 *   r                  a range begins; its events follow, in the order of their versions
 *   i VERSION          introduced; "0" is before any version
 *   f VERSION          fixed
 *   l VERSION          last affected
 *   t VERSION          limit: nothing from here on is affected
 *   = VERSION          this very version is affected
 */

/**
 * CamVersionRanges: writes such a text.
 */
typedef struct _CamVersionRanges CamVersionRanges;

/* @compare: (nullable): the ecosystem's order; without it only single versions can match */
CamVersionRanges *cam_version_ranges_new(CamVersionCompare compare);
void cam_version_ranges_begin(CamVersionRanges *self);
/* @kind: 'i', 'f', 'l' or 't' */
void cam_version_ranges_add_event(CamVersionRanges *self, char kind, const char *version);
/* A version that the ranges cover already is left out; so ranges come first. */
void cam_version_ranges_add_version(CamVersionRanges *self, const char *version);
/* (transfer full); frees @self. */
char *cam_version_ranges_finish(CamVersionRanges *self);
void cam_version_ranges_free(CamVersionRanges *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamVersionRanges, cam_version_ranges_free)

/**
 * cam_version_ranges_match:
 * @fixed: (out) (nullable) (transfer full): the lowest version above @version that fixes the range
 *     that it is in; NULL where there is none
 *
 * Evaluates as the OSV schema says ("Evaluation").
 */
gboolean cam_version_ranges_match(const char *ranges, CamVersionCompare compare,
				  const char *version, char **fixed);

G_END_DECLS
