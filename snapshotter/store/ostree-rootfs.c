/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamRootfs over an OSTree tree: identities are OSTree's checksums, names are unescaped, nodes
 * decoded. In a bare repository metadata are read from the objects' inodes; in a bare-user one
 * libostree knows where they are.
 */
#include "snapshotter/store/ostree-rootfs.h"

#include <errno.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/layer-private.h"
#include "snapshotter/store/name-escape.h"
#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"

#define CAM_TYPE_OSTREE_ROOTFS (cam_ostree_rootfs_get_type())
G_DECLARE_FINAL_TYPE(CamOstreeRootfs, cam_ostree_rootfs, CAM, OSTREE_ROOTFS, CamRootfs)

struct _CamOstreeRootfs {
	CamRootfs parent;
	CamStore *store;
	OstreeRepo *repo; /* the store's */
	CamSha256 contents, metadata;
};

G_DEFINE_FINAL_TYPE(CamOstreeRootfs, cam_ostree_rootfs, CAM_TYPE_ROOTFS)

static void
cam_ostree_rootfs_get_root(CamRootfs *rootfs, CamEntry *root)
{
	CamOstreeRootfs *self = CAM_OSTREE_ROOTFS(rootfs);

	*root = (CamEntry){
		.name = "", .is_directory = TRUE, .id = self->contents, .meta = self->metadata
	};
}

/* ---- directories ---- */

static gboolean
get_checksum(GVariant *bytes, CamSha256 *out, GError **error)
{
	gsize size;
	gconstpointer data = g_variant_get_fixed_array(bytes, &size, 1);

	if (size != CAM_SHA256_SIZE)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "a damaged directory object");
	memcpy(out->bytes, data, CAM_SHA256_SIZE);
	return TRUE;
}

static gboolean
add_entries(GVariant *list, gboolean directories, GArray *entries, GStringChunk *names,
	    GError **error)
{
	gsize n = g_variant_n_children(list);

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) child = g_variant_get_child_value(list, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(child, 0);
		g_autoptr(GVariant) id = g_variant_get_child_value(child, 1);
		g_autofree char *plain = cam_name_unescape(g_variant_get_string(name, NULL));
		CamEntry entry = { .is_directory = directories };

		if (!get_checksum(id, &entry.id, error))
			return FALSE;
		if (directories) {
			g_autoptr(GVariant) meta = g_variant_get_child_value(child, 2);

			if (!get_checksum(meta, &entry.meta, error))
				return FALSE;
		}
		entry.name = g_string_chunk_insert(names, plain);
		g_array_append_val(entries, entry);
	}
	return TRUE;
}

static CamTree *
cam_ostree_rootfs_open_tree(CamRootfs *rootfs, const CamEntry *directory, GError **error)
{
	CamOstreeRootfs *self = CAM_OSTREE_ROOTFS(rootfs);
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(CamEntry));
	g_autoptr(GVariant) variant = NULL, files = NULL, directories = NULL;
	GStringChunk *names;
	char checksum[65];
	gboolean ok;

	cam_sha256_to_hex(&directory->id, checksum);
	if (!ostree_repo_load_variant(self->repo, OSTREE_OBJECT_TYPE_DIR_TREE, checksum, &variant,
				      error)) {
		cam_repo_error(error, "cannot read directory %s", directory->name);
		return NULL;
	}
	files = g_variant_get_child_value(variant, 0);
	directories = g_variant_get_child_value(variant, 1);
	names = g_string_chunk_new(1024);
	ok = add_entries(files, FALSE, entries, names, error) &&
	     add_entries(directories, TRUE, entries, names, error);
	CamTree *tree =
		ok ? cam_tree_new((const CamEntry *) (void *) entries->data, entries->len) : NULL;
	g_string_chunk_free(names);
	return tree;
}

static gboolean
stat_directory(CamOstreeRootfs *self, const CamEntry *entry, CamStat *out, GError **error)
{
	g_autoptr(GVariant) variant = NULL;
	char checksum[65];
	guint32 uid, gid, mode;
	GVariant *xattrs;

	cam_sha256_to_hex(&entry->meta, checksum);
	if (!ostree_repo_load_variant(self->repo, OSTREE_OBJECT_TYPE_DIR_META, checksum, &variant,
				      error))
		return cam_repo_error(error, "cannot read the metadata of %s", entry->name);
	g_variant_get(variant, "(uuu@a(ayay))", &uid, &gid, &mode, &xattrs);
	out->type = CAM_NODE_DIRECTORY;
	out->uid = GUINT32_FROM_BE(uid);
	out->gid = GUINT32_FROM_BE(gid);
	out->mode = GUINT32_FROM_BE(mode) & 07777;
	if (g_variant_n_children(xattrs) > 0)
		out->xattrs = g_steal_pointer(&xattrs);
	g_clear_pointer(&xattrs, g_variant_unref);
	return TRUE;
}

