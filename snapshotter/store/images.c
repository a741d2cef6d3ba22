/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Named images of the store: rows that give a manifest a name, and the documents behind them
 * parsed into a CamImage. Owns the rules by which a user's text finds an image.
 */
#include "snapshotter/oci/reference.h"
#include "snapshotter/store/store-private.h"

#define MIN_PREFIX	6
#define MAX_SUGGESTIONS 3
#define CONFIG_MAX_SIZE CAM_MANIFEST_MAX_SIZE
#define SELECT_IMAGE \
	"SELECT name, manifest_digest, index_digest, source, base_name, imported_at FROM images "

void
cam_image_free(CamImage *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_free(self->source);
	g_free(self->index_digest);
	g_free(self->chain_id);
	g_free(self->base_name);
	g_strfreev(self->diff_ids);
	g_clear_pointer(&self->manifest, cam_manifest_free);
	g_clear_pointer(&self->config, cam_image_config_free);
	g_free(self);
}

/* ---- reading ---- */

static CamManifest *
load_manifest(CamStore *self, const char *digest, GError **error)
{
	g_autoptr(GBytes) bytes = cam_store_get_blob(self, digest, CAM_MANIFEST_MAX_SIZE, error);

	return bytes != NULL ? cam_manifest_parse(bytes, NULL, error) : NULL;
}

static CamImageConfig *
load_config(CamStore *self, const CamManifest *manifest, GError **error)
{
	g_autoptr(GBytes) bytes =
		cam_store_get_blob(self, manifest->config->digest, CONFIG_MAX_SIZE, error);

	if (bytes == NULL)
		return NULL;
	g_autoptr(CamImageConfig) config = cam_image_config_parse(bytes, error);
	if (config == NULL)
		return NULL;
	if (config->diff_ids->len != manifest->layers->len) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "manifest %s has %u layers and its config names %u diffIDs",
			      manifest->digest, manifest->layers->len, config->diff_ids->len);
		return NULL;
	}
	return g_steal_pointer(&config);
}

static void
derive_layers(CamImage *self)
{
	const GPtrArray *diff_ids = self->config->diff_ids;
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autofree char *chain_id = NULL;

	for (guint i = 0; i < diff_ids->len; i++) {
		const char *diff_id = g_ptr_array_index(diff_ids, i);
		char *next = cam_chain_id(chain_id, diff_id);

		g_strv_builder_add(builder, diff_id);
		g_free(chain_id);
		chain_id = next;
	}
	self->diff_ids = g_strv_builder_end(builder);
	self->chain_id = chain_id != NULL ? g_steal_pointer(&chain_id) : g_strdup("");
}

/* The row that SELECT_IMAGE stands on, without its documents; *@digest is the manifest's. */
static CamImage *
image_from_row(CamStatement *row, char **digest)
{
	CamImage *image = g_new0(CamImage, 1);

	image->name = g_strdup(cam_statement_text(row, 0));
	*digest = g_strdup(cam_statement_text(row, 1));
	image->index_digest = g_strdup(cam_statement_text(row, 2));
	image->source = g_strdup(cam_statement_text(row, 3));
	image->base_name = g_strdup(cam_statement_text(row, 4));
	image->imported_at = cam_statement_int(row, 5);
	return image;
}

static gboolean
load_documents(CamStore *self, CamImage *image, const char *digest, GError **error)
{
	image->manifest = load_manifest(self, digest, error);
	if (image->manifest != NULL)
		image->config = load_config(self, image->manifest, error);
	if (image->config == NULL)
		return cam_error_translate(error, "image %s", image->name);
	derive_layers(image);
	return TRUE;
}

/* (nullable): NULL without error where there is no such row. @where takes @value twice. */
static CamImage *
find_image(CamStore *self, const char *where, const char *value, char **digest, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autofree char *sql = g_strconcat(SELECT_IMAGE, where, NULL);
	g_autoptr(CamStatement) row = cam_database_prepare(state, sql, error);

	if (row == NULL)
		return NULL;
	cam_statement_bind_text(row, 1, value);
	return cam_statement_step(row, error) ? image_from_row(row, digest) : NULL;
}

/* ---- finding ---- */

static gboolean
is_hex_prefix(const char *text)
{
	return strlen(text) >= MIN_PREFIX && strspn(text, "0123456789abcdef") == strlen(text);
}

