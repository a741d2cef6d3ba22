/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/pkgmgr/path-filter.h"

G_BEGIN_DECLS

/* A configuration file that dpkg must see in another form while it runs. */
typedef struct {
	char *path; /* where it really lies in the tree */
	guint32 mode;
	GBytes *content; /* what remains of it */
} CamDpkgMask;

/**
 * CamDpkgConfig: what an image tells its dpkg to do (dpkg.cfg(5)).
 *
 * The image is hostile: options that say what the image does not want to have (path-exclude,
 * path-include) are honoured, what the fix does anyway is let pass, and all others are dropped:
 * they would run a program, lead dpkg to another place, or weaken what it checks.
 */
typedef struct {
	CamPathFilter *filter;
	GPtrArray *dropped; /* (element-type utf8): sentences, one for each option */
	GPtrArray *masks;   /* (element-type CamDpkgMask): files with options that were dropped */
	/* (element-type utf8): "--path-exclude=…" of root's own file, which is never shown to
	 * dpkg: it looks for that in a HOME of ours. */
	GPtrArray *arguments;
} CamDpkgConfig;

/* Reads etc/dpkg/dpkg.cfg.d, etc/dpkg/dpkg.cfg and root/.dpkg.cfg, in dpkg's order; each may be
 * absent. FAILED_PRECONDITION for one that is no regular file. */
CamDpkgConfig *cam_dpkg_config_read(CamRootfs *rootfs, GError **error);
void cam_dpkg_config_free(CamDpkgConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDpkgConfig, cam_dpkg_config_free)

G_END_DECLS
