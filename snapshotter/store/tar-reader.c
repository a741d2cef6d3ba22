/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamTarReader: the sequence of blocks that make up a tar. Puts headers, GNU and pax extensions
 * and sparse maps together into entries, and tells every byte that is not content. The fields of
 * a header are tar-header.c's, extended headers tar-pax.c's.
 */
#include "snapshotter/store/tar-reader.h"

#include <string.h>

#include "snapshotter/store/tar-header.h"
#include "snapshotter/store/tar-pax.h"

#define NSEC_PER_SEC 1000000000LL

struct _CamTarReader {
	const CamTarSource *source;
	gpointer user_data;
	guint64 position;
	guint64 content_left; /* stored bytes of the current entry not yet read */
	guint padding;	      /* after them */
	gboolean finished;

	/* The current entry and what it points to. */
	CamTarEntry entry;
	char *path, *link_target;
	GArray *extents;
	gboolean has_entry;

	/* Extensions read ahead of it. */
	char *long_name, *long_link;
	CamTarPax *pax;
};

CamTarReader *
cam_tar_reader_new(const CamTarSource *source, gpointer user_data)
{
	CamTarReader *self = g_new0(CamTarReader, 1);

	self->source = source;
	self->user_data = user_data;
	return self;
}

static void
clear_entry(CamTarReader *self)
{
	g_clear_pointer(&self->path, g_free);
	g_clear_pointer(&self->link_target, g_free);
	g_clear_pointer(&self->extents, g_array_unref);
	g_clear_pointer(&self->entry.xattrs, g_variant_unref);
	g_clear_pointer(&self->long_name, g_free);
	g_clear_pointer(&self->long_link, g_free);
	g_clear_pointer(&self->pax, cam_tar_pax_free);
	memset(&self->entry, 0, sizeof self->entry);
	self->has_entry = FALSE;
}

void
cam_tar_reader_free(CamTarReader *self)
{
	clear_entry(self);
	g_free(self);
}

guint64
cam_tar_reader_get_position(CamTarReader *self)
{
	return self->position;
}

/* Up to @size bytes; fewer only at the end of the source. */
static gboolean
read_some(CamTarReader *self, void *buffer, gsize size, gsize *n_read, GError **error)
{
	*n_read = 0;
	while (*n_read < size) {
		gssize n = self->source->read(self->user_data, (guint8 *) buffer + *n_read,
					      size - *n_read, error);
		if (n < 0)
			return FALSE;
		if (n == 0)
			break;
		*n_read += (gsize) n;
		self->position += (guint64) n;
	}
	return TRUE;
}

static gboolean
tell_raw(CamTarReader *self, gconstpointer data, gsize size, GError **error)
{
	return self->source->raw == NULL || size == 0 ||
	       self->source->raw(self->user_data, data, size, error);
}

static gboolean
read_raw(CamTarReader *self, void *buffer, gsize size, GError **error)
{
	gsize n;

	if (!read_some(self, buffer, size, &n, error))
		return FALSE;
	if (n < size)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "the archive ends too early");
	return tell_raw(self, buffer, size, error);
}

gssize
cam_tar_reader_read(CamTarReader *self, void *buffer, gsize size, GError **error)
{
	gsize n, wanted = (gsize) MIN((guint64) size, self->content_left);

	if (!read_some(self, buffer, wanted, &n, error))
		return -1;
	if (n < wanted) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "the archive ends in the content of %s",
			      self->path);
		return -1;
	}
	self->content_left -= n;
	return (gssize) n;
}

void
cam_tar_reader_content_is_absent(CamTarReader *self)
{
	self->position += self->content_left;
	self->content_left = 0;
}

static guint
padding_of(guint64 size)
{
	return (guint) (-size & (CAM_TAR_BLOCK_SIZE - 1));
}

static gboolean
finish_content(CamTarReader *self, GError **error)
{
	guint8 buffer[16 * CAM_TAR_BLOCK_SIZE];
	gsize n, padding = self->padding;

	while (self->content_left > 0)
		if (cam_tar_reader_read(self, buffer, sizeof buffer, error) < 0)
			return FALSE;
	self->padding = 0;
	/* Some writers do not pad the last member; that the archive is whole is its digest's
	 * matter. */
	return read_some(self, buffer, padding, &n, error) && tell_raw(self, buffer, n, error);
}

