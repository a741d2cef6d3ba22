/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the comparison of a tree that a package manager changed with what it was. Whoever made the
 * changes is not trusted: every access is below a directory descriptor and follows no link.
 */
#include "rebuild/pkgmgr/upper-diff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rebuild/pkgmgr/layer-prune.h"

#define OVERLAY_OPAQUE	 "trusted.overlay.opaque"
#define OVERLAY_REDIRECT "trusted.overlay.redirect"
#define XATTRS_MAX	 (64 * 1024) /* the kernel's own limit for a list and for a value */

/* What a path has become. */
typedef struct {
	gboolean gone;
	gboolean same; /* as below; kept only for the sake of its hard links */
	CamStat stat;
	gint64 mtime;
	dev_t device; /* of regular files with several names, else 0 */
	ino_t inode;
} Change;

typedef struct {
	int upper, merged;
	CamRootfs *lower;
	const char *const *made;
	const GPtrArray *masks;
	GHashTable *changes; /* (element-type utf8 Change), by path */
	GCancellable *cancellable;
} Diff;

static void
change_free(Change *self)
{
	cam_stat_clear(&self->stat);
	g_free(self);
}

static void
diff_clear(Diff *self)
{
	g_clear_pointer(&self->changes, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Diff, diff_clear)

static char *
join(const char *directory, const char *name)
{
	return *directory ? g_strconcat(directory, "/", name, NULL) : g_strdup(name);
}

/* ---- what is there ---- */

static int
open_directory(int top, const char *path, GError **error)
{
	return cam_openat_beneath(top, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
				  error);
}

static void
list_names_of_fd(int fd, GHashTable *names)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
			g_hash_table_add(names, g_strdup(entry->d_name));
	if (directory)
		closedir(directory);
}

static gboolean
list_names(int top, const char *path, GHashTable *names, GError **error)
{
	int fd = open_directory(top, path, error);

	if (fd < 0)
		return FALSE;
	list_names_of_fd(fd, names);
	return TRUE;
}

static CamNodeType
node_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return CAM_NODE_DIRECTORY;
	case S_IFLNK:
		return CAM_NODE_SYMLINK;
	case S_IFCHR:
		return CAM_NODE_CHARACTER;
	case S_IFBLK:
		return CAM_NODE_BLOCK;
	case S_IFIFO:
		return CAM_NODE_FIFO;
	default:
		return CAM_NODE_REGULAR;
	}
}

static gboolean
xattr_counts(const char *name)
{
	return g_str_equal(name, "security.capability") ||
	       (g_str_has_prefix(name, "user.") && !g_str_has_prefix(name, "user.overlay."));
}

static GVariant *
bytes_variant(gconstpointer data, gsize size)
{
	return g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, g_memdup2(data, size), size, TRUE,
				       g_free, NULL);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Builds the array from names, sorted; @value gives each one's bytes. */
static gboolean
read_xattr(int fd, const char *name, GVariantBuilder *builder, GError **error)
{
	g_autofree char *value = g_malloc(XATTRS_MAX);
	ssize_t size = fgetxattr(fd, name, value, XATTRS_MAX);

	if (size < 0)
		return cam_set_error_errno(error, errno, "cannot read attribute %s", name);
	g_variant_builder_add(builder, "(@ay@ay)", bytes_variant(name, strlen(name) + 1),
			      bytes_variant(value, (gsize) size));
	return TRUE;
}

static gboolean
read_xattrs(int fd, GVariant **out, GError **error)
{
	g_autofree char *list = g_malloc(XATTRS_MAX);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	ssize_t size = flistxattr(fd, list, XATTRS_MAX);

	*out = NULL;
	if (size < 0)
		return errno == ENOTSUP ||
		       cam_set_error_errno(error, errno, "cannot list attributes");
	for (char *p = list; p < list + size; p += strlen(p) + 1)
		if (xattr_counts(p))
			g_ptr_array_add(names, p);
	if (names->len == 0)
		return TRUE;
	g_ptr_array_sort(names, compare_names);

	g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ayay)"));

	for (guint i = 0; i < names->len; i++)
		if (!read_xattr(fd, names->pdata[i], &builder, error))
			return FALSE;
	*out = g_variant_ref_sink(g_variant_builder_end(&builder));
	return TRUE;
}

