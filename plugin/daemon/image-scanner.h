/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"
#include "plugin/daemon/verdict.h"

G_BEGIN_DECLS

/**
 * CamImageScanner: takes images of containerd into the store and scans them there. Several threads
 * may use it, for different images: it holds nothing that changes. Of two images that take the same
 * free name at the same moment, the later one gets it.
 */
typedef struct _CamImageScanner CamImageScanner;

/* @config: outlives it. @transport: (transfer none): how containerd is reached; what it points to
 * outlives the scanner */
CamImageScanner *cam_image_scanner_new(CamStore *store, const CamConfig *config,
				       const CamTransportOptions *transport);
void cam_image_scanner_free(CamImageScanner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamImageScanner, cam_image_scanner_free)

/* (transfer full): of the advisories that a scan would be by; "" where there are none */
char *cam_image_scanner_database(CamImageScanner *self);

/**
 * cam_image_scanner_scan:
 * @verdict: names the image; gets what was found, and the name under which the store has the image
 *     if this put it there
 *
 * An image that the store has, under whatever name, is not imported again. A name of the store
 * that somebody else gave to another image is left alone: then this one is imported by its digest.
 * So is one whose name in containerd is no reference. It asks no network.
 */
gboolean cam_image_scanner_scan(CamImageScanner *self, CamVerdict *verdict,
				GCancellable *cancellable, GError **error);

/**
 * cam_image_scanner_look_up:
 *
 * The same, and looks up over the network what no source has looked at yet. On failure @verdict
 * holds what is known without it.
 */
gboolean cam_image_scanner_look_up(CamImageScanner *self, CamVerdict *verdict,
				   GCancellable *cancellable, GError **error);

/**
 * cam_image_scanner_keep_name:
 *
 * Where the store has the image: gives it the name that containerd has for it, if that is free, and
 * moves a name that it was given when the tag moved.
 */
gboolean cam_image_scanner_keep_name(CamImageScanner *self, CamVerdict *verdict, GError **error);

G_END_DECLS