/* The data of an extension header, NUL-terminated. */
static char *
read_extension(CamTarReader *self, const CamTarHeader *header, guint64 max, gsize *size,
	       GError **error)
{
	guint64 stated;
	guint8 padding[CAM_TAR_BLOCK_SIZE];

	if (!cam_tar_unsigned(header->size, sizeof header->size, "size", G_MAXINT64, &stated,
			      error))
		return NULL;
	if (stated > max) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "an extended header of %" G_GUINT64_FORMAT
			      " bytes, more than %" G_GUINT64_FORMAT,
			      stated, max);
		return NULL;
	}
	g_autofree char *data = g_malloc0(stated + 1);
	if (!read_raw(self, data, stated, error) ||
	    !read_raw(self, padding, padding_of(stated), error))
		return NULL;
	*size = stated;
	return g_steal_pointer(&data);
}

static gboolean
read_long_name(CamTarReader *self, const CamTarHeader *header, char **name, GError **error)
{
	gsize size;
	char *data = read_extension(self, header, CAM_TAR_MAX_PATH + 1, &size, error);

	if (data == NULL)
		return FALSE;
	if (*name != NULL) {
		g_free(data);
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "two long names for one entry");
	}
	*name = data;
	/* GNU ends the name with one NUL; bytes behind it would be seen by some readers only. */
	for (gsize i = strlen(data); i < size; i++)
		if (data[i] != '\0')
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a long name with a NUL byte inside");
	return TRUE;
}

static gboolean
read_pax(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	gsize size;
	g_autofree char *data = read_extension(self, header, CAM_TAR_MAX_PAX, &size, error);

	if (data == NULL)
		return FALSE;
	if (self->pax != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "two extended headers for one entry");
	self->pax = cam_tar_pax_parse(data, size, error);
	return self->pax != NULL;
}

static gboolean
read_global_pax(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	gsize size;
	g_autofree char *data = read_extension(self, header, CAM_TAR_MAX_PAX, &size, error);
	g_autoptr(CamTarPax) pax = NULL;

	if (data == NULL || (pax = cam_tar_pax_parse(data, size, error)) == NULL)
		return FALSE;
	if (pax->path != NULL || pax->link_path != NULL || pax->has_size || pax->is_sparse)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a global extended header that sets names or sizes");
	return TRUE;
}

/* Reads blocks up to the header of an entry. *@header is all zeros at the end. */
static gboolean
read_headers(CamTarReader *self, CamTarHeader *header, CamTarFormat *format, GError **error)
{
	gboolean extended = FALSE;

	while (TRUE) {
		gsize n;
		gboolean ok;

		if (!read_some(self, header, sizeof *header, &n, error))
			return FALSE;
		if (n == 0)
			memset(header, 0, sizeof *header);
		else if (n < sizeof *header)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "the archive ends too early");
		if (!tell_raw(self, header, n, error))
			return FALSE;
		if (cam_tar_header_is_zero(header))
			return !extended || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
							  "an extended header without an entry");
		if (!cam_tar_header_check(header, format, error))
			return FALSE;
		switch (header->type) {
		case 'L':
			ok = read_long_name(self, header, &self->long_name, error);
			break;
		case 'K':
			ok = read_long_name(self, header, &self->long_link, error);
			break;
		case 'x':
		case 'X':
			ok = read_pax(self, header, error);
			break;
		case 'g':
			ok = read_global_pax(self, header, error);
			break;
		default:
			return TRUE;
		}
		if (!ok)
			return FALSE;
		extended = extended || header->type != 'g';
	}
}

