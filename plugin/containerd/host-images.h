/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/host.h"

G_BEGIN_DECLS

/* A CamHostLister. %CAM_ERROR_NOT_FOUND for a namespace that does not exist. */
GPtrArray *
cam_host_list_images(const CamHostOptions *options, GCancellable *cancellable, GError **error);

G_END_DECLS
