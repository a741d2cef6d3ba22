/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replays the entries of a chain's layers into a tree of names with their times and hard links.
 * It does not decide what the merged tree holds: the store does; what is left here of paths that
 * are gone is merely never asked for. Whiteouts are followed all the same, so that a directory
 * that was removed and came back does not inherit times.
 */
#include "snapshotter/snapshots/tree-history.h"

#include <string.h>

/* Nothing deeper can be reached by a path that the kernel takes (4096 bytes). */
#define DEPTH_MAX	2048
#define PATH_LENGTH_MAX 4096
#define LINKS_MAX	40 /* as Linux */

struct _CamTreePlace {
	guint layer;	       /* that named it last */
	CamTreeRecord *record; /* (nullable) (ref): one for all names of a file */
	GHashTable *children;  /* (nullable): name → CamTreePlace */
};

struct _CamTreeHistory {
	CamTreePlace *root;
	guint layer;
	guint64 inodes;
};

static void
record_clear(gpointer data)
{
	CamTreeRecord *record = data;

	cam_stat_clear(&record->stat);
}

static void
record_unref(gpointer record)
{
	g_rc_box_release_full(record, record_clear);
}

static void
place_free(gpointer data)
{
	CamTreePlace *place = data;

	g_clear_pointer(&place->record, record_unref);
	g_clear_pointer(&place->children, g_hash_table_unref);
	g_free(place);
}

CamTreeHistory *
cam_tree_history_new(void)
{
	CamTreeHistory *self = g_new0(CamTreeHistory, 1);

	self->root = g_new0(CamTreePlace, 1);
	return self;
}

void
cam_tree_history_free(CamTreeHistory *self)
{
	if (!self)
		return;
	place_free(self->root);
	g_free(self);
}

void
cam_tree_history_next_layer(CamTreeHistory *self)
{
	self->layer++;
}

const CamTreePlace *
cam_tree_history_get_root(CamTreeHistory *self)
{
	return self->root;
}

const CamTreePlace *
cam_tree_place_get_child(const CamTreePlace *place, const char *name)
{
	return place && place->children ? g_hash_table_lookup(place->children, name) : NULL;
}

const CamTreeRecord *
cam_tree_place_get_record(const CamTreePlace *place)
{
	return place ? place->record : NULL;
}

static CamTreePlace *
make_place(CamTreeHistory *self, CamTreePlace *parent, const char *name)
{
	CamTreePlace *place = g_new0(CamTreePlace, 1);

	place->layer = self->layer;
	if (!parent->children)
		parent->children =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, place_free);
	g_hash_table_insert(parent->children, g_strdup(name), place);
	return place;
}

/* Where a path leads, while it is being followed. */
typedef struct {
	CamTreeHistory *history;
	GPtrArray *stack; /* (element-type CamTreePlace): the root first */
	GQueue rest;	  /* (element-type filename): names still to go */
	guint links;
} Way;

static void
way_clear(Way *way)
{
	g_queue_clear_full(&way->rest, g_free);
	g_ptr_array_unref(way->stack);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Way, way_clear)

