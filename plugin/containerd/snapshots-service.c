/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * containerd's snapshots service: requests are checked and translated here, and answered by the
 * snapshotter, whose codes are those that containerd expects.
 */
#include "plugin/containerd/snapshots-service.h"

#include "plugin/containerd/snapshot-messages.h"

#define LIST_BATCH 100 /* as containerd's own service */
#define PATH	   "/containerd.services.snapshots.v1.Snapshots/"

typedef struct {
	CamSnapshotter *snapshotter;
	CamSnapshotGate gate; /* without check: none */
} Service;

static void
service_free(gpointer data)
{
	Service *self = data;

	g_object_unref(self->snapshotter);
	g_free(self);
}

static gboolean
check_name(const char *name, const char *what, GError **error)
{
	return *name != '\0' ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "the request has no %s", what);
}

static gboolean
send_mounts(CamGrpcServerCall *call, GPtrArray *mounts, GError **error)
{
	Cam__Snapshots__MountsResponse *answer;
	gboolean sent;

	if (mounts == NULL)
		return FALSE;
	answer = g_new(Cam__Snapshots__MountsResponse, 1);
	cam__snapshots__mounts_response__init(answer);
	answer->mounts = cam_mount_messages_new(mounts, &answer->n_mounts);
	sent = cam_grpc_server_call_send(call, answer, error);
	cam_wire_free(answer);
	return sent;
}

static gboolean
send_info(CamGrpcServerCall *call, const CamSnapshotInfo *info, GError **error)
{
	Cam__Snapshots__InfoResponse *answer;
	gboolean sent;

	if (info == NULL)
		return FALSE;
	answer = g_new(Cam__Snapshots__InfoResponse, 1);
	cam__snapshots__info_response__init(answer);
	answer->info = cam_snapshot_message_new(info);
	sent = cam_grpc_server_call_send(call, answer, error);
	cam_wire_free(answer);
	return sent;
}

/* (transfer full): NULL for labels that are too long */
static GHashTable *
take_labels(gsize n, Cam__Types__Entry *const *labels, GError **error)
{
	return cam_wire_check_labels(n, labels, error) ? cam_wire_table_from_entries(n, labels)
						       : NULL;
}

typedef GPtrArray *(*Create)(CamSnapshotter *snapshotter, const char *key, const char *parent,
			     GHashTable *labels, GCancellable *cancellable, GError **error);

/* What Prepare and View have in common; @gate: (nullable) */
static gboolean
create(CamGrpcServerCall *call, const Cam__Snapshots__PrepareRequest *r, const Service *self,
       Create make, const CamSnapshotGate *gate, GError **error)
{
	g_autoptr(GHashTable) labels = take_labels(r->n_labels, r->labels, error);
	g_autoptr(GPtrArray) mounts = NULL;

	if (labels == NULL || !check_name(r->key, "key", error))
		return FALSE;
	if (gate != NULL && gate->check != NULL &&
	    !gate->check(r->key, r->parent, labels, gate->user_data, error))
		return FALSE;
	mounts = make(self->snapshotter, r->key, r->parent, labels,
		      cam_grpc_server_call_get_cancellable(call), error);
	return send_mounts(call, mounts, error);
}

static gboolean
prepare(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	const Service *self = user_data;

	return create(call, request, self, cam_snapshotter_prepare, &self->gate, error);
}

static gboolean
view(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	return create(call, request, user_data, cam_snapshotter_view, NULL, error);
}

static gboolean
mounts_of(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__KeyRequest *r = request;
	g_autoptr(GPtrArray) mounts = cam_snapshotter_mounts(
		self->snapshotter, r->key, cam_grpc_server_call_get_cancellable(call), error);

	return send_mounts(call, mounts, error);
}

static gboolean
commit(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__CommitRequest *r = request;
	g_autoptr(GHashTable) labels = take_labels(r->n_labels, r->labels, error);

	return labels != NULL && check_name(r->name, "name", error) &&
	       cam_snapshotter_commit(self->snapshotter, r->name, r->key,
				      *r->parent != '\0' ? r->parent : NULL, labels, error);
}

static gboolean
remove_one(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__KeyRequest *r = request;

	return cam_snapshotter_remove(self->snapshotter, r->key, error);
}

