/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/apt/apt-sources.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#define ARMORED                                                                    \
	"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: none\n\nAQIDBAUG\n=abcd\n" \
	"-----END PGP PUBLIC KEY BLOCK-----\n"

static char *
describe(const GPtrArray *sources)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < sources->len; i++) {
		const CamAptSource *s = g_ptr_array_index(sources, i);
		g_autofree char *components = g_strjoinv(",", s->components);

		g_string_append_printf(text, "%s %s %s;", s->uri, s->suite, components);
	}
	return g_string_free(text, FALSE);
}

static void
test_line(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamAptSource) plain = cam_apt_source_parse(
		"deb http://mirror.example.org/debian/ bookworm main contrib", &error);
	g_autoptr(CamAptSource) options = cam_apt_source_parse(
		"  deb\t[ arch=amd64 signed-by=/k/a.gpg trusted=yes ] file:/srv/r ./", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(plain->uri, ==, "http://mirror.example.org/debian");
	g_assert_cmpstr(plain->suite, ==, "bookworm");
	g_assert_cmpstr(plain->components[0], ==, "main");
	g_assert_cmpstr(plain->components[1], ==, "contrib");
	g_assert_null(plain->components[2]);
	g_assert_null(plain->signed_by);
	g_assert_false(plain->trusted);
	g_assert_cmpstr(options->uri, ==, "file:/srv/r");
	g_assert_cmpstr(options->suite, ==, "./");
	g_assert_cmpstr(options->signed_by, ==, "/k/a.gpg");
	g_assert_true(options->trusted);
}

static void
test_bad_lines(void)
{
	static const char *const lines[] = { "",
					     "deb",
					     "deb ",
					     "deb-src http://mirror.example.org/ a b",
					     "deb http://mirror.example.org/debian",
					     "deb http://mirror.example.org/debian bookworm",
					     "deb http://mirror.example.org/debian ./ main",
					     "deb [signed-by=/k http://mirror.example.org/ a b",
					     "deb [arch] http://mirror.example.org/ a b",
					     "deb mirror.example.org bookworm main" };

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_apt_source_parse(lines[i], &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	}
}

static CamRootfs *
make_image(void)
{
	CamMemoryRootfs *image = cam_memory_rootfs_new();

	cam_memory_rootfs_add_file(
		image, "etc/apt/sources.list",
		"# comment\ndeb http://mirror.example.org/debian bookworm main "
		"# tail\ndeb-src http://mirror.example.org/debian bookworm main\n",
		-1, 0644);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/b.sources",
				   "Types: deb deb-src\nURIs: http://mirror.example.org/s/ "
				   "https://mirror.example.net/s\nSuites: x y\nComponents: main\n"
				   "Signed-By: /usr/share/keyrings/k.asc\n\n"
				   "Types: deb\nEnabled: no\nURIs: http://off.example.org\n"
				   "Suites: z\nComponents: main\n\nTypes: deb\n"
				   "URIs: http://inline.example.org\nSuites: ./\nSigned-By:\n"
				   " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AQID\n =abcd\n"
				   " -----END PGP PUBLIC KEY BLOCK-----\n",
				   -1, 0644);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/ignored.txt", "rubbish", -1,
				   0644);
	cam_memory_rootfs_add_file(image, "etc/apt/trusted.gpg.d/t.gpg", "trusted", -1, 0644);
	cam_memory_rootfs_add_file(image, "usr/share/keyrings/k.asc", ARMORED, -1, 0644);
	return CAM_ROOTFS(image);
}

static void
assert_key(const CamAptSource *source, gconstpointer data, gsize size)
{
	g_assert_nonnull(source->key);
	g_assert_cmpmem(g_bytes_get_data(source->key, NULL), g_bytes_get_size(source->key), data,
			size);
}

static void
test_rootfs(void)
{
	g_autoptr(CamRootfs) image = make_image();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sources = cam_apt_sources_read_rootfs(image, &error);
	g_autofree char *text = NULL;
	const CamAptSource *source;

	g_assert_no_error(error);
	text = describe(sources);
	g_assert_cmpstr(text, ==,
			"http://mirror.example.org/debian bookworm main;"
			"http://mirror.example.org/s x main;http://mirror.example.org/s y main;"
			"https://mirror.example.net/s x main;https://mirror.example.net/s y main;"
			"http://inline.example.org ./ ;");
	source = g_ptr_array_index(sources, 0);
	assert_key(source, "trusted", 7);
	g_assert_cmpstr(source->origin, ==, "image /etc/apt/sources.list:2");
	source = g_ptr_array_index(sources, 1);
	assert_key(source, "\1\2\3\4\5\6", 6);
	g_assert_cmpstr(source->origin, ==, "image /etc/apt/sources.list.d/b.sources:1");
	source = g_ptr_array_index(sources, 5);
	assert_key(source, "\1\2\3", 3);
	g_assert_cmpstr(source->origin, ==, "image /etc/apt/sources.list.d/b.sources:13");
}

