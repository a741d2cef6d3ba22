/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/tree-walk.h"

#include <string.h>

#include "scanners/engine/scanner-table.h"

/* The walk finds what scanners want, and opens no tree twice. */

typedef struct {
	CamMemo *memo;
	CamMemoryRootfs *fs;
	char *generation;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	f->memo = cam_memo_open(":memory:");
	f->fs = cam_memory_rootfs_new();
	f->generation = cam_scanners_generation(cam_scanners);
	cam_memory_rootfs_add_file(f->fs, "usr/lib/os-release", "ID=debian\nVERSION_ID=12\n", -1,
				   0644);
	cam_memory_rootfs_add_symlink(f->fs, "etc/os-release", "../usr/lib/os-release");
	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status",
				   "Package: a\nStatus: install ok installed\nVersion: 1\n", -1,
				   0644);
	cam_memory_rootfs_add_file(f->fs, "usr/share/doc/a/copyright", "free", -1, 0644);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	cam_memo_free(f->memo);
	g_object_unref(f->fs);
	g_free(f->generation);
}

static CamInventory *
scan(Fixture *f, guint64 *visited, guint64 *remembered)
{
	CamTreeWalk walk = { .scanners = cam_scanners,
			     .generation = f->generation,
			     .memo = f->memo,
			     .limits = CAM_SCAN_LIMITS_DEFAULT };
	g_autoptr(GError) error = NULL;
	CamInventory *inventory = cam_tree_walk_scan(&walk, CAM_ROOTFS(f->fs), NULL, &error);

	g_assert_no_error(error);
	*visited = walk.trees_visited;
	*remembered = walk.trees_remembered;
	return inventory;
}

static void
assert_scan(Fixture *f, const char *package, const char *version, guint64 visited,
	    guint64 remembered)
{
	guint64 n_visited, n_remembered;
	g_autoptr(CamInventory) inventory = scan(f, &n_visited, &n_remembered);

	g_assert_cmpuint(inventory->packages->len, ==, 1);
	g_assert_cmpstr(((CamPackage *) inventory->packages->pdata[0])->name, ==, package);
	g_assert_cmpstr(((CamPackage *) inventory->packages->pdata[0])->version, ==, version);
	g_assert_cmpstr(inventory->os->ecosystem, ==, "Debian:12");
	g_assert_cmpuint(n_visited, ==, visited);
	g_assert_cmpuint(n_remembered, ==, remembered);
}

static void
test_cold_and_warm(Fixture *f, gconstpointer data)
{
	/* root, etc, usr, usr/lib, var, var/lib, var/lib/dpkg; usr/share is nobody's business */
	assert_scan(f, "a", "1", 7, 0);
	assert_scan(f, "a", "1", 0, 1);
}

static void
test_sibling(Fixture *f, gconstpointer data)
{
	assert_scan(f, "a", "1", 7, 0);
	cam_memory_rootfs_add_file(f->fs, "srv/app", "new", -1, 0755);
	assert_scan(f, "a", "1", 1, 3); /* a new root; etc, usr and var are known */
	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status",
				   "Package: a\nStatus: install ok installed\nVersion: 2\n", -1,
				   0644);
	assert_scan(f, "a", "2", 4, 2);
}

static void
test_target_of_link(Fixture *f, gconstpointer data)
{
	guint64 visited, remembered;
	g_autoptr(CamInventory) before = scan(f, &visited, &remembered);
	g_autoptr(CamInventory) after = NULL;

	cam_memory_rootfs_add_file(f->fs, "usr/lib/os-release", "ID=debian\nVERSION_ID=13\n", -1,
				   0644);
	after = scan(f, &visited, &remembered);
	g_assert_cmpstr(before->os->ecosystem, ==, "Debian:12");
	g_assert_cmpstr(after->os->ecosystem, ==, "Debian:13");
}

static void
test_same_tree_elsewhere(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemoryRootfs) fs = cam_memory_rootfs_new();
	g_autoptr(CamInventory) inventory = NULL;
	guint64 visited, remembered;

	/* "srv" holds what "var" holds, and a walk has been there; in "srv" nobody wants it. */
	cam_memory_rootfs_add_file(fs, "srv/lib/dpkg/status",
				   "Package: a\nStatus: install ok installed\nVersion: 1\n", -1,
				   0644);
	assert_scan(f, "a", "1", 7, 0);
	g_set_object(&f->fs, fs);
	inventory = scan(f, &visited, &remembered);
	g_assert_cmpuint(inventory->packages->len, ==, 0);
	g_assert_null(inventory->os);
}

static void
test_distroless(Fixture *f, gconstpointer data)
{
	g_autoptr(CamInventory) inventory = NULL;
	guint64 visited, remembered;

	cam_memory_rootfs_remove(f->fs, "var/lib/dpkg/status");
	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status.d/libc6",
				   "Package: libc6\nSource: glibc\nVersion: 2.36-9\n", -1, 0644);
	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status.d/libc6.md5sums",
				   "0123  usr/lib/libc.so.6\n", -1, 0644);
	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status.d/base",
				   "Package: base-files\nVersion: 12.4\n", -1, 0644);
	inventory = scan(f, &visited, &remembered);
	g_assert_cmpuint(inventory->packages->len, ==, 2);
	g_assert_cmpstr(((CamPackage *) inventory->packages->pdata[1])->source_name, ==, "glibc");
	g_assert_cmpstr(((CamPackage *) inventory->packages->pdata[1])->path, ==,
			"var/lib/dpkg/status.d/libc6");
	g_assert_cmpuint(inventory->paths->len, ==, 2);
}

