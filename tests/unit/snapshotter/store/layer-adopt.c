/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adoption: the layer is what an import of the same tar makes, files are linked and not copied, and
 * what changes meanwhile leaves nothing behind.
 */
#include "upper-fixture.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"

#define LARGE (3 << 20)

/* ---- what the store has of it ---- */

/* The identity of the whole tree that the layers make. */
static char *
tree_identity(CamStore *store, const char *base, const char *top)
{
	const char *diff_ids[] = { base, top, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store, diff_ids, NULL, &error);
	CamEntry root;

	g_assert_no_error(error);
	cam_rootfs_get_root(rootfs, &root);
	g_autofree char *id = cam_sha256_to_digest(&root.id);
	g_autofree char *meta = cam_sha256_to_digest(&root.meta);
	return g_strconcat(id, " ", meta, NULL);
}

static char *
import_into(CamStore *store, GBytes *tar)
{
	g_autoptr(GError) error = NULL;
	char *diff_id = import_bytes(store, tar, NULL, &error);

	g_assert_no_error(error);
	return diff_id;
}

typedef struct {
	const char *path;
	CamSha256 object;
	gboolean found;
} Wanted;

static gboolean
find_entry(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	Wanted *wanted = user_data;

	if (!g_str_equal(entry->path, wanted->path) || entry->object == NULL)
		return TRUE;
	wanted->object = *entry->object;
	wanted->found = TRUE;
	return TRUE;
}

/* Whether the object of the file at @path is that very file. */
static gboolean
is_linked(CamStore *store, const char *diff_id, const Upper *upper, const char *path)
{
	Wanted wanted = { .path = path };
	struct stat file, object;

	g_assert_true(cam_store_foreach_layer_entry(store, diff_id, find_entry, &wanted, NULL));
	g_assert_true(wanted.found);
	g_auto(CamFd) fd = cam_store_open_object(store, &wanted.object, NULL);
	g_assert_cmpint(fstat(fd, &object), ==, 0);
	g_assert_cmpint(fstatat(upper->fd, path, &file, 0), ==, 0);
	return file.st_ino == object.st_ino && file.st_dev == object.st_dev;
}

static guint
count_below(const char *store, const char *name)
{
	g_autofree char *path = g_build_filename(store, name, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *entry;
	guint n = 0;

	while (dir != NULL && (entry = g_dir_read_name(dir)) != NULL) {
		g_autofree char *child = g_build_filename(name, entry, NULL);

		n += g_str_has_suffix(entry, ".file") || g_str_has_prefix(entry, "links-") ||
		     g_str_has_prefix(entry, "staging-");
		n += count_below(store, child);
	}
	return n;
}

/* No object, no link, no transaction. */
static void
assert_nothing_kept(TemporaryStore *fixture)
{
	g_assert_cmpuint(count_below(fixture->path, "repo/objects"), ==, 0);
	g_assert_cmpuint(count_below(fixture->path, "repo/tmp"), ==, 0);
	g_assert_cmpuint(count_below(fixture->path, "tmp"), ==, 0);
}

static void
assert_not_adopted(TemporaryStore *fixture, const Upper *upper, CamError code)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(cam_store_adopt_upper(fixture->store, upper->fd, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) code);
	assert_nothing_kept(fixture);
}

/* ---- a real overlay ---- */

static void
make_base(int dirfd)
{
	make_directory(dirfd, "etc", 0755);
	make_file(dirfd, "etc/conf", "old", 0644);
	make_file(dirfd, "etc/gone", "old", 0644);
	make_file(dirfd, "etc/mode", "old", 0644);
	make_directory(dirfd, "var", 0755);
	make_directory(dirfd, "var/again", 0755);
	make_file(dirfd, "var/again/old", "old", 0644);
	make_directory(dirfd, "var/gone", 0755);
	make_file(dirfd, "var/gone/x", "old", 0644);
	make_file(dirfd, "var/linked", "old", 0644);
	make_directory(dirfd, "opt", 0755);
	make_file(dirfd, "opt/file", "old", 0644);
	set_time(dirfd, "var", 1600000000, 0);
}

