/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/apt/apt-sources.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "scanners/apt/apt-keyrings.h"

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
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) sources = cam_apt_sources_read_rootfs(image, TRUE, problems, &error);
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
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) sources =
		cam_apt_sources_read_rootfs(CAM_ROOTFS(image), TRUE, problems, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(sources->len, ==, 0);
}

/* Whatever an image has there costs that much, is told, and nothing else. */
static void
test_bad_rootfs(void)
{
	g_autoptr(CamMemoryRootfs) image = cam_memory_rootfs_new();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *huge = g_malloc0(2 * 1024 * 1024);
	const CamStat fifo = { .type = CAM_NODE_FIFO, .mode = 0644 };
	g_autofree char *all = NULL, *text = NULL;

	memset(huge, '#', 2 * 1024 * 1024);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list", huge, 2 * 1024 * 1024, 0644);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/a.list",
				   "\nrubbish here\ndeb [\ndeb http://a.example.org x main\n", -1,
				   0644);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/b.sources",
				   "Types: deb\n\nTypes: deb\nURIs: http://b.example.org\n"
				   "Suites: x ./\nComponents: main\n\nTypes: deb\nURIs: "
				   "http://c.example.org\nSuites: x\nComponents: main\n",
				   -1, 0644);
	cam_memory_rootfs_add(image, "etc/apt/sources.list.d/c.list", &fifo, NULL);
	cam_memory_rootfs_add_symlink(image, "etc/apt/sources.list.d/d.list", "d.list");
	cam_memory_rootfs_add_symlink(image, "etc/apt/sources.list.d/e.list", "/nowhere");
	sources = cam_apt_sources_read_rootfs(CAM_ROOTFS(image), FALSE, problems, &error);
	g_assert_no_error(error);
	text = describe(sources);
	g_assert_cmpstr(text, ==, "http://a.example.org x main;http://c.example.org x main;");
	g_ptr_array_add(problems, NULL);
	all = g_strjoinv("\n", (char **) problems->pdata);
	g_test_message("%s", all);
	g_assert_nonnull(strstr(all, "image /etc/apt/sources.list: "));
	g_assert_nonnull(strstr(all, "image /etc/apt/sources.list.d/a.list:2: "));
	g_assert_nonnull(strstr(all, "image /etc/apt/sources.list.d/a.list:3: "));
	g_assert_nonnull(strstr(all, "image /etc/apt/sources.list.d/b.sources:1: "));
	g_assert_nonnull(strstr(all, "image /etc/apt/sources.list.d/b.sources:3: "));
	g_assert_nonnull(strstr(all, "image /etc/apt/sources.list.d/c.list: "));
}

/* A few words of a file must not become millions of sources. */
static void
test_many(void)
{
	g_autoptr(CamMemoryRootfs) image = cam_memory_rootfs_new();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GString) product = g_string_new("Types: deb\nURIs:");
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 20000; i++)
		g_string_append_printf(product, " http://m%u.example.org", i);
	g_string_append(product, "\nSuites:");
	for (guint i = 0; i < 20000; i++)
		g_string_append_printf(product, " s%u", i);
	g_string_append(product, "\nComponents: main\n");
	for (guint i = 0; i < 5000; i++)
		g_string_append_printf(lines, "deb http://m%u.example.org x main\n", i);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/a.sources", product->str, -1,
				   0644);
	cam_memory_rootfs_add_file(image, "etc/apt/sources.list.d/b.list", lines->str, -1, 0644);
	for (guint i = 0; i < 2000; i++) {
		g_autofree char *path = g_strdup_printf("etc/apt/sources.list.d/c%u.list", i);

		cam_memory_rootfs_add_file(image, path, "rubbish\n", -1, 0644);
	}
	sources = cam_apt_sources_read_rootfs(CAM_ROOTFS(image), FALSE, problems, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(sources->len, <=, 1024);
	g_assert_cmpuint(problems->len, <, 50);
}

