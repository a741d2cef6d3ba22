/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What manifests and indexes have in common before they differ. Private to this folder. */
#pragma once

#include "snapshotter/oci/descriptor.h"

G_BEGIN_DECLS

typedef enum {
	CAM_DOCUMENT_MANIFEST,
	CAM_DOCUMENT_INDEX,
} CamDocumentKind;

/* The document, held against @kind; *@media_type is what it is, taken from the document itself,
 * else from @media_type_hint (nullable), else OCI's for @kind. */
JsonObject *cam_manifest_document_parse(GBytes *bytes, const char *media_type_hint,
					CamDocumentKind kind, char **media_type, GError **error);

/* The descriptors in array @member; absent and null are an empty list, for that is how some
 * tools write one. */
GPtrArray *cam_manifest_document_descriptors(JsonObject *json, const char *member, GError **error);

G_END_DECLS
