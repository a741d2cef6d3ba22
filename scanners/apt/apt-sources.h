/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* Who named a source, and so what of it counts. */
typedef enum {
	CAM_APT_NAMED,	  /* the user, by an option or in the configuration: all of it */
	CAM_APT_HOST,	  /* apt's configuration of the machine: all of it */
	CAM_APT_PROPOSED, /* an image: the location alone, the machine's keys verify it */
	CAM_APT_IMAGE,	  /* an image that the user believes: its keys and trusted=yes, too */
} CamAptProvenance;
/* "named", "host", "proposed", "image" */
const char *cam_apt_provenance_name(CamAptProvenance provenance);

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
	gboolean pinned;	     /* [pinned=yes]: older metadata than seen before are welcome */
	char *origin; /* where this was read: "host /etc/apt/sources.list.d/debian.sources:1" */
	CamAptProvenance provenance;
	char **keyrings;     /* (nullable): keyrings of the machine that are asked as well; of a
			      * proposed source no other ones are */
	char *archive;	     /* (nullable): what its Release must name as its origin, "Debian" */
	gboolean guarded;    /* is connected to at public addresses alone */
	gboolean image_only; /* serves the image that names it, not advisories of its release */
} CamAptSource;

CamAptSource *cam_apt_source_new(const char *uri, const char *suite, const char *const *components);
CamAptSource *cam_apt_source_copy(const CamAptSource *other);
void cam_apt_source_free(CamAptSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAptSource, cam_apt_source_free)

/* One "deb [options] URI SUITE COMPONENT…" line of sources.list(5). */
CamAptSource *cam_apt_source_parse(const char *line, GError **error);

/* All enabled binary sources below etc/apt of the machine (or of @sysroot). What is malformed is
 * an error that names file and line. (element-type CamAptSource) */
GPtrArray *cam_apt_sources_read_host(const char *sysroot, GError **error);

/**
 * cam_apt_sources_read_rootfs:
 * @with_keys: whether the keys that the image has for them are read, too
 * @problems: (element-type utf8): gets a sentence for each line, paragraph or file that is passed
 *     over because it is malformed, too large or no regular file
 *
 * The same of an image, which nothing in it can make fail.
 */
GPtrArray *cam_apt_sources_read_rootfs(CamRootfs *rootfs, gboolean with_keys, GPtrArray *problems,
				       GError **error);

/* How far an image is believed in where its packages come from. */
typedef enum {
	CAM_APT_IMAGE_VERIFIED, /* it proposes locations, which the machine's keys must verify */
	CAM_APT_IMAGE_IGNORED,	/* not at all */
	CAM_APT_IMAGE_BELIEVED, /* its keys and trusted=yes count, for this image alone */
} CamAptImageTrust;

/* What the machine brings to the choice of sources. */
typedef struct {
	const GPtrArray *host;	     /* (element-type CamAptSource): its own sources */
	const GPtrArray *named;	     /* (nullable) (element-type CamAptSource): further ones, whose
				      * hosts may lie at any address */
	const char *const *keyrings; /* those of the distribution, see cam_apt_keyrings_list() */
	CamAptImageTrust image;
} CamAptTrust;

/**
 * cam_apt_sources_for_release:
 * @distribution: os-release ID, "debian"
 * @codename: "bookworm"
 * @image: (nullable): sources of the image
 *
 * Where packages for an image of this release are looked for: the machine's sources of the same
 * distribution with the codename exchanged, the security suite included (named as the release
 * does: "bullseye-security", before that "buster/updates"); then, for suites and components of the
 * release that these do not serve, the http and https locations that the image names. An image
 * proposes a location, never trust: see %CAM_APT_PROPOSED. Sources of third parties on the machine
 * are not used, nor are backports and proposed updates of either; what an image has of them counts
 * only where it is believed.
 */
GPtrArray *cam_apt_sources_for_release(const char *distribution, const char *codename,
				       const CamAptTrust *trust, const GPtrArray *image);

/**
 * cam_apt_sources_add_alternatives:
 * @list: (element-type CamAptSource): what was found for one image of a release
 * @more: (element-type CamAptSource): what was found for another one
 *
 * Where @list has proposals alone, adds what else @more proposes: other suites, and other locations
 * of the same ones, for the case that a location does not answer. The machine's sources serve every
 * image alike, and need no alternative. The number of servers is limited.
 *
 * Returns: whether @list may get more yet
 */
gboolean cam_apt_sources_add_alternatives(GPtrArray *list, const GPtrArray *more);

/* Whether the source is a security suite. */
gboolean cam_apt_source_is_security(const CamAptSource *self);

G_END_DECLS
