/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * cam_thread_start:
 *
 * g_thread_try_new(): where the machine or a control group allows no more threads, that is
 * %CAM_ERROR_RESOURCE_EXHAUSTED, while g_thread_new() would end the process.
 */
GThread *cam_thread_start(const char *name, GThreadFunc func, gpointer data, GError **error);

G_END_DECLS
