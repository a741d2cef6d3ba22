/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A layer that is what the packages make of a tree has no doubts; with whatever a hostile image may
 * have added to it, that very path is doubted.
 */
#include "rebuild/proof/layer-proof.h"

#include <string.h>

#define OTHER "Package: other\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"

#define CONTROL                                                                          \
	"Package: tool\nArchitecture: amd64\nVersion: 2\nDepends: libc6 (>=2.3),other\n" \
	"Description: a tool\n with a long text\n"

#define OLD_STATUS                                                                       \
	"Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n" \
	"Description: a tool\n\n" OTHER

#define NEW_STATUS                                                                       \
	"Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n" \
	"Depends: libc6 (>= 2.3), other\n"                                               \
	"Conffiles:\n /etc/tool.conf 5eb63bbbe01eeed093cb22bb8f5acdc3\n"                 \
	"Description: a tool\n with a long text\n\n" OTHER

#define LIST                                                                  \
	"/.\n/usr\n/usr/bin\n/usr/bin/tool\n/etc\n/etc/tool.conf\n/usr/lib\n" \
	"/usr/lib/tool.py\n/usr/bin/helper\n/usr/lib/libtool.so.1\n"

typedef struct {
	CamMemoryRootfs *before, *after;
	GPtrArray *packages, *contents;
	CamPlannedPackage package;
} Fixture;

static void
put_mode(CamMemoryRootfs *tree, const char *path, const char *text, guint32 mode)
{
	cam_memory_rootfs_add_file(tree, path, text, -1, mode);
}

static void
put(CamMemoryRootfs *tree, const char *path, const char *text)
{
	put_mode(tree, path, text, 0644);
}

static void
ship(CamDebContent *content, const char *path, const char *text, guint32 mode)
{
	CamDebEntry *entry = g_new0(CamDebEntry, 1);
	g_autoptr(CamHasher) hasher = cam_hasher_new();

	entry->type = text ? CAM_NODE_REGULAR : CAM_NODE_DIRECTORY;
	entry->mode = mode;
	if (text) {
		entry->size = strlen(text);
		cam_hasher_update(hasher, text, strlen(text));
		cam_hasher_finish_sha256(hasher, &entry->sha256);
	}
	if (g_str_has_suffix(path, ".conf"))
		entry->md5 = g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);
	g_hash_table_insert(content->entries, g_strdup(path), entry);
}

static void
entry_free(gpointer data)
{
	CamDebEntry *entry = data;

	g_free(entry->link_target);
	g_free(entry->md5);
	g_free(entry);
}

static CamDebContent *
make_content(void)
{
	static const char *const directories[] = { "", "usr", "usr/bin", "usr/lib", "etc" };
	CamDebContent *content = g_new0(CamDebContent, 1);

	content->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	content->control = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						 (GDestroyNotify) g_bytes_unref);
	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
		ship(content, directories[i], NULL, 0755);
	ship(content, "usr/bin/tool", "new tool", 0755);
	ship(content, "usr/bin/helper", "helper", 04755);
	ship(content, "usr/lib/tool.py", "x = 1\n", 0644);
	ship(content, "usr/lib/libtool.so.1", "library", 0644);
	ship(content, "etc/tool.conf", "hello world", 0644);
	g_hash_table_insert(content->control, g_strdup("control"),
			    g_bytes_new_static(CONTROL, strlen(CONTROL)));
	g_hash_table_insert(content->control, g_strdup("postinst"),
			    g_bytes_new_static("#!/bin/sh\n", 10));
	return content;
}