/* Of the machine's own configuration it is an error. */
static void
test_bad_host(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *root = g_dir_make_tmp("cam-sources-XXXXXX", &error);
	g_autofree char *dir = g_build_filename(root, "etc/apt/sources.list.d", NULL);
	g_autofree char *file = g_build_filename(dir, "x.list", NULL);

	g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
	g_assert_true(g_file_set_contents(file, "\nrubbish here\n", -1, &error));
	g_assert_null(cam_apt_sources_read_host(root, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "host /etc/apt/sources.list.d/x.list:2"));
	g_clear_error(&error);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, root, &error));
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
	static const char *const keyrings[] = { "/k/debian.gpg", NULL };
	g_autoptr(GPtrArray) host = parse_all(host_lines), image = parse_all(image_lines);
	const CamAptTrust trust = { .host = host, .keyrings = keyrings };
	g_autoptr(GPtrArray) bookworm =
		cam_apt_sources_for_release("debian", "bookworm", &trust, image);
	g_autoptr(GPtrArray) bullseye =
		cam_apt_sources_for_release("debian", "bullseye", &trust, NULL);
	g_autoptr(GPtrArray) buster = cam_apt_sources_for_release("debian", "buster", &trust, NULL);
	g_autoptr(GPtrArray) ubuntu = cam_apt_sources_for_release("ubuntu", "jammy", &trust, NULL);
	g_autofree char *text = describe(bookworm);
	const CamAptSource *source;

	g_assert_cmpstr(text, ==,
			"http://m.example.org/debian bookworm main,non-free-firmware;"
			"http://m.example.org/debian bookworm-updates main;"
			"http://m.example.org/debian-security bookworm-security main;"
			"http://other.example.org/debian bookworm contrib;");
	/* Its own release is verified as the machine says, another one with all keys. */
	g_assert_null(((CamAptSource *) g_ptr_array_index(bookworm, 0))->keyrings);
	g_assert_nonnull(((CamAptSource *) g_ptr_array_index(bullseye, 0))->keyrings);
	source = g_ptr_array_index(bookworm, 3);
	g_assert_cmpint(source->provenance, ==, CAM_APT_PROPOSED);
	g_assert_cmpstr(source->archive, ==, "Debian");
	g_assert_cmpstr(source->keyrings[0], ==, "/k/debian.gpg");
	g_assert_true(source->guarded);
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

