/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The EROFS writer against fsck.erofs, the kernel, and the tree that went in. What needs root or
 * tools that are absent is skipped.
 */
#include "snapshotter/snapshots/erofs-writer.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "fixture.h"

#define HUGE_SIZE (G_GUINT64_CONSTANT(5) << 30)

/* One path of a tree; parents come before what they hold. */
typedef struct {
	char *path;
	CamStat stat;
	gint64 mtime;
	CamSha256 object;
	char *link_to; /* (nullable): another name of that path */
	guint32 index;
} Item;

static void
item_free(gpointer data)
{
	Item *item = data;

	cam_stat_clear(&item->stat);
	g_free(item->path);
	g_free(item->link_to);
	g_free(item);
}

static GPtrArray *
tree_new(void)
{
	return g_ptr_array_new_with_free_func(item_free);
}

static Item *
tree_add(GPtrArray *tree, const char *path, CamNodeType type, guint32 mode)
{
	Item *item = g_new0(Item, 1);

	item->path = g_strdup(path);
	item->stat.type = type;
	item->stat.mode = mode;
	item->mtime = G_GINT64_CONSTANT(1700000000123456789) + tree->len;
	for (guint i = 0; i < sizeof(item->object.bytes); i++)
		item->object.bytes[i] = (guint8) (tree->len * 7 + i);
	g_ptr_array_add(tree, item);
	return item;
}

static GVariant *
make_xattrs(const char *name, gconstpointer value, gsize size, ...)
{
	GVariantBuilder builder;
	va_list more;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
	va_start(more, size);
	while (name) {
		g_variant_builder_add(
			&builder, "(^ay@ay)", name,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, size, 1));
		name = va_arg(more, const char *);
		if (name) {
			value = va_arg(more, gconstpointer);
			size = va_arg(more, gsize);
		}
	}
	va_end(more);
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

/* Everything that an image may hold. */
static GPtrArray *
make_tree(void)
{
	static const guint8 capability[20] = { 1, 0, 0, 2, 0, 0x20 };
	static const guint8 acl[] = { 2,    0,	  0, 0, 1,    0,    6,	  0,	0xff, 0xff,
				      0xff, 0xff, 4, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
				      32,   0,	  4, 0, 0xff, 0xff, 0xff, 0xff };
	GPtrArray *tree = tree_new();
	g_autofree char *big = g_strnfill(60000, 'v');
	Item *item = tree_add(tree, "", CAM_NODE_DIRECTORY, 0755);

	item = tree_add(tree, "bin", CAM_NODE_DIRECTORY, 01777);
	item->stat.uid = 4000000000u;
	item->stat.gid = 70000;
	item = tree_add(tree, "bin/sh", CAM_NODE_REGULAR, 04755);
	item->stat.size = 123456;
	item->stat.xattrs = make_xattrs("security.capability", capability, sizeof(capability),
					"trusted.overlay.opaque", "y", (gsize) 1, "user.empty", "",
					(gsize) 0, "user.note", "hello", (gsize) 5, NULL);
	item = tree_add(tree, "bin/hard", CAM_NODE_REGULAR, 0);
	item->link_to = g_strdup("bin/sh");
	item = tree_add(tree, "bin/acl", CAM_NODE_REGULAR, 0644);
	item->stat.size = 1;
	item->stat.xattrs = make_xattrs("system.posix_acl_access", acl, sizeof(acl), NULL);
	item = tree_add(tree, "bin/much", CAM_NODE_REGULAR, 0600);
	item->stat.size = 17;
	item->stat.xattrs = make_xattrs("user.a", big, (gsize) 60000, "user.b", big, (gsize) 3,
					"user.c", big, (gsize) 60000, NULL);
	tree_add(tree, "empty", CAM_NODE_REGULAR, 0640)->mtime = -1;
	tree_add(tree, "empty-dir", CAM_NODE_DIRECTORY, 0700);
	tree_add(tree, "huge", CAM_NODE_REGULAR, 0444)->stat.size = HUGE_SIZE;
	tree_add(tree, "vast", CAM_NODE_REGULAR, 0444)->stat.size = G_GUINT64_CONSTANT(20) << 40;
	item = tree_add(tree, "null", CAM_NODE_CHARACTER, 0666);
	item->stat.rdev_major = 1;
	item->stat.rdev_minor = 3;
	item = tree_add(tree, "disk", CAM_NODE_BLOCK, 0660);
	item->stat.rdev_major = 0xabc;
	item->stat.rdev_minor = 0xabcde;
	tree_add(tree, "fifo", CAM_NODE_FIFO, 0600);
	tree_add(tree, "link", CAM_NODE_SYMLINK, 0777)->stat.link_target = g_strdup("bin/sh");
	tree_add(tree, "long-link", CAM_NODE_SYMLINK, 0777)->stat.link_target =
		g_strnfill(4095, 'l');
	tree_add(tree, "linked-link", CAM_NODE_SYMLINK, 0)->link_to = g_strdup("link");
	for (guint i = 4000; i < 4096; i += 8) {
		g_autofree char *path = g_strdup_printf("link-%u", i);

		tree_add(tree, path, CAM_NODE_SYMLINK, 0777)->stat.link_target = g_strnfill(i, 't');
	}
	item = tree_add(tree, "xattr-link", CAM_NODE_SYMLINK, 0777);
	item->stat.link_target = g_strnfill(2000, 'x');
	item->stat.xattrs = make_xattrs("security.label", big, (gsize) 3000, NULL);
	tree_add(tree, "!before-dot", CAM_NODE_REGULAR, 0644);
	tree_add(tree, "\xff\xfe", CAM_NODE_REGULAR, 0644);
	g_autofree char *name = g_strnfill(255, 'n');
	tree_add(tree, name, CAM_NODE_DIRECTORY, 0755);
	for (guint i = 0; i < 40; i++) {
		g_autofree char *deep = g_strdup_printf("%s/%s%02u", name, name + 2, i);

		tree_add(tree, deep, CAM_NODE_FIFO, 0644);
	}
	return tree;
}

