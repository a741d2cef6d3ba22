/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamTarReader: the sequence of blocks that make up a tar. Puts headers, GNU and pax extensions
 * and sparse maps together into entries, in the order in which Go's archive/tar does, and tells
 * every byte that is not content. The fields of a header are tar-header.c's, extended headers
 * tar-pax.c's; what is refused although Go reads it is listed in tar-ambiguity.c.
 */
#include "snapshotter/store/tar-reader.h"

#include <string.h>

#include "snapshotter/store/tar-ambiguity.h"
#include "snapshotter/store/tar-header.h"
#include "snapshotter/store/tar-pax.h"

struct _CamTarReader {
	const CamTarSource *source;
	gpointer user_data;
	guint64 position;
	guint64 content_left; /* stored bytes of the current entry not yet read */
	guint padding;	      /* after them */
	gboolean finished;
	gboolean allow_ambiguous;
	gboolean content_is_raw;

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
	self->content_is_raw = FALSE;
}

void
cam_tar_reader_allow_ambiguous(CamTarReader *self)
{
	self->allow_ambiguous = TRUE;
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

void
cam_tar_reader_content_is_raw(CamTarReader *self)
{
	self->content_is_raw = TRUE;
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

	while (self->content_left > 0) {
		gssize read = cam_tar_reader_read(self, buffer, sizeof buffer, error);

		if (read < 0 ||
		    (self->content_is_raw && !tell_raw(self, buffer, (gsize) read, error)))
			return FALSE;
	}
	self->padding = 0;
	/* Some writers do not pad the last member; that the archive is whole is its digest's
	 * matter. */
	return read_some(self, buffer, padding, &n, error) && tell_raw(self, buffer, n, error);
}

/* The data of an extension header, NUL-terminated. */
static char *
read_extension(CamTarReader *self, const CamTarFields *fields, gsize *size, GError **error)
{
	guint8 padding[CAM_TAR_BLOCK_SIZE];
	gsize n;

	if (fields->size < 0) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "size is negative");
		return NULL;
	}
	if (fields->size > CAM_TAR_MAX_PAX) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "an extended header of %" G_GINT64_FORMAT " bytes, more than %d",
			      fields->size, CAM_TAR_MAX_PAX);
		return NULL;
	}
	*size = (gsize) fields->size;
	g_autofree char *data = g_malloc0(*size + 1);
	if (!read_raw(self, data, *size, error) ||
	    !read_some(self, padding, padding_of(*size), &n, error) ||
	    !tell_raw(self, padding, n, error))
		return NULL;
	return g_steal_pointer(&data);
}

/* The last one counts, up to its first NUL; an empty one is none. */
static gboolean
read_long_name(CamTarReader *self, const CamTarFields *fields, char **name, GError **error)
{
	gsize size;

	g_clear_pointer(name, g_free);
	*name = read_extension(self, fields, &size, error);
	if (*name == NULL)
		return FALSE;
	if ((*name)[0] == '\0')
		g_clear_pointer(name, g_free);
	return TRUE;
}

/* The last one counts, and it alone. */
static gboolean
read_pax(CamTarReader *self, const CamTarFields *fields, GError **error)
{
	gsize size;
	char *data = read_extension(self, fields, &size, error);

	g_clear_pointer(&self->pax, cam_tar_pax_free);
	if (data != NULL)
		self->pax = cam_tar_pax_parse(data, size, error);
	return self->pax != NULL;
}

/* What writers call their global headers: git, Go and GNU tar, Python. */
static gboolean
is_name_of_global(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;

	return g_str_equal(base, "pax_global_header") || g_str_equal(base, "@PaxHeader") ||
	       g_str_has_prefix(base, "GlobalHead");
}

/* To Go's reader a global header is a member of its own: it changes nothing in those that follow,
 * and ends what has been said in front of it of the next one. containerd removes what it finds
 * under its name. */
static gboolean
read_global_pax(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
		GError **error)
{
	gboolean mangled, goes_up;
	g_autofree char *own = cam_tar_header_name(header, fields->format, &mangled);
	g_autofree char *name = NULL, *path = NULL;

	if (!read_pax(self, fields, error))
		return FALSE;
	name = cam_tar_pax_get_path(self->pax);
	path = cam_tar_clean_path(name != NULL ? name : own, &goes_up, error);
	g_clear_pointer(&self->pax, cam_tar_pax_free);
	g_clear_pointer(&self->long_name, g_free);
	g_clear_pointer(&self->long_link, g_free);
	if (path == NULL)
		return FALSE;
	return path[0] == '\0' || is_name_of_global(path) ||
	       cam_tar_ambiguity_check(CAM_TAR_GLOBAL_NAME, self->allow_ambiguous, error);
}

