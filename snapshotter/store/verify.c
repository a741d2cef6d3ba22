/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verification of the whole store: every layer is made again and compared with its diffID, every
 * object and blob is hashed, every image is looked at. What is damaged is forgotten by
 * verify-forget.c and brought back by image-restore.c.
 */
#include "snapshotter/store/verify-private.h"

#include "snapshotter/oci/image-config.h"

#define DRAIN_CHUNK (256 * 1024)
#define MAX_PATHS   20 /* that are named of one object */

void
cam_verify_problem_free(CamVerifyProblem *self)
{
	g_free(self->subject);
	g_free(self->problem);
	g_ptr_array_unref(self->paths);
	g_ptr_array_unref(self->images);
	g_hash_table_unref(self->layers);
	g_free(self);
}

void
cam_verify_result_clear(CamVerifyResult *self)
{
	g_clear_pointer(&self->problems, g_ptr_array_unref);
	g_clear_pointer(&self->affected, g_ptr_array_unref);
	g_clear_pointer(&self->lost, g_ptr_array_unref);
}

gboolean
cam_verification_add_problem(CamVerification *self, const char *kind, const char *name,
			     GError *problem, GError **error)
{
	if (g_cancellable_set_error_if_cancelled(self->cancellable, error)) {
		g_error_free(problem);
		return cam_error_translate(error, NULL);
	}
	CamVerifyProblem *entry = g_new0(CamVerifyProblem, 1);
	entry->subject = g_strdup_printf("%s %s", kind, name);
	entry->problem = g_strdup(problem->message);
	entry->paths = g_ptr_array_new_with_free_func(g_free);
	entry->images = g_ptr_array_new_with_free_func(g_free);
	entry->layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_ptr_array_add(self->result->problems, entry);
	g_error_free(problem);
	return TRUE;
}

/* ---- objects ---- */

/* The problem that was added last is about this object. */
static void
remember_bad_object(CamVerification *self, const char *checksum, OstreeObjectType type)
{
	GPtrArray *problems = self->result->problems;
	CamSha256 file;

	g_hash_table_add(self->bad_objects,
			 g_variant_ref_sink(ostree_object_name_serialize(checksum, type)));
	if (type != OSTREE_OBJECT_TYPE_FILE)
		return;
	if (cam_sha256_from_hex(checksum, &file))
		g_hash_table_insert(self->bad_files, g_memdup2(&file, sizeof(file)),
				    g_ptr_array_index(problems, problems->len - 1));
}

static gboolean
check_objects(CamVerification *self, GError **error)
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
			ok = cam_verification_add_problem(self, "object", checksum,
							  g_steal_pointer(&problem), error);
			if (ok)
				remember_bad_object(self, checksum, type);
		}
		self->result->objects++;
		cam_progress_advance(self->progress, phase, 1);
	}
	cam_progress_end(self->progress, phase);
	return ok;
}

/* ---- layers ---- */

static GPtrArray *
list_layers(CamVerification *self, GError **error)
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

/* Directories and commits; the content of files is another matter. */
static gboolean
has_bad_metadata(CamVerification *self, GHashTable *reachable)
{
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, self->bad_objects);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *checksum;
		OstreeObjectType type;

		ostree_object_name_deserialize(name, &checksum, &type);
		if (type != OSTREE_OBJECT_TYPE_FILE && g_hash_table_contains(reachable, name))
			return TRUE;
	}
	return FALSE;
}

/* The tree must be there with all that it names; content was checked object by object. */
static gboolean
check_tree(CamVerification *self, const char *diff_id, GError **error)
{
	g_autofree char *ref = cam_store_layer_ref(diff_id);
	g_autofree char *commit = NULL;
	g_autoptr(GHashTable) reachable = NULL;

	if (ostree_repo_resolve_rev(self->repo, ref, FALSE, &commit, error) &&
	    ostree_repo_traverse_commit(self->repo, commit, 0, &reachable, self->cancellable,
					error) &&
	    (!has_bad_metadata(self, reachable) ||
	     cam_set_error(error, CAM_ERROR_DATA_LOSS, "a directory of its tree is damaged")))
		return TRUE;
	g_hash_table_add(self->broken_trees, g_strdup(diff_id));
	return FALSE;
}

