/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random access to archives that are made to be read from front to back. Owns the table of
 * contents; small members, which documents are, are kept in memory with it.
 */
#include "snapshotter/transport/archive-members.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>

#include "snapshotter/base/archive.h"
#include "snapshotter/base/fd.h"
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
	CamFd spool;   /* its content, or -1 */
	guint8 head[CAM_ARCHIVE_HEAD_SIZE];
	gsize head_size;
} Member;

/* A pass through the archive. A stream over one of its entries keeps it busy. */
typedef struct {
	gint references, busy;
	CamArchive *archive;
	guint next; /* ordinal of the entry that comes next */
} Pass;

struct _CamArchiveMembers {
	char *path;
	GHashTable *members;  /* name → Member */
	GHashTable *expected; /* ordinal → Member, not owned */
	CamFd spool_dir;
	Pass *pass; /* (nullable): the newest */
	gsize kept;
};

static void
member_free(Member *self)
{
	g_free(self->target);
	g_clear_pointer(&self->bytes, g_bytes_unref);
	cam_fd_close(self->spool);
	g_free(self);
}

static void
pass_unref(Pass *self)
{
	if (self == NULL || !g_atomic_int_dec_and_test(&self->references))
		return;
	cam_archive_close(self->archive);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pass, pass_unref)

static Pass *
pass_ref(Pass *self)
{
	g_atomic_int_inc(&self->references);
	return self;
}

static Pass *
pass_new(const char *path, GError **error)
{
	CamArchive *archive = cam_archive_open_file(path, error);
	Pass *self;

	if (archive == NULL)
		return NULL;
	self = g_new0(Pass, 1);
	self->references = 1;
	self->archive = archive;
	return self;
}

static void
pass_release(gpointer data)
{
	Pass *self = data;

	g_atomic_int_set(&self->busy, FALSE);
	pass_unref(self);
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
	member->spool = -1;
	member->target = g_steal_pointer(&target);
	return member;
}

static gboolean
read_head(CamArchive *archive, Member *member, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) content = cam_archive_entry_stream(archive);

	return g_input_stream_read_all(content, member->head, sizeof member->head,
				       &member->head_size, cancellable, error) ||
	       cam_error_translate(error, NULL);
}

static gboolean
keep_small(CamArchiveMembers *self, CamArchive *archive, Member *member, GCancellable *cancellable,
	   GError **error)
{
	const void *bytes;
	gsize size;

	if (member->target != NULL)
		return TRUE;
	if (member->size < 0 || member->size > MAX_KEPT ||
	    self->kept + (gsize) member->size > MAX_KEPT_TOTAL)
		return read_head(archive, member, cancellable, error);
	member->bytes = cam_archive_entry_bytes(archive, MAX_KEPT, cancellable, error);
	if (member->bytes == NULL)
		return FALSE;
	bytes = g_bytes_get_data(member->bytes, &size);
	member->head_size = MIN(size, sizeof member->head);
	if (member->head_size > 0)
		memcpy(member->head, bytes, member->head_size);
	self->kept += size;
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
	self->expected = g_hash_table_new(NULL, NULL);
	self->spool_dir = -1;
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
	pass_unref(self->pass);
	cam_fd_close(self->spool_dir);
	g_free(self->path);
	g_hash_table_unref(self->expected);
	g_hash_table_unref(self->members);
	g_free(self);
}

/* (nullable): behind all links */
static Member *
find(CamArchiveMembers *self, const char *name)
{
	g_autofree char *cleaned = clean_name(NULL, name);
	Member *member = cleaned != NULL ? g_hash_table_lookup(self->members, cleaned) : NULL;

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

const guint8 *
cam_archive_members_get_head(CamArchiveMembers *self, const char *name, gsize *size)
{
	const Member *member = find(self, name);

	if (member == NULL)
		return NULL;
	*size = member->head_size;
	return member->head;
}

void
cam_archive_members_expect(CamArchiveMembers *self, const char *const *names, int dirfd)
{
	cam_fd_close(cam_fd_steal(&self->spool_dir));
	self->spool_dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	g_hash_table_remove_all(self->expected);
	for (gsize i = 0; names[i] != NULL; i++) {
		Member *member = find(self, names[i]);

		if (member != NULL && member->bytes == NULL)
			g_hash_table_insert(self->expected, GUINT_TO_POINTER(member->ordinal),
					    member);
	}
}

/* Keeps the current entry of @pass for later. */
static gboolean
spool(CamArchiveMembers *self, Pass *pass, Member *member, GCancellable *cancellable,
      GError **error)
{
	g_auto(CamFd) fd = openat(self->spool_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	g_autoptr(GInputStream) content = NULL;

	/* File systems without O_TMPFILE: it is read in a pass of its own. */
	if (fd < 0)
		return TRUE;
	content = cam_archive_entry_stream(pass->archive);
	if (!cam_stream_copy_to_fd(content, fd, cancellable, error))
		return cam_error_translate(error, "cannot keep a member of %s", self->path);
	member->spool = cam_fd_steal(&fd);
	return TRUE;
}

/* Goes on to the entry @ordinal, keeping what is expected on the way. */
static gboolean
advance(CamArchiveMembers *self, Pass *pass, guint ordinal, GCancellable *cancellable,
	GError **error)
{
	for (; pass->next <= ordinal; pass->next++) {
		g_autoptr(GError) local = NULL;
		Member *passed = g_hash_table_lookup(self->expected, GUINT_TO_POINTER(pass->next));

		if (cam_archive_next(pass->archive, cancellable, &local) == NULL) {
			if (local == NULL)
				return cam_set_error(error, CAM_ERROR_ABORTED,
						     "%s was changed while it was read",
						     self->path);
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
		if (passed != NULL && pass->next < ordinal && passed->spool < 0 &&
		    cam_archive_is_compressed(pass->archive) &&
		    !spool(self, pass, passed, cancellable, error))
			return FALSE;
	}
	return TRUE;
}

/* The stream takes the pass along, and the next one goes on with it. */
static GInputStream *
open_ordinal(CamArchiveMembers *self, guint ordinal, GCancellable *cancellable, GError **error)
{
	g_autoptr(Pass) pass = NULL;
	GInputStream *stream;

	if (self->pass != NULL && !g_atomic_int_get(&self->pass->busy) &&
	    self->pass->next <= ordinal)
		pass = pass_ref(self->pass);
	else
		pass = pass_new(self->path, error);
	if (pass == NULL || !advance(self, pass, ordinal, cancellable, error))
		return NULL;
	if (pass != self->pass) {
		pass_unref(self->pass);
		self->pass = pass_ref(pass);
	}
	g_atomic_int_set(&pass->busy, TRUE);
	stream = cam_archive_entry_stream(pass->archive);
	g_object_set_data_full(G_OBJECT(stream), "cambium-pass", g_steal_pointer(&pass),
			       pass_release);
	return stream;
}

static GInputStream *
open_spool(const Member *member, GError **error)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", member->spool);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return g_unix_input_stream_new(fd, TRUE);
	cam_set_error_errno(error, errno, "cannot read a temporary file");
	return NULL;
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
	if (member->spool >= 0)
		return open_spool(member, error);
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