static void
set_up(Fixture *f, gconstpointer data)
{
	f->before = cam_memory_rootfs_new();
	put(f->before, "var/lib/dpkg/status", OLD_STATUS);
	put(f->before, "var/lib/dpkg/info/tool.list",
	    "/.\n/usr\n/usr/bin\n/usr/bin/tool\n/usr/lib/gone\n");
	put(f->before, "var/lib/dpkg/diversions", "");
	put_mode(f->before, "usr/bin/tool", "old tool", 0755);
	put(f->before, "usr/lib/gone", "gone");
	put(f->before, "usr/lib/other", "other");
	put(f->before, "etc/shadow", "root:*:");
	put(f->before, "srv/app", "app");
	f->after = cam_memory_rootfs_new();
	put(f->after, "var/lib/dpkg/status", NEW_STATUS);
	put(f->after, "var/lib/dpkg/info/tool.list", LIST);
	put_mode(f->after, "var/lib/dpkg/info/tool.postinst", "#!/bin/sh\n", 0755);
	put(f->after, "var/lib/dpkg/diversions", "");
	put_mode(f->after, "usr/bin/tool", "new tool", 0755);
	put_mode(f->after, "usr/bin/helper", "helper", 04755);
	put(f->after, "usr/lib/tool.py", "x = 1\n");
	put(f->after, "usr/lib/libtool.so.1", "library");
	put(f->after, "usr/lib/other", "other");
	put(f->after, "etc/tool.conf", "hello world");
	put(f->after, "etc/shadow", "root:*:");
	put(f->after, "srv/app", "app");
	f->package = (CamPlannedPackage){ .name = (char *) "tool",
					  .architecture = (char *) "amd64",
					  .from = (char *) "1",
					  .to = (char *) "2" };
	f->packages = g_ptr_array_new();
	g_ptr_array_add(f->packages, &f->package);
	f->contents = g_ptr_array_new_with_free_func((GDestroyNotify) cam_deb_content_free);
	g_ptr_array_add(f->contents, make_content());
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_object(&f->before);
	g_clear_object(&f->after);
	g_ptr_array_unref(f->packages);
	g_ptr_array_unref(f->contents);
}

/* The doubtful paths, with a blank between them. */
static char *
doubts(Fixture *f, GPtrArray *byte_code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) found =
		cam_layer_prove(CAM_ROOTFS(f->before), CAM_ROOTFS(f->after), f->packages,
				f->contents, byte_code, NULL, &error);
	g_autoptr(GString) paths = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < found->len; i++) {
		const CamLayerDoubt *doubt = found->pdata[i];

		g_test_message("%s: %s", doubt->path, doubt->reason);
		g_assert_cmpstr(doubt->reason, !=, "");
		g_string_append_printf(paths, "%s%s", i > 0 ? " " : "", doubt->path);
	}
	return g_string_free(g_steal_pointer(&paths), FALSE);
}

static void
assert_doubts(Fixture *f, const char *expected)
{
	g_autofree char *found = doubts(f, NULL);

	g_assert_cmpstr(found, ==, expected);
}

static void
test_nothing(Fixture *f, gconstpointer data)
{
	assert_doubts(f, "");
}

typedef struct {
	const char *path, *text;
	guint32 mode;
	const char *doubted; /* where it is another path */
} Planted;

