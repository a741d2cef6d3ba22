/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing on a disk without a free byte: images, layers and snapshots, in a fresh process too. */
#include "snapshotter/snapshots/snapshotter.h"

#include <sys/statvfs.h>

#include "../store/image-fixture.h"
#include "../store/layer-fixture.h"
#include "fixture.h"

#define LARGE (6 << 20)

typedef struct {
	char *top, *disk, *store_path;
	CamStore *store;
} Fixture;

static gboolean
run(const char *const *argv)
{
	int status = -1;

	return g_spawn_sync(NULL, (char **) argv, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
				    G_SPAWN_STDERR_TO_DEV_NULL,
			    NULL, NULL, NULL, NULL, &status, NULL) &&
	       status == 0;
}

static gboolean
mount_disk(Fixture *f, const char *type)
{
	g_autofree char *image = g_build_filename(f->top, "image", NULL);
	const char *format[] = { "mkfs.ext4", "-q", "-m0", image, "48m", NULL };
	const char *loop[] = { "mount", "-o", "loop", image, f->disk, NULL };

	if (g_str_equal(type, "tmpfs"))
		return mount("tmpfs", f->disk, "tmpfs", 0, "size=24m") == 0;
	return run(format) && run(loop);
}

static void
open_store(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	f->store = cam_store_open(f->store_path, TRUE, NULL, &error);
	g_assert_no_error(error);
}

static void
set_up(Fixture *f, gconstpointer type)
{
	if (!fixture_enter_mount_namespace())
		return;
	f->top = g_dir_make_tmp("cambium-full-XXXXXX", NULL);
	f->disk = fixture_make_dir(f->top, "disk");
	f->store_path = g_build_filename(f->disk, "store", NULL);
	if (!mount_disk(f, type)) {
		g_test_skip("no such disk can be had here");
		return;
	}
	open_store(f);
}

static void
tear_down(Fixture *f, gconstpointer type)
{
	g_clear_object(&f->store);
	if (f->top == NULL)
		return;
	umount2(f->disk, MNT_DETACH);
	fixture_remove_tree(f->top);
	g_free(f->top);
	g_free(f->disk);
	g_free(f->store_path);
}

/* Not a byte, nor an inode's worth, is left. */
static void
fill(const char *path)
{
	g_autofree char *chunk = g_malloc0(1 << 16);
	int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	for (gsize size = 1 << 16; size > 0; size /= 2) {
		while (write(fd, chunk, size) > 0)
			continue;
		fsync(fd);
	}
	close(fd);
}

static guint64
room(Fixture *f)
{
	struct statvfs st;

	sync();
	g_assert_cmpint(statvfs(f->disk, &st), ==, 0);
	return (guint64) st.f_bavail * st.f_frsize;
}

static char *
add_large_image(CamStore *store, const char *name)
{
	g_autofree char *content = g_malloc(LARGE + 1);
	GByteArray *tar = g_byte_array_new();

	for (gsize i = 0; i < LARGE; i++)
		content[i] = (char) g_random_int_range('a', 'z');
	content[LARGE] = '\0';
	tar_file(tar, "large", content);
	char *diff_id = import_tar(store, tar);
	g_autofree char *manifest = put_documents(store, name, diff_id);
	put_image(store, name, manifest);
	return diff_id;
}

/* As the command line does it: nothing is open yet when the disk is full already. */
static void
test_image(Fixture *f, gconstpointer type)
{
	g_autoptr(GError) error = NULL;
	CamGcResult result;

	if (f->store == NULL)
		return;
	g_autofree char *diff_id = add_large_image(f->store, "gone:1");
	g_clear_object(&f->store);
	g_autofree char *filler = g_build_filename(f->disk, "filler", NULL);
	fill(filler);
	open_store(f);
	g_autoptr(GPtrArray) names = cam_store_list_image_names(f->store, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(names->len, ==, 1);
	g_assert_true(cam_store_remove_image(f->store, "gone:1", &error));
	g_assert_no_error(error);
	g_clear_object(&f->store);
	open_store(f);
	g_assert_true(cam_store_gc(f->store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(result.layers, ==, 1);
	g_assert_cmpuint(room(f), >, LARGE / 2);
}

/* The container itself has filled the disk, and goes on: what the reserve gave up is gone at once.
 */
static void
test_snapshot(Fixture *f, gconstpointer type)
{
	static const CamSnapshotterOptions options = { .method = CAM_MOUNT_CHECKOUT,
						       .adopt_after = 3600000 };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamSnapshotter) snapshotter = NULL;
	g_autoptr(GPtrArray) mounts = NULL;

	if (f->store == NULL)
		return;
	snapshotter = cam_snapshotter_open(f->store, &options, NULL, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < 2; i++) {
		g_autofree char *name = g_strdup_printf("c%u", i);

		mounts = cam_snapshotter_prepare(snapshotter, name, "", NULL, NULL, &error);
		g_assert_no_error(error);
		const CamSnapshotMount *mount = mounts->pdata[0];
		g_autofree char *filler = g_build_filename(mount->source, "filler", NULL);

		fill(filler);
		g_assert_cmpuint(room(f), <, 1 << 16);
		g_clear_pointer(&mounts, g_ptr_array_unref);
		g_assert_true(cam_snapshotter_remove(snapshotter, name, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(room(f), >, LARGE);
	}
	cam_snapshotter_close(snapshotter);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, type, function) g_test_add(path, Fixture, type, set_up, function, tear_down)
	ADD("/snapshotter-full-disk/tmpfs/image", "tmpfs", test_image);
	ADD("/snapshotter-full-disk/ext4/image", "ext4", test_image);
	ADD("/snapshotter-full-disk/tmpfs/snapshot", "tmpfs", test_snapshot);
	ADD("/snapshotter-full-disk/ext4/snapshot", "ext4", test_snapshot);
	return g_test_run();
}
