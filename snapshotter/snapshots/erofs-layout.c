/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives every inode its place in the image and writes the image front to back:
 *
 *   block 0       superblock (written last: it holds a digest of the rest)
 *   block 1 …     inodes, each with its attributes and, where they fit, its directory's last
 *                 block, its link target, or its chunk map
 *   …             the other blocks of directories and long link targets
 *
 * Inodes are numbered breadth first in the order of names, so that equal trees give equal bytes
 * and the inodes of one directory lie together. No inode that fits into a block crosses one: the
 * kernel wants it so of inline data, and reads the rest faster.
 */
#include "snapshotter/snapshots/erofs-tree.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/snapshots/erofs-xattr.h"

#define BUFFER_SIZE	(256 * 1024)
#define NS_PER_SECOND	G_GINT64_CONSTANT(1000000000)
#define CHUNK_BITS	(EROFS_BLOCK_BITS + EROFS_CHUNK_MAX_BITS)
#define META_START	EROFS_BLOCK_SIZE
#define CRC32C_REVERSED 0x82f63b78u

/* ---- placing ---- */

static guint64
round_up(guint64 value, guint64 unit)
{
	return (value + unit - 1) / unit * unit;
}

static guint
xattr_size(const CamErofsNode *node)
{
	guint size = node->xattrs ? g_bytes_get_size(node->xattrs) : 0;

	size += node->has_object ? CAM_EROFS_REDIRECT_SIZE : 0;
	size += node->opaque ? CAM_EROFS_OPAQUE_SIZE : 0;
	return size > 0 ? size + sizeof(ErofsXattrHeader) : 0;
}

static void
choose_layout(CamErofsNode *node)
{
	guint tail = node->size % EROFS_BLOCK_SIZE;

	node->layout = EROFS_LAYOUT_PLAIN;
	node->inline_size = 0;
	if (node->has_object) {
		node->layout = EROFS_LAYOUT_CHUNKS;
		node->inline_size =
			(guint32) ((node->size - 1) >> CHUNK_BITS) * 4 + sizeof(guint32);
	} else if ((node->entries || node->link_target) && tail > 0 &&
		   sizeof(ErofsInode) + xattr_size(node) + tail <= EROFS_BLOCK_SIZE) {
		node->layout = EROFS_LAYOUT_INLINE;
		node->inline_size = tail;
	}
}

/* Returns the end of the inode when it is put at the first fitting place from @position on. */
static guint64
place_inode(CamErofsNode *node, guint64 position)
{
	guint64 size = sizeof(ErofsInode) + xattr_size(node) + node->inline_size;
	guint64 together = size <= EROFS_BLOCK_SIZE ? size : sizeof(ErofsInode);

	position = round_up(position, EROFS_SLOT_SIZE);
	if (position % EROFS_BLOCK_SIZE + together > EROFS_BLOCK_SIZE)
		position = round_up(position, EROFS_BLOCK_SIZE);
	node->offset = position;
	return position + size;
}

/* Blocks outside the inode. */
static guint64
count_blocks(const CamErofsNode *node)
{
	if (!node->entries && !node->link_target)
		return 0;
	return round_up(node->size - node->inline_size, EROFS_BLOCK_SIZE) / EROFS_BLOCK_SIZE;
}

static gboolean
finish_directory(CamErofsTree *tree, guint32 index, GError **error)
{
	CamErofsNode *node = cam_erofs_tree_get(tree, index);
	CamErofsEntry self = { ".", index }, parent = { "..", node->parent };

	g_array_append_val(node->entries, self);
	g_array_append_val(node->entries, parent);
	CamErofsEntry *entries = &g_array_index(node->entries, CamErofsEntry, 0);
	const char *twice = cam_erofs_directory_sort(entries, node->entries->len);
	if (twice) {
		g_autofree char *shown = g_utf8_make_valid(twice, -1);

		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "\"%s\" occurs twice in one directory", shown);
	}
	node->size = cam_erofs_directory_size(entries, node->entries->len);
	return TRUE;
}