/* Whatever an image writes, only the location of a suite of its release is left of it. */
static void
test_proposals(void)
{
	static const char *const image_lines[] = {
		"deb [trusted=yes signed-by=/k/evil.gpg check-valid-until=no pinned=yes] "
		"http://a.example.org/x jammy main universe",
		"deb https://b.example.org/y jammy-security main",
		"deb http://own.example.org:8080/y jammy-updates main",
		"deb http://own.example.org/y jammy-updates universe",
		"deb http://a.example.org/x jammy-backports main",
		"deb http://a.example.org/x jammy-proposed main",
		"deb http://a.example.org/x noble main",
		"deb http://a.example.org/x jammy evil",
		"deb http://a.example.org/x ./",
		"deb file:/srv/x jammy multiverse",
		"deb copy:/srv/x jammy multiverse",
		"deb ftp://a.example.org/x jammy multiverse",
		"deb https://b.example.org/z jammy main restricted",
		NULL,
	};
	static const char *const named_lines[] = { "deb http://own.example.org:8080/z x main",
						   NULL };
	static const char *const keyrings[] = { "/k/ubuntu.gpg", NULL }, *const no_keyrings[] = {
		NULL
	};
	g_autoptr(GPtrArray) image = parse_all(image_lines), named = parse_all(named_lines);
	g_autoptr(GPtrArray) host = g_ptr_array_new();
	CamAptTrust trust = { .host = host, .named = named, .keyrings = keyrings };
	g_autoptr(GPtrArray) jammy = cam_apt_sources_for_release("ubuntu", "jammy", &trust, image);
	g_autoptr(GPtrArray) other = cam_apt_sources_for_release("other", "jammy", &trust, image);
	g_autoptr(GPtrArray) without = NULL, ignored = NULL, believed = NULL;
	g_autofree char *text = describe(jammy);
	guint n_own = 0;

	g_assert_cmpstr(text, ==,
			"http://a.example.org/x jammy main,universe;"
			"https://b.example.org/y jammy-security main;"
			"http://own.example.org:8080/y jammy-updates main;"
			"http://own.example.org/y jammy-updates universe;"
			"https://b.example.org/z jammy restricted;");
	g_assert_cmpuint(other->len, ==, 0);
	for (guint i = 0; i < jammy->len; i++) {
		const CamAptSource *source = g_ptr_array_index(jammy, i);

		g_assert_cmpint(source->provenance, ==, CAM_APT_PROPOSED);
		g_assert_false(source->trusted || source->ignore_valid_until || source->pinned);
		g_assert_null(source->key);
		g_assert_null(source->signed_by);
		g_assert_cmpstr(source->archive, ==, "Ubuntu");
		g_assert_cmpstr(source->keyrings[0], ==, "/k/ubuntu.gpg");
		g_assert_false(source->image_only);
		/* The very server that the machine names may lie anywhere. */
		g_assert_cmpint(source->guarded, ==, i != 2);
	}
	trust.keyrings = no_keyrings;
	without = cam_apt_sources_for_release("ubuntu", "jammy", &trust, image);
	g_assert_cmpuint(without->len, ==, 0);
	trust.keyrings = keyrings;
	trust.image = CAM_APT_IMAGE_IGNORED;
	ignored = cam_apt_sources_for_release("ubuntu", "jammy", &trust, image);
	g_assert_cmpuint(ignored->len, ==, 0);
	/* A user who believes images still believes each for itself alone, and reads no files. */
	trust.image = CAM_APT_IMAGE_BELIEVED;
	believed = cam_apt_sources_for_release("ubuntu", "jammy", &trust, image);
	for (guint i = 0; i < believed->len; i++) {
		const CamAptSource *source = g_ptr_array_index(believed, i);

		g_assert_true(g_str_has_prefix(source->uri, "http"));
		g_assert_cmpint(source->image_only, ==, source->provenance == CAM_APT_IMAGE);
		n_own += source->image_only;
	}
	g_assert_cmpuint(n_own, >, 0);
}

/* Each server may take its time to fail: an image names few. */
static void
test_many_proposals(void)
{
	static const char *const lines[] = {
		"deb http://a.example.org/x jammy main",
		"deb http://b.example.org/x jammy universe",
		"deb http://c.example.org/x jammy restricted",
		"deb http://d.example.org/x jammy multiverse",
		"deb http://e.example.org/x jammy-updates main",
		"deb http://d.example.org/x jammy-security main",
		NULL,
	};
	static const char *const keyrings[] = { "/k/ubuntu.gpg", NULL };
	g_autoptr(GPtrArray) host = g_ptr_array_new(), many = parse_all(lines);
	const CamAptTrust trust = { .host = host, .keyrings = keyrings };
	g_autoptr(GPtrArray) few = cam_apt_sources_for_release("ubuntu", "jammy", &trust, many);

	g_assert_cmpuint(few->len, ==, 5);
}