/* What a container may do to it. */
static void
change(int dirfd)
{
	g_autofree char *large = g_malloc(LARGE + 1);
	char long_name[256];

	memset(large, 'l', LARGE);
	large[LARGE] = '\0';
	make_file(dirfd, "etc/conf", "new", 0644);
	g_assert_cmpint(unlinkat(dirfd, "etc/gone", 0), ==, 0);
	g_assert_cmpint(fchmodat(dirfd, "etc/mode", 04711, 0), ==, 0);
	g_assert_cmpint(fchownat(dirfd, "etc/mode", 1000, 70000, 0), ==, 0);
	g_assert_cmpint(fchmodat(dirfd, "etc/mode", 06711, 0), ==, 0);
	g_assert_cmpint(unlinkat(dirfd, "var/again/old", 0), ==, 0);
	g_assert_cmpint(unlinkat(dirfd, "var/again", AT_REMOVEDIR), ==, 0);
	make_directory(dirfd, "var/again", 0700);
	make_file(dirfd, "var/again/new", large, 0600);
	g_assert_cmpint(unlinkat(dirfd, "var/gone/x", 0), ==, 0);
	g_assert_cmpint(unlinkat(dirfd, "var/gone", AT_REMOVEDIR), ==, 0);
	g_assert_cmpint(linkat(dirfd, "var/linked", dirfd, "etc/linked", 0), ==, 0);
	g_assert_cmpint(unlinkat(dirfd, "opt/file", 0), ==, 0);
	make_directory(dirfd, "opt/file", 0755);
	make_file(dirfd, "opt/file/in", "new", 0644);
	make_directory(dirfd, "new", 02775);
	make_file(dirfd, "new/empty", "", 0644);
	make_file(dirfd, "new/same-1", "same", 0644);
	make_file(dirfd, "new/same-2", "same", 0644);
	make_file(dirfd, "new/\xff\n", "odd", 0644);
	make_file(dirfd, "new/early", "e", 0644);
	set_time(dirfd, "new/early", -86400, 250000000);
	set_time(dirfd, "etc/conf", 1700000000, 123456789);
	memset(long_name, 'n', 255);
	long_name[255] = '\0';
	make_file(dirfd, long_name, "long", 0644);
	make_file(dirfd, "ping", "ping", 0755);
	set_attribute(dirfd, "ping", "security.capability", capability_bytes, 20);
	set_attribute(dirfd, "ping", "user.note", "\0x", 2);
	set_attribute(dirfd, "new", "user.note", "d", 1);
	g_assert_cmpint(symlinkat("etc/conf", dirfd, "link"), ==, 0);
	make_node(dirfd, "fifo", S_IFIFO | 0600, 0, 0);
	make_node(dirfd, "null", S_IFCHR | 0666, 1, 3);
	make_node(dirfd, "socket", S_IFSOCK | 0755, 0, 0);
}

