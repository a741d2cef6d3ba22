/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random access to archives that are made to be read from front to back. Owns the table of
 * contents; small members, which documents are, are kept in memory with it.
 */
#include "snapshotter/transport/archive-members.h"

#include <string.h>

#include "snapshotter/base/archive.h"
#include "snapshotter/transport/stream-bytes.h"

#define MAX_MEMBERS    100000
#define MAX_KEPT       (256 * 1024)	  /* of one member */
#define MAX_KEPT_TOTAL (16 * 1024 * 1024) /* of all together */
#define MAX_LINKS      8

typedef struct {
	guint ordinal; /* of the entry in the archive */
	gint64 size;
	char *target;  /* (nullable): of a link, as a name in the archive */
	GBytes *bytes; /* (nullable): if kept */
} Member;

struct _CamArchiveMembers {
	char *path;
	GHashTable *members; /* name → Member */
	gsize kept;
};

static void
member_free(Member *self)
{
	g_free(self->target);
	g_clear_pointer(&self->bytes, g_bytes_unref);
	g_free(self);
}

/* "./a//b" → "a/b"; (nullable) for what is no name below the root. */
static char *
clean_name(const char *directory, const char *path)
{
	g_autofree char *joined = directory != NULL && path[0] != '/'
					  ? g_strjoin("/", directory, path, NULL)
					  : g_strdup(path);
	g_auto(GStrv) components = g_strsplit(joined, "/", -1);
	g_autoptr(GPtrArray) cleaned = g_ptr_array_new();

	for (gsize i = 0; components[i] != NULL; i++) {
		if (components[i][0] == '\0' || g_str_equal(components[i], "."))
			continue;
		if (!g_str_equal(components[i], "..")) {
			g_ptr_array_add(cleaned, components[i]);
			continue;
		}
		if (cleaned->len == 0)
			return NULL;
		g_ptr_array_set_size(cleaned, (gint) cleaned->len - 1);
	}
	if (cleaned->len == 0)
		return NULL;
	g_ptr_array_add(cleaned, NULL);
	return g_strjoinv("/", (char **) cleaned->pdata);
}

/* (nullable): for entries that are neither files nor links */
static Member *
member_new(const CamArchiveEntry *entry, const char *name, guint ordinal)
{
	g_autofree char *directory = g_path_get_dirname(name);
	g_autofree char *target = NULL;
	Member *member;

	switch (entry->type) {
	case CAM_ARCHIVE_FILE:
		break;
	case CAM_ARCHIVE_SYMLINK:
		target = clean_name(directory, entry->link_target);
		break;
	case CAM_ARCHIVE_HARDLINK:
		target = clean_name(NULL, entry->link_target);
		break;
	case CAM_ARCHIVE_DIRECTORY:
	case CAM_ARCHIVE_OTHER:
		return NULL;
	}
	if (entry->type != CAM_ARCHIVE_FILE && target == NULL)
		return NULL;
	member = g_new0(Member, 1);
	member->ordinal = ordinal;
	member->size = entry->size;
	member->target = g_steal_pointer(&target);
	return member;
}

static gboolean
keep_small(CamArchiveMembers *self, CamArchive *archive, Member *member, GCancellable *cancellable,
	   GError **error)
{
	if (member->target != NULL || member->size < 0 || member->size > MAX_KEPT ||
	    self->kept + (gsize) member->size > MAX_KEPT_TOTAL)
		return TRUE;
	member->bytes = cam_archive_entry_bytes(archive, MAX_KEPT, cancellable, error);
	if (member->bytes == NULL)
		return FALSE;
	self->kept += g_bytes_get_size(member->bytes);
	return TRUE;
}

static gboolean
read_table(CamArchiveMembers *self, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamArchive) archive = cam_archive_open_file(self->path, error);
	g_autoptr(GError) local = NULL;
	const CamArchiveEntry *entry;
	guint ordinal = 0;

	if (archive == NULL)
		return FALSE;
	while ((entry = cam_archive_next(archive, cancellable, &local)) != NULL) {
		g_autofree char *name = clean_name(NULL, entry->path);
		Member *member = name != NULL ? member_new(entry, name, ordinal) : NULL;

		if (++ordinal > MAX_MEMBERS) {
			if (member != NULL)
				member_free(member);
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "it has more than %d members", MAX_MEMBERS);
		}
		if (member == NULL)
			continue;
		/* As with tar, the last of one name counts. */
		g_hash_table_replace(self->members, g_steal_pointer(&name), member);
		if (!keep_small(self, archive, member, cancellable, error))
			return FALSE;
	}
	if (local == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

CamArchiveMembers *
cam_archive_members_open(const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamArchiveMembers) self = g_new0(CamArchiveMembers, 1);

	self->path = g_strdup(path);
	self->members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify) member_free);
	if (!read_table(self, cancellable, error)) {
		cam_error_translate(error, "%s", path);
		return NULL;
	}
	return g_steal_pointer(&self);
}

void
cam_archive_members_close(CamArchiveMembers *self)
{
	if (self == NULL)
		return;
	g_free(self->path);
	g_hash_table_unref(self->members);
	g_free(self);
}

/* (nullable): behind all links */
static const Member *
find(CamArchiveMembers *self, const char *name)
{
	g_autofree char *cleaned = clean_name(NULL, name);
	const Member *member = cleaned != NULL ? g_hash_table_lookup(self->members, cleaned) : NULL;

	for (guint i = 0; i < MAX_LINKS && member != NULL && member->target != NULL; i++)
		member = g_hash_table_lookup(self->members, member->target);
	return member != NULL && member->target == NULL ? member : NULL;
}

gboolean
cam_archive_members_has(CamArchiveMembers *self, const char *name)
{
	return find(self, name) != NULL;
}

gint64
cam_archive_members_get_size(CamArchiveMembers *self, const char *name)
{
	const Member *member = find(self, name);

	return member != NULL ? member->size : -1;
}

/* The stream takes the archive along: closing that is the last thing it does. */
static GInputStream *
open_ordinal(CamArchiveMembers *self, guint ordinal, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamArchive) archive = cam_archive_open_file(self->path, error);
	GInputStream *stream;

	if (archive == NULL)
		return NULL;
	for (guint i = 0; i <= ordinal; i++) {
		g_autoptr(GError) local = NULL;

		if (cam_archive_next(archive, cancellable, &local) != NULL)
			continue;
		if (local != NULL)
			g_propagate_error(error, g_steal_pointer(&local));
		else
			cam_set_error(error, CAM_ERROR_ABORTED, "%s was changed while it was read",
				      self->path);
		return NULL;
	}
	stream = cam_archive_entry_stream(archive);
	g_object_set_data_full(G_OBJECT(stream), "cambium-archive", g_steal_pointer(&archive),
			       (GDestroyNotify) cam_archive_close);
	return stream;
}

GInputStream *
cam_archive_members_open_member(CamArchiveMembers *self, const char *name,
				GCancellable *cancellable, GError **error)
{
	const Member *member = find(self, name);

	if (member == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "%s holds no %s", self->path, name);
		return NULL;
	}
	if (member->bytes != NULL)
		return g_memory_input_stream_new_from_bytes(member->bytes);
	return open_ordinal(self, member->ordinal, cancellable, error);
}

GBytes *
cam_archive_members_read(CamArchiveMembers *self, const char *name, gsize max_size,
			 GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream =
		cam_archive_members_open_member(self, name, cancellable, error);

	if (stream == NULL)
		return NULL;
	return cam_stream_read_bytes(stream, max_size, name, cancellable, error);
}
