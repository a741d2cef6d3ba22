/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which options of an image's dpkg hold: what is declared does, what runs, redirects or weakens is
 * dropped and named.
 */
#include "rebuild/pkgmgr/dpkg-config.h"

static CamDpkgConfig *
read_config(CamMemoryRootfs *rootfs)
{
	g_autoptr(GError) error = NULL;
	CamDpkgConfig *config = cam_dpkg_config_read(CAM_ROOTFS(rootfs), &error);

	g_assert_no_error(error);
	return config;
}

/* What images of the distributions come with leaves no word. */
static void
test_ordinary(void)
{
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(CamDpkgConfig) config = NULL;

	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg",
				   "# dpkg configuration file\nno-debsig\n"
				   "log /var/log/dpkg.log\n",
				   -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg.d/docker-apt-speedup",
				   "force-unsafe-io\n", -1, 0644);
	config = read_config(rootfs);
	g_assert_cmpuint(config->dropped->len, ==, 0);
	g_assert_cmpuint(config->masks->len, ==, 0);
}

static void
test_declared(void)
{
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(CamDpkgConfig) config = NULL;

	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg.d/docker",
				   "path-exclude=/a/*\n  path-exclude \"/b/*\"  \n"
				   "path-exclude=/d/*",
				   -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg.d/x.dpkg-old", "path-exclude=/c/*\n",
				   -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg", "path-include=/b/*\n", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "root/.dpkg.cfg", "path-include=/d/keep\n", -1, 0644);
	config = read_config(rootfs);
	g_assert_true(cam_path_filter_excludes(config->filter, "a/x"));
	g_assert_false(cam_path_filter_excludes(config->filter, "b/x"));
	g_assert_false(cam_path_filter_excludes(config->filter, "c/x"));
	g_assert_true(cam_path_filter_excludes(config->filter, "d/x"));
	g_assert_false(cam_path_filter_excludes(config->filter, "d/keep"));
	g_assert_cmpuint(config->dropped->len, ==, 0);
	g_assert_cmpuint(config->arguments->len, ==, 1);
	g_assert_cmpstr(config->arguments->pdata[0], ==, "--path-include=/d/keep");
}

static void
test_dropped(void)
{
	static const struct {
		const char *line, *name, *reason;
	} options[] = {
		{ "post-invoke=\"/bin/evil || true\"", "post-invoke", "runs a program" },
		{ "\tpre-invoke /bin/evil", "pre-invoke", "runs a program" },
		{ "status-logger=/bin/evil", "status-logger", "runs a program" },
		{ "admindir=/srv/dpkg", "admindir", "leads to another place" },
		{ "instdir /srv", "instdir", "leads to another place" },
		{ "root=/srv", "root", "leads to another place" },
		{ "log=/etc/cron.d/x", "log", "leads to another place" },
		{ "force-all", "force-all", "weakens a check" },
		{ "force-overwrite", "force-overwrite", "weakens a check" },
		{ "ignore-depends=libc6", "ignore-depends", "weakens a check" },
		{ "path-excluded=/usr/*", "path-excluded", "not known" },
		{ "=x", "", "not known" },
	};
	static const char *const paths[] = { "etc/dpkg/dpkg.cfg", "etc/dpkg/dpkg.cfg.d/z",
					     "root/.dpkg.cfg" };

	for (gsize i = 0; i < G_N_ELEMENTS(options) * G_N_ELEMENTS(paths); i++) {
		const char *path = paths[i % G_N_ELEMENTS(paths)];
		gsize n = i / G_N_ELEMENTS(paths);
		g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
		g_autofree char *text =
			g_strdup_printf("path-exclude=/a/*\n%s\nno-debsig\n", options[n].line);
		g_autoptr(CamDpkgConfig) config = NULL;
		const CamDpkgMask *mask;

		g_test_message("%s: %s", path, options[n].line);
		cam_memory_rootfs_add_file(rootfs, path, text, -1, 0640);
		config = read_config(rootfs);
		g_assert_cmpuint(config->dropped->len, ==, 1);
		g_assert_nonnull(strstr(config->dropped->pdata[0], options[n].name));
		g_assert_nonnull(strstr(config->dropped->pdata[0], options[n].reason));
		g_assert_true(cam_path_filter_excludes(config->filter, "a/x"));
		if (g_str_equal(path, "root/.dpkg.cfg")) { /* never seen by dpkg */
			g_assert_cmpuint(config->masks->len, ==, 0);
			continue;
		}
		g_assert_cmpuint(config->masks->len, ==, 1);
		mask = config->masks->pdata[0];
		g_assert_cmpstr(mask->path, ==, path);
		g_assert_cmpuint(mask->mode, ==, 0640);
		g_assert_cmpmem(g_bytes_get_data(mask->content, NULL),
				g_bytes_get_size(mask->content), "path-exclude=/a/*\nno-debsig\n",
				28);
	}
}

/* A link is followed to where it really leads: that is what dpkg would read. */
static void
test_behind_links(void)
{
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(CamDpkgConfig) config = NULL;

	cam_memory_rootfs_add_symlink(rootfs, "etc/dpkg", "../srv/config");
	cam_memory_rootfs_add_symlink(rootfs, "srv/config/dpkg.cfg", "/opt/real");
	cam_memory_rootfs_add_file(rootfs, "opt/real", "post-invoke=x\n", -1, 0644);
	config = read_config(rootfs);
	g_assert_cmpuint(config->masks->len, ==, 1);
	g_assert_cmpstr(((const CamDpkgMask *) config->masks->pdata[0])->path, ==, "opt/real");
}

static void
test_not_regular(void)
{
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(CamDpkgConfig) config = NULL;
	g_autoptr(GError) error = NULL;
	CamStat fifo = { .type = CAM_NODE_FIFO, .mode = 0644 };

	cam_memory_rootfs_add(rootfs, "etc/dpkg/dpkg.cfg.d/pipe", &fifo, NULL);
	config = cam_dpkg_config_read(CAM_ROOTFS(rootfs), &error);
	g_assert_null(config);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pkgmgr/dpkg-config/ordinary", test_ordinary);
	g_test_add_func("/pkgmgr/dpkg-config/declared", test_declared);
	g_test_add_func("/pkgmgr/dpkg-config/dropped", test_dropped);
	g_test_add_func("/pkgmgr/dpkg-config/behind-links", test_behind_links);
	g_test_add_func("/pkgmgr/dpkg-config/not-regular", test_not_regular);
	return g_test_run();
}