static void
fill_writer(CamErofsWriter *writer, GPtrArray *tree)
{
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < tree->len; i++) {
		Item *item = g_ptr_array_index(tree, i);
		g_autofree char *parent = g_path_get_dirname(item->path);
		const char *name = strrchr(item->path, '/');
		Item *directory =
			g_hash_table_lookup(known, g_str_equal(parent, ".") ? "" : parent);

		name = name ? name + 1 : item->path;
		g_hash_table_insert(known, item->path, item);
		if (*item->path == '\0')
			continue;
		if (item->link_to) {
			Item *other = g_hash_table_lookup(known, item->link_to);

			cam_erofs_writer_link(writer, directory->index, name, other->index, &error);
		} else {
			cam_erofs_writer_add(writer, directory->index, name, &item->stat,
					     item->mtime, &item->object, &item->index, &error);
		}
		g_assert_no_error(error);
	}
}

/* Writes the image of a tree to a new temporary file. */
static char *
write_image(GPtrArray *tree, gboolean hide, guint64 *size)
{
	g_autoptr(GError) error = NULL;
	Item *root = g_ptr_array_index(tree, 0);
	g_autoptr(CamErofsWriter) writer = cam_erofs_writer_new(&root->stat, root->mtime, &error);
	char *path = NULL;
	g_auto(CamFd) fd = g_file_open_tmp("cam-erofs-XXXXXX", &path, &error);

	g_assert_no_error(error);
	fill_writer(writer, tree);
	if (hide)
		cam_erofs_writer_hide_objects(writer, &error);
	g_assert_no_error(error);
	cam_erofs_writer_write(writer, fd, size, &error);
	g_assert_no_error(error);
	return path;
}

static gboolean
run_tool(const char *const *argv, char **output)
{
	g_autofree char *tool = g_find_program_in_path(argv[0]);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL, *problems = NULL;
	int status;

	if (!tool) {
		g_autofree char *why = g_strdup_printf("%s is not installed", argv[0]);

		g_test_skip(why);
		return FALSE;
	}
	g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, &problems,
		     &status, &error);
	g_assert_no_error(error);
	if (!g_spawn_check_wait_status(status, NULL))
		g_test_message("%s: %s%s", argv[0], text, problems);
	g_assert_cmpint(status, ==, 0);
	if (output)
		*output = g_steal_pointer(&text);
	return TRUE;
}

/* ---- bytes ---- */

