/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "plugin/settings.h"

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
		     "unknown_with_fix_counts_as=low\noffline=yes\nlookup_failure=fail\n"
		     "[limits]\nallow_ambiguous=yes\nlayer_size=2G\nlayer_entries=10\nlayer_ratio="
		     "50\npackages=7\n"
		     "package_database_size=1M\nfindings=9\n"
		     "[registries]\ninsecure=one.example.org;two.example.org:5000\n"
		     "auth_file=/etc/auth\n[fix]\nsuffix=.1\n"
		     "[sources]\ndebian=deb https://mirror.example.org/debian {codename} main; \n"
		     "debian/bullseye=deb https://archive.example.org/debian bullseye main\n",
		     &error);

	g_assert_no_error(error);
	g_assert_cmpstr(config->store, ==, "/srv/images");
	g_assert_cmpint(config->unknown_counts_as, ==, CAM_SEVERITY_HIGH);
	g_assert_cmpint(config->unknown_with_fix_counts_as, ==, CAM_SEVERITY_LOW);
	g_assert_cmpint(config->offline, ==, CAM_CONFIG_YES);
	g_assert_cmpint(config->lookup_failure, ==, CAM_LOOKUP_FAIL);
	g_assert_cmpuint(config->layer_size, ==, G_GUINT64_CONSTANT(2) << 30);
	g_assert_cmpuint(config->layer_entries, ==, 10);
	g_assert_cmpuint(config->scan_limits.packages, ==, 7);
	g_assert_cmpuint(config->scan_limits.database_size, ==, 1024 * 1024);
	g_assert_cmpuint(config->scan_limits.findings, ==, 9);
	g_assert_cmpuint(config->layer_ratio, ==, 50);
	g_assert_true(cam_settings_layer_limits(config).allow_ambiguous);
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
test_daemon_keys(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamConfig) config =
		load("[daemon]\nsocket=/run/c.sock\nlog_level=debug\n"
		     "[snapshotter]\nmount=checkout\nadopt_after_ms=250\n"
		     "[containerd]\naddress=/run/other.sock\nnamespaces=k8s.io;default\n"
		     "scan_on_unpack=no\n"
		     "[policy]\ngate=enforce\nlevel=unknown\nnever_scanned=refuse\n"
		     "unfixed=require\n",
		     &error);

	g_assert_no_error(error);
	g_assert_cmpstr(config->socket, ==, "/run/c.sock");
	g_assert_cmpint(config->log_level, ==, CAM_LOG_DEBUG);
	g_assert_cmpint(config->mount, ==, 1 + CAM_MOUNT_CHECKOUT);
	g_assert_cmpuint(config->adopt_after, ==, 250);
	g_assert_cmpstr(config->containerd_address, ==, "/run/other.sock");
	g_assert_cmpstr(config->containerd_namespaces[1], ==, "default");
	g_assert_cmpint(config->scan_on_unpack, ==, CAM_CONFIG_NO);
	g_assert_cmpint(config->policy.gate, ==, CAM_GATE_ENFORCE);
	g_assert_cmpstr(cam_level_names[config->policy.level - 1], ==, "unknown");
	g_assert_cmpint(config->policy.unfixed, ==, CAM_UNFIXED_REQUIRE);
	g_assert_cmpint(config->policy.never_scanned, ==, CAM_NEVER_SCANNED_REFUSE);
	g_assert_cmpuint(config->policy.exceptions->len, ==, 0);
}

