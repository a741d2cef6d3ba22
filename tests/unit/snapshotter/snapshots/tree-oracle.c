/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Merged trees of random layers against what a real overlayfs shows of the directories that
 * containerd makes of them (applier-model.h): imported, applied through the snapshotter, mounted,
 * and adopted. CAM_TREE_ORACLE_CASES sets how many (100), CAM_TREE_ORACLE_SEED where to begin.
 * CAM_TREE_ORACLE_DUMP=DIRECTORY leaves the layers there with what is expected of them, for a test
 * that asks containerd itself.
 */
#include <glib/gstdio.h>

#include "../store/layer-fixture.h"
#include "applier-model.h"
#include "fixture.h"
#include "snapshotter/snapshots/mount.h"
#include "snapshotter/snapshots/snapshotter.h"
#include "snapshotter/store/upper-layer.h"

#define CASES	   100
#define LAYERS_MAX 4

typedef struct {
	TemporaryStore *temporary;
	CamStore *store;
	CamSnapshotter *snapshotter;
	guint seed;
	guint refused;

	/* Of the case at hand. */
	GPtrArray *layers;	      /* (element-type GPtrArray) */
	char *uppers[LAYERS_MAX + 1]; /* what containerd makes of them */
	char *diff_ids[LAYERS_MAX + 1];
	guint n;	/* layers that containerd takes */
	gboolean fails; /* it refuses the next */
	char *target;	/* for mounts */
	char *description;
} Oracle;

/* ---- what is there ---- */

static void
print_line(GString *out, const char *path, guint type, guint mode, guint uid, guint gid,
	   const char *more)
{
	g_string_append_printf(out, "%s %u %o %u:%u %s", path, type,
			       type == CAM_NODE_SYMLINK ? 0 : mode, uid, gid, more);
}

static CamNodeType
node_type(guint mode)
{
	return S_ISDIR(mode)   ? CAM_NODE_DIRECTORY
	       : S_ISLNK(mode) ? CAM_NODE_SYMLINK
	       : S_ISCHR(mode) ? CAM_NODE_CHARACTER
	       : S_ISREG(mode) ? CAM_NODE_REGULAR
			       : CAM_NODE_FIFO;
}

static void
print_path(const char *root, const char *path, GHashTable *inodes, GString *out, GString *links)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autofree char *content = NULL;
	char target[4096] = "";
	struct stat st;

	/* A whiteout at the bottom of an overlay has a name there and nothing more. */
	if (lstat(full, &st) != 0)
		return;
	if (S_ISREG(st.st_mode))
		g_assert_true(g_file_get_contents(full, &content, NULL, NULL));
	else if (S_ISLNK(st.st_mode))
		g_assert_cmpint(readlink(full, target, sizeof target - 1), >, 0);
	else if (S_ISCHR(st.st_mode))
		g_snprintf(target, sizeof target, "%u,%u", major(st.st_rdev), minor(st.st_rdev));
	print_line(out, path, node_type(st.st_mode), st.st_mode & 07777, st.st_uid, st.st_gid,
		   content != NULL ? content : target);
	g_string_append_c(out, '\n');
	if (!S_ISDIR(st.st_mode)) {
		gpointer key = GUINT_TO_POINTER((guint) st.st_ino);
		const char *first = g_hash_table_lookup(inodes, key);

		g_string_append_printf(links, "%s@%" G_GINT64_FORMAT "=%s\n", path,
				       (gint64) st.st_mtime, first != NULL ? first : "");
		if (first == NULL)
			g_hash_table_insert(inodes, key, g_strdup(path));
	}
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
print_directory(const char *root, const char *path, GHashTable *inodes, GString *out,
		GString *links)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
	const char *name;

	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir)) != NULL)
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *child = *path != '\0'
						 ? g_strconcat(path, "/", names->pdata[i], NULL)
						 : g_strdup(names->pdata[i]);
		g_autofree char *below = g_build_filename(root, child, NULL);

		print_path(root, child, inodes, out, links);
		if (g_file_test(below, G_FILE_TEST_IS_DIR) &&
		    !g_file_test(below, G_FILE_TEST_IS_SYMLINK))
			print_directory(root, child, inodes, out, links);
	}
}

/* The tree at @root; *@links: times and hard links, which a merged tree does not have. */
static char *
print_mounted(const char *root, char **links)
{
	g_autoptr(GHashTable) inodes = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	GString *out = g_string_new(NULL), *more = g_string_new(NULL);
	struct stat st;

	g_assert_cmpint(lstat(root, &st), ==, 0);
	print_line(out, "/", CAM_NODE_DIRECTORY, st.st_mode & 07777, st.st_uid, st.st_gid, "\n");
	print_directory(root, "", inodes, out, more);
	*links = g_string_free(more, FALSE);
	return g_string_free(out, FALSE);
}