static void
test_deterministic(void)
{
	g_autoptr(GPtrArray) tree = make_tree();
	g_autoptr(GPtrArray) shuffled = make_tree();
	g_autofree char *first = NULL, *second = NULL, *a = NULL, *b = NULL;
	gsize a_size, b_size;
	guint64 size;

	/* The same tree pushed in another order: swap neighbours below the root. */
	for (guint i = 21; i + 1 < 30; i += 2) {
		gpointer kept = shuffled->pdata[i];

		shuffled->pdata[i] = shuffled->pdata[i + 1];
		shuffled->pdata[i + 1] = kept;
	}
	first = write_image(tree, FALSE, &size);
	second = write_image(shuffled, FALSE, NULL);
	g_assert_true(g_file_get_contents(first, &a, &a_size, NULL));
	g_assert_true(g_file_get_contents(second, &b, &b_size, NULL));
	g_assert_cmpuint(a_size, ==, size);
	g_assert_cmpmem(a, a_size, b, b_size);
	/* 25 TiB of files took nothing; the 120 KB are attributes. */
	g_assert_cmpuint(size, <, 300 * 1024);
	g_unlink(first);
	g_unlink(second);
}

static void
test_fsck(void)
{
	g_autoptr(GPtrArray) tree = make_tree();
	g_autofree char *image = write_image(tree, FALSE, NULL);
	const char *const argv[] = { "fsck.erofs", "-d3", image, NULL };

	run_tool(argv, NULL);
	g_unlink(image);
}

static void
test_dump(void)
{
	g_autoptr(GPtrArray) tree = make_tree();
	g_autofree char *image = write_image(tree, FALSE, NULL), *output = NULL;
	const char *const super[] = { "dump.erofs", "-s", image, NULL };
	const char *const file[] = { "dump.erofs", "--path=/bin/sh", image, NULL };

	if (run_tool(super, &output)) {
		g_assert_nonnull(strstr(output, "sb_csum"));
		g_assert_nonnull(strstr(output, "mtime"));
		g_clear_pointer(&output, g_free);
		run_tool(file, &output);
		g_assert_nonnull(strstr(output, "123456"));
		g_assert_nonnull(strstr(output, "Links: 2"));
	}
	g_unlink(image);
}

/* ---- refusals ---- */

static void
expect_refusal(const char *name, const CamStat *stat, const CamSha256 *object, const char *words)
{
	static const CamStat root = { .type = CAM_NODE_DIRECTORY };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamErofsWriter) writer = cam_erofs_writer_new(&root, 0, &error);

	g_assert_no_error(error);
	g_assert_false(
		cam_erofs_writer_add(writer, CAM_EROFS_ROOT, name, stat, 0, object, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, words));
}

static void
test_refusals(void)
{
	static const CamSha256 object = { { 1 } };
	g_autofree char *long_name = g_strnfill(256, 'a'), *long_target = g_strnfill(4096, 't');
	g_autofree char *big = g_strnfill(65536, 'b');
	g_autoptr(GVariant) xattrs = make_xattrs("user.big", big, (gsize) 65536, NULL);
	CamStat fifo = { .type = CAM_NODE_FIFO }, file = { .size = 1 };
	CamStat huge = { .size = G_MAXINT64 };
	CamStat link = { .type = CAM_NODE_SYMLINK, .link_target = long_target };
	CamStat device = { .type = CAM_NODE_BLOCK, .rdev_major = 4096 };
	CamStat heavy = { .type = CAM_NODE_FIFO, .xattrs = xattrs };

	expect_refusal("", &fifo, NULL, "not a name");
	expect_refusal(".", &fifo, NULL, "not a name");
	expect_refusal("..", &fifo, NULL, "not a name");
	expect_refusal("a/b", &fifo, NULL, "not a name");
	expect_refusal(long_name, &fifo, NULL, "255 bytes");
	expect_refusal("f", &file, NULL, "not in the store");
	expect_refusal("f", &huge, &object, "1 PiB");
	expect_refusal("l", &link, NULL, "4095 bytes");
	expect_refusal("d", &device, NULL, "device number");
	expect_refusal("x", &heavy, NULL, "user.big");
}

static void
test_duplicate(void)
{
	static const CamStat root = { .type = CAM_NODE_DIRECTORY },
			     fifo = { .type = CAM_NODE_FIFO };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamErofsWriter) writer = cam_erofs_writer_new(&root, 0, NULL);
	g_auto(CamFd) fd = g_file_open_tmp(NULL, NULL, NULL);

	for (guint i = 0; i < 2; i++)
		cam_erofs_writer_add(writer, CAM_EROFS_ROOT, "same", &fifo, 0, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_false(cam_erofs_writer_write(writer, fd, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "\"same\" occurs twice"));
}

/* ---- the kernel ---- */

