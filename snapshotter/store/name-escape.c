/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of any bytes as names that OSTree accepts, and back. */
#include "snapshotter/store/name-escape.h"

#include <string.h>

char *
cam_name_escape(const char *name)
{
	if (g_utf8_validate(name, -1, NULL) && !g_str_has_prefix(name, CAM_ESCAPE_PREFIX))
		return g_strdup(name);

	GString *escaped = g_string_new(CAM_ESCAPE_PREFIX);
	for (const char *p = name; *p != '\0'; p++) {
		if (g_ascii_isalnum(*p) || strchr("._-", *p) != NULL)
			g_string_append_c(escaped, *p);
		else
			g_string_append_printf(escaped, "%%%02X", (guint8) *p);
	}
	return g_string_free(escaped, FALSE);
}

char *
cam_name_unescape(const char *name)
{
	if (!g_str_has_prefix(name, CAM_ESCAPE_PREFIX))
		return g_strdup(name);

	GString *plain = g_string_new(NULL);
	for (const char *p = name + strlen(CAM_ESCAPE_PREFIX); *p != '\0'; p++) {
		if (p[0] == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			g_string_append_c(plain, (char) (g_ascii_xdigit_value(p[1]) << 4 |
							 g_ascii_xdigit_value(p[2])));
			p += 2;
		} else {
			g_string_append_c(plain, *p);
		}
	}
	return g_string_free(plain, FALSE);
}