static void
test_empty_rootfs(void)
{
	g_autoptr(CamMemoryRootfs) image = cam_memory_rootfs_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sources = cam_apt_sources_read_rootfs(CAM_ROOTFS(image), &error);

	g_assert_no_error(error);
	g_assert_cmpuint(sources->len, ==, 0);
}

static void
test_bad_rootfs(void)
{
	g_autoptr(CamMemoryRootfs) image = cam_memory_rootfs_new();
	g_autoptr(GError) error = NULL;

	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/x.list", "\nrubbish here\n", -1,
				   0644);
	g_assert_null(cam_apt_sources_read_rootfs(CAM_ROOTFS(image), &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "image /etc/apt/sources.list.d/x.list:2"));
}

static void
test_host(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *root = g_dir_make_tmp("cam-sources-XXXXXX", &error);
	g_autofree char *dir = g_build_filename(root, "etc/apt/sources.list.d", NULL);
	g_autofree char *file = g_build_filename(dir, "a.list", NULL);
	g_autoptr(GPtrArray) sources = NULL;
	g_autofree char *text = NULL;

	g_assert_no_error(error);
	sources = cam_apt_sources_read_host(root, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(sources->len, ==, 0);
	g_clear_pointer(&sources, g_ptr_array_unref);

	g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
	g_assert_true(g_file_set_contents(file, "deb http://mirror.example.org/debian sid main\n",
					  -1, &error));
	sources = cam_apt_sources_read_host(root, &error);
	g_assert_no_error(error);
	text = describe(sources);
	g_assert_cmpstr(text, ==, "http://mirror.example.org/debian sid main;");
	g_assert_true(cam_remove_tree_at(AT_FDCWD, root, &error));
}

static GPtrArray *
parse_all(const char *const *lines)
{
	GPtrArray *sources = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);

	for (gsize i = 0; lines[i] != NULL; i++) {
		g_autoptr(GError) error = NULL;
		CamAptSource *source = cam_apt_source_parse(lines[i], &error);

		g_assert_no_error(error);
		g_ptr_array_add(sources, source);
	}
	return sources;
}

static void
test_for_release(void)
{
	static const char *const host_lines[] = {
		"deb http://m.example.org/debian bookworm main non-free-firmware",
		"deb http://m.example.org/debian bookworm-updates main",
		"deb http://m.example.org/debian bookworm-backports main",
		"deb http://m.example.org/debian-security bookworm-security main",
		"deb [signed-by=/k/vendor.gpg] http://vendor.example.org/debian bookworm main",
		"deb http://vendor.example.org/x nodistro main",
		"deb http://vendor.example.org/linux/debian bookworm stable",
		NULL,
	};
	static const char *const image_lines[] = {
		"deb http://other.example.org/debian bookworm main contrib",
		"deb http://other.example.org/debian-security bookworm-security main",
		"deb http://vendor.example.org/linux/debian bookworm stable",
		NULL,
	};
	g_autoptr(GPtrArray) host = parse_all(host_lines), image = parse_all(image_lines);
	g_autoptr(GPtrArray) bookworm =
		cam_apt_sources_for_release("debian", "bookworm", host, image);
	g_autoptr(GPtrArray) bullseye =
		cam_apt_sources_for_release("debian", "bullseye", host, NULL);
	g_autoptr(GPtrArray) buster = cam_apt_sources_for_release("debian", "buster", host, NULL);
	g_autoptr(GPtrArray) ubuntu = cam_apt_sources_for_release("ubuntu", "jammy", host, NULL);
	g_autofree char *text = describe(bookworm);

	g_assert_cmpstr(text, ==,
			"http://m.example.org/debian bookworm main,non-free-firmware;"
			"http://m.example.org/debian bookworm-updates main;"
			"http://m.example.org/debian-security bookworm-security main;"
			"http://other.example.org/debian bookworm contrib;"
			"http://vendor.example.org/linux/debian bookworm stable;");
	g_free(text);
	text = describe(bullseye);
	g_assert_cmpstr(text, ==,
			"http://m.example.org/debian bullseye main;"
			"http://m.example.org/debian bullseye-updates main;"
			"http://m.example.org/debian-security bullseye-security main;");
	g_free(text);
	text = describe(buster);
	g_assert_cmpstr(text, ==,
			"http://m.example.org/debian buster main;"
			"http://m.example.org/debian buster-updates main;"
			"http://m.example.org/debian-security buster/updates main;");
	g_assert_true(cam_apt_source_is_security(g_ptr_array_index(buster, 2)));
	g_assert_true(cam_apt_source_is_security(g_ptr_array_index(bullseye, 2)));
	g_assert_false(cam_apt_source_is_security(g_ptr_array_index(bullseye, 1)));
	g_assert_cmpuint(ubuntu->len, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apt-sources/line", test_line);
	g_test_add_func("/apt-sources/bad-lines", test_bad_lines);
	g_test_add_func("/apt-sources/rootfs", test_rootfs);
	g_test_add_func("/apt-sources/empty-rootfs", test_empty_rootfs);
	g_test_add_func("/apt-sources/bad-rootfs", test_bad_rootfs);
	g_test_add_func("/apt-sources/host", test_host);
	g_test_add_func("/apt-sources/for-release", test_for_release);
	return g_test_run();
}
