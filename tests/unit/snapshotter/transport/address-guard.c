/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses count as public, by table and beside what GLib knows of them; and the guard of a
 * connection, against a server of this machine. */
#include "snapshotter/transport/address-guard.h"

#include <string.h>

#include "snapshotter/oci/error.h"
#include "snapshotter/transport/http.h"

static const char *
kind_of(const char *text)
{
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(text);

	g_assert_nonnull(address);
	return cam_address_get_kind(address);
}

static void
test_table(void)
{
	static const char *const special[] = {
		"0.0.0.0",
		"10.1.2.3",
		"100.64.0.1",
		"127.0.0.1",
		"127.255.255.254",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"198.18.0.1",
		"224.0.0.1",
		"239.255.255.250",
		"255.255.255.255",
		"240.0.0.1",
		"::",
		"::1",
		"fe80::1",
		"febf::1",
		"fec0::1",
		"fc00::1",
		"fd12:3456::1",
		"ff02::1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::ffff:0:10.0.0.1",
		"::127.0.0.1",
		"64:ff9b::7f00:1",
		"64:ff9b::a9fe:a9fe",
		"64:ff9b:1::1",
		"2002:7f00:1::",
		"2002:c0a8:101::1",
		"2001::1",
		"2001:db8::1",
		"100::1",
		"4000::1",
		"fd00:ec2::254",
	};
	static const char *const public[] = {
		"8.8.8.8",	   "1.0.0.1",	     "172.15.255.255",	 "172.32.0.0",
		"100.63.255.255",  "100.128.0.0",    "223.255.255.255",	 "2600::1",
		"2a00:1450::8",	   "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
		"2001:4860::8888",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(special); i++) {
		g_test_message("%s", special[i]);
		g_assert_nonnull(kind_of(special[i]));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(public); i++) {
		g_test_message("%s", public[i]);
		g_assert_null(kind_of(public[i]));
	}
}

/* What GLib calls special is special, and a form of IPv6 is what the address in it is. */
static void
test_against_glib(void)
{
	static const struct {
		guint8 bytes[16];
		gsize offset;
	} forms[] = {
		{ { [10] = 0xff, [11] = 0xff }, 12 },
		{ { 0x00, 0x64, 0xff, 0x9b }, 12 },
		{ { 0x20, 0x02 }, 2 },
	};

	for (guint i = 0; i < 20000; i++) {
		guint32 number = (guint32) g_test_rand_int();
		g_autoptr(GInetAddress) v4 = g_inet_address_new_from_bytes((const guint8 *) &number,
									   G_SOCKET_FAMILY_IPV4);
		const char *kind = cam_address_get_kind(v4);

		if (g_inet_address_get_is_any(v4) || g_inet_address_get_is_loopback(v4) ||
		    g_inet_address_get_is_link_local(v4) || g_inet_address_get_is_site_local(v4) ||
		    g_inet_address_get_is_multicast(v4))
			g_assert_nonnull(kind);
		for (gsize f = 0; f < G_N_ELEMENTS(forms); f++) {
			g_autoptr(GInetAddress) v6 = NULL;
			guint8 bytes[16];

			memcpy(bytes, forms[f].bytes, sizeof bytes);
			memcpy(bytes + forms[f].offset, &number, sizeof number);
			v6 = g_inet_address_new_from_bytes(bytes, G_SOCKET_FAMILY_IPV6);
			g_assert_cmpstr(cam_address_get_kind(v6), ==, kind);
		}
	}
}

/* ---- a server that nothing may reach ---- */

static gboolean
on_connection(GSocketService *service, GSocketConnection *connection, GObject *source,
	      gpointer count)
{
	g_atomic_int_inc((gint *) count);
	return FALSE;
}

static void
assert_refused(CamHttpClient *client, const char *url, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = cam_http_client_get_bytes(client, url, 100, NULL, &error);

	g_test_message("%s: %s", url, error != NULL ? error->message : "answered");
	g_assert_null(bytes);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_assert_nonnull(strstr(error->message, says));
}

static void
test_connection(void)
{
	static const char *const hosts[] = { "127.0.0.1", "127.1.2.3", "localhost",
					     "[::ffff:127.0.0.1]", "0.0.0.0" };
	g_autoptr(GSocketService) service = g_socket_service_new();
	g_autoptr(CamHttpClient) client = cam_http_client_new_public();
	g_autoptr(GError) error = NULL;
	gint count = 0;
	guint16 port =
		g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(service), NULL, &error);

	g_assert_no_error(error);
	g_signal_connect(service, "incoming", G_CALLBACK(on_connection), &count);
	for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
		g_autofree char *url = g_strdup_printf("http://%s:%u/x", hosts[i], port);
		g_autofree char *tls = g_strdup_printf("https://%s:%u/x", hosts[i], port);

		assert_refused(client, url, "address");
		assert_refused(client, tls, "address");
	}
	while (g_main_context_iteration(NULL, FALSE))
		;
	/* Not even a connection was made. */
	g_assert_cmpint(count, ==, 0);
	g_socket_service_stop(service);
	g_socket_listener_close(G_SOCKET_LISTENER(service));
}

static void
test_no_files(void)
{
	g_autoptr(CamHttpClient) client = cam_http_client_new_public();
	g_autoptr(GError) error = NULL;

	g_assert_null(cam_http_client_get_bytes(client, "file:///etc/hostname", 100, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

/* A proxy resolves names itself: what is not known to be public here is not asked of it. */
static void
test_proxy(void)
{
	static const struct {
		const char *url;
		gboolean passes;
	} cases[] = {
		{ "http://127.0.0.1/", FALSE },	      { "http://[::1]/", FALSE },
		{ "http://169.254.169.254/", FALSE }, { "http://localhost/", FALSE },
		{ "http://absent.invalid/", FALSE },  { "http://8.8.8.8/", TRUE },
		{ "http://[2600::1]/", TRUE },
	};
	g_autoptr(GProxyResolver) proxy = g_simple_proxy_resolver_new("http://10.0.0.1:3128", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(CamAddressGuard) guard = { 0 };
		g_autoptr(GUri) uri = g_uri_parse(cases[i].url, G_URI_FLAGS_NONE, NULL);
		g_autoptr(GError) error = NULL;
		gboolean passes = cam_address_guard_begin(&guard, proxy, uri, NULL, &error);

		g_test_message("%s", cases[i].url);
		g_assert_cmpint(passes, ==, cases[i].passes);
		g_assert_true(guard.proxied);
		if (!passes)
			g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/address-guard/table", test_table);
	g_test_add_func("/address-guard/against-glib", test_against_glib);
	g_test_add_func("/address-guard/connection", test_connection);
	g_test_add_func("/address-guard/no-files", test_no_files);
	g_test_add_func("/address-guard/proxy", test_proxy);
	return g_test_run();
}