/* How many single-character edits lead from @a to @b. */
static guint
edit_distance(const char *a, const char *b)
{
	gsize width = strlen(b) + 1;
	g_autofree guint *row = g_new(guint, width);

	for (gsize j = 0; j < width; j++)
		row[j] = j;
	for (gsize i = 1; a[i - 1] != '\0'; i++) {
		guint diagonal = row[0];

		row[0] = i;
		for (gsize j = 1; j < width; j++) {
			guint substitute = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(substitute, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[width - 1];
}

/* Names worth proposing for @wanted: near in spelling, or of the same repository. */
static char *
suggest(CamStore *self, const char *wanted)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT name FROM images ORDER BY name", NULL);
	g_autoptr(GString) names = g_string_new(NULL);
	gsize stem = strcspn(wanted, ":@");
	guint n = 0;

	while (row != NULL && n < MAX_SUGGESTIONS && cam_statement_step(row, NULL)) {
		const char *name = cam_statement_text(row, 0);
		gboolean same_stem = strncmp(name, wanted, stem) == 0 && stem > 0;

		if (!same_stem && edit_distance(name, wanted) > 1 + strlen(wanted) / 4)
			continue;
		g_string_append_printf(names, "%s%s", n++ > 0 ? ", " : "", name);
	}
	return n > 0 ? g_strdup_printf("; did you mean %s?", names->str)
		     : g_strdup("; 'cambium images' lists what there is");
}

/* Names whose manifest or config digest begins with @hex. */
static GPtrArray *
names_by_prefix(CamStore *self, const char *hex, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *pattern = g_strdup_printf("sha256:%s*", hex);
	g_autoptr(GError) local = NULL;
	g_autoptr(CamStatement) row =
		cam_database_prepare(state,
				     "SELECT min(name) FROM images WHERE manifest_digest GLOB ?1 "
				     "OR config_digest GLOB ?1"
				     " GROUP BY manifest_digest ORDER BY 1",
				     &local);

	if (row != NULL)
		cam_statement_bind_text(row, 1, pattern);
	while (row != NULL && cam_statement_step(row, &local))
		g_ptr_array_add(names, g_strdup(cam_statement_text(row, 0)));
	if (local != NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	return g_steal_pointer(&names);
}

/* Sets *@name (nullable) to the image that a digest or a prefix of one means. */
static gboolean
resolve_prefix(CamStore *self, const char *text, char **name, GError **error)
{
	const char *hex = g_str_has_prefix(text, "sha256:") ? text + strlen("sha256:") : text;

	*name = NULL;
	if (!is_hex_prefix(hex))
		return TRUE;
	g_autoptr(GPtrArray) names = names_by_prefix(self, hex, error);
	if (names == NULL)
		return FALSE;
	if (names->len > 1)
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"%s is ambiguous: it begins the digests of %s and %s; give more "
			"digits",
			text, (char *) names->pdata[0], (char *) names->pdata[1]);
	if (names->len == 1)
		*name = g_strdup(names->pdata[0]);
	return TRUE;
}

static gboolean
canonical_name(const char *text, char **name, GError **error)
{
	g_autoptr(CamReference) reference = cam_reference_parse(text, error);

	if (reference == NULL)
		return FALSE;
	*name = cam_reference_to_string(reference);
	return TRUE;
}

/* The name of the row that @text means; sets NOT_FOUND with suggestions where there is none. */
static CamImage *
find_by_text(CamStore *self, const char *text, char **digest, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree char *name = NULL;
	g_autofree char *by_digest = NULL;
	CamImage *image = NULL;

	if (canonical_name(text, &name, NULL))
		image = find_image(self, "WHERE name = ?", name, digest, &local);
	if (image == NULL && local == NULL && resolve_prefix(self, text, &by_digest, &local) &&
	    by_digest != NULL)
		image = find_image(self, "WHERE name = ?", by_digest, digest, &local);
	if (local != NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	if (image == NULL) {
		g_autofree char *hint = suggest(self, text);

		cam_set_error(error, CAM_ERROR_NOT_FOUND, "the store has no image %s%s", text,
			      hint);
	}
	return image;
}

CamImage *
cam_images_find_row(CamStore *self, const char *name, char **manifest_digest, GError **error)
{
	return find_by_text(self, name, manifest_digest, error);
}

gboolean
cam_images_is_gone(CamStore *self, const char *name)
{
	g_autoptr(GPtrArray) names = cam_store_list_image_names(self, NULL);

	return names != NULL && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL);
}

CamImage *
cam_store_get_image(CamStore *self, const char *name, GError **error)
{
	g_autofree char *digest = NULL;
	g_autoptr(CamImage) image = find_by_text(self, name, &digest, error);

	if (image == NULL || !load_documents(self, image, digest, error))
		return NULL;
	return g_steal_pointer(&image);
}

GPtrArray *
cam_store_list_image_names(CamStore *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT name FROM images ORDER BY name", error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	while (cam_statement_step_checked(row, &more, error)) {
		if (!more)
			return g_steal_pointer(&names);
		g_ptr_array_add(names, g_strdup(cam_statement_text(row, 0)));
	}
	return NULL;
}

GPtrArray *
cam_store_list_images(CamStore *self, GError **error)
{
	g_autoptr(GPtrArray) names = cam_store_list_image_names(self, error);

	if (names == NULL)
		return NULL;
	g_autoptr(GPtrArray) images =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_image_free);
	for (guint i = 0; i < names->len; i++) {
		CamImage *image = cam_store_get_image(self, names->pdata[i], NULL);

		if (image != NULL)
			g_ptr_array_add(images, image);
	}
	return g_steal_pointer(&images);
}

