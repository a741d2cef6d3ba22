/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extended attributes in EROFS's form: those of the image, and those that tell overlayfs where the
 * content of a regular file lies. Where they are put is the writer's business.
 */
#include "snapshotter/snapshots/erofs-xattr.h"

#include <string.h>

#include "snapshotter/snapshots/erofs-format.h"

/* xattr_units is 16 bits wide and counts 4-byte units beyond the header, plus one. */
#define PACKED_MAX ((G_MAXUINT16 - 1) * 4 - CAM_EROFS_REDIRECT_SIZE - CAM_EROFS_OPAQUE_SIZE)

typedef struct {
	const char *prefix;
	guint8 index;
	gboolean whole; /* the prefix is all of the name */
} XattrSpace;

static const XattrSpace xattr_spaces[] = {
	{ "user.", EROFS_XATTR_USER, FALSE },
	{ "security.", EROFS_XATTR_SECURITY, FALSE },
	{ "system.posix_acl_access", EROFS_XATTR_ACL_ACCESS, TRUE },
	{ "system.posix_acl_default", EROFS_XATTR_ACL_DEFAULT, TRUE },
};

static const XattrSpace *
find_space(const char *name, const char **rest)
{
	for (guint i = 0; i < G_N_ELEMENTS(xattr_spaces); i++) {
		const XattrSpace *space = &xattr_spaces[i];
		gsize length = strlen(space->prefix);

		if (strncmp(name, space->prefix, length) != 0)
			continue;
		*rest = name + length;
		if (space->whole == (**rest == '\0'))
			return space;
	}
	return NULL;
}

static void
add_xattr(GByteArray *out, guint8 prefix, const char *name, gconstpointer value, gsize size)
{
	static const guint8 zeros[4] = { 0 };
	gsize name_length = strlen(name);
	ErofsXattr header = { (guint8) name_length, prefix, GUINT16_TO_LE((guint16) size) };

	g_byte_array_append(out, (const guint8 *) &header, sizeof(header));
	g_byte_array_append(out, (const guint8 *) name, (guint) name_length);
	if (size > 0)
		g_byte_array_append(out, value, (guint) size);
	g_byte_array_append(out, zeros, -out->len & 3u);
}

gboolean
cam_erofs_pack_xattrs(GVariant *xattrs, GBytes **packed, GError **error)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	gsize count = xattrs ? g_variant_n_children(xattrs) : 0;

	*packed = NULL;
	for (gsize i = 0; i < count; i++) {
		g_autoptr(GVariant) value = NULL;
		const char *name, *rest;
		gconstpointer data;
		gsize size;

		g_variant_get_child(xattrs, i, "(^&ay@ay)", &name, &value);
		data = g_variant_get_fixed_array(value, &size, 1);
		const XattrSpace *space = find_space(name, &rest);
		if (!space)
			continue;
		if (strlen(name) > EROFS_NAME_MAX || size > G_MAXUINT16 ||
		    out->len + size + 2 * EROFS_NAME_MAX > PACKED_MAX)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "extended attribute %.64s of %" G_GSIZE_FORMAT
					     " bytes does not fit into a mountable image",
					     name, size);
		add_xattr(out, space->index, rest, data, size);
	}
	if (out->len > 0)
		*packed = g_byte_array_free_to_bytes(g_steal_pointer(&out));
	return TRUE;
}

void
cam_erofs_add_redirect(GByteArray *out, const CamSha256 *object)
{
	char hex[65], path[80];
	guint before = out->len;

	cam_sha256_to_hex(object, hex);
	g_snprintf(path, sizeof(path), "/%.2s/%s.file", hex, hex + 2);
	add_xattr(out, EROFS_XATTR_TRUSTED, "overlay.metacopy", NULL, 0);
	add_xattr(out, EROFS_XATTR_TRUSTED, "overlay.redirect", path, strlen(path));
	g_assert(out->len - before == CAM_EROFS_REDIRECT_SIZE);
}

void
cam_erofs_add_opaque(GByteArray *out)
{
	guint before = out->len;

	add_xattr(out, EROFS_XATTR_TRUSTED, "overlay.opaque", "y", 1);
	g_assert(out->len - before == CAM_EROFS_OPAQUE_SIZE);
}
