/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the table of snapshotter/store/TAR.md against what each reader makes of one archive of each
 * kind: Cambium, Go's archive/tar where there is a Go compiler, libarchive, and umoci for root. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../go/go-reader.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/store/tar-header.h"
#include "tar-kinds.h"
#include "tar-listing.h"

enum { COLUMN_NAME = 1, COLUMN_HERE, COLUMN_GO, COLUMN_UMOCI, COLUMN_LIBARCHIVE };

/* The rows of the table: name → cells */
static GHashTable *
read_table(void)
{
	GHashTable *rows =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "..", "snapshotter",
						      "store", "TAR.md", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] != NULL; i++) {
		char **cells;

		if (!g_str_has_prefix(lines[i], "| `"))
			continue;
		cells = g_strsplit(lines[i], "|", -1);
		for (guint j = 0; cells[j] != NULL; j++)
			g_strstrip(g_strdelimit(cells[j], "`", ' '));
		g_hash_table_insert(rows, g_strdup(cells[COLUMN_NAME]), cells);
	}
	return rows;
}

static void
assert_cell(GHashTable *rows, const TarKind *kind, guint column, const char *actual)
{
	char **cells = g_hash_table_lookup(rows, kind->name);

	if (cells == NULL)
		g_error("TAR.md has no row %s", kind->name);
	if (!g_str_equal(cells[column], actual))
		g_error("%s, column %u: the table says \"%s\", it is \"%s\"", kind->name, column,
			cells[column], actual);
}

static char *
verdict_here(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *listing = tar_listing(bytes, FALSE, &error);
	const char *kind;

	if (listing != NULL)
		return g_strdup("read");
	kind = strstr(error->message, "ambiguous (");
	if (kind == NULL)
		return g_strdup("refused");
	kind += strlen("ambiguous (");
	return g_strdup_printf("refused: %.*s", (int) strcspn(kind, ")"), kind);
}

static void
test_here(void)
{
	g_autoptr(GHashTable) rows = read_table();

	g_assert_cmpuint(g_hash_table_size(rows), ==, G_N_ELEMENTS(tar_kinds));
	for (guint i = 0; i < G_N_ELEMENTS(tar_kinds); i++) {
		g_autoptr(GBytes) bytes = tar_of_kind(&tar_kinds[i]);
		g_autofree char *verdict = verdict_here(bytes);

		assert_cell(rows, &tar_kinds[i], COLUMN_HERE, verdict);
	}
}

static const char *
compare_with(GBytes *bytes, const char *other)
{
	g_autofree char *ours = tar_listing(bytes, TRUE, NULL);

	if (other == NULL)
		return "refused";
	return g_strcmp0(ours, other) == 0 ? "read" : "read otherwise";
}

static void
test_go(void)
{
	g_autoptr(GHashTable) rows = read_table();
	g_autoptr(GPtrArray) records =
		g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
	g_autoptr(GPtrArray) results = NULL;
	g_autoptr(GoReader) reader = go_reader_new();

	if (reader == NULL)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(tar_kinds); i++)
		g_ptr_array_add(records, tar_of_kind(&tar_kinds[i]));
	results = go_reader_run(reader, "tar", records);
	for (guint i = 0; i < results->len; i++) {
		const char *result = results->pdata[i];
		gboolean reads = g_str_has_suffix(result, "end\n");

		assert_cell(rows, &tar_kinds[i], COLUMN_GO,
			    compare_with(records->pdata[i], reads ? result : NULL));
	}
}

/* ---- libarchive ---- */

static void
append_theirs(GString *text, struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry) != NULL ? archive_entry_hardlink(entry)
								 : archive_entry_symlink(entry);
	gboolean goes_up;
	g_autofree char *name = cam_tar_clean_path(archive_entry_pathname(entry), &goes_up, NULL);

	g_string_append_printf(text, "%s %s%s %s %o %u:%u %u\n",
			       archive_entry_hardlink(entry) != NULL	   ? "h"
			       : archive_entry_filetype(entry) == AE_IFDIR ? "d"
			       : archive_entry_filetype(entry) == AE_IFLNK ? "l"
			       : archive_entry_filetype(entry) == AE_IFREG ? "f"
									   : "n",
			       goes_up ? "/" : "", name, link != NULL ? link : "",
			       (guint) archive_entry_perm(entry), (guint) archive_entry_uid(entry),
			       (guint) archive_entry_gid(entry),
			       archive_entry_filetype(entry) == AE_IFREG &&
					       archive_entry_hardlink(entry) == NULL
				       ? (guint) archive_entry_size(entry)
				       : 0);
}

