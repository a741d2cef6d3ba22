/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OpenPGP keyrings as files: takes the ASCII armour off. What is inside is read by gpgv alone.
 */
#include "scanners/apt/keyring.h"

#include <string.h>

#define ARMOR_BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define ARMOR_END   "-----END PGP PUBLIC KEY BLOCK-----"

gboolean
cam_keyring_is_armored(const char *data, gsize size)
{
	return g_strstr_len(data, size, ARMOR_BEGIN) != NULL;
}

/* Between the marks: headers ("Comment: …"), an empty line (inside a deb822 value written "."),
 * base64, and the checksum ("=njUN"), which gpgv does without. */
static gboolean
decode_block(char **lines, GByteArray *out, GError **error)
{
	g_autoptr(GString) base64 = g_string_new(NULL);
	g_autofree guchar *decoded = NULL;
	gsize size;

	for (gsize i = 0; lines[i] != NULL; i++) {
		const char *line = g_strstrip(lines[i]);

		if (strchr(line, ':') == NULL && line[0] != '=' && !g_str_equal(line, "."))
			g_string_append(base64, line);
	}
	decoded = g_base64_decode(base64->str, &size);
	if (size == 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the armoured key has no content");
	g_byte_array_append(out, decoded, size);
	return TRUE;
}

GBytes *
cam_keyring_dearmor(GBytes *keyring, GError **error)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autofree char *text = NULL;
	const char *begin, *end;
	gsize size;
	const char *data = g_bytes_get_data(keyring, &size);

	if (size == 0 || !cam_keyring_is_armored(data, size))
		return g_bytes_ref(keyring);
	text = g_strndup(data, size);
	for (begin = strstr(text, ARMOR_BEGIN); begin != NULL; begin = strstr(end, ARMOR_BEGIN)) {
		g_autofree char *block = NULL;
		g_auto(GStrv) lines = NULL;

		begin += strlen(ARMOR_BEGIN);
		end = strstr(begin, ARMOR_END);
		if (end == NULL) {
			cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				      "the armoured key is cut off");
			return NULL;
		}
		block = g_strndup(begin, end - begin);
		lines = g_strsplit(block, "\n", -1);
		if (!decode_block(lines, out, error))
			return NULL;
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
