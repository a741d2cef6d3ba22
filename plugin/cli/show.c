/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images on standard output, as table and as JSON, from one model: CamImage. */
#include "plugin/cli/show.h"

#include <string.h>

#define SHORT_DIGEST (strlen("sha256:") + 12)

char *
cam_show_short_digest(const char *digest)
{
	return g_strndup(digest, SHORT_DIGEST);
}

char *
cam_show_time(gint64 seconds)
{
	g_autoptr(GDateTime) time = NULL;

	if (seconds <= 0)
		return g_strdup("-");
	time = g_date_time_new_from_unix_local(seconds);
	return time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M") : g_strdup("-");
}

void
cam_show_table(CamCli *cli, CamTable *table)
{
	CamTableStyle style = cam_cli_get_style(cli);
	g_autofree char *text = cam_table_format(table, &style);

	cam_cli_print(cli, text);
}

void
cam_show_pairs(CamCli *cli, const char *const pairs[][2], guint n_pairs)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gsize widest = 0;

	for (guint i = 0; i < n_pairs; i++)
		widest = MAX(widest, strlen(pairs[i][0]));
	for (guint i = 0; i < n_pairs; i++) {
		g_autofree char *value = NULL;

		if (pairs[i][1] == NULL)
			continue;
		value = cam_text_escape(pairs[i][1]);
		g_string_append_printf(text, "%-*s  %s\n", (int) widest, pairs[i][0], value);
	}
	cam_cli_print(cli, text->str);
}

static gint64
compressed_size(const CamImage *image)
{
	gint64 size = 0;

	for (guint i = 0; i < image->manifest->layers->len; i++) {
		const CamDescriptor *layer = g_ptr_array_index(image->manifest->layers, i);

		if (layer->size > 0 && size <= G_MAXINT64 - layer->size)
			size += layer->size;
	}
	return size;
}

static JsonArray *
layers_json(const CamImage *image)
{
	JsonArray *layers = json_array_new();

	for (guint i = 0; image->diff_ids[i] != NULL && i < image->manifest->layers->len; i++) {
		const CamDescriptor *descriptor = g_ptr_array_index(image->manifest->layers, i);
		const char *created_by = cam_image_config_layer_created_by(image->config, i);
		JsonObject *layer = json_object_new();

		json_object_set_string_member(layer, "diff_id", image->diff_ids[i]);
		json_object_set_string_member(layer, "digest", descriptor->digest);
		json_object_set_string_member(layer, "media_type", descriptor->media_type);
		json_object_set_int_member(layer, "size", descriptor->size);
		if (created_by != NULL)
			json_object_set_string_member(layer, "created_by", created_by);
		json_array_add_object_element(layers, layer);
	}
	return layers;
}

static void
set_optional(JsonObject *object, const char *member, const char *value)
{
	if (value != NULL)
		json_object_set_string_member(object, member, value);
}

JsonObject *
cam_show_image_json(const CamImage *image)
{
	g_autofree char *platform = cam_platform_to_string(image->config->platform);
	g_autoptr(GDateTime) time =
		g_date_time_new_from_unix_utc(image->imported_at / G_USEC_PER_SEC);
	g_autofree char *imported = time != NULL ? g_date_time_format_iso8601(time) : NULL;
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "schema", CAM_IMAGE_SCHEMA);
	json_object_set_string_member(object, "name", image->name);
	json_object_set_string_member(object, "digest", image->manifest->digest);
	json_object_set_string_member(object, "config_digest", image->config->digest);
	set_optional(object, "index_digest", image->index_digest);
	json_object_set_string_member(object, "chain_id", image->chain_id);
	json_object_set_string_member(object, "platform", platform);
	json_object_set_int_member(object, "size", compressed_size(image));
	set_optional(object, "imported_at", imported);
	set_optional(object, "source", image->source);
	set_optional(object, "base_name", image->base_name);
	json_object_set_array_member(object, "layers", layers_json(image));
	return object;
}

static void
show_layers(CamCli *cli, const CamImage *image)
{
	static const char *const headings[] = { "LAYER", "DIFF ID", "SIZE", "CREATED BY", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; image->diff_ids[i] != NULL && i < image->manifest->layers->len; i++) {
		const CamDescriptor *descriptor = g_ptr_array_index(image->manifest->layers, i);
		const char *created_by = cam_image_config_layer_created_by(image->config, i);
		g_autofree char *number = g_strdup_printf("%u", i + 1);
		g_autofree char *diff_id = cam_show_short_digest(image->diff_ids[i]);
		g_autofree char *size = g_format_size((guint64) MAX(descriptor->size, 0));
		const char *row[] = { number, diff_id, size, created_by != NULL ? created_by : "-",
				      NULL };

		cam_table_add_row(table, row);
	}
	cam_cli_print(cli, "\n");
	cam_show_table(cli, table);
}

gboolean
cam_show_image(CamCli *cli, const CamImage *image, GError **error)
{
	g_autofree char *platform = cam_platform_to_string(image->config->platform);
	g_autofree char *size = g_format_size((guint64) compressed_size(image));
	g_autofree char *imported = cam_show_time(image->imported_at / G_USEC_PER_SEC);
	const char *const pairs[][2] = {
		{ "Image", image->name },
		{ "Digest", image->manifest->digest },
		{ "Config", image->config->digest },
		{ "Index", image->index_digest },
		{ "Platform", platform },
		{ "Size", size },
		{ "Imported", imported },
		{ "Source", image->source },
		{ "Fix of", image->base_name },
	};

	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object = cam_show_image_json(image);

		cam_cli_print_json(cli, object);
		return TRUE;
	}
	if (cam_cli_get_options(cli)->quiet) {
		cam_cli_print_line(cli, image->name);
		return TRUE;
	}
	cam_show_pairs(cli, pairs, G_N_ELEMENTS(pairs));
	show_layers(cli, image);
	return TRUE;
}

void
cam_show_images(CamCli *cli, const GPtrArray *images)
{
	static const char *const headings[] = { "NAME", "DIGEST",   "PLATFORM", "LAYERS",
						"SIZE", "IMPORTED", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < images->len; i++) {
		const CamImage *image = g_ptr_array_index(images, i);
		g_autofree char *digest = cam_show_short_digest(image->manifest->digest);
		g_autofree char *platform = cam_platform_to_string(image->config->platform);
		g_autofree char *layers = g_strdup_printf("%u", image->manifest->layers->len);
		g_autofree char *size = g_format_size((guint64) compressed_size(image));
		g_autofree char *imported = cam_show_time(image->imported_at / G_USEC_PER_SEC);
		const char *row[] = { image->name, digest, platform, layers, size, imported, NULL };

		cam_table_add_row(table, row);
	}
	cam_show_table(cli, table);
}
