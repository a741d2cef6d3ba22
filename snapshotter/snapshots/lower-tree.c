/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks a merged tree and its history side by side, for those who make it visible as files: the
 * EROFS image and the hard-link checkout. What a file's object would tell is taken from the layer's
 * entry where that names the same object: twenty thousand objects need not be opened.
 */
#include "snapshotter/snapshots/lower-tree.h"

#include <string.h>

/* As deep as a path of 4096 bytes can be. */
#define DEPTH_MAX 2048

typedef struct {
	CamRootfs *rootfs;
	const CamLowerVisitor *visitor;
	gpointer user_data;
	GCancellable *cancellable;
	GHashTable *links; /* (element-type CamTreeRecord Link) */
	GHashTable *metas; /* (element-type CamSha256 Meta): few directories differ in metadata */
	GString *path;
	guint32 next_index;
	guint depth;
} Walk;

/* A file that has more than one name. */
typedef struct {
	guint32 index;
	CamSha256 object;
} Link;

typedef struct {
	CamSha256 id; /* the key */
	CamStat stat;
} Meta;

static gboolean walk_children(Walk *walk, const CamEntry *directory, guint32 index,
			      const CamTreePlace *place, GError **error);

/* Sets @entry's index; TRUE if it appeared before. Names are only joined where the merged tree
 * agrees that they are one file. */
static gboolean
find_link(Walk *walk, const CamTreeRecord *record, const CamEntry *file, guint32 *index)
{
	Link *link = NULL;

	if (record && record->names > 1)
		link = g_hash_table_lookup(walk->links, record);
	if (link && memcmp(&link->object, &file->id, sizeof(file->id)) == 0) {
		*index = link->index;
		return TRUE;
	}
	*index = walk->next_index++;
	if (record && record->names > 1 && !link) {
		link = g_new(Link, 1);
		*link = (Link){ *index, file->id };
		g_hash_table_insert(walk->links, (gpointer) record, link);
	}
	return FALSE;
}

static gboolean
visit_file(Walk *walk, const CamEntry *file, CamLowerEntry *entry, const CamTreeRecord *record,
	   GError **error)
{
	g_auto(CamStat) stat = { 0 };

	if (record && memcmp(&record->object, &file->id, sizeof(file->id)) == 0) {
		entry->stat = &record->stat;
	} else {
		if (!cam_rootfs_stat(walk->rootfs, file, &stat, error))
			return FALSE;
		entry->stat = &stat;
	}
	entry->is_link = find_link(walk, record, file, &entry->index);
	entry->object = &file->id;
	return walk->visitor->visit(entry, walk->user_data, error);
}

static guint
hash_id(gconstpointer id)
{
	guint hash;

	memcpy(&hash, id, sizeof(hash));
	return hash;
}

static gboolean
equal_ids(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, CAM_SHA256_SIZE) == 0;
}

static void
meta_free(gpointer data)
{
	Meta *meta = data;

	cam_stat_clear(&meta->stat);
	g_free(meta);
}

static const CamStat *
stat_directory(Walk *walk, const CamEntry *directory, GError **error)
{
	Meta *meta = g_hash_table_lookup(walk->metas, &directory->meta);

	if (meta)
		return &meta->stat;
	meta = g_new0(Meta, 1);
	meta->id = directory->meta;
	if (!cam_rootfs_stat(walk->rootfs, directory, &meta->stat, error)) {
		meta_free(meta);
		return NULL;
	}
	g_hash_table_add(walk->metas, meta);
	return &meta->stat;
}

static gboolean
visit_directory(Walk *walk, const CamEntry *directory, CamLowerEntry *entry,
		const CamTreePlace *place, GError **error)
{
	if (walk->depth >= DEPTH_MAX)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the tree is more than %u directories deep and cannot be "
				     "mounted",
				     DEPTH_MAX);
	entry->stat = stat_directory(walk, directory, error);
	if (!entry->stat)
		return FALSE;
	entry->index = walk->next_index++;
	if (!walk->visitor->visit(entry, walk->user_data, error))
		return FALSE;
	walk->depth++;
	if (!walk_children(walk, directory, entry->index, place, error))
		return FALSE;
	walk->depth--;
	entry->path = walk->path->str; /* the buffer may have moved */
	return !walk->visitor->leave || walk->visitor->leave(entry, walk->user_data, error);
}

static gboolean
visit_entry(Walk *walk, const CamEntry *child, guint32 parent, const CamTreePlace *place,
	    GError **error)
{
	const CamTreeRecord *record = cam_tree_place_get_record(place);
	CamLowerEntry entry = {
		.parent = parent,
		.name = child->name,
		.path = walk->path->str,
		.mtime = record ? record->mtime : 0,
	};

	if (child->is_directory)
		return visit_directory(walk, child, &entry, place, error);
	return visit_file(walk, child, &entry, record, error);
}

static gboolean
walk_children(Walk *walk, const CamEntry *directory, guint32 index, const CamTreePlace *place,
	      GError **error)
{
	g_autoptr(CamTree) tree = NULL;
	gsize length = walk->path->len;

	if (g_cancellable_is_cancelled(walk->cancellable))
		return cam_set_error(error, CAM_ERROR_CANCELLED, "cancelled");
	tree = cam_rootfs_open_tree(walk->rootfs, directory, error);
	if (!tree)
		return FALSE;
	for (guint i = 0; i < cam_tree_size(tree); i++) {
		const CamEntry *child = cam_tree_get(tree, i);

		if (length > 0)
			g_string_append_c(walk->path, '/');
		g_string_append(walk->path, child->name);
		if (!visit_entry(walk, child, index, cam_tree_place_get_child(place, child->name),
				 error))
			return FALSE;
		g_string_truncate(walk->path, length);
	}
	return TRUE;
}

gboolean
cam_lower_tree_walk(CamRootfs *rootfs, CamTreeHistory *history, const CamLowerVisitor *visitor,
		    gpointer user_data, GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) links = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_autoptr(GHashTable) metas = g_hash_table_new_full(hash_id, equal_ids, meta_free, NULL);
	g_autoptr(GString) path = g_string_new(NULL);
	const CamTreePlace *place = history ? cam_tree_history_get_root(history) : NULL;
	Walk walk = {
		.rootfs = rootfs,
		.visitor = visitor,
		.user_data = user_data,
		.cancellable = cancellable,
		.links = links,
		.metas = metas,
		.path = path,
	};
	CamEntry root;

	cam_rootfs_get_root(rootfs, &root);
	return visit_entry(&walk, &root, 0, place, error);
}
