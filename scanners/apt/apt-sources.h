/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamAptSource: one "deb" line: one URI, one suite.
 */
typedef struct {
	char *uri;		     /* without trailing slash */
	char *suite;		     /* "bookworm-security"; a flat repository ends in "/" */
	char **components;	     /* empty for a flat one */
	char *signed_by;	     /* (nullable): key file, path or fingerprint as given */
	GBytes *key;		     /* (nullable): inline or image-provided keyring */
	gboolean trusted;	     /* [trusted=yes] */
	gboolean ignore_valid_until; /* [check-valid-until=no] */
	char *origin; /* where this was read: "host /etc/apt/sources.list.d/debian.sources:1" */
} CamAptSource;

CamAptSource *cam_apt_source_new(const char *uri, const char *suite, const char *const *components);
CamAptSource *cam_apt_source_copy(const CamAptSource *other);
void cam_apt_source_free(CamAptSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAptSource, cam_apt_source_free)

/* One "deb [options] URI SUITE COMPONENT…" line of sources.list(5). */
CamAptSource *cam_apt_source_parse(const char *line, GError **error);

/* All enabled binary sources below etc/apt of the machine (or of @sysroot). (element-type
 * CamAptSource) */
GPtrArray *cam_apt_sources_read_host(const char *sysroot, GError **error);
/* The same of an image. */
GPtrArray *cam_apt_sources_read_rootfs(CamRootfs *rootfs, GError **error);

/**
 * cam_apt_sources_for_release:
 * @distribution: os-release ID, "debian"
 * @codename: "bookworm"
 * @host: sources of the machine
 * @image: (nullable): sources of the image
 *
 * Where packages for an image of this release are looked for: the image's own sources, and the
 * machine's sources of the same distribution with the codename exchanged, the security suite
 * included (named as the release does: "bullseye-security", before that "buster/updates").
 * The machine's come first, as it reaches them; of an image's source only the components that no
 * mirror of the same archive serves already are kept. Sources of third parties on the machine are
 * not used, nor are backports and proposed updates.
 */
GPtrArray *cam_apt_sources_for_release(const char *distribution, const char *codename,
				       const GPtrArray *host, const GPtrArray *image);

/* Whether the source is a security suite. */
gboolean cam_apt_source_is_security(const CamAptSource *self);

G_END_DECLS
