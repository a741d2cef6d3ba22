/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dynamic linker's cache decides which file every program loads under a library's name: its
 * form, and what of it may change with packages.
 */
#include "rebuild/proof/ld-cache.h"

#include <string.h>

#define OLD_MAGIC	"ld.so-1.7.0"
#define OLD_HEADER_SIZE 16 /* magic with its NUL, number of entries */
#define OLD_ENTRY_SIZE	12
#define NEW_MAGIC	"glibc-ld.so.cache1.1"
#define NEW_HEADER_SIZE 48
#define NEW_ENTRY_SIZE	24
#define MAX_ENTRIES	1000000

static void
entry_free(gpointer data)
{
	CamLdEntry *self = data;

	g_free(self->name);
	g_free(self->path);
	g_free(self);
}

/* In the byte order of this host, which is the image's if its programs can run here. */
static guint32
word(const guint8 *data)
{
	guint32 value;

	memcpy(&value, data, sizeof(value));
	return value;
}

/* (nullable): the string at @offset, which must end within the data. */
static char *
string_at(const guint8 *data, gsize size, guint32 offset)
{
	const char *text = (const char *) data + offset;

	if (offset >= size || !memchr(text, '\0', size - offset))
		return NULL;
	return g_strdup(text);
}

GPtrArray *
cam_ld_cache_read(GBytes *bytes)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	/* an older form may stand in front of it */
	if (size > OLD_HEADER_SIZE && !memcmp(data, OLD_MAGIC, strlen(OLD_MAGIC))) {
		guint64 skip = OLD_HEADER_SIZE + (guint64) word(data + 12) * OLD_ENTRY_SIZE;

		skip = (skip + 7) / 8 * 8;
		if (skip >= size)
			return NULL;
		data += skip;
		size -= skip;
	}
	if (size < NEW_HEADER_SIZE || memcmp(data, NEW_MAGIC, strlen(NEW_MAGIC)) != 0)
		return NULL;

	guint32 n = word(data + strlen(NEW_MAGIC));

	if (n > MAX_ENTRIES || (size - NEW_HEADER_SIZE) / NEW_ENTRY_SIZE < n)
		return NULL;
	for (guint32 i = 0; i < n; i++) {
		const guint8 *raw = data + NEW_HEADER_SIZE + (gsize) i * NEW_ENTRY_SIZE;
		CamLdEntry *entry = g_new0(CamLdEntry, 1);

		g_ptr_array_add(entries, entry);
		entry->flags = word(raw);
		entry->name = string_at(data, size, word(raw + 4));
		entry->path = string_at(data, size, word(raw + 8));
		if (!entry->name || !entry->path)
			return NULL;
	}
	return g_steal_pointer(&entries);
}

/* ---- what may change ---- */

static char *
identity(const CamLdEntry *entry)
{
	return g_strdup_printf("%u %s %s", entry->flags, entry->name, entry->path);
}

static gboolean
exists(CamRootfs *rootfs, const char *path)
{
	CamEntry entry;

	return cam_rootfs_lookup(rootfs, path, TRUE, NULL, &entry, NULL) && !entry.is_directory;
}

/* What must still be there of before, in its order. */
static gboolean
keeps_order(const CamProof *self, GPtrArray *before, GPtrArray *after, GHashTable *known)
{
	guint j = 0;

	for (guint i = 0; i < before->len; i++) {
		const CamLdEntry *entry = before->pdata[i];
		g_autofree char *wanted = identity(entry);
		gboolean found = FALSE;

		if (!exists(self->after, entry->path))
			continue;
		for (; j < after->len && !found; j++) {
			g_autofree char *is = identity(after->pdata[j]);

			found = g_str_equal(is, wanted);
			if (!found && g_hash_table_contains(known, is) &&
			    exists(self->after, ((const CamLdEntry *) after->pdata[j])->path))
				return FALSE; /* another one of before comes first */
		}
		if (!found)
			return FALSE;
	}
	return TRUE;
}

/* A new entry: a packaged file by its own name, where the linker looked before, for a name that no
 * file had before. */
static gboolean
is_packaged(const CamProof *self, const CamLdEntry *entry, GHashTable *directories,
	    GHashTable *names)
{
	g_autofree char *directory = g_path_get_dirname(entry->path);
	g_autofree char *base = g_path_get_basename(entry->path);

	return g_str_equal(base, entry->name) && !g_hash_table_contains(names, entry->name) &&
	       g_hash_table_contains(directories, directory) &&
	       cam_proof_find_shipped(self, entry->path);
}

char *
cam_ld_cache_compare(const CamProof *self, GBytes *before, GBytes *after)
{
	g_autoptr(GPtrArray) old = cam_ld_cache_read(before), now = cam_ld_cache_read(after);
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) directories =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	if (!old || !now)
		return g_strdup("it is no cache of the dynamic linker");
	for (guint i = 0; i < old->len; i++) {
		const CamLdEntry *entry = old->pdata[i];

		g_hash_table_add(known, identity(entry));
		g_hash_table_add(directories, g_path_get_dirname(entry->path));
		if (exists(self->after, entry->path))
			g_hash_table_add(names, entry->name);
	}
	if (!keeps_order(self, old, now, known))
		return g_strdup("it leaves out or moves what was in it");
	for (guint i = 0; i < now->len; i++) {
		const CamLdEntry *entry = now->pdata[i];
		g_autofree char *is = identity(entry);

		if (g_hash_table_contains(known, is)
			    ? !exists(self->after, entry->path)
			    : !is_packaged(self, entry, directories, names))
			return g_strdup_printf("%s stands for %s, which no package of the fix "
					       "explains",
					       entry->path, entry->name);
	}
	return NULL;
}
