/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adoption: the upper directory of an overlay becomes a layer of the store. The tar that it would
 * be is never written: its headers go through the tar reader, so that the layer is what an import
 * of that tar makes; its contents are hashed where they lie, here for the diffID and in the pool
 * for the objects, and linked.
 */
#include "snapshotter/store/upper-layer.h"

#include <errno.h>
#include <unistd.h>

#include "snapshotter/store/file-writers.h"
#include "snapshotter/store/layer-builder.h"
#include "snapshotter/store/store-private.h"
#include "snapshotter/store/upper-tar.h"

#define MAX_SIZE   (64 * G_GUINT64_CONSTANT(1073741824)) /* as of an imported layer */
#define IN_MEMORY  (1024 * 1024) /* larger files are read twice, from the page cache */
#define OPEN_FILE  (64 * 1024)	 /* what an open file counts: a few hundred at most wait */
#define HASH_CHUNK (256 * 1024)

typedef struct {
	CamStore *store;
	CamUpperTar *tar;
	CamTarReader *reader;
	CamLayerBuilder *builder;
	CamHasher *hasher; /* of the whole tar */
	guint8 *chunk;
	guint64 total;
	CamProgress *progress;
	guint phase;
	GCancellable *cancellable;
} Adoption;

static void
adoption_clear(Adoption *self)
{
	g_clear_pointer(&self->builder, cam_layer_builder_free);
	g_clear_pointer(&self->reader, cam_tar_reader_free);
	g_clear_pointer(&self->tar, cam_upper_tar_free);
	g_clear_pointer(&self->hasher, cam_hasher_free);
	g_clear_pointer(&self->chunk, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Adoption, adoption_clear)

static gssize
source_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	return cam_upper_tar_read(((Adoption *) user_data)->tar, buffer, size, error);
}

static gboolean
source_raw(gpointer user_data, gconstpointer data, gsize size, GError **error)
{
	Adoption *self = user_data;

	cam_hasher_update(self->hasher, data, size);
	return cam_layer_builder_add_raw(self->builder, data, size, error);
}

/* ---- contents ---- */

