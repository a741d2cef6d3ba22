/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verification of the whole store: every layer is made again and compared with its diffID, every
 * object and blob is hashed, every image is looked at. Repair means to forget what is damaged, so
 * that nobody believes that it is there: the next import brings it back.
 */
#include <fcntl.h>
#include <unistd.h>

#include "snapshotter/oci/image-config.h"
#include "snapshotter/store/store-private.h"

#define DRAIN_CHUNK (256 * 1024)

typedef struct {
	CamStore *store;
	OstreeRepo *repo;
	CamVerifyResult *result;
	GHashTable *bad_layers;	 /* diffIDs */
	GHashTable *bad_objects; /* OSTree object names (GVariant) */
	GHashTable *bad_files;	 /* CamSha256 of damaged or missing file objects */
	GHashTable *bad_blobs;	 /* digests */
	CamProgress *progress;
	GCancellable *cancellable;
} Verification;

void
cam_verify_problem_free(CamVerifyProblem *self)
{
	g_free(self->subject);
	g_free(self->problem);
	g_free(self);
}

void
cam_verify_result_clear(CamVerifyResult *self)
{
	g_clear_pointer(&self->problems, g_ptr_array_unref);
	g_clear_pointer(&self->affected, g_ptr_array_unref);
}

/* Takes @error over as a problem; a cancellation is none and stays an error: FALSE. */
static gboolean
add_problem(Verification *self, const char *kind, const char *name, GError *problem, GError **error)
{
	if (g_cancellable_set_error_if_cancelled(self->cancellable, error)) {
		g_error_free(problem);
		return cam_error_translate(error, NULL);
	}
	CamVerifyProblem *entry = g_new0(CamVerifyProblem, 1);
	entry->subject = g_strdup_printf("%s %s", kind, name);
	entry->problem = g_strdup(problem->message);
	g_ptr_array_add(self->result->problems, entry);
	g_error_free(problem);
	return TRUE;
}

/* ---- objects ---- */

static void
remember_bad_object(Verification *self, const char *checksum, OstreeObjectType type)
{
	g_hash_table_add(self->bad_objects,
			 g_variant_ref_sink(ostree_object_name_serialize(checksum, type)));
	if (type != OSTREE_OBJECT_TYPE_FILE)
		return;
	CamSha256 *file = g_new(CamSha256, 1);
	if (cam_sha256_from_hex(checksum, file))
		g_hash_table_add(self->bad_files, file);
	else
		g_free(file);
}

static gboolean
check_objects(Verification *self, GError **error)
{
	g_autoptr(GHashTable) objects = NULL;
	GHashTableIter iter;
	gpointer name;

	if (!ostree_repo_list_objects(self->repo, OSTREE_REPO_LIST_OBJECTS_ALL, &objects,
				      self->cancellable, error))
		return cam_error_translate(error, "cannot list the objects of the store");
	guint phase = cam_progress_begin(self->progress, "objects", g_hash_table_size(objects),
					 CAM_PROGRESS_ITEMS);
	gboolean ok = TRUE;
	g_hash_table_iter_init(&iter, objects);
	while (ok && g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *checksum;
		OstreeObjectType type;
		g_autoptr(GError) problem = NULL;

		ostree_object_name_deserialize(name, &checksum, &type);
		if (!ostree_repo_fsck_object(self->repo, type, checksum, self->cancellable,
					     &problem)) {
			remember_bad_object(self, checksum, type);
			ok = add_problem(self, "object", checksum, g_steal_pointer(&problem),
					 error);
		}
		self->result->objects++;
		cam_progress_advance(self->progress, phase, 1);
	}
	cam_progress_end(self->progress, phase);
	return ok;
}

/* ---- layers ---- */

static GPtrArray *
list_layers(Verification *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);
	g_autoptr(GPtrArray) layers = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT diff_id FROM layers ORDER BY diff_id", error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	while (cam_statement_step_checked(row, &more, error) && more)
		g_ptr_array_add(layers, g_strdup(cam_statement_text(row, 0)));
	return more ? NULL : g_steal_pointer(&layers);
}

/* Reading a layer to its end compares it with its diffID. */
static gboolean
drain_layer(Verification *self, const char *diff_id, GError **error)
{
	g_autoptr(GInputStream) stream = cam_store_open_layer(self->store, diff_id, error);
	g_autofree guint8 *buffer = g_malloc(DRAIN_CHUNK);
	gssize n = -1;

	while (stream != NULL &&
	       (n = g_input_stream_read(stream, buffer, DRAIN_CHUNK, self->cancellable, error)) > 0)
		continue;
	return n == 0;
}