/* Each of these stands for what a program of one image may leave for all others. */
static const Planted planted[] = {
	{ "usr/local/bin/backdoor", "x", 04755, "usr/local usr/local/bin usr/local/bin/backdoor" },
	{ "etc/cron.d/evil", "* * * * * root x", 0644, "etc/cron.d etc/cron.d/evil" },
	{ "etc/ld.so.preload", "/x.so", 0644, NULL },
	{ "etc/shadow", "root::", 0644, NULL },
	{ "srv/app", "other", 0644, NULL },
	{ "usr/lib/other", "other", 04755, NULL },
	{ "usr/lib/other", "not the same", 0644, NULL },
	{ "usr/bin/tool", "new tool, and more", 0755, NULL },
	{ "usr/bin/tool", "new tool", 04755, NULL },
	{ "usr/bin/helper", "helper", 0755, NULL },
	{ "usr/lib/tool.py", "x = 2\n", 0644, NULL },
	{ "etc/tool.conf", "not the packaged", 0644, NULL },
	{ "etc/tool.conf.dpkg-dist", "not the packaged", 0644, NULL },
	{ "etc/ld.so.cache", "x", 0644, NULL },
	{ "usr/lib/__pycache__/other.cpython-311.pyc", "x", 0644,
	  "usr/lib/__pycache__ usr/lib/__pycache__/other.cpython-311.pyc" },
	{ "usr/lib/__pycache__/tool.cpython-311.pyc", "x", 0644,
	  "usr/lib/__pycache__ usr/lib/__pycache__/tool.cpython-311.pyc" },
	{ "var/lib/dpkg/diversions", "/bin/sh\n/bin/sh.real\ntool\n", 0644, NULL },
	{ "var/lib/dpkg/statoverride", "root root 4755 /bin/sh\n", 0644, NULL },
	{ "var/lib/dpkg/info/tool.postinst", "#!/bin/sh\nevil\n", 0755, NULL },
	{ "var/lib/dpkg/info/tool.preinst", "#!/bin/sh\nevil\n", 0755, NULL },
	{ "var/lib/dpkg/info/other.postinst", "#!/bin/sh\nevil\n", 0755, NULL },
	{ "var/lib/dpkg/info/tool.list", LIST "/etc/shadow\n", 0644, NULL },
	{ "var/lib/dpkg/info/tool.list", "/.\n", 0644, NULL },
	{ "var/lib/dpkg/alternatives/editor", "auto\n/usr/bin/editor\n\n/x\n", 0644,
	  "var/lib/dpkg/alternatives var/lib/dpkg/alternatives/editor" },
	{ "var/lib/dpkg/status",
	  OLD_STATUS "Package: third\nStatus: install ok installed\n"
		     "Architecture: all\nVersion: 3\n",
	  0644, NULL },
	{ "var/lib/dpkg/status",
	  "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3\n\n" OTHER,
	  0644, NULL },
	{ "var/lib/dpkg/status",
	  "Package: other\nStatus: install ok installed\nArchitecture: all\nVersion: 9\n\n", 0644,
	  NULL },
	{ "var/lib/dpkg/status", NEW_STATUS, 0666, NULL },
	{ "etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nx\n", 0644,
	  "etc/ssl etc/ssl/certs etc/ssl/certs/ca-certificates.crt" },
	{ "root/.profile", "evil", 0644, "root root/.profile" },
};

static void
test_planted(Fixture *f, gconstpointer data)
{
	const Planted *plant = data;

	put_mode(f->after, plant->path, plant->text, plant->mode);
	assert_doubts(f, plant->doubted ? plant->doubted : plant->path);
}

static void
test_owner_and_attributes(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) text = g_bytes_new_static("new tool", 8);
	g_autoptr(GBytes) old = g_bytes_new_static("old tool", 8);
	CamStat stat = { .type = CAM_NODE_REGULAR, .mode = 0755, .uid = 1000, .size = 8 };

	cam_memory_rootfs_add(f->after, "usr/bin/tool", &stat, text);
	assert_doubts(f, "usr/bin/tool");
	stat.uid = 0;
	stat.xattrs = g_variant_ref_sink(g_variant_new_parsed("[(b'security.capability', b'x')]"));
	cam_memory_rootfs_add(f->after, "usr/bin/tool", &stat, text);
	assert_doubts(f, "usr/bin/tool");
	/* what it had before, it may keep */
	cam_memory_rootfs_add(f->before, "usr/bin/tool", &stat, old);
	assert_doubts(f, "");
	g_variant_unref(stat.xattrs);
}