static char *
mount_image(const char *image)
{
	char *target = NULL;

	if (!fixture_enter_mount_namespace())
		return NULL;
	target = g_dir_make_tmp("cam-erofs-XXXXXX", NULL);
	if (mount(image, target, "erofs", MS_RDONLY, NULL) == 0)
		return target;
	g_test_message("mount: %s", g_strerror(errno));
	g_test_skip("this kernel cannot mount EROFS from a file");
	g_rmdir(target);
	g_clear_pointer(&target, g_free);
	return NULL;
}

static void
unmount_image(char *target)
{
	g_assert_cmpint(umount2(target, 0), ==, 0);
	g_assert_cmpint(g_rmdir(target), ==, 0);
	g_free(target);
}

static void
check_xattrs(const char *path, const Item *item)
{
	gsize count = item->stat.xattrs ? g_variant_n_children(item->stat.xattrs) : 0;
	char names[1024], value[XATTR_SIZE_MAX];
	ssize_t length = llistxattr(path, names, sizeof(names)), size;
	guint found = 0, expected = 0;

	g_assert_cmpint(length, >=, 0);
	for (const char *name = names; name < names + length; name += strlen(name) + 1)
		found += !g_str_has_prefix(name, "trusted.overlay.");
	for (gsize i = 0; i < count; i++) {
		g_autoptr(GVariant) bytes = NULL;
		const char *name;
		gsize n;

		g_variant_get_child(item->stat.xattrs, i, "(^&ay@ay)", &name, &bytes);
		size = lgetxattr(path, name, value, sizeof(value));
		if (g_str_has_prefix(name, "trusted.")) {
			g_assert_cmpint(size, ==, -1); /* never the image's own */
			continue;
		}
		gconstpointer data = g_variant_get_fixed_array(bytes, &n, 1);
		g_assert_cmpint(size, >=, 0);
		g_assert_cmpmem(value, size, data, n);
		expected++;
	}
	g_assert_cmpuint(found, ==, expected);
	size = lgetxattr(path, "trusted.overlay.redirect", value, sizeof(value));
	if (item->stat.type != CAM_NODE_REGULAR || item->stat.size == 0) {
		g_assert_cmpint(size, ==, -1);
		return;
	}
	char hex[65];
	cam_sha256_to_hex(&item->object, hex);
	g_autofree char *object = g_strdup_printf("/%.2s/%s.file", hex, hex + 2);
	g_assert_cmpmem(value, size, object, strlen(object));
	g_assert_cmpint(lgetxattr(path, "trusted.overlay.metacopy", value, sizeof(value)), ==, 0);
}

static void
check_item(const char *top, const Item *item)
{
	static const mode_t formats[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO };
	g_autofree char *path = g_build_filename(top, item->path, NULL);
	char target[PATH_MAX];
	struct stat st;

	g_assert_cmpint(lstat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode, ==, formats[item->stat.type] | item->stat.mode);
	g_assert_cmpuint(st.st_uid, ==, item->stat.uid);
	g_assert_cmpuint(st.st_gid, ==, item->stat.gid);
	g_assert_cmpint(st.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + st.st_mtim.tv_nsec, ==,
			item->mtime);
	if (item->stat.type == CAM_NODE_REGULAR)
		g_assert_cmpuint(st.st_size, ==, item->stat.size);
	if (item->stat.type == CAM_NODE_CHARACTER || item->stat.type == CAM_NODE_BLOCK)
		g_assert_cmpuint(st.st_rdev, ==,
				 makedev(item->stat.rdev_major, item->stat.rdev_minor));
	if (item->stat.type == CAM_NODE_SYMLINK) {
		ssize_t length = readlink(path, target, sizeof(target));

		g_assert_cmpmem(target, length, item->stat.link_target,
				strlen(item->stat.link_target));
	}
	check_xattrs(path, item);
}

/* Names of all that lies below, counted by readdir. */
static guint
count_tree(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint count = 1;

	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *child = g_build_filename(path, name, NULL);

		count += g_file_test(child, G_FILE_TEST_IS_SYMLINK) ||
					 !g_file_test(child, G_FILE_TEST_IS_DIR)
				 ? 1
				 : count_tree(child);
	}
	return count;
}

