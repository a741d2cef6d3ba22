/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * cam_address_get_kind:
 *
 * What keeps an address from being one of the public internet: "a loopback address", "a private
 * address", …; NULL for a public one. Addresses of IPv6 that stand for one of IPv4 (mapped,
 * compatible, NAT64, 6to4) are what that one is.
 */
const char *cam_address_get_kind(GInetAddress *address);

/**
 * CamAddressGuard:
 *
 * The policy for locations that an untrusted party chose: connections go to public addresses alone.
 * What counts is the address that a socket is about to be connected to, not what a name resolved
 * to before: a name server may answer differently each time. One guard watches one request.
 */
typedef struct {
	gboolean proxied; /* the machine's proxy connects: its address is the machine's choice */
	char *refused;	  /* (nullable): "127.0.0.1, a loopback address" */
} CamAddressGuard;

void cam_address_guard_clear(CamAddressGuard *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamAddressGuard, cam_address_guard_clear)

/* An event of the GSocketClient that makes the connection. A socket that is about to go elsewhere
 * is closed, so that nothing is sent there; the next address of the name may then be tried. */
void
cam_address_guard_event(CamAddressGuard *self, GSocketClientEvent event, GIOStream *connection);

/**
 * cam_address_guard_begin:
 * @resolver: what the session asks for proxies
 *
 * To be called before the request is sent. Through a proxy, which resolves the name itself, only
 * the name can be judged: all of its addresses must be known here and be public, else
 * %CAM_ERROR_PERMISSION_DENIED.
 */
gboolean cam_address_guard_begin(CamAddressGuard *self, GProxyResolver *resolver, GUri *uri,
				 GCancellable *cancellable, GError **error);

/* Always FALSE: the error that says why @uri was not connected to. */
gboolean cam_address_guard_set_error(const CamAddressGuard *self, GUri *uri, GError **error);

G_END_DECLS
