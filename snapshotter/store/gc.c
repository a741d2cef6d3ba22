/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Garbage collection: removes what no image and no lease needs.
 *
 * The order makes a crash at any point harmless: rows first (a layer without a row does not exist
 * for anybody), then refs, then the objects that no ref reaches, then what is told by objects.
 * Running it again finishes the work.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/store/reachable.h"
#include "snapshotter/store/repo.h"

#define SHA256_PREFIX "sha256:"

typedef struct {
	CamStore *store;
	OstreeRepo *repo;
	gboolean dry_run;
	CamReachable alive;
	CamGcResult *result;
	GHashTable *commits; /* checksums of the commits whose refs stay */
	GHashTable *live;    /* the objects that they reach */
	GCancellable *cancellable;
} Collection;

/* ---- rows ---- */

/* Runs @sql, which takes a digest, for every dead layer. */
static gboolean
for_dead_layers(CamDatabase *state, const char *sql, GHashTable *dead, GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(state, sql, error);
	GHashTableIter iter;
	gpointer diff_id;

	if (statement == NULL)
		return FALSE;
	g_hash_table_iter_init(&iter, dead);
	while (g_hash_table_iter_next(&iter, &diff_id, NULL)) {
		cam_statement_bind_text(statement, 1, diff_id);
		if (!cam_statement_run(statement, error))
			return FALSE;
	}
	return TRUE;
}

/* Chains of layers that are gone, and what stood on such a chain. */
static gboolean
delete_chains(CamDatabase *state, GError **error)
{
	if (!cam_database_exec(
		    state, "DELETE FROM chains WHERE diff_id NOT IN (SELECT diff_id FROM layers)",
		    error))
		return FALSE;
	while (cam_database_changes(state) > 0)
		if (!cam_database_exec(state,
				       "DELETE FROM chains WHERE parent IS NOT NULL"
				       " AND parent NOT IN (SELECT chain_id FROM chains)",
				       error))
			return FALSE;
	return TRUE;
}

static gboolean
delete_rows(CamDatabase *state, GHashTable *dead, GError **error)
{
	g_autoptr(CamStatement) leases = cam_database_prepare(
		state, "DELETE FROM leases WHERE expires != 0 AND expires <= ?", error);

	if (leases == NULL)
		return FALSE;
	cam_statement_bind_int(leases, 1, g_get_real_time());
	return cam_statement_run(leases, error) &&
	       for_dead_layers(state, "DELETE FROM layer_blobs WHERE diff_id = ?", dead, error) &&
	       for_dead_layers(state, "DELETE FROM layers WHERE diff_id = ?", dead, error) &&
	       delete_chains(state, error);
}

static GHashTable *
find_dead_layers(Collection *self, CamDatabase *state, GError **error)
{
	g_autoptr(GHashTable) dead = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT diff_id FROM layers", error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	while (cam_statement_step_checked(row, &more, error) && more) {
		const char *diff_id = cam_statement_text(row, 0);

		if (!g_hash_table_contains(self->alive.layers, diff_id))
			g_hash_table_add(dead, g_strdup(diff_id));
	}
	return more ? NULL : g_steal_pointer(&dead);
}

