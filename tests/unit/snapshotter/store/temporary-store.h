/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store in a directory of its own that goes with it; for unit tests. */
#include <fcntl.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/store/store.h"

typedef struct {
	char *path;
	CamStore *store;
} TemporaryStore;

static inline TemporaryStore *
temporary_store_new(void)
{
	TemporaryStore *self = g_new0(TemporaryStore, 1);
	GError *error = NULL;
	char *base = g_dir_make_tmp("cambium-store-XXXXXX", &error);

	g_assert_no_error(error);
	self->path = g_canonicalize_filename(base, NULL);
	g_free(base);
	self->store = cam_store_open(self->path, TRUE, NULL, &error);
	g_assert_no_error(error);
	return self;
}

static inline void
temporary_store_free(TemporaryStore *self)
{
	GError *error = NULL;

	g_clear_object(&self->store);
	cam_remove_tree_at(AT_FDCWD, self->path, &error);
	g_assert_no_error(error);
	g_free(self->path);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TemporaryStore, temporary_store_free)
