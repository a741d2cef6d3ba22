/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pax extended headers (POSIX.1-2017 "pax Extended Header") with the keys that containerd goes by,
 * through Go's archive/tar: the names, numbers and mtime of an entry, SCHILY.xattr and GNU.sparse.
 * All other keys are passed over, as the standard asks, LIBARCHIVE.xattr and SCHILY.devmajor too.
 */
#include "snapshotter/store/tar-pax.h"

#include <string.h>

#define XATTR_NAME_MAX 255 /* Linux */
#define NSEC_PER_SEC   1000000000LL
#define MAX_SECONDS    (G_MAXINT64 / NSEC_PER_SEC - 1)
#define XATTR_PREFIX   "SCHILY.xattr."
#define SPARSE_PREFIX  "GNU.sparse."

typedef struct {
	const char *start, *end;
} Text;

/* Of all records: key → Text, and the map of form 0.0 put together, as in form 0.1. */
struct _CamTarPaxRecords {
	GHashTable *values;
	GString *map;
	gsize n_map;
};

typedef gboolean (*ApplyFunc)(CamTarPax *self, const char *key, Text value, GError **error);

static void
records_free(CamTarPaxRecords *self)
{
	g_clear_pointer(&self->values, g_hash_table_unref);
	if (self->map != NULL)
		g_string_free(self->map, TRUE);
	g_free(self);
}

void
cam_tar_pax_free(CamTarPax *self)
{
	g_clear_pointer(&self->records, records_free);
	g_free(self->data);
	g_free(self->path);
	g_free(self->link_path);
	g_free(self->sparse_name);
	g_clear_pointer(&self->xattrs, g_hash_table_unref);
	g_clear_pointer(&self->extents, g_array_unref);
	g_free(self);
}

/* ---- values ---- */

gboolean
cam_tar_decimal(const char *text, const char *end, const char *what, gint64 *value, GError **error)
{
	gboolean negative = text < end && *text == '-';
	guint64 number = 0, limit = (guint64) G_MAXINT64 + negative;

	text += text < end && (*text == '-' || *text == '+');
	if (text == end)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is empty", what);
	for (; text < end; text++) {
		if (!g_ascii_isdigit(*text))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s is not a decimal number", what);
		if (!g_uint64_checked_mul(&number, number, 10) ||
		    !g_uint64_checked_add(&number, number, (guint64) (*text - '0')) ||
		    number > limit)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large",
					     what);
	}
	*value = negative ? (gint64) -number : (gint64) number;
	return TRUE;
}

gint64
cam_tar_time(gint64 seconds, gint64 nanoseconds)
{
	return seconds > MAX_SECONDS || seconds < -MAX_SECONDS
		       ? 0
		       : seconds * NSEC_PER_SEC + nanoseconds;
}

static gboolean
apply_name(char **name, Text value)
{
	g_free(*name);
	*name = g_strndup(value.start, (gsize) (value.end - value.start));
	return TRUE;
}

static gboolean
apply_path(CamTarPax *self, const char *key, Text value, GError **error)
{
	return apply_name(&self->path, value);
}

static gboolean
apply_link_path(CamTarPax *self, const char *key, Text value, GError **error)
{
	return apply_name(&self->link_path, value);
}

static gboolean
apply_size(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_size = TRUE;
	return cam_tar_decimal(value.start, value.end, key, &self->size, error);
}

static gboolean
apply_uid(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_uid = TRUE;
	return cam_tar_decimal(value.start, value.end, key, &self->uid, error);
}

static gboolean
apply_gid(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_gid = TRUE;
	return cam_tar_decimal(value.start, value.end, key, &self->gid, error);
}

/* [-]seconds[.fraction]; digits beyond nanoseconds are cut. */
static gboolean
read_time(Text value, const char *key, gint64 *time, GError **error)
{
	const char *point = memchr(value.start, '.', (gsize) (value.end - value.start));
	gint64 seconds, nanoseconds = 0, place = NSEC_PER_SEC / 10;

	if (!cam_tar_decimal(value.start, point != NULL ? point : value.end, key, &seconds, error))
		return FALSE;
	for (const char *p = point != NULL ? point + 1 : value.end; p < value.end;
	     p++, place /= 10) {
		if (!g_ascii_isdigit(*p))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s is not a decimal number", key);
		nanoseconds += place * (*p - '0');
	}
	*time = cam_tar_time(seconds, *value.start == '-' ? -nanoseconds : nanoseconds);
	return TRUE;
}

static gboolean
apply_mtime(CamTarPax *self, const char *key, Text value, GError **error)
{
	self->has_mtime = TRUE;
	return read_time(value, key, &self->mtime, error);
}

static gboolean
check_time(CamTarPax *self, const char *key, Text value, GError **error)
{
	gint64 unused;

	return read_time(value, key, &unused, error);
}

