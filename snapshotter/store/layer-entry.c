/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a tar entry of a layer means: whiteouts of the OCI image-spec (layer.md, "Whiteouts"), and
 * the owner, mode and attributes of the object or directory that stands for it in a tree.
 */
#include "snapshotter/store/layer-entry.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

static const CamNodeType node_types[] = {
	[CAM_TAR_REGULAR] = CAM_NODE_REGULAR, [CAM_TAR_HARDLINK] = CAM_NODE_REGULAR,
	[CAM_TAR_SYMLINK] = CAM_NODE_SYMLINK, [CAM_TAR_CHARACTER] = CAM_NODE_CHARACTER,
	[CAM_TAR_BLOCK] = CAM_NODE_BLOCK,     [CAM_TAR_DIRECTORY] = CAM_NODE_DIRECTORY,
	[CAM_TAR_FIFO] = CAM_NODE_FIFO,
};

/* The letter of the node's attribute; 0 for what OSTree holds itself. */
static char
node_letter(const CamLayerEntry *entry)
{
	switch (entry->type) {
	case CAM_NODE_CHARACTER:
		return 'c';
	case CAM_NODE_BLOCK:
		return 'b';
	case CAM_NODE_FIFO:
		return 'p';
	case CAM_NODE_SYMLINK:
		return g_utf8_validate(entry->link_target, -1, NULL) ? 0 : 'l';
	case CAM_NODE_REGULAR:
	case CAM_NODE_DIRECTORY:
		break;
	}
	return 0;
}

static gboolean
read_whiteout(CamLayerEntry *entry, const char *base, char **path, GError **error)
{
	gsize parent = (gsize) (base - entry->path);

	if (g_str_equal(base, WHITEOUT_OPAQUE)) {
		entry->is_opaque = TRUE;
		*path = g_strndup(entry->path, parent > 0 ? parent - 1 : 0);
	} else {
		const char *name = base + strlen(WHITEOUT_PREFIX);

		if (*name == '\0' || g_str_equal(name, ".") || g_str_equal(name, ".."))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a whiteout of nothing that can be: %s", entry->path);
		entry->is_whiteout = TRUE;
		*path = g_strdup_printf("%.*s%s", (int) parent, entry->path, name);
	}
	entry->path = *path;
	return TRUE;
}

gboolean
cam_layer_entry_is_file_at_root(const CamTarEntry *tar)
{
	return tar->path[0] == '\0' && tar->type != CAM_TAR_DIRECTORY;
}

gboolean
cam_layer_entry_is_without_node(const CamTarEntry *tar)
{
	const char *slash = strrchr(tar->path, '/');

	return cam_layer_entry_is_file_at_root(tar) ||
	       g_str_has_prefix(slash != NULL ? slash + 1 : tar->path, WHITEOUT_PREFIX);
}

gboolean
cam_layer_entry_from_tar(CamLayerEntry *entry, const CamTarEntry *tar, char **path, GError **error)
{
	const char *slash = strrchr(tar->path, '/');
	const char *base = slash != NULL ? slash + 1 : tar->path;

	*entry = (CamLayerEntry){
		.path = tar->path,
		.type = node_types[tar->type],
		.is_hardlink = tar->type == CAM_TAR_HARDLINK,
		.link_target = tar->link_target,
		.mode = tar->mode,
		.uid = tar->uid,
		.gid = tar->gid,
		.mtime = tar->mtime,
		.size = tar->size,
		.rdev_major = tar->rdev_major,
		.rdev_minor = tar->rdev_minor,
		.xattrs = tar->xattrs,
	};
	*path = NULL;
	return !g_str_has_prefix(base, WHITEOUT_PREFIX) || read_whiteout(entry, base, path, error);
}

gboolean
cam_layer_entry_has_object(const CamLayerEntry *entry)
{
	return !entry->is_hardlink && !entry->is_whiteout && !entry->is_opaque &&
	       entry->type != CAM_NODE_DIRECTORY;
}

guint32
cam_layer_entry_object_mode(const CamLayerEntry *entry)
{
	gboolean is_node = node_letter(entry) != 0;

	/* A link has no permissions of its own on Linux; all writers say 0777. */
	if (entry->type == CAM_NODE_SYMLINK)
		return is_node ? S_IFREG | 0777 : S_IFLNK | 0777;
	return (entry->type == CAM_NODE_DIRECTORY ? S_IFDIR : S_IFREG) | entry->mode;
}

/* The kernel refuses malformed capabilities, which would fail the import; containerd passes over
 * them as well. */
static gboolean
is_valid_capability(GVariant *value)
{
	gsize size;
	const guint8 *data = g_variant_get_fixed_array(value, &size, 1);
	guint32 magic;

	if (size < sizeof magic)
		return FALSE;
	memcpy(&magic, data, sizeof magic);
	switch (GUINT32_FROM_LE(magic) & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_2:
		return size == XATTR_CAPS_SZ_2;
	case VFS_CAP_REVISION_3:
		return size == XATTR_CAPS_SZ_3;
	default:
		return FALSE;
	}
}

static gboolean
is_kept(const CamLayerEntry *entry, const char *name, GVariant *value)
{
	if (g_str_equal(name, "security.capability"))
		return entry->type == CAM_NODE_REGULAR && is_valid_capability(value);
	return g_str_has_prefix(name, "user.") && name[strlen("user.")] != '\0' &&
	       !g_str_has_prefix(name, CAM_XATTR_PREFIX) && !g_str_equal(name, "user.ostreemeta");
}