static void
test_hostile(Fixture *f, gconstpointer data)
{
	CamTreeWalk walk = { .scanners = cam_scanners,
			     .generation = f->generation,
			     .memo = f->memo,
			     .limits = CAM_SCAN_LIMITS_DEFAULT };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamInventory) inventory = NULL;

	g_autoptr(CamInventory) malformed = NULL, pipe = NULL;
	guint64 visited, remembered;

	/* A dangling database is as good as none; one that is no text is told. */
	cam_memory_rootfs_add_symlink(f->fs, "var/lib/dpkg/status", "/nowhere");
	cam_memory_rootfs_add_symlink(f->fs, "etc/os-release", "os-release");
	inventory = cam_tree_walk_scan(&walk, CAM_ROOTFS(f->fs), NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(inventory->packages->len, ==, 0);
	g_assert_cmpstr(inventory->os->ecosystem, ==, "Debian:12");

	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status", "Package:\033[2J\n", -1, 0644);
	malformed = scan(f, &visited, &remembered);
	g_assert_cmpuint(malformed->packages->len, ==, 0);
	g_assert_cmpuint(malformed->problems->len, ==, 1);

	cam_memory_rootfs_add_symlink(f->fs, "var/lib/dpkg/status", "/etc");
	pipe = scan(f, &visited, &remembered);
	g_assert_cmpuint(pipe->problems->len, ==, 1);
	g_assert_cmpstr(pipe->problems->pdata[0], ==,
			"var/lib/dpkg/status is no regular file: it is not read");
}

static void
test_limits(Fixture *f, gconstpointer data)
{
	static const struct {
		CamScanLimits limits;
		const char *problem; /* (nullable) */
	} cases[] = {
		{ { 100, 120, 1 },
		  "var/lib/dpkg/status.d/a: dpkg's database is larger than 120 bytes" },
		{ { 1, 1000, 1 }, "dpkg's database lists more than 1 packages" },
		{ { 3, 1000, 1 }, NULL }, /* listed twice, counted twice */
		{ { 1, 1000, 1 }, "dpkg's database lists more than 1 packages" },
	};

	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status",
				   "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
				   "Package: b\nStatus: install ok installed\nVersion: 1\n",
				   -1, 0644);
	cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status.d/a", "Package: a\nVersion: 1\n", -1,
				   0644);
	/* One memo for all: what another limit made is not taken. */
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		CamTreeWalk walk = { .scanners = cam_scanners,
				     .generation = f->generation,
				     .memo = f->memo,
				     .limits = cases[i].limits };
		g_autoptr(CamInventory) inventory =
			cam_tree_walk_scan(&walk, CAM_ROOTFS(f->fs), NULL, NULL);

		if (cases[i].problem == NULL) {
			g_assert_cmpuint(inventory->packages->len, ==, 2);
			g_assert_cmpuint(inventory->problems->len, ==, 0);
		} else {
			g_assert_cmpuint(inventory->packages->len, ==, 0);
			g_assert_cmpuint(inventory->problems->len, ==, 1);
			g_assert_true(
				g_str_has_prefix(inventory->problems->pdata[0], cases[i].problem));
		}
	}
}

static void
test_same_package_twice(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *stanza; /* in status.d */
		guint packages;
	} cases[] = {
		{ "Package: a\nVersion: 1\nArchitecture: amd64\n", 1 },
		{ "Package: a\nVersion: 1\n", 1 },
		{ "Package: a\nVersion: 2\nArchitecture: amd64\n", 2 },
		{ "Package: a\nVersion: 1\nArchitecture: i386\n", 2 },
		{ "Package: a\nVersion: 1\nArchitecture: amd64\nSource: b\n", 2 },
		{ "Package: a\nVersion: 1\n\nPackage: a\nVersion: 1\n", 1 },
	};

	cam_memory_rootfs_add_file(
		f->fs, "var/lib/dpkg/status",
		"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n", -1,
		0644);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamInventory) inventory = NULL;
		guint64 visited, remembered;

		cam_memory_rootfs_add_file(f->fs, "var/lib/dpkg/status.d/a", cases[i].stanza, -1,
					   0644);
		inventory = scan(f, &visited, &remembered);
		g_assert_cmpuint(inventory->packages->len, ==, cases[i].packages);
		g_assert_cmpstr(((CamPackage *) inventory->packages->pdata[0])->path, ==,
				"var/lib/dpkg/status");
	}
}