/* The tree must be there with all that it names; content was checked object by object. */
static gboolean
traverse_ref(Verification *self, const char *ref, GError **error)
{
	g_autofree char *commit = NULL;
	g_autoptr(GHashTable) reachable = NULL;

	return ostree_repo_resolve_rev(self->repo, ref, FALSE, &commit, error) &&
	       ostree_repo_traverse_commit(self->repo, commit, 0, &reachable, self->cancellable,
					   error);
}

static gboolean
check_layers(Verification *self, GError **error)
{
	g_autoptr(GPtrArray) layers = list_layers(self, error);
	gboolean ok = TRUE;

	if (layers == NULL)
		return FALSE;
	guint phase = cam_progress_begin(self->progress, "layers", layers->len, CAM_PROGRESS_ITEMS);
	for (guint i = 0; ok && i < layers->len; i++) {
		const char *diff_id = g_ptr_array_index(layers, i);
		g_autofree char *ref = cam_store_layer_ref(diff_id);
		g_autoptr(GError) problem = NULL;

		if (!traverse_ref(self, ref, &problem) || !drain_layer(self, diff_id, &problem)) {
			g_hash_table_add(self->bad_layers, g_strdup(diff_id));
			ok = add_problem(self, "layer", diff_id, g_steal_pointer(&problem), error);
		}
		self->result->layers++;
		cam_progress_advance(self->progress, phase, 1);
	}
	cam_progress_end(self->progress, phase);
	return ok;
}

/* ---- blobs and images ---- */

static gboolean
check_blob(Verification *self, const char *digest, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GInputStream) stream = cam_store_open_blob(self->store, digest, NULL, &problem);
	g_autofree guint8 *buffer = g_malloc(DRAIN_CHUNK);
	gssize n = -1;

	while (stream != NULL && (n = g_input_stream_read(stream, buffer, DRAIN_CHUNK,
							  self->cancellable, &problem)) > 0)
		continue;
	self->result->blobs++;
	if (n == 0)
		return TRUE;
	g_hash_table_add(self->bad_blobs, g_strdup(digest));
	return add_problem(self, "blob", digest, g_steal_pointer(&problem), error);
}

static gboolean
check_blobs(Verification *self, GError **error)
{
	g_autofree char *path =
		g_build_filename(cam_store_get_path(self->store), "blobs", "sha256", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, error);
	const char *name;

	if (dir == NULL)
		return cam_error_translate(error, "cannot list the blobs of the store");
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *digest = g_strconcat("sha256:", name, NULL);

		if (cam_digest_is_valid(digest) && !check_blob(self, digest, error))
			return FALSE;
	}
	return TRUE;
}

/* Whether the image can be used: NULL, or what is wrong. */
static GError *
image_problem(Verification *self, const char *name)
{
	GError *problem = NULL;
	g_autoptr(CamImage) image = cam_store_get_image(self->store, name, &problem);

	if (image == NULL)
		return problem;
	for (guint i = 0; image->diff_ids[i] != NULL; i++) {
		const char *diff_id = image->diff_ids[i];
		gboolean bad = g_hash_table_contains(self->bad_layers, diff_id);

		if (bad || !cam_store_has_layer(self->store, diff_id))
			return g_error_new(CAM_ERROR, CAM_ERROR_DATA_LOSS,
					   "its layer %s is %s; import it again from %s", diff_id,
					   bad ? "damaged" : "not in the store",
					   image->source != NULL ? image->source : "its source");
	}
	return NULL;
}

static gboolean
check_images(Verification *self, GError **error)
{
	g_autoptr(GPtrArray) names = cam_store_list_image_names(self->store, error);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		GError *problem = image_problem(self, name);

		self->result->images++;
		if (problem == NULL)
			continue;
		g_ptr_array_add(self->result->affected, g_strdup(name));
		if (!add_problem(self, "image", name, problem, error))
			return FALSE;
	}
	return names != NULL;
}

/* ---- forgetting ---- */

static gboolean
find_bad_file(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	Verification *self = user_data;

	if (entry->object == NULL || !g_hash_table_contains(self->bad_files, entry->object))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is damaged", entry->path);
}

/* A layer that could be made again may yet need an object whose metadata are damaged. */
static gboolean
find_layers_of_bad_files(Verification *self, GError **error)
{
	g_autoptr(GPtrArray) layers = list_layers(self, error);

	for (guint i = 0; layers != NULL && i < layers->len; i++) {
		const char *diff_id = g_ptr_array_index(layers, i);
		g_autoptr(GError) problem = NULL;

		if (g_hash_table_contains(self->bad_layers, diff_id) ||
		    cam_store_foreach_layer_entry(self->store, diff_id, find_bad_file, self,
						  &problem))
			continue;
		g_hash_table_add(self->bad_layers, g_strdup(diff_id));
		if (!add_problem(self, "layer", diff_id, g_steal_pointer(&problem), error))
			return FALSE;
	}
	return layers != NULL;
}

