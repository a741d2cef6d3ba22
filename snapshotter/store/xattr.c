/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes of open files, in the form that trees and tars keep them. */
#include "snapshotter/store/xattr.h"

#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

gboolean
cam_xattr_list(int fd, char **names, gsize *size, GError **error)
{
	char first[512];
	ssize_t n = flistxattr(fd, first, sizeof first);

	*names = NULL;
	*size = 0;
	if (n == 0 || (n < 0 && errno == ENOTSUP))
		return TRUE;
	if (n > 0) {
		*names = g_memdup2(first, (gsize) n);
	} else if (errno == ERANGE) {
		*names = g_malloc(XATTR_LIST_MAX);
		n = flistxattr(fd, *names, XATTR_LIST_MAX);
	}
	if (n >= 0) {
		*size = (gsize) n;
		return TRUE;
	}
	cam_set_error_errno(error, errno, "cannot list extended attributes");
	g_clear_pointer(names, g_free);
	return FALSE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

gboolean
cam_xattr_read(int fd, GPtrArray *names, GVariant **xattrs, GError **error)
{
	g_autofree char *value = g_malloc(XATTR_SIZE_MAX);
	g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ayay)"));

	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		ssize_t n = fgetxattr(fd, name, value, XATTR_SIZE_MAX);

		if (n < 0)
			return cam_set_error_errno(error, errno,
						   "cannot read the extended attribute %s", name);
		g_variant_builder_add(
			&builder, "(@ay@ay)", g_variant_new_bytestring(name),
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, (gsize) n, 1));
	}
	*xattrs = g_variant_ref_sink(g_variant_builder_end(&builder));
	return TRUE;
}