static void
test_kernel(void)
{
	g_autoptr(GPtrArray) tree = make_tree();
	g_autofree char *image = write_image(tree, FALSE, NULL);
	char *top = mount_image(image);
	struct stat one, other;

	g_unlink(image);
	if (!top)
		return;
	for (guint i = 0; i < tree->len; i++) {
		Item *item = g_ptr_array_index(tree, i);

		if (!item->link_to) {
			check_item(top, item);
			continue;
		}
		g_autofree char *a = g_build_filename(top, item->path, NULL);
		g_autofree char *b = g_build_filename(top, item->link_to, NULL);
		g_assert_cmpint(lstat(a, &one), ==, 0);
		g_assert_cmpint(lstat(b, &other), ==, 0);
		g_assert_cmpuint(one.st_ino, ==, other.st_ino);
		g_assert_cmpuint(one.st_nlink, ==, 2);
	}
	g_assert_cmpuint(count_tree(top), ==, tree->len);
	g_assert_cmpint(lstat(top, &one), ==, 0);
	g_assert_cmpuint(one.st_nlink, ==, 2 + 3); /* bin, empty-dir, nnn… */
	unmount_image(top);
}

/* 20,000 entries in one directory, names that end blocks at all lengths. */
static void
test_large(void)
{
	g_autoptr(GPtrArray) tree = tree_new();
	guint64 size;

	tree_add(tree, "", CAM_NODE_DIRECTORY, 0755);
	tree_add(tree, "large", CAM_NODE_DIRECTORY, 0755);
	for (guint i = 0; i < 20000; i++) {
		g_autofree char *path = g_strdup_printf("large/%0*u", 5 + i % 90, i);

		tree_add(tree, path, CAM_NODE_REGULAR, 0644)->stat.size = 1 + i;
	}
	gint64 start = g_get_monotonic_time();
	g_autofree char *image = write_image(tree, FALSE, &size);
	g_test_message("%u entries: %.3f s, %" G_GUINT64_FORMAT " bytes", tree->len,
		       (g_get_monotonic_time() - start) / 1e6, size);
	const char *const argv[] = { "fsck.erofs", image, NULL };
	run_tool(argv, NULL);
	char *top = mount_image(image);
	g_unlink(image);
	if (!top)
		return;
	for (guint i = 0; i < tree->len; i += 97)
		check_item(top, g_ptr_array_index(tree, i));
	g_assert_cmpuint(count_tree(top), ==, tree->len);
	g_autofree char *absent = g_build_filename(top, "large/00000a", NULL);
	g_assert_cmpint(access(absent, F_OK), ==, -1);
	unmount_image(top);
}

/* Directory blocks that are exactly full, and inodes at the ends of blocks. */
static void
test_boundaries(void)
{
	for (guint entries = 14; entries < 18; entries++) {
		for (guint length = 240; length <= 255; length += 5) {
			g_autoptr(GPtrArray) tree = tree_new();

			tree_add(tree, "", CAM_NODE_DIRECTORY, 0755);
			for (guint i = 0; i < entries; i++) {
				g_autofree char *path = g_strdup_printf("%0*u", length, i);

				tree_add(tree, path, CAM_NODE_DIRECTORY, 0755);
			}
			g_autofree char *image = write_image(tree, FALSE, NULL);
			const char *const argv[] = { "fsck.erofs", image, NULL };
			run_tool(argv, NULL);
			char *top = mount_image(image);
			g_unlink(image);
			if (!top)
				return;
			g_assert_cmpuint(count_tree(top), ==, tree->len);
			unmount_image(top);
		}
	}
}

static void
test_hide_objects(void)
{
	g_autoptr(GPtrArray) tree = tree_new();
	char value[2];

	tree_add(tree, "", CAM_NODE_DIRECTORY, 0755);
	tree_add(tree, "ab", CAM_NODE_DIRECTORY, 0755);
	tree_add(tree, "ff", CAM_NODE_REGULAR, 0644)->stat.size = 10;
	g_autofree char *image = write_image(tree, TRUE, NULL);
	char *top = mount_image(image);
	g_unlink(image);
	if (!top)
		return;
	g_assert_cmpuint(count_tree(top), ==, 1 + 256);
	g_autofree char *own = g_build_filename(top, "ab", NULL);
	g_assert_cmpint(lgetxattr(own, "trusted.overlay.opaque", value, sizeof(value)), ==, 1);
	check_item(top, g_ptr_array_index(tree, 2));
	unmount_image(top);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/erofs/deterministic", test_deterministic);
	g_test_add_func("/erofs/fsck", test_fsck);
	g_test_add_func("/erofs/dump", test_dump);
	g_test_add_func("/erofs/refusals", test_refusals);
	g_test_add_func("/erofs/duplicate", test_duplicate);
	g_test_add_func("/erofs/kernel", test_kernel);
	g_test_add_func("/erofs/large", test_large);
	g_test_add_func("/erofs/boundaries", test_boundaries);
	g_test_add_func("/erofs/hide-objects", test_hide_objects);
	return g_test_run();
}