/* Fills @order with the indices of inodes, breadth first, and gives them their places. */
static gboolean
place_inodes(CamErofsTree *tree, GArray *order, guint64 *end, GError **error)
{
	guint32 next = 0;

	*end = META_START;
	g_array_append_val(order, next);
	cam_erofs_tree_get(tree, next)->number = 1;
	for (guint i = 0; i < order->len; i++) {
		guint32 index = g_array_index(order, guint32, i);
		CamErofsNode *node = cam_erofs_tree_get(tree, index);

		if (node->entries && !finish_directory(tree, index, error))
			return FALSE;
		choose_layout(node);
		*end = place_inode(node, *end);
		for (guint j = 0; node->entries && j < node->entries->len; j++) {
			next = g_array_index(node->entries, CamErofsEntry, j).inode;
			CamErofsNode *child = cam_erofs_tree_get(tree, next);
			if (child->number != 0)
				continue; /* ".", "..", or another name of a known inode */
			child->number = order->len + 1;
			g_array_append_val(order, next);
		}
	}
	return TRUE;
}

/* Returns: how many blocks the image has, or 0 with @error. */
static guint32
place_blocks(CamErofsTree *tree, const GArray *order, guint64 meta_end, GError **error)
{
	guint64 block = round_up(meta_end, EROFS_BLOCK_SIZE) / EROFS_BLOCK_SIZE;

	for (guint i = 0; i < order->len && block < EROFS_HOLE; i++) {
		CamErofsNode *node = cam_erofs_tree_get(tree, g_array_index(order, guint32, i));
		guint64 count = count_blocks(node);

		node->first_block = count > 0 ? (guint32) block : 0;
		block += count;
	}
	if (block >= EROFS_HOLE) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "the tree is too large for one mountable image");
		return 0;
	}
	return (guint32) block;
}

/* ---- writing ---- */

typedef struct {
	int fd;
	guint64 position; /* of what goes into the buffer next */
	GByteArray *buffer;
	CamHasher *hasher;
} Output;

static gboolean
flush(Output *out, GError **error)
{
	gboolean ok = cam_write_all(out->fd, out->buffer->data, out->buffer->len, error);

	cam_hasher_update(out->hasher, out->buffer->data, out->buffer->len);
	g_byte_array_set_size(out->buffer, 0);
	return ok;
}

static gboolean
put(Output *out, gconstpointer data, guint size, GError **error)
{
	g_byte_array_append(out->buffer, data, size);
	out->position += size;
	return out->buffer->len < BUFFER_SIZE || flush(out, error);
}

static gboolean
pad_to(Output *out, guint64 position, GError **error)
{
	static const guint8 zeros[EROFS_BLOCK_SIZE] = { 0 };

	/* Never more than a block: inodes and blocks follow each other. */
	g_assert(position >= out->position && position - out->position <= sizeof(zeros));
	return put(out, zeros, (guint) (position - out->position), error);
}

static CamErofsTarget
get_target(guint32 inode, gpointer user_data)
{
	const CamErofsNode *node = cam_erofs_tree_get(user_data, inode);

	return (CamErofsTarget){ node->offset / EROFS_SLOT_SIZE, node->type };
}

static guint32
chunk_bits(guint64 size)
{
	guint32 bits = 0;

	while (bits < EROFS_CHUNK_MAX_BITS && (size - 1) >> (EROFS_BLOCK_BITS + bits) > 0)
		bits++;
	return bits;
}

static guint32
inode_data(const CamErofsNode *node)
{
	if (node->has_object)
		return chunk_bits(node->size);
	return node->entries || node->link_target ? node->first_block : node->rdev;
}

