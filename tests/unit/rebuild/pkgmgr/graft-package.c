/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What exchanging a package without running anything does to a small tree without a package
 * manager. The packages are made here, member by member.
 */
#include "rebuild/pkgmgr/graft-package.h"

#include <fcntl.h>
#include <unistd.h>

typedef struct {
	char *top;
	CamMemoryRootfs *lower;
	CamGraft graft;
	GPtrArray *data; /* (element-type utf8): pairs of path and content of the next package */
	char *postinst, *conffiles, *links;
} Fixture;

/* ---- making a package ---- */

static GBytes *
make_tar(GPtrArray *pairs, const char *links)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(out, &error);
	g_auto(GStrv) list = g_strsplit(links ? links : "", " ", -1);

	g_assert_no_error(error);
	for (guint i = 0; i < pairs->len; i += 2) {
		const char *content = pairs->pdata[i + 1];
		g_autoptr(GBytes) bytes = g_bytes_new(content, strlen(content));

		cam_archive_writer_add_bytes(writer, pairs->pdata[i], bytes, 0644, 500, &error);
		g_assert_no_error(error);
	}
	for (guint i = 0; list[i] && list[i + 1]; i += 2)
		cam_archive_writer_add_symlink(writer, list[i], list[i + 1], 500, &error);
	cam_archive_writer_finish(writer, &error);
	g_assert_no_error(error);
	g_output_stream_close(out, NULL, NULL);
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static void
add_member(GByteArray *ar, const char *name, GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	g_autofree char *header = g_strdup_printf("%-16s%-12d%-6d%-6d%-8s%-10" G_GSIZE_FORMAT "`\n",
						  name, 0, 0, 0, "100644", size);

	g_byte_array_append(ar, (const guint8 *) header, (guint) strlen(header));
	g_byte_array_append(ar, data, (guint) size);
	if (size % 2)
		g_byte_array_append(ar, (const guint8 *) "\n", 1);
}

static void
add_pair(GPtrArray *pairs, const char *path, const char *content)
{
	g_ptr_array_add(pairs, g_strdup(path));
	g_ptr_array_add(pairs, g_strdup(content));
}

static char *
make_deb(Fixture *f)
{
	g_autoptr(GByteArray) ar = g_byte_array_new();
	g_autoptr(GPtrArray) control = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) sums = g_string_new(NULL);
	g_autoptr(GBytes) version = g_bytes_new_static("2.0\n", 4);
	char *path = g_build_filename(f->top, "p.deb", NULL);

	for (guint i = 0; i < f->data->len; i += 2) {
		g_autofree char *sum =
			g_compute_checksum_for_string(G_CHECKSUM_MD5, f->data->pdata[i + 1], -1);

		g_string_append_printf(sums, "%s  %s\n", sum, (char *) f->data->pdata[i] + 2);
	}
	add_pair(control, "./control",
		 "Package: p\nVersion: 2\nArchitecture: amd64\nMaintainer: M\n"
		 "Depends: libc6\nDescription: short\n long\n");
	add_pair(control, "./md5sums", sums->str);
	add_pair(control, "./triggers", "activate-noawait ldconfig\n");
	if (f->postinst)
		add_pair(control, "./postinst", f->postinst);
	if (f->conffiles)
		add_pair(control, "./conffiles", f->conffiles);

	g_autoptr(GBytes) control_tar = make_tar(control, NULL);
	g_autoptr(GBytes) data_tar = make_tar(f->data, f->links);

	g_byte_array_append(ar, (const guint8 *) "!<arch>\n", 8);
	add_member(ar, "debian-binary", version);
	add_member(ar, "control.tar", control_tar);
	add_member(ar, "data.tar", data_tar);
	g_assert_true(g_file_set_contents(path, (const char *) ar->data, ar->len, NULL));
	return path;
}

/* ---- the tree ---- */

#define OLD_STANZA "Package: p\nVersion: 1\nArchitecture: amd64\nMaintainer: M\n"

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autofree char *scratch = NULL;
	g_autoptr(GError) error = NULL;

	f->top = g_dir_make_tmp("cambium-graft-XXXXXX", &error);
	g_assert_no_error(error);
	scratch = g_build_filename(f->top, "scratch", NULL);
	g_assert_cmpint(g_mkdir_with_parents(scratch, 0700), ==, 0);
	f->graft.scratch = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->data = g_ptr_array_new_with_free_func(g_free);
	f->lower = cam_memory_rootfs_new();
	/* merged /usr, as distroless images of today */
	cam_memory_rootfs_add_symlink(f->lower, "lib", "usr/lib");
	cam_memory_rootfs_add_file(f->lower, "usr/lib/libp.so.1", "old", -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "usr/lib/stale", "old", -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "usr/lib/same", "same", -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "var/lib/dpkg/status.d/p", OLD_STANZA, -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "var/lib/dpkg/status.d/p.md5sums",
				   "00000000000000000000000000000000  lib/libp.so.1\n"
				   "00000000000000000000000000000000  lib/stale\n"
				   "00000000000000000000000000000000  lib/shared\n"
				   "00000000000000000000000000000000  usr/lib/same\n"
				   "00000000000000000000000000000000  usr/bin/dropped\n",
				   -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "usr/lib/shared", "x", -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "var/lib/dpkg/status.d/q",
				   "Package: q\nVersion: 1\nArchitecture: amd64\n", -1, 0644);
	cam_memory_rootfs_add_file(f->lower, "var/lib/dpkg/status.d/q.md5sums",
				   "00000000000000000000000000000000  lib/shared\n", -1, 0644);
	add_pair(f->data, "./lib/libp.so.1", "new");
	add_pair(f->data, "./usr/lib/same", "same");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_pointer(&f->graft.database, cam_dpkg_database_free);
	g_clear_pointer(&f->graft.config, cam_dpkg_config_free);
	cam_fd_close(f->graft.scratch);
	g_clear_object(&f->lower);
	g_ptr_array_unref(f->data);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->top, NULL));
	g_free(f->top);
}

