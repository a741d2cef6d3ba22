/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file tree in memory. It is edited as a tree of nodes; when it is looked at, the nodes are
 * turned into objects that are found by identity alone, as in a real store. Objects are never
 * dropped, so an entry taken before an edit keeps its meaning.
 */
#include "snapshotter/store/memory-rootfs.h"

#include <string.h>

typedef struct {
	CamStat stat;
	GBytes *content;      /* regular files */
	GHashTable *children; /* directories: utf8 → CamNode */
} CamNode;

typedef struct {
	CamStat stat; /* of a file, or of a directory's metadata */
	GBytes *content;
} CamObject;

struct _CamMemoryRootfs {
	CamRootfs parent_instance;

	GMutex mutex;
	CamNode *root;
	gboolean dirty;	     /* the nodes were edited since root_entry was made */
	CamEntry root_entry; /* its name is "" */
	GHashTable *objects; /* CamSha256 → CamObject */
	GHashTable *trees;   /* CamSha256 → CamTree */
};

G_DEFINE_FINAL_TYPE(CamMemoryRootfs, cam_memory_rootfs, CAM_TYPE_ROOTFS)

static void
copy_stat(CamStat *to, const CamStat *from)
{
	*to = *from;
	to->link_target = g_strdup(from->link_target);
	to->xattrs = from->xattrs != NULL ? g_variant_ref_sink(from->xattrs) : NULL;
}

static void
cam_node_free(CamNode *self)
{
	cam_stat_clear(&self->stat);
	g_clear_pointer(&self->content, g_bytes_unref);
	g_clear_pointer(&self->children, g_hash_table_unref);
	g_free(self);
}

static CamNode *
cam_node_new(const CamStat *stat, GBytes *content)
{
	CamNode *self = g_new0(CamNode, 1);

	copy_stat(&self->stat, stat);
	if (stat->type == CAM_NODE_REGULAR) {
		self->content = content != NULL ? g_bytes_ref(content) : g_bytes_new_static("", 0);
		self->stat.size = g_bytes_get_size(self->content);
	}
	if (stat->type == CAM_NODE_DIRECTORY)
		self->children = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						       (GDestroyNotify) cam_node_free);
	return self;
}

static CamNode *
cam_node_new_directory(void)
{
	const CamStat st = { .type = CAM_NODE_DIRECTORY, .mode = 0755 };

	return cam_node_new(&st, NULL);
}

static void
cam_object_free(CamObject *self)
{
	cam_stat_clear(&self->stat);
	g_clear_pointer(&self->content, g_bytes_unref);
	g_free(self);
}

/* ---- identities ---- */

static void
hash_uint(CamHasher *hasher, guint64 value)
{
	guint64 big_endian = GUINT64_TO_BE(value);

	cam_hasher_update(hasher, &big_endian, sizeof(big_endian));
}

static void
hash_sized(CamHasher *hasher, gconstpointer data, gsize size)
{
	hash_uint(hasher, size);
	if (size > 0)
		cam_hasher_update(hasher, data, size);
}

static void
node_identity(const CamNode *node, CamSha256 *out)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	const CamStat *st = &node->stat;

	hash_uint(hasher, st->type);
	hash_uint(hasher, st->mode);
	hash_uint(hasher, st->uid);
	hash_uint(hasher, st->gid);
	hash_uint(hasher, st->rdev_major);
	hash_uint(hasher, st->rdev_minor);
	if (st->link_target != NULL)
		hash_sized(hasher, st->link_target, strlen(st->link_target));
	if (st->xattrs != NULL)
		hash_sized(hasher, g_variant_get_data(st->xattrs), g_variant_get_size(st->xattrs));
	if (node->content != NULL)
		hash_sized(hasher, g_bytes_get_data(node->content, NULL),
			   g_bytes_get_size(node->content));
	cam_hasher_finish_sha256(hasher, out);
}

static void
tree_identity(CamTree *tree, CamSha256 *out)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();

	for (guint i = 0; i < cam_tree_size(tree); i++) {
		const CamEntry *entry = cam_tree_get(tree, i);

		hash_sized(hasher, entry->name, strlen(entry->name));
		hash_uint(hasher, entry->is_directory);
		cam_hasher_update(hasher, &entry->id, sizeof(entry->id));
		cam_hasher_update(hasher, &entry->meta, sizeof(entry->meta));
	}
	cam_hasher_finish_sha256(hasher, out);
}

