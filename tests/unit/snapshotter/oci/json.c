/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/oci/json.h"

#include <string.h>

static JsonObject *
parse(const char *text, gssize size, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size < 0 ? strlen(text) : (gsize) size);

	return cam_json_parse_object(bytes, 4096, error);
}

static void
test_accepts(void)
{
	static const char *const good[] = {
		"{}",
		" { } \n",
		"{\"a\":[1,-2,3.5e+7,0,true,false,null,\"\\u00e9\\ud83d\\ude00\\n\"],\"b\":{\"c\":["
		"]}}",
		"{\"\":[[],[[]],{}]}",
		"{\"a\":[9223372036854775807,-9223372036854775808,1234567890123456789012e2]}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonObject) object = parse(good[i], -1, &error);

		g_assert_no_error(error);
		g_assert_nonnull(object);
	}
}

static void
test_refuses(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"1",
		"\"a\"",
		"null",
		"{",
		"}",
		"{}}",
		"{} {}",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":[1,]}",
		"{\"a\":[1}",
		"{\"a\":01}",
		"{\"a\":9223372036854775808}",
		"{\"a\":-9223372036854775809}",
		"{\"a\":123456789012345678901234567890}",
		"{\"a\":+1}",
		"{\"a\":.5}",
		"{\"a\":1.}",
		"{\"a\":1e}",
		"{\"a\":NaN}",
		"{\"a\":True}",
		"{'a':1}",
		"{a:1}",
		"{\"a\":1} // comment",
		"/* c */ {\"a\":1}",
		"var x = {\"a\":1}",
		"{\"a\":\"\\x41\"}",
		"{\"a\":\"\\u00\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"tab\t\"}",
		"{\"a\":\"\xff\"}",
		"\xef\xbb\xbf{}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(bad[i], -1, &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
	g_assert_null(parse("{\"a\":\0 1}", 9, NULL));
}

static void
test_limits(void)
{
	g_autoptr(GString) deep = g_string_new("{\"a\":");
	g_autofree char *big = g_strnfill(5000, ' ');
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) object = NULL;

	for (int i = 0; i < 63; i++)
		g_string_append_c(deep, '[');
	for (int i = 0; i < 63; i++)
		g_string_append_c(deep, ']');
	g_string_append_c(deep, '}');
	object = parse(deep->str, -1, &error);
	g_assert_no_error(error);

	g_string_insert_c(deep, 5, '[');
	g_string_insert_c(deep, 6, ']');
	g_string_insert_c(deep, 6, '[');
	g_assert_null(parse(deep->str, -1, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(parse(big, -1, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_RESOURCE_EXHAUSTED);
}

/* Whatever a document is cut to, the parser says no and touches nothing behind the end. */
static void
test_truncated(void)
{
	const char *text = "{\"a\":[1,-2.5e-3,\"x\\u00e9\\ud83d\\ude00\",{\"b\":null}],\"c\":true}";

	for (gsize n = 0; n < strlen(text); n++) {
		g_autofree char *cut = g_memdup2(text, n);
		g_autoptr(GBytes) bytes = g_bytes_new_static(cut, n);

		g_assert_null(cam_json_parse_object(bytes, 4096, NULL));
	}
}

static void
test_copy_and_write(void)
{
	const char *text =
		"{\"z\":1,\"a\":{\"list\":[1,\"x\",{\"k\":null}]},\"n\":1.5,\"e\":\"\\\"\"}";
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) object = parse(text, -1, &error);
	g_autoptr(JsonObject) copy = cam_json_object_copy(object);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GBytes) original = cam_json_to_bytes(object);

	g_assert_no_error(error);
	json_object_set_string_member(cam_json_get_object(copy, "a"), "new", "y");
	json_array_add_int_element(cam_json_get_array(cam_json_get_object(copy, "a"), "list"), 7);
	bytes = cam_json_to_bytes(copy);
	g_assert_cmpmem(g_bytes_get_data(original, NULL), g_bytes_get_size(original), text,
			strlen(text));
	text = "{\"z\":1,\"a\":{\"list\":[1,\"x\",{\"k\":null},7],\"new\":\"y\"},\"n\":1.5,"
	       "\"e\":\"\\\"\"}";
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, strlen(text));
}