static char *
list_tar(CamLayerTar *tar)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GString) list = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	cam_layer_tar_write(tar, out, NULL, &error);
	g_assert_no_error(error);
	g_output_stream_close(out, NULL, NULL);

	g_autoptr(GBytes) bytes =
		g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
	g_autoptr(GInputStream) in = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(CamArchive) archive = cam_archive_open_stream(in, &error);
	const CamArchiveEntry *entry;

	g_assert_no_error(error);
	while ((entry = cam_archive_next(archive, NULL, &error))) {
		if (entry->type == CAM_ARCHIVE_DIRECTORY)
			continue;
		g_string_append_printf(list, "%s", entry->path);
		if (entry->type == CAM_ARCHIVE_FILE && entry->size > 0 && entry->size < 8) {
			g_autoptr(GBytes) content = cam_archive_entry_bytes(archive, 8, NULL, NULL);

			g_string_append_printf(list, "=%.*s", (int) g_bytes_get_size(content),
					       (const char *) g_bytes_get_data(content, NULL));
		}
		g_string_append_c(list, ' ');
	}
	g_assert_no_error(error);
	return g_string_free(g_steal_pointer(&list), FALSE);
}

/* Grafts the package; returns what the layer holds, or NULL and *@refused. */
static char *
graft(Fixture *f, char **refused)
{
	CamPlannedPackage planned = { .name = (char *) "p",
				      .architecture = (char *) "amd64",
				      .from = (char *) "1",
				      .to = (char *) "2" };
	g_autofree char *deb = make_deb(f);
	g_autoptr(CamLayerTar) tar = cam_layer_tar_new(CAM_ROOTFS(f->lower), NULL, NULL, 1000);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamGraftPackage) package = NULL;

	f->graft.lower = CAM_ROOTFS(f->lower);
	f->graft.database = cam_dpkg_database_read(f->graft.lower, &error);
	g_assert_no_error(error);
	f->graft.config = cam_dpkg_config_read(f->graft.lower, &error);
	g_assert_no_error(error);
	package = cam_graft_package_new(&f->graft, &planned, deb, refused, &error);
	g_assert_no_error(error);
	if (!package)
		return NULL;
	cam_graft_package_commit(package, tar, &error);
	g_assert_no_error(error);
	cam_dpkg_database_emit(f->graft.database, tar, 1000, &error);
	g_assert_no_error(error);
	return list_tar(tar);
}

#define DATABASE "var/lib/dpkg/status.d/p var/lib/dpkg/status.d/p.md5sums "

static void
assert_layer(Fixture *f, const char *expected)
{
	g_autofree char *refused = NULL;
	g_autofree char *layer = graft(f, &refused);

	g_assert_cmpstr(refused, ==, NULL);
	g_assert_cmpstr(layer, ==, expected);
}

static void
assert_refused(Fixture *f, const char *part)
{
	g_autofree char *refused = NULL;
	g_autofree char *layer = graft(f, &refused);

	g_assert_null(layer);
	g_assert_nonnull(refused);
	g_assert_nonnull(strstr(refused, part));
}

/* ---- tests ---- */

/* Through the merged /usr; what is the same or another's stays, what is stale goes. */
static void
test_upgrade(Fixture *f, gconstpointer data)
{
	assert_layer(f, "usr/lib/.wh.stale usr/lib/libp.so.1=new " DATABASE);
}

static void
test_absent_stays_absent(Fixture *f, gconstpointer data)
{
	add_pair(f->data, "./usr/bin/dropped", "x");	   /* shipped before, not there */
	add_pair(f->data, "./usr/share/doc/p/NEWS", "x");  /* documentation is stripped */
	add_pair(f->data, "./usr/lib/p/plugin", "plugin"); /* really new */
	f->links = (char *) "./usr/lib/libp.so libp.so.1 ./usr/share/man/p.1 q.1";
	assert_layer(f, "usr/lib/.wh.stale usr/lib/libp.so usr/lib/libp.so.1=new "
			"usr/lib/p/plugin=plugin " DATABASE);
}

static void
test_path_exclude(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_file(f->lower, "etc/dpkg/dpkg.cfg.d/small",
				   "path-exclude=/usr/lib/p/*\n", -1, 0644);
	add_pair(f->data, "./usr/lib/p/plugin", "plugin");
	assert_layer(f, "usr/lib/.wh.stale usr/lib/libp.so.1=new " DATABASE);
}