/* Changes the tree below @lower on an overlay; what is left is the upper directory. */
static void
change_on_overlay(TemporaryStore *fixture, const Upper *lower, const Upper *upper)
{
	g_auto(Upper) work = upper_new(fixture, "work"), merged = upper_new(fixture, "merged");
	g_autofree char *options =
		g_strdup_printf("lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=off,metacopy=off",
				lower->path, upper->path, work.path);

	g_assert_cmpint(mount("overlay", merged.path, "overlay", 0, options), ==, 0);
	int dirfd = open(merged.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	change(dirfd);
	cam_fd_close(dirfd);
	g_assert_cmpint(umount(merged.path), ==, 0);
}

static const struct {
	const char *path;
	guint mode;
	const char *content; /* NULL: no regular file */
} merged_tree[] = {
	{ "etc/conf", 0644, "new" },	{ "etc/linked", 0644, "old" },
	{ "etc/mode", 06711, "old" },	{ "fifo", 0600, NULL },
	{ "link", 0777, NULL },		{ "new", 02775, NULL },
	{ "new/early", 0644, "e" },	{ "new/empty", 0644, "" },
	{ "new/same-1", 0644, "same" }, { "new/same-2", 0644, "same" },
	{ "new/\xff\n", 0644, "odd" },	{ "null", 0666, NULL },
	{ "opt/file", 0755, NULL },	{ "opt/file/in", 0644, "new" },
	{ "ping", 0755, "ping" },	{ "var/again", 0700, NULL },
	{ "var/linked", 0644, "old" },
};
static const char *const absent[] = { "etc/gone", "var/gone", "var/again/old", "socket" };

static void
assert_merged_tree(CamStore *store, const char *base, const char *top)
{
	const char *diff_ids[] = { base, top, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store, diff_ids, NULL, &error);
	CamEntry entry;

	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(merged_tree); i++) {
		const char *path = merged_tree[i].path, *content = merged_tree[i].content;
		g_auto(CamStat) stat = { 0 };

		cam_rootfs_lookup(rootfs, path, FALSE, NULL, &entry, &error);
		g_assert_no_error(error);
		g_assert_true(cam_rootfs_stat(rootfs, &entry, &stat, &error));
		g_assert_cmphex(stat.mode, ==, merged_tree[i].mode);
		if (content == NULL)
			continue;
		g_autoptr(GBytes) bytes = cam_rootfs_read_entry(rootfs, &entry, 100, &error);
		g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), content,
				strlen(content));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(absent); i++) {
		g_assert_false(cam_rootfs_lookup(rootfs, absent[i], FALSE, NULL, &entry, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
		g_clear_error(&error);
	}
}

/* Unmounting an overlay returns before the kernel has let go of all that was written through it. */
static void
wait_for_writers(const Upper *upper, const char *path)
{
	g_auto(CamFd) fd = openat(upper->fd, path, O_RDONLY | O_CLOEXEC);

	for (guint i = 0; i < 1000 && fcntl(fd, F_SETLEASE, F_RDLCK) != 0; i++)
		g_usleep(10 * 1000);
	(void) fcntl(fd, F_SETLEASE, F_UNLCK);
}

static void
test_overlay(void)
{
	static const char *const linked[] = { "etc/conf",  "etc/mode",	"var/again/new",
					      "new/empty", "new/early", "ping" };

	if (!enter_mount_namespace())
		return;
	g_autoptr(TemporaryStore) fixture = temporary_store_new(), other = temporary_store_new();
	g_auto(Upper) lower = upper_new(fixture, "lower"), upper = upper_new(fixture, "upper");

	make_base(lower.fd);
	g_autoptr(GBytes) base_tar = stream_upper(&lower);
	g_autofree char *base = import_into(fixture->store, base_tar);
	change_on_overlay(fixture, &lower, &upper);

	g_autoptr(GBytes) tar = stream_upper(&upper);
	g_autofree char *digest = cam_digest_for_bytes(tar);
	for (gsize i = 0; i < G_N_ELEMENTS(linked); i++)
		wait_for_writers(&upper, linked[i]);
	g_autoptr(CamLayerInfo) info = adopt(fixture->store, &upper);
	g_assert_cmpstr(info->diff_id, ==, digest);
	g_assert_cmpuint(info->size, ==, g_bytes_get_size(tar));
	g_assert_cmpuint(info->new_bytes, ==, 0);
	assert_exports_as(fixture->store, info->diff_id, tar);
	for (gsize i = 0; i < G_N_ELEMENTS(linked); i++)
		g_assert_true(is_linked(fixture->store, info->diff_id, &upper, linked[i]));
	assert_whole(fixture->store);

	/* The same, imported as a tar that libarchive reads as we do. */
	g_autofree char *other_base = import_into(other->store, base_tar);
	g_autofree char *other_top = import_into(other->store, tar);
	g_assert_cmpstr(other_top, ==, info->diff_id);
	g_autofree char *ours = tree_identity(fixture->store, base, info->diff_id);
	g_autofree char *theirs = tree_identity(other->store, other_base, other_top);
	g_assert_cmpstr(ours, ==, theirs);
	assert_merged_tree(fixture->store, base, info->diff_id);

	/* The directory is not needed any more. */
	g_assert_true(cam_remove_tree_at(AT_FDCWD, upper.path, NULL));
	assert_exports_as(fixture->store, info->diff_id, tar);
	assert_whole(fixture->store);
}

static void
test_again(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper"), copy = upper_new(fixture, "copy");
	g_autoptr(CamLayerInfo) first = NULL, second = NULL, third = NULL;

	make_file(upper.fd, "a", "content", 0644);
	make_file(copy.fd, "a", "content", 0644);
	set_time(upper.fd, "a", 1700000000, 5);
	set_time(copy.fd, "a", 1700000000, 5);
	set_time(upper.fd, ".", 1700000000, 5);
	set_time(copy.fd, ".", 1700000000, 5);
	first = adopt(fixture->store, &upper);
	g_assert_cmpuint(first->new_objects, ==, 1);
	second = adopt(fixture->store, &upper);
	third = adopt(fixture->store, &copy);
	g_assert_cmpstr(second->diff_id, ==, first->diff_id);
	g_assert_cmpstr(third->diff_id, ==, first->diff_id);
	g_assert_cmpuint(second->new_objects + third->new_objects, ==, 0);
	if (geteuid() == 0)
		g_assert_true(is_linked(fixture->store, first->diff_id, &upper, "a"));
	g_assert_false(is_linked(fixture->store, first->diff_id, &copy, "a"));
	assert_whole(fixture->store);
}

/* What containerd unpacks of a layer, and the layer itself. */
static void
test_unpacked(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *file = g_build_filename(fixture->path, "layer.tar", NULL);
	g_autoptr(GBytes) tar = tar_with_everything();
	g_autoptr(GError) error = NULL;

	if (!need_root())
		return;
	g_assert_true(g_file_set_contents(file, g_bytes_get_data(tar, NULL),
					  (gssize) g_bytes_get_size(tar), NULL));
	g_autoptr(GSubprocess) process = g_subprocess_new(
		G_SUBPROCESS_FLAGS_NONE, &error, "tar", "-xpf", file, "-C", upper.path,
		"--numeric-owner", "--xattrs", "--xattrs-include=*", NULL);
	g_assert_no_error(error);
	g_assert_true(g_subprocess_wait_check(process, NULL, &error));
	g_assert_no_error(error);

	g_autofree char *imported = import_into(fixture->store, tar);
	g_autoptr(CamLayerInfo) adopted = adopt(fixture->store, &upper);
	g_autofree char *expected = tree_identity(fixture->store, imported, NULL);
	g_autofree char *identity = tree_identity(fixture->store, adopted->diff_id, NULL);
	g_assert_cmpstr(adopted->diff_id, !=, imported);
	g_assert_cmpstr(identity, ==, expected);
	assert_whole(fixture->store);
}

/* ---- what cannot be linked ---- */

static void
test_attributes(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	char value[8];

	if (!need_root())
		return;
	make_file(upper.fd, "acl", "with an acl", 0644);
	set_attribute(upper.fd, "acl", "system.posix_acl_access", acl_bytes, sizeof acl_bytes);
	make_file(upper.fd, "other", "trusted", 0644);
	set_attribute(upper.fd, "other", "trusted.other", "1", 1);
	make_file(upper.fd, "node", "node", 0644);
	set_attribute(upper.fd, "node", "user.cambium.node", "c 1 3", 5);
	make_file(upper.fd, "copied-up", "overlay's", 0644);
	set_attribute(upper.fd, "copied-up", "trusted.overlay.origin", "1", 1);
	set_attribute(upper.fd, "copied-up", "user.kept", "1", 1);

	g_autoptr(GBytes) tar = stream_upper(&upper);
	g_autoptr(CamLayerInfo) info = adopt(fixture->store, &upper);
	assert_exports_as(fixture->store, info->diff_id, tar);
	g_assert_false(is_linked(fixture->store, info->diff_id, &upper, "acl"));
	g_assert_false(is_linked(fixture->store, info->diff_id, &upper, "other"));
	g_assert_false(is_linked(fixture->store, info->diff_id, &upper, "node"));
	g_assert_true(is_linked(fixture->store, info->diff_id, &upper, "copied-up"));
	g_auto(CamFd) fd = openat(upper.fd, "copied-up", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(fgetxattr(fd, "trusted.overlay.origin", value, sizeof value), ==, -1);
	g_assert_cmpint(fgetxattr(fd, "user.kept", value, sizeof value), ==, 1);
	assert_whole(fixture->store);
}

static void
test_other_file_system(void)
{
	if (!enter_mount_namespace())
		return;
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *place = g_build_filename(fixture->path, "place", NULL);

	g_assert_cmpint(g_mkdir(place, 0755), ==, 0);
	g_assert_cmpint(mount("tmpfs", place, "tmpfs", 0, NULL), ==, 0);
	g_auto(Upper) upper = { .path = g_strdup(place),
				.fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	g_autofree char *large = g_strnfill(LARGE, 'l');
	make_file(upper.fd, "small", "small", 0644);
	make_file(upper.fd, "large", large, 0644);
	g_autoptr(GBytes) tar = stream_upper(&upper);
	g_autoptr(CamLayerInfo) info = adopt(fixture->store, &upper);
	g_assert_cmpuint(info->new_bytes, ==, LARGE + 5);
	cam_fd_close(cam_fd_steal(&upper.fd));
	g_assert_cmpint(umount(place), ==, 0);
	assert_exports_as(fixture->store, info->diff_id, tar);
	assert_whole(fixture->store);
}

/* Links take no room, but what says so does. */
static void
test_full_disk(void)
{
	if (!enter_mount_namespace())
		return;
	g_autoptr(TemporaryStore) outer = temporary_store_new();
	g_autofree char *place = g_build_filename(outer->path, "place", NULL);
	g_autofree char *content = g_strnfill(400000, 'c'), *rest = g_strnfill(8 << 20, 'r');
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir(place, 0755), ==, 0);
	g_assert_cmpint(mount("tmpfs", place, "tmpfs", 0, "size=8m"), ==, 0);
	TemporaryStore fixture = { .path = g_build_filename(place, "store", NULL) };
	fixture.store = cam_store_open(fixture.path, TRUE, NULL, &error);
	Upper upper = upper_new(&fixture, "upper");
	for (guint i = 0; i < 8; i++) {
		char name[16];

		g_snprintf(name, sizeof name, "f%u", i);
		content[0] = (char) ('a' + i);
		make_file(upper.fd, name, content, 0644);
	}
	g_auto(CamFd) filler = openat(upper.fd, "../filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	g_assert_false(cam_write_all(filler, rest, 8 << 20, NULL));
	off_t full = lseek(filler, 0, SEEK_CUR);
	g_autoptr(CamLayerInfo) info = NULL;
	/* It ends here, then there, until it does not. */
	for (guint room = 0; info == NULL; room += 8192) {
		g_assert_cmpint(ftruncate(filler, full - room), ==, 0);
		g_clear_error(&error);
		info = cam_store_adopt_upper(fixture.store, upper.fd, NULL, NULL, &error);
		if (info != NULL)
			break;
		g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
		g_assert_cmpuint(count_below(fixture.path, "tmp"), ==, 0);
		g_assert_cmpuint(count_below(fixture.path, "repo/tmp"), ==, 0);
	}
	g_assert_cmpuint(info->new_bytes, ==, 0);
	g_assert_cmpint(ftruncate(filler, 0), ==, 0);
	assert_whole(fixture.store);
	g_clear_object(&fixture.store);
	upper_clear(&upper);
	cam_fd_close(cam_fd_steal(&filler));
	g_free(fixture.path);
	g_assert_cmpint(umount(place), ==, 0);
}

/* As an ordinary user's store is. */
static void
test_bare_user(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *path = g_build_filename(fixture->path, "repo", NULL);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(OstreeRepo) repo = ostree_repo_new(file);
	g_autoptr(GError) error = NULL;

	g_assert_true(ostree_repo_create(repo, OSTREE_REPO_MODE_BARE_USER, NULL, &error));
	g_assert_no_error(error);
	make_file(upper.fd, "a", "content", 0644);
	g_autoptr(GBytes) tar = stream_upper(&upper);
	g_autoptr(CamLayerInfo) info = adopt(fixture->store, &upper);
	g_assert_false(is_linked(fixture->store, info->diff_id, &upper, "a"));
	assert_exports_as(fixture->store, info->diff_id, tar);
	assert_whole(fixture->store);
}

/* ---- what changes ---- */

static void
test_open_for_writing(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	if (!need_root())
		return;
	make_file(upper.fd, "a", "content", 0644);
	make_file(upper.fd, "b", "content of b", 0644);
	int fd = openat(upper.fd, "b", O_WRONLY | O_CLOEXEC);
	assert_not_adopted(fixture, &upper, CAM_ERROR_ABORTED);
	cam_fd_close(fd);
	g_autoptr(CamLayerInfo) info = adopt(fixture->store, &upper);
	g_assert_true(is_linked(fixture->store, info->diff_id, &upper, "b"));
	assert_whole(fixture->store);
}

static void
drop_lease_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	g_assert_cmpint(syscall(SYS_capget, &header, data), ==, 0);
	data[CAP_LEASE / 32].effective &= ~(1u << (CAP_LEASE % 32));
	g_assert_cmpint(syscall(SYS_capset, &header, data), ==, 0);
}

/* Without the capability that tells of writers, files of others are copied
 * and writers change nothing afterwards. */
static void
adopt_without_proof(TemporaryStore *fixture, Upper *upper)
{
	int small = openat(upper->fd, "small", O_WRONLY | O_CLOEXEC);
	int large = openat(upper->fd, "large", O_WRONLY | O_CLOEXEC);
	g_autoptr(CamLayerInfo) info = NULL;

	drop_lease_capability();
	info = adopt(fixture->store, upper);
	g_assert_false(is_linked(fixture->store, info->diff_id, upper, "small"));
	g_assert_false(is_linked(fixture->store, info->diff_id, upper, "large"));
	g_assert_true(is_linked(fixture->store, info->diff_id, upper, "own"));
	g_assert_cmpint(pwrite(small, "X", 1, 0), ==, 1);
	g_assert_cmpint(pwrite(large, "X", 1, 0), ==, 1);
	assert_whole(fixture->store);
}

static void
test_no_proof(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *large = g_malloc(LARGE + 1);

	if (!need_root())
		return;
	/* Threads keep the capabilities that they began with. */
	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return;
	}
	memset(large, 'l', LARGE);
	large[LARGE] = '\0';
	make_file(upper.fd, "small", "content", 0644);
	make_file(upper.fd, "large", large, 0644);
	make_file(upper.fd, "own", "root's own", 0644);
	g_assert_cmpint(fchownat(upper.fd, "small", 1000, 1000, 0), ==, 0);
	g_assert_cmpint(fchownat(upper.fd, "large", 1000, 1000, 0), ==, 0);
	adopt_without_proof(fixture, &upper);
}

typedef struct {
	int dirfd;
	gboolean replace;
	gint stop;
} Meddler;

/* Writes to the file, or puts another in its place, all the time. */
static gpointer
meddle(gpointer data)
{
	Meddler *self = data;
	guint64 n = 0;

	while (!g_atomic_int_get(&self->stop)) {
		g_auto(CamFd) fd = openat(self->dirfd, self->replace ? "fresh" : "large",
					  O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		n++;
		g_assert_cmpint(pwrite(fd, &n, sizeof n, LARGE - 8), ==, sizeof n);
		if (self->replace)
			g_assert_cmpint(renameat(self->dirfd, "fresh", self->dirfd, "large"), ==,
					0);
	}
	return NULL;
}

static void
run_meddled(gboolean replace)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *large = g_strnfill(LARGE, 'l');
	Meddler meddler = { .dirfd = upper.fd, .replace = replace };

	make_file(upper.fd, "large", large, 0644);
	GThread *thread = g_thread_new("meddler", meddle, &meddler);
	for (guint i = 0; i < 10; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamLayerInfo) info =
			cam_store_adopt_upper(fixture->store, upper.fd, NULL, NULL, &error);

		/* By luck there may be a moment in which all stands still. */
		if (info == NULL)
			g_assert_error(error, CAM_ERROR, CAM_ERROR_ABORTED);
	}
	g_atomic_int_set(&meddler.stop, TRUE);
	g_thread_join(thread);
	/* What was adopted of a file that is written to later is damaged by that, as documented;
	 * a file that was replaced is nobody's any more. */
	if (replace)
		assert_whole(fixture->store);
}

