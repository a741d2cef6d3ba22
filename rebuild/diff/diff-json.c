/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison of two images as JSON: the published, versioned form that README.md of this folder
 * documents member by member.
 */
#include "rebuild/diff/image-diff.h"

#include <string.h>

static const char *const kind_names[] = {
	[CAM_CHANGE_ADDED] = "added",
	[CAM_CHANGE_REMOVED] = "removed",
	[CAM_CHANGE_MODIFIED] = "modified",
};

static const char *const type_names[] = {
	[CAM_NODE_REGULAR] = "file",	   [CAM_NODE_DIRECTORY] = "directory",
	[CAM_NODE_SYMLINK] = "symlink",	   [CAM_NODE_CHARACTER] = "character device",
	[CAM_NODE_BLOCK] = "block device", [CAM_NODE_FIFO] = "fifo",
};

static JsonObject *
image_to_json(const char *reference, const char *digest)
{
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "reference", reference);
	cam_json_set_text(object, "digest", digest);
	return object;
}

static JsonArray *
packages_to_json(const GPtrArray *packages)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < packages->len; i++) {
		const CamPackageChange *change = packages->pdata[i];
		JsonObject *object = json_object_new();

		cam_json_set_text(object, "name", change->name);
		cam_json_set_text(object, "architecture", change->architecture);
		cam_json_set_text(object, "source_package", change->source_name);
		cam_json_set_text(object, "before", change->before);
		cam_json_set_text(object, "after", change->after);
		json_array_add_object_element(array, object);
	}
	return array;
}

static JsonArray *
findings_to_json(const GPtrArray *findings)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < findings->len; i++)
		json_array_add_object_element(array,
					      cam_report_finding_to_json(findings->pdata[i], NULL));
	return array;
}

static void
set_stat(JsonObject *object, const char *member, const CamStat *st, gboolean is_there)
{
	g_autofree char *mode = g_strdup_printf("%04o", st->mode);
	JsonObject *node;

	if (!is_there) {
		json_object_set_null_member(object, member);
		return;
	}
	node = json_object_new();
	cam_json_set_text(node, "type", type_names[st->type]);
	cam_json_set_text(node, "mode", mode);
	json_object_set_int_member(node, "uid", st->uid);
	json_object_set_int_member(node, "gid", st->gid);
	if (st->type == CAM_NODE_REGULAR)
		json_object_set_int_member(node, "size", st->size);
	if (st->type == CAM_NODE_SYMLINK)
		cam_json_set_text(node, "link_target", st->link_target);
	json_object_set_object_member(object, member, node);
}

static JsonArray *
aspects_to_json(guint aspects)
{
	static const char *const names[] = { "type", "content", "mode", "owner", "xattrs" };
	JsonArray *array = json_array_new();

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if ((aspects & (1u << i)) != 0)
			json_array_add_string_element(array, names[i]);
	return array;
}

static JsonObject *
path_to_json(const CamPathChange *change)
{
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "path", change->path);
	if (!g_utf8_validate(change->path, -1, NULL)) {
		g_autofree char *base64 =
			g_base64_encode((const guchar *) change->path, strlen(change->path));

		json_object_set_string_member(object, "path_base64", base64);
	}
	cam_json_set_text(object, "change", kind_names[change->kind]);
	json_object_set_array_member(object, "aspects", aspects_to_json(change->aspects));
	set_stat(object, "before", &change->before, change->kind != CAM_CHANGE_ADDED);
	set_stat(object, "after", &change->after, change->kind != CAM_CHANGE_REMOVED);
	json_object_set_boolean_member(object, "explained", change->reason != NULL);
	cam_json_set_text(object, "package", change->package);
	cam_json_set_text(object, "reason", change->reason);
	cam_json_set_text(object, "note", change->note);
	return object;
}

JsonObject *
cam_image_diff_to_json(const CamImageDiff *self)
{
	JsonObject *object = json_object_new(), *findings = json_object_new();
	JsonObject *trees = json_object_new();
	JsonArray *paths = json_array_new();

	cam_json_set_text(object, "schema", CAM_DIFF_SCHEMA);
	json_object_set_object_member(object, "before",
				      image_to_json(self->before, self->before_digest));
	json_object_set_object_member(object, "after",
				      image_to_json(self->after, self->after_digest));
	json_object_set_array_member(object, "packages", packages_to_json(self->packages));
	json_object_set_array_member(findings, "closed", findings_to_json(self->closed));
	json_object_set_array_member(findings, "remaining", findings_to_json(self->remaining));
	json_object_set_array_member(findings, "introduced", findings_to_json(self->introduced));
	json_object_set_object_member(object, "vulnerabilities", findings);
	for (guint i = 0; i < self->paths->len; i++)
		json_array_add_object_element(paths, path_to_json(self->paths->pdata[i]));
	json_object_set_array_member(object, "paths", paths);
	json_object_set_int_member(object, "unexplained", self->unexplained);
	json_object_set_int_member(trees, "compared", self->trees_compared);
	json_object_set_int_member(trees, "skipped", self->trees_skipped);
	json_object_set_object_member(object, "trees", trees);
	return object;
}
