/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of the snapshots service, one function each. What they should answer is the cases'. */
#include "tests/conformance/client.h"

#include "plugin/containerd/snapshot-messages.h"

#define PATH	"/containerd.services.snapshots.v1.Snapshots/"
#define INFO	&cam__snapshots__info_response__descriptor
#define MOUNTS	&cam__snapshots__mounts_response__descriptor
#define NOTHING &cam__google__empty__descriptor

struct _Client {
	CamGrpcChannel *channel;
	CamGrpcCallOptions options;
	char *snapshotter;
};

Client *
client_new(const ClientOptions *options)
{
	Client *self = g_new0(Client, 1);
	g_autoptr(GError) error = NULL;

	self->channel = cam_grpc_channel_new(options->socket, &error);
	g_assert_no_error(error);
	self->options.name_space = options->name_space;
	self->snapshotter = g_strdup(options->snapshotter);
	return self;
}

void
client_free(Client *self)
{
	g_object_unref(self->channel);
	g_free(self->snapshotter);
	g_free(self);
}

/* (transfer full) (nullable) */
static gpointer
call(Client *self, const char *method, gconstpointer request,
     const ProtobufCMessageDescriptor *type, GError **error)
{
	g_autoptr(GBytes) bytes = cam_wire_pack(request);
	g_autoptr(GBytes) answer =
		cam_grpc_channel_call(self->channel, method, bytes, &self->options, NULL, error);

	return answer != NULL ? cam_wire_unpack(type, answer, error) : NULL;
}

static void
free_entries(Cam__Types__Entry **entries, gsize n)
{
	for (gsize i = 0; i < n; i++)
		cam_wire_free(entries[i]);
	g_free(entries);
}

static GPtrArray *
take_mounts(Cam__Snapshots__MountsResponse *answer)
{
	GPtrArray *mounts =
		answer != NULL ? cam_mount_messages_get(answer->n_mounts, answer->mounts) : NULL;

	cam_wire_free(answer);
	return mounts;
}

static CamSnapshotInfo *
info_from_message(const Cam__Snapshots__Info *message)
{
	CamSnapshotInfo *info = g_new0(CamSnapshotInfo, 1);

	info->name = g_strdup(message->name);
	info->parent = g_strdup(message->parent);
	info->kind = (CamSnapshotKind) message->kind;
	info->created = cam_wire_timestamp_get(message->created_at);
	info->updated = cam_wire_timestamp_get(message->updated_at);
	info->labels = cam_wire_table_from_entries(message->n_labels, message->labels);
	return info;
}

static CamSnapshotInfo *
take_info(Cam__Snapshots__InfoResponse *answer)
{
	CamSnapshotInfo *info = answer != NULL ? info_from_message(answer->info) : NULL;

	cam_wire_free(answer);
	return info;
}

static GPtrArray *
prepare_or_view(Client *self, const char *method, const char *key, const char *parent,
		GHashTable *labels, GError **error)
{
	Cam__Snapshots__PrepareRequest request = CAM__SNAPSHOTS__PREPARE_REQUEST__INIT;
	GPtrArray *mounts;

	request.snapshotter = self->snapshotter;
	request.key = (char *) key;
	request.parent = (char *) parent;
	request.labels = cam_wire_entries_from_table(labels, &request.n_labels);
	mounts = take_mounts(call(self, method, &request, MOUNTS, error));
	free_entries(request.labels, request.n_labels);
	return mounts;
}

GPtrArray *
client_prepare(Client *self, const char *key, const char *parent, GHashTable *labels,
	       GError **error)
{
	return prepare_or_view(self, PATH "Prepare", key, parent, labels, error);
}

GPtrArray *
client_view(Client *self, const char *key, const char *parent, GHashTable *labels, GError **error)
{
	return prepare_or_view(self, PATH "View", key, parent, labels, error);
}

static gpointer
ask(Client *self, const char *method, const char *key, const ProtobufCMessageDescriptor *type,
    GError **error)
{
	Cam__Snapshots__KeyRequest request = CAM__SNAPSHOTS__KEY_REQUEST__INIT;

	request.snapshotter = self->snapshotter;
	request.key = (char *) key;
	return call(self, method, &request, type, error);
}

