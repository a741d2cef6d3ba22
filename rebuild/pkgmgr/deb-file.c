/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the form of a binary package: an ar archive of "debian-binary", "control.tar.*" and
 * "data.tar.*", in this order (deb(5)).
 */
#include "rebuild/pkgmgr/deb-file.h"

#include <string.h>

#define CONTROL_MEMBER_MAX (16 * 1024 * 1024)
#define CONTROL_MAX	   (64 * 1024 * 1024) /* of all members */

struct _CamDebFile {
	CamArchive *outer, *data;
	GInputStream *data_stream;
	GHashTable *control; /* (element-type utf8 GBytes) */
};

void
cam_deb_file_close(CamDebFile *self)
{
	if (!self)
		return;
	g_clear_pointer(&self->data, cam_archive_close);
	g_clear_object(&self->data_stream);
	g_clear_pointer(&self->outer, cam_archive_close);
	g_hash_table_unref(self->control);
	g_free(self);
}

/* The next member must be @prefix, perhaps with a suffix that says how it is compressed. */
static gboolean
next_member(CamDebFile *self, const char *prefix, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local = NULL;
	const CamArchiveEntry *entry = cam_archive_next(self->outer, cancellable, &local);

	if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!entry || !g_str_has_prefix(entry->path, prefix))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "it has no %s", prefix);
	return TRUE;
}

static gboolean
read_control(CamDebFile *self, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream = cam_archive_entry_stream(self->outer);
	g_autoptr(CamArchive) archive = cam_archive_open_stream(stream, error);
	g_autoptr(GError) local = NULL;
	const CamArchiveEntry *entry;
	gsize total = 0;

	if (!archive)
		return FALSE;
	while ((entry = cam_archive_next(archive, cancellable, &local))) {
		const char *name =
			g_str_has_prefix(entry->path, "./") ? entry->path + 2 : entry->path;

		if (entry->type != CAM_ARCHIVE_FILE || !*name || strchr(name, '/'))
			continue;

		g_autofree char *key = g_strdup(name);
		GBytes *bytes =
			cam_archive_entry_bytes(archive, CONTROL_MEMBER_MAX, cancellable, error);

		if (!bytes)
			return FALSE;
		total += g_bytes_get_size(bytes);
		g_hash_table_insert(self->control, g_steal_pointer(&key), bytes);
		if (total > CONTROL_MAX)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "its control archive is too large");
	}
	if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!g_hash_table_contains(self->control, "control"))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "it has no control file");
	return TRUE;
}

static gboolean
open_members(CamDebFile *self, const char *path, GCancellable *cancellable, GError **error)
{
	self->outer = cam_archive_open_file(path, error);
	if (!self->outer || !next_member(self, "debian-binary", cancellable, error) ||
	    !next_member(self, "control.tar", cancellable, error) ||
	    !read_control(self, cancellable, error) ||
	    !next_member(self, "data.tar", cancellable, error))
		return FALSE;
	self->data_stream = cam_archive_entry_stream(self->outer);
	self->data = cam_archive_open_stream(self->data_stream, error);
	return self->data != NULL;
}

CamDebFile *
cam_deb_file_open(const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamDebFile) self = g_new0(CamDebFile, 1);

	self->control = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify) g_bytes_unref);
	if (!open_members(self, path, cancellable, error)) {
		cam_error_translate(error, "cannot read package %s", path);
		return NULL;
	}
	return g_steal_pointer(&self);
}

GBytes *
cam_deb_file_get_control(CamDebFile *self, const char *name)
{
	return g_hash_table_lookup(self->control, name);
}

GHashTable *
cam_deb_file_list_control(CamDebFile *self)
{
	return self->control;
}

CamArchive *
cam_deb_file_get_data(CamDebFile *self)
{
	return self->data;
}
