/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pax extended headers (POSIX.1-2017 "pax Extended Header") with the keys that container layers
 * use: SCHILY.xattr, LIBARCHIVE.xattr, GNU.sparse. Keys that are not known are passed over, as the
 * standard asks.
 */
#include "snapshotter/store/tar-pax.h"

#include <string.h>

#define XATTR_NAME_MAX 255 /* Linux */
#define NSEC_PER_SEC   1000000000LL
#define MAX_SECONDS    (G_MAXINT64 / NSEC_PER_SEC - 1)

typedef struct {
	const char *start, *end;
} Text;

typedef gboolean (*ApplyFunc)(CamTarPax *self, const char *key, Text value, GError **error);

void
cam_tar_pax_free(CamTarPax *self)
{
	g_free(self->path);
	g_free(self->link_path);
	g_free(self->sparse_name);
	g_clear_pointer(&self->xattrs, g_hash_table_unref);
	g_clear_pointer(&self->extents, g_array_unref);
	g_free(self);
}

gboolean
cam_tar_decimal(const char *text, const char *end, const char *what, guint64 *value, GError **error)
{
	guint64 number = 0;

	if (text == end)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is empty", what);
	for (; text < end; text++) {
		if (!g_ascii_isdigit(*text))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s is not a decimal number", what);
		if (!g_uint64_checked_mul(&number, number, 10) ||
		    !g_uint64_checked_add(&number, number, (guint64) (*text - '0')))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large",
					     what);
	}
	*value = number;
	return TRUE;
}

static gboolean
decimal32(Text value, const char *what, guint32 *out, GError **error)
{
	guint64 number;

	if (!cam_tar_decimal(value.start, value.end, what, &number, error))
		return FALSE;
	if (number > G_MAXUINT32)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large", what);
	*out = (guint32) number;
	return TRUE;
}

static gboolean
decimal_size(Text value, const char *what, guint64 *out, GError **error)
{
	if (!cam_tar_decimal(value.start, value.end, what, out, error))
		return FALSE;
	if (*out > G_MAXINT64)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large", what);
	return TRUE;
}

static gboolean
apply_name(char **name, const char *key, Text value, GError **error)
{
	gsize size = (gsize) (value.end - value.start);

	if (memchr(value.start, '\0', size) != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s holds a NUL byte", key);
	g_free(*name);
	*name = g_strndup(value.start, size);
	return TRUE;
}

static gboolean
apply_path(CamTarPax *self, const char *key, Text value, GError **error)
{
	return apply_name(&self->path, key, value, error);
}

static gboolean
apply_link_path(CamTarPax *self, const char *key, Text value, GError **error)
{
	return apply_name(&self->link_path, key, value, error);
}

static gboolean
apply_size(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_size = TRUE;
	return decimal_size(value, key, &self->size, error);
}

static gboolean
apply_uid(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_uid = TRUE;
	return decimal32(value, key, &self->uid, error);
}

static gboolean
apply_gid(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_gid = TRUE;
	return decimal32(value, key, &self->gid, error);
}

static gboolean
apply_dev_major(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_dev_major = TRUE;
	return decimal32(value, key, &self->dev_major, error);
}

static gboolean
apply_dev_minor(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_dev_minor = TRUE;
	return decimal32(value, key, &self->dev_minor, error);
}

/* [-]seconds[.fraction]; digits beyond nanoseconds are cut as the kernel would. */
static gboolean
apply_mtime(CamTarPax *self, const char *key, Text value, GError **error)
{
	gboolean negative = value.start < value.end && *value.start == '-';
	const char *start = value.start + negative;
	const char *point = memchr(start, '.', (gsize) (value.end - start));
	guint64 seconds, nanoseconds = 0;

	if (!cam_tar_decimal(start, point != NULL ? point : value.end, key, &seconds, error))
		return FALSE;
	if (seconds > MAX_SECONDS)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large", key);
	if (point != NULL) {
		guint64 place = NSEC_PER_SEC / 10;

		for (const char *p = point + 1; p < value.end; p++, place /= 10) {
			if (!g_ascii_isdigit(*p))
				return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
						     "%s is not a decimal number", key);
			nanoseconds += place * (guint64) (*p - '0');
		}
	}
	self->has_mtime = TRUE;
	self->mtime = (gint64) seconds * NSEC_PER_SEC + (gint64) nanoseconds;
	if (negative)
		self->mtime = -self->mtime;
	return TRUE;
}

