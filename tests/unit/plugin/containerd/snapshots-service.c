/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The snapshots service over a real snapshotter, as a client of gRPC sees it. */
#include "plugin/containerd/snapshots-service.h"

#include <string.h>

#include "plugin/containerd/snapshot-messages.h"
#include "tests/unit/plugin/containerd/server-fixture.h"
#include "tests/unit/snapshotter/snapshots/fixture.h"
#include "tests/unit/snapshotter/store/temporary-store.h"

#define PATH	"/containerd.services.snapshots.v1.Snapshots/"
#define INFO	&cam__snapshots__info_response__descriptor
#define MOUNTS	&cam__snapshots__mounts_response__descriptor
#define NOTHING &cam__google__empty__descriptor

typedef struct {
	TemporaryStore *temporary;
	CamSnapshotter *snapshotter;
	ServerFixture server;
	CamSnapshotGate gate;
} Fixture;

static gboolean
check(const char *key, const char *parent, GHashTable *labels, gpointer user_data, GError **error)
{
	if (g_str_equal(key, "forbidden"))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "the image has critical findings");
	g_hash_table_insert(labels, g_strdup("gate"), g_strdup("passed"));
	return TRUE;
}

static void
set_up(Fixture *f, gconstpointer data)
{
	CamSnapshotterOptions options = { .adopt_after = 3600000 };
	CamGrpcServer *server;
	g_autoptr(GError) error = NULL;

	if (!fixture_enter_mount_namespace())
		return;
	f->temporary = temporary_store_new();
	f->snapshotter = cam_snapshotter_open(f->temporary->store, &options, NULL, &error);
	g_assert_no_error(error);
	f->gate.check = check;
	server = cam_grpc_server_new(NULL);
	cam_snapshots_service_add(server, f->snapshotter, data != NULL ? &f->gate : NULL);
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
}

/* Of Prepare or View; TRUE if it went well, and *@source (nullable) is that of the one mount. */
static gboolean
prepare(Fixture *f, const char *method, const char *key, const char *parent, char **source,
	GError **error)
{
	Cam__Snapshots__PrepareRequest request = CAM__SNAPSHOTS__PREPARE_REQUEST__INIT;
	Cam__Snapshots__MountsResponse *answer;

	request.snapshotter = (char *) "cambium";
	request.key = (char *) key;
	request.parent = (char *) parent;
	answer = server_fixture_call(&f->server, method, &request, MOUNTS, NULL, error);
	if (answer == NULL)
		return FALSE;
	g_assert_cmpuint(answer->n_mounts, ==, 1);
	if (source != NULL)
		*source = g_strdup(answer->mounts[0]->source);
	cam_wire_free(answer);
	return TRUE;
}

static gboolean
commit(Fixture *f, const char *name, const char *key, GError **error)
{
	Cam__Snapshots__CommitRequest request = CAM__SNAPSHOTS__COMMIT_REQUEST__INIT;
	gpointer answer;

	request.name = (char *) name;
	request.key = (char *) key;
	answer = server_fixture_call(&f->server, PATH "Commit", &request, NOTHING, NULL, error);
	cam_wire_free(answer);
	return answer != NULL;
}

/* (nullable): Mounts, Remove, Stat and Usage */
static gpointer
ask(Fixture *f, const char *method, const char *key, const ProtobufCMessageDescriptor *type,
    GError **error)
{
	Cam__Snapshots__KeyRequest request = CAM__SNAPSHOTS__KEY_REQUEST__INIT;

	request.key = (char *) key;
	return server_fixture_call(&f->server, method, &request, type, NULL, error);
}

static void
assert_refused(Fixture *f, const char *method, const char *key, CamError code)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(ask(f, method, key, MOUNTS, &error));
	g_assert_error(error, CAM_ERROR, (int) code);
}

