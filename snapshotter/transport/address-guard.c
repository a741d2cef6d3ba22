/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which addresses may be connected to when an untrusted party chose the location. The tables follow
 * IANA's registries of special-purpose addresses (RFC 6890 and its successors).
 */
#include "snapshotter/transport/address-guard.h"

#include <string.h>

#include "snapshotter/oci/error.h"

typedef struct {
	const char *network; /* "127.0.0.0/8" */
	const char *kind;
} Network;

static const Network special_v4[] = {
	{ "0.0.0.0/8", "an unspecified address" },
	{ "10.0.0.0/8", "a private address" },
	{ "100.64.0.0/10", "an address of a provider's own network" },
	{ "127.0.0.0/8", "a loopback address" },
	{ "169.254.0.0/16", "a link-local address" },
	{ "172.16.0.0/12", "a private address" },
	{ "192.0.0.0/24", "a reserved address" },
	{ "192.0.2.0/24", "a reserved address" },
	{ "192.88.99.0/24", "a reserved address" },
	{ "192.168.0.0/16", "a private address" },
	{ "198.18.0.0/15", "a reserved address" },
	{ "198.51.100.0/24", "a reserved address" },
	{ "203.0.113.0/24", "a reserved address" },
	{ "224.0.0.0/4", "a multicast address" },
	{ "240.0.0.0/4", "a reserved address" },
};

/* What is not below 2000::/3 is not of the public internet; some of that is not, either. */
static const Network special_v6[] = {
	{ "::/128", "an unspecified address" },	 { "::1/128", "a loopback address" },
	{ "fe80::/10", "a link-local address" }, { "fec0::/10", "a private address" },
	{ "fc00::/7", "a private address" },	 { "ff00::/8", "a multicast address" },
	{ "2001::/23", "a reserved address" },	 { "2001:db8::/32", "a reserved address" },
	{ "3fff::/20", "a reserved address" },
};
#define PUBLIC_V6 "2000::/3"

/* Networks of IPv6 whose addresses hold one of IPv4, and at which byte. */
static const struct {
	const char *network;
	gsize offset;
} embedding[] = {
	{ "::ffff:0:0/96", 12 },   /* RFC 4291: mapped */
	{ "::ffff:0:0:0/96", 12 }, /* RFC 2765: translated */
	{ "::/96", 12 },	   /* RFC 4291: compatible, after :: and ::1 */
	{ "64:ff9b::/96", 12 },	   /* RFC 6052: NAT64 */
	{ "2002::/16", 2 },	   /* RFC 3056: 6to4 */
};

static gboolean
is_in(GInetAddress *address, const char *network)
{
	g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(network, NULL);

	return mask != NULL && g_inet_address_mask_matches(mask, address);
}

static const char *
find_kind(GInetAddress *address, const Network *networks, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (is_in(address, networks[i].network))
			return networks[i].kind;
	return NULL;
}

static const char *
kind_of_v6(GInetAddress *address)
{
	const char *kind = find_kind(address, special_v6, G_N_ELEMENTS(special_v6));

	if (kind != NULL)
		return kind;
	for (gsize i = 0; i < G_N_ELEMENTS(embedding); i++) {
		g_autoptr(GInetAddress) inner = NULL;

		if (!is_in(address, embedding[i].network))
			continue;
		inner = g_inet_address_new_from_bytes(g_inet_address_to_bytes(address) +
							      embedding[i].offset,
						      G_SOCKET_FAMILY_IPV4);
		return cam_address_get_kind(inner);
	}
	return is_in(address, PUBLIC_V6) ? NULL : "a reserved address";
}

const char *
cam_address_get_kind(GInetAddress *address)
{
	switch (g_inet_address_get_family(address)) {
	case G_SOCKET_FAMILY_IPV4:
		return find_kind(address, special_v4, G_N_ELEMENTS(special_v4));
	case G_SOCKET_FAMILY_IPV6:
		return kind_of_v6(address);
	case G_SOCKET_FAMILY_INVALID:
	case G_SOCKET_FAMILY_UNIX:
		break;
	}
	return "no address of the internet";
}

void
cam_address_guard_clear(CamAddressGuard *self)
{
	g_clear_pointer(&self->refused, g_free);
}

static gboolean
allows(CamAddressGuard *self, GInetAddress *address)
{
	const char *kind = cam_address_get_kind(address);
	g_autofree char *text = kind != NULL ? g_inet_address_to_string(address) : NULL;

	if (kind == NULL)
		return TRUE;
	g_free(self->refused);
	self->refused = g_strdup_printf("%s, %s", text, kind);
	return FALSE;
}

void
cam_address_guard_event(CamAddressGuard *self, GSocketClientEvent event, GIOStream *connection)
{
	g_autoptr(GSocketAddress) address = NULL;
	GSocket *socket;

	if (self->proxied || !G_IS_SOCKET_CONNECTION(connection) ||
	    (event != G_SOCKET_CLIENT_CONNECTING && event != G_SOCKET_CLIENT_CONNECTED))
		return;
	socket = g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection));
	address = g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(connection), NULL);
	if (!G_IS_INET_SOCKET_ADDRESS(address) ||
	    !allows(self, g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)))) {
		if (self->refused == NULL)
			self->refused = g_strdup("no address of the internet");
		g_socket_close(socket, NULL);
	}
}

/* Fails where the name is not known here, too. */
static gboolean
check_name(CamAddressGuard *self, GUri *uri, GCancellable *cancellable, GError **error)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	GList *addresses =
		g_resolver_lookup_by_name(resolver, g_uri_get_host(uri), cancellable, error);
	gboolean ok = addresses != NULL;

	for (GList *a = addresses; ok && a != NULL; a = a->next)
		ok = allows(self, a->data) || cam_address_guard_set_error(self, uri, error);
	g_resolver_free_addresses(addresses);
	return ok;
}

gboolean
cam_address_guard_begin(CamAddressGuard *self, GProxyResolver *resolver, GUri *uri,
			GCancellable *cancellable, GError **error)
{
	g_autofree char *text = g_uri_to_string_partial(uri, G_URI_HIDE_USERINFO);
	g_auto(GStrv) proxies = resolver != NULL
					? g_proxy_resolver_lookup(resolver, text, cancellable, NULL)
					: NULL;
	g_autoptr(GError) problem = NULL;

	for (gsize i = 0; proxies != NULL && proxies[i] != NULL; i++)
		self->proxied |= !g_str_equal(proxies[i], "direct://");
	if (!self->proxied || check_name(self, uri, cancellable, &problem))
		return TRUE;
	if (problem->domain == CAM_ERROR) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
			     "whether %s is a public address is not known behind the proxy: %s",
			     g_uri_get_host(uri), problem->message);
}

gboolean
cam_address_guard_set_error(const CamAddressGuard *self, GUri *uri, GError **error)
{
	return cam_set_error(
		error, CAM_ERROR_PERMISSION_DENIED,
		"%s leads to %s: such a server is only connected to where the machine's own "
		"configuration names it",
		g_uri_get_host(uri), self->refused);
}
