/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots by what callers see: codes, mounts, what is on disk, and what a crash or another
 * process may leave. What containerd's clients do with it is tested in tests/conformance.
 */
#include "snapshotter/snapshots/snapshotter.h"

#include <string.h>
#include <sys/stat.h>

#include "../store/layer-fixture.h"
#include "fixture.h"
#include "snapshotter/base/mount-table.h"
#include "snapshotter/snapshots/lower.h"

#define HOUR_MS 3600000

typedef struct {
	TemporaryStore *temporary;
	CamStore *store;
	CamSnapshotter *snapshotter;
	char *base, *top; /* diffIDs of two layers */
	char *chain;	  /* chainID of both */
	char *base_chain;
} Fixture;

/* How a fixture mounts: a method, and what older kernels' overlayfs can do. */
typedef struct {
	CamMountMethod method;
	CamDataLayers data; /* NONE: as this kernel */
} Way;

static void
open_snapshotter(Fixture *f, const Way *way)
{
	CamSnapshotterOptions options = { .adopt_after = HOUR_MS,
					  .method = way ? way->method : CAM_MOUNT_AUTO };
	g_autoptr(GError) error = NULL;

	f->snapshotter = cam_snapshotter_open(f->store, &options, NULL, &error);
	g_assert_no_error(error);
}

/* What the probe found is replaced by what an older kernel would have let it find. */
static void
pretend(CamStore *store, CamDataLayers data)
{
	CamMountAbilities *abilities = (CamMountAbilities *) cam_lower_get_abilities(store);

	if (abilities->data == CAM_DATA_NONE)
		return;
	abilities->data = data;
	abilities->loop = TRUE;
}

static void
set_up(Fixture *f, gconstpointer data)
{
	const Way *way = data;
	GByteArray *base = g_byte_array_new(), *top = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	if (!fixture_enter_mount_namespace())
		return;
	f->temporary = temporary_store_new();
	f->store = f->temporary->store;
	tar_directory(base, "etc/", 0755);
	tar_file(base, "etc/one", "one");
	tar_file(base, "etc/two", "two");
	tar_file(top, "etc/.wh.two", "");
	tar_file(top, "etc/three", "three");
	f->base = import_tar(f->store, base);
	f->top = import_tar(f->store, top);
	f->base_chain = cam_chain_id(NULL, f->base);
	f->chain = cam_chain_id(f->base_chain, f->top);
	const char *const diff_ids[] = { f->base, f->top, NULL };
	g_assert_true(cam_store_add_chain(f->store, diff_ids, &error));
	if (way && way->data != CAM_DATA_NONE)
		pretend(f->store, way->data);
	open_snapshotter(f, way);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	if (!f->store)
		return;
	if (f->snapshotter)
		cam_snapshotter_close(f->snapshotter);
	g_clear_object(&f->snapshotter);
	temporary_store_free(f->temporary);
	g_free(f->base);
	g_free(f->top);
	g_free(f->chain);
	g_free(f->base_chain);
}

#define assert_code(error, expected)                        \
	G_STMT_START                                        \
	{                                                   \
		g_assert_error(error, CAM_ERROR, expected); \
		g_clear_error(&(error));                    \
	}                                                   \
	G_STMT_END

static GPtrArray *
prepare(Fixture *f, const char *key, const char *parent)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *mounts =
		cam_snapshotter_prepare(f->snapshotter, key, parent, NULL, NULL, &error);

	g_assert_no_error(error);
	return mounts;
}

static void
commit(Fixture *f, const char *name, const char *key)
{
	g_autoptr(GError) error = NULL;

	cam_snapshotter_commit(f->snapshotter, name, key, NULL, NULL, &error);
	g_assert_no_error(error);
}

