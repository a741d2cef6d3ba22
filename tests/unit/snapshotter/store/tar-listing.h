/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tar reader sees of an archive, as text in the form of go/reader.go. */
#include <string.h>

#include "snapshotter/store/tar-reader.h"

#define LISTING_WHOLE (1 << 20) /* larger files are listed by their size */
#define LISTING_MAX   (1 << 26)

typedef struct {
	const guint8 *data;
	gsize size, at, raw, content;
} ListingFeed;

static inline gssize
listing_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	ListingFeed *feed = user_data;
	gsize n = MIN(size, feed->size - feed->at);

	if (n > 0)
		memcpy(buffer, feed->data + feed->at, n);
	feed->at += n;
	return (gssize) n;
}

static inline gboolean
listing_raw(gpointer user_data, gconstpointer data, gsize size, GError **error)
{
	((ListingFeed *) user_data)->raw += size;
	return TRUE;
}

static inline void
append_hex(GString *text, gconstpointer data, gsize size)
{
	for (gsize i = 0; i < size; i++)
		g_string_append_printf(text, "%02x", ((const guint8 *) data)[i]);
}

static inline gboolean
read_all(CamTarReader *reader, ListingFeed *feed, guint8 *target, guint64 size, GError **error)
{
	while (size > 0) {
		gssize n = cam_tar_reader_read(reader, target, (gsize) size, error);

		if (n < 0)
			return FALSE;
		g_assert_cmpint(n, >, 0);
		target += n;
		size -= (guint64) n;
		feed->content += (gsize) n;
	}
	return TRUE;
}

static inline gboolean
append_content(GString *text, CamTarReader *reader, ListingFeed *feed, const CamTarEntry *entry,
	       GError **error)
{
	CamTarExtent whole = { 0, entry->size };
	guint n = entry->extents != NULL ? entry->n_extents : 1;
	g_autofree guint8 *content = NULL;

	/* Only holes can be that large here. */
	if (entry->size >= LISTING_MAX || entry->stored_size > feed->size)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "too large for a listing");
	content = g_malloc0((gsize) entry->size + 1);
	for (guint i = 0; i < n; i++) {
		const CamTarExtent *extent = entry->extents != NULL ? &entry->extents[i] : &whole;

		if (!read_all(reader, feed, content + extent->offset, extent->length, error))
			return FALSE;
	}
	if (entry->size > LISTING_WHOLE) {
		g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, entry->size);

		append_hex(text, size, strlen(size));
	} else {
		append_hex(text, content, (gsize) entry->size);
	}
	return TRUE;
}

static inline void
append_xattrs(GString *text, GVariant *xattrs)
{
	gsize n = xattrs != NULL ? g_variant_n_children(xattrs) : 0;

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) attribute = g_variant_get_child_value(xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(attribute, 0);
		g_autoptr(GVariant) value = g_variant_get_child_value(attribute, 1);
		gsize size;
		gconstpointer data = g_variant_get_fixed_array(value, &size, 1);

		g_string_append(text, i > 0 ? "," : "");
		append_hex(text, g_variant_get_bytestring(name),
			   strlen(g_variant_get_bytestring(name)));
		g_string_append_c(text, '=');
		append_hex(text, data, size);
	}
}

static inline gboolean
append_entry(GString *text, CamTarReader *reader, ListingFeed *feed, const CamTarEntry *entry,
	     GError **error)
{
	g_string_append_printf(text, "%c ", "fhlcbdp"[entry->type]);
	append_hex(text, entry->path, strlen(entry->path));
	g_string_append_c(text, ' ');
	if (entry->link_target != NULL)
		append_hex(text, entry->link_target, strlen(entry->link_target));
	g_string_append_printf(text, " %o %u:%u %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %u,%u ",
			       entry->mode, entry->uid, entry->gid, entry->size, entry->mtime,
			       entry->rdev_major, entry->rdev_minor);
	append_xattrs(text, entry->xattrs);
	g_string_append_c(text, ' ');
	if (entry->type == CAM_TAR_REGULAR && !append_content(text, reader, feed, entry, error))
		return FALSE;
	g_string_append_c(text, '\n');
	return TRUE;
}

/* NULL on error. Checks that every byte was told or read. */
static inline char *
tar_listing(GBytes *bytes, gboolean allow_ambiguous, GError **error)
{
	static const CamTarSource source = { .read = listing_read, .raw = listing_raw };
	ListingFeed feed = { 0 };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	g_autoptr(GString) text = g_string_new(NULL);
	const CamTarEntry *entry;
	GError *local = NULL;

	feed.data = g_bytes_get_data(bytes, &feed.size);
	if (allow_ambiguous)
		cam_tar_reader_allow_ambiguous(reader);
	while ((entry = cam_tar_reader_next(reader, &local)) != NULL)
		if (!append_entry(text, reader, &feed, entry, error))
			return NULL;
	if (local != NULL) {
		g_propagate_error(error, local);
		return NULL;
	}
	g_assert_cmpuint(feed.raw + feed.content, ==, feed.size);
	g_string_append(text, "end\n");
	return g_string_free(g_steal_pointer(&text), FALSE);
}
