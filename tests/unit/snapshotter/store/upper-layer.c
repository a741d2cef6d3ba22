/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tar of an upper directory: its members and their order, what it refuses, and directories that
 * change under it. */
#include "upper-fixture.h"

#include "snapshotter/store/tar-reader.h"
#include "snapshotter/store/upper-walk.h"

typedef struct {
	const guint8 *data;
	gsize size, position;
} Feed;

static gssize
feed_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	Feed *feed = user_data;
	gsize n = MIN(size, feed->size - feed->position);

	memcpy(buffer, feed->data + feed->position, n);
	feed->position += n;
	return (gssize) n;
}

static void
describe(const CamTarEntry *entry, GString *out)
{
	g_string_append_printf(out, "%c %s %o %u:%u", "fhlcbdp"[entry->type], entry -> path,
			       entry -> mode, entry -> uid, entry -> gid);
	if (entry->type == CAM_TAR_REGULAR)
		g_string_append_printf(out, " %" G_GUINT64_FORMAT, entry->size);
	if (entry->link_target != NULL)
		g_string_append_printf(out, " -> %s", entry->link_target);
	if (entry->type == CAM_TAR_CHARACTER || entry->type == CAM_TAR_BLOCK)
		g_string_append_printf(out, " %u,%u", entry->rdev_major, entry->rdev_minor);
	for (gsize i = 0; entry->xattrs != NULL && i < g_variant_n_children(entry->xattrs); i++) {
		g_autoptr(GVariant) attribute = g_variant_get_child_value(entry->xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(attribute, 0);

		g_string_append_printf(out, " +%s", g_variant_get_bytestring(name));
	}
	g_string_append_c(out, '\n');
}

/* One line a member. */
static char *
list_members(const Upper *upper)
{
	static const CamTarSource source = { .read = feed_read };
	g_autoptr(GBytes) tar = stream_upper(upper);
	Feed feed = { 0 };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	g_autoptr(GError) error = NULL;
	GString *out = g_string_new(NULL);
	const CamTarEntry *entry;

	feed.data = g_bytes_get_data(tar, &feed.size);
	while ((entry = cam_tar_reader_next(reader, &error)) != NULL)
		describe(entry, out);
	g_assert_no_error(error);
	return g_string_free(out, FALSE);
}

static void
assert_members(const Upper *upper, const char *expected)
{
	g_autofree char *members = list_members(upper);

	g_assert_cmpstr(members, ==, expected);
}

static void
assert_refused(const Upper *upper, CamError code, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = cam_upper_layer_stream_new(upper->fd, &error);
	g_autoptr(GBytes) bytes = read_to_end(stream, &error);

	g_assert_null(bytes);
	g_assert_error(error, CAM_ERROR, (int) code);
	if (strstr(error->message, text) == NULL)
		g_error("\"%s\" does not say \"%s\"", error->message, text);
}

/* ---- what there is ---- */

static void
test_empty(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autoptr(GBytes) tar = NULL;

	if (!need_root())
		return;
	assert_members(&upper, "d  755 0:0\n");
	set_time(upper.fd, ".", 1700000000, 0);
	tar = stream_upper(&upper);
	g_assert_cmpuint(g_bytes_get_size(tar), ==, 3 * 512);
}

static void
test_order(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	if (!need_root())
		return;
	make_directory(upper.fd, "lib", 0755);
	make_directory(upper.fd, "lib64", 0755);
	make_file(upper.fd, "lib-a", "", 0644);
	make_file(upper.fd, "lib/z", "", 0644);
	make_file(upper.fd, "lib/B", "", 0644);
	make_node(upper.fd, "lib/zz", S_IFCHR, 0, 0);
	make_node(upper.fd, "lib/a", S_IFCHR, 0, 0);
	make_file(upper.fd, "\xff", "", 0644);
	make_file(upper.fd, "\xc3\xa9", "", 0644);
	make_node(upper.fd, "var", S_IFCHR, 0, 0);
	set_attribute(upper.fd, "lib64", "trusted.overlay.opaque", "y", 1);
	make_file(upper.fd, "lib64/x", "", 0644);
	make_node(upper.fd, "lib64/w", S_IFCHR, 0, 0);
	assert_members(&upper, "d  755 0:0\n"
			       "f .wh.var 0 0:0 0\n"
			       "d lib 755 0:0\n"
			       "f lib/.wh.a 0 0:0 0\n"
			       "f lib/.wh.zz 0 0:0 0\n"
			       "f lib/B 644 0:0 0\n"
			       "f lib/z 644 0:0 0\n"
			       "f lib-a 644 0:0 0\n"
			       "d lib64 755 0:0\n"
			       "f lib64/.wh..wh..opq 0 0:0 0\n"
			       "f lib64/.wh.w 0 0:0 0\n"
			       "f lib64/x 644 0:0 0\n"
			       "f \xc3\xa9 644 0:0 0\n"
			       "f \xff 644 0:0 0\n");
}

static void
test_kinds(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *target = g_strnfill(300, 't');

	if (!need_root())
		return;
	make_file(upper.fd, "a", "four", 04755);
	make_directory(upper.fd, "d", 01777);
	g_assert_cmpint(linkat(upper.fd, "a", upper.fd, "d/again", 0), ==, 0);
	make_node(upper.fd, "fifo", S_IFIFO | 0600, 0, 0);
	make_node(upper.fd, "null", S_IFCHR | 0666, 1, 3);
	make_node(upper.fd, "disk", S_IFBLK | 0660, 259, 1048575);
	make_node(upper.fd, "socket", S_IFSOCK | 0755, 0, 0);
	g_assert_cmpint(symlinkat("../etc/passwd", upper.fd, "l1"), ==, 0);
	g_assert_cmpint(symlinkat(target, upper.fd, "l2"), ==, 0);
	g_assert_cmpint(linkat(upper.fd, "l1", upper.fd, "l3", 0), ==, 0);
	g_assert_cmpint(fchownat(upper.fd, "d", 70000, 4294967294, 0), ==, 0);
	set_attribute(upper.fd, "d", "user.d", "", 0);
	set_attribute(upper.fd, "a", "user.b", "\0\n=", 3);
	set_attribute(upper.fd, "a", "user.a", "1", 1);
	set_attribute(upper.fd, "a", "user.overlay.origin", "1", 1);
	set_attribute(upper.fd, "a", "trusted.other", "1", 1);
	set_attribute(upper.fd, "a", "trusted.overlay.origin", "1", 1);
	make_file(upper.fd, "ping", "", 0755);
	set_attribute(upper.fd, "ping", "security.capability", capability_bytes, 20);
	make_file(upper.fd, "shared", "", 0644);
	set_attribute(upper.fd, "shared", "system.posix_acl_access", acl_bytes, sizeof acl_bytes);
	g_autofree char *expected = g_strdup_printf("d  755 0:0\n"
						    "f a 4755 0:0 4 +user.a +user.b\n"
						    "d d 1777 70000:4294967294 +user.d\n"
						    "h d/again 4755 0:0 -> a\n"
						    "b disk 660 0:0 259,1048575\n"
						    "p fifo 600 0:0\n"
						    "l l1 777 0:0 -> ../etc/passwd\n"
						    "l l2 777 0:0 -> %s\n"
						    "h l3 777 0:0 -> l1\n"
						    "c null 666 0:0 1,3\n"
						    "f ping 755 0:0 0 +security.capability\n"
						    "f shared 644 0:0 0 "
						    "+system.posix_acl_access\n",
						    target);
	assert_members(&upper, expected);
}

/* overlayfs's second form of whiteouts counts only in directories that say so. */
static void
test_attribute_whiteouts(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	if (!need_root())
		return;
	make_directory(upper.fd, "marked", 0755);
	make_directory(upper.fd, "plain", 0755);
	make_file(upper.fd, "marked/gone", "", 0644);
	make_file(upper.fd, "marked/kept", "", 0644);
	make_file(upper.fd, "plain/kept", "", 0644);
	set_attribute(upper.fd, "marked", "trusted.overlay.opaque", "x", 1);
	set_attribute(upper.fd, "marked/gone", "trusted.overlay.whiteout", "", 0);
	set_attribute(upper.fd, "plain/kept", "trusted.overlay.whiteout", "", 0);
	assert_members(&upper, "d  755 0:0\n"
			       "d marked 755 0:0\n"
			       "f marked/.wh.gone 0 0:0 0\n"
			       "f marked/kept 644 0:0 0\n"
			       "d plain 755 0:0\n"
			       "f plain/kept 644 0:0 0\n");
}

/* Nobody holds it in memory, and what follows it comes after it. */
static void
test_sparse(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = NULL;
	g_autofree guint8 *chunk = g_malloc(1 << 20);
	guint64 size = 0, sum = 0;
	gssize n;

	make_file(upper.fd, "hole", "start", 0600);
	g_auto(CamFd) fd = openat(upper.fd, "hole", O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(ftruncate(fd, 300 << 20), ==, 0);
	make_file(upper.fd, "next", "x", 0600);
	stream = cam_upper_layer_stream_new(upper.fd, &error);
	while ((n = g_input_stream_read(stream, chunk, 1 << 20, NULL, &error)) > 0) {
		size += (guint64) n;
		for (gssize i = 0; size > 200000000 && size < 210000000 && i < n; i++)
			sum += chunk[i];
	}
	g_assert_no_error(error);
	g_assert_cmpuint(sum, ==, 0);
	g_assert_cmpuint(size, >=, (300 << 20) + 5 * 512);
	g_assert_cmpuint(size, <=, (300 << 20) + 20 * 512);
}

/* ---- what there is no layer for ---- */

static void
test_refused(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	if (!need_root())
		return;
	make_directory(upper.fd, "d", 0755);
	make_file(upper.fd, "d/.wh.real", "", 0644);
	assert_refused(&upper, CAM_ERROR_INVALID_ARGUMENT, ".wh.real");
	g_assert_cmpint(unlinkat(upper.fd, "d/.wh.real", 0), ==, 0);
	make_node(upper.fd, "d/.wh.node", S_IFCHR, 0, 0);
	assert_refused(&upper, CAM_ERROR_INVALID_ARGUMENT, ".wh.node");
	g_assert_cmpint(unlinkat(upper.fd, "d/.wh.node", 0), ==, 0);

	set_attribute(upper.fd, "d", "trusted.overlay.redirect", "/old", 4);
	assert_refused(&upper, CAM_ERROR_UNIMPLEMENTED, "redirect_dir=on");
	g_assert_cmpint(unlinkat(upper.fd, "d", AT_REMOVEDIR), ==, 0);
	make_file(upper.fd, "f", "", 0644);
	set_attribute(upper.fd, "f", "trusted.overlay.metacopy", "", 0);
	assert_refused(&upper, CAM_ERROR_UNIMPLEMENTED, "metacopy=off");
	g_assert_cmpint(unlinkat(upper.fd, "f", 0), ==, 0);
	make_file(upper.fd, "f", "", 0644);
	set_attribute(upper.fd, "f", "user.a=b", "1", 1);
	assert_refused(&upper, CAM_ERROR_INVALID_ARGUMENT, "user.a=b");
}

/* Neither the stack nor descriptors, nor names longer than any path. */
static void
test_too_deep(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_auto(CamFd) at = openat(upper.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (guint i = 0; i < 3000; i++) {
		g_assert_cmpint(mkdirat(at, "d", 0755), ==, 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		g_assert_cmpint(next, >=, 0);
		cam_fd_close(at);
		at = next;
	}
	assert_refused(&upper, CAM_ERROR_RESOURCE_EXHAUSTED, "too deep");
}

static void
test_deep(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_auto(CamFd) at = openat(upper.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *members = NULL;
	guint lines = 0;

	for (guint i = 0; i < 1000; i++) {
		g_assert_cmpint(mkdirat(at, "d", 0755), ==, 0);
		make_file(at, "e", "", 0644);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		g_assert_cmpint(next, >=, 0);
		cam_fd_close(at);
		at = next;
	}
	members = list_members(&upper);
	for (const char *p = members; *p != '\0'; p++)
		lines += *p == '\n';
	g_assert_cmpuint(lines, ==, 2001);
	g_assert_true(g_str_has_suffix(members, "f e 644 0:0 0\n"));
}

static void
test_other_file_system(void)
{
	if (!enter_mount_namespace())
		return;
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *place = g_build_filename(upper.path, "place", NULL);

	make_directory(upper.fd, "place", 0755);
	g_assert_cmpint(mount("tmpfs", place, "tmpfs", 0, NULL), ==, 0);
	assert_refused(&upper, CAM_ERROR_FAILED_PRECONDITION, "place");
	g_assert_cmpint(umount(place), ==, 0);
}

/* ---- what changes meanwhile ---- */

static CamUpperMember *
walk_to(CamUpperWalk *walk, const char *path)
{
	g_autoptr(GError) error = NULL;
	CamUpperMember *member;

	do {
		member = cam_upper_walk_next(walk, &error);
		g_assert_no_error(error);
		g_assert_nonnull(member);
	} while (!g_str_equal(member->path, path));
	return member;
}

static void
assert_aborted(CamUpperWalk *walk)
{
	g_autoptr(GError) error = NULL;

	while (error == NULL)
		if (cam_upper_walk_next(walk, &error) == NULL)
			break;
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ABORTED);
}

static void
test_swapped_for_a_link(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	make_file(upper.fd, "a", "", 0644);
	make_directory(upper.fd, "b", 0755);
	make_file(upper.fd, "b/passwd", "", 0644);
	g_autoptr(CamUpperWalk) walk = cam_upper_walk_new(upper.fd);
	walk_to(walk, "b");
	/* Its names are known by now; what they lead to must be in it. */
	g_assert_cmpint(renameat(upper.fd, "b", upper.fd, "c"), ==, 0);
	g_assert_cmpint(symlinkat("/etc", upper.fd, "b"), ==, 0);
	g_assert_cmpstr(walk_to(walk, "b/passwd")->path, ==, "b/passwd");
	g_autoptr(GError) error = NULL;
	g_assert_null(cam_upper_walk_next(walk, &error));
	g_assert_no_error(error);

	g_autoptr(CamUpperWalk) second = cam_upper_walk_new(upper.fd);
	g_assert_cmpstr(walk_to(second, "b")->path, ==, "b");
	g_assert_cmpint(unlinkat(upper.fd, "b", 0), ==, 0);
	g_assert_cmpint(renameat(upper.fd, "c", upper.fd, "d"), ==, 0);
	g_assert_cmpint(symlinkat("/etc", upper.fd, "c"), ==, 0);
	/* The next name was a directory and is a link now: it is taken for what it is. */
	g_assert_cmpint(walk_to(second, "c")->fd, ==, -1);
}

/* The way back up is gone over again: it must end where it began. */
static void
test_swapped_above(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autoptr(GString) path = g_string_new("a");

	for (guint i = 0; i < 60; i++) {
		make_directory(upper.fd, path->str, 0755);
		g_string_append(path, "/a");
	}
	make_file(upper.fd, path->str, "", 0644);
	make_file(upper.fd, "a/z", "", 0644);
	g_autoptr(CamUpperWalk) walk = cam_upper_walk_new(upper.fd);
	walk_to(walk, path->str);
	g_assert_cmpint(renameat(upper.fd, "a", upper.fd, "b"), ==, 0);
	make_directory(upper.fd, "a", 0755);
	make_file(upper.fd, "a/z", "planted", 0644);
	assert_aborted(walk);
}

static void
test_vanished(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");

	make_file(upper.fd, "a", "", 0644);
	make_file(upper.fd, "b", "", 0644);
	g_autoptr(CamUpperWalk) walk = cam_upper_walk_new(upper.fd);
	walk_to(walk, "a");
	g_assert_cmpint(unlinkat(upper.fd, "b", 0), ==, 0);
	assert_aborted(walk);
}

static void
test_written_meanwhile(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_auto(Upper) upper = upper_new(fixture, "upper");
	g_autofree char *content = g_strnfill(200000, 'x');
	g_autofree guint8 *chunk = g_malloc(100000);
	g_autoptr(GError) error = NULL;
	gssize n;

	make_file(upper.fd, "a", content, 0644);
	g_autoptr(GInputStream) stream = cam_upper_layer_stream_new(upper.fd, &error);
	for (gsize done = 0; done < 100000; done += (gsize) n)
		n = g_input_stream_read(stream, chunk, 100000, NULL, &error);
	g_assert_no_error(error);
	g_auto(CamFd) fd = openat(upper.fd, "a", O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(pwrite(fd, "y", 1, 5), ==, 1);
	while ((n = g_input_stream_read(stream, chunk, 100000, NULL, &error)) > 0)
		continue;
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ABORTED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/upper-layer/empty", test_empty);
	g_test_add_func("/upper-layer/order", test_order);
	g_test_add_func("/upper-layer/kinds", test_kinds);
	g_test_add_func("/upper-layer/attribute-whiteouts", test_attribute_whiteouts);
	g_test_add_func("/upper-layer/sparse", test_sparse);
	g_test_add_func("/upper-layer/refused", test_refused);
	g_test_add_func("/upper-layer/too-deep", test_too_deep);
	g_test_add_func("/upper-layer/deep", test_deep);
	g_test_add_func("/upper-layer/other-file-system", test_other_file_system);
	g_test_add_func("/upper-layer/swapped-for-a-link", test_swapped_for_a_link);
	g_test_add_func("/upper-layer/swapped-above", test_swapped_above);
	g_test_add_func("/upper-layer/vanished", test_vanished);
	g_test_add_func("/upper-layer/written-meanwhile", test_written_meanwhile);
	return g_test_run();
}
