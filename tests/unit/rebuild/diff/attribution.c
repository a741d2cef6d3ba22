/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rebuild/diff/attribution.h"

#include <string.h>

/*
 * Which changes an upgrade of one package, libx 1 → 2, explains and which it must not. Each test
 * starts from a sound upgrade and adds one thing.
 */

#define LIB_DIR "usr/lib/x86_64-linux-gnu/"
#define INFO	"var/lib/dpkg/info/libx:amd64"

typedef struct {
	CamMemoryRootfs *before, *after;
	GPtrArray *packages;
} Fixture;

static void
add_file(CamMemoryRootfs *fs, const char *path, const char *content)
{
	cam_memory_rootfs_add_file(fs, path, content, -1, 0644);
}

static void
add_md5sums(CamMemoryRootfs *fs, const char *const *paths_and_contents, const char *where)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (; *paths_and_contents != NULL; paths_and_contents += 2) {
		g_autofree char *md5 =
			g_compute_checksum_for_string(G_CHECKSUM_MD5, paths_and_contents[1], -1);

		g_string_append_printf(text, "%s  %s\n", md5, paths_and_contents[0]);
	}
	add_file(fs, where, text->str);
}

static void
add_package(CamMemoryRootfs *fs, const char *version)
{
	g_autofree char *library = g_strconcat("lib ", version, NULL);
	g_autofree char *name = g_strconcat("libx.so.1.", version, NULL);
	g_autofree char *path = g_strconcat(LIB_DIR, name, NULL);
	g_autofree char *conffile = g_strconcat("conf ", version, NULL);
	g_autofree char *python = g_strconcat("print(", version, ")", NULL);
	g_autofree char *md5 = g_compute_checksum_for_string(G_CHECKSUM_MD5, conffile, -1);
	/* The package was built before usrmerge: it lists /lib. */
	g_autofree char *list = g_strdup_printf(
		"/.\n/etc\n/etc/x.conf\n/lib\n/lib/x86_64-linux-gnu\n"
		"/lib/x86_64-linux-gnu/%s\n/lib/x86_64-linux-gnu/libx.so.1\n"
		"/usr/lib/python3/x.py\n/usr/share/doc/libx\n/usr/share/doc/libx/v%s\n",
		name, version);
	g_autofree char *listed = g_strconcat("lib/x86_64-linux-gnu/", name, NULL);
	g_autofree char *doc = g_strconcat("usr/share/doc/libx/v", version, NULL);
	const char *md5sums[] = {
		listed, library, "usr/lib/python3/x.py", python, doc, "doc", NULL
	};
	g_autofree char *status = g_strdup_printf(
		"Package: other\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
		"Package: libx\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\n"
		"Conffiles:\n /etc/x.conf %s\nDescription: x\n",
		version, md5);

	cam_memory_rootfs_add_symlink(fs, "lib", "usr/lib");
	add_file(fs, path, library);
	g_clear_pointer(&path, g_free);
	cam_memory_rootfs_add_symlink(fs, LIB_DIR "libx.so.1", name);
	add_file(fs, "usr/lib/python3/x.py", python);
	add_file(fs, doc, "doc");
	add_file(fs, "etc/x.conf", conffile);
	add_file(fs, INFO ".list", list);
	add_md5sums(fs, md5sums, INFO ".md5sums");
	add_file(fs, "var/lib/dpkg/status", status);
}

static void
set_up(Fixture *f, gconstpointer data)
{
	CamPackageChange *change = g_new0(CamPackageChange, 1);

	f->before = cam_memory_rootfs_new();
	f->after = cam_memory_rootfs_new();
	f->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_change_free);
	change->name = g_strdup("libx");
	change->architecture = g_strdup("amd64");
	change->before = g_strdup("1");
	change->after = g_strdup("2");
	change->before_path = g_strdup("var/lib/dpkg/status");
	change->after_path = g_strdup("var/lib/dpkg/status");
	g_ptr_array_add(f->packages, change);
	add_package(f->before, "1");
	add_package(f->after, "2");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_object_unref(f->before);
	g_object_unref(f->after);
	g_ptr_array_unref(f->packages);
}