static void
remember_object(CamMemoryRootfs *self, const CamNode *node, const CamSha256 *id)
{
	CamObject *object;

	if (g_hash_table_contains(self->objects, id))
		return;
	object = g_new0(CamObject, 1);
	copy_stat(&object->stat, &node->stat);
	if (node->content != NULL)
		object->content = g_bytes_ref(node->content);
	g_hash_table_insert(self->objects, g_memdup2(id, sizeof(*id)), object);
}

/* Makes the objects of @node and all below; depth is bounded by what the tests add. */
static void
freeze(CamMemoryRootfs *self, const char *name, const CamNode *node, CamEntry *out)
{
	*out = (CamEntry){ .name = name };
	node_identity(node, &out->id);
	remember_object(self, node, &out->id);
	if (node->children != NULL) {
		g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(CamEntry));
		g_autoptr(CamTree) tree = NULL;
		GHashTableIter iter;
		gpointer key, value;

		g_hash_table_iter_init(&iter, node->children);
		while (g_hash_table_iter_next(&iter, &key, &value)) {
			CamEntry entry;

			freeze(self, key, value, &entry);
			g_array_append_val(entries, entry);
		}
		tree = cam_tree_new((const CamEntry *) entries->data, entries->len);
		out->is_directory = TRUE;
		out->meta = out->id;
		tree_identity(tree, &out->id);
		g_hash_table_replace(self->trees, g_memdup2(&out->id, sizeof(out->id)),
				     g_steal_pointer(&tree));
	}
}

/* ---- the tree as seen ---- */

static void
memory_get_root(CamRootfs *rootfs, CamEntry *root)
{
	CamMemoryRootfs *self = CAM_MEMORY_ROOTFS(rootfs);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	if (self->dirty)
		freeze(self, "", self->root, &self->root_entry);
	self->dirty = FALSE;
	*root = self->root_entry;
}

static CamTree *
memory_open_tree(CamRootfs *rootfs, const CamEntry *directory, GError **error)
{
	CamMemoryRootfs *self = CAM_MEMORY_ROOTFS(rootfs);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	CamTree *tree = g_hash_table_lookup(self->trees, &directory->id);

	if (tree == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "no tree of directory %s",
			      directory->name);
		return NULL;
	}
	return cam_tree_ref(tree);
}

/* Objects are never dropped before @self: the result may be used without the lock. */
static const CamObject *
find_object(CamMemoryRootfs *self, const CamEntry *entry, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	const CamObject *object =
		g_hash_table_lookup(self->objects, entry->is_directory ? &entry->meta : &entry->id);

	if (object == NULL)
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "no object of %s", entry->name);
	return object;
}

static gboolean
memory_stat(CamRootfs *rootfs, const CamEntry *entry, CamStat *out, GError **error)
{
	const CamObject *object = find_object(CAM_MEMORY_ROOTFS(rootfs), entry, error);

	if (object == NULL)
		return FALSE;
	copy_stat(out, &object->stat);
	return TRUE;
}

static GBytes *
find_content(CamRootfs *rootfs, const CamEntry *file, GError **error)
{
	const CamObject *object = find_object(CAM_MEMORY_ROOTFS(rootfs), file, error);

	if (object == NULL)
		return NULL;
	if (object->content == NULL) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s is no regular file",
			      file->name);
		return NULL;
	}
	return object->content;
}

static GInputStream *
memory_open(CamRootfs *rootfs, const CamEntry *file, GError **error)
{
	GBytes *content = find_content(rootfs, file, error);

	return content != NULL ? g_memory_input_stream_new_from_bytes(content) : NULL;
}

static gboolean
memory_content_sha256(CamRootfs *rootfs, const CamEntry *file, CamSha256 *out, GError **error)
{
	GBytes *content = find_content(rootfs, file, error);
	g_autoptr(CamHasher) hasher = NULL;

	if (content == NULL)
		return FALSE;
	hasher = cam_hasher_new();
	cam_hasher_update(hasher, g_bytes_get_data(content, NULL), g_bytes_get_size(content));
	cam_hasher_finish_sha256(hasher, out);
	return TRUE;
}