static gboolean
check_layers(CamVerification *self, GError **error)
{
	g_autoptr(GPtrArray) layers = list_layers(self, error);
	gboolean ok = TRUE;

	if (layers == NULL)
		return FALSE;
	guint phase = cam_progress_begin(self->progress, "layers", layers->len, CAM_PROGRESS_ITEMS);
	for (guint i = 0; ok && i < layers->len; i++) {
		const char *diff_id = g_ptr_array_index(layers, i);
		g_autoptr(GError) problem = NULL;

		if (!check_tree(self, diff_id, &problem) ||
		    !cam_layer_drain(self->store, diff_id, self->cancellable, &problem)) {
			g_hash_table_add(self->bad_layers, g_strdup(diff_id));
			ok = cam_verification_add_problem(self, "layer", diff_id,
							  g_steal_pointer(&problem), error);
		}
		self->result->layers++;
		cam_progress_advance(self->progress, phase, 1);
	}
	cam_progress_end(self->progress, phase);
	return ok;
}

/* ---- which files an object is ---- */

typedef struct {
	CamVerification *verification;
	const char *diff_id;
	char *first; /* (nullable): a path of the layer at hand that is damaged */
} Naming;

static gboolean
name_bad_file(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	Naming *naming = user_data;
	CamVerifyProblem *problem =
		entry->object != NULL
			? g_hash_table_lookup(naming->verification->bad_files, entry->object)
			: NULL;
	if (problem == NULL)
		return TRUE;
	if (naming->first == NULL)
		naming->first = g_strdup(entry->path);
	if (problem->paths->len < MAX_PATHS &&
	    !g_ptr_array_find_with_equal_func(problem->paths, entry->path, g_str_equal, NULL))
		g_ptr_array_add(problem->paths, g_strdup(entry->path));
	g_hash_table_add(problem->layers, g_strdup(naming->diff_id));
	return TRUE;
}

/* A layer that could be made again may yet need an object whose metadata are damaged. */
static gboolean
name_bad_files(CamVerification *self, GError **error)
{
	g_autoptr(GPtrArray) layers = list_layers(self, error);

	for (guint i = 0; layers != NULL && i < layers->len; i++) {
		const char *diff_id = g_ptr_array_index(layers, i);
		Naming naming = { .verification = self, .diff_id = diff_id };
		g_autofree char *first = NULL;

		/* One that cannot be read to its end has been told already. */
		(void) cam_store_foreach_layer_entry(self->store, diff_id, name_bad_file, &naming,
						     NULL);
		first = naming.first;
		if (first == NULL || !g_hash_table_add(self->bad_layers, g_strdup(diff_id)))
			continue;
		if (!cam_verification_add_problem(
			    self, "layer", diff_id,
			    g_error_new(CAM_ERROR, CAM_ERROR_DATA_LOSS, "%s is damaged", first),
			    error))
			return FALSE;
	}
	return layers != NULL;
}

/* ---- blobs and images ---- */

static gboolean
check_blob(CamVerification *self, const char *digest, GError **error)
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
	return cam_verification_add_problem(self, "blob", digest, g_steal_pointer(&problem), error);
}