static const struct {
	const char *key;
	ApplyFunc apply;
} keys[] = {
	{ "path", apply_path },	 { "linkpath", apply_link_path },
	{ "size", apply_size },	 { "uid", apply_uid },
	{ "gid", apply_gid },	 { "mtime", apply_mtime },
	{ "atime", check_time }, { "ctime", check_time },
};

static gboolean
add_xattr(CamTarPax *self, const char *name, Text value, GError **error)
{
	gsize size = strlen(name);

	if (size == 0 || size > XATTR_NAME_MAX)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "an extended attribute with a name of %zu bytes", size);
	if (self->xattrs == NULL)
		self->xattrs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						     (GDestroyNotify) g_bytes_unref);
	g_hash_table_replace(self->xattrs, g_strdup(name),
			     g_bytes_new(value.start, (gsize) (value.end - value.start)));
	return TRUE;
}

static gboolean
apply_record(CamTarPax *self, const char *key, Text value, GError **error)
{
	/* An empty attribute is one; every other empty value leaves the header's own field. */
	if (g_str_has_prefix(key, XATTR_PREFIX))
		return add_xattr(self, key + strlen(XATTR_PREFIX), value, error);
	if (value.start == value.end)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].key, key))
			return keys[i].apply(self, key, value, error);
	if (g_str_has_prefix(key, SPARSE_PREFIX))
		self->has_stray_sparse_keys = TRUE;
	return TRUE;
}

/* ---- records ---- */

/* The records of form 0.0: offset and length in turn, the one kind that repeats keys. */
static gboolean
add_to_map(CamTarPaxRecords *self, gboolean is_offset, Text value, GError **error)
{
	gsize size = (gsize) (value.end - value.start);

	if (is_offset != (self->n_map % 2 == 0) || memchr(value.start, ',', size) != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the sparse map is out of order");
	if (self->map == NULL)
		self->map = g_string_new(NULL);
	if (self->n_map++ > 0)
		g_string_append_c(self->map, ',');
	g_string_append_len(self->map, value.start, (gssize) size);
	return TRUE;
}

static gboolean
add_record(CamTarPaxRecords *self, char *key, Text value, GError **error)
{
	g_autofree char *owned = key;
	Text *kept;

	if (g_str_equal(key, SPARSE_PREFIX "offset") || g_str_equal(key, SPARSE_PREFIX "numbytes"))
		return add_to_map(self, g_str_equal(key, SPARSE_PREFIX "offset"), value, error);
	kept = g_new(Text, 1);
	*kept = value;
	g_hash_table_replace(self->values, g_steal_pointer(&owned), kept);
	return TRUE;
}

/* NUL bytes may stand in values, but not in those that are names. */
static gboolean
has_wrong_nul(const char *key, gsize key_size, Text value)
{
	static const char *const names[] = { "path", "linkpath", "uname", "gname" };

	if (memchr(key, '\0', key_size) != NULL)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (key_size == strlen(names[i]) && memcmp(key, names[i], key_size) == 0)
			return memchr(value.start, '\0', (gsize) (value.end - value.start)) != NULL;
	return FALSE;
}

/* One record: "LENGTH KEY=VALUE\n", the length counting all of it. */
static gboolean
parse_record(CamTarPaxRecords *self, const char *data, const char *end, gsize *used, GError **error)
{
	const char *blank = memchr(data, ' ', (gsize) (end - data)), *key, *equals;
	gint64 length;

	if (blank == NULL || !cam_tar_decimal(data, blank, "record length", &length, NULL) ||
	    length < 5 || length > end - data || length <= blank + 1 - data ||
	    data[length - 1] != '\n')
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a malformed record in an extended header");
	key = blank + 1;
	equals = memchr(key, '=', (gsize) (data + length - 1 - key));
	Text value = { equals + 1, data + length - 1 };
	if (equals == NULL || equals == key || has_wrong_nul(key, (gsize) (equals - key), value))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a malformed key or name in an extended header");
	*used = (gsize) length;
	return add_record(self, g_strndup(key, (gsize) (equals - key)), value, error);
}

static gboolean
parse_records(CamTarPaxRecords *self, const char *data, gsize size, GError **error)
{
	const char *end = data + size;

	self->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	while (data < end) {
		gsize used = 0;

		if (!parse_record(self, data, end, &used, error))
			return FALSE;
		data += used;
	}
	if (self->map != NULL) {
		Text *map = g_new(Text, 1);

		*map = (Text){ self->map->str, self->map->str + self->map->len };
		g_hash_table_replace(self->values, g_strdup(SPARSE_PREFIX "map"), map);
	}
	return TRUE;
}

/* ---- sparse files ---- */

/* (nullable): the value of a record that is not empty */
static const Text *
get_sparse(const CamTarPaxRecords *records, const char *name)
{
	g_autofree char *key = g_strconcat(SPARSE_PREFIX, name, NULL);
	const Text *value = g_hash_table_lookup(records->values, key);

	return value != NULL && value->start < value->end ? value : NULL;
}

static gboolean
is_text(const Text *value, const char *text)
{
	gsize size = strlen(text);

	return value != NULL && (gsize) (value->end - value->start) == size &&
	       memcmp(value->start, text, size) == 0;
}

static CamTarSparse
sparse_form(const CamTarPaxRecords *records)
{
	const Text *major = get_sparse(records, "major"), *minor = get_sparse(records, "minor");

	if (is_text(major, "0") && (is_text(minor, "0") || is_text(minor, "1")))
		return CAM_TAR_SPARSE_MAP_IN_HEADER;
	if (is_text(major, "1") && is_text(minor, "0"))
		return CAM_TAR_SPARSE_MAP_IN_DATA;
	if (major != NULL || minor != NULL || get_sparse(records, "map") == NULL)
		return CAM_TAR_SPARSE_NONE;
	return CAM_TAR_SPARSE_MAP_IN_HEADER;
}

static gboolean
take_map_number(const char **p, const char *end, guint64 *value, GError **error)
{
	const char *comma = memchr(*p, ',', (gsize) (end - *p));
	gint64 number;

	if (!cam_tar_decimal(*p, comma != NULL ? comma : end, "a number of the sparse map", &number,
			     error))
		return FALSE;
	if (number < 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a number of the sparse map is negative");
	*value = (guint64) number;
	*p = comma != NULL ? comma + 1 : NULL;
	return TRUE;
}

static gboolean
read_header_map(CamTarPax *self, const CamTarPaxRecords *records, GError **error)
{
	const Text *map = get_sparse(records, "map"), *stated = get_sparse(records, "numblocks");
	const char *p = map != NULL ? map->start : NULL;
	gint64 n = 0;

	self->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	if (stated == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a sparse map without " SPARSE_PREFIX "numblocks");
	if (!cam_tar_decimal(stated->start, stated->end, SPARSE_PREFIX "numblocks", &n, error))
		return FALSE;
	while (p != NULL) {
		CamTarExtent extent;

		if (self->extents->len >= CAM_TAR_MAX_EXTENTS)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "the sparse map has more than %d parts",
					     CAM_TAR_MAX_EXTENTS);
		if (!take_map_number(&p, map->end, &extent.offset, error))
			return FALSE;
		if (p == NULL)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "the sparse map is out of order");
		if (!take_map_number(&p, map->end, &extent.length, error))
			return FALSE;
		g_array_append_val(self->extents, extent);
	}
	return n == (gint64) self->extents->len ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "the sparse map has %u parts instead of %" G_GINT64_FORMAT,
			     self->extents->len, n);
}

