/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/host-view.h"

#include <string.h>

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
add_container(CamHostImage *image, const char *id, const char *status, gboolean outdated)
{
	CamHostContainer *container = g_new0(CamHostContainer, 1);

	container->id = g_strdup(id);
	container->status = g_strdup(status);
	container->snapshotter = g_strdup("cambium");
	container->ours = TRUE;
	container->outdated = outdated;
	g_ptr_array_add(image->containers, container);
}

static CamHostImage *
image_new(const char *name, const char *unpacked)
{
	CamHostImage *image = g_new0(CamHostImage, 1);

	image->name_space = g_strdup("k8s.io");
	image->name = g_strdup(name);
	image->digest = g_strdup(DIGEST);
	image->unpacked = g_strsplit(unpacked, ",", -1);
	image->containers =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_host_container_free);
	return image;
}

typedef struct {
	CamHostImage *images[3];
	GPtrArray *rows;
} Fixture;

static CamHostRow *
add_row(Fixture *f, guint i)
{
	CamHostRow *row = g_new0(CamHostRow, 1);

	row->image = f->images[i];
	g_ptr_array_add(f->rows, row);
	return row;
}

static void
set_up(Fixture *f, gconstpointer data)
{
	CamHostRow *row;

	f->rows = g_ptr_array_new_with_free_func((GDestroyNotify) cam_host_row_free);
	f->images[0] = image_new("shop:1.0", "overlayfs");
	add_container(f->images[0], "web", "running", FALSE);
	add_container(f->images[0], "old", "paused", TRUE);
	row = add_row(f, 0);
	row->scanned = TRUE;
	row->risk = CAM_SEVERITY_HIGH;
	row->counts[CAM_SEVERITY_HIGH] = 3;
	row->stored = g_strdup("shop:1.0");
	row->fix = g_strdup("shop:1.0_fix");
	f->images[1] = image_new("idle:1", "native,overlayfs");
	add_row(f, 1);
	f->images[2] = image_new("lost:1\033[2J", "");
	for (guint i = 0; i < 5; i++) {
		g_autofree char *id = g_strdup_printf("c%u", i);

		add_container(f->images[2], id, "running", FALSE);
	}
	row = add_row(f, 2);
	row->problem = g_strdup("its layer is gone");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_ptr_array_unref(f->rows);
	for (guint i = 0; i < G_N_ELEMENTS(f->images); i++)
		cam_host_image_free(f->images[i]);
}

static void
test_table(Fixture *f, gconstpointer data)
{
	CamTableStyle style = { 0 };
	g_autofree char *table = cam_host_to_table(f->rows, &style);
	g_auto(GStrv) lines = g_strsplit(table, "\n", -1);

	g_test_message("%s", table);
	g_assert_cmpuint(g_strv_length(lines), ==, 5);
	g_assert_nonnull(strstr(lines[1], "high"));
	g_assert_nonnull(strstr(lines[1], "web (running), old (paused, older image)"));
	g_assert_nonnull(strstr(lines[1], "cambium"));
	g_assert_nonnull(strstr(lines[1], "1.0_fix"));
	g_assert_nonnull(strstr(lines[2], "not scanned"));
	g_assert_nonnull(strstr(lines[2], "native, overlayfs"));
	g_assert_nonnull(strstr(lines[3], "cannot be scanned"));
	g_assert_nonnull(strstr(lines[3], "c2 (running) and 2 more"));
	g_assert_null(strchr(table, '\033'));

	style.verbose = TRUE;
	g_free(table);
	table = cam_host_to_table(f->rows, &style);
	g_assert_nonnull(strstr(table, "c4 (running)"));
}

static void
test_json(Fixture *f, gconstpointer data)
{
	g_autoptr(JsonObject) object = cam_host_to_json(f->rows, "/run/containerd/containerd.sock");
	JsonArray *images = json_object_get_array_member(object, "images");
	JsonObject *image = json_array_get_object_element(images, 0);
	JsonObject *container =
		json_array_get_object_element(json_object_get_array_member(image, "containers"), 1);

	g_assert_cmpstr(json_object_get_string_member(object, "schema"), ==, "cambium.host/v1");
	g_assert_cmpuint(json_array_get_length(images), ==, 3);
	g_assert_cmpstr(json_object_get_string_member(image, "risk_level"), ==, "high");
	g_assert_cmpstr(json_object_get_string_member(image, "location"), ==,
			"containerd://k8s.io/shop:1.0");
	g_assert_cmpint(
		json_object_get_int_member(json_object_get_object_member(image, "counts"), "high"),
		==, 3);
	g_assert_true(json_object_get_boolean_member(container, "outdated"));
	g_assert_true(json_object_get_boolean_member(container, "snapshotter_is_cambium"));
	image = json_array_get_object_element(images, 1);
	g_assert_true(json_object_get_null_member(image, "risk_level"));
	g_assert_true(json_object_get_null_member(image, "fix"));
	g_assert_false(json_object_has_member(image, "counts"));
	image = json_array_get_object_element(images, 2);
	g_assert_cmpstr(json_object_get_string_member(image, "problem"), ==, "its layer is gone");
}

static void
test_find_fix(void)
{
	static const struct {
		const char *name, *fix;
	} cases[] = {
		{ "shop:1.0", "shop:1.0_fix3" }, { "shop:1.0_fix", "shop:1.0_fix3" },
		{ "shop:1.0_fix3", NULL },	 { "other:1.0", NULL },
		{ "Not A Name", NULL },
	};
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	g_hash_table_add(names, (gpointer) "shop:1.0");
	g_hash_table_add(names, (gpointer) "shop:1.0_fix");
	g_hash_table_add(names, (gpointer) "shop:1.0_fix3");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *fix = cam_host_find_fix(cases[i].name, "_fix", names);

		g_assert_cmpstr(fix, ==, cases[i].fix);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/host-view/table", Fixture, NULL, set_up, test_table, tear_down);
	g_test_add("/host-view/json", Fixture, NULL, set_up, test_json, tear_down);
	g_test_add_func("/host-view/find-fix", test_find_fix);
	return g_test_run();
}
