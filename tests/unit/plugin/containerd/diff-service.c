/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The diff service over a real snapshotter, with a content store in memory. */
#include "plugin/containerd/diff-service.h"

#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/xattr.h>

#include "plugin/containerd/snapshot-messages.h"
#include "proto/diff.pb-c.h"
#include "tests/unit/plugin/containerd/server-fixture.h"
#include "tests/unit/snapshotter/snapshots/fixture.h"
#include "tests/unit/snapshotter/store/layer-fixture.h"

#define APPLY "/containerd.services.diff.v1.Diff/Apply"
#define DIFF  "/containerd.services.diff.v1.Diff/Diff"
#define LABEL "containerd.io/uncompressed"

typedef struct {
	TemporaryStore *temporary;
	CamSnapshotter *snapshotter;
	ServerFixture server;

	GHashTable *blobs;  /* digest → GBytes */
	GHashTable *labels; /* of the blob that was written last */
	char *name_space, *lease;
	gint opened;
	int stuck; /* where the next blob comes from, if not -1 */
} Fixture;

/* ---- containerd's content store ---- */

static GInputStream *
open_content(gpointer user_data, const char *name_space, const CamDescriptor *descriptor,
	     GCancellable *cancellable, GError **error)
{
	Fixture *f = user_data;
	GBytes *bytes = g_hash_table_lookup(f->blobs, descriptor->digest);

	g_atomic_int_inc(&f->opened);
	if (f->stuck >= 0)
		return g_unix_input_stream_new(f->stuck, FALSE);
	g_free(f->name_space);
	f->name_space = g_strdup(name_space);
	if (bytes != NULL)
		return g_memory_input_stream_new_from_bytes(bytes);
	cam_set_error(error, CAM_ERROR_NOT_FOUND, "%s is not there", descriptor->digest);
	return NULL;
}

static gboolean
write_content(gpointer user_data, const char *name_space, const char *lease,
	      const CamDescriptor *descriptor, GInputStream *content, GHashTable *labels,
	      GCancellable *cancellable, GError **error)
{
	Fixture *f = user_data;
	GBytes *bytes = read_to_end(content, error);

	g_assert_nonnull(bytes);
	g_assert_cmpint((gint64) g_bytes_get_size(bytes), ==, descriptor->size);
	g_hash_table_replace(f->blobs, g_strdup(descriptor->digest), bytes);
	g_clear_pointer(&f->labels, g_hash_table_unref);
	f->labels = g_hash_table_ref(labels);
	g_free(f->name_space);
	f->name_space = g_strdup(name_space);
	g_free(f->lease);
	f->lease = g_strdup(lease);
	return TRUE;
}

static const CamDiffContent content = { open_content, write_content };

/* ---- the fixture ---- */

static void
set_up(Fixture *f, gconstpointer data)
{
	CamSnapshotterOptions options = { .adopt_after = 3600000 };
	CamGrpcServer *server;
	g_autoptr(GError) error = NULL;

	f->stuck = -1;
	if (!fixture_enter_mount_namespace())
		return;
	f->temporary = temporary_store_new();
	f->snapshotter = cam_snapshotter_open(f->temporary->store, &options, NULL, &error);
	g_assert_no_error(error);
	f->blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					 (GDestroyNotify) g_bytes_unref);
	server = cam_grpc_server_new(NULL);
	cam_diff_service_add(server, f->snapshotter, &content, f);
	server_fixture_start(&f->server, server);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	if (f->temporary == NULL)
		return;
	server_fixture_stop(&f->server);
	cam_snapshotter_close(f->snapshotter);
	g_object_unref(f->snapshotter);
	temporary_store_free(f->temporary);
	g_hash_table_unref(f->blobs);
	g_clear_pointer(&f->labels, g_hash_table_unref);
	g_free(f->name_space);
	g_free(f->lease);
}

static GBytes *
make_layer(void)
{
	GByteArray *tar = g_byte_array_new();

	tar_directory(tar, "etc/", 0755);
	tar_file(tar, "etc/motd", "hello");
	return tar_end(tar);
}

