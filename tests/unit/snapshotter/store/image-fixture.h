/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images put together from documents, for tests of what stands on names. */
#include "temporary-store.h"

static inline char *
put_text(CamStore *store, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	char *digest = cam_store_put_blob(store, bytes, &error);

	g_assert_no_error(error);
	return digest;
}

/* Config and manifest of an image of one uncompressed layer, or of none; returns the manifest's
 * digest. */
static inline char *
put_documents(CamStore *store, const char *author, const char *diff_id)
{
	g_autofree char *ids = diff_id != NULL ? g_strdup_printf("\"%s\"", diff_id) : g_strdup("");
	g_autofree char *config =
		g_strdup_printf("{\"author\":\"%s\",\"architecture\":\"amd64\","
				"\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
				"\"diff_ids\":[%s]}}",
				author, ids);
	g_autofree char *config_digest = put_text(store, config);
	g_autofree char *layer =
		diff_id != NULL ? g_strdup_printf("{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER
						  "\",\"digest\":\"%s\",\"size\":1024}",
						  diff_id)
				: g_strdup("");
	g_autofree char *manifest =
		g_strdup_printf("{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST
				"\",\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG
				"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
				config_digest, strlen(config), layer);

	return put_text(store, manifest);
}

static inline void
put_image(CamStore *store, const char *name, const char *digest)
{
	g_autoptr(GError) error = NULL;

	cam_store_put_image(store, name, digest, NULL, "oci:/srv/layout:1.0", NULL, TRUE, &error);
	g_assert_no_error(error);
}
