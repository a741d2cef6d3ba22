/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds manifests, indexes and configs against Go's encoding/json, by which docker, containerd,
 * skopeo and umoci read them: what Cambium accepts must say the same to both. CAM_JSON_ROUNDS=N
 * generates N documents of each. */
#include "../go/go-reader.h"
#include "snapshotter/oci/image-config.h"
#include "snapshotter/oci/index.h"
#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest.h"

#define ROUNDS 3000
#define D1     "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7"
#define D2     "sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"

#define PICK(random, list) ((list)[g_rand_int_range(random, 0, (gint32) G_N_ELEMENTS(list))])

static const char manifest[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\","
	"\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG "\",\"digest\":\"" D1
	"\",\"size\":7},\"layers\":[{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER
	"\",\"digest\":\"" D2
	"\",\"size\":10,\"annotations\":{\"org.opencontainers.image.ref.name\":\"a\"}},"
	"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER "\",\"digest\":\"" D1 "\",\"size\":1,"
	"\"urls\":[\"x\"]}],\"annotations\":{\"a\":\"b\",\"A\":\"c\"}}";

static const char image_index[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX "\","
	"\"manifests\":[{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\",\"digest\":\"" D1
	"\",\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
	"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\",\"digest\":\"" D2
	"\",\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\","
	"\"os.features\":[\"x\"]},\"annotations\":{\"org.opencontainers.image.ref.name\":\"t\"}}]}";

static const char config[] =
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"x\",\"config\":{\"User\":"
	"\"root\","
	"\"Env\":[\"A=b\"],\"Labels\":{\"name\":\"a\",\"Name\":\"b\"}},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2 "\"]},"
	"\"history\":[{\"created_by\":\"ADD\"},{\"created_by\":\"CMD\",\"empty_layer\":true},"
	"{\"created_by\":\"RUN\"}]}";

/* ---- documents ---- */

static const char *const names[] = {
	"schemaVersion", "mediaType",
	"config",	 "layers",
	"manifests",	 "digest",
	"size",		 "annotations",
	"platform",	 "os",
	"architecture",	 "variant",
	"rootfs",	 "type",
	"diff_ids",	 "history",
	"User",		 "Env",
	"Labels",	 "urls",
	"author",	 "created_by",
	"name",		 "os.features",
	"empty_layer",	 "org.opencontainers.image.ref.name",
};

/* The name as other programs may take it: other case, signs that fold, escapes. */
static char *
vary_name(GRand *random, const char *name)
{
	GString *text = g_string_new(NULL);
	gsize at = (gsize) g_rand_int_range(random, 0, (gint32) strlen(name));
	int how = g_rand_int_range(random, 0, 5);

	for (gsize i = 0; name[i] != '\0'; i++) {
		if (how == 0 && name[i] == 's')
			g_string_append(text, "\xc5\xbf");
		else if (how == 1 && i == at)
			g_string_append_printf(text, "\\u%04x", (guint) g_ascii_toupper(name[i]));
		else if (how == 2 && i == at)
			g_string_append_printf(text, "\\u%04X", (guint) name[i]);
		else if (how == 3 || i == at)
			g_string_append_c(text, g_ascii_toupper(name[i]));
		else
			g_string_append_c(text, name[i]);
	}
	return g_string_free(text, FALSE);
}

static const char *const values[] = {
	"null",
	"0",
	"7",
	"-1",
	"-0",
	"1.0",
	"1e1",
	"2",
	"\"x\"",
	"\"" D2 "\"",
	"[]",
	"{}",
	"true",
	"[null]",
	"[\"y\"]",
	"[\"" D1 "\"]",
	"9223372036854775807",
	"9223372036854775808",
	"18446744073709551616",
	"123456789012345678901234567890",
	"\"\\ud800\"",
	"\"\\u0000\"",
	"\"\xff\"",
	"{\"a\":\"b\"}",
	"{\"os\":\"linux\",\"architecture\":\"arm64\"}",
	"{\"size\":3,\"Size\":4}",
};

static void
replace(GString *text, const char *from, const char *to, GRand *random)
{
	guint n = 0, chosen;
	const char *at = text->str;

	for (; (at = strstr(at, from)) != NULL; at++)
		n++;
	if (n == 0)
		return;
	chosen = (guint) g_rand_int_range(random, 0, (gint32) n);
	for (at = strstr(text->str, from); chosen > 0; chosen--)
		at = strstr(at + 1, from);
	gsize position = (gsize) (at - text->str);
	g_string_erase(text, (gssize) position, (gssize) strlen(from));
	g_string_insert(text, (gssize) position, to);
}

static void
rename_member(GRand *random, GString *text)
{
	const char *name = PICK(random, names);
	g_autofree char *varied = vary_name(random, name);
	g_autofree char *from = g_strdup_printf("\"%s\":", name);
	g_autofree char *to = g_strdup_printf("\"%s\":", varied);

	replace(text, from, to, random);
}

/* One more member of a name that may be there: in front of another, or at an object's beginning. */
static void
add_member(GRand *random, GString *text)
{
	const char *name = PICK(random, names);
	g_autofree char *varied = g_rand_boolean(random) ? g_strdup(name) : vary_name(random, name);
	const char *next = PICK(random, names);
	g_autofree char *from = g_strdup_printf("\"%s\":", next);
	g_autofree char *to =
		g_strdup_printf("\"%s\":%s,\"%s\":", varied, PICK(random, values), next);

	replace(text, from, to, random);
}

static void
change_value(GRand *random, GString *text)
{
	static const char *const old[] = { ":2,",	 ":7",	      ":10",	 ":1,",
					   "\"" D1 "\"", "\"linux\"", "[\"x\"]", "\"layers\",",
					   "\"amd64\"",	 "true",      "\"ADD\"", "\"root\"" };
	const char *from = PICK(random, old);
	g_autofree char *to =
		g_strdup_printf("%s%s%s", from[0] == ':' ? ":" : "", PICK(random, values),
				g_str_has_suffix(from, ",") ? "," : "");

	replace(text, from, to, random);
}

static GBytes *
generate(GRand *random, const char *document)
{
	GString *text = g_string_new(document);
	gsize size;

	for (int n = g_rand_int_range(random, 0, 4); n > 0; n--)
		switch (g_rand_int_range(random, 0, 8)) {
		case 0:
		case 1:
			rename_member(random, text);
			break;
		case 2:
		case 3:
		case 4:
			add_member(random, text);
			break;
		case 5:
		case 6:
			change_value(random, text);
			break;
		default:
			text->str[g_rand_int_range(random, 0, (gint32) text->len)] =
				(char) g_rand_int_range(random, 1, 128);
			break;
		}
	if (g_rand_int_range(random, 0, 40) == 0)
		g_string_append(text, g_rand_boolean(random) ? " {}" : "\xef\xbb\xbf");
	if (g_rand_int_range(random, 0, 60) == 0)
		g_string_prepend(text, "\xef\xbb\xbf");
	size = text->len;
	return g_bytes_new_take(g_string_free(text, FALSE), size);
}

/* ---- what Cambium reads, in the form of go/reader.go ---- */

static void
append_hex(GString *text, const char *value)
{
	for (; value != NULL && *value != '\0'; value++)
		g_string_append_printf(text, "%02x", (guint) (guint8) *value);
}

static const char *
text_or_nothing(JsonObject *object, const char *member)
{
	const char *text = cam_json_get_string(object, member);

	return text != NULL ? text : "";
}

static void
append_descriptor(GString *text, const char *what, const CamDescriptor *descriptor)
{
	JsonObject *platform = cam_json_get_object(descriptor->json, "platform");

	g_string_append_printf(text, "%s %s %s %" G_GINT64_FORMAT " ", what, descriptor->media_type,
			       descriptor->digest, descriptor->size);
	append_hex(text,
		   cam_descriptor_get_annotation(descriptor, "org.opencontainers.image.ref.name"));
	if (platform != NULL)
		g_string_append_printf(text, " %s/%s/%s", text_or_nothing(platform, "os"),
				       text_or_nothing(platform, "architecture"),
				       text_or_nothing(platform, "variant"));
	g_string_append_c(text, '\n');
}

static char *
list_manifest(GBytes *bytes, GError **error)
{
	g_autoptr(CamManifest) parsed = cam_manifest_parse(bytes, NULL, error);
	GString *text = g_string_new(NULL);

	if (parsed == NULL)
		return g_string_free(text, TRUE);
	append_descriptor(text, "config", parsed->config);
	for (guint i = 0; i < parsed->layers->len; i++)
		append_descriptor(text, "layer", parsed->layers->pdata[i]);
	return g_string_free(g_string_append(text, "end\n"), FALSE);
}

static char *
list_index(GBytes *bytes, GError **error)
{
	g_autoptr(CamIndex) parsed = cam_index_parse(bytes, NULL, error);
	GString *text = g_string_new(NULL);

	if (parsed == NULL)
		return g_string_free(text, TRUE);
	for (guint i = 0; i < parsed->manifests->len; i++)
		append_descriptor(text, "manifest", parsed->manifests->pdata[i]);
	return g_string_free(g_string_append(text, "end\n"), FALSE);
}

static char *
list_config(GBytes *bytes, GError **error)
{
	g_autoptr(CamImageConfig) parsed = cam_image_config_parse(bytes, error);
	GString *text = g_string_new(NULL);

	if (parsed == NULL)
		return g_string_free(text, TRUE);
	g_string_append_printf(text, "%s/%s/%s\nuser ", text_or_nothing(parsed->json, "os"),
			       text_or_nothing(parsed->json, "architecture"),
			       text_or_nothing(parsed->json, "variant"));
	append_hex(text, cam_json_get_string(cam_json_get_object(parsed->json, "config"), "User"));
	g_string_append_c(text, '\n');
	for (guint i = 0; i < parsed->diff_ids->len; i++)
		g_string_append_printf(text, "layer %s\n", (char *) parsed->diff_ids->pdata[i]);
	for (guint i = 0; i < parsed->history->len; i++) {
		const CamHistory *entry = parsed->history->pdata[i];

		g_string_append(text, "history ");
		append_hex(text, entry->created_by);
		g_string_append_printf(text, " %s\n", entry->empty_layer ? "true" : "false");
	}
	return g_string_free(g_string_append(text, "end\n"), FALSE);
}

/* ---- tests ---- */

typedef struct {
	const char *what, *document;
	char *(*list)(GBytes *bytes, GError **error);
} Kind;

static const Kind kinds[] = {
	{ "manifest", manifest, list_manifest },
	{ "index", image_index, list_index },
	{ "config", config, list_config },
};

static void
compare(const Kind *kind, GBytes *bytes, const char *go, guint *n_read)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *ours = kind->list(bytes, &error);

	if (ours == NULL)
		return;
	(*n_read)++;
	if (!g_str_equal(ours, go))
		g_error("Go reads this %s differently\n%.*s\nCambium:\n%s\nGo:\n%s", kind->what,
			(int) g_bytes_get_size(bytes), (const char *) g_bytes_get_data(bytes, NULL),
			ours, go);
}

static void
test_generated(gconstpointer data)
{
	const Kind *kind = data;
	const char *rounds = g_getenv("CAM_JSON_ROUNDS");
	guint total = rounds != NULL ? (guint) g_ascii_strtoull(rounds, NULL, 10) : ROUNDS;
	g_autoptr(GRand) random = g_rand_new_with_seed(rounds != NULL ? g_random_int() : 11);
	g_autoptr(GPtrArray) records =
		g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
	g_autoptr(GPtrArray) results = NULL;
	g_autoptr(GoReader) reader = go_reader_new();
	guint n_read = 0;

	if (reader == NULL)
		return;
	for (guint i = 0; i < total; i++)
		g_ptr_array_add(records, generate(random, kind->document));
	results = go_reader_run(reader, kind->what, records);
	for (guint i = 0; i < total; i++)
		compare(kind, records->pdata[i], results->pdata[i], &n_read);
	g_test_message("%u of %u read", n_read, total);
	g_assert_cmpuint(n_read, >, total / 5);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *path = g_strconcat("/oci/json-go/", kinds[i].what, NULL);

		g_test_add_data_func(path, &kinds[i], test_generated);
	}
	return g_test_run();
}
