/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole way of real layers: packed by GNU tar, imported, merged, mounted in every way, and
 * compared with what umoci unpacks from the same layers.
 */
#include "snapshotter/snapshots/mount.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "../store/temporary-store.h"
#include "fixture.h"
#include "snapshotter/base/mount-table.h"

/* Two layers with one of everything that GNU tar can pack, in $1/0 and $1/1, packed as 0.tar and
 * 1.tar; and what umoci makes of them in $1/peer. */
static const char make_layers[] =
	"set -e; umask 022; cd \"$1\"\n"
	"mkdir -p 0/etc 0/bin 0/var/gone/deep 0/var/opaque 0/lib64 0/odd 0/links 0/replaced/by "
	"1/etc "
	"1/var/opaque\n"
	"echo one > 0/etc/one; echo two > 0/etc/two; ln 0/etc/one 0/links/one; ln 0/etc/one 0/one\n"
	"cp /bin/true 0/bin/true; chmod 4755 0/bin/true; chown 12:34 0/bin; chmod 1777 0/var\n"
	"setfattr -n user.note -v hello 0/bin; setfattr -n user.empty 0/etc/two\n"
	"setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 0/etc/two\n"
	"mknod 0/null c 1 3; mknod 0/disk b 8 17; mkfifo 0/fifo; ln -s ../etc/one 0/links/sym\n"
	"ln -s lib64 0/lib; ln -s \"$(printf '%04000d' 0)\" 0/links/long\n"
	"touch 0/empty 0/var/gone/deep/file 0/var/opaque/hidden\n"
	"truncate -s 5M 0/sparse; printf end >> 0/sparse; printf x > \"0/odd/$(printf "
	"'\\351\\377')\"\n"
	"printf x > '0/odd/a:b,c\\d e'; mkdir \"0/odd/$(printf '%0255d' 1)\"; touch 0/odd/.hidden\n"
	"touch -d '1969-12-31 23:59:58.5 UTC' 0/etc/two; touch -d '2038-01-20 UTC' 0/bin\n"
	"touch -h -d '2001-02-03 04:05:06.789012345 UTC' 0/links/sym\n"
	"echo changed > 1/etc/two; chown 5000000:6 1/etc/two; touch 1/var/.wh.gone\n"
	"touch 1/var/opaque/.wh..wh..opq; echo new > 1/var/opaque/new; touch 1/.wh.null\n"
	"mkdir 1/empty; echo in > 1/empty/in; echo file > 1/replaced; mkdir 1/lib64\n"
	"echo via > 1/lib64/via; touch -d '2020-01-01 UTC' 1 1/etc 1/lib64/via\n"
	"for n in 0 1; do tar -C $n --sort=name --format=pax --sparse --numeric-owner --xattrs \\\n"
	"  '--xattrs-include=*' -cf $n.tar .; done\n";

static const char unpack_with_peer[] =
	"set -e; cd \"$1\"; \"$2\" layout tag 0.tar 1.tar > /dev/null\n"
	"umoci unpack --image layout:tag peer > /dev/null 2>&1\n";

static gboolean
run_script(const char *script, const char *directory, const char *helper)
{
	const char *const argv[] = { "bash", "-c", script, "bash", directory, helper, NULL };
	g_autofree char *output = NULL, *problems = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
		     &problems, &status, &error);
	g_assert_no_error(error);
	if (status != 0)
		g_test_message("%s", problems);
	return status == 0;
}

static char *
import_layer(CamStore *store, const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, &error);

	g_assert_no_error(error);
	g_autoptr(CamLayerInfo) info = cam_store_import_layer(store, G_INPUT_STREAM(stream), NULL,
							      NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	return g_strdup(info->diff_id);
}

/* ---- comparing trees ---- */

typedef struct {
	const char *ours, *theirs;
	GHashTable *inodes; /* ours → theirs */
	gboolean exact;	    /* times, links and device nodes too */
	guint count;
} Comparison;

static void compare_directories(Comparison *self, const char *path);

/* Attributes as sorted lines, so that two files can be compared at once. */
static char *
describe_xattrs(const char *path)
{
	char names[4096];
	ssize_t length = llistxattr(path, names, sizeof(names));
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		guchar value[1024];
		ssize_t size = lgetxattr(path, name, value, sizeof(value));
		g_autofree char *text = g_base64_encode(value, (gsize) MAX(size, 0));

		g_ptr_array_add(lines, g_strdup_printf("%s=%s", name, text));
	}
	g_ptr_array_sort(lines, (GCompareFunc) g_strcmp0);
	g_ptr_array_add(lines, NULL);
	return g_strjoinv("\n", (char **) lines->pdata);
}

