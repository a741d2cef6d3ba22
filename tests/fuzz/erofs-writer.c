/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any tree that the EROFS writer takes must be in the image that it makes, in a form that the
 * kernel's rules allow. The input is read as orders to build a tree; the image is read back by an
 * independent, strict reader.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/snapshots/erofs-format.h"
#include "snapshotter/snapshots/erofs-writer.h"

#define NODES_MAX 4000

/* ---- reading the image back ---- */

typedef struct {
	const guint8 *data;
	gsize size;
	GHashTable *seen; /* nid → times that a name led to it */
	guint64 names;
} Image;

static const void *
at(const Image *image, guint64 offset, guint64 size)
{
	g_assert_cmpuint(offset, <=, image->size);
	g_assert_cmpuint(size, <=, image->size - offset);
	return image->data + offset;
}

static guint64
check_xattrs(const Image *image, guint64 offset, guint units)
{
	guint64 end = offset + (units ? sizeof(ErofsXattrHeader) + (units - 1) * 4u : 0);

	g_assert_cmpuint(units, !=, 1); /* a header without attributes */
	for (offset += units ? sizeof(ErofsXattrHeader) : 0; offset < end;) {
		const ErofsXattr *xattr = at(image, offset, sizeof(*xattr));
		guint size =
			sizeof(*xattr) + xattr->name_length + GUINT16_FROM_LE(xattr->value_size);

		at(image, offset, size);
		offset += (size + 3) & ~3u;
	}
	g_assert_cmpuint(offset, ==, end);
	return end;
}

static void check_inode(Image *image, guint64 nid, guint64 parent, guint8 type);

/* Returns the last name of the block, which the next block's first must follow. */
static char *
check_block(Image *image, const guint8 *block, guint size, char *last, guint64 self, guint64 parent)
{
	const ErofsDirent *dirents = (const ErofsDirent *) block;
	guint first = GUINT16_FROM_LE(dirents[0].name_offset), count = first / sizeof(*dirents);

	g_assert_cmpuint(first % sizeof(*dirents), ==, 0);
	g_assert_cmpuint(count, >, 0);
	for (guint i = 0; i < count; i++) {
		guint start = GUINT16_FROM_LE(dirents[i].name_offset);
		guint end = i + 1 < count ? GUINT16_FROM_LE(dirents[i + 1].name_offset) : size;
		guint64 nid = GUINT64_FROM_LE(dirents[i].nid);

		g_assert_true(start < end && end <= size);
		char *name = g_strndup((const char *) block + start, end - start);
		g_assert_true(!last || strcmp(last, name) < 0);
		g_assert_cmpuint(strlen(name), <=, EROFS_NAME_MAX);
		g_free(last);
		last = name;
		if (g_str_equal(name, "."))
			g_assert_cmpuint(nid, ==, self);
		else if (g_str_equal(name, ".."))
			g_assert_cmpuint(nid, ==, parent);
		else
			check_inode(image, nid, self, dirents[i].type);
	}
	return last;
}

static void
check_directory(Image *image, const ErofsInode *inode, guint64 tail, guint64 self, guint64 parent)
{
	guint64 size = GUINT64_FROM_LE(inode->size);
	gboolean has_tail =
		GUINT16_FROM_LE(inode->format) == EROFS_INODE_FORMAT(EROFS_LAYOUT_INLINE);
	guint64 first = (guint64) GUINT32_FROM_LE(inode->data) * EROFS_BLOCK_SIZE;
	char *last = NULL;

	g_assert_cmpuint(size, >=, 2 * sizeof(ErofsDirent) + 3);
	for (guint64 done = 0; done < size; done += EROFS_BLOCK_SIZE) {
		guint here = (guint) MIN(size - done, EROFS_BLOCK_SIZE);
		gboolean in_inode = has_tail && done + here == size;
		guint64 offset = in_inode ? tail : first + done;
		guint8 block[EROFS_BLOCK_SIZE];

		if (in_inode)
			g_assert_cmpuint(tail / EROFS_BLOCK_SIZE, ==,
					 (tail + here - 1) / EROFS_BLOCK_SIZE);
		memcpy(block, at(image, offset, here), here);
		last = check_block(image, block, here, last, self, parent);
	}
	g_free(last);
}

static void
check_inode(Image *image, guint64 nid, guint64 parent, guint8 type)
{
	static const mode_t formats[] = {
		0, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, 0, S_IFLNK
	};
	guint64 offset = nid * EROFS_SLOT_SIZE;
	const ErofsInode *inode = at(image, offset, sizeof(*inode));
	guint times =
		GPOINTER_TO_UINT(g_hash_table_lookup(image->seen, GSIZE_TO_POINTER((gsize) nid)));

	image->names++;
	g_assert_cmpuint(offset, >=, EROFS_BLOCK_SIZE);
	g_assert_cmpuint(type, <, G_N_ELEMENTS(formats));
	g_assert_cmpuint(GUINT16_FROM_LE(inode->mode) & S_IFMT, ==, formats[type]);
	g_hash_table_insert(image->seen, GSIZE_TO_POINTER((gsize) nid),
			    GUINT_TO_POINTER(times + 1));
	if (times > 0) {
		g_assert_cmpuint(type, !=, EROFS_TYPE_DIRECTORY);
		return;
	}
	guint64 tail =
		check_xattrs(image, offset + sizeof(*inode), GUINT16_FROM_LE(inode->xattr_units));
	if (type == EROFS_TYPE_DIRECTORY)
		check_directory(image, inode, tail, nid, parent);
}

