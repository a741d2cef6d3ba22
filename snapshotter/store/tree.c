/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The entries of one directory as an immutable, shared value. Where they come from and what the
 * identities cover is the business of the CamRootfs implementations.
 */
#include "snapshotter/store/tree.h"

#include <string.h>

struct _CamTree {
	gatomicrefcount refs;
	guint n_entries;
	char *names; /* all names, each NUL-terminated, in one block */
	CamEntry entries[];
};

static int
compare_entries(gconstpointer a, gconstpointer b)
{
	return strcmp(((const CamEntry *) a)->name, ((const CamEntry *) b)->name);
}

CamTree *
cam_tree_new(const CamEntry *entries, guint n_entries)
{
	CamTree *self = g_malloc(sizeof(CamTree) + n_entries * sizeof(CamEntry));
	gsize names_size = 0;
	char *name;

	for (guint i = 0; i < n_entries; i++)
		names_size += strlen(entries[i].name) + 1;

	g_atomic_ref_count_init(&self->refs);
	self->n_entries = n_entries;
	self->names = name = g_malloc(names_size);
	for (guint i = 0; i < n_entries; i++) {
		gsize size = strlen(entries[i].name) + 1;

		self->entries[i] = entries[i];
		self->entries[i].name = memcpy(name, entries[i].name, size);
		name += size;
	}
	if (n_entries > 1)
		qsort(self->entries, n_entries, sizeof(CamEntry), compare_entries);
	return self;
}

CamTree *
cam_tree_ref(CamTree *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

void
cam_tree_unref(CamTree *self)
{
	if (!g_atomic_ref_count_dec(&self->refs))
		return;
	g_free(self->names);
	g_free(self);
}

guint
cam_tree_size(CamTree *self)
{
	return self->n_entries;
}

const CamEntry *
cam_tree_get(CamTree *self, guint index)
{
	g_return_val_if_fail(index < self->n_entries, NULL);
	return &self->entries[index];
}

const CamEntry *
cam_tree_find(CamTree *self, const char *name)
{
	const CamEntry key = { .name = name };

	if (self->n_entries == 0)
		return NULL;
	return bsearch(&key, self->entries, self->n_entries, sizeof(CamEntry), compare_entries);
}

guint
cam_sha256_hash(gconstpointer sha256)
{
	guint hash;

	memcpy(&hash, sha256, sizeof(hash));
	return hash;
}

gboolean
cam_sha256_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(CamSha256)) == 0;
}