static void
compare_content(const char *ours, const char *theirs)
{
	g_auto(CamFd) a = open(ours, O_RDONLY | O_CLOEXEC);
	g_auto(CamFd) b = open(theirs, O_RDONLY | O_CLOEXEC);
	static char x[1 << 20], y[1 << 20];
	ssize_t size = 1;

	g_assert_cmpint(a, >=, 0);
	g_assert_cmpint(b, >=, 0);
	for (guint chunk = 0; size > 0 && chunk < 8; chunk++) {
		size = read(a, x, sizeof(x));
		g_assert_cmpint(read(b, y, sizeof(y)), ==, size);
		g_assert_true(memcmp(x, y, (gsize) MAX(size, 0)) == 0);
	}
	/* Of the sparse file only beginning and end. */
	if (lseek(a, -3, SEEK_END) > 0 && lseek(b, -3, SEEK_END) > 0) {
		g_assert_cmpint(read(a, x, 3), ==, 3);
		g_assert_cmpint(read(b, y, 3), ==, 3);
		g_assert_true(memcmp(x, y, 3) == 0);
	}
}

static void
compare_inodes(Comparison *self, const struct stat *ours, const struct stat *theirs)
{
	gpointer other;

	g_assert_cmpint(ours->st_mtim.tv_sec, ==, theirs->st_mtim.tv_sec);
	g_assert_cmpint(ours->st_mtim.tv_nsec, ==, theirs->st_mtim.tv_nsec);
	if (S_ISDIR(ours->st_mode))
		return;
	g_assert_cmpuint(ours->st_nlink, ==, theirs->st_nlink);
	if (g_hash_table_lookup_extended(self->inodes, GSIZE_TO_POINTER(ours->st_ino), NULL,
					 &other))
		g_assert_cmpuint(theirs->st_ino, ==, GPOINTER_TO_SIZE(other));
	g_hash_table_insert(self->inodes, GSIZE_TO_POINTER(ours->st_ino),
			    GSIZE_TO_POINTER(theirs->st_ino));
}

static void
compare_files(Comparison *self, const char *path)
{
	g_autofree char *ours = g_build_filename(self->ours, path, NULL);
	g_autofree char *theirs = g_build_filename(self->theirs, path, NULL);
	g_autofree char *shown = g_strescape(path, NULL);
	struct stat a, b;

	if (lstat(ours, &a) != 0 || lstat(theirs, &b) != 0)
		g_error("%s is on one side only", shown);
	if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid ||
	    (a.st_size != b.st_size && !S_ISDIR(a.st_mode)) || a.st_rdev != b.st_rdev)
		g_error("%s differs: %o %u %u, not %o %u %u", shown, a.st_mode, a.st_uid, a.st_gid,
			b.st_mode, b.st_uid, b.st_gid);
	if (self->exact && a.st_mtim.tv_sec != b.st_mtim.tv_sec)
		g_test_message("%s", shown);
	if (self->exact)
		compare_inodes(self, &a, &b);
	g_autofree char *our_xattrs = describe_xattrs(ours),
			*their_xattrs = describe_xattrs(theirs);
	g_assert_cmpstr(our_xattrs, ==, their_xattrs);
	self->count++;
	if (S_ISREG(a.st_mode))
		compare_content(ours, theirs);
	if (S_ISDIR(a.st_mode))
		compare_directories(self, path);
	if (S_ISLNK(a.st_mode)) {
		g_autofree char *our_target = g_file_read_link(ours, NULL);
		g_autofree char *their_target = g_file_read_link(theirs, NULL);

		g_assert_cmpstr(our_target, ==, their_target);
	}
}

static void
add_names(GHashTable *names, const char *top, const char *path)
{
	g_autofree char *full = g_build_filename(top, path, NULL);
	g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);

	for (const char *name; dir && (name = g_dir_read_name(dir));)
		g_hash_table_add(names, g_build_filename(path, name, NULL));
}

static void
compare_directories(Comparison *self, const char *path)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer name;

	add_names(names, self->ours, path);
	add_names(names, self->theirs, path);
	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		compare_files(self, name);
}

