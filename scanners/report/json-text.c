/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text members of the JSON documents that Cambium publishes.
 */
#include "scanners/report/json-text.h"

void
cam_json_set_text(JsonObject *object, const char *member, const char *text)
{
	if (text == NULL) {
		json_object_set_null_member(object, member);
	} else {
		g_autofree char *valid = g_utf8_make_valid(text, -1);

		json_object_set_string_member(object, member, valid);
	}
}

void
cam_json_set_texts(JsonObject *object, const char *member, char **texts)
{
	JsonArray *array = json_array_new();

	for (; texts != NULL && *texts != NULL; texts++) {
		g_autofree char *valid = g_utf8_make_valid(*texts, -1);

		json_array_add_string_element(array, valid);
	}
	json_object_set_array_member(object, member, array);
}