static gboolean
forget_layer_rows(Verification *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);
	g_autoptr(CamStatement) delete =
		cam_database_prepare(state, "DELETE FROM layers WHERE diff_id = ?", error);
	GHashTableIter iter;
	gpointer diff_id;

	if (delete == NULL)
		return FALSE;
	g_hash_table_iter_init(&iter, self->bad_layers);
	while (g_hash_table_iter_next(&iter, &diff_id, NULL)) {
		cam_statement_bind_text(delete, 1, diff_id);
		if (!cam_statement_run(delete, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
forget_ref(Verification *self, const char *ref, GError **error)
{
	return ostree_repo_set_ref_immediate(self->repo, NULL, ref, NULL, self->cancellable,
					     error) ||
	       cam_error_translate(error, "cannot remove ref %s", ref);
}

/* Merged trees are made again from layers: all of them may go. */
static gboolean
forget_refs(Verification *self, GError **error)
{
	g_autoptr(GHashTable) merged = NULL;
	GHashTableIter iter;
	gpointer key;

	if (!ostree_repo_list_refs_ext(self->repo, CAM_STORE_ROOTFS_REFS, &merged,
				       OSTREE_REPO_LIST_REFS_EXT_EXCLUDE_REMOTES, self->cancellable,
				       error))
		return cam_error_translate(error, "cannot list %s", CAM_STORE_ROOTFS_REFS);
	g_hash_table_iter_init(&iter, merged);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (!forget_ref(self, key, error))
			return FALSE;
	g_hash_table_iter_init(&iter, self->bad_layers);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		g_autofree char *ref = cam_store_layer_ref(key);

		if (!forget_ref(self, ref, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
forget_objects(Verification *self, GError **error)
{
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, self->bad_objects);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *checksum;
		OstreeObjectType type;

		ostree_object_name_deserialize(name, &checksum, &type);
		if (!ostree_repo_delete_object(self->repo, type, checksum, self->cancellable,
					       error))
			return cam_error_translate(error, "cannot remove object %s", checksum);
	}
	g_hash_table_iter_init(&iter, self->bad_blobs);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		g_autofree char *path = cam_store_blob_path(name);

		unlinkat(cam_store_get_dirfd(self->store), path, 0);
	}
	return TRUE;
}

static gboolean
forget(Verification *self, GError **error)
{
	if (!forget_layer_rows(self, error) || !forget_refs(self, error) ||
	    !forget_objects(self, error))
		return FALSE;
	self->result->forgotten = TRUE;
	return TRUE;
}

static gboolean
verify(Verification *self, gboolean repair, GError **error)
{
	self->repo = cam_store_get_repo(self->store, error);
	if (self->repo == NULL || !check_objects(self, error) || !check_layers(self, error) ||
	    (g_hash_table_size(self->bad_files) > 0 && !find_layers_of_bad_files(self, error)) ||
	    !check_blobs(self, error) || !check_images(self, error))
		return FALSE;
	return !repair || self->result->problems->len == 0 || forget(self, error);
}

static guint
hash_sha256(gconstpointer key)
{
	guint hash;

	memcpy(&hash, key, sizeof(hash));
	return hash;
}

static gboolean
equal_sha256(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, CAM_SHA256_SIZE) == 0;
}

gboolean
cam_store_verify(CamStore *self, gboolean repair, CamProgress *progress, CamVerifyResult *result,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) files =
		g_hash_table_new_full(hash_sha256, equal_sha256, g_free, NULL);
	g_autoptr(GHashTable) objects = g_hash_table_new_full(
		ostree_hash_object_name, g_variant_equal, (GDestroyNotify) g_variant_unref, NULL);
	Verification verification = {
		.store = self,
		.result = result,
		.bad_layers = layers,
		.bad_objects = objects,
		.bad_files = files,
		.bad_blobs = blobs,
		.progress = progress,
		.cancellable = cancellable,
	};

	memset(result, 0, sizeof(*result));
	result->problems = g_ptr_array_new_with_free_func((GDestroyNotify) cam_verify_problem_free);
	result->affected = g_ptr_array_new_with_free_func(g_free);
	/* Forgetting must not happen under a running operation; looking may. */
	if (repair) {
		g_auto(CamFd) lock = cam_store_lock_sweep(self, cancellable, error);

		return lock >= 0 && verify(&verification, repair, error);
	}
	g_autoptr(CamStoreHold) hold = cam_store_hold(self, cancellable, error);
	return hold != NULL && verify(&verification, repair, error);
}