static gboolean
set_type(CamTarReader *self, const CamTarHeader *header, gboolean named_directory, GError **error)
{
	static const struct {
		char flag;
		CamTarType type;
	} types[] = {
		{ '0', CAM_TAR_REGULAR },   { '\0', CAM_TAR_REGULAR }, { '7', CAM_TAR_REGULAR },
		{ 'S', CAM_TAR_REGULAR },   { '1', CAM_TAR_HARDLINK }, { '2', CAM_TAR_SYMLINK },
		{ '3', CAM_TAR_CHARACTER }, { '4', CAM_TAR_BLOCK },    { '5', CAM_TAR_DIRECTORY },
		{ '6', CAM_TAR_FIFO },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (types[i].flag != header->type)
			continue;
		self->entry.type = types[i].type;
		/* The oldest tars mark directories by the slash alone. */
		if (named_directory && header->type == '\0')
			self->entry.type = CAM_TAR_DIRECTORY;
		else if (named_directory && self->entry.type != CAM_TAR_DIRECTORY)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a name that ends in \"/\" but is no directory");
		return TRUE;
	}
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "unknown entry type 0x%02x",
			     (guint8) header->type);
}

static gboolean
choose_name(const char *gnu, const char *pax, char *own, char **chosen, GError **error)
{
	g_autofree char *fallback = own;

	if (gnu != NULL && pax != NULL && !g_str_equal(gnu, pax))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "two different long names for one entry");
	*chosen = pax != NULL	? g_strdup(pax)
		  : gnu != NULL ? g_strdup(gnu)
				: g_steal_pointer(&fallback);
	return TRUE;
}

static gboolean
set_names(CamTarReader *self, const CamTarHeader *header, CamTarFormat format, GError **error)
{
	const CamTarPax *pax = self->pax;
	const char *pax_path = pax == NULL		  ? NULL
			       : pax->sparse_name != NULL ? pax->sparse_name
							  : pax->path;
	g_autofree char *name = NULL, *link = NULL;
	gboolean named_directory, dummy;

	if (!choose_name(self->long_name, pax_path, cam_tar_header_name(header, format), &name,
			 error))
		return FALSE;
	self->path = cam_tar_clean_path(name, &named_directory, error);
	if (self->path == NULL || !set_type(self, header, named_directory, error))
		return FALSE;
	self->entry.path = self->path;
	if (self->path[0] == '\0' && self->entry.type != CAM_TAR_DIRECTORY)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "an entry without a name");
	if (self->entry.type != CAM_TAR_SYMLINK && self->entry.type != CAM_TAR_HARDLINK)
		return TRUE;

	if (!choose_name(self->long_link, pax != NULL ? pax->link_path : NULL,
			 g_strndup(header->link_name, sizeof header->link_name), &link, error))
		return FALSE;
	if (link[0] == '\0' || strlen(link) >= CAM_TAR_MAX_PATH)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a link with a target of %zu bytes", strlen(link));
	self->link_target = self->entry.type == CAM_TAR_SYMLINK
				    ? g_steal_pointer(&link)
				    : cam_tar_clean_path(link, &dummy, error);
	self->entry.link_target = self->link_target;
	return self->link_target != NULL;
}

static gboolean
set_owner_and_mode(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	guint64 mode, uid, gid;

	if (!cam_tar_unsigned(header->mode, sizeof header->mode, "mode", G_MAXUINT32, &mode,
			      error) ||
	    !cam_tar_unsigned(header->uid, sizeof header->uid, "uid", G_MAXUINT32, &uid, error) ||
	    !cam_tar_unsigned(header->gid, sizeof header->gid, "gid", G_MAXUINT32, &gid, error))
		return FALSE;
	if (self->pax != NULL && self->pax->has_uid)
		uid = self->pax->uid;
	if (self->pax != NULL && self->pax->has_gid)
		gid = self->pax->gid;
	/* chown(2) takes that as "leave it": nothing can be owned by it. */
	if (uid == G_MAXUINT32 || gid == G_MAXUINT32)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "an owner of -1");
	self->entry.mode = (guint32) mode & 07777; /* some writers put the type bits there too */
	self->entry.uid = (guint32) uid;
	self->entry.gid = (guint32) gid;
	return TRUE;
}