static char *
list_by_libarchive(GBytes *bytes)
{
	struct archive *archive = archive_read_new();
	g_autoptr(GString) text = g_string_new(NULL);
	struct archive_entry *entry;
	int result;

	archive_read_support_format_tar(archive);
	result = archive_read_open_memory(archive, g_bytes_get_data(bytes, NULL),
					  g_bytes_get_size(bytes));
	while (result == ARCHIVE_OK || result == ARCHIVE_WARN) {
		result = archive_read_next_header(archive, &entry);
		if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
			append_theirs(text, entry);
	}
	archive_read_free(archive);
	return result == ARCHIVE_EOF ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* The same form of what Cambium reads. */
static char *
list_for_libarchive(GBytes *bytes)
{
	static const CamTarSource source = { .read = listing_read };
	ListingFeed feed = { 0 };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	const CamTarEntry *entry;

	feed.data = g_bytes_get_data(bytes, &feed.size);
	cam_tar_reader_allow_ambiguous(reader);
	while ((entry = cam_tar_reader_next(reader, &error)) != NULL)
		g_string_append_printf(text, "%c %s %s %o %u:%u %u\n", "fhlnndn"[entry->type],
				       entry -> path,
				       entry -> link_target != NULL ? entry -> link_target : "",
				       entry->mode, entry->uid, entry->gid, (guint) entry->size);
	return error == NULL ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static void
test_libarchive(void)
{
	g_autoptr(GHashTable) rows = read_table();

	if (archive_version_number() / 1000 != 3006) {
		g_test_skip("the table is about libarchive 3.6");
		return;
	}
	for (guint i = 0; i < G_N_ELEMENTS(tar_kinds); i++) {
		g_autoptr(GBytes) bytes = tar_of_kind(&tar_kinds[i]);
		g_autofree char *theirs = list_by_libarchive(bytes);
		g_autofree char *ours = list_for_libarchive(bytes);

		assert_cell(rows, &tar_kinds[i], COLUMN_LIBARCHIVE,
			    theirs == NULL		   ? "refused"
			    : g_strcmp0(ours, theirs) == 0 ? "read"
							   : "read otherwise");
	}
}

/* ---- umoci ---- */

static char *
write_blob(const char *layout, gconstpointer data, gsize size)
{
	char *digest = cam_digest_for_data(data, size);
	g_autofree char *path =
		g_build_filename(layout, "blobs", "sha256", cam_digest_hex(digest), NULL);

	g_assert_true(g_file_set_contents(path, data, (gssize) size, NULL));
	return digest;
}

static void
write_layout(const char *layout, GBytes *tar)
{
	g_autofree char *blobs = g_build_filename(layout, "blobs", "sha256", NULL);
	g_autofree char *marker = g_build_filename(layout, "oci-layout", NULL);
	g_autofree char *index_path = g_build_filename(layout, "index.json", NULL);
	gsize size = g_bytes_get_size(tar);

	g_assert_cmpint(g_mkdir_with_parents(blobs, 0755), ==, 0);
	g_assert_true(g_file_set_contents(marker, "{\"imageLayoutVersion\":\"1.0.0\"}", -1, NULL));
	g_autofree char *layer = write_blob(layout, g_bytes_get_data(tar, NULL), size);
	g_autofree char *config = g_strdup_printf(
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":"
		"\"layers\",\"diff_ids\":[\"%s\"]},\"history\":[{\"created_by\":\"x\"}]}",
		layer);
	g_autofree char *config_digest = write_blob(layout, config, strlen(config));
	g_autofree char *manifest = g_strdup_printf(
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"" CAM_MEDIA_TYPE_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
		config_digest, strlen(config), layer, size);
	g_autofree char *manifest_digest = write_blob(layout, manifest, strlen(manifest));
	g_autofree char *index = g_strdup_printf(
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST
		"\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref."
		"name\":\"t\"}}]}",
		manifest_digest, strlen(manifest));
	g_assert_true(g_file_set_contents(index_path, index, -1, NULL));
}

/* "type name" of all that lies below @path, as in a listing. */
static void
walk(const char *path, const char *name, GHashTable *found)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *base;

	while (dir != NULL && (base = g_dir_read_name(dir)) != NULL) {
		g_autofree char *child = g_build_filename(path, base, NULL);
		g_autofree char *inner =
			name[0] != '\0' ? g_strconcat(name, "/", base, NULL) : g_strdup(base);
		struct stat st;

		g_assert_cmpint(lstat(child, &st), ==, 0);
		g_hash_table_add(found, g_strdup_printf("%c %s",
							S_ISDIR(st.st_mode)   ? 'd'
							: S_ISLNK(st.st_mode) ? 'l'
							: S_ISREG(st.st_mode) ? 'f'
									      : 'n',
							inner));
		if (S_ISDIR(st.st_mode))
			walk(child, inner, found);
	}
}

static void
add_with_parents(GHashTable *expected, const CamTarEntry *entry)
{
	g_auto(GStrv) parts = g_strsplit(entry->path, "/", -1);
	g_autoptr(GString) parent = g_string_new(NULL);

	if (strstr(entry->path, ".wh.") != NULL || entry->path[0] == '\0')
		return;
	for (guint i = 0; parts[i + 1] != NULL; i++) {
		g_string_append_printf(parent, "%s%s", i > 0 ? "/" : "", parts[i]);
		g_hash_table_add(expected, g_strdup_printf("d %s", parent->str));
	}
	g_hash_table_add(expected, g_strdup_printf("%c %s", "fflnndn"[entry->type], entry -> path));
}

static const char *
verdict_of_umoci(GBytes *bytes, const char *bundle, gboolean unpacked)
{
	static const CamTarSource source = { .read = listing_read };
	ListingFeed feed = { 0 };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	g_autoptr(GHashTable) expected =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *rootfs = g_build_filename(bundle, "rootfs", NULL);
	const CamTarEntry *entry;
	GHashTableIter iter;
	gpointer name;

	if (!unpacked)
		return "refused";
	feed.data = g_bytes_get_data(bytes, &feed.size);
	cam_tar_reader_allow_ambiguous(reader);
	while ((entry = cam_tar_reader_next(reader, NULL)) != NULL)
		add_with_parents(expected, entry);
	walk(rootfs, "", found);
	if (g_hash_table_size(found) != g_hash_table_size(expected))
		return "read otherwise";
	g_hash_table_iter_init(&iter, found);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(expected, name))
			return "read otherwise";
	return "read";
}