/* ---- files ---- */

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* lgetxattr until it fits. NULL with errno. */
static GBytes *
get_xattr(const char *path, const char *name)
{
	for (;;) {
		ssize_t size = lgetxattr(path, name, NULL, 0);
		g_autofree char *value = NULL;
		ssize_t n;

		if (size < 0)
			return NULL;
		value = g_malloc((gsize) size + 1);
		n = lgetxattr(path, name, value, (gsize) size);
		if (n >= 0)
			return g_bytes_new_take(g_steal_pointer(&value), (gsize) n);
		if (errno != ERANGE)
			return NULL;
	}
}

static gboolean
read_xattrs(const char *path, GVariant **xattrs, GError **error)
{
	ssize_t size = llistxattr(path, NULL, 0);
	g_autofree char *list = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GVariantBuilder builder;

	if (size == 0 || (size < 0 && errno == ENOTSUP))
		return TRUE;
	list = size > 0 ? g_malloc0((gsize) size + 1) : NULL;
	size = list != NULL ? llistxattr(path, list, (gsize) size) : -1;
	if (size < 0)
		return cam_set_error_errno(error, errno, "cannot read attributes of an object");
	for (char *p = list; p < list + size; p += strlen(p) + 1)
		g_ptr_array_add(names, p);
	g_ptr_array_sort(names, compare_names);
	g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autoptr(GBytes) value = get_xattr(path, name);

		if (value == NULL) {
			g_variant_builder_clear(&builder);
			return cam_set_error_errno(error, errno, "cannot read attribute %s", name);
		}
		g_variant_builder_add(
			&builder, "(@ay@ay)", g_variant_new_bytestring(name),
			g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, value, TRUE));
	}
	*xattrs = g_variant_ref_sink(g_variant_builder_end(&builder));
	return TRUE;
}

static gboolean
stat_bare(CamOstreeRootfs *self, const CamEntry *entry, CamStat *out, GError **error)
{
	char checksum[65];
	struct stat st;

	cam_sha256_to_hex(&entry->id, checksum);
	/* A path and not a descriptor: attributes of links are only read by path. */
	g_autofree char *path =
		g_strdup_printf("%s/repo/objects/%.2s/%s.file", cam_store_get_path(self->store),
				checksum, checksum + 2);
	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "object %s is missing; run 'cambium verify'",
					     checksum);
		return cam_set_error_errno(error, errno, "cannot read object %s", checksum);
	}
	out->uid = st.st_uid;
	out->gid = st.st_gid;
	out->mode = st.st_mode & 07777;
	out->size = S_ISREG(st.st_mode) ? (guint64) st.st_size : 0;
	out->type = S_ISLNK(st.st_mode) ? CAM_NODE_SYMLINK : CAM_NODE_REGULAR;
	if (out->type == CAM_NODE_REGULAR)
		return read_xattrs(path, &out->xattrs, error);
	out->link_target = g_malloc0((gsize) st.st_size + 1);
	if (readlink(path, out->link_target, (gsize) st.st_size) != st.st_size)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "cannot read link %s", checksum);
	return TRUE;
}

static gboolean
stat_through_ostree(CamOstreeRootfs *self, const CamEntry *entry, CamStat *out, GError **error)
{
	g_autoptr(GFileInfo) info = NULL;
	g_autoptr(GVariant) xattrs = NULL;
	char checksum[65];

	cam_sha256_to_hex(&entry->id, checksum);
	if (!ostree_repo_load_file(self->repo, checksum, NULL, &info, &xattrs, NULL, error))
		return cam_repo_error(error, "cannot read object %s", checksum);
	out->uid = g_file_info_get_attribute_uint32(info, "unix::uid");
	out->gid = g_file_info_get_attribute_uint32(info, "unix::gid");
	out->mode = g_file_info_get_attribute_uint32(info, "unix::mode") & 07777;
	if (g_file_info_get_file_type(info) == G_FILE_TYPE_SYMBOLIC_LINK) {
		out->type = CAM_NODE_SYMLINK;
		out->link_target = g_strdup(g_file_info_get_symlink_target(info));
	} else {
		out->type = CAM_NODE_REGULAR;
		out->size = (guint64) g_file_info_get_size(info);
	}
	if (xattrs != NULL && g_variant_n_children(xattrs) > 0)
		out->xattrs = g_steal_pointer(&xattrs);
	return TRUE;
}

