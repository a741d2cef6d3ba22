/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What images and leases need. Owns the rule of what is alive; gc owns what happens to the rest.
 */
#include "snapshotter/store/reachable.h"

static void
add_image(CamReachable *self, const CamImage *image)
{
	g_autofree char *chain_id = NULL;

	g_hash_table_add(self->blobs, g_strdup(image->manifest->digest));
	g_hash_table_add(self->blobs, g_strdup(image->manifest->config->digest));
	if (image->index_digest != NULL)
		g_hash_table_add(self->blobs, g_strdup(image->index_digest));
	for (guint i = 0; i < image->manifest->layers->len; i++) {
		const CamDescriptor *layer = g_ptr_array_index(image->manifest->layers, i);

		g_hash_table_add(self->blobs, g_strdup(layer->digest));
	}
	for (guint i = 0; image->diff_ids[i] != NULL; i++) {
		char *next = cam_chain_id(chain_id, image->diff_ids[i]);

		g_free(chain_id);
		chain_id = next;
		g_hash_table_add(self->layers, g_strdup(image->diff_ids[i]));
		g_hash_table_add(self->chains, g_strdup(chain_id));
	}
}

static gboolean
add_images(CamStore *store, CamReachable *self, GError **error)
{
	g_autoptr(GPtrArray) names = cam_store_list_image_names(store, error);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		g_autoptr(GError) local = NULL;
		g_autoptr(CamImage) image = cam_store_get_image(store, names->pdata[i], &local);

		if (image == NULL && cam_images_is_gone(store, names->pdata[i]))
			continue;
		if (image == NULL)
			return cam_set_error(
				error, CAM_ERROR_FAILED_PRECONDITION,
				"what %s needs cannot be told (%s); import it again or "
				"remove its name, then collect",
				(char *) names->pdata[i], local->message);
		add_image(self, image);
	}
	return names != NULL;
}

static gboolean
add_leases(CamStore *store, CamReachable *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(store, &state);
	g_autoptr(CamStatement) row = cam_database_prepare(
		state,
		"SELECT digest FROM lease_digests JOIN leases ON leases.id = lease"
		" WHERE expires = 0 OR expires > ?",
		error);
	gboolean more = TRUE;

	if (row == NULL)
		return FALSE;
	cam_statement_bind_int(row, 1, g_get_real_time());
	while (cam_statement_step_checked(row, &more, error) && more) {
		const char *digest = cam_statement_text(row, 0);

		g_hash_table_add(self->blobs, g_strdup(digest));
		g_hash_table_add(self->layers, g_strdup(digest));
		g_hash_table_add(self->chains, g_strdup(digest));
	}
	return !more;
}

/* ---- chains ---- */

typedef struct {
	char *chain_id, *parent, *diff_id;
} Chain;

static void
chain_free(gpointer data)
{
	Chain *chain = data;

	g_free(chain->chain_id);
	g_free(chain->parent);
	g_free(chain->diff_id);
	g_free(chain);
}

/* What lies below comes first: the recursion works off a queue. */
static GPtrArray *
load_chains(CamStore *store, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(store, &state);
	g_autoptr(GPtrArray) chains = g_ptr_array_new_with_free_func(chain_free);
	g_autoptr(CamStatement) row = cam_database_prepare(
		state,
		"WITH RECURSIVE whole (chain_id, parent, diff_id) AS ("
		" SELECT chain_id, parent, diff_id FROM chains WHERE parent IS NULL"
		" UNION SELECT chains.chain_id, chains.parent, chains.diff_id"
		" FROM chains JOIN whole ON chains.parent = whole.chain_id)"
		"SELECT chain_id, parent, diff_id FROM whole",
		error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	while (cam_statement_step_checked(row, &more, error) && more) {
		Chain *chain = g_new0(Chain, 1);

		chain->chain_id = g_strdup(cam_statement_text(row, 0));
		chain->parent = g_strdup(cam_statement_text(row, 1));
		chain->diff_id = g_strdup(cam_statement_text(row, 2));
		g_ptr_array_add(chains, chain);
	}
	return more ? NULL : g_steal_pointer(&chains);
}

/* A chain that is needed needs its layers, and the chain below it. Of layers that all stay, the
 * merged tree stays too: a lease may name them without knowing how they are stacked. */
static gboolean
add_chains(CamStore *store, CamReachable *self, GError **error)
{
	g_autoptr(GPtrArray) chains = load_chains(store, error);

	if (chains == NULL)
		return FALSE;
	for (guint i = chains->len; i > 0; i--) {
		const Chain *chain = g_ptr_array_index(chains, i - 1);

		if (!g_hash_table_contains(self->chains, chain->chain_id))
			continue;
		g_hash_table_add(self->layers, g_strdup(chain->diff_id));
		if (chain->parent != NULL)
			g_hash_table_add(self->chains, g_strdup(chain->parent));
	}
	for (guint i = 0; i < chains->len; i++) {
		const Chain *chain = g_ptr_array_index(chains, i);

		if (g_hash_table_contains(self->layers, chain->diff_id) &&
		    (chain->parent == NULL || g_hash_table_contains(self->chains, chain->parent)))
			g_hash_table_add(self->chains, g_strdup(chain->chain_id));
	}
	return TRUE;
}

gboolean
cam_reachable_collect(CamStore *store, CamReachable *self, GError **error)
{
	self->blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->chains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return add_images(store, self, error) && add_leases(store, self, error) &&
	       add_chains(store, self, error);
}

void
cam_reachable_clear(CamReachable *self)
{
	g_clear_pointer(&self->blobs, g_hash_table_unref);
	g_clear_pointer(&self->layers, g_hash_table_unref);
	g_clear_pointer(&self->chains, g_hash_table_unref);
}
