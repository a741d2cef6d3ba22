/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/transport/location.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "snapshotter/base/archive.h"

static void
test_prefixes(void)
{
	static const struct {
		const char *text;
		CamTransport transport;
		const char *path, *name, *written;
	} cases[] = {
		{ "docker://h.example/a", CAM_TRANSPORT_REGISTRY, NULL, NULL,
		  "docker://h.example/a:latest" },
		{ "oci:dir", CAM_TRANSPORT_OCI_LAYOUT, "dir", NULL, "oci:dir" },
		{ "oci:/a/b:1.0", CAM_TRANSPORT_OCI_LAYOUT, "/a/b", "1.0", "oci:/a/b:1.0" },
		{ "oci-archive:x.tar:t", CAM_TRANSPORT_OCI_ARCHIVE, "x.tar", "t",
		  "oci-archive:x.tar:t" },
		{ "docker-archive:x.tar:h:5000/a:t", CAM_TRANSPORT_DOCKER_ARCHIVE, "x.tar",
		  "h:5000/a:t", "docker-archive:x.tar:h:5000/a:t" },
		{ "containerd://k8s.io/h.example/a:1", CAM_TRANSPORT_CONTAINERD, NULL, NULL,
		  "containerd://k8s.io/h.example/a:1" },
		{ "no-such-image:1", CAM_TRANSPORT_STORE, NULL, NULL, "no-such-image:1" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamLocation) location = cam_location_parse(cases[i].text, &error);
		g_autoptr(CamLocation) copy = NULL;
		g_autofree char *written = NULL;

		g_assert_no_error(error);
		g_assert_cmpint(location->transport, ==, cases[i].transport);
		g_assert_cmpstr(location->path, ==, cases[i].path);
		g_assert_cmpstr(location->name, ==, cases[i].name);
		copy = cam_location_copy(location);
		written = cam_location_to_string(copy);
		g_assert_cmpstr(written, ==, cases[i].written);
	}
}

static void
test_refuses(void)
{
	static const char *const bad[] = { "",
					   "docker://",
					   "docker:///a",
					   "oci:",
					   "oci::t",
					   "oci:a:",
					   "containerd://a",
					   "containerd:///a",
					   "docker-archive:",
					   "http://a/b" };
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_null(cam_location_parse(bad[i], &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
		g_clear_error(&error);
	}
	g_assert_null(cam_location_parse("./no/such/path", &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_NOT_FOUND);
}

static void
write_archive(const char *path, const char *const *members)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GFileOutputStream) out =
		g_file_replace(file, NULL, FALSE, G_FILE_CREATE_NONE, NULL, &error);
	g_autoptr(CamArchiveWriter) writer = NULL;
	g_autoptr(GBytes) content = g_bytes_new_static("{}", 2);

	g_assert_no_error(error);
	writer = cam_archive_writer_new(G_OUTPUT_STREAM(out), &error);
	g_assert_no_error(error);
	for (gsize i = 0; members[i] != NULL; i++)
		g_assert_true(
			cam_archive_writer_add_bytes(writer, members[i], content, 0644, 0, &error));
	g_assert_true(cam_archive_writer_finish(writer, &error));
}

static void
assert_recognised(const char *text, CamTransport transport, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamLocation) location = cam_location_parse(text, &error);

	g_assert_no_error(error);
	g_assert_cmpint(location->transport, ==, transport);
	g_assert_cmpstr(location->name, ==, name);
}

static void
test_bare_paths(void)
{
	static const char *const docker[] = { "a/layer.tar", "manifest.json", NULL };
	static const char *const both[] = { "manifest.json", "./oci-layout", NULL };
	static const char *const neither[] = { "readme", NULL };
	g_autofree char *dir = g_dir_make_tmp("cam-location-XXXXXX", NULL);
	g_autofree char *layout = g_build_filename(dir, "oci-layout", NULL);
	g_autofree char *tar = g_build_filename(dir, "x.tar", NULL);
	g_autofree char *tagged = g_strconcat(dir, ":1.0", NULL);
	g_autofree char *named = g_strconcat(tar, ":h:5000/a:t", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(layout, "{}", -1, NULL));
	assert_recognised(dir, CAM_TRANSPORT_OCI_LAYOUT, NULL);
	assert_recognised(tagged, CAM_TRANSPORT_OCI_LAYOUT, "1.0");
	write_archive(tar, docker);
	assert_recognised(tar, CAM_TRANSPORT_DOCKER_ARCHIVE, NULL);
	assert_recognised(named, CAM_TRANSPORT_DOCKER_ARCHIVE, "h:5000/a:t");
	write_archive(tar, both);
	assert_recognised(tar, CAM_TRANSPORT_OCI_ARCHIVE, NULL);
	write_archive(tar, neither);
	g_assert_null(cam_location_parse(tar, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	g_unlink(tar);
	g_unlink(layout);
	g_rmdir(dir);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transport/location/prefixes", test_prefixes);
	g_test_add_func("/transport/location/refuses", test_refuses);
	g_test_add_func("/transport/location/bare-paths", test_bare_paths);
	return g_test_run();
}