static gboolean
read_link(Diff *self, const char *path, CamStat *out, GError **error)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(self->merged, path, target, sizeof(target));

	if (size < 0 || size == sizeof(target))
		return cam_set_error_errno(error, size < 0 ? errno : ENAMETOOLONG,
					   "cannot read the link %s", path);
	out->link_target = g_strndup(target, (gsize) size);
	return TRUE;
}

/* Fills @out from the mount. Sockets are no part of a tree: *@exists is FALSE for them too. */
static gboolean
read_stat(Diff *self, const char *path, Change *out, gboolean *exists, GError **error)
{
	struct stat st;

	*exists = FALSE;
	if (fstatat(self->merged, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot look at %s", path);
	if (S_ISSOCK(st.st_mode))
		return TRUE;
	*exists = TRUE;
	out->stat.type = node_type(st.st_mode);
	out->stat.mode = st.st_mode & 07777;
	out->stat.uid = st.st_uid;
	out->stat.gid = st.st_gid;
	out->mtime = st.st_mtime;
	if (S_ISLNK(st.st_mode))
		return read_link(self, path, &out->stat, error);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		out->stat.rdev_major = major(st.st_rdev);
		out->stat.rdev_minor = minor(st.st_rdev);
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return TRUE;

	g_auto(CamFd) fd = cam_openat_beneath(self->merged, path,
					      O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, error);

	if (S_ISREG(st.st_mode)) {
		out->stat.size = (guint64) st.st_size;
		out->device = st.st_nlink > 1 ? st.st_dev : 0;
		out->inode = st.st_ino;
	}
	return fd >= 0 && read_xattrs(fd, &out->stat.xattrs, error);
}

/* ---- what was there ---- */

static GVariant *
xattrs_that_count(GVariant *xattrs)
{
	g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ayay)"));
	gsize n = xattrs ? g_variant_n_children(xattrs) : 0;
	gboolean any = FALSE;

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) pair = g_variant_get_child_value(xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(pair, 0);

		if (!xattr_counts(g_variant_get_bytestring(name)))
			continue;
		g_variant_builder_add_value(&builder, pair);
		any = TRUE;
	}
	return any ? g_variant_ref_sink(g_variant_builder_end(&builder)) : NULL;
}

static gboolean
same_xattrs(GVariant *now, GVariant *before)
{
	g_autoptr(GVariant) counted = xattrs_that_count(before);

	if (!now || !counted)
		return now == counted;
	return g_variant_equal(now, counted);
}

static gboolean
same_stat(const CamStat *now, const CamStat *before)
{
	if (now->type != before->type || now->uid != before->uid || now->gid != before->gid)
		return FALSE;
	if (now->type == CAM_NODE_SYMLINK)
		return g_strcmp0(now->link_target, before->link_target) == 0;
	return now->mode == before->mode && now->size == before->size &&
	       now->rdev_major == before->rdev_major && now->rdev_minor == before->rdev_minor &&
	       same_xattrs(now->xattrs, before->xattrs);
}

static gboolean
hash_file(int top, const char *path, CamSha256 *out, GError **error)
{
	g_auto(CamFd) fd = cam_open_regular_beneath(top, path, error);
	g_autofree guint8 *buffer = g_malloc(256 * 1024);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	ssize_t size = -1;

	while (fd >= 0 && (size = read(fd, buffer, 256 * 1024)) != 0) {
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return cam_set_error_errno(error, errno, "cannot read %s", path);
		cam_hasher_update(hasher, buffer, (gsize) size);
	}
	if (fd < 0)
		return FALSE;
	cam_hasher_finish_sha256(hasher, out);
	return TRUE;
}

static gboolean
same_as_before(Diff *self, const char *path, const Change *now, const CamEntry *before,
	       gboolean *same, GError **error)
{
	g_auto(CamStat) stat = { 0 };
	CamSha256 one, two;

	*same = FALSE;
	if (!cam_rootfs_stat(self->lower, before, &stat, error))
		return FALSE;
	if (!same_stat(&now->stat, &stat))
		return TRUE;
	*same = TRUE;
	if (stat.type != CAM_NODE_REGULAR || stat.size == 0)
		return TRUE;
	if (!hash_file(self->merged, path, &one, error) ||
	    !cam_rootfs_content_sha256(self->lower, before, &two, error))
		return FALSE;
	*same = !memcmp(&one, &two, sizeof(one));
	return TRUE;
}

