/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CamUpperTar: headers, padding and end of the tar whose members a CamUpperWalk finds. */
#include "snapshotter/store/upper-tar.h"

#include <string.h>

#include "snapshotter/store/tar-writer.h"

struct _CamUpperTar {
	CamUpperWalk *walk;
	CamUpperMember *member;	  /* (nullable): NULL before the first and at the end */
	gsize header_done, zeros; /* zeros come before the next member */
	gboolean in_content, ended;
};

CamUpperTar *
cam_upper_tar_new(int upper)
{
	CamUpperTar *self = g_new0(CamUpperTar, 1);

	self->walk = cam_upper_walk_new(upper);
	return self;
}

void
cam_upper_tar_free(CamUpperTar *self)
{
	cam_upper_walk_free(self->walk);
	g_free(self);
}

CamUpperMember *
cam_upper_tar_get_member(CamUpperTar *self)
{
	return self->member;
}

void
cam_upper_tar_pass_content(CamUpperTar *self)
{
	self->in_content = FALSE;
	self->zeros = cam_tar_padding(self->member->size);
}

static gboolean
next_member(CamUpperTar *self, GError **error)
{
	GError *local = NULL;

	self->member = cam_upper_walk_next(self->walk, &local);
	self->header_done = 0;
	if (local != NULL) {
		g_propagate_error(error, local);
		return FALSE;
	}
	if (self->member == NULL) {
		self->ended = TRUE;
		self->zeros = 2 * CAM_TAR_BLOCK_SIZE;
	}
	return TRUE;
}

static gssize
read_header(CamUpperTar *self, void *buffer, gsize size)
{
	const GByteArray *header = self->member->header;

	size = MIN(size, header->len - self->header_done);
	memcpy(buffer, header->data + self->header_done, size);
	self->header_done += size;
	self->in_content = self->header_done == header->len && self->member->size > 0;
	return (gssize) size;
}

gssize
cam_upper_tar_read(CamUpperTar *self, void *buffer, gsize size, GError **error)
{
	if (self->in_content)
		return 0;
	if (self->zeros == 0 && !self->ended &&
	    (self->member == NULL || self->header_done == self->member->header->len) &&
	    !next_member(self, error))
		return -1;
	if (self->zeros > 0) {
		size = MIN(size, self->zeros);
		memset(buffer, 0, size);
		self->zeros -= size;
		return (gssize) size;
	}
	return self->ended ? 0 : read_header(self, buffer, size);
}