static void
print_entries(CamRootfs *rootfs, const CamEntry *directory, const char *path, GString *out)
{
	g_autoptr(CamTree) tree = cam_rootfs_open_tree(rootfs, directory, NULL);

	for (guint i = 0; i < cam_tree_size(tree); i++) {
		const CamEntry *entry = cam_tree_get(tree, i);
		g_autofree char *child = *path != '\0' ? g_strconcat(path, "/", entry->name, NULL)
						       : g_strdup(entry->name);
		g_auto(CamStat) stat = { 0 };
		g_autofree char *more = NULL;

		g_assert_true(cam_rootfs_stat(rootfs, entry, &stat, NULL));
		if (stat.type == CAM_NODE_REGULAR) {
			g_autoptr(GBytes) bytes = cam_rootfs_read_entry(rootfs, entry, 100, NULL);

			more = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
		} else if (stat.type == CAM_NODE_CHARACTER) {
			more = g_strdup_printf("%u,%u", stat.rdev_major, stat.rdev_minor);
		}
		print_line(out, child, entry->is_directory ? CAM_NODE_DIRECTORY : stat.type,
			   stat.mode, stat.uid, stat.gid,
			   more != NULL	      ? more
			   : stat.link_target ? stat.link_target
					      : "");
		g_string_append_c(out, '\n');
		if (entry->is_directory)
			print_entries(rootfs, entry, child, out);
	}
}

/* NULL with @error where the store refuses. */
static char *
print_merged(Oracle *self, char **diff_ids, GError **error)
{
	g_autoptr(CamRootfs) rootfs =
		cam_store_open_rootfs(self->store, (const char *const *) diff_ids, NULL, error);
	GString *out = g_string_new(NULL);
	g_auto(CamStat) stat = { 0 };
	CamEntry root;

	if (rootfs == NULL)
		return g_string_free(out, TRUE);
	cam_rootfs_get_root(rootfs, &root);
	g_assert_true(cam_rootfs_stat(rootfs, &root, &stat, NULL));
	print_line(out, "/", CAM_NODE_DIRECTORY, stat.mode, stat.uid, stat.gid, "\n");
	print_entries(rootfs, &root, "", out);
	return g_string_free(out, FALSE);
}

/* ---- one case ---- */

static void
describe(Oracle *self)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "CAM_TREE_ORACLE_SEED=%u:\n", self->seed);
	for (guint i = 0; i < self->layers->len; i++) {
		const GPtrArray *entries = self->layers->pdata[i];

		g_string_append_printf(text, "layer %u\n", i);
		for (guint j = 0; j < entries->len; j++) {
			const ModelEntry *entry = entries->pdata[j];

			g_string_append_printf(text, "  %c %s %s %o %u:%u %s\n", entry->type,
					       entry->name, entry->link != NULL ? entry->link : "",
					       entry->mode, entry->uid, entry->gid,
					       entry->content != NULL ? entry->content : "");
		}
	}
	self->description = g_string_free(text, FALSE);
}

static void
compare(const Oracle *self, const char *what, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		g_error("%s%s gives\n%sand overlayfs has\n%s", self->description, what, got,
			expected);
}

/* Unpacks layer @i; most of the entries that containerd refuses are taken out of it, or few cases
 * would have many layers. */
static gboolean
unpack_layer(Oracle *self, guint i, GRand *rand)
{
	GPtrArray *entries = self->layers->pdata[i];
	g_autoptr(GPtrArray) parents = g_ptr_array_new();

	for (guint j = i; j > 0; j--)
		g_ptr_array_add(parents, self->uppers[j - 1]);
	g_ptr_array_add(parents, NULL);
	while (TRUE) {
		guint taken;

		g_assert_cmpint(g_mkdir_with_parents(self->uppers[i], 0755), ==, 0);
		taken = model_apply(entries, self->uppers[i], (const char *const *) parents->pdata);
		if (taken == entries->len)
			return TRUE;
		if (g_rand_int_range(rand, 0, 8) == 0)
			return FALSE;
		g_ptr_array_remove_index(entries, taken);
		model_remove(self->uppers[i]);
	}
}

static void
unpack(Oracle *self, GRand *rand)
{
	for (guint i = 0; i < self->layers->len && !self->fails; i++) {
		self->uppers[i] =
			g_strdup_printf("%s/c-%u-%u/fs", self->temporary->path, self->seed, i);
		self->fails = !unpack_layer(self, i, rand);
		self->n += !self->fails;
	}
}

