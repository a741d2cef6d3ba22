/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/* A CamRootfs over an OSTree tree. @contents, @metadata: checksums of its root directory. */
CamRootfs *
cam_ostree_rootfs_new(CamStore *store, const char *contents, const char *metadata, GError **error);

G_END_DECLS