GPtrArray *
client_mounts(Client *self, const char *key, GError **error)
{
	return take_mounts(ask(self, PATH "Mounts", key, MOUNTS, error));
}

gboolean
client_commit(Client *self, const char *name, const char *key, const char *parent,
	      GHashTable *labels, GError **error)
{
	Cam__Snapshots__CommitRequest request = CAM__SNAPSHOTS__COMMIT_REQUEST__INIT;
	gpointer answer;

	request.snapshotter = self->snapshotter;
	request.name = (char *) name;
	request.key = (char *) key;
	if (parent != NULL)
		request.parent = (char *) parent;
	request.labels = cam_wire_entries_from_table(labels, &request.n_labels);
	answer = call(self, PATH "Commit", &request, NOTHING, error);
	free_entries(request.labels, request.n_labels);
	cam_wire_free(answer);
	return answer != NULL;
}

gboolean
client_remove(Client *self, const char *key, GError **error)
{
	gpointer answer = ask(self, PATH "Remove", key, NOTHING, error);

	cam_wire_free(answer);
	return answer != NULL;
}

CamSnapshotInfo *
client_stat(Client *self, const char *key, GError **error)
{
	return take_info(ask(self, PATH "Stat", key, INFO, error));
}

CamSnapshotInfo *
client_update(Client *self, const CamSnapshotInfo *info, const char *const *paths, GError **error)
{
	Cam__Snapshots__UpdateRequest *request = g_new(Cam__Snapshots__UpdateRequest, 1);
	CamSnapshotInfo *updated;

	cam__snapshots__update_request__init(request);
	request->snapshotter = g_strdup(self->snapshotter);
	request->info = cam_snapshot_message_new(info);
	if (paths != NULL) {
		request->update_mask = g_new(Cam__Google__FieldMask, 1);
		cam__google__field_mask__init(request->update_mask);
		request->update_mask->paths =
			cam_wire_strings_copy(paths, &request->update_mask->n_paths);
	}
	updated = take_info(call(self, PATH "Update", request, INFO, error));
	cam_wire_free(request);
	return updated;
}

static gboolean
receive_batch(CamGrpcCall *call, GPtrArray *infos, gboolean *end, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	Cam__Snapshots__ListResponse *answer;

	if (!cam_grpc_call_receive(call, &bytes, error))
		return FALSE;
	*end = bytes == NULL;
	if (*end)
		return TRUE;
	answer = cam_wire_unpack(&cam__snapshots__list_response__descriptor, bytes, error);
	if (answer == NULL)
		return FALSE;
	for (gsize i = 0; i < answer->n_info; i++)
		g_ptr_array_add(infos, info_from_message(answer->info[i]));
	cam_wire_free(answer);
	return TRUE;
}

GPtrArray *
client_list(Client *self, const char *const *filters, GError **error)
{
	Cam__Snapshots__ListRequest request = CAM__SNAPSHOTS__LIST_REQUEST__INIT;
	g_autoptr(GPtrArray) infos =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_info_free);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamGrpcCall) stream = NULL;
	gboolean end = FALSE;

	request.snapshotter = self->snapshotter;
	request.filters = (char **) filters;
	request.n_filters = filters != NULL ? g_strv_length((char **) filters) : 0;
	bytes = cam_wire_pack(&request);
	stream = cam_grpc_channel_start_stream(self->channel, PATH "List", bytes, &self->options,
					       NULL, error);
	if (stream == NULL)
		return NULL;
	while (!end) {
		if (!receive_batch(stream, infos, &end, error))
			return NULL;
	}
	return g_steal_pointer(&infos);
}

gboolean
client_usage(Client *self, const char *key, gint64 *size, gint64 *inodes, GError **error)
{
	Cam__Snapshots__UsageResponse *answer =
		ask(self, PATH "Usage", key, &cam__snapshots__usage_response__descriptor, error);

	if (answer == NULL)
		return FALSE;
	*size = answer->size;
	*inodes = answer->inodes;
	cam_wire_free(answer);
	return TRUE;
}
