/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/inventory/inventory.h"
#include "scanners/inventory/scan-limits.h"

G_BEGIN_DECLS

/**
 * CamScanRun: what a scanner must heed while it reads.
 */
typedef struct {
	CamScanLimits limits; /* none is zero */
	GCancellable *cancellable;
} CamScanRun;

/**
 * CamScanner:
 *
 * A kind of scanner: a constant table entry, `const CamScanner cam_scanner_NAME`. Meson generates
 * the array of all of them from scanner_names, so adding one touches one new file and one line.
 *
 * The engine walks an image's tree once, skipping subtrees that it remembers. For every tree it
 * asks each scanner which of its entries interest it (by name alone: `wants`); what is found
 * is remembered per tree identity × path × versions of all scanners. What `scan` makes of the files
 * is remembered per paths and identities of the files × version of the scanner.
 */
typedef struct {
	const char *name;
	guint version; /* raised whenever its results would differ */
	/* Whether the entry @name inside directory @parent (path from the root without leading "/")
	 * is of interest; of a directory: whether anything below it may be, for the walk enters
	 * only directories that a scanner wants. A link to a directory that is wanted is walked
	 * like one: paths are those by which a program in the image would come there. Must depend
	 * on the arguments alone. */
	gboolean (*wants)(const char *parent, const char *name, gboolean is_directory);
	/* Reads what was wanted (@paths, full paths, sorted, NULL-terminated, at least one) and
	 * adds to @inventory. Links at the paths are followed; no other path may be read. What
	 * is malformed or beyond a limit is a problem of the inventory, not an error. */
	gboolean (*scan)(const CamScanRun *run, CamRootfs *rootfs, const char *const *paths,
			 CamInventory *inventory, GError **error);
} CamScanner;

G_END_DECLS
