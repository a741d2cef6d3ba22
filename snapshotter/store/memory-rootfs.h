/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/rootfs.h"

G_BEGIN_DECLS

/**
 * CamMemoryRootfs: the in-memory twin; build it, then use it as any CamRootfs. Identities follow
 * the same rules.
 */
#define CAM_TYPE_MEMORY_ROOTFS (cam_memory_rootfs_get_type())
G_DECLARE_FINAL_TYPE(CamMemoryRootfs, cam_memory_rootfs, CAM, MEMORY_ROOTFS, CamRootfs)

CamMemoryRootfs *cam_memory_rootfs_new(void);
/* Parents are made (0755 root). Adding again replaces. @xattrs as in CamStat (nullable). */
void cam_memory_rootfs_add_file(CamMemoryRootfs *self, const char *path, const char *content,
				gssize size, guint32 mode);
void cam_memory_rootfs_add_symlink(CamMemoryRootfs *self, const char *path, const char *target);
void cam_memory_rootfs_add(CamMemoryRootfs *self, const char *path, const CamStat *stat,
			   GBytes *content);
void cam_memory_rootfs_remove(CamMemoryRootfs *self, const char *path);

G_END_DECLS