static void
test_removed(Fixture *f, gconstpointer data)
{
	static const char *const paths[] = { "etc/shadow", "srv/app", "usr/lib/other",
					     "usr/bin/helper" };

	cam_memory_rootfs_remove(f->after,
				 "usr/bin/helper"); /* never was, and is missing: no change */
	assert_doubts(f, "");
	put(f->before, "usr/bin/helper", "x");
	for (gsize i = 0; i < G_N_ELEMENTS(paths) - 1; i++)
		cam_memory_rootfs_remove(f->after, paths[i]);
	assert_doubts(f, "etc/shadow srv/app usr/bin/helper usr/lib/other");
}

/* A link that leads to a package's file explains itself only where such links are made. */
static void
test_links(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_symlink(f->after, "etc/alternatives/tool", "/usr/bin/tool");
	cam_memory_rootfs_add_symlink(f->after, "usr/bin/t", "/etc/alternatives/tool");
	assert_doubts(f, "");
	cam_memory_rootfs_add_symlink(f->after, "etc/alternatives/evil", "/srv/app");
	cam_memory_rootfs_add_symlink(f->after, "usr/bin/e", "/etc/alternatives/evil");
	cam_memory_rootfs_add_symlink(f->after, "usr/bin/direct", "/usr/bin/tool");
	assert_doubts(f, "etc/alternatives etc/alternatives/evil usr/bin/direct usr/bin/e");
}

/* A compiled file of a packaged source is handed on: its content is another's to judge. */
static void
test_byte_code(Fixture *f, gconstpointer data)
{
	static const char code[] = "\xa7\x0d\x0d\x0a\0\0\0\0\1\2\3\4\6\0\0\0code";
	g_autoptr(GPtrArray) byte_code = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *found = NULL;

	cam_memory_rootfs_add_file(f->after, "usr/lib/__pycache__/tool.cpython-311.pyc", code,
				   sizeof(code) - 1, 0644);
	found = doubts(f, byte_code);
	g_assert_cmpstr(found, ==, "");
	g_assert_cmpuint(byte_code->len, ==, 1);
	g_assert_cmpstr(byte_code->pdata[0], ==, "usr/lib/__pycache__/tool.cpython-311.pyc");
}

/* What a package ships is remembered as it is. */
static void
test_codec(Fixture *f, gconstpointer data)
{
	const CamDebContent *content = f->contents->pdata[0];
	g_autoptr(GBytes) bytes = cam_deb_content_to_bytes(content);
	g_autoptr(GBytes) cut = g_bytes_new_from_bytes(bytes, 0, g_bytes_get_size(bytes) - 3);

	g_ptr_array_add(f->contents, cam_deb_content_from_bytes(bytes));
	g_assert_nonnull(f->contents->pdata[1]);
	g_ptr_array_remove_index(f->contents, 0);
	assert_doubts(f, "");
	g_assert_null(cam_deb_content_from_bytes(cut));
}

/* ---- the dynamic linker's cache ---- */

typedef struct {
	const char *name, *path;
} Library;

static GBytes *
make_cache(const Library *libraries, guint n)
{
	GByteArray *out = g_byte_array_new();
	g_autoptr(GByteArray) strings = g_byte_array_new();
	guint32 head[7] = { n };
	guint32 base = 48 + 24 * n;

	g_byte_array_append(out, (const guint8 *) "glibc-ld.so.cache1.1", 20);
	g_byte_array_append(out, (const guint8 *) head, sizeof(head));
	for (guint i = 0; i < n; i++) {
		guint32 entry[6] = { 3, base + strings->len };

		g_byte_array_append(strings, (const guint8 *) libraries[i].name,
				    (guint) strlen(libraries[i].name) + 1);
		entry[2] = base + strings->len;
		g_byte_array_append(strings, (const guint8 *) libraries[i].path,
				    (guint) strlen(libraries[i].path) + 1);
		g_byte_array_append(out, (const guint8 *) entry, sizeof(entry));
	}
	g_byte_array_append(out, strings->data, strings->len);
	return g_byte_array_free_to_bytes(out);
}