static gboolean
set_time_and_device(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	CamTarEntry *entry = &self->entry;
	guint64 major = 0, minor = 0;
	gint64 mtime;

	if (!cam_tar_number(header->mtime, sizeof header->mtime, "mtime", &mtime, error))
		return FALSE;
	if (mtime > G_MAXINT64 / NSEC_PER_SEC - 1 || mtime < G_MININT64 / NSEC_PER_SEC + 1)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "mtime is too large");
	entry->mtime =
		self->pax != NULL && self->pax->has_mtime ? self->pax->mtime : mtime * NSEC_PER_SEC;
	if (entry->type != CAM_TAR_CHARACTER && entry->type != CAM_TAR_BLOCK)
		return TRUE;
	if (!cam_tar_unsigned(header->dev_major, sizeof header->dev_major, "device number",
			      G_MAXUINT32, &major, error) ||
	    !cam_tar_unsigned(header->dev_minor, sizeof header->dev_minor, "device number",
			      G_MAXUINT32, &minor, error))
		return FALSE;
	entry->rdev_major = self->pax != NULL && self->pax->has_dev_major ? self->pax->dev_major
									  : (guint32) major;
	entry->rdev_minor = self->pax != NULL && self->pax->has_dev_minor ? self->pax->dev_minor
									  : (guint32) minor;
	return TRUE;
}

static gboolean
add_old_sparse(CamTarReader *self, const char *records, guint n, gboolean *end, GError **error)
{
	for (guint i = 0; i < n && !*end; i++) {
		const char *record = records + (gsize) i * 24;
		CamTarExtent extent;

		/* The list ends with an empty record. */
		if (record[12] == '\0' && record[0] == '\0') {
			*end = TRUE;
			continue;
		}
		if (!cam_tar_unsigned(record, 12, "sparse offset", G_MAXINT64, &extent.offset,
				      error) ||
		    !cam_tar_unsigned(record + 12, 12, "sparse length", G_MAXINT64, &extent.length,
				      error))
			return FALSE;
		if (self->extents->len >= CAM_TAR_MAX_EXTENTS)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "the sparse map has more than %d parts",
					     CAM_TAR_MAX_EXTENTS);
		g_array_append_val(self->extents, extent);
	}
	return TRUE;
}

/* GNU's first form: a map in the header, continued in blocks of 21 records behind it. */
static gboolean
read_old_sparse_map(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	gboolean more = header->tail.gnu.is_extended != '\0', end = FALSE;

	self->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	if (!cam_tar_unsigned(header->tail.gnu.real_size, sizeof header->tail.gnu.real_size,
			      "real size", G_MAXINT64, &self->entry.size, error) ||
	    !add_old_sparse(self, header->tail.gnu.sparse[0], 4, &end, error))
		return FALSE;
	while (more) {
		char block[CAM_TAR_BLOCK_SIZE];

		if (end)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a sparse map that goes on behind its end");
		if (!read_raw(self, block, sizeof block, error) ||
		    !add_old_sparse(self, block, 21, &end, error))
			return FALSE;
		more = block[21 * 24] != '\0';
	}
	return TRUE;
}

/* Form 1.0 keeps the map, decimal numbers with line ends, in front of the content. */
static gboolean
read_map_number(CamTarReader *self, char *block, gsize *at, guint64 *number, GError **error)
{
	char text[21];
	gsize n = 0;

	while (TRUE) {
		if (*at == CAM_TAR_BLOCK_SIZE) {
			if (self->content_left < CAM_TAR_BLOCK_SIZE)
				return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
						     "the sparse map is cut off");
			if (!read_raw(self, block, CAM_TAR_BLOCK_SIZE, error))
				return FALSE;
			self->content_left -= CAM_TAR_BLOCK_SIZE;
			*at = 0;
		}
		char c = block[(*at)++];
		if (c == '\n')
			break;
		if (n == sizeof text - 1)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "the sparse map is malformed");
		text[n++] = c;
	}
	return cam_tar_decimal(text, text + n, "a number of the sparse map", number, error);
}

static gboolean
read_new_sparse_map(CamTarReader *self, GError **error)
{
	char block[CAM_TAR_BLOCK_SIZE];
	gsize at = CAM_TAR_BLOCK_SIZE;
	guint64 n;

	self->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	if (!read_map_number(self, block, &at, &n, error))
		return FALSE;
	if (n > CAM_TAR_MAX_EXTENTS)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the sparse map has more than %d parts", CAM_TAR_MAX_EXTENTS);
	for (guint64 i = 0; i < n; i++) {
		CamTarExtent extent;

		if (!read_map_number(self, block, &at, &extent.offset, error) ||
		    !read_map_number(self, block, &at, &extent.length, error))
			return FALSE;
		g_array_append_val(self->extents, extent);
	}
	return TRUE;
}