static void
test_written(void)
{
	run_meddled(FALSE);
}

static void
test_replaced(void)
{
	run_meddled(TRUE);
}

static void
test_cancelled(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	make_file(upper.fd, "a", "content", 0644);
	g_cancellable_cancel(cancellable);
	g_assert_null(cam_store_adopt_upper(fixture->store, upper.fd, NULL, cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	assert_nothing_kept(fixture);
}

static void
test_refused(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	if (!need_root())
		return;
	make_file(upper.fd, "a", "content", 0644);
	make_file(upper.fd, "z", "", 0644);
	set_attribute(upper.fd, "z", "trusted.overlay.metacopy", "", 0);
	assert_not_adopted(fixture, &upper, CAM_ERROR_UNIMPLEMENTED);
	g_assert_cmpint(unlinkat(upper.fd, "z", 0), ==, 0);
	make_file(upper.fd, "huge", "", 0644);
	g_auto(CamFd) fd = openat(upper.fd, "huge", O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(ftruncate(fd, G_GINT64_CONSTANT(1) << 40), ==, 0);
	assert_not_adopted(fixture, &upper, CAM_ERROR_RESOURCE_EXHAUSTED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layer-adopt/overlay", test_overlay);
	g_test_add_func("/layer-adopt/again", test_again);
	g_test_add_func("/layer-adopt/unpacked", test_unpacked);
	g_test_add_func("/layer-adopt/attributes", test_attributes);
	g_test_add_func("/layer-adopt/other-file-system", test_other_file_system);
	g_test_add_func("/layer-adopt/full-disk", test_full_disk);
	g_test_add_func("/layer-adopt/bare-user", test_bare_user);
	g_test_add_func("/layer-adopt/open-for-writing", test_open_for_writing);
	g_test_add_func("/layer-adopt/no-proof", test_no_proof);
	g_test_add_func("/layer-adopt/written", test_written);
	g_test_add_func("/layer-adopt/replaced", test_replaced);
	g_test_add_func("/layer-adopt/cancelled", test_cancelled);
	g_test_add_func("/layer-adopt/refused", test_refused);
	return g_test_run();
}