/* The extents of form 0.0 come as alternating records. */
static gboolean
add_number_to_map(CamTarPax *self, gboolean is_offset, guint64 number, GError **error)
{
	CamTarExtent extent = { .offset = number, .length = G_MAXUINT64 };
	CamTarExtent *last = NULL;

	if (self->extents == NULL)
		self->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	if (self->extents->len > 0)
		last = &g_array_index(self->extents, CamTarExtent, self->extents->len - 1);
	gboolean open = last != NULL && last->length == G_MAXUINT64;
	if (is_offset == open)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the sparse map is out of order");
	if (is_offset && self->extents->len >= CAM_TAR_MAX_EXTENTS)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the sparse map has more than %d parts", CAM_TAR_MAX_EXTENTS);
	if (is_offset)
		g_array_append_val(self->extents, extent);
	else
		last->length = number;
	return TRUE;
}

static gboolean
apply_sparse_offset(CamTarPax *self, const char *key, Text value, GError **error)
{
	guint64 number;

	self->is_sparse = TRUE;
	return decimal_size(value, key, &number, error) &&
	       add_number_to_map(self, TRUE, number, error);
}

static gboolean
apply_sparse_length(CamTarPax *self, const char *key, Text value, GError **error)
{
	guint64 number;

	self->is_sparse = TRUE;
	return decimal_size(value, key, &number, error) &&
	       add_number_to_map(self, FALSE, number, error);
}

static gboolean
apply_sparse_map(CamTarPax *self, const char *key, Text value, GError **error)
{
	gboolean is_offset = TRUE;

	self->is_sparse = TRUE;
	g_clear_pointer(&self->extents, g_array_unref);
	for (const char *p = value.start; p <= value.end; is_offset = !is_offset) {
		const char *comma = memchr(p, ',', (gsize) (value.end - p));
		Text part = { p, comma != NULL ? comma : value.end };
		guint64 number;

		if (!decimal_size(part, key, &number, error) ||
		    !add_number_to_map(self, is_offset, number, error))
			return FALSE;
		p = part.end + 1;
	}
	return TRUE;
}

static gboolean
apply_sparse_name(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->is_sparse = TRUE;
	return apply_name(&self->sparse_name, key, value, error);
}

static gboolean
apply_sparse_size(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->is_sparse = self->has_real_size = TRUE;
	return decimal_size(value, key, &self->real_size, error);
}

static gboolean
apply_sparse_major(CamTarPax *self, const char *key, Text value, GError **error)
{
	guint64 major;

	if (!cam_tar_decimal(value.start, value.end, key, &major, error))
		return FALSE;
	if (major > 1)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "unknown form of a sparse file");
	self->is_sparse = TRUE;
	self->map_in_data = major == 1;
	return TRUE;
}

static const struct {
	const char *key;
	ApplyFunc apply;
} keys[] = {
	{ "path", apply_path },
	{ "linkpath", apply_link_path },
	{ "size", apply_size },
	{ "uid", apply_uid },
	{ "gid", apply_gid },
	{ "mtime", apply_mtime },
	{ "SCHILY.devmajor", apply_dev_major },
	{ "SCHILY.devminor", apply_dev_minor },
	{ "GNU.sparse.offset", apply_sparse_offset },
	{ "GNU.sparse.numbytes", apply_sparse_length },
	{ "GNU.sparse.map", apply_sparse_map },
	{ "GNU.sparse.name", apply_sparse_name },
	{ "GNU.sparse.size", apply_sparse_size },
	{ "GNU.sparse.realsize", apply_sparse_size },
	{ "GNU.sparse.major", apply_sparse_major },
};

static gboolean
add_xattr(CamTarPax *self, const char *name, GBytes *value, gboolean replace, GError **error)
{
	gsize size = strlen(name);

	if (size == 0 || size > XATTR_NAME_MAX)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "an extended attribute with a name of %zu bytes", size);
	if (self->xattrs == NULL)
		self->xattrs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						     (GDestroyNotify) g_bytes_unref);
	if (replace || !g_hash_table_contains(self->xattrs, name))
		g_hash_table_replace(self->xattrs, g_strdup(name), g_bytes_ref(value));
	return TRUE;
}