static void
test_empty_os_release(Fixture *f, gconstpointer data)
{
	g_autoptr(CamInventory) inventory = NULL;
	guint64 visited, remembered;

	/* An empty file in /etc hides nothing. */
	cam_memory_rootfs_remove(f->fs, "etc/os-release");
	cam_memory_rootfs_add_file(f->fs, "etc/os-release", "\n", -1, 0644);
	cam_memory_rootfs_add_file(f->fs, "etc/debian_version", "11.2\n", -1, 0644);
	inventory = scan(f, &visited, &remembered);
	g_assert_cmpstr(inventory->os->ecosystem, ==, "Debian:12");
}

/* ---- links on the way to the database ---- */

static const char *
pick(GRand *rand, const char *const *from, guint n)
{
	return from[g_rand_int_range(rand, 0, (gint) n)];
}

/* A directory @path, or a link, or nothing. TRUE: a directory. */
static gboolean
make_step(GRand *rand, CamMemoryRootfs *fs, const char *path)
{
	static const char *const targets[] = {
		"/a",
		"a",
		"../a",
		"/b/lib",
		"../b/lib",
		"b/./lib",
		"dpkg",
		"../b/lib/dpkg",
		"../../a/lib/dpkg",
		"/a/lib/dpkg",
		"/b//lib/",
		"..",
		"/",
		"/nowhere",
		"../../../../a/lib/dpkg",
		"/var/lib",
		"/a/lib",
		"../lib",
		"/a/../b",
		"dpkg/../dpkg",
		"/b/lib/dpkg",
	};

	switch (g_rand_int_range(rand, 0, 5)) {
	case 0:
		return FALSE;
	case 1:
	case 2:
		cam_memory_rootfs_add_symlink(fs, path, pick(rand, targets, G_N_ELEMENTS(targets)));
		return FALSE;
	default:
		return TRUE;
	}
}

/* Databases below some of "var", "a" and "b", each of one package that says where it is. */
static CamMemoryRootfs *
make_random(GRand *rand)
{
	static const char *const bases[] = { "var", "a", "b" };
	CamMemoryRootfs *fs = cam_memory_rootfs_new();

	for (gsize i = 0; i < G_N_ELEMENTS(bases); i++) {
		g_autofree char *lib = g_strconcat(bases[i], "/lib", NULL);
		g_autofree char *dpkg = g_strconcat(lib, "/dpkg", NULL);
		g_autofree char *file = g_strconcat(dpkg, "/status", NULL);
		g_autofree char *text = g_strdup_printf("Package: %s%d\nVersion: 1\n", bases[i],
							g_rand_int_range(rand, 0, 2));

		if (make_step(rand, fs, bases[i]) && make_step(rand, fs, lib) &&
		    make_step(rand, fs, dpkg))
			cam_memory_rootfs_add_file(fs, file, text, -1, 0644);
	}
	return fs;
}

/* The walk finds the database that a program in the image would open, whatever it remembers of
 * other trees. */
static void
test_links(Fixture *f, gconstpointer data)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	guint found = 0;

	for (guint i = 0; i < 3000; i++) {
		g_autoptr(CamMemoryRootfs) fs = make_random(rand);
		g_autoptr(GBytes) bytes =
			cam_rootfs_read(CAM_ROOTFS(fs), "var/lib/dpkg/status", 1000, NULL);
		g_autoptr(CamInventory) inventory = NULL, expected = cam_inventory_new();
		guint64 visited, remembered;

		g_set_object(&f->fs, fs);
		inventory = scan(f, &visited, &remembered);
		if (bytes != NULL)
			g_assert_true(cam_dpkg_parse_status(g_bytes_get_data(bytes, NULL),
							    g_bytes_get_size(bytes), "p", expected,
							    NULL));
		g_assert_cmpuint(inventory->packages->len, ==, expected->packages->len);
		if (bytes == NULL)
			continue;
		g_assert_cmpstr(((CamPackage *) inventory->packages->pdata[0])->name, ==,
				((CamPackage *) expected->packages->pdata[0])->name);
		g_assert_cmpstr(inventory->paths->pdata[0], ==, "var/lib/dpkg/status");
		found++;
	}
	g_assert_cmpuint(found, >, 150);
}

static void
test_cancelled(Fixture *f, gconstpointer data)
{
	CamTreeWalk walk = { .scanners = cam_scanners,
			     .generation = f->generation,
			     .memo = f->memo,
			     .limits = CAM_SCAN_LIMITS_DEFAULT };
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	g_cancellable_cancel(cancellable);
	g_assert_null(cam_tree_walk_find(&walk, CAM_ROOTFS(f->fs), cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/tree-walk/" name, Fixture, NULL, set_up, func, tear_down)
	ADD("cold-and-warm", test_cold_and_warm);
	ADD("sibling", test_sibling);
	ADD("target-of-link", test_target_of_link);
	ADD("same-tree-elsewhere", test_same_tree_elsewhere);
	ADD("distroless", test_distroless);
	ADD("hostile", test_hostile);
	ADD("empty-os-release", test_empty_os_release);
	ADD("links", test_links);
	ADD("limits", test_limits);
	ADD("same-package-twice", test_same_package_twice);
	ADD("cancelled", test_cancelled);
	return g_test_run();
}
