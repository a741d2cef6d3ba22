/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the list of what a package ships: paths with type, mode, owner and digest, and the members
 * of its control archive.
 */
#include "rebuild/proof/deb-content.h"

#include <string.h>

#include "rebuild/pkgmgr/deb-file.h"

#define MAX_ENTRIES   1000000
#define MAX_CONTENT   (16ull << 30) /* unpacked bytes of one package */
#define ENTRY_FORMAT  "(ayuuuutayayay)"
#define CONTENT_TYPE  "(ua" ENTRY_FORMAT "a(ayay))"
#define CODEC_VERSION 1

static void
entry_free(gpointer data)
{
	CamDebEntry *self = data;

	g_free(self->link_target);
	g_free(self->md5);
	g_free(self);
}

static CamDebContent *
content_new(void)
{
	CamDebContent *self = g_new0(CamDebContent, 1);

	self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	self->control = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify) g_bytes_unref);
	return self;
}

void
cam_deb_content_free(CamDebContent *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->entries);
	g_hash_table_unref(self->control);
	g_free(self);
}

char *
cam_deb_content_dup_control(const CamDebContent *self, const char *member)
{
	GBytes *bytes = g_hash_table_lookup(self->control, member);
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

	return g_strndup(data ? data : "", size);
}

/* ---- reading a package ---- */

/* "./usr/bin/x/" → "usr/bin/x" */
static char *
clean_path(const char *path)
{
	char *clean;
	gsize size;

	if (g_str_has_prefix(path, "./"))
		path += 2;
	clean = g_strdup(path + strspn(path, "/"));
	size = strlen(clean);
	while (size > 0 && clean[size - 1] == '/')
		clean[--size] = '\0';
	if (g_str_equal(clean, "."))
		*clean = '\0';
	return clean;
}

static gboolean
is_conffile(const CamDebContent *self, const char *path)
{
	g_autofree char *text = cam_deb_content_dup_control(self, "conffiles");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		const char *line = g_strstrip(lines[i]);

		if (*line == '/' && g_str_equal(line + 1, path))
			return TRUE;
	}
	return FALSE;
}

static gboolean
digest_content(CamDebContent *self, CamArchive *archive, const char *path, CamDebEntry *entry,
	       guint64 *total, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) in = cam_archive_entry_stream(archive);
	g_autofree guint8 *buffer = g_malloc(256 * 1024);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_autoptr(GChecksum) md5 = is_conffile(self, path) ? g_checksum_new(G_CHECKSUM_MD5) : NULL;
	gssize size;

	while ((size = g_input_stream_read(in, buffer, 256 * 1024, cancellable, error)) > 0) {
		entry->size += (guint64) size;
		*total += (guint64) size;
		if (*total > MAX_CONTENT)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "it unpacks to more than %llu bytes", MAX_CONTENT);
		cam_hasher_update(hasher, buffer, (gsize) size);
		if (md5)
			g_checksum_update(md5, buffer, size);
	}
	cam_hasher_finish_sha256(hasher, &entry->sha256);
	entry->md5 = md5 ? g_strdup(g_checksum_get_string(md5)) : NULL;
	return size == 0;
}

static gboolean
take_entry(CamDebContent *self, CamArchive *archive, const CamArchiveEntry *archived,
	   guint64 *total, GCancellable *cancellable, GError **error)
{
	g_autofree char *path = clean_path(archived->path);
	CamDebEntry *entry = g_new0(CamDebEntry, 1);

	entry->mode = archived->mode & 07777;
	entry->uid = archived->uid;
	entry->gid = archived->gid;
	g_hash_table_replace(self->entries, g_strdup(path), entry);
	switch (archived->type) {
	case CAM_ARCHIVE_DIRECTORY:
		entry->type = CAM_NODE_DIRECTORY;
		return TRUE;
	case CAM_ARCHIVE_SYMLINK:
		entry->type = CAM_NODE_SYMLINK;
		entry->link_target = g_strdup(archived->link_target);
		return TRUE;
	case CAM_ARCHIVE_FILE:
		entry->type = CAM_NODE_REGULAR;
		return digest_content(self, archive, path, entry, total, cancellable, error);
	case CAM_ARCHIVE_HARDLINK: {
		g_autofree char *target =
			clean_path(archived->link_target ? archived->link_target : "");
		const CamDebEntry *first = g_hash_table_lookup(self->entries, target);

		if (!first || first == entry)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "%s is a hard link to what comes later", path);
		*entry = *first;
		entry->link_target = g_strdup(first->link_target);
		entry->md5 = g_strdup(first->md5);
		return TRUE;
	}
	case CAM_ARCHIVE_OTHER:
		break;
	}
	g_hash_table_remove(self->entries, path); /* a device: no layer of ours is given one */
	return TRUE;
}

