/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots and mounts between what the snapshotter says and what goes over the wire. */
#include "plugin/containerd/snapshot-messages.h"

G_STATIC_ASSERT((int) CAM_SNAPSHOT_VIEW == (int) CAM__SNAPSHOTS__KIND__VIEW);
G_STATIC_ASSERT((int) CAM_SNAPSHOT_ACTIVE == (int) CAM__SNAPSHOTS__KIND__ACTIVE);
G_STATIC_ASSERT((int) CAM_SNAPSHOT_COMMITTED == (int) CAM__SNAPSHOTS__KIND__COMMITTED);

Cam__Snapshots__Info *
cam_snapshot_message_new(const CamSnapshotInfo *info)
{
	Cam__Snapshots__Info *message = g_new(Cam__Snapshots__Info, 1);

	cam__snapshots__info__init(message);
	message->name = g_strdup(info->name);
	message->parent = g_strdup(info->parent);
	message->kind = (Cam__Snapshots__Kind) info->kind;
	message->created_at = cam_wire_timestamp_new(info->created);
	message->updated_at = cam_wire_timestamp_new(info->updated);
	message->labels = cam_wire_entries_from_table(info->labels, &message->n_labels);
	return message;
}

static Cam__Types__Mount *
mount_message_new(const CamSnapshotMount *mount)
{
	Cam__Types__Mount *message = g_new(Cam__Types__Mount, 1);

	cam__types__mount__init(message);
	message->type = g_strdup(mount->type);
	message->source = g_strdup(mount->source);
	message->target = g_strdup(mount->target != NULL ? mount->target : "");
	message->options =
		cam_wire_strings_copy((const char *const *) mount->options, &message->n_options);
	return message;
}

Cam__Types__Mount **
cam_mount_messages_new(const GPtrArray *mounts, gsize *n)
{
	Cam__Types__Mount **messages = g_new(Cam__Types__Mount *, mounts->len);

	*n = mounts->len;
	for (guint i = 0; i < mounts->len; i++)
		messages[i] = mount_message_new(g_ptr_array_index(mounts, i));
	return messages;
}

GPtrArray *
cam_mount_messages_get(gsize n, Cam__Types__Mount *const *messages)
{
	GPtrArray *mounts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_mount_free);

	for (gsize i = 0; i < n; i++) {
		const Cam__Types__Mount *message = messages[i];
		g_autoptr(GStrvBuilder) options = g_strv_builder_new();
		g_auto(GStrv) strings = NULL;
		CamSnapshotMount *mount;

		for (gsize j = 0; j < message->n_options; j++)
			g_strv_builder_add(options, message->options[j]);
		strings = g_strv_builder_end(options);
		mount = cam_snapshot_mount_new(message->type, message->source,
					       (const char *const *) strings);
		g_free(mount->target);
		mount->target = g_strdup(message->target);
		g_ptr_array_add(mounts, mount);
	}
	return mounts;
}