static gboolean
read_some(const CamUpperMember *member, guint8 *buffer, gsize size, guint64 offset, GError **error)
{
	while (size > 0) {
		ssize_t n = pread(member->fd, buffer, size, (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cam_set_error_errno(error, errno, "cannot read it");
		if (n == 0)
			return cam_set_error(error, CAM_ERROR_ABORTED,
					     "it became shorter while it was read; try again");
		buffer += n;
		offset += (guint64) n;
		size -= (gsize) n;
	}
	return TRUE;
}

/* @spool: -1, or where the content goes as it was hashed. */
static gboolean
hash_large(Adoption *self, const CamUpperMember *member, int spool, GError **error)
{
	for (guint64 done = 0; done < member->size; done += HASH_CHUNK) {
		gsize size = (gsize) MIN(HASH_CHUNK, member->size - done);

		if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
			return cam_error_translate(error, NULL);
		if (!read_some(member, self->chunk, size, done, error))
			return FALSE;
		cam_hasher_update(self->hasher, self->chunk, size);
		if (spool >= 0 && !cam_write_all(spool, self->chunk, size, error))
			return FALSE;
	}
	return TRUE;
}

/* A file that may still be written to, through a mapping even, is read once: what is hashed here
 * and what becomes the object must be the same. */
static gboolean
read_large(Adoption *self, CamUpperMember *member, CamObjectJob *job, GError **error)
{
	CamFileWriters writers = cam_file_get_writers(member->fd);
	g_auto(CamFd) spool = -1;

	if (writers == CAM_WRITERS_SOME)
		return cam_set_error(error, CAM_ERROR_ABORTED,
				     "it is open for writing; try again when it is closed");
	if (writers == CAM_WRITERS_UNKNOWN) {
		spool = cam_store_open_tmpfile(self->store, error);
		if (spool < 0)
			return FALSE;
	}
	if (!hash_large(self, member, spool, error))
		return FALSE;
	job->may_link = spool < 0;
	job->fd = spool < 0 ? cam_fd_steal(&member->fd) : cam_fd_steal(&spool);
	return TRUE;
}

static gboolean
read_small(Adoption *self, CamUpperMember *member, CamObjectJob *job, GError **error)
{
	job->data = g_malloc(member->size);
	if (!read_some(member, job->data, (gsize) member->size, 0, error))
		return FALSE;
	cam_hasher_update(self->hasher, job->data, (gsize) member->size);
	job->may_link = TRUE;
	job->fd = cam_fd_steal(&member->fd);
	return TRUE;
}

/* The pool looks at the stamp when it has read the file too: what it finds unchanged then was
 * unchanged here. */
static gboolean
read_content(gpointer user_data, const CamTarEntry *tar, CamObjectJob *job, GError **error)
{
	Adoption *self = user_data;
	CamUpperMember *member = cam_upper_tar_get_member(self->tar);
	gboolean small = member->size <= IN_MEMORY;

	job->size = member->size;
	cam_layer_builder_reserve(self->builder, job,
				  MAX(OPEN_FILE, small ? (gsize) member->size : HASH_CHUNK));
	job->stamp = member->stamp;
	if (!(small ? read_small(self, member, job, error) : read_large(self, member, job, error)))
		return FALSE;
	cam_upper_tar_pass_content(self->tar);
	cam_tar_reader_content_is_absent(self->reader);
	cam_progress_advance(self->progress, self->phase, member->size);
	return TRUE;
}

/* ---- the layer ---- */

static gboolean
take_entry(Adoption *self, const CamTarEntry *tar, GError **error)
{
	if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
		return cam_error_translate(error, NULL);
	self->total += MIN(tar->size, MAX_SIZE);
	if (tar->size > MAX_SIZE || self->total > MAX_SIZE)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "%s: the files are larger than the %" G_GUINT64_FORMAT
				     " bytes that a layer may have, holes included",
				     tar->path, MAX_SIZE);
	return cam_layer_builder_add_entry(self->builder, tar, error);
}

static CamLayerInfo *
adopt(Adoption *self, GError **error)
{
	static const CamTarSource source = { .read = source_read, .raw = source_raw };
	g_autofree char *diff_id = NULL;
	const CamTarEntry *tar;
	GError *local = NULL;

	self->reader = cam_tar_reader_new(&source, self);
	while ((tar = cam_tar_reader_next(self->reader, &local)) != NULL)
		if (!take_entry(self, tar, error))
			return NULL;
	if (local != NULL) {
		g_propagate_error(error, local);
		return NULL;
	}
	if (!cam_layer_builder_finish(self->builder, cam_tar_reader_get_position(self->reader),
				      error))
		return NULL;
	diff_id = cam_hasher_finish(self->hasher);
	return cam_layer_builder_commit(self->builder, diff_id, error);
}

CamLayerInfo *
cam_store_adopt_upper(CamStore *self, int upper, CamProgress *progress, GCancellable *cancellable,
		      GError **error)
{
	g_autoptr(CamStoreHold) hold = cam_store_hold(self, cancellable, error);
	g_auto(Adoption)
		adoption = { .store = self, .progress = progress, .cancellable = cancellable };
	CamLayerInfo *info;

	if (hold == NULL)
		return NULL;
	adoption.builder = cam_layer_builder_new(self, read_content, &adoption, cancellable, error);
	if (adoption.builder == NULL)
		return NULL;
	adoption.tar = cam_upper_tar_new(upper);
	adoption.hasher = cam_hasher_new();
	adoption.chunk = g_malloc(HASH_CHUNK);
	adoption.phase = cam_progress_begin(progress, "adopting", 0, CAM_PROGRESS_BYTES);
	info = adopt(&adoption, error);
	cam_progress_end(progress, adoption.phase);
	return info;
}