static void
test_getters(void)
{
	g_autoptr(JsonObject) object =
		parse("{\"s\":\"x\",\"i\":7,\"f\":1.5,\"n\":null,\"o\":{},\"l\":[]}", -1, NULL);

	g_assert_cmpstr(cam_json_get_string(object, "s"), ==, "x");
	g_assert_null(cam_json_get_string(object, "i"));
	g_assert_null(cam_json_get_string(object, "n"));
	g_assert_null(cam_json_get_string(object, "absent"));
	g_assert_null(cam_json_get_string(NULL, "s"));
	g_assert_cmpint(cam_json_get_int(object, "i", -1), ==, 7);
	g_assert_cmpint(cam_json_get_int(object, "f", -1), ==, -1);
	g_assert_cmpint(cam_json_get_int(object, "s", -1), ==, -1);
	g_assert_nonnull(cam_json_get_object(object, "o"));
	g_assert_null(cam_json_get_object(object, "l"));
	g_assert_nonnull(cam_json_get_array(object, "l"));
	g_assert_null(cam_json_get_array(object, "o"));
}

static void
test_names(void)
{
	static const char *const bad[] = {
		"{\"a\":1,\"a\":2}",
		"{\"layers\":1,\"Layers\":2}",
		"{\"x\":[{\"y\":{\"layers\":1,\"LAYERS\":2}}]}",
		"{\"size\":1,\"\xc5\xbfize\":2}",
		"{\"size\":1,\"\\u017fize\":2}",
		"{\"k\":1,\"\xe2\x84\xaa\":2}",
		"{\"\xc3\xa9\":1,\"\xc3\x89\":2}",
		"{\"layers\":1,\"\\u004cayers\":2}",
		"{\"a\":{},\"b\":[],\"c\":1,\"A\":{}}",
		"{\"annotations\":{\"a\":\"1\",\"\\u0061\":\"2\"}}",
		"{\"annotations\":{\"a\":{\"b\":1,\"B\":2}}}",
	};
	static const char *const good[] = {
		"{\"a\":{\"b\":1},\"c\":{\"b\":2,\"a\":3}}",
		"{\"annotations\":{\"Name\":\"1\",\"name\":\"2\"}}",
		"{\"config\":{\"Labels\":{\"Name\":\"1\",\"name\":\"2\"}}}",
		"{\"a\":[{\"b\":1},{\"B\":2}]}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new(bad[i], strlen(bad[i]));
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_json_parse_document(bytes, 4096, &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
		g_assert_nonnull(strstr(error->message, "member"));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new(good[i], strlen(good[i]));
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonObject) object = cam_json_parse_document(bytes, 4096, &error);

		g_assert_no_error(error);
	}
}

/* A document of very many members takes no longer than it should. */
static void
test_many_names(void)
{
	g_autoptr(GString) text = g_string_new("{");

	for (guint i = 0; i < 200000; i++)
		g_string_append_printf(text, "\"m%u\":0,", i);
	g_string_append(text, "\"M7\":0}");
	g_autoptr(GBytes) bytes = g_bytes_new(text->str, text->len);
	g_autoptr(GError) error = NULL;
	g_assert_null(cam_json_parse_document(bytes, 1 << 24, &error));
	g_assert_nonnull(strstr(error->message, "\"m7\" and \"M7\""));
}

static void
test_members(void)
{
	static const CamJsonMember known[] = { { "layers", CAM_JSON_ARRAY },
					       { "size", CAM_JSON_INTEGER },
					       { "annotations", CAM_JSON_STRING_MAP },
					       { NULL, CAM_JSON_ANY } };
	static const char *const bad[] = {
		"{\"Layers\":[]}",	"{\"layer\xc5\xbf\":[]}", "{\"layers\":{}}",
		"{\"size\":1.0}",	"{\"size\":\"1\"}",	  "{\"annotations\":{\"a\":1}}",
		"{\"annotations\":[]}",
	};
	static const char *const good[] = { "{}", "{\"layers\":null,\"size\":3,\"other\":1}",
					    "{\"annotations\":{\"a\":\"b\",\"c\":null}}" };

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(JsonObject) object = parse(bad[i], -1, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_false(cam_json_check_members(object, known, &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(JsonObject) object = parse(good[i], -1, NULL);
		g_autoptr(GError) error = NULL;

		cam_json_check_members(object, known, &error);
		g_assert_no_error(error);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/json/accepts", test_accepts);
	g_test_add_func("/oci/json/refuses", test_refuses);
	g_test_add_func("/oci/json/names", test_names);
	g_test_add_func("/oci/json/many-names", test_many_names);
	g_test_add_func("/oci/json/members", test_members);
	g_test_add_func("/oci/json/limits", test_limits);
	g_test_add_func("/oci/json/truncated", test_truncated);
	g_test_add_func("/oci/json/copy-and-write", test_copy_and_write);
	g_test_add_func("/oci/json/getters", test_getters);
	return g_test_run();
}