/* Mounts as containerd's mount package does, at a new directory. */
static char *
mount_at(GPtrArray *mounts)
{
	const CamSnapshotMount *m = g_ptr_array_index(mounts, 0);
	g_autoptr(GError) error = NULL;
	char *target = g_dir_make_tmp("cam-XXXXXX", &error);

	g_assert_no_error(error);
	g_assert_cmpuint(mounts->len, ==, 1);
	if (g_str_equal(m->type, "bind")) {
		gboolean readonly = g_strv_contains((const char *const *) m->options, "ro");

		g_assert_no_errno(mount(m->source, target, NULL, MS_BIND | MS_REC, NULL));
		if (readonly)
			g_assert_no_errno(
				mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	} else {
		g_autofree char *options = g_strjoinv(",", m->options);

		g_assert_no_errno(mount(m->source, target, m->type, 0, options));
	}
	return target;
}

static void
unmount(char *target)
{
	g_assert_no_errno(umount2(target, 0));
	g_assert_no_errno(rmdir(target));
	g_free(target);
}

static void
write_file(const char *directory, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autoptr(GError) error = NULL;

	g_file_set_contents(path, text, -1, &error);
	g_assert_no_error(error);
}

static void
make_directory(const char *parent, const char *name)
{
	g_autofree char *path = g_build_filename(parent, name, NULL);

	g_assert_no_errno(mkdir(path, 0755));
}

static void
assert_file(const char *directory, const char *name, const char *expected)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	g_assert_cmpstr(text, ==, expected);
}

static guint
count_links(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	struct stat st;

	g_assert_no_errno(stat(path, &st));
	return st.st_nlink;
}

static GHashTable *
label(const char *name, const char *value)
{
	GHashTable *labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	g_hash_table_insert(labels, g_strdup(name), g_strdup(value));
	return labels;
}

/* How many entries a folder of the store has. */
static guint
count(Fixture *f, const char *folder)
{
	g_autofree char *path = g_build_filename(cam_store_get_path(f->store), folder, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

/* ---- tests ---- */

static void
test_codes(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mounts = NULL, again = NULL;

	if (!f->store)
		return;
	g_assert_null(cam_snapshotter_mounts(f->snapshotter, "none", NULL, &error));
	assert_code(error, CAM_ERROR_NOT_FOUND);
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "a", "none", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_NOT_FOUND);
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "", "", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_INVALID_ARGUMENT);
	mounts = prepare(f, "a", "");
	again = cam_snapshotter_mounts(f->snapshotter, "a", NULL, &error);
	g_assert_no_error(error);
	g_assert_true(cam_snapshot_mount_equal(mounts->pdata[0], again->pdata[0]));
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "a", "", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	g_assert_null(cam_snapshotter_view(f->snapshotter, "b", "a", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_false(cam_snapshotter_commit(f->snapshotter, "a", "a", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	commit(f, "A", "a");
	g_assert_null(cam_snapshotter_mounts(f->snapshotter, "A", NULL, &error));
	assert_code(error, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_false(cam_snapshotter_commit(f->snapshotter, "B", "A", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_false(cam_snapshotter_commit(f->snapshotter, "B", "a", NULL, NULL, &error));
	assert_code(error, CAM_ERROR_NOT_FOUND);
	g_ptr_array_unref(prepare(f, "b", "A"));
	g_assert_false(cam_snapshotter_remove(f->snapshotter, "A", &error));
	g_assert_nonnull(strstr(error->message, "remove"));
	assert_code(error, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "b", &error));
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "A", &error));
	g_assert_false(cam_snapshotter_remove(f->snapshotter, "A", &error));
	assert_code(error, CAM_ERROR_NOT_FOUND);
	g_assert_cmpuint(count(f, "snapshots"), ==, 0);
}

static void
test_layers(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) labels = label("containerd.io/snapshot.ref", f->base_chain);
	g_autoptr(GHashTable) top_labels = label("containerd.io/snapshot.ref", f->chain);
	g_autoptr(GPtrArray) mounts = NULL, infos = NULL, view = NULL;
	char *target;

	if (!f->store)
		return;
	/* What the store can build is there as soon as it is asked for. */
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "k1", "", labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	g_assert_null(
		cam_snapshotter_prepare(f->snapshotter, "k2", "k1", top_labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	/* Asking again finds the same snapshot. */
	g_assert_null(
		cam_snapshotter_prepare(f->snapshotter, "k3", "k1", top_labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	infos = cam_snapshotter_list(f->snapshotter, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(infos->len, ==, 2);
	g_assert_cmpstr(((CamSnapshotInfo *) infos->pdata[1])->parent, ==, "k1");
	/* Not on another parent than the chain's. */
	mounts = cam_snapshotter_prepare(f->snapshotter, "x", "k2", top_labels, NULL, &error);
	g_assert_no_error(error);

	target = mount_at(mounts);
	assert_file(target, "etc/one", "one");
	assert_file(target, "etc/two", NULL);
	assert_file(target, "etc/three", "three");
	write_file(target, "etc/one", "changed");
	unmount(target);
	/* Also after somebody tidied up what he did not know. */
	g_autofree char *lower = g_build_filename(cam_store_get_path(f->store), "lower", NULL);
	cam_mount_sweep(lower, &error);
	g_assert_no_error(error);
	view = cam_snapshotter_view(f->snapshotter, "v", "k2", NULL, NULL, &error);
	g_assert_no_error(error);
	target = mount_at(view);
	assert_file(target, "etc/one", "one");
	g_autofree char *file = g_build_filename(target, "new", NULL);
	g_assert_cmpint(g_mkdir(file, 0755), ==, -1);
	g_assert_cmpint(errno, ==, EROFS);
	unmount(target);
	g_assert_cmpuint(count(f, "lower"), ==, 1);
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "v", &error));
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "x", &error));
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "k2", &error));
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "k1", &error));
	g_assert_cmpuint(count(f, "lower"), ==, 0);
	g_assert_cmpuint(count(f, "snapshots"), ==, 0);
}

