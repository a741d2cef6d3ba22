/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/base/progress.h"
#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamHttpClient:
 *
 * HTTP(S) for everything but the registry protocol's own logic: redirects (never from https to
 * http, and credentials never to another origin), proxies from GIO, system CA, a time-out of 60 s
 * without a byte, retries with growing pauses for connection failures and 429/502/503/504
 * (Retry-After honoured). Blocking; to be used in the thread that made it. http://, https:// and
 * file:// URLs.
 */
#define CAM_TYPE_HTTP_CLIENT (cam_http_client_get_type())
G_DECLARE_FINAL_TYPE(CamHttpClient, cam_http_client, CAM, HTTP_CLIENT, GObject)

CamHttpClient *cam_http_client_new(void);

/* Whether both lead to one port of one host. */
gboolean cam_http_is_same_server(GUri *a, GUri *b);

/**
 * cam_http_client_new_public:
 *
 * A client for locations that somebody untrusted chose: it connects to public addresses alone,
 * whatever names and redirects lead to; else %CAM_ERROR_PERMISSION_DENIED. It opens no file.
 */
CamHttpClient *cam_http_client_new_public(void);

/**
 * cam_http_client_get_bytes:
 *
 * A document of at most @max_size bytes; beyond it %CAM_ERROR_RESOURCE_EXHAUSTED. 404 and 410 are
 * %CAM_ERROR_NOT_FOUND, 401 UNAUTHENTICATED, 403 PERMISSION_DENIED, 5xx and no connection
 * UNAVAILABLE; the message names the URL.
 */
GBytes *cam_http_client_get_bytes(CamHttpClient *self, const char *url, gsize max_size,
				  GCancellable *cancellable, GError **error);

/**
 * cam_http_client_download:
 * @dirfd, @path: where the whole and verified file shall stand
 * @digest: (nullable): what it must hash to
 * @size: what it must measure, or -1
 *
 * Streams to `<path>.part`, resuming one that is there by a Range request, verifies, fsyncs and
 * renames. A file that is there with the right digest is left as it is. A mismatch removes the
 * part and is %CAM_ERROR_DATA_LOSS. Without a digest nothing ties a part of an earlier run to
 * what the URL is now: then it is not resumed.
 */
gboolean cam_http_client_download(CamHttpClient *self, const char *url, int dirfd, const char *path,
				  const char *digest, gint64 size, CamProgress *progress,
				  GCancellable *cancellable, GError **error);

G_END_DECLS