/* ---- the walk ---- */

static gboolean walk(Diff *self, const char *path, gboolean in_upper, gboolean whole,
		     const CamEntry *before, GError **error);

static gboolean
is_made(Diff *self, const char *path)
{
	return self->made && g_strv_contains(self->made, path);
}

/* Whether @path still is the file that was written for the time of the run. */
static gboolean
is_masked(Diff *self, const char *path)
{
	for (guint i = 0; self->masks && i < self->masks->len; i++) {
		const CamDpkgMask *mask = self->masks->pdata[i];
		g_auto(CamFd) fd = -1;
		g_autoptr(GBytes) now = NULL;

		if (!g_str_equal(mask->path, path))
			continue;
		fd = cam_open_regular_beneath(self->merged, path, NULL);
		now = fd < 0 ? NULL : cam_read_fd(fd, path, g_bytes_get_size(mask->content), NULL);
		return now && g_bytes_equal(now, mask->content);
	}
	return FALSE;
}

static gboolean
visit(Diff *self, const char *path, gboolean in_upper, gboolean whole, const CamEntry *before,
      GError **error)
{
	Change *now;
	gboolean exists, same = FALSE;

	if (is_masked(self, path))
		return TRUE;
	now = g_new0(Change, 1);
	if (!read_stat(self, path, now, &exists, error)) {
		change_free(now);
		return FALSE;
	}

	gboolean is_directory = exists && now->stat.type == CAM_NODE_DIRECTORY;

	if (cam_layer_prune(path, is_directory || (!exists && before && before->is_directory)) ||
	    (!before && (!exists || is_made(self, path)))) {
		change_free(now);
		return TRUE;
	}
	if (exists && before && !same_as_before(self, path, now, before, &same, error)) {
		change_free(now);
		return FALSE;
	}
	now->gone = !exists;
	now->same = same;
	if (!same || now->device)
		g_hash_table_insert(self->changes, g_strdup(path), now);
	else
		change_free(now);
	if (!is_directory)
		return TRUE;
	return walk(self, path, in_upper, whole, before && before->is_directory ? before : NULL,
		    error);
}