/* ---- writing ---- */

static gboolean
check_layers(CamStore *self, const CamImageConfig *config, GError **error)
{
	for (guint i = 0; i < config->diff_ids->len; i++) {
		const char *diff_id = g_ptr_array_index(config->diff_ids, i);

		if (!cam_store_has_layer(self, diff_id))
			return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
					     "layer %s is not in the store", diff_id);
	}
	return TRUE;
}

static gboolean
check_name_is_free(CamDatabase *state, const char *name, const char *manifest_digest,
		   GError **error)
{
	g_autoptr(CamStatement) row = cam_database_prepare(
		state, "SELECT manifest_digest FROM images WHERE name = ?", error);
	gboolean found;

	if (row == NULL)
		return FALSE;
	cam_statement_bind_text(row, 1, name);
	if (!cam_statement_step_checked(row, &found, error))
		return FALSE;
	if (found && g_strcmp0(cam_statement_text(row, 0), manifest_digest) != 0)
		return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
				     "the name %s stands for another image, %s", name,
				     cam_statement_text(row, 0));
	return TRUE;
}

static gboolean
upsert_image(CamDatabase *state, const CamImage *image, GError **error)
{
	g_autoptr(CamStatement) upsert = cam_database_prepare(
		state,
		"INSERT OR REPLACE INTO images (name, manifest_digest, config_digest, index_digest,"
		" source, base_name, imported_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		error);

	if (upsert == NULL)
		return FALSE;
	cam_statement_bind_text(upsert, 1, image->name);
	cam_statement_bind_text(upsert, 2, image->manifest->digest);
	cam_statement_bind_text(upsert, 3, image->config->digest);
	cam_statement_bind_text(upsert, 4, image->index_digest);
	cam_statement_bind_text(upsert, 5, image->source);
	cam_statement_bind_text(upsert, 6, image->base_name);
	cam_statement_bind_int(upsert, 7, image->imported_at);
	return cam_statement_run(upsert, error);
}

static gboolean
write_image(CamStore *self, const CamImage *image, gboolean replace, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);

	if (!cam_database_begin(state, error))
		return FALSE;
	if ((replace || check_name_is_free(state, image->name, image->manifest->digest, error)) &&
	    upsert_image(state, image, error) &&
	    cam_chains_insert(state, (const char *const *) image->diff_ids, error) &&
	    cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

gboolean
cam_store_put_image(CamStore *self, const char *name, const char *manifest_digest,
		    const char *index_digest, const char *source, const char *base_name,
		    gboolean replace, GError **error)
{
	g_autoptr(CamImage) image = g_new0(CamImage, 1);

	if (!canonical_name(name, &image->name, error))
		return FALSE;
	if (!load_documents(self, image, manifest_digest, error))
		return FALSE;
	if (!check_layers(self, image->config, error))
		return cam_error_translate(error, "image %s", image->name);
	image->index_digest = g_strdup(index_digest);
	image->source = g_strdup(source);
	image->base_name = g_strdup(base_name);
	image->imported_at = g_get_real_time();
	return write_image(self, image, replace, error);
}

typedef struct {
	CamStore *store;
	const char *name;
} Removal;

static gboolean
remove_row(gpointer data, GError **error)
{
	const Removal *self = data;
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);
	g_autoptr(CamStatement) statement =
		cam_database_prepare(state, "DELETE FROM images WHERE name = ?", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, self->name);
	return cam_statement_run(statement, error);
}

gboolean
cam_store_remove_image(CamStore *self, const char *name, GError **error)
{
	g_autofree char *digest = NULL;
	g_autoptr(CamImage) image = find_by_text(self, name, &digest, error);
	Removal removal = { self, image != NULL ? image->name : NULL };

	return image != NULL && cam_store_remove_with_reserve(self, remove_row, &removal, error);
}
