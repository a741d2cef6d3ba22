/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamReference:
 *
 * The name of an image: [host[:port]/]repository[:tag][@digest], by the grammar of distribution's
 * `reference` package. @host is NULL for a name without one; nothing is defaulted to Docker Hub
 * except by the registry transport, which documents it.
 */
typedef struct {
	char *host;	  /* (nullable): has a dot, a colon or is "localhost" */
	char *repository; /* path, lower case */
	char *tag;	  /* (nullable) */
	char *digest;	  /* (nullable) */
} CamReference;

/* The tag defaults to "latest" where neither tag nor digest is named. */
CamReference *cam_reference_parse(const char *text, GError **error);
CamReference *cam_reference_copy(const CamReference *self);
char *cam_reference_to_string(const CamReference *self);
/* A copy with another tag and without digest: `<tag><suffix>`; a reference with only a digest
 * gets the tag "latest<suffix>". %CAM_ERROR_INVALID_ARGUMENT beyond 128 characters. */
CamReference *
cam_reference_with_tag_suffix(const CamReference *self, const char *suffix, GError **error);
void cam_reference_free(CamReference *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamReference, cam_reference_free)

gboolean cam_tag_is_valid(const char *tag);

G_END_DECLS
