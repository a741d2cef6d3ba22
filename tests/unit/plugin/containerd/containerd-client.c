/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client against the real containerd; what that one never says is said by a false one. */
#include "plugin/containerd/containerd-client.h"

#include <fcntl.h>
#include <string.h>

#include "plugin/containerd/containerd-containers.h"
#include "plugin/containerd/containerd-content.h"
#include "plugin/containerd/containerd-events.h"
#include "plugin/containerd/containerd-images.h"
#include "plugin/containerd/containerd-leases.h"
#include "plugin/containerd/containerd-snapshots.h"
#include "tests/unit/plugin/containerd/core-server.h"
#include "tests/unit/plugin/containerd/real-containerd.h"

#define NS "default"

static CamDescriptor *
describe(const char *media_type, const char *text)
{
	g_autofree char *digest = cam_digest_for_data(text, strlen(text));

	return cam_descriptor_new(media_type, digest, (gint64) strlen(text));
}

static gboolean
put(RealContainerd *real, const char *name_space, const char *lease, const CamDescriptor *wanted,
    const char *text, GHashTable *labels, GError **error)
{
	g_autoptr(GInputStream) stream =
		g_memory_input_stream_new_from_data(text, (gssize) strlen(text), NULL);

	return cam_containerd_write_content(real->client, name_space, lease, wanted, stream, labels,
					    NULL, error);
}

static char *
read_all(GInputStream *stream)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	char buffer[5000];
	gssize size;

	while ((size = g_input_stream_read(stream, buffer, sizeof(buffer), NULL, &error)) > 0)
		g_string_append_len(text, buffer, size);
	g_assert_no_error(error);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* ---- the daemon as a whole ---- */

