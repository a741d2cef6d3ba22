/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI image-spec, image-layout.md: the marker and index.json. Names are those of the annotation
 * org.opencontainers.image.ref.name, as skopeo, umoci and podman use it, and the full references
 * that containerd and docker add.
 */
#include "snapshotter/transport/layout-index.h"

#include <string.h>

#include "snapshotter/oci/json.h"
#include "snapshotter/oci/reference.h"

#define CONTAINERD_NAME "io.containerd.image.name"
#define MAX_MARKER_SIZE 1024

gboolean
cam_layout_marker_check(GBytes *bytes, GError **error)
{
	static const CamJsonMember known[] = { { "imageLayoutVersion", CAM_JSON_STRING },
					       { NULL, CAM_JSON_ANY } };
	g_autoptr(JsonObject) json = cam_json_parse_document(bytes, MAX_MARKER_SIZE, error);
	const char *version = json != NULL ? cam_json_get_string(json, "imageLayoutVersion") : NULL;

	if (json == NULL || !cam_json_check_members(json, known, error))
		return cam_error_translate(error, CAM_LAYOUT_MARKER);
	if (version == NULL || !g_str_has_prefix(version, "1."))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "image layout version %s is not known: 1.0.0 is read",
				     version != NULL ? version : "(none)");
	return TRUE;
}

CamIndex *
cam_layout_index_new(void)
{
	static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX
				   "\",\"manifests\":[]}";
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, sizeof text - 1);

	return cam_index_parse(bytes, NULL, NULL);
}

const char *
cam_layout_entry_name(const CamDescriptor *entry)
{
	const char *full = cam_descriptor_get_annotation(entry, CONTAINERD_NAME);

	return full != NULL ? full : cam_descriptor_get_annotation(entry, CAM_ANNOTATION_REF_NAME);
}

/* "1.0" finds "1.0" and "example.org/a:1.0". */
static gboolean
goes_by(const CamDescriptor *entry, const char *name)
{
	const char *names[] = { cam_descriptor_get_annotation(entry, CAM_ANNOTATION_REF_NAME),
				cam_descriptor_get_annotation(entry, CONTAINERD_NAME) };
	g_autofree char *suffix = g_strconcat(":", name, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (names[i] != NULL &&
		    (g_str_equal(names[i], name) ||
		     (cam_tag_is_valid(name) && g_str_has_suffix(names[i], suffix))))
			return TRUE;
	}
	return FALSE;
}

static char *
list_names(const CamIndex *self)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < self->manifests->len; i++) {
		const CamDescriptor *entry = g_ptr_array_index(self->manifests, i);
		const char *name = cam_descriptor_get_annotation(entry, CAM_ANNOTATION_REF_NAME);

		if (name == NULL)
			name = cam_layout_entry_name(entry);
		if (name == NULL)
			name = entry->digest;
		if (g_hash_table_add(seen, (gpointer) name))
			g_ptr_array_add(names, (gpointer) name);
	}
	if (names->len == 0)
		return g_strdup("no image at all");
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **) names->pdata);
}

/* Several entries under one name are one image, if each says for which platform it is. */
static GBytes *
synthesise(GPtrArray *entries)
{
	g_autoptr(JsonObject) json = json_object_new();
	JsonArray *manifests = json_array_new();

	json_object_set_int_member(json, "schemaVersion", 2);
	json_object_set_string_member(json, "mediaType", CAM_MEDIA_TYPE_OCI_INDEX);
	json_object_set_array_member(json, "manifests", manifests);
	for (guint i = 0; i < entries->len; i++) {
		const CamDescriptor *entry = g_ptr_array_index(entries, i);

		if (entry->platform == NULL)
			return NULL;
		json_array_add_object_element(manifests, cam_json_object_copy(entry->json));
	}
	return cam_json_to_bytes(json);
}

const CamDescriptor *
cam_layout_index_find(const CamIndex *self, const char *name, GBytes **synthesised, GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	g_autofree char *names = NULL;
	gboolean one_name = TRUE;

	*synthesised = NULL;
	for (guint i = 0; i < self->manifests->len; i++) {
		const CamDescriptor *entry = g_ptr_array_index(self->manifests, i);

		if (name == NULL || goes_by(entry, name))
			g_ptr_array_add(found, (gpointer) entry);
	}
	for (guint i = 1; i < found->len; i++) {
		if (g_strcmp0(cam_layout_entry_name(g_ptr_array_index(found, i)),
			      cam_layout_entry_name(g_ptr_array_index(found, 0))) != 0)
			one_name = FALSE;
	}
	if (found->len == 1)
		return g_ptr_array_index(found, 0);
	if (found->len > 1 && one_name)
		*synthesised = synthesise(found);
	if (*synthesised != NULL)
		return NULL;
	names = list_names(self);
	if (found->len == 0)
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "there is no image \"%s\"; there is: %s",
			      name != NULL ? name : "", names);
	else
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "it holds several images: name one behind a colon. There are: %s",
			      names);
	return NULL;
}

GBytes *
cam_layout_index_with_entry(const CamIndex *self, const CamDescriptor *descriptor, const char *name)
{
	g_autoptr(JsonObject) json = cam_json_object_copy(self->json);
	g_autoptr(CamDescriptor) named = cam_descriptor_copy(descriptor);
	JsonArray *manifests = json_array_new();

	for (guint i = 0; i < self->manifests->len; i++) {
		const CamDescriptor *entry = g_ptr_array_index(self->manifests, i);
		const char *entry_name =
			cam_descriptor_get_annotation(entry, CAM_ANNOTATION_REF_NAME);

		/* An entry without a name is there to be found by digest: one is enough. */
		if (name != NULL ? g_strcmp0(entry_name, name) == 0
				 : g_str_equal(entry->digest, descriptor->digest))
			continue;
		json_array_add_object_element(manifests, cam_json_object_copy(entry->json));
	}
	if (name != NULL)
		cam_descriptor_set_annotation(named, CAM_ANNOTATION_REF_NAME, name);
	json_array_add_object_element(manifests, json_object_ref(named->json));
	json_object_set_array_member(json, "manifests", manifests);
	return cam_json_to_bytes(json);
}
