/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/upper-walk.h"

G_BEGIN_DECLS

/**
 * CamUpperTar: the bytes of the tar that an upper directory is, contents apart.
 */
typedef struct _CamUpperTar CamUpperTar;

/* @upper: used until the tar is freed */
CamUpperTar *cam_upper_tar_new(int upper);
/* Bytes up to the next content or the end: there it returns 0. -1 on error. */
gssize cam_upper_tar_read(CamUpperTar *self, void *buffer, gsize size, GError **error);
/* (transfer none) (nullable): the member whose headers were read last; NULL at the end. */
CamUpperMember *cam_upper_tar_get_member(CamUpperTar *self);
/* Goes on behind the member's content. */
void cam_upper_tar_pass_content(CamUpperTar *self);
void cam_upper_tar_free(CamUpperTar *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamUpperTar, cam_upper_tar_free)

G_END_DECLS