static void
test_labels(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) labels = label("a", "1");
	const char *const one[] = { "labels.b", NULL }, *const wrong[] = { "parent", NULL };
	g_autoptr(CamSnapshotInfo) info = NULL;

	if (!f->store)
		return;
	g_ptr_array_unref(cam_snapshotter_prepare(f->snapshotter, "s", "", labels, NULL, &error));
	g_hash_table_insert(labels, g_strdup("b"), g_strdup("2"));
	g_assert_null(cam_snapshotter_update(f->snapshotter, "s", labels, wrong, &error));
	assert_code(error, CAM_ERROR_INVALID_ARGUMENT);
	g_hash_table_remove(labels, "a");
	info = cam_snapshotter_update(f->snapshotter, "s", labels, one, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(g_hash_table_lookup(info->labels, "a"), ==, "1");
	g_assert_cmpstr(g_hash_table_lookup(info->labels, "b"), ==, "2");
	g_assert_cmpint(info->updated, >=, info->created);
	g_clear_pointer(&info, cam_snapshot_info_free);
	info = cam_snapshotter_update(f->snapshotter, "s", labels, NULL, &error);
	g_assert_cmpuint(g_hash_table_size(info->labels), ==, 1);
	/* An empty value removes. */
	g_clear_pointer(&info, cam_snapshot_info_free);
	g_hash_table_insert(labels, g_strdup("b"), g_strdup(""));
	info = cam_snapshotter_update(f->snapshotter, "s", labels, one, &error);
	g_assert_cmpuint(g_hash_table_size(info->labels), ==, 0);
}

