/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading archives through libarchive. Owns the translation between libarchive's callbacks and GIO
 * streams, and the locale that libarchive sees. Writing is archive-writer.c; layers are not read
 * here.
 */
#include "snapshotter/base/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>

#include "snapshotter/base/archive-private.h"
#include "snapshotter/base/fd.h"

#define READ_BUFFER_SIZE (128 * 1024)

typedef struct {
	GInputStream parent_instance;
	CamArchive *archive; /* NULL once the archive has moved on or is closed */
	CamArchive
		*owned_archive; /* the archive itself, where the stream is all that is left of it */
} CamArchiveStream;

typedef struct {
	GInputStreamClass parent_class;
} CamArchiveStreamClass;

struct _CamArchive {
	struct archive *reader;
	GInputStream *base;
	char *buffer;
	GCancellable *cancellable; /* of the call that is running; transfer none */
	GError *base_error;	   /* why @base failed, if it did */
	CamArchiveEntry entry;
	gboolean ended;
	CamArchiveStream *stream; /* over the current entry, if anybody asked; not owned */
};

GType cam_archive_stream_get_type(void);
G_DEFINE_TYPE(CamArchiveStream, cam_archive_stream, G_TYPE_INPUT_STREAM)

/*
 * libarchive converts names between the archive's charset and that of the thread's locale; in the C
 * locale a non-ASCII name in a pax header or zip is lost. A UTF-8 locale for this thread, and only
 * while libarchive runs, makes the conversion the identity.
 */
locale_t
cam_archive_locale_enter(void)
{
	static gsize utf8;

	if (g_once_init_enter(&utf8)) {
		locale_t created = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);

		g_once_init_leave(&utf8, created != (locale_t) 0 ? (gsize) created
								 : (gsize) LC_GLOBAL_LOCALE);
	}
	return uselocale((locale_t) utf8);
}

void
cam_archive_locale_leave(locale_t previous)
{
	uselocale(previous);
}

static la_ssize_t
base_read(struct archive *reader, void *user_data, const void **buffer)
{
	CamArchive *self = user_data;
	gssize n =
		g_input_stream_read(self->base, self->buffer, READ_BUFFER_SIZE, self->cancellable,
				    self->base_error != NULL ? NULL : &self->base_error);

	if (n < 0) {
		archive_set_error(reader, EIO, "cannot read the archive");
		return ARCHIVE_FATAL;
	}
	*buffer = self->buffer;
	return n;
}

static la_int64_t
base_skip(struct archive *reader, void *user_data, la_int64_t request)
{
	CamArchive *self = user_data;
	goffset before;

	if (!G_IS_SEEKABLE(self->base) || !g_seekable_can_seek(G_SEEKABLE(self->base)))
		return 0; /* libarchive then reads and throws away */
	before = g_seekable_tell(G_SEEKABLE(self->base));
	if (!g_seekable_seek(G_SEEKABLE(self->base), request, G_SEEK_CUR, self->cancellable, NULL))
		return 0;
	return g_seekable_tell(G_SEEKABLE(self->base)) - before;
}

static la_int64_t
base_seek(struct archive *reader, void *user_data, la_int64_t offset, int whence)
{
	CamArchive *self = user_data;
	GSeekType type = whence == SEEK_SET   ? G_SEEK_SET
			 : whence == SEEK_CUR ? G_SEEK_CUR
					      : G_SEEK_END;

	if (!g_seekable_seek(G_SEEKABLE(self->base), offset, type, self->cancellable,
			     self->base_error != NULL ? NULL : &self->base_error)) {
		archive_set_error(reader, EIO, "cannot seek in the archive");
		return ARCHIVE_FATAL;
	}
	return g_seekable_tell(G_SEEKABLE(self->base));
}

/* Always FALSE. The base stream's own error says more than libarchive's about it. */
static gboolean
reader_failed(CamArchive *self, CamError code, const char *context, GError **error)
{
	const char *text = archive_error_string(self->reader);

	if (self->base_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&self->base_error));
		return cam_error_translate(error, "%s", context);
	}
	if (archive_errno(self->reader) == ENOMEM)
		code = CAM_ERROR_RESOURCE_EXHAUSTED;
	return cam_set_error(error, code, "%s: %s", context,
			     text != NULL ? text : "the archive is damaged");
}

/* Only what libarchive does within this process: "all" would start programs such as lrzip. */
static void
support_filters(struct archive *reader)
{
	archive_read_support_filter_gzip(reader);
	archive_read_support_filter_bzip2(reader);
	archive_read_support_filter_xz(reader);
	archive_read_support_filter_lzma(reader);
	archive_read_support_filter_zstd(reader);
	archive_read_support_filter_lz4(reader);
}

