/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamPlatform:
 *
 * os/architecture[/variant] as in OCI image-spec, image-index.md. @variant may be NULL.
 */
typedef struct {
	char *os;
	char *architecture;
	char *variant;
} CamPlatform;

/* "linux/arm64/v8"; an architecture alone ("arm64") means linux. Names are normalised as
 * containerd does (x86_64 → amd64, aarch64 → arm64, arm64/v8 → arm64). */
CamPlatform *cam_platform_new(const char *os, const char *architecture, const char *variant);
CamPlatform *cam_platform_parse(const char *text, GError **error);
CamPlatform *cam_platform_host(void);
CamPlatform *cam_platform_copy(const CamPlatform *self);
char *cam_platform_to_string(const CamPlatform *self);
/* Whether an image for @offered runs on @wanted: same os and architecture, and the variant is
 * the same or not named by one of them. */
gboolean cam_platform_match(const CamPlatform *wanted, const CamPlatform *offered);
void cam_platform_free(CamPlatform *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamPlatform, cam_platform_free)

G_END_DECLS