/* The only unexplained path is @path (NULL: there is none), with @note. */
static void
assert_unexplained(Fixture *f, const char *path, const char *note)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) paths =
		cam_diff_trees(CAM_ROOTFS(f->before), CAM_ROOTFS(f->after), NULL, NULL, &error);
	guint unexplained;

	g_assert_no_error(error);
	cam_attribute_paths(paths, f->packages, CAM_ROOTFS(f->before), CAM_ROOTFS(f->after),
			    &unexplained, NULL, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < paths->len; i++) {
		const CamPathChange *change = paths->pdata[i];

		if (change->reason != NULL)
			continue;
		g_assert_cmpstr(change->path, ==, path);
		g_assert_cmpstr(change->note, ==, note);
	}
	g_assert_cmpuint(unexplained, ==, path != NULL ? 1 : 0);
}

static void
assert_reason(Fixture *f, const char *path, const char *package, const char *reason)
{
	g_autoptr(GPtrArray) paths =
		cam_diff_trees(CAM_ROOTFS(f->before), CAM_ROOTFS(f->after), NULL, NULL, NULL);
	guint unexplained;

	cam_attribute_paths(paths, f->packages, CAM_ROOTFS(f->before), CAM_ROOTFS(f->after),
			    &unexplained, NULL, NULL);
	for (guint i = 0; i < paths->len; i++) {
		const CamPathChange *change = paths->pdata[i];

		if (!g_str_equal(change->path, path))
			continue;
		g_assert_cmpstr(change->reason, ==, reason);
		g_assert_cmpstr(change->package, ==, package);
		return;
	}
	g_assert_not_reached();
}

static void
test_upgrade(Fixture *f, gconstpointer data)
{
	static const char package[] = "libx:amd64 1 → 2";

	assert_unexplained(f, NULL, NULL);
	assert_reason(f, LIB_DIR "libx.so.1.2", package, "packaged file, checksum as packaged");
	assert_reason(f, LIB_DIR "libx.so.1.1", package, "no longer packaged");
	assert_reason(f, LIB_DIR "libx.so.1", package, "packaged link, leads to a packaged file");
	assert_reason(f, "etc/x.conf", package,
		      "packaged configuration file, checksum as packaged");
	assert_reason(f, INFO ".list", NULL, "package database, record of the package");
	assert_reason(f, "var/lib/dpkg/status", NULL,
		      "package database, entries of changed packages only");
}

static void
test_altered_file(Fixture *f, gconstpointer data)
{
	add_file(f->after, LIB_DIR "libx.so.1.2", "lib 2 with a back door");
	assert_unexplained(f, LIB_DIR "libx.so.1.2",
			   "packaged, but its checksum is not the packaged one");
}

static void
test_altered_conffile(Fixture *f, gconstpointer data)
{
	add_file(f->after, "etc/x.conf", "conf 2, altered");
	assert_unexplained(f, "etc/x.conf", "configuration file that is not as packaged");
}

static void
test_foreign_file(Fixture *f, gconstpointer data)
{
	add_file(f->after, "usr/bin/miner", "x");
	/* usr/bin came with it alone */
	cam_memory_rootfs_add_file(f->before, "usr/bin/true", "x", -1, 0755);
	cam_memory_rootfs_add_file(f->after, "usr/bin/true", "x", -1, 0755);
	assert_unexplained(f, "usr/bin/miner", NULL);
}

static void
test_set_uid(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_file(f->after, LIB_DIR "libx.so.1.2", "lib 2", -1, 04755);
	assert_unexplained(f, LIB_DIR "libx.so.1.2",
			   "it is new and has set-id bits, which packages do not record");
}

static void
test_mode(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_file(f->after, "usr/lib/python3/x.py", "print(2)", -1, 0666);
	assert_unexplained(f, "usr/lib/python3/x.py",
			   "its mode changed, which packages do not record");
}

static void
test_link_elsewhere(Fixture *f, gconstpointer data)
{
	add_file(f->before, "tmp/evil.so", "evil");
	add_file(f->after, "tmp/evil.so", "evil");
	cam_memory_rootfs_add_symlink(f->after, LIB_DIR "libx.so.1", "/tmp/evil.so");
	assert_unexplained(f, LIB_DIR "libx.so.1",
			   "packaged, but it leads to nothing that an upgraded package owns");
}

