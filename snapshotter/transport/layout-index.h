/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index.json of an OCI layout: which manifests there are and what they are called. Knows nothing
 * of files: layouts and OCI archives both use it. */
#pragma once

#include "snapshotter/oci/index.h"

G_BEGIN_DECLS

#define CAM_LAYOUT_MARKER	"oci-layout"
#define CAM_LAYOUT_MARKER_TEXT	"{\"imageLayoutVersion\":\"1.0.0\"}"
#define CAM_LAYOUT_INDEX	"index.json"
#define CAM_ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"

/* INVALID_ARGUMENT unless @bytes (nullable) are an oci-layout file of a version that we read. */
gboolean cam_layout_marker_check(GBytes *bytes, GError **error);

/* An index without entries. */
CamIndex *cam_layout_index_new(void);

/**
 * cam_layout_index_find:
 * @name: (nullable): tag or reference; without it the only image that there is
 * @synthesised: (out): where several entries are one image for several platforms, an index over
 *     them, else NULL
 *
 * Returns: (nullable) (transfer none): the entry. NULL with *@synthesised set, or with NOT_FOUND
 *     or, where a name is needed, INVALID_ARGUMENT; both list the names that there are.
 */
const CamDescriptor *
cam_layout_index_find(const CamIndex *self, const char *name, GBytes **synthesised, GError **error);

/* index.json with an entry for @descriptor under @name (nullable), which is taken from whoever
 * had it. All else stays as it is. */
GBytes *cam_layout_index_with_entry(const CamIndex *self, const CamDescriptor *descriptor,
				    const char *name);

/* (nullable): the name that an entry goes by: containerd's and docker's full one, else the
 * ref.name. */
const char *cam_layout_entry_name(const CamDescriptor *entry);

G_END_DECLS