/* Nobody knows what it was when it was shipped: it may have been changed. */
static void
test_conffile_is_kept(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_file(f->lower, "etc/p.conf", "mine", -1, 0644);
	add_pair(f->data, "./etc/p.conf", "theirs");
	add_pair(f->data, "./etc/p.other", "removed");
	f->conffiles = (char *) "/etc/p.conf\n/etc/p.other\n";
	assert_layer(f, "usr/lib/.wh.stale usr/lib/libp.so.1=new " DATABASE);
}

static void
test_scripts(Fixture *f, gconstpointer data)
{
	f->postinst = (char *) "#!/bin/sh\nadduser p\n";
	assert_refused(f, "postinst");
}

static void
test_idle_script(Fixture *f, gconstpointer data)
{
	f->postinst = (char *) "#!/bin/sh\nset -e\nexit 0\n";
	assert_layer(f, "usr/lib/.wh.stale usr/lib/libp.so.1=new " DATABASE);
}

static void
test_directory_in_the_way(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_file(f->lower, "usr/lib/x/file", "x", -1, 0644);
	add_pair(f->data, "./usr/lib/x", "now a file");
	assert_refused(f, "is a directory");
}

static void
test_diverted(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_file(f->lower, "var/lib/dpkg/diversions",
				   "/lib/libp.so.1\n/lib/libp.so.1.real\nq\n", -1, 0644);
	assert_refused(f, "diverts");
}

/* The image's links cannot lead the package's files anywhere but into the image. */
static void
test_hostile_links(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_symlink(f->lower, "opt", "../../../../usr/lib");
	cam_memory_rootfs_add_symlink(f->lower, "loop", "loop");
	add_pair(f->data, "./opt/x", "x");
	assert_layer(f, "usr/lib/.wh.stale usr/lib/libp.so.1=new usr/lib/x=x " DATABASE);
}

static void
test_loop(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_symlink(f->lower, "loop", "loop");
	add_pair(f->data, "./loop/x", "x");
	assert_refused(f, "leads nowhere");
}

/* status.d keeps its style: fields that were left out are left out again. */
static void
test_stanza_style(Fixture *f, gconstpointer data)
{
	g_autofree char *refused = NULL;
	g_autofree char *layer = graft(f, &refused);
	g_autoptr(CamLayerTar) tar = cam_layer_tar_new(CAM_ROOTFS(f->lower), NULL, NULL, 1000);
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = NULL;

	g_assert_nonnull(layer);
	cam_dpkg_database_emit(f->graft.database, tar, 1000, &error);
	cam_layer_tar_write(tar, out, NULL, &error);
	g_assert_no_error(error);
	g_output_stream_close(out, NULL, NULL);
	bytes = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));

	g_autoptr(GInputStream) in = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(CamArchive) archive = cam_archive_open_stream(in, &error);
	const CamArchiveEntry *entry;
	gboolean found = FALSE;

	while ((entry = cam_archive_next(archive, NULL, &error))) {
		if (!g_str_equal(entry->path, "var/lib/dpkg/status.d/p"))
			continue;

		g_autoptr(GBytes) content = cam_archive_entry_bytes(archive, 4096, NULL, &error);
		g_autofree char *string =
			g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));

		g_assert_cmpstr(string, ==,
				"Package: p\nVersion: 2\nArchitecture: amd64\nMaintainer: M\n"
				"Depends: libc6\n");
		found = TRUE;
	}
	g_assert_no_error(error);
	g_assert_true(found);
}

/* Packages come verified from a repository; a broken one is an error all the same. */
static void
test_broken_deb(Fixture *f, gconstpointer data)
{
	g_autofree char *path = make_deb(f);
	g_autofree char *content = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &content, &size, NULL));
	for (gsize cut = 0; cut < size - 1024; cut += size / 7) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamDebFile) deb = NULL;
		const CamArchiveEntry *entry = NULL;

		g_assert_true(g_file_set_contents(path, content, (gssize) cut, NULL));
		deb = cam_deb_file_open(path, NULL, &error);
		while (deb && (entry = cam_archive_next(cam_deb_file_get_data(deb), NULL, &error)))
			;
		g_assert_nonnull(error);
		g_assert_true(error->domain == CAM_ERROR);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define TEST(name, function) \
	g_test_add("/pkgmgr/graft-package/" name, Fixture, NULL, set_up, function, tear_down)
	TEST("upgrade", test_upgrade);
	TEST("absent", test_absent_stays_absent);
	TEST("path-exclude", test_path_exclude);
	TEST("conffile", test_conffile_is_kept);
	TEST("scripts", test_scripts);
	TEST("idle-script", test_idle_script);
	TEST("directory", test_directory_in_the_way);
	TEST("diverted", test_diverted);
	TEST("hostile-links", test_hostile_links);
	TEST("loop", test_loop);
	TEST("stanza", test_stanza_style);
	TEST("broken-deb", test_broken_deb);
	return g_test_run();
}
