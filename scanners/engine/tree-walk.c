/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk over one file tree: which paths scanners want, and what they make of them. Both are
 * remembered by identity, so a tree that was seen at the same place in any image is not opened
 * again.
 */
#include "scanners/engine/tree-walk.h"

#include <string.h>

/* A deeper directory could not be named by a path that the kernel takes (PATH_MAX). */
#define MAX_DEPTH 2048
/* Links to directories that are followed in one tree: no image needs more than a few. */
#define MAX_LINKED 64

char *
cam_scanners_generation(const CamScanner *const *scanners)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (; *scanners != NULL; scanners++)
		g_string_append_printf(text, "%s%s %u", text->len > 0 ? ", " : "",
				       (*scanners)->name, (*scanners)->version);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
join(const char *parent, const char *name)
{
	return parent[0] != '\0' ? g_strconcat(parent, "/", name, NULL) : g_strdup(name);
}

static char *
join_link(const char *parent, const char *name)
{
	return parent[0] != '\0' ? g_strconcat(parent, "/", name, "/", NULL)
				 : g_strconcat(name, "/", NULL);
}

static gboolean
is_wanted(const CamTreeWalk *self, const char *parent, const char *name, gboolean as_directory)
{
	for (const CamScanner *const *scanner = self->scanners; *scanner != NULL; scanner++)
		if ((*scanner)->wants(parent, name, as_directory))
			return TRUE;
	return FALSE;
}

/* `wants` looks at the path from the root, so the same tree elsewhere is another matter. */
static void
walk_key(const CamTreeWalk *self, const CamEntry *directory, const char *path, CamSha256 *out)
{
	char hex[65];

	cam_sha256_to_hex(&directory->id, hex);
	cam_memo_key(out, "walk 2", self->generation, hex, path, NULL);
}

static void
add_remembered(GBytes *bytes, GPtrArray *paths)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	for (gsize at = 0; at < size; at += strlen(data + at) + 1)
		g_ptr_array_add(paths, g_strndup(data + at, size - at));
}

static GBytes *
pack_paths(const GPtrArray *paths, guint first)
{
	g_autoptr(GByteArray) packed = g_byte_array_new();

	for (guint i = first; i < paths->len; i++) {
		const char *path = paths->pdata[i];

		g_byte_array_append(packed, (const guint8 *) path, strlen(path) + 1);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&packed));
}

/*
 * Adds to @paths what is wanted below @directory, whose place is @path. Where a directory is wanted
 * and something else stands, that may be a link to one: its path is added with a "/" at its end.
 * What it leads to is another tree's matter and is not remembered with this one.
 */
static gboolean
walk(CamTreeWalk *self, CamRootfs *rootfs, const CamEntry *directory, const char *path, guint depth,
     GPtrArray *paths, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) remembered = NULL, found = NULL;
	g_autoptr(CamTree) tree = NULL;
	guint first = paths->len;
	CamSha256 key;

	walk_key(self, directory, path, &key);
	remembered = cam_memo_get(self->memo, CAM_MEMO_WALK, &key);
	if (remembered != NULL) {
		self->trees_remembered++;
		add_remembered(remembered, paths);
		return TRUE;
	}
	if (depth > MAX_DEPTH)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "directories are nested deeper than %d", MAX_DEPTH);
	if (g_cancellable_set_error_if_cancelled(cancellable, error))
		return cam_error_translate(error, NULL);
	tree = cam_rootfs_open_tree(rootfs, directory, error);
	if (tree == NULL)
		return FALSE;

	self->trees_visited++;
	for (guint i = 0; i < cam_tree_size(tree); i++) {
		const CamEntry *entry = cam_tree_get(tree, i);
		g_autofree char *child = NULL;

		if (!entry->is_directory) {
			if (is_wanted(self, path, entry->name, FALSE))
				g_ptr_array_add(paths, join(path, entry->name));
			if (is_wanted(self, path, entry->name, TRUE))
				g_ptr_array_add(paths, join_link(path, entry->name));
			continue;
		}
		if (!is_wanted(self, path, entry->name, TRUE))
			continue;
		child = join(path, entry->name);
		if (!walk(self, rootfs, entry, child, depth + 1, paths, cancellable, error))
			return FALSE;
	}
	found = pack_paths(paths, first);
	cam_memo_put(self->memo, CAM_MEMO_WALK, &key, found);
	return TRUE;
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Walks the directory that @link, a path with a "/" at its end, leads to, as if it stood there. One
 * that leads nowhere, out of the tree or in circles holds nothing. */