static gboolean
put_inode(Output *out, const CamErofsNode *node, GError **error)
{
	guint xattrs = xattr_size(node);
	gint64 seconds = node->mtime / NS_PER_SECOND, ns = node->mtime % NS_PER_SECOND;

	if (ns < 0) { /* before 1970: the nanoseconds count forward all the same */
		ns += NS_PER_SECOND;
		seconds--;
	}
	ErofsInode inode = {
		.format = GUINT16_TO_LE(EROFS_INODE_FORMAT(node->layout)),
		.xattr_units = GUINT16_TO_LE(
			(guint16) (xattrs ? (xattrs - sizeof(ErofsXattrHeader)) / 4 + 1 : 0)),
		.mode = GUINT16_TO_LE((guint16) node->mode),
		.size = GUINT64_TO_LE(node->size),
		.data = GUINT32_TO_LE(inode_data(node)),
		.number = GUINT32_TO_LE(node->number),
		.uid = GUINT32_TO_LE(node->uid),
		.gid = GUINT32_TO_LE(node->gid),
		.mtime = GINT64_TO_LE(seconds),
		.mtime_nsec = GUINT32_TO_LE((guint32) ns),
		.nlink = GUINT32_TO_LE(node->nlink),
	};

	return pad_to(out, node->offset, error) && put(out, &inode, sizeof(inode), error);
}

static gboolean
put_xattrs(Output *out, const CamErofsNode *node, GError **error)
{
	static const ErofsXattrHeader header = { 0 };
	g_autoptr(GByteArray) body = g_byte_array_new();

	if (xattr_size(node) == 0)
		return TRUE;
	g_byte_array_append(body, (const guint8 *) &header, sizeof(header));
	if (node->has_object)
		cam_erofs_add_redirect(body, &node->object);
	if (node->opaque)
		cam_erofs_add_opaque(body);
	if (node->xattrs) {
		gsize size;
		const guint8 *packed = g_bytes_get_data(node->xattrs, &size);

		g_byte_array_append(body, packed, (guint) size);
	}
	return put(out, body->data, body->len, error);
}

/* The blocks of a directory: those before the inode's own part, or (@tail) that part. */
static gboolean
put_directory(Output *out, CamErofsTree *tree, const CamErofsNode *node, gboolean tail,
	      GError **error)
{
	const CamErofsEntry *entries = &g_array_index(node->entries, CamErofsEntry, 0);
	guint left = node->entries->len;

	while (left > 0) {
		guint8 block[EROFS_BLOCK_SIZE];
		guint used, taken = cam_erofs_directory_block(entries, left, get_target, tree,
							      block, &used);
		gboolean in_inode = taken == left && node->layout == EROFS_LAYOUT_INLINE;

		if (in_inode == tail && !put(out, block, in_inode ? used : EROFS_BLOCK_SIZE, error))
			return FALSE;
		entries += taken;
		left -= taken;
	}
	return TRUE;
}

static gboolean
put_inline(Output *out, CamErofsTree *tree, const CamErofsNode *node, GError **error)
{
	switch (node->layout) {
	case EROFS_LAYOUT_PLAIN:
		return TRUE;
	case EROFS_LAYOUT_INLINE:
		if (node->entries)
			return put_directory(out, tree, node, TRUE, error);
		return put(out, node->link_target, node->inline_size, error);
	case EROFS_LAYOUT_CHUNKS:
		for (guint32 done = 0; done < node->inline_size; done += sizeof(guint32)) {
			guint32 hole = GUINT32_TO_LE(EROFS_HOLE);

			if (!put(out, &hole, sizeof(hole), error))
				return FALSE;
		}
		return TRUE;
	}
	return TRUE;
}

static gboolean
put_blocks(Output *out, CamErofsTree *tree, const CamErofsNode *node, GError **error)
{
	if (count_blocks(node) == 0)
		return TRUE;
	if (!pad_to(out, (guint64) node->first_block * EROFS_BLOCK_SIZE, error))
		return FALSE;
	if (node->entries)
		return put_directory(out, tree, node, FALSE, error);
	return put(out, node->link_target, (guint) node->size, error);
}

