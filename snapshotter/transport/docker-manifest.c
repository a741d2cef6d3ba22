/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `docker save` writes about the images in an archive (moby's image/spec, v1.2 and later).
 */
#include "snapshotter/transport/docker-manifest.h"

#include <string.h>

#include "snapshotter/oci/json.h"
#include "snapshotter/oci/reference.h"

#define MAX_SIZE (4 * 1024 * 1024)

CamDockerImage *
cam_docker_image_new(void)
{
	CamDockerImage *self = g_new0(CamDockerImage, 1);

	self->tags = g_ptr_array_new_with_free_func(g_free);
	self->layers = g_ptr_array_new_with_free_func(g_free);
	return self;
}

void
cam_docker_image_free(CamDockerImage *self)
{
	if (self == NULL)
		return;
	g_free(self->config);
	g_ptr_array_unref(self->tags);
	g_ptr_array_unref(self->layers);
	g_free(self);
}

/* null is how Go writes an empty list. */
static gboolean
read_strings(JsonObject *object, const char *member, GPtrArray *strings, GError **error)
{
	JsonNode *node = json_object_get_member(object, member);
	JsonArray *array = cam_json_get_array(object, member);

	if (node == NULL || JSON_NODE_HOLDS_NULL(node))
		return TRUE;
	for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(element) ||
		    json_node_get_value_type(element) != G_TYPE_STRING) {
			array = NULL;
			break;
		}
		g_ptr_array_add(strings, g_strdup(json_node_get_string(element)));
	}
	return array != NULL || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					      "manifest.json: %s is no list of strings", member);
}

static CamDockerImage *
read_image(JsonNode *node, GError **error)
{
	g_autoptr(CamDockerImage) image = cam_docker_image_new();
	static const CamJsonMember known[] = {
		{ "Config", CAM_JSON_STRING },	  { "RepoTags", CAM_JSON_STRINGS },
		{ "Layers", CAM_JSON_STRINGS },	  { "Parent", CAM_JSON_STRING },
		{ "LayerSources", CAM_JSON_ANY }, { NULL, CAM_JSON_ANY },
	};
	JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

	if (object != NULL && !cam_json_check_members(object, known, error)) {
		cam_error_translate(error, "manifest.json");
		return NULL;
	}
	image->config = g_strdup(cam_json_get_string(object, "Config"));
	if (image->config == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "manifest.json: an image without Config");
		return NULL;
	}
	if (!read_strings(object, "RepoTags", image->tags, error) ||
	    !read_strings(object, "Layers", image->layers, error))
		return NULL;
	return g_steal_pointer(&image);
}

/* The strict parser reads objects: the list is put into one. */
static JsonObject *
parse_wrapped(GBytes *bytes, GError **error)
{
	g_autoptr(GByteArray) wrapped = g_byte_array_new();
	g_autoptr(GBytes) text = NULL;
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	if (size > MAX_SIZE) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "manifest.json has more than %d bytes", MAX_SIZE);
		return NULL;
	}
	g_byte_array_append(wrapped, (const guint8 *) "{\"images\":", 10);
	g_byte_array_append(wrapped, data, (guint) size);
	g_byte_array_append(wrapped, (const guint8 *) "}", 1);
	text = g_byte_array_free_to_bytes(g_steal_pointer(&wrapped));
	return cam_json_parse_document(text, MAX_SIZE + 11, error);
}

GPtrArray *
cam_docker_manifest_parse(GBytes *bytes, GError **error)
{
	g_autoptr(JsonObject) json = parse_wrapped(bytes, error);
	g_autoptr(GPtrArray) images =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_docker_image_free);
	JsonArray *array;

	if (json == NULL) {
		cam_error_translate(error, "manifest.json");
		return NULL;
	}
	array = cam_json_get_array(json, "images");
	if (array == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "manifest.json is not a list");
		return NULL;
	}
	for (guint i = 0; i < json_array_get_length(array); i++) {
		CamDockerImage *image = read_image(json_array_get_element(array, i), error);

		if (image == NULL)
			return NULL;
		g_ptr_array_add(images, image);
	}
	return g_steal_pointer(&images);
}

