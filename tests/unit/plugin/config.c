/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/config.h"

#include <glib/gstdio.h>
#include <string.h>

static CamConfig *
load(const char *text, GError **error)
{
	g_autofree char *path = NULL;
	CamConfig *config;
	int fd = g_file_open_tmp("cambium-XXXXXX.conf", &path, NULL);

	g_assert_cmpint(fd, >=, 0);
	close(fd);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	config = cam_config_load(path, TRUE, error);
	g_unlink(path);
	return config;
}

static void
test_all_keys(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sources = NULL;
	const CamAptSource *source;
	g_autoptr(CamConfig) config =
		load("[store]\npath = /srv/images\n[scan]\nunknown_counts_as=high\n"
		     "[limits]\nlayer_size=2G\nlayer_entries=10\nlayer_ratio=50\n"
		     "[registries]\ninsecure=one.example.org;two.example.org:5000\n"
		     "auth_file=/etc/auth\n[fix]\nsuffix=.1\n"
		     "[sources]\ndebian=deb https://mirror.example.org/debian {codename} main; \n"
		     "debian/bullseye=deb https://archive.example.org/debian bullseye main\n",
		     &error);

	g_assert_no_error(error);
	g_assert_cmpstr(config->store, ==, "/srv/images");
	g_assert_cmpint(config->unknown_counts_as, ==, CAM_SEVERITY_HIGH);
	g_assert_cmpuint(config->layer_size, ==, G_GUINT64_CONSTANT(2) << 30);
	g_assert_cmpuint(config->layer_entries, ==, 10);
	g_assert_cmpuint(config->layer_ratio, ==, 50);
	g_assert_true(cam_config_is_insecure(config, "two.example.org:5000"));
	g_assert_false(cam_config_is_insecure(config, "two.example.org"));
	g_assert_false(cam_config_is_insecure(config, NULL));
	g_assert_cmpstr(config->auth_file, ==, "/etc/auth");
	g_assert_cmpstr(config->suffix, ==, ".1");

	sources = cam_config_get_sources(config, "debian", "bookworm", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(sources->len, ==, 1);
	source = g_ptr_array_index(sources, 0);
	g_assert_cmpstr(source->suite, ==, "bookworm");
	g_ptr_array_unref(sources);
	sources = cam_config_get_sources(config, "debian", "bullseye", &error);
	source = g_ptr_array_index(sources, 0);
	g_assert_cmpstr(source->uri, ==, "https://archive.example.org/debian");
	g_clear_pointer(&sources, g_ptr_array_unref);
	g_assert_null(cam_config_get_sources(config, "ubuntu", "noble", &error));
	g_assert_no_error(error);
}

static void
test_mistakes(void)
{
	static const char *const cases[][2] = {
		{ "[store]\npaht=/srv\n", "[store] has no key 'paht' (see cambium.conf(5))" },
		{ "[stroe]\npath=/srv\n", "[stroe] has no key 'path' (see cambium.conf(5))" },
		{ "[scan]\nunknown_counts_as=bad\n",
		  "[scan] unknown_counts_as: 'bad' is not one of" },
		{ "[limits]\nlayer_size=2X\n", "[limits] layer_size: '2X' is not a size" },
		{ "[limits]\nlayer_size=-1\n", "'-1' is not a size" },
		{ "[limits]\nlayer_size=99999999999T\n", "is not a size" },
		{ "[limits]\nlayer_ratio=0\n", "'0' is not a number from 1 on" },
		{ "[sources]\ndebian=rpm nonsense\n", "[sources] debian: " },
		{ "path=/srv\n", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(load(cases[i][0], &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, cases[i][1]));
		g_assert_nonnull(strstr(error->message, ".conf: "));
	}
}

static void
test_absent(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamConfig) config = cam_config_load("/nonexistent/cambium.conf", FALSE, &error);

	g_assert_no_error(error);
	g_assert_null(config->store);
	g_assert_null(cam_config_load("/nonexistent/cambium.conf", TRUE, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config/all-keys", test_all_keys);
	g_test_add_func("/config/mistakes", test_mistakes);
	g_test_add_func("/config/absent", test_absent);
	return g_test_run();
}