static char *
show_truth(Oracle *self, char **links)
{
	g_autoptr(GString) options = g_string_new("lowerdir=");
	g_autofree char *empty = g_build_filename(self->temporary->path, "empty", NULL);
	g_autofree char *another = g_build_filename(self->temporary->path, "another", NULL);
	char *text;

	/* An overlay without an upper directory wants two at least. */
	g_mkdir(empty, 0755);
	g_mkdir(another, 0755);
	for (guint i = self->n; i > 0; i--)
		g_string_append_printf(options, "%s:", self->uppers[i - 1]);
	g_string_append_printf(options, "%s:%s", empty, another);
	g_assert_cmpint(mount("overlay", self->target, "overlay", MS_RDONLY, options->str), ==, 0);
	text = print_mounted(self->target, links);
	g_assert_cmpint(umount(self->target), ==, 0);
	return text;
}

static void
import(Oracle *self)
{
	for (guint i = 0; i < self->layers->len; i++) {
		g_autoptr(GBytes) tar = model_tar(self->layers->pdata[i]);
		g_autoptr(GError) error = NULL;

		self->diff_ids[i] = import_bytes(self->store, tar, NULL, &error);
		if (error != NULL)
			g_error("%s%s", self->description, error->message);
		assert_exports_as(self->store, self->diff_ids[i], tar);
	}
}

static void
check_refusal(Oracle *self)
{
	g_autofree char *rest = g_steal_pointer(&self->diff_ids[self->n + 1]);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = print_merged(self, self->diff_ids, &error);

	if (text != NULL)
		g_error("%slayer %u is refused by containerd, and gives\n%s", self->description,
			self->n, text);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	self->refused++;
	g_clear_pointer(&self->diff_ids[self->n], g_free);
}

static void
check_mount(Oracle *self, const char *expected, const char *expected_links)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamMount) lower = cam_mount_rootfs(
		self->store, (const char *const *) self->diff_ids, CAM_MOUNT_AUTO, NULL, &error);
	g_autofree char *text = NULL, *links = NULL;

	g_assert_no_error(error);
	cam_mount_overlay(lower, NULL, NULL, self->target, &error);
	g_assert_no_error(error);
	text = print_mounted(self->target, &links);
	compare(self, "a mount", text, expected);
	if (cam_mount_get_method(lower) != CAM_MOUNT_CHECKOUT)
		compare(self, "the links of a mount", links, expected_links);
}

static void
mount_view(Oracle *self, GPtrArray *mounts)
{
	const CamSnapshotMount *m = mounts->pdata[0];
	g_autofree char *options = g_strjoinv(",", m->options);

	if (g_str_equal(m->type, "bind"))
		g_assert_cmpint(mount(m->source, self->target, NULL, MS_BIND, NULL), ==, 0);
	else if (mount(m->type, self->target, m->type, MS_RDONLY, options) != 0)
		g_error("cannot mount %s: %s", options, g_strerror(errno));
}

static void
check_apply(Oracle *self, const char *expected)
{
	g_autofree char *parent = g_strdup(""), *view = g_strdup_printf("v%u", self->seed);
	g_autofree char *text = NULL, *links = NULL;
	g_autoptr(GPtrArray) shown = NULL;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < self->n; i++) {
		g_autofree char *key = g_strdup_printf("k%u-%u", self->seed, i);
		g_autofree char *name = g_strdup_printf("n%u-%u", self->seed, i);
		g_autoptr(GBytes) tar = model_tar(self->layers->pdata[i]);
		g_autofree char *digest = cam_digest_for_bytes(tar);
		g_autoptr(CamDescriptor) descriptor =
			cam_descriptor_new("application/vnd.oci.image.layer.v1.tar", digest,
					   (gint64) g_bytes_get_size(tar));
		g_autoptr(GInputStream) blob = g_memory_input_stream_new_from_bytes(tar);
		g_autoptr(GPtrArray) mounts =
			cam_snapshotter_prepare(self->snapshotter, key, parent, NULL, NULL, &error);
		g_assert_no_error(error);
		g_autoptr(CamLayerInfo) info = cam_snapshotter_apply(
			self->snapshotter, mounts, blob, descriptor, NULL, &error);
		g_assert_no_error(error);
		cam_snapshotter_commit(self->snapshotter, name, key, NULL, NULL, &error);
		g_assert_no_error(error);
		g_free(parent);
		parent = g_steal_pointer(&name);
	}
	shown = cam_snapshotter_view(self->snapshotter, view, parent, NULL, NULL, &error);
	g_assert_no_error(error);
	mount_view(self, shown);
	text = print_mounted(self->target, &links);
	g_assert_cmpint(umount(self->target), ==, 0);
	compare(self, "a snapshot", text, expected);
}