/* "1.0", "shop:1.0" and "example.org/shop:1.0" all find the last. */
static gboolean
goes_by(const CamDockerImage *image, const char *name)
{
	g_autofree char *as_tag = g_strconcat(":", name, NULL);
	g_autofree char *as_end = g_strconcat("/", name, NULL);

	for (guint i = 0; i < image->tags->len; i++) {
		const char *tag = g_ptr_array_index(image->tags, i);

		if (g_str_equal(tag, name) || g_str_has_suffix(tag, as_end) ||
		    (cam_tag_is_valid(name) && g_str_has_suffix(tag, as_tag)))
			return TRUE;
	}
	return FALSE;
}

static char *
list_names(GPtrArray *images)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < images->len; i++) {
		const CamDockerImage *image = g_ptr_array_index(images, i);

		for (guint j = 0; j < image->tags->len; j++)
			g_ptr_array_add(names, g_ptr_array_index(image->tags, j));
	}
	if (names->len == 0)
		return g_strdup_printf("%u without a name", images->len);
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **) names->pdata);
}

const CamDockerImage *
cam_docker_manifest_find(GPtrArray *images, const char *name, GError **error)
{
	g_autofree char *names = NULL;
	const CamDockerImage *found = NULL;
	guint n = 0;

	for (guint i = 0; i < images->len; i++) {
		const CamDockerImage *image = g_ptr_array_index(images, i);

		if (name != NULL && !goes_by(image, name))
			continue;
		found = image;
		n++;
	}
	if (n == 1)
		return found;
	names = list_names(images);
	if (n == 0)
		cam_set_error(error, CAM_ERROR_NOT_FOUND,
			      "there is no image \"%s\" in the archive; there are: %s",
			      name != NULL ? name : "", names);
	else
		cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"the archive holds several images: name one behind a colon. There are: "
			"%s",
			names);
	return NULL;
}

/* ---- writing ---- */

static JsonArray *
write_strings(GPtrArray *strings)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < strings->len; i++)
		json_array_add_string_element(array, g_ptr_array_index(strings, i));
	return array;
}

GBytes *
cam_docker_manifest_write(GPtrArray *images)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
	JsonArray *array = json_array_new();
	gsize length = 0;
	char *text;

	json_node_take_array(root, array);
	for (guint i = 0; i < images->len; i++) {
		const CamDockerImage *image = g_ptr_array_index(images, i);
		JsonObject *object = json_object_new();

		json_object_set_string_member(object, "Config", image->config);
		json_object_set_array_member(object, "RepoTags", write_strings(image->tags));
		json_object_set_array_member(object, "Layers", write_strings(image->layers));
		json_array_add_object_element(array, object);
	}
	json_generator_set_root(generator, root);
	text = json_generator_to_data(generator, &length);
	return g_bytes_new_take(text, length);
}

/* {"repository":{"tag":"id of the top layer"}} */
GBytes *
cam_docker_manifest_write_repositories(GPtrArray *images)
{
	g_autoptr(JsonObject) json = json_object_new();

	for (guint i = 0; i < images->len; i++) {
		const CamDockerImage *image = g_ptr_array_index(images, i);
		g_autofree char *top =
			image->layers->len > 0
				? g_strdup(g_ptr_array_index(image->layers, image->layers->len - 1))
				: g_strdup("");

		if (g_str_has_suffix(top, ".tar"))
			top[strlen(top) - 4] = '\0';
		for (guint j = 0; j < image->tags->len; j++) {
			const char *tag = g_ptr_array_index(image->tags, j);
			const char *colon = strrchr(tag, ':');
			g_autofree char *repository = NULL;

			if (colon == NULL)
				continue;
			repository = g_strndup(tag, (gsize) (colon - tag));
			if (!json_object_has_member(json, repository))
				json_object_set_object_member(json, repository, json_object_new());
			json_object_set_string_member(
				json_object_get_object_member(json, repository), colon + 1, top);
		}
	}
	return cam_json_to_bytes(json);
}