static void
test_apply(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GPtrArray) mounts = NULL, nothing = NULL, below = NULL, above = NULL;
	g_autoptr(CamLayerInfo) info = NULL;
	char *target;

	if (!f->store)
		return;
	tar_file(tar, "hello", "world");
	g_autoptr(GBytes) bytes = tar_end(tar);
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	g_autoptr(CamDescriptor) descriptor = cam_descriptor_new(
		"application/vnd.oci.image.layer.v1.tar", digest, (gint64) g_bytes_get_size(bytes));
	g_autoptr(GInputStream) blob = g_memory_input_stream_new_from_bytes(bytes);

	mounts = prepare(f, "a", "");
	info = cam_snapshotter_apply(f->snapshotter, mounts, blob, descriptor, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(info->diff_id, ==, digest);
	commit(f, "A", "a");
	g_assert_cmpuint(count(f, "snapshots"), ==, 0);
	g_ptr_array_unref(g_steal_pointer(&mounts));
	mounts = prepare(f, "b", "A");
	target = mount_at(mounts);
	assert_file(target, "hello", "world");
	unmount(target);
	/* Another namespace need not unpack it. */
	g_autofree char *chain = cam_chain_id(NULL, digest);
	g_autoptr(GHashTable) labels = label("containerd.io/snapshot.ref", chain);
	g_ptr_array_unref(prepare(f, "other", ""));
	commit(f, "Other", "other");
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "c", "", labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	/* The layer that it is comes out again. */
	below = cam_snapshotter_view(f->snapshotter, "v0", "", NULL, NULL, &error);
	above = cam_snapshotter_view(f->snapshotter, "v1", "A", NULL, NULL, &error);
	g_autoptr(GInputStream) diff =
		cam_snapshotter_open_diff(f->snapshotter, below, above, NULL, &error);
	g_assert_no_error(error);
	g_autoptr(GBytes) again = read_to_end(diff, &error);
	g_assert_true(g_bytes_equal(again, bytes));
	/* Mounts of somebody else, and of what is no active snapshot. */
	nothing = g_ptr_array_new();
	g_assert_null(
		cam_snapshotter_apply(f->snapshotter, nothing, blob, descriptor, NULL, &error));
	assert_code(error, CAM_ERROR_UNIMPLEMENTED);
	g_assert_null(cam_snapshotter_find_key(f->snapshotter, above, &error));
	assert_code(error, CAM_ERROR_UNIMPLEMENTED);
}

/* Directories become layers under the feet of whoever uses them, and nobody notices. */
static void
test_adoption(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) lower = NULL, upper = NULL, user = NULL, same = NULL, next = NULL;
	const CamSnapshotMount *before, *after;
	char *target, *running;

	if (!f->store)
		return;
	lower = prepare(f, "a", "");
	target = mount_at(lower);
	write_file(target, "below", "a");
	write_file(target, "gone", "a");
	unmount(target);
	commit(f, "A", "a");
	upper = prepare(f, "b", "A");
	target = mount_at(upper);
	write_file(target, "above", "b");
	g_autofree char *gone = g_build_filename(target, "gone", NULL);
	g_assert_no_errno(unlink(gone));
	/* Not while it is still mounted. */
	commit(f, "B", "b");
	cam_snapshotter_settle(f->snapshotter);
	g_assert_cmpuint(count(f, "snapshots"), ==, 2);
	unmount(target);

	/* What a container sees does not change, not even the number of links to a file. */
	user = prepare(f, "c", "B");
	running = mount_at(user);
	g_assert_cmpuint(count_links(running, "above"), ==, 1);
	cam_snapshotter_settle(f->snapshotter);
	g_assert_cmpuint(count_links(running, "above"), ==, 1);
	g_assert_cmpuint(count(f, "snapshots"), ==, 3);
	same = cam_snapshotter_mounts(f->snapshotter, "c", NULL, &error);
	g_assert_no_error(error);
	before = user->pdata[0];
	g_assert_true(cam_snapshot_mount_equal(before, same->pdata[0]));
	assert_file(running, "below", "a");
	unmount(running);
	/* The last one who stood on the directories goes. */
	g_assert_true(cam_snapshotter_remove(f->snapshotter, "c", &error));
	cam_snapshotter_settle(f->snapshotter);
	g_assert_cmpuint(count(f, "snapshots"), ==, 0);

	next = prepare(f, "d", "B");
	after = next->pdata[0];
	g_assert_null(strstr(cam_snapshot_mount_get_option(after, "lowerdir"), "/snapshots/"));
	target = mount_at(next);
	assert_file(target, "below", "a");
	assert_file(target, "above", "b");
	assert_file(target, "gone", NULL);
	unmount(target);
	g_assert_cmpuint(count(f, "snapshots"), ==, 1);
}

