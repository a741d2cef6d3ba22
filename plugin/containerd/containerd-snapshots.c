/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking containerd for snapshots. Serving them is snapshots-service.c. */
#include "plugin/containerd/containerd-snapshots.h"

#include "plugin/containerd/containerd-private.h"
#include "proto/snapshots.pb-c.h"

static CamSnapshotInfo *
info_from_wire(const Cam__Snapshots__Info *wire)
{
	CamSnapshotInfo *self = g_new0(CamSnapshotInfo, 1);

	self->name = g_strdup(wire->name);
	self->parent = g_strdup(wire->parent);
	self->kind = (CamSnapshotKind) wire->kind;
	self->created = cam_wire_timestamp_get(wire->created_at);
	self->updated = cam_wire_timestamp_get(wire->updated_at);
	self->labels = cam_wire_table_from_entries(wire->n_labels, wire->labels);
	return self;
}

CamSnapshotInfo *
cam_containerd_stat_snapshot(CamContainerd *self, const char *name_space, const char *snapshotter,
			     const char *key, GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Snapshots__KeyRequest request = CAM__SNAPSHOTS__KEY_REQUEST__INIT;
	Cam__Snapshots__InfoResponse *answer;
	CamSnapshotInfo *info = NULL;

	request.snapshotter = (char *) snapshotter;
	request.key = (char *) key;
	answer = cam_containerd_call(self, &cam__snapshots__snapshots__descriptor, "Stat", &request,
				     &scope, cancellable, error);
	if (answer == NULL)
		return NULL;
	if (answer->info != NULL)
		info = info_from_wire(answer->info);
	else
		cam_set_error(error, CAM_ERROR_INTERNAL, "containerd answered without a snapshot");
	cam_wire_free(answer);
	return info;
}

GPtrArray *
cam_containerd_list_snapshots(CamContainerd *self, const char *name_space, const char *snapshotter,
			      const char *const *filters, GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Snapshots__ListRequest request = CAM__SNAPSHOTS__LIST_REQUEST__INIT;
	g_autoptr(GPtrArray) snapshots =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_info_free);
	g_autoptr(CamGrpcCall) call = NULL;
	gpointer message = NULL;

	request.snapshotter = (char *) snapshotter;
	request.filters = (char **) filters;
	request.n_filters = filters != NULL ? g_strv_length((char **) filters) : 0;
	call = cam_containerd_start(self, &cam__snapshots__snapshots__descriptor, "List", &request,
				    &scope, cancellable, error);
	if (call == NULL)
		return NULL;
	for (;;) {
		Cam__Snapshots__ListResponse *answer;

		if (!cam_containerd_receive(call, &cam__snapshots__list_response__descriptor,
					    &message, error))
			return NULL;
		answer = message;
		if (answer == NULL)
			return g_steal_pointer(&snapshots);
		for (gsize i = 0; i < answer->n_info; i++)
			g_ptr_array_add(snapshots, info_from_wire(answer->info[i]));
		cam_wire_free(answer);
	}
}