static void
check_daemon(RealContainerd *real)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *version = cam_containerd_get_version(real->client, NULL, &error);
	g_autoptr(GPtrArray) plugins = NULL, all = NULL;
	g_auto(GStrv) names = NULL;

	g_assert_no_error(error);
	g_assert_true(g_ascii_isdigit(version[0]) || version[0] == 'v');
	g_assert_cmpstr(cam_containerd_get_address(real->client), ==, real->socket);
	plugins =
		cam_containerd_list_plugins(real->client, "io.containerd.content.v1", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(plugins->len, ==, 1);
	all = cam_containerd_list_plugins(real->client, NULL, NULL, &error);
	g_assert_cmpuint(all->len, >, 10);
	names = cam_containerd_list_namespaces(real->client, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(names), ==, 0);
	g_assert_false(cam_containerd_check_namespace(real->client, NS, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

/* ---- content ---- */

static void
check_reading(RealContainerd *real, const CamDescriptor *blob, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) file = NULL, service = NULL;
	g_autofree char *from_file = NULL, *from_service = NULL;

	file = cam_containerd_open_content(real->client, NS, blob->digest, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_str_has_prefix(cam_containerd_get_content_root(real->client, NULL),
				       real->directory));
	service = cam_containerd_read_content(real->client, NS, blob->digest, NULL, &error);
	g_assert_no_error(error);
	from_file = read_all(file);
	from_service = read_all(service);
	g_assert_cmpstr(from_file, ==, text);
	g_assert_cmpstr(from_service, ==, text);
}

static void
check_content(RealContainerd *real)
{
	/* More than a message, and not a multiple of one. */
	g_autofree char *large = g_strnfill(3 * 1024 * 1024 + 17, 'x');
	g_autoptr(CamDescriptor) blob = describe("text/plain", large);
	g_autoptr(CamDescriptor) empty = describe("text/plain", "");
	g_autoptr(CamDescriptor) wrong = describe("text/plain", "something else");
	g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(CamContentInfo) info = NULL, after = NULL;
	g_autoptr(GError) error = NULL;

	g_hash_table_insert(labels, (gpointer) "test/one", (gpointer) "1");
	g_assert_true(put(real, NS, NULL, blob, large, labels, &error));
	g_assert_no_error(error);
	info = cam_containerd_get_content_info(real->client, NS, blob->digest, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(info->size, ==, blob->size);
	g_assert_cmpstr(g_hash_table_lookup(info->labels, "test/one"), ==, "1");
	check_reading(real, blob, large);

	/* Again, with another label: both stay. */
	g_hash_table_remove_all(labels);
	g_hash_table_insert(labels, (gpointer) "test/two", (gpointer) "2");
	g_assert_true(put(real, NS, NULL, blob, large, labels, &error));
	g_assert_no_error(error);
	after = cam_containerd_get_content_info(real->client, NS, blob->digest, NULL, &error);
	g_assert_cmpstr(g_hash_table_lookup(after->labels, "test/one"), ==, "1");
	g_assert_cmpstr(g_hash_table_lookup(after->labels, "test/two"), ==, "2");
	/* In another namespace nothing need be sent. */
	g_assert_true(put(real, "other", NULL, blob, "", NULL, &error));
	g_assert_no_error(error);

	g_assert_true(put(real, NS, NULL, empty, "", NULL, &error));
	g_assert_no_error(error);
	check_reading(real, empty, "");

	g_assert_false(put(real, NS, NULL, wrong, "some other text", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_test_message("%s", error->message);
	g_clear_error(&error);
	g_assert_null(cam_containerd_read_content(real->client, NS, wrong->digest, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
check_cancelled_writing(RealContainerd *real)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(CamDescriptor) blob = describe("text/plain", "never");
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_data("never", 5, NULL);
	g_autoptr(GError) error = NULL;

	g_cancellable_cancel(cancellable);
	g_assert_false(cam_containerd_write_content(real->client, NS, NULL, blob, stream, NULL,
						    cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

/* ---- images, leases, events ---- */

#define PROBE "probe:1"

/* An event that is not our own probe's. */
static void
assert_event(CamContainerdEvents *events, CamContainerdEventKind kind, const char *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamContainerdEvent) event = NULL;

	do {
		g_clear_pointer(&event, cam_containerd_event_free);
		event = cam_containerd_events_next(events, &error);
		g_assert_no_error(error);
	} while (g_str_equal(event->image, PROBE));
	g_assert_cmpint(event->kind, ==, kind);
	g_assert_cmpstr(event->image, ==, image);
	g_assert_cmpstr(event->name_space, ==, NS);
	g_assert_cmpint(event->time, >, 0);
}

typedef struct {
	CamContainerd *client;
	gint stop;
} Prober;

static gpointer
probe(gpointer data)
{
	Prober *self = data;
	g_autoptr(CamDescriptor) target = describe(CAM_MEDIA_TYPE_OCI_MANIFEST, "probe");

	while (g_atomic_int_get(&self->stop) == 0) {
		cam_containerd_create_image(self->client, NS, NULL, PROBE, target, NULL, NULL,
					    NULL);
		cam_containerd_delete_image(self->client, NS, PROBE, FALSE, NULL, NULL);
		g_usleep(20000);
	}
	return NULL;
}

/* Nothing says when containerd has read the subscription, but that events come. */
static CamContainerdEvents *
subscribe(RealContainerd *real)
{
	g_autoptr(GError) error = NULL;
	Prober prober = { .client = real->client };
	CamContainerdEvents *events =
		cam_containerd_subscribe(real->client, cam_containerd_image_events, NULL, &error);
	GThread *thread = g_thread_new("probe", probe, &prober);
	CamContainerdEvent *event = cam_containerd_events_next(events, &error);

	g_assert_no_error(error);
	cam_containerd_event_free(event);
	g_atomic_int_set(&prober.stop, 1);
	g_thread_join(thread);
	return events;
}

static void
check_images(RealContainerd *real)
{
	g_autoptr(CamDescriptor) first = describe(CAM_MEDIA_TYPE_OCI_MANIFEST, "{}");
	g_autoptr(CamDescriptor) second = describe(CAM_MEDIA_TYPE_OCI_MANIFEST, "{ }");
	g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(CamContainerdImage) image = NULL;
	g_autoptr(GPtrArray) images = NULL;
	g_autoptr(CamContainerdEvents) events = NULL;
	g_autoptr(GError) error = NULL;
	CamContainerd *client = real->client;

	g_hash_table_insert(labels, (gpointer) "test/one", (gpointer) "1");
	events = subscribe(real);
	g_assert_true(cam_containerd_create_image(client, NS, NULL, "registry.example.org/shop:1.0",
						  first, labels, NULL, &error));
	g_assert_no_error(error);
	g_assert_false(cam_containerd_create_image(
		client, NS, NULL, "registry.example.org/shop:1.0", second, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	g_hash_table_remove_all(labels);
	g_hash_table_insert(labels, (gpointer) "test/two", (gpointer) "2");
	g_assert_true(cam_containerd_update_image(client, NS, NULL, "registry.example.org/shop:1.0",
						  second, labels, NULL, &error));
	g_assert_no_error(error);
	image = cam_containerd_get_image(client, NS, "registry.example.org/shop:1.0", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(image->target->digest, ==, second->digest);
	g_assert_cmpstr(g_hash_table_lookup(image->labels, "test/one"), ==, "1");
	g_assert_cmpstr(g_hash_table_lookup(image->labels, "test/two"), ==, "2");
	images = cam_containerd_list_images(client, NS, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(images->len, ==, 1);

	g_assert_null(cam_containerd_get_image(client, NS, "shop:1.1", NULL, &error));
	cam_containerd_explain_missing_image(client, NS, "shop:1.1", NULL, &error);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "did you mean registry.example.org/shop:1.0?"));
	g_clear_error(&error);
	g_assert_null(cam_containerd_get_image(client, "defualt", "shop:1.1", NULL, &error));
	cam_containerd_explain_missing_image(client, "defualt", "shop:1.1", NULL, &error);
	g_assert_nonnull(strstr(error->message, "no namespace defualt; it has default"));
	g_clear_error(&error);

	g_assert_true(cam_containerd_delete_image(client, NS, "registry.example.org/shop:1.0", TRUE,
						  NULL, &error));
	g_assert_no_error(error);
	assert_event(events, CAM_CONTAINERD_EVENT_IMAGE_CREATE, "registry.example.org/shop:1.0");
	assert_event(events, CAM_CONTAINERD_EVENT_IMAGE_UPDATE, "registry.example.org/shop:1.0");
	assert_event(events, CAM_CONTAINERD_EVENT_IMAGE_DELETE, "registry.example.org/shop:1.0");
}

static gboolean
has_content(RealContainerd *real, const CamDescriptor *blob)
{
	g_autoptr(CamContentInfo) info =
		cam_containerd_get_content_info(real->client, NS, blob->digest, NULL, NULL);

	return info != NULL;
}

/* Runs containerd's garbage collection. */
static void
collect(RealContainerd *real)
{
	g_autoptr(CamDescriptor) target = describe(CAM_MEDIA_TYPE_OCI_MANIFEST, "{}");

	g_assert_true(cam_containerd_create_image(real->client, NS, NULL, "rubbish:1", target, NULL,
						  NULL, NULL));
	g_assert_true(cam_containerd_delete_image(real->client, NS, "rubbish:1", TRUE, NULL, NULL));
}

static void
check_leases(RealContainerd *real)
{
	g_autoptr(CamDescriptor) under = describe("text/plain", "written under a lease");
	g_autoptr(CamDescriptor) later = describe("text/plain", "put under a lease later");
	g_autoptr(GError) error = NULL;
	g_autofree char *lease = cam_containerd_create_lease(real->client, NS, 3600, NULL, &error);

	g_assert_no_error(error);
	g_assert_true(put(real, NS, lease, under, "written under a lease", NULL, &error));
	g_assert_no_error(error);
	g_assert_true(put(real, NS, NULL, later, "put under a lease later", NULL, &error));
	g_assert_true(
		cam_containerd_lease_content(real->client, NS, lease, later->digest, NULL, &error));
	g_assert_no_error(error);
	collect(real);
	g_assert_true(has_content(real, under));
	g_assert_true(has_content(real, later));
	g_assert_true(cam_containerd_delete_lease(real->client, NS, lease, NULL, &error));
	g_assert_no_error(error);
	g_assert_true(cam_containerd_delete_lease(real->client, NS, lease, NULL, &error));
	g_assert_no_error(error);
	collect(real);
	g_assert_false(has_content(real, under));
	g_assert_false(has_content(real, later));
}

static void
check_containers(RealContainerd *real)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) containers =
		cam_containerd_list_containers(real->client, NS, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(containers->len, ==, 0);
}

static void
check_snapshots(RealContainerd *real)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) snapshots =
		cam_containerd_list_snapshots(real->client, NS, "native", NULL, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(snapshots->len, ==, 0);
	g_assert_null(
		cam_containerd_stat_snapshot(real->client, NS, "native", "none", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static gpointer
cancel_soon(gpointer cancellable)
{
	g_usleep(100000);
	g_cancellable_cancel(cancellable);
	return NULL;
}

static void
check_waiting_is_cancelled(RealContainerd *real)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(CamContainerdEvents) events =
		cam_containerd_subscribe(real->client, NULL, cancellable, &error);
	GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);

	g_assert_null(cam_containerd_events_next(events, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	g_thread_join(thread);
}

/* One daemon for all: starting it takes the longest. */
static void
test_real(void)
{
	RealContainerd real;

	if (!real_containerd_start(&real))
		return;
	check_daemon(&real);
	check_content(&real);
	check_cancelled_writing(&real);
	check_images(&real);
	check_leases(&real);
	check_containers(&real);
	check_snapshots(&real);
	check_waiting_is_cancelled(&real);
	real_containerd_stop(&real);
}

/* ---- a false one ---- */

/* Not a message at all. */
static void
answer_rubbish(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);
	g_autoptr(GBytes) rubbish = g_bytes_new_static("\x0a\xff\xff\xff\xff", 5);

	core_call_send(call, rubbish);
	core_call_finish(call, GRPC_STATUS_OK, "");
}

/* A message without a field. */
static void
answer_empty(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);

	core_call_send(call, nothing);
	core_call_finish(call, GRPC_STATUS_OK, "");
}

static const CoreMethod methods[] = {
	{ "/containerd.services.version.v1.Version/Version", answer_rubbish },
	{ "/containerd.services.images.v1.Images/Get", answer_empty },
	{ "/containerd.services.images.v1.Images/List", answer_rubbish },
	{ "/containerd.services.content.v1.Content/Info", answer_empty },
	{ "/containerd.services.content.v1.Content/Write", answer_empty },
	{ "/containerd.services.content.v1.Content/Read", answer_rubbish },
	{ NULL },
};

static void
test_false(void)
{
	g_autofree char *directory = g_dir_make_tmp("cd-XXXXXX", NULL);
	g_autofree char *socket = g_build_filename(directory, "s", NULL);
	CoreServer *server = core_server_new(socket, methods);
	g_autoptr(CamDescriptor) blob = describe("text/plain", "text");
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_data("text", 4, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamContainerd) client = cam_containerd_new(socket, &error);

	g_assert_no_error(error);
	g_assert_null(cam_containerd_get_version(client, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_containerd_get_image(client, NS, "x", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INTERNAL);
	g_clear_error(&error);
	g_assert_null(cam_containerd_list_images(client, NS, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_containerd_get_content_info(client, NS, blob->digest, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INTERNAL);
	g_clear_error(&error);
	g_assert_null(cam_containerd_open_content(client, NS, blob->digest, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(
		cam_containerd_write_content(client, NS, NULL, blob, stream, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INTERNAL);
	g_clear_error(&error);
	g_assert_null(cam_containerd_list_namespaces(client, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	g_clear_error(&error);
	core_server_free(server);
	g_unlink(socket);
	g_rmdir(directory);
}

static void
test_nobody(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamContainerd) client =
		cam_containerd_new("/nonexistent/containerd.sock", &error);

	g_assert_null(cam_containerd_get_version(client, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "--containerd"));
	g_assert_nonnull(strstr(error->message, "no such socket"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/containerd-client/real", test_real);
	g_test_add_func("/containerd-client/false", test_false);
	g_test_add_func("/containerd-client/nobody", test_nobody);
	return g_test_run();
}