/* The directories become layers; the files of theirs are now the store's. */
static void
check_adoption(Oracle *self, const char *expected)
{
	g_auto(GStrv) adopted = g_new0(char *, self->n + 1);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < self->n; i++) {
		g_auto(CamFd) fd = open(self->uppers[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		g_autoptr(CamLayerInfo) info =
			cam_store_adopt_upper(self->store, fd, NULL, NULL, &error);

		/* What AUFS left has names that a layer cannot say. */
		if (info == NULL && strstr(error->message, "read as a whiteout") != NULL)
			return;
		g_assert_no_error(error);
		adopted[i] = g_strdup(info->diff_id);
	}
	text = print_merged(self, adopted, &error);
	g_assert_no_error(error);
	compare(self, "adoption", text, expected);
}

static void
dump(const Oracle *self, const char *expected)
{
	const char *directory = g_getenv("CAM_TREE_ORACLE_DUMP");
	g_autofree char *folder = NULL, *tree = NULL;

	if (directory == NULL)
		return;
	folder = g_strdup_printf("%s/%u", directory, self->seed);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
	for (guint i = 0; i < self->n + self->fails; i++) {
		g_autofree char *path = g_strdup_printf("%s/%u.tar", folder, i);
		g_autoptr(GBytes) tar = model_tar(self->layers->pdata[i]);

		g_assert_true(g_file_set_contents(path, g_bytes_get_data(tar, NULL),
						  (gssize) g_bytes_get_size(tar), NULL));
	}
	tree = g_build_filename(folder, self->fails ? "refused" : "tree", NULL);
	g_assert_true(g_file_set_contents(tree, expected, -1, NULL));
}

static void
clear_case(Oracle *self)
{
	for (guint i = 0; i < LAYERS_MAX; i++) {
		g_autofree char *folder =
			g_strdup_printf("%s/c-%u-%u", self->temporary->path, self->seed, i);

		model_remove(folder);
		g_clear_pointer(&self->uppers[i], g_free);
		g_clear_pointer(&self->diff_ids[i], g_free);
	}
	g_clear_pointer(&self->layers, g_ptr_array_unref);
	g_clear_pointer(&self->description, g_free);
}

static void
run_case(Oracle *self)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(self->seed);
	guint n = (guint) g_rand_int_range(rand, 1, LAYERS_MAX + 1);
	g_autofree char *expected = NULL, *links = NULL, *merged = NULL;
	g_autoptr(GError) error = NULL;

	self->n = 0;
	self->fails = FALSE;
	self->layers = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
	for (guint i = 0; i < n; i++)
		g_ptr_array_add(self->layers, model_random_layer(rand));
	unpack(self, rand);
	describe(self);
	import(self);
	expected = show_truth(self, &links);
	dump(self, expected);
	if (self->fails)
		check_refusal(self);
	if (self->n > 0) {
		merged = print_merged(self, self->diff_ids, &error);
		if (error != NULL)
			g_error("%s%s", self->description, error->message);
		compare(self, "import", merged, expected);
		check_mount(self, expected, links);
		if (self->seed % 4 == 0)
			check_apply(self, expected);
		check_adoption(self, expected);
	}
	clear_case(self);
}

static guint
number_from(const char *name, guint otherwise)
{
	const char *text = g_getenv(name);

	return text != NULL ? (guint) g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void
test_random(void)
{
	guint cases = number_from("CAM_TREE_ORACLE_CASES", CASES);
	guint first = number_from("CAM_TREE_ORACLE_SEED", 1);
	CamSnapshotterOptions options = { .adopt_after = 3600000 };
	g_autoptr(GError) error = NULL;
	Oracle self = { 0 };

	if (!fixture_enter_mount_namespace())
		return;
	umask(022);
	self.temporary = temporary_store_new();
	self.store = self.temporary->store;
	self.target = fixture_make_dir(self.temporary->path, "target");
	self.snapshotter = cam_snapshotter_open(self.store, &options, NULL, &error);
	g_assert_no_error(error);
	for (self.seed = first; self.seed < first + cases; self.seed++)
		run_case(&self);
	g_test_message("%u cases, %u with a layer that is refused", cases, self.refused);
	cam_snapshotter_close(self.snapshotter);
	g_clear_object(&self.snapshotter);
	temporary_store_free(self.temporary);
	g_free(self.target);
}

int
main(int argc, char **argv)
{
	/* In memory where that is possible: every layer syncs the file system. */
	if (access("/dev/shm", W_OK) == 0)
		g_setenv("TMPDIR", "/dev/shm", FALSE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snapshots/tree-oracle/random", test_random);
	return g_test_run();
}