/* Beside SCHILY.xattr, libarchive writes its own form: name in URL, value in base64 encoding. */
static gboolean
add_libarchive_xattr(CamTarPax *self, const char *encoded, Text value, GError **error)
{
	g_autofree char *name = g_uri_unescape_string(encoded, NULL);
	g_autofree char *text = g_strndup(value.start, (gsize) (value.end - value.start));
	gsize size;

	if (name == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "an extended attribute with a damaged name");
	guchar *data = g_base64_decode(text, &size);
	g_autoptr(GBytes) bytes = g_bytes_new_take(data, size);
	return add_xattr(self, name, bytes, FALSE, error);
}

static gboolean
apply_record(CamTarPax *self, const char *key, Text value, GError **error)
{
	if (g_str_has_prefix(key, "SCHILY.xattr.")) {
		g_autoptr(GBytes) bytes =
			g_bytes_new(value.start, (gsize) (value.end - value.start));
		return add_xattr(self, key + strlen("SCHILY.xattr."), bytes, TRUE, error);
	}
	if (g_str_has_prefix(key, "LIBARCHIVE.xattr."))
		return add_libarchive_xattr(self, key + strlen("LIBARCHIVE.xattr."), value, error);
	/* An empty value takes the key back: the header's own field holds again. */
	if (value.start == value.end)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].key, key))
			return keys[i].apply(self, key, value, error);
	return TRUE;
}

/* One record: "LENGTH KEY=VALUE\n", the length counting all of it. */
static gboolean
parse_record(CamTarPax *self, const char *data, const char *end, gsize *used, GHashTable *seen,
	     GError **error)
{
	const char *blank = memchr(data, ' ', (gsize) MIN(end - data, 20));
	guint64 length;

	if (blank == NULL || !cam_tar_decimal(data, blank, "record length", &length, NULL) ||
	    length > (guint64) (end - data) || length < (guint64) (blank - data) + 3 ||
	    data[length - 1] != '\n')
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a malformed record in an extended header");
	Text value = { memchr(blank + 1, '=', length - 1 - (gsize) (blank + 1 - data)),
		       data + length - 1 };
	if (value.start == NULL || value.start == blank + 1 ||
	    memchr(blank + 1, '\0', (gsize) (value.start - blank - 1)) != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a malformed key in an extended header");
	g_autofree char *key = g_strndup(blank + 1, (gsize) (value.start - blank - 1));
	value.start++;
	*used = length;
	/* Which of two wins is where readers differ; only form 0.0 of sparse files repeats keys. */
	if (!g_str_equal(key, "GNU.sparse.offset") && !g_str_equal(key, "GNU.sparse.numbytes") &&
	    !g_hash_table_add(seen, g_strdup(key)))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "\"%.100s\" twice in one extended header", key);
	return apply_record(self, key, value, error);
}

CamTarPax *
cam_tar_pax_parse(const char *data, gsize size, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(CamTarPax) self = g_new0(CamTarPax, 1);
	const char *end = data + size;

	while (data < end) {
		gsize used = 0;

		if (!parse_record(self, data, end, &used, seen, error))
			return NULL;
		data += used;
	}
	return g_steal_pointer(&self);
}

GVariant *
cam_tar_pax_get_xattrs(const CamTarPax *self)
{
	g_autoptr(GList) names = NULL;
	GVariantBuilder builder;

	if (self->xattrs == NULL)
		return NULL;
	names = g_list_sort(g_hash_table_get_keys(self->xattrs), (GCompareFunc) strcmp);
	g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
	for (GList *l = names; l != NULL; l = l->next) {
		GBytes *value = g_hash_table_lookup(self->xattrs, l->data);

		g_variant_builder_add(
			&builder, "(@ay@ay)", g_variant_new_bytestring(l->data),
			g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, value, TRUE));
	}
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

gboolean
cam_tar_extents_check(const GArray *extents, guint64 size, guint64 stored, GError **error)
{
	guint64 end = 0, total = 0;

	for (guint i = 0; i < extents->len; i++) {
		const CamTarExtent *extent = &g_array_index(extents, CamTarExtent, i);

		if (extent->offset < end || extent->offset > size ||
		    extent->length > size - extent->offset)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "the sparse map leads out of the file or backwards");
		end = extent->offset + extent->length;
		total += extent->length;
	}
	if (total != stored)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the sparse map names %" G_GUINT64_FORMAT
				     " bytes, the archive has %" G_GUINT64_FORMAT,
				     total, stored);
	return TRUE;
}