/* Whether a directory of the upper hides or moves what is below it. */
static gboolean
is_marked(Diff *self, const char *path, gboolean *marked, GError **error)
{
	g_auto(CamFd) fd = open_directory(self->upper, path, error);
	char value[2];

	if (fd < 0)
		return FALSE;
	*marked = (fgetxattr(fd, OVERLAY_OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y') ||
		  fgetxattr(fd, OVERLAY_REDIRECT, NULL, 0) >= 0;
	return TRUE;
}

static gboolean
is_directory_in_upper(Diff *self, const char *path)
{
	struct stat st;

	return fstatat(self->upper, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/*
 * @whole: the mount and the tree below are compared entry by entry; else only what the upper
 * directory holds can have changed.
 */
static gboolean
walk(Diff *self, const char *path, gboolean in_upper, gboolean whole, const CamEntry *before,
     GError **error)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(CamTree) tree = NULL;
	gboolean marked = FALSE;

	if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
		return cam_error_translate(error, "comparing the trees");
	if (before && !(tree = cam_rootfs_open_tree(self->lower, before, error)))
		return FALSE;
	if (in_upper && !whole && !is_marked(self, path, &marked, error))
		return FALSE;
	whole = whole || marked || !in_upper;
	if (!list_names(whole ? self->merged : self->upper, path, names, error))
		return FALSE;
	for (guint i = 0; whole && tree && i < cam_tree_size(tree); i++)
		g_hash_table_add(names, g_strdup(cam_tree_get(tree, i)->name));

	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		g_autofree char *child = join(path, name);

		if (!visit(self, child, in_upper && is_directory_in_upper(self, child), whole,
			   tree ? cam_tree_find(tree, name) : NULL, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- after the walk ---- */

static gboolean
is_in_lower(Diff *self, const char *path)
{
	CamEntry entry;

	return cam_rootfs_lookup(self->lower, path, FALSE, NULL, &entry, NULL);
}

/* A compiled Python file carries the time of its source: where the source stays as it was below,
 * so must what was compiled from it. */
static void
drop_orphaned_pyc(Diff *self)
{
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, self->changes);
	while (g_hash_table_iter_next(&iter, &path, NULL)) {
		g_autofree char *source = cam_layer_source_of_pyc(path);
		const Change *change = source ? g_hash_table_lookup(self->changes, source) : NULL;

		if (source && (!change || change->same) && is_in_lower(self, source))
			g_hash_table_iter_remove(&iter);
	}
}

static guint
hash_inode(gconstpointer key)
{
	const Change *change = key;

	return (guint) (change->inode ^ (change->inode >> 32) ^ change->device);
}

static gboolean
equal_inode(gconstpointer a, gconstpointer b)
{
	const Change *one = a, *two = b;

	return one->inode == two->inode && one->device == two->device;
}

/* Names of one file: if one of them is in the layer, all are, or they would part. */
static GHashTable *
group_links(Diff *self)
{
	GHashTable *groups = g_hash_table_new_full(hash_inode, equal_inode, NULL,
						   (GDestroyNotify) g_ptr_array_unref);
	GHashTableIter iter;
	gpointer path, value;

	g_hash_table_iter_init(&iter, self->changes);
	while (g_hash_table_iter_next(&iter, &path, &value)) {
		Change *change = value;

		if (change->gone || !change->device)
			continue;

		GPtrArray *group = g_hash_table_lookup(groups, change);

		if (!group) {
			group = g_ptr_array_new();
			g_hash_table_insert(groups, change, group);
		}
		g_ptr_array_add(group, path);
	}
	return groups;
}

static GInputStream *
open_changed(const char *path, gpointer user_data, GError **error)
{
	int fd = cam_open_regular_beneath(GPOINTER_TO_INT(user_data), path, error);

	return fd < 0 ? NULL : g_unix_input_stream_new(fd, TRUE);
}

static void
emit_group(Diff *self, GPtrArray *group, CamLayerTar *tar)
{
	gboolean changed = FALSE;

	g_ptr_array_sort(group, compare_names);
	for (guint i = 0; i < group->len; i++) {
		const Change *change = g_hash_table_lookup(self->changes, group->pdata[i]);

		changed = changed || !change->same;
	}
	for (guint i = 0; changed && i < group->len; i++) {
		const Change *change = g_hash_table_lookup(self->changes, group->pdata[i]);

		if (i > 0)
			cam_layer_tar_add_hardlink(tar, group->pdata[i], group->pdata[0]);
		else
			cam_layer_tar_add(tar, group->pdata[i], &change->stat, change->mtime,
					  open_changed, GINT_TO_POINTER(self->merged));
	}
}

static void
emit(Diff *self, CamLayerTar *tar)
{
	g_autoptr(GHashTable) groups = group_links(self);
	GHashTableIter iter;
	gpointer path, value;

	g_hash_table_iter_init(&iter, self->changes);
	while (g_hash_table_iter_next(&iter, &path, &value)) {
		const Change *change = value;

		if (change->gone)
			cam_layer_tar_add_whiteout(tar, path);
		else if (!change->device)
			cam_layer_tar_add(tar, path, &change->stat, change->mtime, open_changed,
					  GINT_TO_POINTER(self->merged));
	}
	g_hash_table_iter_init(&iter, groups);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		emit_group(self, value, tar);
}

gboolean
cam_upper_diff(int upper, int merged, CamRootfs *lower, const char *const *made,
	       const GPtrArray *masks, CamLayerTar *tar, GCancellable *cancellable, GError **error)
{
	g_auto(Diff) self = {
		.upper = upper,
		.merged = merged,
		.lower = lower,
		.made = made,
		.masks = masks,
		.changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						 (GDestroyNotify) change_free),
		.cancellable = cancellable,
	};
	CamEntry root;

	cam_rootfs_get_root(lower, &root);
	if (!walk(&self, "", TRUE, FALSE, &root, error))
		return FALSE;
	drop_orphaned_pyc(&self);
	emit(&self, tar);
	return TRUE;
}