static gboolean
merge_sparse(CamTarPax *self, const CamTarPaxRecords *records, GError **error)
{
	const Text *name, *size;

	if (!self->has_stray_sparse_keys)
		return TRUE;
	self->sparse = sparse_form(records);
	if (self->sparse == CAM_TAR_SPARSE_NONE)
		return TRUE;
	self->has_stray_sparse_keys = FALSE;
	name = get_sparse(records, "name");
	if (name != NULL && memchr(name->start, '\0', (gsize) (name->end - name->start)) != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     SPARSE_PREFIX "name holds a NUL byte");
	if (name != NULL)
		apply_name(&self->sparse_name, *name);
	size = get_sparse(records, "size");
	if (size == NULL)
		size = get_sparse(records, "realsize");
	self->has_real_size = size != NULL;
	if (size != NULL &&
	    !cam_tar_decimal(size->start, size->end, SPARSE_PREFIX "size", &self->real_size, error))
		return FALSE;
	return self->sparse == CAM_TAR_SPARSE_MAP_IN_DATA || read_header_map(self, records, error);
}

/* ---- all of it ---- */

CamTarPax *
cam_tar_pax_parse(char *data, gsize size, GError **error)
{
	g_autoptr(CamTarPax) self = g_new0(CamTarPax, 1);

	self->data = data;
	self->records = g_new0(CamTarPaxRecords, 1);
	return parse_records(self->records, data, size, error) ? g_steal_pointer(&self) : NULL;
}

char *
cam_tar_pax_get_path(const CamTarPax *self)
{
	const Text *path = g_hash_table_lookup(self->records->values, "path");

	return path != NULL && path->start < path->end
		       ? g_strndup(path->start, (gsize) (path->end - path->start))
		       : NULL;
}

gboolean
cam_tar_pax_merge(CamTarPax *self, gboolean with_sparse, GError **error)
{
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, self->records->values);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!apply_record(self, key, *(Text *) value, error))
			return FALSE;
	return !with_sparse || merge_sparse(self, self->records, error);
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
