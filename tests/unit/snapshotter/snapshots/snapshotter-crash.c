/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots after a process that served them was killed at any moment: what is on disk fits what is
 * known, what was answered is kept, and everything can be mounted and removed.
 */
#include "snapshotter/snapshots/snapshotter.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../store/layer-fixture.h"
#include "fixture.h"

#define ROUNDS	   24
#define LONGEST_US 60000

static char *
apply_layer(CamSnapshotter *snapshotter, GPtrArray *mounts, guint n)
{
	GByteArray *tar = g_byte_array_new();
	g_autofree char *text = g_strdup_printf("content %u", n % 7);
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *digest = NULL;

	tar_file(tar, "file", text);
	bytes = tar_end(tar);
	digest = cam_digest_for_bytes(bytes);
	g_autoptr(CamDescriptor) descriptor = cam_descriptor_new(
		"application/vnd.oci.image.layer.v1.tar", digest, (gint64) g_bytes_get_size(bytes));
	g_autoptr(GInputStream) blob = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(CamLayerInfo) info =
		cam_snapshotter_apply(snapshotter, mounts, blob, descriptor, NULL, NULL);

	return info ? g_strdup(info->diff_id) : NULL;
}

static void
write_upper(GPtrArray *mounts, guint n)
{
	const CamSnapshotMount *mount = g_ptr_array_index(mounts, 0);
	const char *upper = cam_snapshot_mount_get_option(mount, "upperdir");
	g_autofree char *path = g_build_filename(upper ? upper : mount->source, "written", NULL);
	g_autofree char *text = g_strdup_printf("written %u", n);

	g_file_set_contents(path, text, -1, NULL);
}

static G_NORETURN void
give_up(const GError *error)
{
	fprintf(stderr, "# the server failed: %s\n", error ? error->message : "no report");
	_exit(1);
}

/* Makes chains, on and on, and tells @report the names of what was committed. */
static void
serve(CamStore *store, int report, guint round)
{
	CamSnapshotterOptions options = { .adopt_after = 1 };
	g_autoptr(CamSnapshotter) snapshotter = cam_snapshotter_open(store, &options, NULL, NULL);

	for (guint n = 0;; n++) {
		g_autofree char *key = g_strdup_printf("ns/%u/%u", round, n);
		g_autofree char *name = g_strdup_printf("ns/%u/%u-done", round, n);
		g_autofree char *parent =
			n % 4 ? g_strdup_printf("ns/%u/%u-done", round, n - 1) : g_strdup("");
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) mounts =
			cam_snapshotter_prepare(snapshotter, key, parent, NULL, NULL, &error);

		if (!mounts)
			give_up(error);
		if (n % 2)
			g_free(apply_layer(snapshotter, mounts, n));
		else
			write_upper(mounts, n);
		if (!cam_snapshotter_commit(snapshotter, name, key, NULL, NULL, &error))
			give_up(error);
		if (write(report, name, strlen(name) + 1) < 0)
			give_up(NULL);
		if (n % 4 == 3) {
			cam_snapshotter_view(snapshotter, "view", name, NULL, NULL, NULL);
			cam_snapshotter_remove(snapshotter, "view", NULL);
		}
	}
}

/* Runs a server for a moment; (element-type utf8): what it had committed. */
static GPtrArray *
serve_and_kill(const char *path, guint round)
{
	g_autoptr(GString) report = g_string_new(NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	char buffer[4096];
	int pipe_fds[2], status;
	ssize_t n;

	g_assert_no_errno(pipe(pipe_fds));
	pid_t pid = fork();
	if (pid == 0) {
		g_autoptr(CamStore) store = cam_store_open(path, TRUE, NULL, NULL);

		close(pipe_fds[0]);
		serve(store, pipe_fds[1], round);
	}
	close(pipe_fds[1]);
	g_usleep((gulong) g_test_rand_int_range(2000, LONGEST_US) * (round % 3 + 1));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	g_assert_true(WIFSIGNALED(status));
	while ((n = read(pipe_fds[0], buffer, sizeof(buffer))) > 0)
		g_string_append_len(report, buffer, n);
	close(pipe_fds[0]);
	for (gsize at = 0; at < report->len; at += strlen(report->str + at) + 1)
		g_ptr_array_add(names, g_strdup(report->str + at));
	return names;
}

static guint
count(const char *store, const char *folder)
{
	g_autofree char *path = g_build_filename(store, folder, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

static void
remove_all(CamSnapshotter *snapshotter)
{
	g_autoptr(GError) error = NULL;
	guint left = 1;

	while (left > 0) {
		g_autoptr(GPtrArray) infos = cam_snapshotter_list(snapshotter, NULL, &error);
		guint before = left;

		g_assert_no_error(error);
		left = infos->len;
		for (guint i = 0; i < infos->len; i++) {
			const CamSnapshotInfo *info = g_ptr_array_index(infos, i);

			if (cam_snapshotter_remove(snapshotter, info->name, NULL))
				before = G_MAXUINT;
		}
		g_assert_true(left == 0 || before == G_MAXUINT);
	}
}

static void
check(const char *path, const GPtrArray *names)
{
	CamSnapshotterOptions options = { .adopt_after = 1 };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(path, TRUE, NULL, &error);
	g_autoptr(CamSnapshotter) snapshotter = cam_snapshotter_open(store, &options, NULL, &error);
	g_autoptr(GPtrArray) leases = NULL;

	g_assert_no_error(error);
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(CamSnapshotInfo) info =
			cam_snapshotter_stat(snapshotter, names->pdata[i], &error);

		g_assert_no_error(error);
		g_assert_cmpint(info->kind, ==, CAM_SNAPSHOT_COMMITTED);
	}
	if (names->len > 0) {
		g_autoptr(GPtrArray) mounts = cam_snapshotter_prepare(
			snapshotter, "on-top", names->pdata[names->len - 1], NULL, NULL, &error);

		g_assert_no_error(error);
	}
	cam_snapshotter_settle(snapshotter);
	remove_all(snapshotter);
	leases = cam_store_list_leases(store, "snapshot/", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(leases->len, ==, 0);
	g_assert_cmpuint(count(path, "snapshots"), ==, 0);
	g_assert_cmpuint(count(path, "lower"), ==, 0);
	cam_snapshotter_close(snapshotter);
}

static void
test_killed(void)
{
	g_autoptr(TemporaryStore) temporary = NULL;
	guint total = 0;

	if (!fixture_enter_mount_namespace())
		return;
	temporary = temporary_store_new();
	for (guint round = 0; round < ROUNDS; round++) {
		g_autoptr(GPtrArray) names = serve_and_kill(temporary->path, round);

		total += names->len;
		check(temporary->path, names);
	}
	g_test_message("%u snapshots were committed before their servers were killed", total);
	g_assert_cmpuint(total, >, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snapshotter/killed", test_killed);
	return g_test_run();
}