/* More layers than mount(2)'s options have room for. */
static void
test_many(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *parent = g_strdup("");
	g_autoptr(GPtrArray) mounts = NULL;
	char *target;

	if (!f->store)
		return;
	for (guint i = 0; i < 128; i++) {
		g_autofree char *key = g_strdup_printf("key %u", i);
		g_autofree char *name = g_strdup_printf("name %u", i);
		g_autofree char *file = g_strdup_printf("file %u", i);
		g_autoptr(GPtrArray) step = prepare(f, key, parent);

		target = mount_at(step);
		write_file(target, file, key);
		unmount(target);
		commit(f, name, key);
		g_free(parent);
		parent = g_steal_pointer(&name);
	}
	mounts = prepare(f, "top", parent);
	target = mount_at(mounts);
	assert_file(target, "file 0", "key 0");
	assert_file(target, "file 127", "key 127");
	unmount(target);
}

static void
test_rebase(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mounts = NULL, lower = NULL, upper = NULL;
	g_autoptr(CamSnapshotInfo) info = NULL;
	char *target;

	if (!f->store)
		return;
	lower = prepare(f, "a", "");
	target = mount_at(lower);
	write_file(target, "below", "a");
	unmount(target);
	commit(f, "A", "a");
	upper = prepare(f, "b", "");
	target = mount_at(upper);
	write_file(target, "above", "b");
	unmount(target);
	g_assert_true(cam_snapshotter_commit(f->snapshotter, "B", "b", "A", NULL, &error));
	info = cam_snapshotter_stat(f->snapshotter, "B", &error);
	g_assert_cmpstr(info->parent, ==, "A");
	mounts = prepare(f, "c", "B");
	target = mount_at(mounts);
	assert_file(target, "below", "a");
	assert_file(target, "above", "b");
	unmount(target);
	g_assert_false(cam_snapshotter_commit(f->snapshotter, "C", "c", "A", NULL, &error));
	assert_code(error, CAM_ERROR_FAILED_PRECONDITION);
}

/* Another one on the same store, and one after a crash. */
static void
test_again(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mounts = NULL, same = NULL;
	g_autofree char *stranger = NULL;
	char *target;

	if (!f->store)
		return;
	g_assert_null(cam_snapshotter_open(f->store, NULL, NULL, &error));
	assert_code(error, CAM_ERROR_FAILED_PRECONDITION);
	mounts = prepare(f, "a", "");
	target = mount_at(mounts);
	write_file(target, "file", "kept");
	unmount(target);
	cam_snapshotter_close(f->snapshotter);
	g_clear_object(&f->snapshotter);
	stranger = g_build_filename(cam_store_get_path(f->store), "snapshots", "77", NULL);
	g_assert_no_errno(g_mkdir(stranger, 0755));
	g_assert_true(cam_store_add_lease(f->store, "snapshot/77",
					  (const char *const[]){ f->base, NULL }, 0, &error));
	open_snapshotter(f, NULL);
	g_assert_false(g_file_test(stranger, G_FILE_TEST_EXISTS));
	g_assert_false(cam_store_remove_lease(f->store, "snapshot/77", &error));
	assert_code(error, CAM_ERROR_NOT_FOUND);
	same = cam_snapshotter_mounts(f->snapshotter, "a", NULL, &error);
	target = mount_at(same);
	assert_file(target, "file", "kept");
	unmount(target);
}

