/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The documents of a fixed image: config, manifest and index, each made from the original's JSON
 * so that members which Cambium does not know survive. Pure: no store, no clock.
 */
#include "rebuild/publish/fixed-documents.h"

#define ANNOTATION_CREATED	    "org.opencontainers.image.created"
#define ANNOTATION_REFERENCE_TYPE   "vnd.docker.reference.type"
#define ANNOTATION_REFERENCE_DIGEST "vnd.docker.reference.digest"
#define REFERENCE_TYPE_ATTESTATION  "attestation-manifest"

static char *
format_time(gint64 epoch)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(epoch);

	return g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

static gboolean
is_docker(const CamManifest *manifest)
{
	return g_str_equal(manifest->media_type, CAM_MEDIA_TYPE_DOCKER_MANIFEST);
}

/* ---- config ---- */

/* Without history nobody can say which entry made which layer; one entry for the last of several
 * layers would be taken for the first's. */
static gboolean
history_fits(const CamImageConfig *config)
{
	guint layers = 0;

	for (guint i = 0; i < config->history->len; i++) {
		const CamHistory *entry = config->history->pdata[i];

		layers += !entry->empty_layer;
	}
	return layers == config->diff_ids->len;
}

static void
append_history(JsonObject *config, const char *created, const char *created_by)
{
	JsonObject *entry = json_object_new();
	JsonArray *history = cam_json_get_array(config, "history");

	json_object_set_string_member(entry, "created", created);
	json_object_set_string_member(entry, "created_by", created_by);
	json_object_set_string_member(entry, "comment", "cambium");
	if (history == NULL) {
		history = json_array_new();
		json_object_set_array_member(config, "history", history);
	}
	json_array_add_object_element(history, entry);
}

GBytes *
cam_fixed_config(const CamImageConfig *original, const CamFixedLayer *layer, GError **error)
{
	g_autoptr(JsonObject) config = cam_json_object_copy(original->json);
	g_autofree char *created = format_time(layer->epoch);
	JsonObject *rootfs = cam_json_get_object(config, "rootfs");
	JsonArray *diff_ids = rootfs != NULL ? cam_json_get_array(rootfs, "diff_ids") : NULL;

	if (diff_ids == NULL) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			      "config %s names no layers, so none can be added", original->digest);
		return NULL;
	}
	json_array_add_string_element(diff_ids, layer->diff_id);
	if (history_fits(original))
		append_history(config, created, layer->created_by);
	json_object_set_string_member(config, "created", created);
	return cam_json_to_bytes(config);
}

/* ---- manifest ---- */

static void
set_descriptor(JsonObject *descriptor, const char *digest, gsize size)
{
	json_object_set_string_member(descriptor, "digest", digest);
	json_object_set_int_member(descriptor, "size", (gint64) size);
}

static void
annotate(JsonObject *manifest, const char *base_name, const char *base_digest, gint64 epoch)
{
	JsonObject *annotations = cam_json_get_object(manifest, "annotations");

	if (annotations == NULL) {
		annotations = json_object_new();
		json_object_set_object_member(manifest, "annotations", annotations);
	}
	json_object_set_string_member(annotations, CAM_ANNOTATION_BASE_NAME, base_name);
	json_object_set_string_member(annotations, CAM_ANNOTATION_BASE_DIGEST, base_digest);
	if (json_object_has_member(annotations, ANNOTATION_CREATED)) {
		g_autofree char *created = format_time(epoch);

		json_object_set_string_member(annotations, ANNOTATION_CREATED, created);
	}
}

GBytes *
cam_fixed_manifest(const CamManifest *original, GBytes *config, const CamFixedLayer *layer,
		   const char *base_name, GError **error)
{
	g_autoptr(JsonObject) manifest = cam_json_object_copy(original->json);
	g_autofree char *config_digest = cam_digest_for_bytes(config);
	JsonObject *config_descriptor = cam_json_get_object(manifest, "config");
	JsonArray *layers = cam_json_get_array(manifest, "layers");

	if (config_descriptor == NULL || layers == NULL) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			      "manifest %s has no config or no layers", original->digest);
		return NULL;
	}
	set_descriptor(config_descriptor, config_digest, g_bytes_get_size(config));
	/* It would hold the old config. */
	json_object_remove_member(config_descriptor, "data");
	json_array_add_object_element(layers, json_object_ref(layer->blob->json));
	if (!is_docker(original))
		annotate(manifest, base_name, original->digest, layer->epoch);
	return cam_json_to_bytes(manifest);
}

/* ---- index ---- */

static gboolean
is_attestation_of(const CamDescriptor *descriptor, const char *digest)
{
	const char *type = cam_descriptor_get_annotation(descriptor, ANNOTATION_REFERENCE_TYPE);
	const char *subject =
		cam_descriptor_get_annotation(descriptor, ANNOTATION_REFERENCE_DIGEST);

	return g_strcmp0(type, REFERENCE_TYPE_ATTESTATION) == 0 && g_strcmp0(subject, digest) == 0;
}

GBytes *
cam_fixed_index(const CamIndex *original, const char *replaced, GBytes *manifest, GError **error)
{
	g_autoptr(JsonObject) index = cam_json_object_copy(original->json);
	g_autofree char *digest = cam_digest_for_bytes(manifest);
	JsonArray *manifests = json_array_new();
	gboolean found = FALSE;

	for (guint i = 0; i < original->manifests->len; i++) {
		const CamDescriptor *child = original->manifests->pdata[i];
		JsonObject *json;

		if (is_attestation_of(child, replaced))
			continue;
		json = cam_json_object_copy(child->json);
		if (g_str_equal(child->digest, replaced)) {
			found = TRUE;
			set_descriptor(json, digest, g_bytes_get_size(manifest));
			json_object_remove_member(json, "data");
		}
		json_array_add_object_element(manifests, json);
	}
	json_object_set_array_member(index, "manifests", manifests);
	if (!found) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "index %s does not list %s",
			      original->digest, replaced);
		return NULL;
	}
	return cam_json_to_bytes(index);
}