static void
test_exceptions(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL, *text = NULL;
	g_autoptr(CamConfig) config = NULL;
	const CamPolicyException *exception;
	int fd = g_file_open_tmp("exceptions-XXXXXX", &path, &error);

	g_assert_no_error(error);
	close(fd);
	g_file_set_contents(path, "[exception legacy]\nimage=*/legacy:*\n", -1, &error);
	text = g_strdup_printf("[exception shop]\nimage=registry.example.org/shop:*\n"
			       "digest=sha256:%064d\nuntil=2030-12-31\nreason=no fix yet\n"
			       "[policy]\nexceptions=%s\n",
			       7, path);
	config = load(text, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(config->policy.exceptions->len, ==, 2);
	exception = g_ptr_array_index(config->policy.exceptions, 0);
	g_assert_cmpstr(exception->name, ==, "shop");
	g_assert_cmpstr(exception->image, ==, "registry.example.org/shop:*");
	g_assert_true(g_str_has_prefix(exception->digest, "sha256:0000"));
	g_assert_cmpstr(exception->until, ==, "2030-12-31");
	g_assert_cmpstr(exception->reason, ==, "no fix yet");
	exception = g_ptr_array_index(config->policy.exceptions, 1);
	g_assert_cmpstr(exception->name, ==, "legacy");
	g_assert_null(exception->until);

	/* The file may hold exceptions only, and must exist. */
	g_file_set_contents(path, "[policy]\ngate=off\n", -1, NULL);
	g_assert_null(load(text, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "[policy] is no exception"));
	g_clear_error(&error);
	g_unlink(path);
	g_assert_null(load(text, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

/* Packages that are accepted without judgement, also from the file of exceptions. */
static void
test_acceptances(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL, *text = NULL;
	g_autoptr(CamConfig) config = NULL;
	const CamAcceptance *acceptance;
	int fd = g_file_open_tmp("exceptions-XXXXXX", &path, &error);

	g_assert_no_error(error);
	close(fd);
	g_file_set_contents(path, "[accept code]\npackage=code\n", -1, &error);
	text = g_strdup_printf("[accept docker]\npackage=docker-*;containerd.io\n"
			       "origin=Docker*\nuntil=2030-12-31\nreason=theirs\n"
			       "[policy]\nexceptions=%s\n",
			       path);
	config = load(text, &error);
	g_unlink(path);
	g_assert_no_error(error);
	g_assert_cmpuint(config->policy.acceptances->len, ==, 2);
	acceptance = g_ptr_array_index(config->policy.acceptances, 0);
	g_assert_cmpstr(acceptance->name, ==, "docker");
	g_assert_cmpstr(acceptance->packages[1], ==, "containerd.io");
	g_assert_cmpstr(acceptance->origins[0], ==, "Docker*");
	g_assert_cmpstr(acceptance->until, ==, "2030-12-31");
	g_assert_cmpstr(acceptance->reason, ==, "theirs");
	acceptance = g_ptr_array_index(config->policy.acceptances, 1);
	g_assert_cmpstr(acceptance->packages[0], ==, "code");
	g_assert_null(acceptance->origins);
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
		{ "[daemon]\nlog_level=loud\n",
		  "[daemon] log_level: 'loud' is not one of error, warning, info, debug" },
		{ "[snapshotter]\nmount=fuse\n",
		  "'fuse' is not one of auto, erofs, erofs-loop, checkout" },
		{ "[snapshotter]\nadopt_after_ms=-1\n", "'-1' is not a number" },
		{ "[containerd]\nscan_on_unpack=perhaps\n", "'perhaps' is not yes or no" },
		{ "[policy]\ngate=open\n", "'open' is not one of off, warn, enforce" },
		{ "[policy]\nlevel=none\n",
		  "'none' is not one of critical, high, medium, low, unknown" },
		{ "[scan]\nunknown_counts_as=unknown\n", "'unknown' is not one of" },
		{ "[scan]\nlookup_failure=maybe\n", "'maybe' is not one of unjudged, fail" },
		{ "[policy]\nunfixed=hide\n", "'hide' is not one of count, ignore, require" },
		{ "[accept]\npackage=x\n", "[accept] has no name: say [accept NAME]" },
		{ "[accept x]\nreason=y\n", "[accept x] must say which packages it is for" },
		{ "[accept x]\npackage=x;*\n", "and not all of them" },
		{ "[accept x]\norigin=*?\n", "and not all of them" },
		{ "[accept x]\nimage=y\n", "[accept x] has no key 'image'" },
		{ "[accepted x]\npackage=y\n", "[accepted x] has no key 'package'" },
		{ "[policy]\nnever_scanned=\n", "'' is not one of allow, refuse" },
		{ "[exception]\nimage=a\n", "has no name" },
		{ "[exception a]\n", "[exception a] must say which images it is for" },
		{ "[exception a]\nimage=*\n", "[exception a] must say which images it is for" },
		{ "[exception a]\nimage=a\nuntil=31.12.2030\n", "is not a day in the form" },
		{ "[exception a]\nimage=a\nuntil=2030-02-30\n", "is not a day in the form" },
		{ "[exception a]\nimage=a\nuntil=2030-2-3\n", "is not a day in the form" },
		{ "[exception a]\ndigest=latest\n", "[exception a] digest: " },
		{ "[exception a]\nimgae=a\n", "[exception a] has no key 'imgae'" },
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
	g_test_add_func("/config/daemon-keys", test_daemon_keys);
	g_test_add_func("/config/exceptions", test_exceptions);
	g_test_add_func("/config/acceptances", test_acceptances);
	g_test_add_func("/config/mistakes", test_mistakes);
	g_test_add_func("/config/absent", test_absent);
	return g_test_run();
}
