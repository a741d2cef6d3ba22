/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1). */
typedef struct {
	char *scheme;	    /* in lower case */
	GHashTable *params; /* names in lower case; without quotes */
} CamChallenge;

/* (element-type CamChallenge): as many as can be understood; never NULL. */
GPtrArray *cam_challenges_parse(const char *header);
/* (nullable): the first of @scheme */
const CamChallenge *cam_challenges_find(GPtrArray *challenges, const char *scheme);
/* (nullable) */
const char *cam_challenge_get_param(const CamChallenge *self, const char *name);

G_END_DECLS
