/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which layers build which chainID. A chainID is a digest, so that nobody can tell from it alone
 * what it stands for: the store remembers the chains of its images, and those that somebody adds.
 * A row says what a chain consists of, not that its layers are there.
 */
#include "snapshotter/store/store-private.h"

#define MAX_CHAIN 4096 /* far more than any kernel mounts; a damaged table must not go round */

gboolean
cam_chains_insert(CamDatabase *state, const char *const *diff_ids, GError **error)
{
	g_autoptr(CamStatement) insert = cam_database_prepare(
		state, "INSERT OR REPLACE INTO chains (chain_id, parent, diff_id) VALUES (?, ?, ?)",
		error);
	g_autofree char *parent = NULL;

	if (insert == NULL)
		return FALSE;
	for (; *diff_ids != NULL; diff_ids++) {
		char *chain_id = cam_chain_id(parent, *diff_ids);

		cam_statement_bind_text(insert, 1, chain_id);
		cam_statement_bind_text(insert, 2, parent);
		cam_statement_bind_text(insert, 3, *diff_ids);
		g_free(parent);
		parent = chain_id;
		if (!cam_statement_run(insert, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
cam_store_add_chain(CamStore *self, const char *const *diff_ids, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = NULL;

	for (gsize i = 0; diff_ids[i] != NULL; i++) {
		CamSha256 valid;

		if (!cam_digest_to_sha256(diff_ids[i], &valid, error))
			return FALSE;
	}
	locker = cam_store_lock_state(self, &state);
	if (!cam_database_begin(state, error))
		return FALSE;
	if (cam_chains_insert(state, diff_ids, error) && cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

/* ---- stores whose images came before the table ---- */

static gboolean
is_filled(CamStore *self, gboolean *filled, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) row = cam_database_prepare(
		state, "SELECT 1 FROM marks WHERE name = '" CAM_MARK_CHAINS "'", error);

	return row != NULL && cam_statement_step_checked(row, filled, error);
}

static gboolean
insert_all(CamDatabase *state, GPtrArray *images, GError **error)
{
	for (guint i = 0; i < images->len; i++) {
		const CamImage *image = g_ptr_array_index(images, i);

		if (!cam_chains_insert(state, (const char *const *) image->diff_ids, error))
			return FALSE;
	}
	return cam_database_exec(
		state, "INSERT OR IGNORE INTO marks (name) VALUES ('" CAM_MARK_CHAINS "')", error);
}

/* Once: later images bring their chains themselves. One that cannot be read now brings its chains
 * when it is imported again. */
static gboolean
ensure_filled(CamStore *self, GError **error)
{
	gboolean filled = FALSE;

	if (!is_filled(self, &filled, error))
		return FALSE;
	if (filled)
		return TRUE;
	g_autoptr(GPtrArray) images = cam_store_list_images(self, error);
	if (images == NULL)
		return FALSE;
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	if (!cam_database_begin(state, error))
		return FALSE;
	if (insert_all(state, images, error) && cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

/* ---- finding ---- */

/* One step down. *@diff_id (nullable) is the chain's uppermost layer if the store has both;
 * *@parent (nullable) what lies below. */
static gboolean
step_down(CamStore *self, const char *chain_id, char **diff_id, char **parent, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) row = cam_database_prepare(
		state,
		"SELECT diff_id, parent FROM chains JOIN layers USING (diff_id) WHERE chain_id = ?",
		error);
	gboolean found;

	if (row == NULL)
		return FALSE;
	cam_statement_bind_text(row, 1, chain_id);
	if (!cam_statement_step_checked(row, &found, error))
		return FALSE;
	if (found) {
		*diff_id = g_strdup(cam_statement_text(row, 0));
		*parent = g_strdup(cam_statement_text(row, 1));
	}
	return TRUE;
}

static char **
reversed(GPtrArray *layers)
{
	char **diff_ids = g_new0(char *, layers->len + 1);

	for (guint i = 0; i < layers->len; i++)
		diff_ids[i] = g_strdup(g_ptr_array_index(layers, layers->len - 1 - i));
	return diff_ids;
}

gboolean
cam_store_find_chain(CamStore *self, const char *chain_id, char ***diff_ids, GError **error)
{
	g_autoptr(GPtrArray) layers = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *next = g_strdup(chain_id);

	*diff_ids = NULL;
	if (!ensure_filled(self, error))
		return FALSE;
	while (next != NULL) {
		char *diff_id = NULL, *parent = NULL;

		if (!step_down(self, next, &diff_id, &parent, error))
			return FALSE;
		if (diff_id == NULL || layers->len == MAX_CHAIN) {
			g_free(diff_id);
			g_free(parent);
			return TRUE;
		}
		g_ptr_array_add(layers, diff_id);
		g_free(next);
		next = parent;
	}
	*diff_ids = reversed(layers);
	return TRUE;
}