static void
test_foreign_stanza(Fixture *f, gconstpointer data)
{
	add_file(f->after, "var/lib/dpkg/status",
		 "Package: other\nStatus: install ok installed\nVersion: 99\nArchitecture: all\n\n"
		 "Package: libx\nStatus: install ok installed\nVersion: 2\nArchitecture: amd64\n");
	/* The conffile's checksum went with the stanza. */
	add_file(f->after, "etc/x.conf", "conf 1");
	assert_unexplained(f, "var/lib/dpkg/status",
			   "package database, but the entry of other changed, which was not "
			   "upgraded");
}

static void
test_record_of_other_package(Fixture *f, gconstpointer data)
{
	add_file(f->after, "var/lib/dpkg/info/other.postinst", "#!/bin/sh\n");
	assert_unexplained(f, "var/lib/dpkg/info/other.postinst", NULL);
}

/* A header of PEP 552 for a source of @size bytes. */
static void
add_pyc(CamMemoryRootfs *fs, const char *path, guint8 size)
{
	const char header[17] = {
		'o', '\r', '\r', '\n', 0, 0, 0, 0, 1, 2, 3, 4, size, 0, 0, 0, 'c'
	};

	cam_memory_rootfs_add_file(fs, path, header, sizeof(header), 0644);
}

static void
test_regenerated(Fixture *f, gconstpointer data)
{
	add_file(f->before, "etc/ld.so.cache", "cache 1");
	add_file(f->after, "etc/ld.so.cache", "cache 2");
	add_pyc(f->after, "usr/lib/python3/__pycache__/x.cpython-311.pyc", 8);
	assert_unexplained(f, NULL, NULL);
	assert_reason(f, "etc/ld.so.cache", NULL, "regenerated by ldconfig");
	assert_reason(f, "usr/lib/python3/__pycache__/x.cpython-311.pyc", "libx:amd64 1 → 2",
		      "byte code of a packaged source");
	assert_reason(f, "usr/lib/python3/__pycache__", "libx:amd64 1 → 2",
		      "directory of explained paths");
}

static void
test_byte_code_of_nothing(Fixture *f, gconstpointer data)
{
	add_pyc(f->before, "usr/lib/python3/__pycache__/x.cpython-311.pyc", 8);
	add_pyc(f->after, "usr/lib/python3/__pycache__/x.cpython-311.pyc", 8);
	add_pyc(f->after, "usr/lib/python3/__pycache__/y.cpython-311.pyc", 8);
	assert_unexplained(f, "usr/lib/python3/__pycache__/y.cpython-311.pyc", NULL);
}

static void
test_byte_code_of_other_source(Fixture *f, gconstpointer data)
{
	add_pyc(f->before, "usr/lib/python3/__pycache__/x.cpython-311.pyc", 8);
	add_pyc(f->after, "usr/lib/python3/__pycache__/x.cpython-311.pyc", 99);
	assert_unexplained(f, "usr/lib/python3/__pycache__/x.cpython-311.pyc", NULL);
}

static void
test_alternatives(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_add_symlink(f->before, "usr/share/v", "/etc/alternatives/v");
	cam_memory_rootfs_add_symlink(f->before, "etc/alternatives/v", "/usr/share/doc/libx/v1");
	cam_memory_rootfs_add_symlink(f->after, "usr/share/v", "/etc/alternatives/v");
	cam_memory_rootfs_add_symlink(f->after, "etc/alternatives/v", "/usr/share/doc/libx/v2");
	cam_memory_rootfs_add_symlink(f->after, "usr/share/w", "/etc/alternatives/v");
	assert_unexplained(f, NULL, NULL);
	cam_memory_rootfs_add_symlink(f->after, "usr/share/u", "/usr/share/doc/libx/v2");
	assert_unexplained(f, "usr/share/u", NULL);
}

static void
test_diversion(Fixture *f, gconstpointer data)
{
	static const char diversions[] =
		"/usr/share/doc/libx/v2\n/usr/share/doc/libx/v2.old\nother\n";

	add_file(f->before, "var/lib/dpkg/diversions", diversions);
	add_file(f->after, "var/lib/dpkg/diversions", diversions);
	cam_memory_rootfs_remove(f->after, "usr/share/doc/libx/v2");
	/* The md5sums list the path as packaged, the file lies where the diversion says. */
	add_file(f->after, "usr/share/doc/libx/v2.old", "doc");
	assert_unexplained(f, NULL, NULL);
}

static void
test_packaged_but_gone(Fixture *f, gconstpointer data)
{
	cam_memory_rootfs_remove(f->after, "usr/lib/python3/x.py");
	assert_unexplained(f, "usr/lib/python3/x.py", "packaged, but it was removed");
}

