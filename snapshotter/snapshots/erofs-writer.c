/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds the tree of an EROFS image and refuses what the format cannot hold. Where things go in
 * the image is erofs-layout.c's; how directories and attributes are encoded, erofs-directory.c's
 * and erofs-xattr.c's.
 */
#include "snapshotter/snapshots/erofs-writer.h"

#include <string.h>
#include <sys/stat.h>

#include "snapshotter/snapshots/erofs-tree.h"
#include "snapshotter/snapshots/erofs-xattr.h"

#define PERMISSIONS 07777u
#define SYMLINK_MAX 4095
#define MAJOR_MAX   0xfffu
#define MINOR_MAX   0xfffffu
/* One entry of a chunk map stands for 8 TiB; a file of a pebibyte needs 128. */
#define FILE_SIZE_MAX (G_GUINT64_CONSTANT(1) << 50)
#define NODES_MAX     (G_MAXUINT32 / 2)

struct _CamErofsWriter {
	CamErofsTree tree;
	gboolean written;
};

static const struct {
	guint32 format;
	guint8 type;
} node_types[] = {
	[CAM_NODE_REGULAR] = { S_IFREG, EROFS_TYPE_REGULAR },
	[CAM_NODE_DIRECTORY] = { S_IFDIR, EROFS_TYPE_DIRECTORY },
	[CAM_NODE_SYMLINK] = { S_IFLNK, EROFS_TYPE_SYMLINK },
	[CAM_NODE_CHARACTER] = { S_IFCHR, EROFS_TYPE_CHARACTER },
	[CAM_NODE_BLOCK] = { S_IFBLK, EROFS_TYPE_BLOCK },
	[CAM_NODE_FIFO] = { S_IFIFO, EROFS_TYPE_FIFO },
};

static void
clear_node(gpointer data)
{
	CamErofsNode *node = data;

	g_clear_pointer(&node->xattrs, g_bytes_unref);
	g_clear_pointer(&node->entries, g_array_unref);
}

static gboolean
refuse(GError **error, const char *name, const char *why)
{
	g_autofree char *shown = g_utf8_make_valid(name, (gssize) strnlen(name, EROFS_NAME_MAX));

	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "\"%s\" cannot be in a mountable image: %s", shown, why);
}

static gboolean
check_name(const char *name, GError **error)
{
	if (*name == '\0' || strchr(name, '/') || g_str_equal(name, ".") || g_str_equal(name, ".."))
		return refuse(error, name, "it is not a name");
	if (strlen(name) > EROFS_NAME_MAX)
		return refuse(error, name, "the name has more than 255 bytes");
	return TRUE;
}

static gboolean
check_stat(const char *name, const CamStat *stat, const CamSha256 *object, GError **error)
{
	switch (stat->type) {
	case CAM_NODE_REGULAR:
		if (stat->size > FILE_SIZE_MAX)
			return refuse(error, name, "the file is larger than 1 PiB");
		if (stat->size > 0 && !object)
			return refuse(error, name, "its content is not in the store");
		return TRUE;
	case CAM_NODE_SYMLINK:
		if (!stat->link_target || *stat->link_target == '\0')
			return refuse(error, name, "the link has no target");
		if (strlen(stat->link_target) > SYMLINK_MAX)
			return refuse(error, name, "the link's target has more than 4095 bytes");
		return TRUE;
	case CAM_NODE_CHARACTER:
	case CAM_NODE_BLOCK:
		if (stat->rdev_major > MAJOR_MAX || stat->rdev_minor > MINOR_MAX)
			return refuse(error, name, "the kernel has no such device number");
		return TRUE;
	case CAM_NODE_DIRECTORY:
	case CAM_NODE_FIFO:
		return TRUE;
	}
	return refuse(error, name, "its type is unknown");
}

/* The kernel's encoding of a device number in 32 bits. */
static guint32
encode_device(guint32 device_major, guint32 device_minor)
{
	return (device_minor & 0xff) | device_major << 8 | (device_minor & ~0xffu) << 12;
}

static void
set_stat(CamErofsTree *tree, CamErofsNode *node, const CamStat *stat, const CamSha256 *object)
{
	node->mode = node_types[stat->type].format | (stat->mode & PERMISSIONS);
	node->type = node_types[stat->type].type;
	node->uid = stat->uid;
	node->gid = stat->gid;
	switch (stat->type) {
	case CAM_NODE_REGULAR:
		node->size = stat->size;
		node->has_object = stat->size > 0;
		if (node->has_object)
			node->object = *object;
		break;
	case CAM_NODE_DIRECTORY:
		node->entries = g_array_new(FALSE, FALSE, sizeof(CamErofsEntry));
		break;
	case CAM_NODE_SYMLINK:
		node->size = strlen(stat->link_target);
		node->link_target = g_string_chunk_insert(tree->strings, stat->link_target);
		break;
	case CAM_NODE_CHARACTER:
	case CAM_NODE_BLOCK:
		node->rdev = encode_device(stat->rdev_major, stat->rdev_minor);
		break;
	case CAM_NODE_FIFO:
		break;
	}
}