static void
push_names(Way *way, const char *path)
{
	g_autofree char *names = g_strdup(path);
	char *rest = NULL;
	guint at = 0;

	for (char *name = strtok_r(names, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
		if (!g_str_equal(name, "."))
			g_queue_push_nth(&way->rest, g_strdup(name), (gint) at++);
}

static CamTreePlace *
here(const Way *way)
{
	return g_ptr_array_index(way->stack, way->stack->len - 1);
}

static gboolean
is_symlink(const CamTreePlace *place)
{
	return place->record && place->record->stat.type == CAM_NODE_SYMLINK &&
	       place->record->stat.link_target;
}

/* Goes on by one name; FALSE where nothing is known. */
static gboolean
follow_name(Way *way, const char *name, gboolean follow, gboolean make)
{
	CamTreePlace *child;

	if (g_str_equal(name, "..")) {
		if (way->stack->len > 1)
			g_ptr_array_set_size(way->stack, (gint) way->stack->len - 1);
		return TRUE;
	}
	child = (CamTreePlace *) cam_tree_place_get_child(here(way), name);
	if (!child && make)
		child = make_place(way->history, here(way), name);
	if (!child || way->stack->len > DEPTH_MAX)
		return FALSE;
	if (!follow || !is_symlink(child)) {
		g_ptr_array_add(way->stack, child);
		return TRUE;
	}
	if (++way->links > LINKS_MAX)
		return FALSE;
	if (child->record->stat.link_target[0] == '/')
		g_ptr_array_set_size(way->stack, 1);
	push_names(way, child->record->stat.link_target);
	return TRUE;
}

/*
 * The place at @path; with @make all of the way to it is made. As in the merge of layers, symbolic
 * links on the way are followed, one at the end only with @follow. NULL if it is not there or too
 * deep: whatever follows the tree downwards may then recurse.
 */
static CamTreePlace *
find_place(CamTreeHistory *self, const char *path, gboolean follow, gboolean make)
{
	g_auto(Way) way = { .history = self, .stack = g_ptr_array_new(), .rest = G_QUEUE_INIT };

	if (strlen(path) > PATH_LENGTH_MAX)
		return NULL;
	g_ptr_array_add(way.stack, self->root);
	push_names(&way, path);
	while (!g_queue_is_empty(&way.rest)) {
		g_autofree char *name = g_queue_pop_head(&way.rest);

		if (!follow_name(&way, name, follow || !g_queue_is_empty(&way.rest), make))
			return NULL;
	}
	return here(&way);
}

/* Forgets what older layers brought below @place; returns whether anything is left there. */
static gboolean
forget_children(CamTreePlace *place, guint layer)
{
	GHashTableIter iter;
	gpointer value;

	if (!place->children)
		return FALSE;
	g_hash_table_iter_init(&iter, place->children);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		CamTreePlace *child = value;
		gboolean parent = forget_children(child, layer);

		if (child->layer == layer)
			continue;
		if (parent)
			g_clear_pointer(&child->record, record_unref);
		else
			g_hash_table_iter_remove(&iter);
	}
	return g_hash_table_size(place->children) > 0;
}

static void
forget(CamTreeHistory *self, const char *path, gboolean itself)
{
	CamTreePlace *place = find_place(self, path, !itself, FALSE);

	if (!place)
		return;
	forget_children(place, self->layer);
	if (itself && place->layer != self->layer)
		g_clear_pointer(&place->record, record_unref);
}

static CamTreeRecord *
record_new(CamTreeHistory *self, const CamLayerEntry *entry)
{
	CamTreeRecord *record = g_rc_box_new0(CamTreeRecord);

	record->inode = ++self->inodes;
	record->mtime = entry->mtime;
	record->stat = (CamStat){
		.type = entry->type,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.size = entry->size,
		.link_target = g_strdup(entry->link_target),
		.rdev_major = entry->rdev_major,
		.rdev_minor = entry->rdev_minor,
		.xattrs = entry->xattrs ? g_variant_ref(entry->xattrs) : NULL,
	};
	if (entry->object)
		record->object = *entry->object;
	return record;
}

void
cam_tree_history_add(CamTreeHistory *self, const CamLayerEntry *entry)
{
	CamTreeRecord *record;

	if (entry->is_whiteout || entry->is_opaque) {
		forget(self, entry->path, entry->is_whiteout);
		return;
	}
	if (entry->is_hardlink) {
		CamTreePlace *target = find_place(self, entry->link_target, FALSE, FALSE);

		if (!target || !target->record)
			return;
		record = g_rc_box_acquire(target->record);
	} else {
		record = record_new(self, entry);
	}
	CamTreePlace *place = find_place(self, entry->path, FALSE, TRUE);
	if (!place) {
		record_unref(record);
		return;
	}
	record->names++;
	g_clear_pointer(&place->record, record_unref);
	place->record = record;
	place->layer = self->layer;
	if (record->stat.type != CAM_NODE_DIRECTORY)
		g_clear_pointer(&place->children, g_hash_table_unref);
}