/* The layer in containerd's store, in this form; @digest (nullable) is what it is said to be. */
static CamDescriptor *
put_blob(Fixture *f, GBytes *layer, const char *media_type, const char *digest)
{
	g_autoptr(GInputStream) plain = g_memory_input_stream_new_from_bytes(layer);
	g_autoptr(GInputStream) stream =
		cam_compress_stream_new(plain, cam_compression_for_media_type(media_type), NULL);
	GBytes *blob = read_to_end(stream, NULL);
	g_autofree char *own = cam_digest_for_bytes(blob);

	if (digest == NULL)
		digest = own;
	g_hash_table_replace(f->blobs, g_strdup(digest), blob);
	return cam_descriptor_new(media_type, digest, (gint64) g_bytes_get_size(blob));
}

static GPtrArray *
prepare(Fixture *f, const char *key, const char *parent)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *mounts =
		cam_snapshotter_prepare(f->snapshotter, key, parent, NULL, NULL, &error);

	g_assert_no_error(error);
	return mounts;
}

static GPtrArray *
view(Fixture *f, const char *key, const char *parent)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *mounts = cam_snapshotter_view(f->snapshotter, key, parent, NULL, NULL, &error);

	g_assert_no_error(error);
	return mounts;
}

/* (nullable) (transfer full) */
static Cam__Diff__ApplyResponse *
apply(Fixture *f, const CamDescriptor *descriptor, const GPtrArray *mounts, GError **error)
{
	static const CamGrpcCallOptions options = { .name_space = "k8s.io" };
	Cam__Diff__ApplyRequest *request = g_new(Cam__Diff__ApplyRequest, 1);
	Cam__Diff__ApplyResponse *answer;

	cam__diff__apply_request__init(request);
	if (descriptor != NULL)
		request->diff = cam_wire_descriptor_new(descriptor);
	request->mounts = cam_mount_messages_new(mounts, &request->n_mounts);
	request->sync_fs = TRUE;
	answer = server_fixture_call(&f->server, APPLY, request,
				     &cam__diff__apply_response__descriptor, &options, error);
	cam_wire_free(request);
	return answer;
}

/* (nullable) (transfer full): @request is completed and freed */
static Cam__Diff__DiffResponse *
diff(Fixture *f, Cam__Diff__DiffRequest *request, const GPtrArray *left, const GPtrArray *right,
     GError **error)
{
	static const CamGrpcCallOptions options = { .name_space = "shop", .lease = "lease-1" };
	Cam__Diff__DiffResponse *answer;

	request->left = cam_mount_messages_new(left, &request->n_left);
	request->right = cam_mount_messages_new(right, &request->n_right);
	answer = server_fixture_call(&f->server, DIFF, request,
				     &cam__diff__diff_response__descriptor, &options, error);
	cam_wire_free(request);
	return answer;
}

static Cam__Diff__DiffRequest *
diff_request(const char *media_type)
{
	Cam__Diff__DiffRequest *request = g_new(Cam__Diff__DiffRequest, 1);

	cam__diff__diff_request__init(request);
	request->media_type = g_strdup(media_type);
	return request;
}

/* ---- the tests ---- */

static void
test_apply(Fixture *f, gconstpointer data)
{
	static const char *const media_types[] = {
		CAM_MEDIA_TYPE_OCI_LAYER_GZIP,
		CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD,
		CAM_MEDIA_TYPE_OCI_LAYER,
	};
	g_autoptr(GBytes) layer = make_layer();
	g_autofree char *diff_id = cam_digest_for_bytes(layer);

	for (gsize i = 0; f->temporary != NULL && i < G_N_ELEMENTS(media_types); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) mounts = prepare(f, media_types[i], "");
		const CamSnapshotMount *mount = g_ptr_array_index(mounts, 0);
		g_autoptr(CamDescriptor) blob = put_blob(f, layer, media_types[i], NULL);
		g_autoptr(GDir) upper = g_dir_open(mount->source, 0, NULL);
		Cam__Diff__ApplyResponse *answer = apply(f, blob, mounts, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(answer->applied->media_type, ==, CAM_MEDIA_TYPE_OCI_LAYER);
		g_assert_cmpstr(answer->applied->digest, ==, diff_id);
		g_assert_cmpint(answer->applied->size, ==, (gint64) g_bytes_get_size(layer));
		g_assert_cmpstr(f->name_space, ==, "k8s.io");
		g_assert_null(g_dir_read_name(upper));
		g_assert_true(cam_store_has_layer(f->temporary->store, diff_id));
		cam_wire_free(answer);
	}
}