static gboolean
cam_ostree_rootfs_stat(CamRootfs *rootfs, const CamEntry *entry, CamStat *out, GError **error)
{
	CamOstreeRootfs *self = CAM_OSTREE_ROOTFS(rootfs);
	g_auto(CamStat) stat = { 0 };
	gboolean ok;

	if (entry->is_directory)
		ok = stat_directory(self, entry, &stat, error);
	else if (ostree_repo_get_mode(self->repo) == OSTREE_REPO_MODE_BARE)
		ok = stat_bare(self, entry, &stat, error);
	else
		ok = stat_through_ostree(self, entry, &stat, error);
	if (!ok || !cam_layer_node_decode(&stat, error))
		return FALSE;
	*out = stat;
	memset(&stat, 0, sizeof stat);
	return TRUE;
}

static GInputStream *
cam_ostree_rootfs_open(CamRootfs *rootfs, const CamEntry *file, GError **error)
{
	CamOstreeRootfs *self = CAM_OSTREE_ROOTFS(rootfs);
	int fd = cam_store_open_object(self->store, &file->id, error);

	return fd >= 0 ? g_unix_input_stream_new(fd, TRUE) : NULL;
}

static gboolean
hash_content(CamRootfs *rootfs, const CamEntry *file, CamSha256 *out, GError **error)
{
	g_autoptr(GInputStream) stream = cam_ostree_rootfs_open(rootfs, file, error);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	guint8 chunk[32 * 1024];
	gssize n = -1;

	while (stream != NULL &&
	       (n = g_input_stream_read(stream, chunk, sizeof chunk, NULL, error)) > 0)
		cam_hasher_update(hasher, chunk, (gsize) n);
	if (n < 0)
		return stream == NULL ? FALSE : cam_error_translate(error, NULL);
	cam_hasher_finish_sha256(hasher, out);
	return TRUE;
}

static gboolean
cam_ostree_rootfs_content_sha256(CamRootfs *rootfs, const CamEntry *file, CamSha256 *out,
				 GError **error)
{
	CamOstreeRootfs *self = CAM_OSTREE_ROOTFS(rootfs);
	gboolean found;

	if (!cam_store_lookup_content(self->store, &file->id, out, &found, error))
		return FALSE;
	return found || hash_content(rootfs, file, out, error);
}

static void
cam_ostree_rootfs_finalize(GObject *object)
{
	CamOstreeRootfs *self = CAM_OSTREE_ROOTFS(object);

	g_clear_object(&self->store);
	G_OBJECT_CLASS(cam_ostree_rootfs_parent_class)->finalize(object);
}

static void
cam_ostree_rootfs_init(CamOstreeRootfs *self)
{
}

static void
cam_ostree_rootfs_class_init(CamOstreeRootfsClass *klass)
{
	CamRootfsClass *rootfs_class = CAM_ROOTFS_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_ostree_rootfs_finalize;
	rootfs_class->get_root = cam_ostree_rootfs_get_root;
	rootfs_class->open_tree = cam_ostree_rootfs_open_tree;
	rootfs_class->stat = cam_ostree_rootfs_stat;
	rootfs_class->open = cam_ostree_rootfs_open;
	rootfs_class->content_sha256 = cam_ostree_rootfs_content_sha256;
}

CamRootfs *
cam_ostree_rootfs_new(CamStore *store, const char *contents, const char *metadata, GError **error)
{
	OstreeRepo *repo = cam_store_get_repo(store, error);

	if (repo == NULL)
		return NULL;
	CamOstreeRootfs *self = g_object_new(CAM_TYPE_OSTREE_ROOTFS, NULL);
	self->store = g_object_ref(store);
	self->repo = repo;
	if (cam_sha256_from_hex(contents, &self->contents) &&
	    cam_sha256_from_hex(metadata, &self->metadata))
		return CAM_ROOTFS(self);
	g_object_unref(self);
	cam_set_error(error, CAM_ERROR_DATA_LOSS, "a tree with a damaged checksum");
	return NULL;
}