static void
test_no_package(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemoryRootfs) copy = g_object_ref(f->before);

	g_set_object(&f->after, copy);
	f->before = (g_object_unref(f->before), cam_memory_rootfs_new());
	add_package(f->before, "1");
	add_file(f->after, "var/log/dpkg.log", "x");
	add_file(f->before, "var/log/other", "x");
	add_file(f->after, "var/log/other", "x");
	g_ptr_array_set_size(f->packages, 0);
	assert_unexplained(f, "var/log/dpkg.log", NULL);
}

static void
test_single_files(Fixture *f, gconstpointer data)
{
	static const char *const old[] = { "usr/lib/liby.so.1.1", "y1", NULL };
	static const char *const new[] = { "usr/lib/liby.so.1.2", "y2", NULL };
	CamPackageChange *change = g_new0(CamPackageChange, 1);

	change->name = g_strdup("liby");
	change->before = g_strdup("1");
	change->after = g_strdup("2");
	change->before_path = g_strdup("var/lib/dpkg/status.d/liby");
	change->after_path = g_strdup("var/lib/dpkg/status.d/liby");
	g_ptr_array_add(f->packages, change);
	add_file(f->before, "usr/lib/liby.so.1.1", "y1");
	cam_memory_rootfs_add_symlink(f->before, "usr/lib/liby.so.1", "liby.so.1.1");
	add_file(f->before, "var/lib/dpkg/status.d/liby", "Package: liby\nVersion: 1\n");
	add_md5sums(f->before, old, "var/lib/dpkg/status.d/liby.md5sums");
	add_file(f->after, "usr/lib/liby.so.1.2", "y2");
	cam_memory_rootfs_add_symlink(f->after, "usr/lib/liby.so.1", "liby.so.1.2");
	add_file(f->after, "var/lib/dpkg/status.d/liby", "Package: liby\nVersion: 2\n");
	add_md5sums(f->after, new, "var/lib/dpkg/status.d/liby.md5sums");
	assert_unexplained(f, NULL, NULL);
	add_file(f->after, "usr/lib/liby.so.1.2", "not y2");
	assert_unexplained(f, "usr/lib/liby.so.1.2",
			   "packaged, but its checksum is not the packaged one");
}

static void
test_hostile_records(Fixture *f, gconstpointer data)
{
	/* Lists that name everything explain nothing that has no checksum. */
	add_file(f->after, INFO ".list",
		 "/../../etc/passwd\n\n/\n//\n/etc/cron.d/evil\nno-slash\n/\xff\n");
	add_file(f->after, INFO ".md5sums", "zz  etc/cron.d/evil\n0123\n  \n");
	cam_memory_rootfs_remove(f->after, LIB_DIR "libx.so.1.2");
	cam_memory_rootfs_remove(f->after, LIB_DIR "libx.so.1");
	cam_memory_rootfs_remove(f->after, "usr/lib/python3/x.py");
	cam_memory_rootfs_remove(f->after, "usr/share/doc/libx/v2");
	add_file(f->before, "etc/cron.d/good", "x");
	add_file(f->after, "etc/cron.d/good", "x");
	add_file(f->after, "etc/cron.d/evil", "x");
	assert_unexplained(f, "etc/cron.d/evil",
			   "packaged, but the package records no checksum of it");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/attribution/" name, Fixture, NULL, set_up, func, tear_down)
	ADD("upgrade", test_upgrade);
	ADD("altered-file", test_altered_file);
	ADD("altered-conffile", test_altered_conffile);
	ADD("foreign-file", test_foreign_file);
	ADD("set-uid", test_set_uid);
	ADD("mode", test_mode);
	ADD("link-elsewhere", test_link_elsewhere);
	ADD("foreign-stanza", test_foreign_stanza);
	ADD("record-of-other-package", test_record_of_other_package);
	ADD("regenerated", test_regenerated);
	ADD("byte-code-of-nothing", test_byte_code_of_nothing);
	ADD("byte-code-of-other-source", test_byte_code_of_other_source);
	ADD("alternatives", test_alternatives);
	ADD("diversion", test_diversion);
	ADD("packaged-but-gone", test_packaged_but_gone);
	ADD("no-package", test_no_package);
	ADD("single-files", test_single_files);
	ADD("hostile-records", test_hostile_records);
	return g_test_run();
}