static int
compare_attributes(gconstpointer a, gconstpointer b)
{
	g_autoptr(GVariant) name_a = g_variant_get_child_value(*(GVariant *const *) a, 0);
	g_autoptr(GVariant) name_b = g_variant_get_child_value(*(GVariant *const *) b, 0);

	return strcmp(g_variant_get_bytestring(name_a), g_variant_get_bytestring(name_b));
}

static void
add_kept(GPtrArray *attributes, const CamLayerEntry *entry)
{
	gsize n = entry->xattrs != NULL ? g_variant_n_children(entry->xattrs) : 0;

	/* Symbolic links cannot have user attributes on Linux. */
	for (gsize i = 0; i < n && entry->type != CAM_NODE_SYMLINK; i++) {
		g_autoptr(GVariant) attribute = g_variant_get_child_value(entry->xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(attribute, 0);
		g_autoptr(GVariant) value = g_variant_get_child_value(attribute, 1);

		if (is_kept(entry, g_variant_get_bytestring(name), value))
			g_ptr_array_add(attributes, g_steal_pointer(&attribute));
	}
}

static GPtrArray *
children_of(GVariant *attributes)
{
	GPtrArray *children = g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);

	for (gsize i = 0; attributes != NULL && i < g_variant_n_children(attributes); i++)
		g_ptr_array_add(children, g_variant_get_child_value(attributes, i));
	return children;
}

GVariant *
cam_layer_xattrs_unite(GVariant *before, GVariant *added)
{
	g_autoptr(GPtrArray) all = children_of(added), old = children_of(before);
	guint n_added = all->len;

	for (guint i = 0; i < old->len; i++) {
		gboolean replaced = FALSE;

		for (guint j = 0; j < n_added && !replaced; j++)
			replaced = compare_attributes(&old->pdata[i], &all->pdata[j]) == 0;
		if (!replaced)
			g_ptr_array_add(all, g_variant_ref(old->pdata[i]));
	}
	g_ptr_array_sort(all, compare_attributes);
	return g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"),
						      (GVariant *const *) all->pdata, all->len));
}

static char *
node_text(const CamLayerEntry *entry, char letter)
{
	switch (letter) {
	case 'p':
		return g_strdup("p");
	case 'l':
		return g_strconcat("l ", entry->link_target, NULL);
	default:
		return g_strdup_printf("%c %u %u", letter, entry->rdev_major, entry->rdev_minor);
	}
}

GVariant *
cam_layer_entry_object_xattrs(const CamLayerEntry *entry)
{
	g_autoptr(GPtrArray) attributes =
		g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);
	char letter = node_letter(entry);

	add_kept(attributes, entry);
	if (letter != 0) {
		g_autofree char *text = node_text(entry, letter);
		GVariant *node = g_variant_new(
			"(@ay@ay)", g_variant_new_bytestring(CAM_XATTR_NODE),
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, text, strlen(text), 1));
		g_ptr_array_add(attributes, g_variant_ref_sink(node));
		g_ptr_array_sort(attributes, compare_attributes);
	}
	return g_variant_ref_sink(g_variant_new_array(
		G_VARIANT_TYPE("(ayay)"), (GVariant *const *) attributes->pdata, attributes->len));
}

static gboolean
apply_node(CamStat *stat, const char *text, GError **error)
{
	guint major, minor;

	if (g_str_equal(text, "p")) {
		stat->type = CAM_NODE_FIFO;
	} else if (g_str_has_prefix(text, "l ")) {
		stat->type = CAM_NODE_SYMLINK;
		stat->link_target = g_strdup(text + 2);
	} else if ((text[0] == 'c' || text[0] == 'b') &&
		   sscanf(text + 1, " %u %u", &major, &minor) == 2) {
		stat->type = text[0] == 'c' ? CAM_NODE_CHARACTER : CAM_NODE_BLOCK;
		stat->rdev_major = major;
		stat->rdev_minor = minor;
	} else {
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "an object with a damaged attribute %s", CAM_XATTR_NODE);
	}
	return TRUE;
}

gboolean
cam_layer_node_decode(CamStat *stat, GError **error)
{
	gsize n = stat->xattrs != NULL ? g_variant_n_children(stat->xattrs) : 0;
	g_autofree char *text = NULL;
	GVariantBuilder rest;

	if (n == 0 || stat->type != CAM_NODE_REGULAR)
		return TRUE;
	g_variant_builder_init(&rest, G_VARIANT_TYPE("a(ayay)"));
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) attribute = g_variant_get_child_value(stat->xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(attribute, 0);
		g_autoptr(GVariant) value = g_variant_get_child_value(attribute, 1);

		if (g_str_equal(g_variant_get_bytestring(name), CAM_XATTR_NODE)) {
			gsize size;
			const char *data = g_variant_get_fixed_array(value, &size, 1);

			g_free(text);
			text = g_strndup(data, size);
		} else {
			g_variant_builder_add_value(&rest, attribute);
		}
	}
	g_autoptr(GVariant) others = g_variant_ref_sink(g_variant_builder_end(&rest));
	if (text == NULL)
		return TRUE;
	g_variant_unref(stat->xattrs);
	stat->xattrs = g_variant_n_children(others) > 0 ? g_steal_pointer(&others) : NULL;
	stat->size = 0;
	return apply_node(stat, text, error);
}