static gboolean
read_package(CamDebContent *self, CamDebFile *deb, GCancellable *cancellable, GError **error)
{
	CamArchive *archive = cam_deb_file_get_data(deb);
	g_autoptr(GError) local = NULL;
	const CamArchiveEntry *entry;
	GHashTableIter iter;
	gpointer name, bytes;
	guint64 total = 0;

	g_hash_table_iter_init(&iter, cam_deb_file_list_control(deb));
	while (g_hash_table_iter_next(&iter, &name, &bytes))
		g_hash_table_insert(self->control, g_strdup(name), g_bytes_ref(bytes));
	while ((entry = cam_archive_next(archive, cancellable, &local)))
		if (g_hash_table_size(self->entries) == MAX_ENTRIES)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "it has too many entries");
		else if (!take_entry(self, archive, entry, &total, cancellable, error))
			return FALSE;
	if (!local)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

CamDebContent *
cam_deb_content_read(const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamDebContent) self = content_new();
	g_autoptr(CamDebFile) deb = cam_deb_file_open(path, cancellable, error);

	if (!deb)
		return NULL;
	if (!read_package(self, deb, cancellable, error)) {
		cam_error_translate(error, "cannot read package %s", path);
		return NULL;
	}
	return g_steal_pointer(&self);
}

/* ---- remembering it ---- */

static GVariant *
string_bytes(const char *text)
{
	return g_variant_new_bytestring(text ? text : "");
}

static GVariant *
raw_bytes(gconstpointer data, gsize size)
{
	return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, size, 1);
}

GBytes *
cam_deb_content_to_bytes(const CamDebContent *self)
{
	g_auto(GVariantBuilder) entries = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a" ENTRY_FORMAT));
	g_auto(GVariantBuilder) control = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ayay)"));
	g_autoptr(GVariant) all = NULL;
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, self->entries);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const CamDebEntry *entry = value;

		g_variant_builder_add(&entries, "(@ayuuuut@ay@ay@ay)", string_bytes(key),
				      (guint32) entry->type, entry->mode, entry->uid, entry->gid,
				      entry->size, raw_bytes(&entry->sha256, CAM_SHA256_SIZE),
				      string_bytes(entry->link_target), string_bytes(entry->md5));
	}
	g_hash_table_iter_init(&iter, self->control);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		gsize size;
		gconstpointer data = g_bytes_get_data(value, &size);

		g_variant_builder_add(&control, "(@ay@ay)", string_bytes(key),
				      raw_bytes(data, size));
	}
	all = g_variant_ref_sink(g_variant_new("(u@a" ENTRY_FORMAT "@a(ayay))", CODEC_VERSION,
					       g_variant_builder_end(&entries),
					       g_variant_builder_end(&control)));
	return g_variant_get_data_as_bytes(all);
}

static char *
dup_if(const char *text)
{
	return *text ? g_strdup(text) : NULL;
}

static gboolean
decode_entries(CamDebContent *self, GVariant *entries)
{
	gsize n = g_variant_n_children(entries);

	for (gsize i = 0; i < n; i++) {
		CamDebEntry *entry = g_new0(CamDebEntry, 1);
		g_autoptr(GVariant) sha256 = NULL;
		const char *path, *target, *md5;
		guint32 type;
		gconstpointer digest;
		gsize size;

		g_variant_get_child(entries, i, "(^&ayuuuut@ay^&ay^&ay)", &path, &type,
				    &entry->mode, &entry->uid, &entry->gid, &entry->size, &sha256,
				    &target, &md5);
		digest = g_variant_get_fixed_array(sha256, &size, 1);
		entry->type = (CamNodeType) type;
		entry->link_target = dup_if(target);
		entry->md5 = dup_if(md5);
		g_hash_table_replace(self->entries, g_strdup(path), entry);
		if (size != CAM_SHA256_SIZE || type > CAM_NODE_FIFO)
			return FALSE;
		memcpy(&entry->sha256, digest, size);
	}
	return TRUE;
}

static void
decode_control(CamDebContent *self, GVariant *control)
{
	gsize n = g_variant_n_children(control);

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) content = NULL;
		const char *name;
		gconstpointer data;
		gsize size;

		g_variant_get_child(control, i, "(^&ay@ay)", &name, &content);
		data = g_variant_get_fixed_array(content, &size, 1);
		g_hash_table_replace(self->control, g_strdup(name), g_bytes_new(data, size));
	}
}

CamDebContent *
cam_deb_content_from_bytes(GBytes *bytes)
{
	g_autoptr(CamDebContent) self = content_new();
	g_autoptr(GVariant) all = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(CONTENT_TYPE), bytes, FALSE));
	g_autoptr(GVariant) entries = NULL, control = NULL;
	guint32 version;

	if (!g_variant_is_normal_form(all))
		return NULL;
	g_variant_get(all, "(u@a" ENTRY_FORMAT "@a(ayay))", &version, &entries, &control);
	if (version != CODEC_VERSION || !decode_entries(self, entries))
		return NULL;
	decode_control(self, control);
	return g_steal_pointer(&self);
}