static void
put_cache(CamMemoryRootfs *tree, const Library *libraries, guint n)
{
	g_autoptr(GBytes) bytes = make_cache(libraries, n);

	cam_memory_rootfs_add_file(tree, "etc/ld.so.cache", g_bytes_get_data(bytes, NULL),
				   (gssize) g_bytes_get_size(bytes), 0644);
}

static void
test_ld_cache(Fixture *f, gconstpointer data)
{
	static const Library before[] = { { "liba.so.1", "/usr/lib/a/liba.so.1" },
					  { "liba.so.1", "/usr/lib/liba.so.1" },
					  { "libgone.so.1", "/usr/lib/gone" } };
	static const struct {
		Library libraries[4];
		guint n;
		gboolean holds;
	} cases[] = {
		{ { { "liba.so.1", "/usr/lib/a/liba.so.1" },
		    { "liba.so.1", "/usr/lib/liba.so.1" } },
		  2,
		  TRUE },
		{ { { "libtool.so.1", "/usr/lib/libtool.so.1" },
		    { "liba.so.1", "/usr/lib/a/liba.so.1" },
		    { "liba.so.1", "/usr/lib/liba.so.1" } },
		  3,
		  TRUE },
		/* another order, one missing, a file that is gone, one that no package ships */
		{ { { "liba.so.1", "/usr/lib/liba.so.1" },
		    { "liba.so.1", "/usr/lib/a/liba.so.1" } },
		  2,
		  FALSE },
		{ { { "liba.so.1", "/usr/lib/liba.so.1" } }, 1, FALSE },
		{ { { "libgone.so.1", "/usr/lib/gone" },
		    { "liba.so.1", "/usr/lib/a/liba.so.1" },
		    { "liba.so.1", "/usr/lib/liba.so.1" } },
		  3,
		  FALSE },
		{ { { "liba.so.1", "/usr/lib/a/liba.so.1" },
		    { "liba.so.1", "/usr/lib/liba.so.1" },
		    { "libc.so.6", "/srv/app" } },
		  3,
		  FALSE },
		/* a packaged file under another library's name, or before what was there */
		{ { { "liba.so.1", "/usr/lib/a/liba.so.1" },
		    { "liba.so.1", "/usr/lib/liba.so.1" },
		    { "libc.so.6", "/usr/lib/libtool.so.1" } },
		  3,
		  FALSE },
		{ { { "liba.so.1", "/usr/lib/libtool.so.1" },
		    { "liba.so.1", "/usr/lib/a/liba.so.1" },
		    { "liba.so.1", "/usr/lib/liba.so.1" } },
		  3,
		  FALSE },
	};
	CamMemoryRootfs *both[] = { f->before, f->after };

	for (guint i = 0; i < 2; i++) {
		put(both[i], "usr/lib/a/liba.so.1", "a");
		put(both[i], "usr/lib/liba.so.1", "a");
	}
	put_cache(f->before, before, G_N_ELEMENTS(before));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		put_cache(f->after, cases[i].libraries, cases[i].n);
		g_test_message("case %zu", i);
		assert_doubts(f, cases[i].holds ? "" : "etc/ld.so.cache");
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define TEST(name, function) \
	g_test_add("/layer-proof/" name, Fixture, NULL, set_up, function, tear_down)
	TEST("nothing", test_nothing);
	for (gsize i = 0; i < G_N_ELEMENTS(planted); i++) {
		g_autofree char *name =
			g_strdup_printf("/layer-proof/planted/%zu-%s", i, planted[i].path);

		g_test_add(name, Fixture, &planted[i], set_up, test_planted, tear_down);
	}
	TEST("owner-and-attributes", test_owner_and_attributes);
	TEST("removed", test_removed);
	TEST("links", test_links);
	TEST("byte-code", test_byte_code);
	TEST("codec", test_codec);
	TEST("ld-cache", test_ld_cache);
	return g_test_run();
}