static gboolean
is_version_of_table(const char *umoci)
{
	g_autoptr(GSubprocess) process =
		g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, umoci, "--version", NULL);
	g_autofree char *text = NULL;

	return process != NULL &&
	       g_subprocess_communicate_utf8(process, NULL, NULL, &text, NULL, NULL) &&
	       strstr(text, " 0.4.") != NULL;
}

static void
test_umoci(void)
{
	g_autofree char *umoci = g_find_program_in_path("umoci");
	g_autoptr(GHashTable) rows = read_table();

	if (umoci == NULL || geteuid() != 0 || !is_version_of_table(umoci)) {
		g_test_skip("umoci 0.4 is not there, or this is not root");
		return;
	}
	for (guint i = 0; i < G_N_ELEMENTS(tar_kinds); i++) {
		g_autofree char *work = g_dir_make_tmp("cambium-umoci-XXXXXX", NULL);
		g_autofree char *layout = g_build_filename(work, "layout", NULL);
		g_autofree char *image = g_strconcat(layout, ":t", NULL);
		g_autofree char *bundle = g_build_filename(work, "bundle", NULL);
		g_autoptr(GBytes) bytes = tar_of_kind(&tar_kinds[i]);
		g_autoptr(GSubprocess) process = NULL;

		write_layout(layout, bytes);
		process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
						   G_SUBPROCESS_FLAGS_STDERR_SILENCE,
					   NULL, umoci, "unpack", "--image", image, bundle, NULL);
		g_assert_nonnull(process);
		g_subprocess_wait(process, NULL, NULL);
		assert_cell(rows, &tar_kinds[i], COLUMN_UMOCI,
			    verdict_of_umoci(bytes, bundle, g_subprocess_get_successful(process)));
		g_assert_true(cam_remove_tree_at(AT_FDCWD, work, NULL));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/tar-table/here", test_here);
	g_test_add_func("/store/tar-table/go", test_go);
	g_test_add_func("/store/tar-table/libarchive", test_libarchive);
	g_test_add_func("/store/tar-table/umoci", test_umoci);
	return g_test_run();
}