static void
compare_trees(const char *ours, const char *theirs, gboolean exact)
{
	g_autoptr(GHashTable) inodes = g_hash_table_new(NULL, NULL);
	Comparison comparison = { ours, theirs, inodes, exact, 0 };

	compare_files(&comparison, "");
	g_assert_cmpuint(comparison.count, >, 25);
}

/* ---- tests ---- */

typedef struct {
	TemporaryStore *temporary;
	CamStore *store;
	char *top, *target, *upper, *work, *peer;
	char *diff_ids[3];
} World;

/* FALSE: skipped. */
static gboolean
world_init(World *world)
{
	g_autofree char *pack =
		g_test_build_filename(G_TEST_DIST, "..", "..", "examples", "oci-pack", NULL);

	*world = (World){ 0 };
	if (!fixture_enter_mount_namespace())
		return FALSE;
	world->top = g_dir_make_tmp("cam-mount-XXXXXX", NULL);
	world->temporary = temporary_store_new();
	world->store = world->temporary->store;
	world->target = fixture_make_dir(world->top, "target");
	world->upper = fixture_make_dir(world->top, "upper");
	world->work = fixture_make_dir(world->top, "work");
	if (!run_script(make_layers, world->top, NULL)) {
		g_test_skip("the layers cannot be made here");
		return FALSE;
	}
	world->diff_ids[0] = import_layer(world->store, world->top, "0.tar");
	world->diff_ids[1] = import_layer(world->store, world->top, "1.tar");
	g_autofree char *umoci = g_find_program_in_path("umoci");
	if (!umoci) {
		g_test_skip("umoci is not installed");
		return FALSE;
	}
	g_assert_true(run_script(unpack_with_peer, world->top, pack));
	world->peer = g_build_filename(world->top, "peer", "rootfs", NULL);
	return TRUE;
}