static guint32
crc32c(const guint8 *data, gsize size)
{
	guint32 crc = G_MAXUINT32;

	for (gsize i = 0; i < size; i++) {
		crc ^= data[i];
		for (guint bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_REVERSED : 0);
	}
	return crc; /* as it is: the kernel does not invert it here */
}

/* @digest: of all that follows the first block; it makes the file system's UUID */
static gboolean
write_super(const CamErofsTree *tree, const GArray *order, guint32 blocks, const CamSha256 *digest,
	    int fd, GError **error)
{
	guint8 block[EROFS_BLOCK_SIZE] = { 0 };
	guint64 root = cam_erofs_tree_get(tree, 0)->offset / EROFS_SLOT_SIZE;
	ErofsSuper super = {
		.magic = GUINT32_TO_LE(EROFS_MAGIC),
		.compat = GUINT32_TO_LE(EROFS_COMPAT_CHECKSUM | EROFS_COMPAT_MTIME),
		.block_bits = EROFS_BLOCK_BITS,
		.root_nid = GUINT16_TO_LE((guint16) root),
		.inodes = GUINT64_TO_LE((guint64) order->len),
		.blocks = GUINT32_TO_LE(blocks),
		.incompat = GUINT32_TO_LE(EROFS_INCOMPAT_CHUNKS),
	};

	memcpy(super.uuid, digest->bytes, sizeof(super.uuid));
	super.uuid[6] = (super.uuid[6] & 0x0f) | 0x80; /* RFC 9562, version 8: custom */
	super.uuid[8] = (super.uuid[8] & 0x3f) | 0x80;
	memcpy(block + EROFS_SUPER_OFFSET, &super, sizeof(super));
	super.checksum = GUINT32_TO_LE(
		crc32c(block + EROFS_SUPER_OFFSET, EROFS_BLOCK_SIZE - EROFS_SUPER_OFFSET));
	memcpy(block + EROFS_SUPER_OFFSET, &super, sizeof(super));
	if (lseek(fd, 0, SEEK_SET) != 0)
		return cam_set_error_errno(error, errno, "cannot write the mountable image");
	return cam_write_all(fd, block, sizeof(block), error);
}

static gboolean
write_body(Output *out, CamErofsTree *tree, const GArray *order, guint32 blocks, GError **error)
{
	for (guint i = 0; i < order->len; i++) {
		const CamErofsNode *node =
			cam_erofs_tree_get(tree, g_array_index(order, guint32, i));

		if (!put_inode(out, node, error) || !put_xattrs(out, node, error) ||
		    !put_inline(out, tree, node, error))
			return FALSE;
	}
	for (guint i = 0; i < order->len; i++) {
		const CamErofsNode *node =
			cam_erofs_tree_get(tree, g_array_index(order, guint32, i));

		if (!put_blocks(out, tree, node, error))
			return FALSE;
	}
	return pad_to(out, (guint64) blocks * EROFS_BLOCK_SIZE, error) && flush(out, error);
}

gboolean
cam_erofs_tree_write(CamErofsTree *tree, int fd, guint64 *size, GError **error)
{
	g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GByteArray) buffer = g_byte_array_new();
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	Output out = { fd, META_START, buffer, hasher };
	guint64 meta_end;
	CamSha256 digest;

	if (!place_inodes(tree, order, &meta_end, error))
		return FALSE;
	guint32 blocks = place_blocks(tree, order, meta_end, error);
	if (blocks == 0)
		return FALSE;
	if (lseek(fd, META_START, SEEK_SET) != META_START)
		return cam_set_error_errno(error, errno, "cannot write the mountable image");
	if (!write_body(&out, tree, order, blocks, error))
		return FALSE;
	cam_hasher_finish_sha256(hasher, &digest);
	if (!write_super(tree, order, blocks, &digest, fd, error))
		return FALSE;
	if (size)
		*size = (guint64) blocks * EROFS_BLOCK_SIZE;
	return TRUE;
}