static gboolean
walk_link(CamTreeWalk *self, CamRootfs *rootfs, const char *link, GPtrArray *paths,
	  GCancellable *cancellable, GError **error)
{
	g_autofree char *path = g_strndup(link, strlen(link) - 1);
	g_autoptr(GError) local_error = NULL;
	CamEntry entry;

	if (!cam_rootfs_lookup(rootfs, path, TRUE, NULL, &entry, &local_error)) {
		if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return !entry.is_directory ||
	       walk(self, rootfs, &entry, path, 0, paths, cancellable, error);
}

/* Replaces the links in @paths by what is wanted behind them, which may be links again. */
static gboolean
walk_links(CamTreeWalk *self, CamRootfs *rootfs, GPtrArray *paths, GCancellable *cancellable,
	   GError **error)
{
	self->links_followed = 0;
	for (guint i = 0; i < paths->len;) {
		g_autofree char *link = NULL;

		if (!g_str_has_suffix(paths->pdata[i], "/")) {
			i++;
			continue;
		}
		link = g_ptr_array_steal_index_fast(paths, i);
		if (self->links_followed++ < MAX_LINKED &&
		    !walk_link(self, rootfs, link, paths, cancellable, error))
			return FALSE;
	}
	return TRUE;
}

GPtrArray *
cam_tree_walk_find(CamTreeWalk *self, CamRootfs *rootfs, GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	CamEntry root;

	cam_rootfs_get_root(rootfs, &root);
	if (!walk(self, rootfs, &root, "", 0, paths, cancellable, error) ||
	    !walk_links(self, rootfs, paths, cancellable, error))
		return NULL;
	g_ptr_array_sort(paths, compare_paths);
	return g_steal_pointer(&paths);
}

/* (transfer container): those of @paths that @scanner wants, NULL-terminated. */
static const char **
select_paths(const CamScanner *scanner, const GPtrArray *paths)
{
	g_autoptr(GPtrArray) selected = g_ptr_array_new();

	for (guint i = 0; i < paths->len; i++) {
		const char *path = paths->pdata[i];
		const char *slash = strrchr(path, '/');
		g_autofree char *parent = g_strndup(path, slash != NULL ? slash - path : 0);

		if (scanner->wants(parent, slash != NULL ? slash + 1 : path, FALSE))
			g_ptr_array_add(selected, (gpointer) path);
	}
	g_ptr_array_add(selected, NULL);
	return (const char **) g_ptr_array_free(g_steal_pointer(&selected), FALSE);
}

/* Links are followed, as by the scanner: the key must cover what they lead to, and the limits under
 * which a result holds. */
static gboolean
fragment_key(const CamTreeWalk *self, const CamScanner *scanner, CamRootfs *rootfs,
	     const char *const *paths, CamSha256 *out, GError **error)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_autofree char *version = g_strdup_printf(
		"fragment %s %u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, scanner->name,
		scanner->version, self->limits.packages, self->limits.database_size);

	cam_hasher_update(hasher, version, strlen(version) + 1);
	for (; *paths != NULL; paths++) {
		g_autoptr(GError) local_error = NULL;
		CamEntry entry = { 0 };

		if (!cam_rootfs_lookup(rootfs, *paths, TRUE, NULL, &entry, &local_error) &&
		    !g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		cam_hasher_update(hasher, *paths, strlen(*paths) + 1);
		cam_hasher_update(hasher, &entry.id, sizeof(entry.id));
	}
	cam_hasher_finish_sha256(hasher, out);
	return TRUE;
}

static CamInventory *
run_scanner(CamTreeWalk *self, const CamScanner *scanner, CamRootfs *rootfs,
	    const char *const *paths, GCancellable *cancellable, GError **error)
{
	const CamScanRun run = { .limits = self->limits, .cancellable = cancellable };
	g_autoptr(CamInventory) inventory = NULL;
	g_autoptr(GBytes) bytes = NULL;
	CamSha256 key;

	if (!fragment_key(self, scanner, rootfs, paths, &key, error))
		return NULL;
	bytes = cam_memo_get(self->memo, CAM_MEMO_FRAGMENT, &key);
	if (bytes != NULL)
		inventory = cam_inventory_from_bytes(bytes);
	if (inventory != NULL)
		return g_steal_pointer(&inventory);

	inventory = cam_inventory_new();
	if (!scanner->scan(&run, rootfs, paths, inventory, error))
		return NULL;
	if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
		cam_error_translate(error, NULL);
		return NULL;
	}
	g_clear_pointer(&bytes, g_bytes_unref);
	bytes = cam_inventory_to_bytes(inventory);
	cam_memo_put(self->memo, CAM_MEMO_FRAGMENT, &key, bytes);
	return g_steal_pointer(&inventory);
}

CamInventory *
cam_tree_walk_scan(CamTreeWalk *self, CamRootfs *rootfs, GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) paths = cam_tree_walk_find(self, rootfs, cancellable, error);
	g_autoptr(CamInventory) inventory = NULL;

	if (paths == NULL)
		return NULL;
	inventory = cam_inventory_new();
	if (self->links_followed > MAX_LINKED)
		cam_inventory_add_problem(inventory,
					  "more than %d links to directories: the others are not "
					  "followed",
					  MAX_LINKED);
	for (const CamScanner *const *scanner = self->scanners; *scanner != NULL; scanner++) {
		g_autofree const char **wanted = select_paths(*scanner, paths);
		g_autoptr(CamInventory) part = NULL;

		if (wanted[0] == NULL)
			continue;
		part = run_scanner(self, *scanner, rootfs, wanted, cancellable, error);
		if (part == NULL)
			return NULL;
		cam_inventory_absorb(inventory, part);
	}
	cam_inventory_sort(inventory);
	return g_steal_pointer(&inventory);
}