static void
world_clear(World *world)
{
	g_autoptr(GError) error = NULL;

	if (world->top) {
		cam_mount_sweep(world->top, &error);
		g_assert_no_error(error);
		fixture_remove_tree(world->top);
		temporary_store_free(world->temporary);
	}
	g_free(world->top);
	g_free(world->target);
	g_free(world->upper);
	g_free(world->work);
	g_free(world->peer);
	g_free(world->diff_ids[0]);
	g_free(world->diff_ids[1]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static CamMount *
mount_rootfs(World *world, CamMountMethod method)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *reason = NULL;
	CamMount *mounted;

	if (method == CAM_MOUNT_EROFS && cam_mount_probe(world->store, &reason) != method) {
		g_test_skip(reason);
		return NULL;
	}
	mounted = cam_mount_rootfs(world->store, (const char *const *) world->diff_ids, method,
				   NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(cam_mount_get_method(mounted), ==, method);
	return mounted;
}

static void
test_read_only(gconstpointer data)
{
	CamMountMethod method = GPOINTER_TO_INT(data);
	g_autoptr(GError) error = NULL;
	g_auto(World) world;

	if (!world_init(&world))
		return;
	g_autoptr(CamMount) mounted = mount_rootfs(&world, method);
	if (!mounted)
		return;
	cam_mount_overlay(mounted, NULL, NULL, world.target, &error);
	g_assert_no_error(error);
	compare_trees(world.target, world.peer, method == CAM_MOUNT_EROFS);
	g_autofree char *new_file = g_build_filename(world.target, "new", NULL);
	g_assert_false(g_file_set_contents(new_file, "", 0, NULL));
}

static void
test_writable(gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_auto(World) world;

	if (!world_init(&world))
		return;
	g_autoptr(CamMount) mounted = mount_rootfs(&world, GPOINTER_TO_INT(data));
	if (!mounted)
		return;
	cam_mount_overlay(mounted, world.upper, world.work, world.target, &error);
	g_assert_no_error(error);
	g_autofree char *one = g_build_filename(world.target, "etc/one", NULL);
	g_autofree char *copied = g_build_filename(world.upper, "etc/one", NULL);
	g_autofree char *text = NULL;
	g_assert_cmpint(chmod(one, 0600), ==, 0);
	g_assert_true(g_file_get_contents(copied, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "one\n");
	g_assert_cmpint(lgetxattr(copied, "trusted.overlay.metacopy", NULL, 0), ==, -1);
	/* The store does not see it: a second mount shows the tree as it was. */
	g_autofree char *second = fixture_make_dir(world.top, "second");
	g_autoptr(CamMount) again = mount_rootfs(&world, GPOINTER_TO_INT(data));
	cam_mount_overlay(again, NULL, NULL, second, &error);
	g_assert_no_error(error);
	compare_trees(second, world.peer, GPOINTER_TO_INT(data) == CAM_MOUNT_EROFS);
}

static guint
count_mounts(const char *below)
{
	g_autofree char *table = NULL;
	guint count = 0;

	g_assert_true(g_file_get_contents("/proc/self/mounts", &table, NULL, NULL));
	for (const char *at = table; (at = strstr(at, below)); at++)
		count++;
	return count;
}

static guint
count_entries(const char *parent, const char *name)
{
	g_autofree char *path = g_build_filename(parent, name, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint count = 0;

	while (dir && g_dir_read_name(dir))
		count++;
	return count;
}

/* Freeing leaves nothing, also while somebody is inside. */
static void
test_free(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(World) world;

	if (!world_init(&world))
		return;
	CamMount *mounted = mount_rootfs(&world, CAM_MOUNT_EROFS);
	if (!mounted)
		return;
	cam_mount_overlay(mounted, NULL, NULL, world.target, &error);
	g_assert_no_error(error);
	g_auto(CamFd) busy = open(world.target, O_RDONLY | O_CLOEXEC);
	g_assert_cmpuint(count_mounts(world.temporary->path), >, 0);
	cam_mount_free(mounted);
	g_assert_cmpuint(count_mounts(world.temporary->path), ==, 0);
	g_assert_cmpuint(count_mounts(world.top), ==, 0);
	g_assert_cmpuint(count_entries(world.temporary->path, "erofs"), ==, 1);
}

/* What a killed process left is found and removed by the next one. */
static void
test_killed(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(World) world;
	int pipe_fds[2], status;
	char byte;

	if (!world_init(&world))
		return;
	g_assert_cmpint(pipe(pipe_fds), ==, 0);
	g_clear_object(&world.temporary->store);
	pid_t child = fork();
	if (child == 0) {
		CamStore *store = cam_store_open(world.temporary->path, FALSE, NULL, NULL);
		CamMount *mounted = cam_mount_rootfs(store, (const char *const *) world.diff_ids,
						     CAM_MOUNT_EROFS, NULL, NULL);

		if (write(pipe_fds[1], mounted ? "y" : "n", 1) == 1)
			pause();
		_exit(0);
	}
	g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	world.temporary->store = world.store =
		cam_store_open(world.temporary->path, FALSE, NULL, &error);
	g_assert_no_error(error);
	if (byte == 'n') {
		g_test_skip("EROFS cannot be mounted here");
		return;
	}
	g_assert_cmpuint(count_mounts(world.temporary->path), >, 0);
	g_assert_cmpint(cam_store_get_tmp_dirfd(world.store, NULL, &error), >=, 0);
	g_assert_no_error(error);
	g_assert_cmpuint(count_mounts(world.temporary->path), ==, 0);
	g_assert_cmpuint(count_entries(world.temporary->path, "tmp"), ==, 1);
}

/* gc removes images of chains that nobody needs. */
static void
test_gc(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(World) world;
	CamGcResult result;

	if (!world_init(&world))
		return;
	CamMount *mounted = mount_rootfs(&world, CAM_MOUNT_EROFS);
	if (!mounted)
		return;
	cam_mount_free(mounted);
	g_assert_cmpuint(count_entries(world.temporary->path, "erofs"), ==, 1);
	cam_store_gc(world.store, FALSE, NULL, &result, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(count_entries(world.temporary->path, "erofs"), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/mount/read-only/erofs", GINT_TO_POINTER(CAM_MOUNT_EROFS),
			     test_read_only);
	g_test_add_data_func("/mount/read-only/checkout", GINT_TO_POINTER(CAM_MOUNT_CHECKOUT),
			     test_read_only);
	g_test_add_data_func("/mount/writable/erofs", GINT_TO_POINTER(CAM_MOUNT_EROFS),
			     test_writable);
	g_test_add_data_func("/mount/writable/checkout", GINT_TO_POINTER(CAM_MOUNT_CHECKOUT),
			     test_writable);
	g_test_add_func("/mount/free", test_free);
	g_test_add_func("/mount/killed", test_killed);
	g_test_add_func("/mount/gc", test_gc);
	return g_test_run();
}