static gboolean
check_blobs_of(CamVerification *self, const char *algorithm, GError **error)
{
	g_autofree char *path =
		g_build_filename(cam_store_get_path(self->store), "blobs", algorithm, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, error);
	const char *name;

	if (dir == NULL)
		return cam_error_translate(error, "cannot list the blobs of the store");
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *digest = g_strconcat(algorithm, ":", name, NULL);

		if (cam_digest_is_valid(digest) && !check_blob(self, digest, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
check_blobs(CamVerification *self, GError **error)
{
	return check_blobs_of(self, "sha256", error) && check_blobs_of(self, "sha512", error);
}

/* Whether the image can be used: NULL, or what is wrong. */
static GError *
image_problem(CamVerification *self, const char *name)
{
	GError *problem = NULL;
	g_autoptr(CamImage) image = cam_store_get_image(self->store, name, &problem);

	if (image == NULL)
		return problem;
	for (guint i = 0; image->diff_ids[i] != NULL; i++) {
		const char *diff_id = image->diff_ids[i];
		gboolean bad = g_hash_table_contains(self->bad_layers, diff_id);

		if (bad || !cam_store_has_layer(self->store, diff_id))
			return g_error_new(CAM_ERROR, CAM_ERROR_DATA_LOSS, "its layer %s is %s",
					   diff_id, bad ? "damaged" : "not in the store");
	}
	return NULL;
}

/* An object's problem concerns the images that have one of its layers. */
static void
name_image(CamVerification *self, const char *name)
{
	g_autoptr(CamImage) image = cam_store_get_image(self->store, name, NULL);

	for (guint i = 0; image != NULL && i < self->result->problems->len; i++) {
		CamVerifyProblem *problem = g_ptr_array_index(self->result->problems, i);
		gboolean concerned = FALSE;

		for (guint k = 0; image->diff_ids[k] != NULL; k++)
			concerned = concerned ||
				    g_hash_table_contains(problem->layers, image->diff_ids[k]);
		if (concerned)
			g_ptr_array_add(problem->images, g_strdup(name));
	}
}

static gboolean
check_images(CamVerification *self, GError **error)
{
	g_autoptr(GPtrArray) names = cam_store_list_image_names(self->store, error);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		GError *problem = image_problem(self, name);

		if (problem != NULL && cam_images_is_gone(self->store, name)) {
			g_error_free(problem);
			continue;
		}
		self->result->images++;
		if (problem == NULL)
			continue;
		g_ptr_array_add(self->result->affected, g_strdup(name));
		name_image(self, name);
		if (!cam_verification_add_problem(self, "image", name, problem, error))
			return FALSE;
	}
	return names != NULL;
}

static gboolean
verify(CamVerification *self, gboolean repair, GError **error)
{
	self->repo = cam_store_get_repo(self->store, error);
	if (self->repo == NULL || !check_objects(self, error) || !check_layers(self, error) ||
	    (g_hash_table_size(self->bad_files) > 0 && !name_bad_files(self, error)) ||
	    !check_blobs(self, error) || !check_images(self, error))
		return FALSE;
	if (repair && self->result->problems->len > 0 && !cam_verification_forget(self, error))
		return FALSE;
	return cam_verification_check_files(self, repair, error);
}

gboolean
cam_store_verify(CamStore *self, gboolean repair, CamProgress *progress, CamVerifyResult *result,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) trees = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) files =
		g_hash_table_new_full(cam_sha256_hash, cam_sha256_equal, g_free, NULL);
	g_autoptr(GHashTable) objects = g_hash_table_new_full(
		ostree_hash_object_name, g_variant_equal, (GDestroyNotify) g_variant_unref, NULL);
	CamVerification verification = {
		.store = self,
		.result = result,
		.bad_layers = layers,
		.broken_trees = trees,
		.bad_objects = objects,
		.bad_files = files,
		.bad_blobs = blobs,
		.progress = progress,
		.cancellable = cancellable,
	};

	memset(result, 0, sizeof(*result));
	result->problems = g_ptr_array_new_with_free_func((GDestroyNotify) cam_verify_problem_free);
	result->affected = g_ptr_array_new_with_free_func(g_free);
	result->lost = g_ptr_array_new_with_free_func((GDestroyNotify) cam_layer_info_free);
	/* Forgetting must not happen under a running operation; looking may. */
	if (repair) {
		g_auto(CamFd) lock = cam_store_lock_sweep(self, cancellable, error);

		return lock >= 0 && verify(&verification, repair, error);
	}
	g_autoptr(CamStoreHold) hold = cam_store_hold(self, cancellable, error);
	return hold != NULL && verify(&verification, repair, error);
}