/* One block; all zeros at the end of the source. */
static gboolean
read_block(CamTarReader *self, CamTarHeader *header, gboolean *at_end, GError **error)
{
	gsize n;

	if (!read_some(self, header, sizeof *header, &n, error))
		return FALSE;
	*at_end = n == 0;
	if (n > 0 && n < sizeof *header)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "the archive ends too early");
	return tell_raw(self, header, n, error);
}

/* Two blocks of zeros end an archive, and so does the end of the source. */
static gboolean
read_end(CamTarReader *self, gboolean *at_end, GError **error)
{
	CamTarHeader second;

	if (!read_block(self, &second, at_end, error))
		return FALSE;
	return *at_end || cam_tar_header_is_zero(&second) ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "a block of zeros inside the archive");
}

/* What lies behind the end no reader looks at: it is kept as bytes, for the digest. */
static gboolean
read_tail(CamTarReader *self, GError **error)
{
	guint8 buffer[16 * CAM_TAR_BLOCK_SIZE];
	gsize n;

	do
		if (!read_some(self, buffer, sizeof buffer, &n, error) ||
		    !tell_raw(self, buffer, n, error))
			return FALSE;
	while (n > 0);
	return TRUE;
}

static gboolean
read_extension_header(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
		      gboolean *is_extension, GError **error)
{
	*is_extension = TRUE;
	switch (header->type) {
	case 'L':
		return read_long_name(self, fields, &self->long_name, error);
	case 'K':
		return read_long_name(self, fields, &self->long_link, error);
	case 'x':
		return read_pax(self, fields, error);
	case 'g':
		return read_global_pax(self, header, fields, error);
	default:
		*is_extension = FALSE;
		return TRUE;
	}
}