static void
test_lies(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) layer = make_layer(), other = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mounts = NULL;
	g_autoptr(CamDescriptor) blob = NULL, lie = NULL, longer = NULL, absent = NULL;
	GByteArray *tar = g_byte_array_new();
	Cam__Diff__ApplyResponse *answer;

	tar_file(tar, "evil", "x");
	other = tar_end(tar);
	if (f->temporary == NULL)
		return;
	mounts = prepare(f, "one", "");
	blob = put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, NULL);
	lie = put_blob(f, other, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, blob->digest);
	g_assert_null(apply(f, lie, mounts, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);

	longer = cam_descriptor_new(CAM_MEDIA_TYPE_OCI_LAYER_GZIP, blob->digest, blob->size + 1);
	cam_descriptor_free(put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, NULL));
	g_assert_null(apply(f, longer, mounts, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);

	/* The snapshot has kept nothing of it, and can be used. */
	answer = apply(f, blob, mounts, &error);
	g_assert_no_error(error);
	cam_wire_free(answer);

	g_hash_table_remove(f->blobs, lie->digest);
	absent = cam_descriptor_new(
		CAM_MEDIA_TYPE_OCI_LAYER,
		"sha256:0000000000000000000000000000000000000000000000000000000000000000", 5);
	g_ptr_array_unref(mounts);
	mounts = prepare(f, "two", "");
	g_assert_null(apply(f, absent, mounts, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_not_ours(Fixture *f, gconstpointer data)
{
	static const char *const options[] = { "rbind", "rw", NULL };
	g_autoptr(GBytes) layer = make_layer();
	g_autoptr(GPtrArray) foreign =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_mount_free);
	g_autoptr(GPtrArray) mounts = NULL, none = g_ptr_array_new();
	g_autoptr(CamDescriptor) blob = NULL, encrypted = NULL;
	g_autoptr(GError) error = NULL;

	if (f->temporary == NULL)
		return;
	blob = put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, NULL);
	g_ptr_array_add(foreign, cam_snapshot_mount_new("bind", "/var/empty", options));
	g_assert_null(apply(f, blob, foreign, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);
	g_assert_null(apply(f, blob, none, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);
	g_assert_null(diff(f, diff_request(""), foreign, foreign, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);

	mounts = prepare(f, "one", "");
	encrypted = cam_descriptor_new("application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
				       blob->digest, blob->size);
	g_assert_null(apply(f, encrypted, mounts, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);
	g_assert_null(apply(f, NULL, mounts, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	/* None of them had a look at a blob. */
	g_assert_cmpint(f->opened, ==, 0);
}

/* A layer that came by Apply comes back, in each form that can be asked for. */
/* What is not applied here another differ applies, by mounting the snapshot. */
static void
test_next_differ(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) layer = make_layer();
	g_autoptr(GPtrArray) first = NULL, second = NULL;
	g_autoptr(CamDescriptor) blob = NULL, encrypted = NULL;
	g_autofree char *lower = NULL, *motd = NULL;
	g_autoptr(GError) error = NULL;
	char *end;

	if (f->temporary == NULL)
		return;
	blob = put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, NULL);
	first = prepare(f, "k8s.io/1/extract-1-a sha256:1", "");
	cam_wire_free(apply(f, blob, first, &error));
	g_assert_no_error(error);
	cam_snapshotter_commit(f->snapshotter, "k8s.io/2/sha256:1", "k8s.io/1/extract-1-a sha256:1",
			       NULL, NULL, &error);
	g_assert_no_error(error);
	second = prepare(f, "k8s.io/3/extract-2-b sha256:2", "k8s.io/2/sha256:1");
	lower = g_strdup(cam_snapshot_mount_get_option(second->pdata[0], "lowerdir"));
	end = strstr(lower, "::");
	if (end != NULL)
		*end = '\0';
	motd = g_build_filename(lower, "etc", "motd", NULL);
	g_assert_false(g_file_test(motd, G_FILE_TEST_EXISTS));
	encrypted = cam_descriptor_new("application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
				       blob->digest, blob->size);
	g_assert_null(apply(f, encrypted, second, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_assert_true(g_file_test(motd, G_FILE_TEST_EXISTS));
}

static void
test_diff(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *asked, *got;
	} forms[] = {
		{ "", CAM_MEDIA_TYPE_OCI_LAYER_GZIP },
		{ CAM_MEDIA_TYPE_OCI_LAYER, CAM_MEDIA_TYPE_OCI_LAYER },
		{ CAM_MEDIA_TYPE_OCI_LAYER_ZSTD, CAM_MEDIA_TYPE_OCI_LAYER_ZSTD },
		{ CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP, CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP },
	};
	g_autoptr(GBytes) layer = make_layer();
	g_autofree char *diff_id = cam_digest_for_bytes(layer);
	g_autoptr(GPtrArray) mounts = NULL, left = NULL, right = NULL;
	g_autoptr(CamDescriptor) blob = NULL;
	g_autoptr(GError) error = NULL;

	if (f->temporary == NULL)
		return;
	mounts = prepare(f, "one", "");
	blob = put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, NULL);
	cam_wire_free(apply(f, blob, mounts, &error));
	g_assert_true(cam_snapshotter_commit(f->snapshotter, "base", "one", NULL, NULL, &error));
	left = view(f, "left", "");
	right = view(f, "right", "base");
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		Cam__Diff__DiffResponse *answer =
			diff(f, diff_request(forms[i].asked), left, right, &error);
		g_autoptr(GInputStream) compressed = NULL, plain = NULL;
		g_autoptr(GBytes) again = NULL;

		g_assert_no_error(error);
		g_assert_cmpstr(answer->diff->media_type, ==, forms[i].got);
		compressed = g_memory_input_stream_new_from_bytes(
			g_hash_table_lookup(f->blobs, answer->diff->digest));
		plain = cam_decompress_stream_new(compressed, CAM_COMPRESSION_AUTO);
		again = read_to_end(plain, &error);
		g_assert_no_error(error);
		g_assert_true(g_bytes_equal(again, layer));
		g_assert_cmpstr(g_hash_table_lookup(f->labels, LABEL), ==, i == 1 ? NULL : diff_id);
		g_assert_cmpstr(f->name_space, ==, "shop");
		g_assert_cmpstr(f->lease, ==, "lease-1");
		cam_wire_free(answer);
	}
}

/* What a container wrote is a layer; a directory that it renamed is left to the next differ. */
static void
test_diff_of_container(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) layer = make_layer();
	g_autoptr(GPtrArray) mounts = NULL, left = NULL, right = NULL;
	g_autoptr(CamDescriptor) blob = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *file = NULL, *moved = NULL;
	const char *upper;
	Cam__Diff__DiffResponse *answer;

	if (f->temporary == NULL)
		return;
	mounts = prepare(f, "one", "");
	blob = put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER_GZIP, NULL);
	cam_wire_free(apply(f, blob, mounts, &error));
	g_assert_true(cam_snapshotter_commit(f->snapshotter, "base", "one", NULL, NULL, &error));
	left = view(f, "left", "base");
	right = prepare(f, "container", "base");
	upper = cam_snapshot_mount_get_option(g_ptr_array_index(right, 0), "upperdir");
	file = g_build_filename(upper, "written", NULL);
	g_assert_true(g_file_set_contents(file, "by a container", -1, NULL));
	answer = diff(f, diff_request(CAM_MEDIA_TYPE_OCI_LAYER), left, right, &error);
	g_assert_no_error(error);
	g_assert_nonnull(
		memmem(g_bytes_get_data(g_hash_table_lookup(f->blobs, answer->diff->digest), NULL),
		       (gsize) answer->diff->size, "by a container", 14));
	cam_wire_free(answer);

	moved = g_build_filename(upper, "moved", NULL);
	g_assert_no_errno(g_mkdir(moved, 0755));
	g_assert_no_errno(setxattr(moved, "trusted.overlay.redirect", "etc", 3, 0));
	g_assert_null(diff(f, diff_request(""), left, right, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
}

static void
test_diff_refuses(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) left = NULL, right = NULL;
	g_autoptr(GError) error = NULL;
	Cam__Diff__DiffRequest *request;

	if (f->temporary == NULL)
		return;
	left = view(f, "left", "");
	right = prepare(f, "right", "");
	g_assert_null(diff(f, diff_request("application/zip"), left, right, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);

	request = diff_request("");
	request->source_date_epoch = cam_wire_timestamp_new(0);
	g_assert_null(diff(f, request, left, right, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);

	request = diff_request("");
	request->labels = g_new(Cam__Types__Entry *, 1);
	request->n_labels = 1;
	request->labels[0] = g_new(Cam__Types__Entry, 1);
	cam__types__entry__init(request->labels[0]);
	request->labels[0]->key = g_strdup("k");
	request->labels[0]->value = g_strnfill(CAM_WIRE_MAX_LABEL, 'v');
	g_assert_null(diff(f, request, left, right, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

/* Within seconds, whatever the machine is busy with. */
static void
wait_until_idle(Fixture *f)
{
	for (guint i = 0; cam_grpc_server_get_n_calls(f->server.server) > 0; i++) {
		g_assert_cmpuint(i, <, 3000);
		g_usleep(10 * G_TIME_SPAN_MILLISECOND);
	}
}

/* The client goes while the blob still comes: nothing is kept, and the next one is served. */
static void
test_client_goes(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) layer = make_layer(), packed = NULL;
	g_autoptr(GPtrArray) mounts = NULL;
	g_autoptr(CamDescriptor) blob = NULL;
	g_autoptr(GError) error = NULL;
	Cam__Diff__ApplyRequest *request = g_new(Cam__Diff__ApplyRequest, 1);
	CamGrpcCall *call;
	int pipe_fds[2];

	cam__diff__apply_request__init(request);
	g_assert_true(g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL));
	if (f->temporary != NULL) {
		mounts = prepare(f, "one", "");
		blob = put_blob(f, layer, CAM_MEDIA_TYPE_OCI_LAYER, NULL);
		request->diff = cam_wire_descriptor_new(blob);
		request->mounts = cam_mount_messages_new(mounts, &request->n_mounts);
		packed = cam_wire_pack(request);
		f->stuck = pipe_fds[0];
		g_assert_cmpint(write(pipe_fds[1], g_bytes_get_data(layer, NULL), 100), ==, 100);
		call = cam_grpc_channel_start_stream(f->server.channel, APPLY, packed, NULL, NULL,
						     &error);
		g_assert_no_error(error);
		while (g_atomic_int_get(&f->opened) == 0)
			g_usleep(10 * G_TIME_SPAN_MILLISECOND);
		cam_grpc_call_free(call);
		wait_until_idle(f);
		f->stuck = -1;
		cam_wire_free(apply(f, blob, mounts, &error));
		g_assert_no_error(error);
	}
	cam_wire_free(request);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

#define ADD(name, function) \
	g_test_add("/diff-service/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("apply", test_apply);
	ADD("lies", test_lies);
	ADD("not-ours", test_not_ours);
	ADD("next-differ", test_next_differ);
	ADD("diff", test_diff);
	ADD("diff-of-container", test_diff_of_container);
	ADD("diff-refuses", test_diff_refuses);
	ADD("client-goes", test_client_goes);
	return g_test_run();
}