static gboolean
set_sparse(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	const CamTarPax *pax = self->pax;
	gboolean old = header->type == 'S', new = pax != NULL && pax->is_sparse;

	if (!old && !new)
		return TRUE;
	if (old && new)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "two sparse maps");
	if (self->entry.type != CAM_TAR_REGULAR)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a sparse map for what is no regular file");
	if (old && !read_old_sparse_map(self, header, error))
		return FALSE;
	if (new) {
		if (!pax->has_real_size)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a sparse file without its size");
		self->entry.size = pax->real_size;
		if (pax->map_in_data && !read_new_sparse_map(self, error))
			return FALSE;
		if (!pax->map_in_data)
			self->extents = pax->extents != NULL
						? g_array_ref(pax->extents)
						: g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	}
	if (!cam_tar_extents_check(self->extents, self->entry.size, self->content_left, error))
		return FALSE;
	/* Never NULL: also a file that is one hole is sparse. */
	static const CamTarExtent none;
	self->entry.n_extents = self->extents->len;
	self->entry.extents = self->extents->len > 0
				      ? (const CamTarExtent *) (void *) self->extents->data
				      : &none;
	return TRUE;
}

static gboolean
set_content(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	guint64 size;

	if (!cam_tar_unsigned(header->size, sizeof header->size, "size", G_MAXINT64, &size, error))
		return FALSE;
	if (self->pax != NULL && self->pax->has_size)
		size = self->pax->size;
	/* Whether content follows a hard link is where readers differ most. */
	/* Old writers give a link the size of its file, without content: containerd's reader takes
	 * no content from anything but files either. */
	if (self->entry.type != CAM_TAR_REGULAR)
		size = 0;
	self->content_left = self->entry.size = size;
	self->padding = padding_of(size);
	if (!set_sparse(self, header, error))
		return FALSE;
	self->entry.stored_size = self->content_left;
	return TRUE;
}

static gboolean
make_entry(CamTarReader *self, const CamTarHeader *header, CamTarFormat format, GError **error)
{
	if (!set_names(self, header, format, error) || !set_owner_and_mode(self, header, error) ||
	    !set_time_and_device(self, header, error) || !set_content(self, header, error))
		return FALSE;
	if (self->pax != NULL)
		self->entry.xattrs = cam_tar_pax_get_xattrs(self->pax);
	self->has_entry = TRUE;
	return TRUE;
}

/* Behind the first block of zeros there may be nothing but zeros. */
static gboolean
read_tail(CamTarReader *self, GError **error)
{
	guint8 buffer[16 * CAM_TAR_BLOCK_SIZE];
	gsize n;

	self->finished = TRUE;
	do {
		if (!read_some(self, buffer, sizeof buffer, &n, error))
			return FALSE;
		for (gsize i = 0; i < n; i++)
			if (buffer[i] != 0)
				return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
						     "data behind the end of the archive");
		if (!tell_raw(self, buffer, n, error))
			return FALSE;
	} while (n > 0);
	return TRUE;
}

static gboolean
read_entry(CamTarReader *self, GError **error)
{
	CamTarHeader header;
	CamTarFormat format;

	if (!finish_content(self, error))
		return FALSE;
	clear_entry(self);
	self->entry.position = self->position;
	if (!read_headers(self, &header, &format, error))
		return FALSE;
	if (cam_tar_header_is_zero(&header))
		return read_tail(self, error);
	return make_entry(self, &header, format, error);
}

const CamTarEntry *
cam_tar_reader_next(CamTarReader *self, GError **error)
{
	if (self->finished)
		return NULL;
	if (!read_entry(self, error)) {
		guint64 position = self->entry.position;

		self->finished = TRUE;
		if (self->path != NULL)
			cam_error_translate(error, "tar entry %s at byte %" G_GUINT64_FORMAT,
					    self->path, position);
		else
			cam_error_translate(error, "tar entry at byte %" G_GUINT64_FORMAT,
					    position);
		return NULL;
	}
	return self->has_entry ? &self->entry : NULL;
}