/* Reads blocks up to the header of an entry, or to the end of the archive. */
static gboolean
read_headers(CamTarReader *self, CamTarHeader *header, CamTarFields *fields, GError **error)
{
	gboolean is_extension = TRUE, at_end;

	while (is_extension) {
		if (!read_block(self, header, &at_end, error))
			return FALSE;
		if (at_end || cam_tar_header_is_zero(header)) {
			self->finished = TRUE;
			return at_end || (read_end(self, &at_end, error) && read_tail(self, error));
		}
		if (!cam_tar_header_parse(header, fields, error) ||
		    !read_extension_header(self, header, fields, &is_extension, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
set_type(CamTarReader *self, const CamTarHeader *header, const char *name, GError **error)
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
		/* The oldest tars mark directories by the slash alone; in all others it says
		 * nothing. */
		if (header->type == '\0' && g_str_has_suffix(name, "/"))
			self->entry.type = CAM_TAR_DIRECTORY;
		return TRUE;
	}
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "unknown entry type 0x%02x",
			     (guint8) header->type);
}

static char *
clean(CamTarReader *self, const char *path, GError **error)
{
	gboolean goes_up;
	g_autofree char *result = cam_tar_clean_path(path, &goes_up, error);

	if (result == NULL || (goes_up && !cam_tar_ambiguity_check(CAM_TAR_PARENT_NAME,
								   self->allow_ambiguous, error)))
		return NULL;
	return g_steal_pointer(&result);
}

/* The name by which an old tar marks a directory is the one before that of a sparse file. */
static gboolean
set_name(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields, GError **error)
{
	const CamTarPax *pax = self->pax;
	gboolean mangled;
	g_autofree char *own = cam_tar_header_name(header, fields->format, &mangled);
	const char *name = self->long_name != NULL	      ? self->long_name
			   : pax != NULL && pax->path != NULL ? pax->path
							      : own;

	if (!set_type(self, header, name, error))
		return FALSE;
	if (pax != NULL && pax->sparse_name != NULL)
		name = pax->sparse_name;
	self->path = clean(self, name, error);
	if (self->path == NULL)
		return FALSE;
	self->entry.path = self->path;
	return name != own || !mangled ||
	       cam_tar_ambiguity_check(CAM_TAR_GNU_PREFIX, self->allow_ambiguous, error);
}

static gboolean
set_link_target(CamTarReader *self, const CamTarHeader *header, GError **error)
{
	g_autofree char *own = g_strndup(header->link_name, sizeof header->link_name);
	const char *link = self->long_link != NULL ? self->long_link
			   : self->pax != NULL && self->pax->link_path != NULL
				   ? self->pax->link_path
				   : own;

	if (self->entry.type != CAM_TAR_SYMLINK && self->entry.type != CAM_TAR_HARDLINK)
		return TRUE;
	if (link[0] == '\0' || strlen(link) >= CAM_TAR_MAX_PATH)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a link with a target of %zu bytes", strlen(link));
	if (self->entry.type == CAM_TAR_HARDLINK && g_str_has_suffix(link, "/") &&
	    !cam_tar_ambiguity_check(CAM_TAR_LINK_SLASH, self->allow_ambiguous, error))
		return FALSE;
	self->link_target =
		self->entry.type == CAM_TAR_SYMLINK ? g_strdup(link) : clean(self, link, error);
	self->entry.link_target = self->link_target;
	return self->link_target != NULL;
}

/* chown(2) takes 32 bits and -1 as "leave it", which for a new file is root. */
static gboolean
set_id(CamTarReader *self, gint64 id, guint32 *out, GError **error)
{
	if ((id < G_MININT32 || id >= G_MAXUINT32 || id == -1) &&
	    !cam_tar_ambiguity_check(CAM_TAR_OWNER, self->allow_ambiguous, error))
		return FALSE;
	*out = (guint32) id == G_MAXUINT32 ? 0 : (guint32) id;
	return TRUE;
}

static gboolean
set_owner_and_mode(CamTarReader *self, const CamTarFields *fields, GError **error)
{
	const CamTarPax *pax = self->pax;

	/* Some writers put the type bits there too. */
	self->entry.mode = (guint32) fields->mode & 07777;
	return set_id(self, pax != NULL && pax->has_uid ? pax->uid : fields->uid, &self->entry.uid,
		      error) &&
	       set_id(self, pax != NULL && pax->has_gid ? pax->gid : fields->gid, &self->entry.gid,
		      error);
}

/* The kernel keeps 12 bits of the major number and 20 of the minor one. */
static gboolean
set_device(CamTarReader *self, const CamTarFields *fields, GError **error)
{
	guint64 major = (guint64) fields->dev_major, minor = (guint64) fields->dev_minor;

	if (self->entry.type != CAM_TAR_CHARACTER && self->entry.type != CAM_TAR_BLOCK)
		return TRUE;
	if ((major > 0xfff || minor > 0xfffff) &&
	    !cam_tar_ambiguity_check(CAM_TAR_DEVICE_NUMBER, self->allow_ambiguous, error))
		return FALSE;
	self->entry.rdev_major = (guint32) major & 0xfff;
	self->entry.rdev_minor = (guint32) minor & 0xfffff;
	return TRUE;
}

static gboolean
add_extent(CamTarReader *self, gint64 offset, gint64 length, GError **error)
{
	CamTarExtent extent = { (guint64) offset, (guint64) length };

	if (offset < 0 || length < 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a number of the sparse map is negative");
	if (self->extents->len >= CAM_TAR_MAX_EXTENTS)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the sparse map has more than %d parts", CAM_TAR_MAX_EXTENTS);
	g_array_append_val(self->extents, extent);
	return TRUE;
}

/* The records of one block end with an empty one. */
static gboolean
add_old_sparse(CamTarReader *self, const char *records, guint n, GError **error)
{
	for (guint i = 0; i < n; i++) {
		const char *record = records + (gsize) i * 24;
		gint64 offset, length;

		if (record[0] == '\0')
			return TRUE;
		if (!cam_tar_number(record, 12, "sparse offset", &offset, error) ||
		    !cam_tar_number(record + 12, 12, "sparse length", &length, error) ||
		    !add_extent(self, offset, length, error))
			return FALSE;
	}
	return TRUE;
}

/* GNU's first form: a map in the header, continued in blocks of 21 records behind it. */
static gboolean
read_old_sparse_map(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
		    gint64 *real_size, GError **error)
{
	gboolean more = header->tail.gnu.is_extended != '\0';
	gsize blocks = 0;

	if (fields->format != CAM_TAR_FORMAT_GNU)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a sparse file in a header that is not GNU's");
	if (!cam_tar_number(header->tail.gnu.real_size, sizeof header->tail.gnu.real_size,
			    "real size", real_size, error) ||
	    !add_old_sparse(self, header->tail.gnu.sparse[0], 4, error))
		return FALSE;
	while (more) {
		char block[CAM_TAR_BLOCK_SIZE];

		if (++blocks > CAM_TAR_MAX_PAX / CAM_TAR_BLOCK_SIZE)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "a sparse map of more than %d bytes", CAM_TAR_MAX_PAX);
		if (!read_raw(self, block, sizeof block, error) ||
		    !add_old_sparse(self, block, 21, error))
			return FALSE;
		more = block[21 * 24] != '\0';
	}
	return TRUE;
}

/* Form 1.0 keeps the map, decimal numbers with line ends, in front of the content. */
static gboolean
read_map_number(CamTarReader *self, char *block, gsize *at, gint64 *number, GError **error)
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
	gint64 n;

	if (!read_map_number(self, block, &at, &n, error))
		return FALSE;
	if (n < 0 || n > CAM_TAR_MAX_EXTENTS)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the sparse map has more than %d parts", CAM_TAR_MAX_EXTENTS);
	for (gint64 i = 0; i < n; i++) {
		gint64 offset, length;

		if (!read_map_number(self, block, &at, &offset, error) ||
		    !read_map_number(self, block, &at, &length, error) ||
		    !add_extent(self, offset, length, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_sparse_map(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
		gint64 *real_size, GError **error)
{
	const CamTarPax *pax = self->pax;

	if (header->type != 'S' && pax->extents != NULL) {
		self->extents = g_array_ref(pax->extents);
		return TRUE;
	}
	self->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	return header->type == 'S' ? read_old_sparse_map(self, header, fields, real_size, error)
				   : read_new_sparse_map(self, error);
}

static gboolean
set_sparse(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
	   GError **error)
{
	static const CamTarExtent none;
	const CamTarPax *pax = self->pax;
	gboolean old = header->type == 'S';
	gboolean new = pax != NULL && pax->sparse != CAM_TAR_SPARSE_NONE;
	gint64 size = (gint64) self->entry.size;

	if (pax != NULL && pax->has_stray_sparse_keys &&
	    !cam_tar_ambiguity_check(CAM_TAR_SPARSE_KEYS, self->allow_ambiguous, error))
		return FALSE;
	if (!old && !new)
		return TRUE;
	if (self->entry.type != CAM_TAR_REGULAR)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a sparse map for what is no regular file");
	if (!old && pax->has_real_size)
		size = pax->real_size;
	if (!read_sparse_map(self, header, fields, &size, error))
		return FALSE;
	if (size < 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "size is negative");
	self->entry.size = (guint64) size;
	if (!cam_tar_extents_check(self->extents, self->entry.size, self->content_left, error))
		return FALSE;
	/* Never NULL: also a file that is one hole is sparse. */
	self->entry.n_extents = self->extents->len;
	self->entry.extents = self->extents->len > 0
				      ? (const CamTarExtent *) (void *) self->extents->data
				      : &none;
	return TRUE;
}

/* Old writers give a link the size of its file, without content, and the size of a directory is
 * anything: content is taken from files alone. */
static gboolean
set_content(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
	    GError **error)
{
	gboolean by_pax = self->pax != NULL && self->pax->has_size;
	gint64 size = by_pax ? self->pax->size : fields->size;

	if (self->entry.type != CAM_TAR_REGULAR)
		size = 0;
	/* The header's own size counts for that even where it is overridden. */
	if (size < 0 || (fields->size < 0 && !(header->type >= '1' && header->type <= '6')))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "size is negative");
	self->content_left = self->entry.size = (guint64) size;
	self->padding = padding_of((guint64) size);
	if (!set_sparse(self, header, fields, error))
		return FALSE;
	self->entry.stored_size = self->content_left;
	return TRUE;
}

static gboolean
make_entry(CamTarReader *self, const CamTarHeader *header, const CamTarFields *fields,
	   GError **error)
{
	if ((self->pax != NULL && !cam_tar_pax_merge(self->pax, header->type != 'S', error)) ||
	    !set_name(self, header, fields, error) || !set_link_target(self, header, error) ||
	    !set_owner_and_mode(self, fields, error) || !set_device(self, fields, error) ||
	    !set_content(self, header, fields, error))
		return FALSE;
	self->entry.mtime = self->pax != NULL && self->pax->has_mtime
				    ? self->pax->mtime
				    : cam_tar_time(fields->mtime, 0);
	if (self->pax != NULL)
		self->entry.xattrs = cam_tar_pax_get_xattrs(self->pax);
	self->has_entry = TRUE;
	return TRUE;
}

static gboolean
read_entry(CamTarReader *self, GError **error)
{
	CamTarHeader header;
	CamTarFields fields;

	if (!finish_content(self, error))
		return FALSE;
	clear_entry(self);
	self->entry.position = self->position;
	return read_headers(self, &header, &fields, error) &&
	       (self->finished || make_entry(self, &header, &fields, error));
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