static void
cam_memory_rootfs_finalize(GObject *object)
{
	CamMemoryRootfs *self = CAM_MEMORY_ROOTFS(object);

	cam_node_free(self->root);
	g_hash_table_unref(self->objects);
	g_hash_table_unref(self->trees);
	g_mutex_clear(&self->mutex);
	G_OBJECT_CLASS(cam_memory_rootfs_parent_class)->finalize(object);
}

static void
cam_memory_rootfs_class_init(CamMemoryRootfsClass *klass)
{
	CamRootfsClass *rootfs_class = CAM_ROOTFS_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_memory_rootfs_finalize;
	rootfs_class->get_root = memory_get_root;
	rootfs_class->open_tree = memory_open_tree;
	rootfs_class->stat = memory_stat;
	rootfs_class->open = memory_open;
	rootfs_class->content_sha256 = memory_content_sha256;
}

static void
cam_memory_rootfs_init(CamMemoryRootfs *self)
{
	g_mutex_init(&self->mutex);
	self->root = cam_node_new_directory();
	self->dirty = TRUE;
	self->objects = g_hash_table_new_full(cam_sha256_hash, cam_sha256_equal, g_free,
					      (GDestroyNotify) cam_object_free);
	self->trees = g_hash_table_new_full(cam_sha256_hash, cam_sha256_equal, g_free,
					    (GDestroyNotify) cam_tree_unref);
}

CamMemoryRootfs *
cam_memory_rootfs_new(void)
{
	return g_object_new(CAM_TYPE_MEMORY_ROOTFS, NULL);
}

/* ---- editing ---- */

/* The directory that holds the last component of @path, made where it is missing. */
static CamNode *
parent_of(CamMemoryRootfs *self, const char *path, char **name)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	CamNode *node = self->root;
	const char *last = NULL;

	for (char **part = parts; *part != NULL; part++) {
		CamNode *child;

		if (**part == '\0')
			continue;
		if (last != NULL) {
			child = g_hash_table_lookup(node->children, last);
			if (child == NULL || child->children == NULL) {
				child = cam_node_new_directory();
				g_hash_table_replace(node->children, g_strdup(last), child);
			}
			node = child;
		}
		last = *part;
	}
	*name = g_strdup(last);
	return node;
}

void
cam_memory_rootfs_add(CamMemoryRootfs *self, const char *path, const CamStat *stat, GBytes *content)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autofree char *name = NULL;
	CamNode *parent = parent_of(self, path, &name);
	CamNode *node;
	CamNode *old = name != NULL ? g_hash_table_lookup(parent->children, name) : self->root;

	g_return_if_fail(name != NULL || stat->type == CAM_NODE_DIRECTORY);
	node = cam_node_new(stat, content);
	/* A directory that is there keeps its children and gets the new metadata. */
	if (old != NULL && old->children != NULL && node->children != NULL) {
		g_hash_table_unref(node->children);
		node->children = g_steal_pointer(&old->children);
	}
	if (name != NULL) {
		g_hash_table_replace(parent->children, g_steal_pointer(&name), node);
	} else {
		cam_node_free(self->root);
		self->root = node;
	}
	self->dirty = TRUE;
}

void
cam_memory_rootfs_add_file(CamMemoryRootfs *self, const char *path, const char *content,
			   gssize size, guint32 mode)
{
	const CamStat st = { .type = CAM_NODE_REGULAR, .mode = mode };
	g_autoptr(GBytes) bytes = g_bytes_new(content, size < 0 ? strlen(content) : (gsize) size);

	cam_memory_rootfs_add(self, path, &st, bytes);
}

void
cam_memory_rootfs_add_symlink(CamMemoryRootfs *self, const char *path, const char *target)
{
	const CamStat st = { .type = CAM_NODE_SYMLINK,
			     .mode = 0777,
			     .link_target = (char *) target };

	cam_memory_rootfs_add(self, path, &st, NULL);
}

void
cam_memory_rootfs_remove(CamMemoryRootfs *self, const char *path)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autofree char *name = NULL;
	CamNode *parent = parent_of(self, path, &name);

	g_return_if_fail(name != NULL);
	g_hash_table_remove(parent->children, name);
	self->dirty = TRUE;
}
