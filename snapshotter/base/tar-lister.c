/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libarchive's reading of a tar's headers, through callbacks that may leave contents out. */
#include "snapshotter/base/tar-lister.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "snapshotter/base/archive-private.h"

struct _CamTarLister {
	struct archive *reader;
	const CamTarListerSource *source;
	gpointer user_data;
	GError *source_error;
	CamTarListEntry entry;
};

static la_ssize_t
source_read(struct archive *reader, void *user_data, const void **buffer)
{
	CamTarLister *self = user_data;
	gssize n;

	if (self->source_error != NULL)
		return ARCHIVE_FATAL;
	n = self->source->read(self->user_data, buffer, &self->source_error);
	if (n >= 0)
		return n;
	archive_set_error(reader, EIO, "cannot read");
	return ARCHIVE_FATAL;
}

static la_int64_t
source_skip(struct archive *reader, void *user_data, la_int64_t request)
{
	CamTarLister *self = user_data;

	return self->source->skip(self->user_data, request);
}

static gboolean
open_reader(CamTarLister *self)
{
	struct archive *reader = self->reader;

	return archive_read_support_filter_none(reader) == ARCHIVE_OK &&
	       archive_read_support_format_tar(reader) == ARCHIVE_OK &&
	       archive_read_support_format_empty(reader) == ARCHIVE_OK &&
	       archive_read_set_read_callback(reader, source_read) == ARCHIVE_OK &&
	       archive_read_set_skip_callback(reader, source_skip) == ARCHIVE_OK &&
	       archive_read_set_callback_data(reader, self) == ARCHIVE_OK &&
	       archive_read_open1(reader) == ARCHIVE_OK;
}

static gboolean
set_error(CamTarLister *self, GError **error)
{
	const char *text = archive_error_string(self->reader);

	if (self->source_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&self->source_error));
		return FALSE;
	}
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s",
			     text != NULL ? text : "malformed");
}

CamTarLister *
cam_tar_lister_new(const CamTarListerSource *source, gpointer user_data, GError **error)
{
	g_autoptr(CamTarLister) self = g_new0(CamTarLister, 1);
	locale_t previous = cam_archive_locale_enter();
	gboolean ok;

	self->source = source;
	self->user_data = user_data;
	self->reader = archive_read_new();
	ok = open_reader(self) || set_error(self, error);
	cam_archive_locale_leave(previous);
	return ok ? g_steal_pointer(&self) : NULL;
}

void
cam_tar_lister_free(CamTarLister *self)
{
	archive_read_free(self->reader);
	g_clear_error(&self->source_error);
	g_free(self);
}

static char
type_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) != NULL)
		return '1';
	switch (archive_entry_filetype(entry)) {
	case AE_IFLNK:
		return '2';
	case AE_IFCHR:
		return '3';
	case AE_IFBLK:
		return '4';
	case AE_IFDIR:
		return '5';
	case AE_IFIFO:
		return '6';
	default:
		return '0';
	}
}

const CamTarListEntry *
cam_tar_lister_next(CamTarLister *self, GError **error)
{
	locale_t previous = cam_archive_locale_enter();
	struct archive_entry *entry;
	int code;

	do
		code = archive_read_next_header(self->reader, &entry);
	while (code == ARCHIVE_RETRY);
	cam_archive_locale_leave(previous);
	if (code == ARCHIVE_EOF)
		return NULL;
	if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
		set_error(self, error);
		return NULL;
	}
	self->entry = (CamTarListEntry){
		.path = archive_entry_pathname(entry),
		.type = type_of(entry),
		.mode = archive_entry_perm(entry) & 07777,
		.uid = (guint32) archive_entry_uid(entry),
		.gid = (guint32) archive_entry_gid(entry),
		.size = (guint64) archive_entry_size(entry),
	};
	self->entry.link_target = self->entry.type == '1' ? archive_entry_hardlink(entry)
							  : archive_entry_symlink(entry);
	return &self->entry;
}