static void
check_links(const Image *image)
{
	GHashTableIter iter;
	gpointer nid, times;

	g_hash_table_iter_init(&iter, image->seen);
	while (g_hash_table_iter_next(&iter, &nid, &times)) {
		const ErofsInode *inode = at(
			image, (guint64) GPOINTER_TO_SIZE(nid) * EROFS_SLOT_SIZE, sizeof(*inode));

		if (!S_ISDIR(GUINT16_FROM_LE(inode->mode)))
			g_assert_cmpuint(GUINT32_FROM_LE(inode->nlink), ==,
					 GPOINTER_TO_UINT(times));
	}
}

static void
check_image(int fd, guint64 size, guint64 names)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	Image image = { map, size, seen, 0 };
	const ErofsSuper *super = at(&image, EROFS_SUPER_OFFSET, sizeof(*super));
	guint64 root = GUINT16_FROM_LE(super->root_nid);

	g_assert_true(map != MAP_FAILED);
	g_assert_cmpuint(GUINT32_FROM_LE(super->magic), ==, EROFS_MAGIC);
	g_assert_cmpuint((guint64) GUINT32_FROM_LE(super->blocks) * EROFS_BLOCK_SIZE, ==, size);
	check_inode(&image, root, root, EROFS_TYPE_DIRECTORY);
	g_assert_cmpuint(g_hash_table_size(seen), ==, GUINT64_FROM_LE(super->inodes));
	g_assert_cmpuint(image.names, ==, names);
	check_links(&image);
	munmap(map, size);
}

/* ---- orders ---- */

typedef struct {
	const guint8 *data;
	gsize left;
	CamErofsWriter *writer;
	GArray *directories, *files; /* (element-type guint32) */
	guint64 names;
} Orders;

static guint
take(Orders *orders)
{
	if (orders->left == 0)
		return 0;
	orders->left--;
	return *orders->data++;
}

static char *
take_text(Orders *orders, gsize length)
{
	length = MIN(length, orders->left);
	char *text = g_strndup((const char *) orders->data, length);

	orders->data += length;
	orders->left -= length;
	return text;
}

static GVariant *
take_xattrs(Orders *orders)
{
	static const char *const prefixes[] = { "user.", "trusted.overlay.", "security.",
						"system.posix_acl_access", "unknown." };
	GVariantBuilder builder;
	guint count = take(orders) % 4;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
	for (guint i = 0; i < count; i++) {
		g_autofree char *rest = take_text(orders, take(orders));
		g_autofree char *name =
			g_strconcat(prefixes[take(orders) % G_N_ELEMENTS(prefixes)], rest, NULL);
		gsize size = take(orders) * (gsize) take(orders);
		g_autofree char *value = g_strnfill(size, 'v');

		g_variant_builder_add(
			&builder, "(^ay@ay)", name,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, size, 1));
	}
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static guint32
pick(Orders *orders, GArray *from)
{
	guint choice = take(orders) << 8 | take(orders);

	return g_array_index(from, guint32, choice % from->len);
}

static void
obey(Orders *orders)
{
	static const CamSha256 object = { { 0x5a } };
	guint what = take(orders);
	guint32 parent = pick(orders, orders->directories), index;
	g_autofree char *name = take_text(orders, take(orders) + take(orders) % 4);
	g_auto(CamStat) stat = { .type = what % 6, .mode = take(orders) << 4 };

	if (what >= 192 && orders->files->len > 0) {
		orders->names += cam_erofs_writer_link(orders->writer, parent, name,
						       pick(orders, orders->files), NULL);
		return;
	}
	stat.size = (guint64) take(orders) << take(orders) % 56;
	stat.rdev_major = take(orders) << take(orders) % 8;
	stat.rdev_minor = take(orders) << take(orders) % 16;
	if (stat.type == CAM_NODE_SYMLINK)
		stat.link_target = g_strnfill(take(orders) * 17, 't');
	if (what & 32)
		stat.xattrs = take_xattrs(orders);
	if (!cam_erofs_writer_add(orders->writer, parent, name, &stat, take(orders) - 128,
				  what & 64 ? NULL : &object, &index, NULL))
		return;
	orders->names++;
	g_array_append_val(
		*(stat.type == CAM_NODE_DIRECTORY ? &orders->directories : &orders->files), index);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const CamStat root = { .type = CAM_NODE_DIRECTORY, .mode = 0755 };
	g_autoptr(GArray) directories = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GError) error = NULL;
	g_autoptr(CamErofsWriter) writer = cam_erofs_writer_new(&root, 0, NULL);
	Orders orders = { data, size, writer, directories, files, 1 };
	guint32 first = CAM_EROFS_ROOT;
	guint64 image_size;

	g_array_append_val(directories, first);
	while (orders.left > 0 && directories->len + files->len < NODES_MAX)
		obey(&orders);
	g_auto(CamFd) fd = memfd_create("image", MFD_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	if (cam_erofs_writer_write(writer, fd, &image_size, &error))
		check_image(fd, image_size, orders.names);
	else
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT); /* a name twice */
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	/* Few long orders, and many short ones. */
	for (guint seed = 0; seed < 4; seed++) {
		g_autoptr(GRand) random = g_rand_new_with_seed(seed);
		gsize size = 1000 << seed;
		guint8 *data = g_malloc(size);

		for (gsize i = 0; i < size; i++)
			data[i] = seed % 2 ? (guint8) g_rand_int(random)
					   : (guint8) g_rand_int_range(random, 0, 40);
		g_ptr_array_add(seeds, g_bytes_new_take(data, size));
	}
	return seeds;
}