static void
support_formats(struct archive *reader)
{
	archive_read_support_format_empty(reader);
	archive_read_support_format_tar(reader);
	archive_read_support_format_ar(reader);
	archive_read_support_format_cpio(reader);
	archive_read_support_format_zip(reader);
}

/* Whatever it is, as one entry: for single compressed files. */
static void
support_raw(struct archive *reader)
{
	archive_read_support_format_empty(reader);
	archive_read_support_format_raw(reader);
}

static CamArchive *
open_reader(GInputStream *base, void (*support)(struct archive *), GError **error)
{
	g_autoptr(CamArchive) self = g_new0(CamArchive, 1);
	locale_t previous = cam_archive_locale_enter();
	int result;

	self->base = g_object_ref(base);
	self->buffer = g_malloc(READ_BUFFER_SIZE);
	self->reader = archive_read_new();
	support_filters(self->reader);
	support(self->reader);
	archive_read_set_callback_data(self->reader, self);
	archive_read_set_read_callback(self->reader, base_read);
	archive_read_set_skip_callback(self->reader, base_skip);
	if (G_IS_SEEKABLE(base) && g_seekable_can_seek(G_SEEKABLE(base)))
		archive_read_set_seek_callback(self->reader, base_seek);
	result = archive_read_open1(self->reader);
	cam_archive_locale_leave(previous);
	if (result < ARCHIVE_WARN) {
		reader_failed(self, CAM_ERROR_INVALID_ARGUMENT, "cannot open the archive", error);
		return NULL;
	}
	return g_steal_pointer(&self);
}

CamArchive *
cam_archive_open_stream(GInputStream *base, GError **error)
{
	g_return_val_if_fail(G_IS_INPUT_STREAM(base), NULL);

	return open_reader(base, support_formats, error);
}

/* GIO has no stream of a descriptor that can seek: what is open is opened once more. */
static GInputStream *
open_regular(const char *path, GError **error)
{
	g_auto(CamFd) fd = cam_open_regular_at(AT_FDCWD, path, error);
	g_autofree char *proc = g_strdup_printf("/proc/self/fd/%d", fd);
	g_autoptr(GFile) file = g_file_new_for_path(proc);
	GFileInputStream *stream = fd >= 0 ? g_file_read(file, NULL, error) : NULL;

	if (fd >= 0 && stream == NULL)
		cam_error_translate(error, "cannot open %s", path);
	return stream != NULL ? G_INPUT_STREAM(stream) : NULL;
}

CamArchive *
cam_archive_open_file(const char *path, GError **error)
{
	g_autoptr(GInputStream) stream = open_regular(path, error);
	CamArchive *self = stream != NULL ? cam_archive_open_stream(stream, error) : NULL;

	if (stream == NULL)
		return NULL;
	if (self == NULL)
		cam_error_translate(error, "%s", path);
	return self;
}

static void
forget_stream(CamArchive *self)
{
	if (self->stream != NULL)
		self->stream->archive = NULL;
	self->stream = NULL;
}

void
cam_archive_close(CamArchive *self)
{
	locale_t previous;

	if (self == NULL)
		return;
	forget_stream(self);
	previous = cam_archive_locale_enter();
	archive_read_free(self->reader);
	cam_archive_locale_leave(previous);
	g_clear_error(&self->base_error);
	g_clear_object(&self->base);
	g_free(self->buffer);
	g_free(self);
}

static CamArchiveEntryType
entry_type(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) != NULL)
		return CAM_ARCHIVE_HARDLINK;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return CAM_ARCHIVE_FILE;
	case AE_IFDIR:
		return CAM_ARCHIVE_DIRECTORY;
	case AE_IFLNK:
		return CAM_ARCHIVE_SYMLINK;
	default: /* libarchive's numbers, not an enum of ours */
		return CAM_ARCHIVE_OTHER;
	}
}

static void
fill_entry(CamArchiveEntry *out, struct archive_entry *entry)
{
	out->path = archive_entry_pathname(entry);
	out->type = entry_type(entry);
	out->link_target = out->type == CAM_ARCHIVE_HARDLINK  ? archive_entry_hardlink(entry)
			   : out->type == CAM_ARCHIVE_SYMLINK ? archive_entry_symlink(entry)
							      : NULL;
	out->size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
	out->mode = archive_entry_perm(entry);
	out->uid = archive_entry_uid(entry);
	out->gid = archive_entry_gid(entry);
	out->mtime = archive_entry_mtime(entry);
}