/* What cannot be removed is set aside and said. */
static void
test_stuck(Fixture *f, gconstpointer data)
{
	g_autofree char *stuck = NULL, *aside = NULL;
	g_autoptr(GError) error = NULL;
	CamGcResult result;

	if (!f->store)
		return;
	cam_snapshotter_close(f->snapshotter);
	g_clear_object(&f->snapshotter);
	stuck = g_build_filename(cam_store_get_path(f->store), "snapshots", "77", "x", NULL);
	g_assert_no_errno(g_mkdir_with_parents(stuck, 0755));
	g_assert_no_errno(mount("tmpfs", stuck, "tmpfs", 0, NULL));
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "77 is */aside/*mounted at x*");
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "removed */77*");
	open_snapshotter(f, NULL);
	g_test_assert_expected_messages();
	/* gc removes it when it can. */
	aside = g_build_filename(cam_store_get_path(f->store), "aside", NULL);
	g_assert_true(cam_mount_sweep(aside, &error));
	g_assert_true(cam_store_gc(f->store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	g_assert_no_errno(g_rmdir(aside));
}

/* A container renames a directory of a lower layer, be that a plain directory or a tree of the
 * store.
 */
static void
test_rename(Fixture *f, gconstpointer data)
{
	static const char *const parents[] = { "plain", "base" };
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) labels = label("containerd.io/snapshot.ref", f->base_chain);
	g_autoptr(GPtrArray) first = NULL;
	char *target;

	if (!f->store)
		return;
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "base", "", labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	first = prepare(f, "first", "");
	target = mount_at(first);
	make_directory(target, "etc");
	write_file(target, "etc/one", "one");
	unmount(target);
	commit(f, "plain", "first");
	for (gsize i = 0; i < G_N_ELEMENTS(parents); i++) {
		g_autofree char *name = g_strconcat("moved-", parents[i], NULL);
		g_autoptr(GPtrArray) mounts = prepare(f, name, parents[i]), view = NULL;
		g_autofree char *committed = g_strconcat(name, "-committed", NULL);
		g_autofree char *from = NULL, *to = NULL;

		target = mount_at(mounts);
		from = g_build_filename(target, "etc", NULL);
		to = g_build_filename(target, "conf", NULL);
		g_assert_no_errno(rename(from, to));
		assert_file(target, "conf/one", "one");
		unmount(target);
		commit(f, committed, name);
		cam_snapshotter_settle(f->snapshotter);
		view = cam_snapshotter_view(f->snapshotter, name, committed, NULL, NULL, &error);
		g_assert_no_error(error);
		target = mount_at(view);
		assert_file(target, "conf/one", "one");
		assert_file(target, "etc/one", NULL);
		unmount(target);
	}
}

/* What stands on a directory that can never be a layer stays one too, lest nobody could mount it.
 */
static void
test_above_renamed(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) first = NULL, second = NULL, third = NULL, fourth = NULL;
	g_autofree char *from = NULL, *to = NULL;
	char *target;

	if (!f->store)
		return;
	first = prepare(f, "a", "");
	target = mount_at(first);
	make_directory(target, "etc");
	write_file(target, "etc/one", "one");
	unmount(target);
	commit(f, "A", "a");
	second = prepare(f, "b", "A");
	target = mount_at(second);
	from = g_build_filename(target, "etc", NULL);
	to = g_build_filename(target, "conf", NULL);
	g_assert_no_errno(rename(from, to));
	unmount(target);
	commit(f, "B", "b");
	third = prepare(f, "c", "B");
	target = mount_at(third);
	write_file(target, "conf/two", "two");
	unmount(target);
	commit(f, "C", "c");
	cam_snapshotter_settle(f->snapshotter);
	fourth = prepare(f, "d", "C");
	target = mount_at(fourth);
	assert_file(target, "conf/one", "one");
	assert_file(target, "conf/two", "two");
	assert_file(target, "etc/one", NULL);
	unmount(target);
}

/* The root directory is the same for all images, as with containerd's own snapshotters. */
static void
test_root(Fixture *f, gconstpointer data)
{
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *layer = NULL, *chain = NULL;
	g_autoptr(GHashTable) labels = NULL;

	if (!f->store)
		return;
	tar_directory(tar, "./", 0711);
	layer = import_tar(f->store, tar);
	chain = cam_chain_id(NULL, layer);
	const char *const diff_ids[] = { layer, NULL };
	g_assert_true(cam_store_add_chain(f->store, diff_ids, &error));
	labels = label("containerd.io/snapshot.ref", chain);
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "base", "", labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	for (guint i = 0; i < 2; i++) {
		g_autofree char *key = g_strdup_printf("key %u", i);
		g_autoptr(GPtrArray) mounts = prepare(f, key, "base");
		char *target = mount_at(mounts);
		struct stat st;

		g_assert_no_errno(stat(target, &st));
		g_assert_cmpuint(st.st_mode & 07777, ==, 0755);
		unmount(target);
	}
}