static void
test_life(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *source = NULL, *path = NULL;
	Cam__Snapshots__InfoResponse *info;
	Cam__Snapshots__UsageResponse *usage;
	Cam__Snapshots__MountsResponse *mounts;
	gint64 before = g_get_real_time() * 1000;

	if (f->temporary == NULL)
		return;
	g_assert_true(prepare(f, PATH "Prepare", "one", "", &source, &error));
	g_assert_no_error(error);
	path = g_build_filename(source, "file", NULL);
	g_assert_true(g_file_set_contents(path, "content", -1, NULL));

	mounts = ask(f, PATH "Mounts", "one", MOUNTS, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(mounts->mounts[0]->type, ==, "bind");
	g_assert_cmpstr(mounts->mounts[0]->source, ==, source);
	g_assert_cmpuint(mounts->mounts[0]->n_options, ==, 2);
	cam_wire_free(mounts);

	g_assert_true(commit(f, "base", "one", &error));
	g_assert_no_error(error);
	info = ask(f, PATH "Stat", "base", INFO, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(info->info->name, ==, "base");
	g_assert_cmpstr(info->info->parent, ==, "");
	g_assert_cmpint(info->info->kind, ==, CAM__SNAPSHOTS__KIND__COMMITTED);
	g_assert_cmpint(cam_wire_timestamp_get(info->info->created_at), >=, before - 1000000000);
	cam_wire_free(info);
	usage = ask(f, PATH "Usage", "base", &cam__snapshots__usage_response__descriptor, &error);
	g_assert_no_error(error);
	g_assert_cmpint(usage->size, >, 0);
	g_assert_cmpint(usage->inodes, >=, 1);
	cam_wire_free(usage);

	g_assert_true(prepare(f, PATH "View", "look", "base", NULL, &error));
	assert_refused(f, PATH "Remove", "base", CAM_ERROR_FAILED_PRECONDITION);
	cam_wire_free(ask(f, PATH "Remove", "look", NOTHING, &error));
	cam_wire_free(ask(f, PATH "Remove", "base", NOTHING, &error));
	g_assert_no_error(error);
	assert_refused(f, PATH "Stat", "base", CAM_ERROR_NOT_FOUND);
	cam_wire_free(ask(f, PATH "Cleanup", "", NOTHING, &error));
	g_assert_no_error(error);
}

static void
test_codes(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	if (f->temporary == NULL)
		return;
	g_assert_true(prepare(f, PATH "Prepare", "one", "", NULL, &error));
	g_assert_true(prepare(f, PATH "View", "look", "", NULL, &error));
	g_assert_false(prepare(f, PATH "Prepare", "one", "", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	g_assert_false(prepare(f, PATH "Prepare", "two", "none", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(prepare(f, PATH "Prepare", "two", "one", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(prepare(f, PATH "Prepare", "", "", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(commit(f, "", "one", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(commit(f, "base", "none", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(commit(f, "base", "look", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_clear_error(&error);
	g_assert_true(commit(f, "base", "one", &error));
	assert_refused(f, PATH "Mounts", "base", CAM_ERROR_FAILED_PRECONDITION);
	assert_refused(f, PATH "Mounts", "none", CAM_ERROR_NOT_FOUND);
	assert_refused(f, PATH "Remove", "none", CAM_ERROR_NOT_FOUND);
	assert_refused(f, PATH "Usage", "none", CAM_ERROR_NOT_FOUND);
	assert_refused(f, PATH "Rename", "none", CAM_ERROR_UNIMPLEMENTED);
}

/* What is known of @name after an update of one label with this mask (nullable). */
static Cam__Snapshots__InfoResponse *
update(Fixture *f, const char *name, const char *key, const char *value, const char *path,
       GError **error)
{
	Cam__Snapshots__UpdateRequest request = CAM__SNAPSHOTS__UPDATE_REQUEST__INIT;
	Cam__Snapshots__Info info = CAM__SNAPSHOTS__INFO__INIT;
	Cam__Types__Entry entry = CAM__TYPES__ENTRY__INIT, *entries[] = { &entry };
	Cam__Google__FieldMask mask = CAM__GOOGLE__FIELD_MASK__INIT;
	char *paths[] = { (char *) path };

	entry.key = (char *) key;
	entry.value = (char *) value;
	info.name = (char *) name;
	info.labels = entries;
	info.n_labels = 1;
	request.info = &info;
	mask.paths = paths;
	mask.n_paths = 1;
	if (path != NULL)
		request.update_mask = &mask;
	return server_fixture_call(&f->server, PATH "Update", &request, INFO, NULL, error);
}

static void
test_update(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *huge = g_strnfill(5000, 'x');
	Cam__Snapshots__UpdateRequest empty = CAM__SNAPSHOTS__UPDATE_REQUEST__INIT;
	Cam__Snapshots__InfoResponse *info;

	if (f->temporary == NULL)
		return;
	g_assert_true(prepare(f, PATH "Prepare", "one", "", NULL, &error));
	info = update(f, "one", "a", "1", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(info->info->n_labels, ==, 1);
	cam_wire_free(info);
	info = update(f, "one", "b.c", "2", "labels.b.c", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(info->info->n_labels, ==, 2);
	g_assert_cmpstr(info->info->labels[1]->key, ==, "b.c");
	g_assert_cmpstr(info->info->labels[1]->value, ==, "2");
	cam_wire_free(info);

	g_assert_null(update(f, "one", "a", "1", "parent", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(update(f, "none", "a", "1", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(update(f, "one", "a", huge, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(server_fixture_call(&f->server, PATH "Update", &empty, INFO, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

/* How many snapshots came in how many messages; FALSE with the error that ended it. */
static gboolean
list(Fixture *f, const char *filter, guint *n_infos, guint *n_messages, GError **error)
{
	Cam__Snapshots__ListRequest request = CAM__SNAPSHOTS__LIST_REQUEST__INIT;
	char *filters[] = { (char *) filter };
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamGrpcCall) call = NULL;

	request.filters = filters;
	request.n_filters = filter != NULL ? 1 : 0;
	bytes = cam_wire_pack(&request);
	call = cam_grpc_channel_start_stream(f->server.channel, PATH "List", bytes, NULL, NULL,
					     error);
	*n_infos = *n_messages = 0;
	for (;;) {
		g_autoptr(GBytes) message = NULL;
		Cam__Snapshots__ListResponse *answer;

		if (!cam_grpc_call_receive(call, &message, error))
			return FALSE;
		if (message == NULL)
			return TRUE;
		answer =
			cam_wire_unpack(&cam__snapshots__list_response__descriptor, message, error);
		*n_infos += (guint) answer->n_info;
		++*n_messages;
		cam_wire_free(answer);
	}
}

static void
test_list(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint n_infos, n_messages;

	if (f->temporary == NULL)
		return;
	g_assert_true(list(f, NULL, &n_infos, &n_messages, &error));
	g_assert_cmpuint(n_infos, ==, 0);
	g_assert_cmpuint(n_messages, ==, 0);
	for (guint i = 0; i < 201; i++) {
		g_autofree char *key = g_strdup_printf("key-%u", i);

		g_assert_true(
			prepare(f, i % 2 ? PATH "View" : PATH "Prepare", key, "", NULL, &error));
	}
	g_assert_true(list(f, NULL, &n_infos, &n_messages, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(n_infos, ==, 201);
	g_assert_cmpuint(n_messages, ==, 3);
	g_assert_true(list(f, "kind==view,name~=/^key-1.$/", &n_infos, &n_messages, &error));
	g_assert_cmpuint(n_infos, ==, 5);
	g_assert_cmpuint(n_messages, ==, 1);
	g_assert_false(list(f, "kind=view", &n_infos, &n_messages, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_gate(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	Cam__Snapshots__InfoResponse *info;

	if (f->temporary == NULL)
		return;
	g_assert_false(prepare(f, PATH "Prepare", "forbidden", "", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_true(g_str_has_suffix(error->message, "the image has critical findings"));
	g_clear_error(&error);
	assert_refused(f, PATH "Stat", "forbidden", CAM_ERROR_NOT_FOUND);
	g_assert_true(prepare(f, PATH "View", "forbidden", "", NULL, &error));
	g_assert_true(prepare(f, PATH "Prepare", "fine", "", NULL, &error));
	info = ask(f, PATH "Stat", "fine", INFO, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(info->info->n_labels, ==, 1);
	g_assert_cmpstr(info->info->labels[0]->value, ==, "passed");
	cam_wire_free(info);
}

/* There and back. */
static void
test_mount_messages(void)
{
	static const char *const options[] = { "index=off", "lowerdir=/a:/b", NULL };
	g_autoptr(GPtrArray) mounts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_mount_free);
	g_autoptr(GPtrArray) back = NULL;
	Cam__Snapshots__MountsResponse *message = g_new(Cam__Snapshots__MountsResponse, 1);

	cam__snapshots__mounts_response__init(message);
	g_ptr_array_add(mounts, cam_snapshot_mount_new("overlay", "overlay", options));
	g_ptr_array_add(mounts, cam_snapshot_mount_new("bind", "/x", options + 2));
	message->mounts = cam_mount_messages_new(mounts, &message->n_mounts);
	back = cam_mount_messages_get(message->n_mounts, message->mounts);
	g_assert_cmpuint(back->len, ==, 2);
	for (guint i = 0; i < back->len; i++)
		g_assert_true(cam_snapshot_mount_equal(g_ptr_array_index(mounts, i),
						       g_ptr_array_index(back, i)));
	cam_wire_free(message);
}

#define ADD(name, data, function) \
	g_test_add("/snapshots-service/" name, Fixture, data, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("life", NULL, test_life);
	ADD("codes", NULL, test_codes);
	ADD("update", NULL, test_update);
	ADD("list", NULL, test_list);
	ADD("gate", "with a gate", test_gate);
	g_test_add_func("/snapshots-service/mount-messages", test_mount_messages);
	return g_test_run();
}