static gboolean
stat_one(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__KeyRequest *r = request;
	g_autoptr(CamSnapshotInfo) info = cam_snapshotter_stat(self->snapshotter, r->key, error);

	return send_info(call, info, error);
}

/* (transfer full): NULL-terminated */
static char **
take_strings(gsize n, char *const *strings)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (gsize i = 0; i < n; i++)
		g_strv_builder_add(builder, strings[i]);
	return g_strv_builder_end(builder);
}

static gboolean
update(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__UpdateRequest *r = request;
	g_autoptr(GHashTable) labels = NULL;
	g_auto(GStrv) paths = NULL;
	g_autoptr(CamSnapshotInfo) info = NULL;

	if (r->info == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "the request has no info");
	labels = take_labels(r->info->n_labels, r->info->labels, error);
	if (labels == NULL)
		return FALSE;
	if (r->update_mask != NULL)
		paths = take_strings(r->update_mask->n_paths, r->update_mask->paths);
	info = cam_snapshotter_update(self->snapshotter, r->info->name, labels,
				      (const char *const *) paths, error);
	return send_info(call, info, error);
}

static gboolean
send_batch(CamGrpcServerCall *call, GPtrArray *infos, guint from, guint n, GError **error)
{
	Cam__Snapshots__ListResponse *answer = g_new(Cam__Snapshots__ListResponse, 1);
	gboolean sent;

	cam__snapshots__list_response__init(answer);
	answer->info = g_new(Cam__Snapshots__Info *, n);
	answer->n_info = n;
	for (guint i = 0; i < n; i++)
		answer->info[i] = cam_snapshot_message_new(g_ptr_array_index(infos, from + i));
	sent = cam_grpc_server_call_send(call, answer, error);
	cam_wire_free(answer);
	return sent;
}

static gboolean
list(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__ListRequest *r = request;
	g_auto(GStrv) filters = take_strings(r->n_filters, r->filters);
	g_autoptr(GPtrArray) infos =
		cam_snapshotter_list(self->snapshotter, (const char *const *) filters, error);

	if (infos == NULL)
		return FALSE;
	for (guint from = 0; from < infos->len; from += LIST_BATCH) {
		if (!send_batch(call, infos, from, MIN(infos->len - from, LIST_BATCH), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
usage(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Snapshots__KeyRequest *r = request;
	Cam__Snapshots__UsageResponse answer = CAM__SNAPSHOTS__USAGE_RESPONSE__INIT;
	guint64 size, inodes;

	if (!cam_snapshotter_usage(self->snapshotter, r->key, &size, &inodes,
				   cam_grpc_server_call_get_cancellable(call), error))
		return FALSE;
	answer.size = (gint64) size;
	answer.inodes = (gint64) inodes;
	return cam_grpc_server_call_send(call, &answer, error);
}

static gboolean
cleanup(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;

	return cam_snapshotter_cleanup(self->snapshotter,
				       cam_grpc_server_call_get_cancellable(call), error);
}

static const CamGrpcMethod methods[] = {
	{ PATH "Prepare", &cam__snapshots__prepare_request__descriptor, prepare, FALSE },
	{ PATH "View", &cam__snapshots__prepare_request__descriptor, view, FALSE },
	{ PATH "Mounts", &cam__snapshots__key_request__descriptor, mounts_of, FALSE },
	{ PATH "Commit", &cam__snapshots__commit_request__descriptor, commit, FALSE },
	{ PATH "Remove", &cam__snapshots__key_request__descriptor, remove_one, FALSE },
	{ PATH "Stat", &cam__snapshots__key_request__descriptor, stat_one, FALSE },
	{ PATH "Update", &cam__snapshots__update_request__descriptor, update, FALSE },
	{ PATH "List", &cam__snapshots__list_request__descriptor, list, TRUE },
	{ PATH "Usage", &cam__snapshots__key_request__descriptor, usage, FALSE },
	{ PATH "Cleanup", &cam__snapshots__cleanup_request__descriptor, cleanup, FALSE },
	{ NULL },
};

void
cam_snapshots_service_add(CamGrpcServer *server, CamSnapshotter *snapshotter,
			  const CamSnapshotGate *gate)
{
	Service *self = g_new0(Service, 1);

	self->snapshotter = g_object_ref(snapshotter);
	if (gate != NULL)
		self->gate = *gate;
	cam_grpc_server_add_service(server, methods, self, service_free);
}