static gboolean
sweep_rows(gpointer data, GError **error)
{
	Collection *self = data;
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);
	g_autoptr(GHashTable) dead = find_dead_layers(self, state, error);

	if (dead == NULL)
		return FALSE;
	self->result->layers = g_hash_table_size(dead);
	if (self->dry_run)
		return TRUE;
	if (!cam_database_begin(state, error))
		return FALSE;
	if (delete_rows(state, dead, error) && cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

/* ---- refs and objects ---- */

/* Drops the refs below @prefix whose digest is not in @alive; remembers the commits of the others.
 * Counts the dropped ones in @n_dead (nullable). */
static gboolean
sweep_refs(Collection *self, const char *prefix, GHashTable *alive, guint *n_dead, GError **error)
{
	g_autoptr(GHashTable) refs = NULL;
	GHashTableIter iter;
	gpointer ref, commit;

	if (!ostree_repo_list_refs_ext(self->repo, prefix, &refs,
				       OSTREE_REPO_LIST_REFS_EXT_EXCLUDE_REMOTES, self->cancellable,
				       error))
		return cam_error_translate(error, "cannot list %s", prefix);
	g_hash_table_iter_init(&iter, refs);
	while (g_hash_table_iter_next(&iter, &ref, &commit)) {
		const char *hex = strrchr(ref, '/') + 1;
		g_autofree char *digest = g_strconcat(SHA256_PREFIX, hex, NULL);

		if (g_hash_table_contains(alive, digest)) {
			g_hash_table_add(self->commits, g_strdup(commit));
			continue;
		}
		if (n_dead != NULL)
			(*n_dead)++;
		if (!self->dry_run && !ostree_repo_set_ref_immediate(self->repo, NULL, ref, NULL,
								     self->cancellable, error))
			return cam_error_translate(error, "cannot remove ref %s", (char *) ref);
	}
	return TRUE;
}

static GHashTable *
traverse_live_commits(Collection *self, GError **error)
{
	g_autoptr(GHashTable) objects = ostree_repo_traverse_new_reachable();
	GHashTableIter iter;
	gpointer commit;

	g_hash_table_iter_init(&iter, self->commits);
	while (g_hash_table_iter_next(&iter, &commit, NULL))
		if (!ostree_repo_traverse_commit_union(self->repo, commit, 0, objects,
						       self->cancellable, error)) {
			cam_error_translate(error, "the store is damaged; run 'cambium verify'");
			return NULL;
		}
	return g_steal_pointer(&objects);
}

static gboolean
sweep_objects(Collection *self, GHashTable *live, GError **error)
{
	gint total, pruned;
	guint64 bytes;
	OstreeRepoPruneOptions options = {
		.flags = self->dry_run ? OSTREE_REPO_PRUNE_FLAGS_NO_PRUNE
				       : OSTREE_REPO_PRUNE_FLAGS_NONE,
		.reachable = live,
	};

	if (!ostree_repo_prune_from_reachable(self->repo, &options, &total, &pruned, &bytes,
					      self->cancellable, error))
		return cam_error_translate(error, "cannot remove objects");
	self->result->objects = pruned;
	self->result->bytes += bytes;
	return TRUE;
}

static gboolean
is_live_object(GHashTable *live, gconstpointer object)
{
	char hex[65];
	CamSha256 sha256;

	memcpy(sha256.bytes, object, CAM_SHA256_SIZE);
	cam_sha256_to_hex(&sha256, hex);
	g_autoptr(GVariant) name =
		g_variant_ref_sink(ostree_object_name_serialize(hex, OSTREE_OBJECT_TYPE_FILE));
	return g_hash_table_contains(live, name);
}

static gboolean
delete_content_rows(CamDatabase *state, GHashTable *live, GError **error)
{
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT object FROM content", error);
	g_autoptr(CamStatement) delete =
		cam_database_prepare(state, "DELETE FROM content WHERE object = ?", error);
	gboolean more = TRUE;

	if (row == NULL || delete == NULL)
		return FALSE;
	while (cam_statement_step_checked(row, &more, error) && more) {
		gsize size;
		gconstpointer object = cam_statement_blob(row, 0, &size);

		if (size == CAM_SHA256_SIZE && is_live_object(live, object))
			continue;
		cam_statement_bind_blob(delete, 1, object, size);
		if (!cam_statement_run(delete, error))
			return FALSE;
	}
	return !more;
}

/* The digests of contents that are gone. */
static gboolean
sweep_content(gpointer data, GError **error)
{
	Collection *self = data;
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);

	if (self->dry_run)
		return TRUE;
	if (!cam_database_begin(state, error))
		return FALSE;
	if (delete_content_rows(state, self->live, error) && cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

static gboolean
sweep_repo(Collection *self, GError **error)
{
	if (!sweep_refs(self, CAM_STORE_LAYER_REFS, self->alive.layers, NULL, error) ||
	    !sweep_refs(self, CAM_STORE_ROOTFS_REFS, self->alive.chains, &self->result->rootfs,
			error))
		return FALSE;
	g_autoptr(GHashTable) live = traverse_live_commits(self, error);
	self->live = live;
	return live != NULL && sweep_objects(self, live, error) &&
	       cam_store_remove_with_reserve(self->store, sweep_content, self, error);
}

/* ---- files named by digest ---- */

/* Removes the files of @directory, named <hex>@suffix, whose digest, of that @algorithm, is not in
 * @alive. */
static gboolean
sweep_files(Collection *self, const char *directory, const char *algorithm, const char *suffix,
	    GHashTable *alive, guint *n_dead, GError **error)
{
	g_autofree char *path = g_build_filename(cam_store_get_path(self->store), directory, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *hex = g_strndup(name, strcspn(name, "."));
		g_autofree char *digest = g_strconcat(algorithm, hex, NULL);
		struct stat st;

		if (!g_str_has_suffix(name, suffix) ||
		    (g_hash_table_contains(alive, digest) && !cam_store_is_old_image(name)) ||
		    lstat(file, &st) != 0)
			continue;
		if (!self->dry_run && unlink(file) != 0 && errno != ENOENT)
			return cam_set_error_errno(error, errno, "cannot remove %s", file);
		self->result->bytes += st.st_size;
		if (n_dead != NULL)
			(*n_dead)++;
	}
	return TRUE;
}

static gboolean
collect(Collection *self, GError **error)
{
	self->repo = cam_store_get_repo(self->store, error);
	if (self->repo == NULL || !cam_reachable_collect(self->store, &self->alive, error))
		return FALSE;
	return cam_store_remove_with_reserve(self->store, sweep_rows, self, error) &&
	       sweep_repo(self, error) &&
	       sweep_files(self, "blobs/sha256", SHA256_PREFIX, "", self->alive.blobs,
			   &self->result->blobs, error) &&
	       sweep_files(self, "blobs/sha512", "sha512:", "", self->alive.blobs,
			   &self->result->blobs, error) &&
	       sweep_files(self, CAM_STORE_EROFS_DIR, SHA256_PREFIX, ".erofs", self->alive.chains,
			   NULL, error);
}

gboolean
cam_store_gc(CamStore *self, gboolean dry_run, CamProgress *progress, CamGcResult *result,
	     GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) commits =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Collection collection = {
		.store = self,
		.dry_run = dry_run,
		.result = result,
		.commits = commits,
		.cancellable = cancellable,
	};

	memset(result, 0, sizeof(*result));
	guint waiting = cam_progress_begin(progress, "waiting for running operations", 0,
					   CAM_PROGRESS_ITEMS);
	g_auto(CamFd) lock = cam_store_lock_sweep(self, cancellable, error);
	cam_progress_end(progress, waiting);
	if (lock < 0)
		return FALSE;
	guint phase = cam_progress_begin(progress, "collecting", 0, CAM_PROGRESS_ITEMS);
	if (!dry_run) {
		cam_store_sweep_tmp(self);
		cam_store_sweep_aside(self);
	}
	gboolean ok =
		collect(&collection, error) && (dry_run || cam_repo_sweep(collection.repo, error));
	if (!dry_run)
		cam_store_make_reserve(self);
	cam_progress_end(progress, phase);
	cam_reachable_clear(&collection.alive);
	return ok;
}