/* A process that mounted images was killed, and its successor checks out. */
static void
test_left_mount_point(Fixture *f, gconstpointer data)
{
	g_autofree char *id = f->store ? g_strndup(cam_digest_hex(f->base_chain), 32) : NULL;
	g_autoptr(GHashTable) labels = NULL;
	g_autoptr(GPtrArray) mounts = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *left = NULL;
	char *target;

	if (!f->store)
		return;
	left = g_build_filename(cam_store_get_path(f->store), "lower", id, "tree", NULL);
	labels = label("containerd.io/snapshot.ref", f->base_chain);
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "base", "", labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	g_assert_no_errno(g_mkdir_with_parents(left, 0755));
	mounts = prepare(f, "a", "base");
	target = mount_at(mounts);
	assert_file(target, "etc/one", "one");
	unmount(target);
}

/* An overlay on what lies in a container's root: the kernel lets two stack. */
static void
test_stacking(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) labels = label("containerd.io/snapshot.ref", f->base_chain);
	g_autoptr(GPtrArray) mounts = NULL;
	g_autofree char *options = NULL, *inner = NULL;
	char *target;

	if (!f->store)
		return;
	g_assert_null(cam_snapshotter_prepare(f->snapshotter, "base", "", labels, NULL, &error));
	assert_code(error, CAM_ERROR_ALREADY_EXISTS);
	mounts = prepare(f, "a", "base");
	target = mount_at(mounts);
	inner = g_dir_make_tmp("cam-XXXXXX", &error);
	options = g_strdup_printf("lowerdir=%s/etc:%s/snapshots", target,
				  cam_store_get_path(f->store));
	g_assert_no_errno(mount("overlay", inner, "overlay", MS_RDONLY, options));
	assert_file(inner, "one", "one");
	unmount(g_steal_pointer(&inner));
	unmount(target);
}

static const struct {
	const char *name;
	Way way;
} ways[] = {
	{ "loop", { CAM_MOUNT_EROFS_LOOP, CAM_DATA_NONE } },
	{ "checkout", { CAM_MOUNT_CHECKOUT, CAM_DATA_NONE } },
	{ "metacopy", { CAM_MOUNT_EROFS, CAM_DATA_METACOPY } },
	{ "ordinary", { CAM_MOUNT_EROFS, CAM_DATA_ORDINARY } },
};

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/snapshotter/codes", Fixture, NULL, set_up, test_codes, tear_down);
	g_test_add("/snapshotter/layers", Fixture, NULL, set_up, test_layers, tear_down);
	for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *name = g_strconcat("/snapshotter/layers/", ways[i].name, NULL);

		g_test_add(name, Fixture, &ways[i].way, set_up, test_layers, tear_down);
	}
	g_test_add("/snapshotter/stacking", Fixture, &ways[0].way, set_up, test_stacking,
		   tear_down);
	g_test_add("/snapshotter/rename", Fixture, NULL, set_up, test_rename, tear_down);
	g_test_add("/snapshotter/above-renamed", Fixture, NULL, set_up, test_above_renamed,
		   tear_down);
	g_test_add("/snapshotter/root", Fixture, NULL, set_up, test_root, tear_down);
	g_test_add("/snapshotter/left-mount-point", Fixture, &ways[1].way, set_up,
		   test_left_mount_point, tear_down);
	g_test_add("/snapshotter/labels", Fixture, NULL, set_up, test_labels, tear_down);
	g_test_add("/snapshotter/apply", Fixture, NULL, set_up, test_apply, tear_down);
	g_test_add("/snapshotter/rebase", Fixture, NULL, set_up, test_rebase, tear_down);
	g_test_add("/snapshotter/adoption", Fixture, NULL, set_up, test_adoption, tear_down);
	g_test_add("/snapshotter/many", Fixture, NULL, set_up, test_many, tear_down);
	g_test_add("/snapshotter/again", Fixture, NULL, set_up, test_again, tear_down);
	g_test_add("/snapshotter/stuck", Fixture, NULL, set_up, test_stuck, tear_down);
	return g_test_run();
}