const CamArchiveEntry *
cam_archive_next(CamArchive *self, GCancellable *cancellable, GError **error)
{
	struct archive_entry *entry = NULL;
	locale_t previous;
	int result;

	g_return_val_if_fail(self != NULL, NULL);

	forget_stream(self);
	self->cancellable = cancellable;
	previous = cam_archive_locale_enter();
	result = archive_read_next_header(self->reader, &entry);
	if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
		fill_entry(&self->entry, entry);
	cam_archive_locale_leave(previous);
	self->cancellable = NULL;

	self->ended = result == ARCHIVE_EOF;
	if (self->ended)
		return NULL;
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
		/* The first header is where libarchive finds that no format fits. */
		gboolean no_format = archive_format(self->reader) == 0;

		reader_failed(self, no_format ? CAM_ERROR_INVALID_ARGUMENT : CAM_ERROR_DATA_LOSS,
			      "cannot read the archive", error);
		return NULL;
	}
	/* A nameless entry would be a silent gap in what the caller sees. */
	if (self->entry.path == NULL) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "cannot read the archive: an entry has no readable name");
		return NULL;
	}
	return &self->entry;
}

static gssize
archive_read_some(CamArchive *self, void *buffer, gsize size, GCancellable *cancellable,
		  GError **error)
{
	locale_t previous;
	la_ssize_t n;

	if (self->ended)
		return 0;
	if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
		cam_error_translate(error, NULL);
		return -1;
	}
	previous = cam_archive_locale_enter();
	self->cancellable = cancellable;
	n = archive_read_data(self->reader, buffer, size);
	self->cancellable = NULL;
	cam_archive_locale_leave(previous);
	if (n < 0) {
		reader_failed(self, CAM_ERROR_DATA_LOSS, "cannot read the archive", error);
		return -1;
	}
	return n;
}

gboolean
cam_archive_is_compressed(CamArchive *self)
{
	/* The last one is no filter but the file itself. */
	return archive_filter_count(self->reader) > 1;
}

GInputStream *
cam_archive_entry_stream(CamArchive *self)
{
	g_return_val_if_fail(self != NULL, NULL);

	forget_stream(self);
	self->stream = g_object_new(cam_archive_stream_get_type(), NULL);
	self->stream->archive = self;
	return G_INPUT_STREAM(self->stream);
}

GBytes *
cam_archive_entry_bytes(CamArchive *self, gsize max_size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	g_autofree char *chunk = g_malloc(READ_BUFFER_SIZE);
	gssize n;

	g_return_val_if_fail(self != NULL, NULL);

	max_size = MIN(max_size, G_MAXINT32); /* what a GByteArray can hold */

	while ((n = archive_read_some(self, chunk, READ_BUFFER_SIZE, cancellable, error)) > 0) {
		if ((gsize) n > max_size - content->len) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "%s is larger than the %" G_GSIZE_FORMAT " bytes allowed",
				      self->entry.path, max_size);
			return NULL;
		}
		g_byte_array_append(content, (const guint8 *) chunk, n);
	}
	return n < 0 ? NULL : g_byte_array_free_to_bytes(g_steal_pointer(&content));
}

GInputStream *
cam_archive_decompress_stream_new(GInputStream *base, GError **error)
{
	g_autoptr(CamArchive) self = NULL;
	g_autoptr(GError) local_error = NULL;
	GInputStream *stream;

	g_return_val_if_fail(G_IS_INPUT_STREAM(base), NULL);

	self = open_reader(base, support_raw, error);
	if (self == NULL)
		return NULL;
	/* No entry without an error is an empty file. */
	cam_archive_next(self, NULL, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	stream = cam_archive_entry_stream(self);
	self->stream->owned_archive = g_steal_pointer(&self);
	return stream;
}

static gssize
cam_archive_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
			GError **error)
{
	CamArchiveStream *self = (CamArchiveStream *) stream;

	if (self->archive == NULL) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			      "the archive has moved on to another entry");
		return -1;
	}
	return archive_read_some(self->archive, buffer, count, cancellable, error);
}

static void
cam_archive_stream_finalize(GObject *object)
{
	CamArchiveStream *self = (CamArchiveStream *) object;

	if (self->archive != NULL)
		self->archive->stream = NULL;
	cam_archive_close(self->owned_archive);
	G_OBJECT_CLASS(cam_archive_stream_parent_class)->finalize(object);
}

static void
cam_archive_stream_class_init(CamArchiveStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_archive_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_archive_stream_read;
}

static void
cam_archive_stream_init(CamArchiveStream *self)
{
}
