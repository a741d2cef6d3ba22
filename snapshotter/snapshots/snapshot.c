/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values that speak of snapshots: what is known of one, and how it is mounted.
 */
#include "snapshotter/snapshots/snapshot.h"

#include <string.h>

void
cam_snapshot_info_free(CamSnapshotInfo *self)
{
	if (!self)
		return;
	g_free(self->name);
	g_free(self->parent);
	g_clear_pointer(&self->labels, g_hash_table_unref);
	g_free(self);
}

CamSnapshotMount *
cam_snapshot_mount_new(const char *type, const char *source, const char *const *options)
{
	CamSnapshotMount *self = g_new0(CamSnapshotMount, 1);

	self->type = g_strdup(type);
	self->source = g_strdup(source);
	self->target = g_strdup("");
	self->options = g_strdupv((char **) options);
	return self;
}

void
cam_snapshot_mount_free(CamSnapshotMount *self)
{
	if (!self)
		return;
	g_free(self->type);
	g_free(self->source);
	g_free(self->target);
	g_strfreev(self->options);
	g_free(self);
}

gboolean
cam_snapshot_mount_equal(const CamSnapshotMount *a, const CamSnapshotMount *b)
{
	return g_str_equal(a->type, b->type) && g_str_equal(a->source, b->source) &&
	       g_strv_equal((const char *const *) a->options, (const char *const *) b->options);
}

const char *
cam_snapshot_mount_get_option(const CamSnapshotMount *self, const char *name)
{
	gsize length = strlen(name);

	for (char **option = self->options; *option; option++)
		if (strncmp(*option, name, length) == 0 && (*option)[length] == '=')
			return *option + length + 1;
	return NULL;
}

const char *
cam_snapshot_key_name(const char *key)
{
	const char *number = strchr(key, '/');
	gsize digits = number ? strspn(number + 1, "0123456789") : 0;

	return digits > 0 && number[1 + digits] == '/' ? number + digits + 2 : key;
}

gboolean
cam_snapshot_key_is_extraction(const char *key)
{
	const char *name = cam_snapshot_key_name(key);

	return g_str_has_prefix(name, "extract-") && strstr(name, " sha256:");
}