static gboolean
append_node(CamErofsTree *tree, guint32 parent, const char *name, const CamStat *stat, gint64 mtime,
	    const CamSha256 *object, GError **error)
{
	CamErofsNode node = { .parent = parent, .mtime = mtime };

	if (!check_stat(name, stat, object, error))
		return FALSE;
	if (tree->nodes->len >= NODES_MAX)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "too many files for one mountable image");
	if (!cam_erofs_pack_xattrs(stat->xattrs, &node.xattrs, error))
		return cam_error_translate(error, "%s", name);
	set_stat(tree, &node, stat, object);
	g_array_append_val(tree->nodes, node);
	return TRUE;
}

/* Gives the inode at @index a name; the directory's and the inode's link counts follow. */
static void
append_entry(CamErofsTree *tree, guint32 parent, const char *name, guint32 index)
{
	CamErofsEntry entry = { g_string_chunk_insert(tree->strings, name), index };
	CamErofsNode *node = cam_erofs_tree_get(tree, index);
	CamErofsNode *directory = cam_erofs_tree_get(tree, parent);

	g_array_append_val(directory->entries, entry);
	node->nlink++;
	if (node->entries)
		directory->nlink++;
}

CamErofsWriter *
cam_erofs_writer_new(const CamStat *root, gint64 mtime, GError **error)
{
	g_autoptr(CamErofsWriter) self = g_new0(CamErofsWriter, 1);

	g_return_val_if_fail(root->type == CAM_NODE_DIRECTORY, NULL);
	self->tree.nodes = g_array_new(FALSE, FALSE, sizeof(CamErofsNode));
	g_array_set_clear_func(self->tree.nodes, clear_node);
	self->tree.strings = g_string_chunk_new(64 * 1024);
	if (!append_node(&self->tree, CAM_EROFS_ROOT, "/", root, mtime, NULL, error))
		return NULL;
	cam_erofs_tree_get(&self->tree, CAM_EROFS_ROOT)->nlink = 2; /* "." and ".." */
	return g_steal_pointer(&self);
}

void
cam_erofs_writer_free(CamErofsWriter *self)
{
	if (!self)
		return;
	g_array_unref(self->tree.nodes);
	g_string_chunk_free(self->tree.strings);
	g_free(self);
}

static gboolean
is_directory(CamErofsWriter *self, guint32 index)
{
	return index < self->tree.nodes->len && cam_erofs_tree_get(&self->tree, index)->entries;
}

gboolean
cam_erofs_writer_add(CamErofsWriter *self, guint32 parent, const char *name, const CamStat *stat,
		     gint64 mtime, const CamSha256 *object, guint32 *index, GError **error)
{
	guint32 added = self->tree.nodes->len;

	g_return_val_if_fail(!self->written && is_directory(self, parent), FALSE);
	if (!check_name(name, error) ||
	    !append_node(&self->tree, parent, name, stat, mtime, object, error))
		return FALSE;
	append_entry(&self->tree, parent, name, added);
	if (stat->type == CAM_NODE_DIRECTORY)
		cam_erofs_tree_get(&self->tree, added)->nlink++; /* its own "." */
	if (index)
		*index = added;
	return TRUE;
}

gboolean
cam_erofs_writer_link(CamErofsWriter *self, guint32 parent, const char *name, guint32 inode,
		      GError **error)
{
	g_return_val_if_fail(!self->written && is_directory(self, parent), FALSE);
	g_return_val_if_fail(inode < self->tree.nodes->len && !is_directory(self, inode), FALSE);
	if (!check_name(name, error))
		return FALSE;
	append_entry(&self->tree, parent, name, inode);
	return TRUE;
}

gboolean
cam_erofs_writer_hide_objects(CamErofsWriter *self, GError **error)
{
	static const CamStat whiteout = { .type = CAM_NODE_CHARACTER };
	CamErofsNode *root = cam_erofs_tree_get(&self->tree, CAM_EROFS_ROOT);
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < root->entries->len; i++) {
		CamErofsEntry *entry = &g_array_index(root->entries, CamErofsEntry, i);

		g_hash_table_insert(known, (gpointer) entry->name, GUINT_TO_POINTER(entry->inode));
	}
	for (guint i = 0; i < 256; i++) {
		char name[3];

		g_snprintf(name, sizeof(name), "%02x", i);
		guint32 own = GPOINTER_TO_UINT(g_hash_table_lookup(known, name));
		if (own != 0)
			cam_erofs_tree_get(&self->tree, own)->opaque = is_directory(self, own);
		else if (!cam_erofs_writer_add(self, CAM_EROFS_ROOT, name, &whiteout, 0, NULL, NULL,
					       error))
			return FALSE;
	}
	return TRUE;
}

gboolean
cam_erofs_writer_write(CamErofsWriter *self, int fd, guint64 *size, GError **error)
{
	g_return_val_if_fail(!self->written, FALSE);
	self->written = TRUE;
	return cam_erofs_tree_write(&self->tree, fd, size, error);
}