/* Several images of a release: what the first one proposes needs not answer. */
static void
test_alternatives(void)
{
	static const char *const first_lines[] = { "deb http://a.example.org/x jammy main", NULL };
	static const char *const host_lines[] = { "deb http://own.example.org/x noble main", NULL };
	static const char *const keyrings[] = { "/k/ubuntu.gpg", NULL };
	g_autoptr(GPtrArray) none = g_ptr_array_new(), host = parse_all(host_lines);
	g_autoptr(GPtrArray) image = parse_all(first_lines);
	const CamAptTrust trust = { .host = none, .keyrings = keyrings };
	const CamAptTrust served = { .host = host, .keyrings = keyrings };
	g_autoptr(GPtrArray) list = cam_apt_sources_for_release("ubuntu", "jammy", &trust, image);
	g_autoptr(GPtrArray) own = cam_apt_sources_for_release("ubuntu", "jammy", &served, image);
	g_autofree char *text = NULL, *own_text = describe(own);

	for (char server = 'a'; server < 'z'; server++) {
		g_autofree char *line =
			g_strdup_printf("deb http://%c.example.org/x jammy main", server);
		g_autofree char *security =
			g_strdup_printf("deb http://%c.example.org/x jammy-security main", server);
		const char *const lines[] = { line, security, NULL };
		g_autoptr(GPtrArray) next = parse_all(lines);
		g_autoptr(GPtrArray) more =
			cam_apt_sources_for_release("ubuntu", "jammy", &trust, next);

		g_assert_true(cam_apt_sources_add_alternatives(list, more));
		/* The machine's sources serve all images of the release. */
		g_assert_false(cam_apt_sources_add_alternatives(own, more));
	}
	text = describe(list);
	g_assert_true(g_str_has_prefix(text, "http://a.example.org/x jammy main;"
					     "http://a.example.org/x jammy-security main;"
					     "http://b.example.org/x jammy main;"));
	g_assert_cmpuint(list->len, <=, 20);
	g_free(text);
	text = describe(own);
	g_assert_cmpstr(text, ==, own_text);
}

static void
test_keyrings(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *root = g_dir_make_tmp("cam-keyrings-XXXXXX", &error);
	g_autofree char *system = g_build_filename(root, "system", NULL);
	g_autofree char *own = g_build_filename(root, "own", NULL);
	g_autofree char *debian = g_build_filename(own, "debian", NULL);
	const char *const dirs[] = { "/nonexistent", own, NULL };
	static const char *const files[] = { "system/debian-archive-keyring.gpg",
					     "system/debian-archive-removed-keys.gpg",
					     "system/vendor.gpg",
					     "own/stray.gpg",
					     "own/debian/b.asc",
					     "own/debian/a.gpg",
					     "own/debian/README" };
	static const char *const escapes[] = { "..", "../own/debian", "", ".", "own/debian" };
	g_auto(GStrv) paths = NULL;

	g_assert_cmpint(g_mkdir_with_parents(debian, 0755), ==, 0);
	g_assert_cmpint(g_mkdir_with_parents(system, 0755), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(root, files[i], NULL);

		g_assert_true(g_file_set_contents(path, "k", 1, &error));
	}
	paths = cam_apt_keyrings_list("debian", system, dirs);
	g_assert_cmpuint(g_strv_length(paths), ==, 3);
	g_assert_true(g_str_has_suffix(paths[0], "system/debian-archive-keyring.gpg"));
	g_assert_true(g_str_has_suffix(paths[1], "own/debian/a.gpg"));
	g_assert_true(g_str_has_suffix(paths[2], "own/debian/b.asc"));
	for (gsize i = 0; i < G_N_ELEMENTS(escapes); i++) {
		g_auto(GStrv) none = cam_apt_keyrings_list(escapes[i], system, dirs);

		g_assert_null(none[0]);
	}
	g_assert_cmpstr(cam_apt_keyrings_package("ubuntu"), ==, "ubuntu-keyring");
	g_assert_null(cam_apt_keyrings_package("alpine"));
	g_assert_true(cam_remove_tree_at(AT_FDCWD, root, &error));
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
	g_test_add_func("/apt-sources/bad-host", test_bad_host);
	g_test_add_func("/apt-sources/many", test_many);
	g_test_add_func("/apt-sources/for-release", test_for_release);
	g_test_add_func("/apt-sources/proposals", test_proposals);
	g_test_add_func("/apt-sources/many-proposals", test_many_proposals);
	g_test_add_func("/apt-sources/alternatives", test_alternatives);
	g_test_add_func("/apt-sources/keyrings", test_keyrings);
	return g_test_run();
}
