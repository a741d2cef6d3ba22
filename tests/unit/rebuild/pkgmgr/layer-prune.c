/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What never goes into a layer, and which source a compiled Python file stands for.
 */
#include "rebuild/pkgmgr/layer-prune.h"

static void
test_prune(void)
{
	static const struct {
		const char *path;
		gboolean is_directory, pruned;
	} cases[] = {
		{ "var/lib/dpkg/status", FALSE, FALSE },
		{ "var/lib/dpkg/status-old", FALSE, TRUE },
		{ "var/lib/dpkg/lock-frontend", FALSE, TRUE },
		{ "var/lib/dpkg/info/x.list", FALSE, FALSE },
		{ "var/lib/dpkg/triggers/File", FALSE, FALSE },
		{ "var/cache/ldconfig/aux-cache", FALSE, TRUE },
		{ "etc/ld.so.cache", FALSE, FALSE },
		{ "etc/passwd", FALSE, FALSE },
		{ "etc/passwd-", FALSE, TRUE },
		{ "etc/app.conf.dpkg-old", FALSE, TRUE },
		{ "etc/app.conf.dpkg-dist", FALSE, FALSE },
		{ "var/log/dpkg.log", FALSE, TRUE },
		{ "var/log/nginx", TRUE, FALSE }, /* a packaged directory */
		{ "var/log/nginx/access.log", FALSE, TRUE },
		{ "var/logs/x", FALSE, FALSE },
		{ "tmp", TRUE, TRUE },
		{ "tmp/x", FALSE, TRUE },
		{ "tmpfiles.d/x", FALSE, FALSE },
		{ "run/lock", TRUE, TRUE },
		{ "var/cache/apt/pkgcache.bin", FALSE, TRUE },
		{ "var/cache/apt/archives", TRUE, FALSE },
		{ "var/lib/apt/lists/partial", TRUE, TRUE },
		{ "var/lib/ucf/hashfile", FALSE, FALSE },
		{ "var/lib/ucf/hashfile.0", FALSE, TRUE },
		{ "home/user/dev/x", FALSE, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].path);
		g_assert_cmpint(cam_layer_prune(cases[i].path, cases[i].is_directory), ==,
				cases[i].pruned);
	}
}

static void
test_pyc(void)
{
	static const char *const cases[][2] = {
		{ "usr/lib/python3/__pycache__/a.cpython-311.pyc", "usr/lib/python3/a.py" },
		{ "usr/lib/python3/__pycache__/a.cpython-311.opt-1.pyc", "usr/lib/python3/a.py" },
		{ "usr/lib/python3/__pycache__/a.b.cpython-311.pyc", "usr/lib/python3/a.b.py" },
		{ "usr/lib/python2/a.pyc", "usr/lib/python2/a.py" },
		{ "__pycache__/a.cpython-311.pyc", "a.py" },
		{ "usr/lib/python3/a.py", NULL },
		{ "usr/lib/python3/__pycache__", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *source = cam_layer_source_of_pyc(cases[i][0]);

		g_assert_cmpstr(source, ==, cases[i][1]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pkgmgr/layer-prune/prune", test_prune);
	g_test_add_func("/pkgmgr/layer-prune/pyc", test_pyc);
	return g_test_run();
}
