/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a layer is what verified packages make of a tree. The packaged paths are judged here;
 * the package database in proof-records.c, what is derived from packages in proof-derived.c.
 */
#include "rebuild/proof/layer-proof.h"

#include <string.h>

#include "rebuild/proof/proof-private.h"

void
cam_layer_doubt_free(CamLayerDoubt *self)
{
	g_free(self->path);
	g_free(self->reason);
	g_free(self);
}

/* ---- small things that all checks use ---- */

char *
cam_proof_read_text(CamRootfs *rootfs, const char *path)
{
	g_autoptr(GBytes) bytes = cam_rootfs_read(rootfs, path, CAM_PROOF_MAX_FILE, NULL);
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

	if (!bytes || (size > 0 && memchr(data, '\0', size)))
		return NULL;
	return g_strndup(data ? data : "", size);
}

gboolean
cam_proof_is_plain(const CamStat *stat, guint32 mode)
{
	return stat->type == CAM_NODE_REGULAR && (stat->mode == mode || stat->mode == 0600) &&
	       stat->uid == 0 && stat->gid == 0 && stat->xattrs == NULL;
}

const CamProvenPath *
cam_proof_find_shipped(const CamProof *self, const char *path)
{
	g_autofree char *real = NULL;
	CamEntry entry;

	if (!cam_rootfs_lookup(self->after, path, TRUE, &real, &entry, NULL))
		return NULL;
	return g_hash_table_lookup(self->shipped, real);
}

/* ---- where packaged paths lie ---- */

static char *
real_path(CamProof *self, const char *path)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = g_strndup(path, slash ? (gsize) (slash - path) : 0);
	const char *real = g_hash_table_lookup(self->parents, parent);

	if (!slash)
		return g_strdup(path);
	if (!real) {
		char *found = NULL;
		CamEntry entry;

		if (!cam_rootfs_lookup(self->after, parent, TRUE, &found, &entry, NULL))
			found = g_strdup(parent);
		real = found;
		g_hash_table_insert(self->parents, g_steal_pointer(&parent), found);
	}
	return *real ? g_strconcat(real, slash, NULL) : g_strdup(slash + 1);
}

/* Three lines each: from, to, package (":" for the administrator's). As they were before: a layer
 * that changes them is not explained by what it says itself. */
static void
read_diversions(CamProof *self)
{
	g_autofree char *text = cam_proof_read_text(self->before, "var/lib/dpkg/diversions");
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	guint n = g_strv_length(lines);

	for (guint i = 0; i + 2 < n; i += 3)
		if (*lines[i] == '/' && lines[i + 1][0] == '/')
			g_hash_table_replace(
				self->diversions, g_strdup(lines[i] + 1),
				g_strconcat(lines[i + 2], " ", lines[i + 1] + 1, NULL));
}

static const char *
divert(CamProof *self, const char *path, const char *package)
{
	const char *diversion = g_hash_table_lookup(self->diversions, path);
	gsize size = diversion ? strcspn(diversion, " ") : 0;

	if (!diversion || (strlen(package) == size && !strncmp(diversion, package, size)))
		return path;
	return diversion + size + 1;
}

static void
index_contents(CamProof *self)
{
	for (guint i = 0; i < self->contents->len; i++) {
		const CamPlannedPackage *package = self->packages->pdata[i];
		const CamDebContent *content = self->contents->pdata[i];
		GHashTableIter iter;
		gpointer path, entry;

		g_hash_table_iter_init(&iter, content->entries);
		while (g_hash_table_iter_next(&iter, &path, &entry)) {
			CamProvenPath *proven = g_new0(CamProvenPath, 1);

			proven->entry = entry;
			proven->package = i;
			g_hash_table_replace(self->shipped,
					     real_path(self, divert(self, path, package->name)),
					     proven);
		}
	}
}

/* What the versions that go have shipped, as this image's own database lists it. */
static void
index_former_paths(CamProof *self)
{
	for (guint i = 0; i < self->packages->len; i++) {
		const CamPlannedPackage *package = self->packages->pdata[i];
		g_autofree char *qualified = g_strdup_printf("var/lib/dpkg/info/%s:%s.list",
							     package->name, package->architecture);
		g_autofree char *plain =
			g_strdup_printf("var/lib/dpkg/info/%s.list", package->name);
		g_autofree char *text = cam_proof_read_text(self->before, qualified);
		g_auto(GStrv) lines = NULL;

		if (!text)
			text = cam_proof_read_text(self->before, plain);
		lines = g_strsplit(text ? text : "", "\n", -1);
		for (guint j = 0; lines[j]; j++)
			if (*lines[j] == '/')
				g_hash_table_add(
					self->formerly,
					real_path(self, divert(self, lines[j] + 1, package->name)));
	}
}

/* ---- packaged paths ---- */

static gboolean
same_content(const CamProof *self, const CamPathChange *change, const CamDebEntry *entry,
	     gboolean *same, GError **error)
{
	CamEntry found;
	CamSha256 sha256;

	*same = FALSE;
	if (change->after.type != entry->type)
		return TRUE;
	if (entry->type == CAM_NODE_SYMLINK)
		*same = g_strcmp0(change->after.link_target, entry->link_target) == 0;
	if (entry->type == CAM_NODE_DIRECTORY)
		*same = TRUE;
	if (entry->type != CAM_NODE_REGULAR || change->after.size != entry->size)
		return TRUE;
	if (!cam_rootfs_lookup(self->after, change->path, FALSE, NULL, &found, error) ||
	    !cam_rootfs_content_sha256(self->after, &found, &sha256, error))
		return FALSE;
	*same = cam_sha256_equal(&sha256, &entry->sha256);
	return TRUE;
}

static gboolean
same_xattrs(GVariant *a, GVariant *b)
{
	return a == NULL || b == NULL ? a == b : g_variant_equal(a, b);
}

/* Mode, owner and attributes as the .deb says, or as the path had them before: an override of the
 * administrator's, or a capability that an earlier installation set. */
static gboolean
privileges_hold(const CamPathChange *change, const CamDebEntry *entry)
{
	const CamStat *after = &change->after, *before = &change->before;
	gboolean is_link = after->type == CAM_NODE_SYMLINK;

	if (after->uid == entry->uid && after->gid == entry->gid && after->xattrs == NULL &&
	    (is_link || after->mode == entry->mode))
		return TRUE;
	return change->kind == CAM_CHANGE_MODIFIED && before->type == after->type &&
	       before->uid == after->uid && before->gid == after->gid &&
	       before->mode == after->mode && same_xattrs(before->xattrs, after->xattrs);
}

static char *
judge_packaged(const CamProof *self, const CamPathChange *change, const CamDebEntry *entry,
	       GError **error)
{
	gboolean same;

	if (!same_content(self, change, entry, &same, error))
		return NULL;
	if (!same)
		return g_strdup("it is not as the package ships it");
	if (!privileges_hold(change, entry))
		return g_strdup("its mode, owner or attributes are not those of the package");
	return g_strdup("");
}

static char *
judge_removed(const CamProof *self, const CamPathChange *change)
{
	if (g_hash_table_contains(self->shipped, change->path))
		return g_strdup("the package ships it, and it is gone");
	if (g_hash_table_contains(self->formerly, change->path))
		return g_strdup("");
	return NULL;
}

/* "X.dpkg-dist": the packaged form of a configuration file that the image has changed. */
static const CamDebEntry *
find_packaged_form(const CamProof *self, const CamPathChange *change)
{
	const CamProvenPath *proven = g_hash_table_lookup(self->shipped, change->path);
	g_autofree char *path = NULL;

	if (proven)
		return proven->entry;
	if (!g_str_has_suffix(change->path, ".dpkg-dist"))
		return NULL;
	path = g_strndup(change->path, strlen(change->path) - strlen(".dpkg-dist"));
	proven = g_hash_table_lookup(self->shipped, path);
	return proven && proven->entry->md5 ? proven->entry : NULL;
}

/* NULL without @error: nothing explains it, and there is no more to say. */
static char *
judge(const CamProof *self, const CamPathChange *change, GError **error)
{
	const CamDebEntry *entry = find_packaged_form(self, change);
	g_autoptr(GError) local = NULL;
	char *verdict = NULL;

	if (change->kind == CAM_CHANGE_REMOVED)
		verdict = judge_removed(self, change);
	else if (entry)
		return judge_packaged(self, change, entry, error);
	if (!verdict)
		verdict = cam_proof_records(self, change, &local);
	if (!verdict && !local)
		verdict = cam_proof_derived(self, change, &local);
	if (local)
		g_propagate_error(error, g_steal_pointer(&local));
	return verdict;
}

/* ---- all of them ---- */

static void
add_doubt(GPtrArray *doubts, const char *path, const char *reason)
{
	CamLayerDoubt *doubt = g_new0(CamLayerDoubt, 1);

	doubt->path = g_strdup(path);
	doubt->reason = g_strdup(reason);
	g_ptr_array_add(doubts, doubt);
}

static gboolean
is_plain_directory(const CamStat *stat)
{
	return stat->type == CAM_NODE_DIRECTORY && stat->mode == 0755 && stat->uid == 0 &&
	       stat->gid == 0 && stat->xattrs == NULL;
}

/* A directory that came or went with explained paths alone. @below: directories → whether all
 * that changed in them is explained; paths are judged from the last to the first, so that what is
 * in a directory is judged before it. */
static gboolean
comes_with_content(const CamPathChange *change, GHashTable *below)
{
	if (!change->is_directory || change->kind == CAM_CHANGE_MODIFIED ||
	    (change->kind == CAM_CHANGE_ADDED && !is_plain_directory(&change->after)))
		return FALSE;
	return GPOINTER_TO_INT(g_hash_table_lookup(below, change->path));
}

static void
note_in_parent(GHashTable *below, const char *path, gboolean explained)
{
	char *parent = g_path_get_dirname(path);
	gpointer so_far;

	if (g_hash_table_lookup_extended(below, parent, NULL, &so_far))
		explained = explained && GPOINTER_TO_INT(so_far);
	g_hash_table_replace(below, parent, GINT_TO_POINTER(explained));
}

static gint
compare_doubts(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const CamLayerDoubt *const *) a)->path,
		      (*(const CamLayerDoubt *const *) b)->path);
}

static GPtrArray *
judge_all(CamProof *self, const GPtrArray *paths, GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) doubts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_layer_doubt_free);
	g_autoptr(GHashTable) below = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = paths->len; i-- > 0;) {
		const CamPathChange *change = paths->pdata[i];
		g_autoptr(GError) local = NULL;
		g_autofree char *verdict = judge(self, change, &local);
		gboolean explained;

		if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
			cam_error_translate(error, NULL);
			return NULL;
		}
		if (local) {
			g_propagate_error(error, g_steal_pointer(&local));
			return NULL;
		}
		explained = verdict ? *verdict == '\0' : comes_with_content(change, below);
		note_in_parent(below, change->path, explained);
		if (!explained)
			add_doubt(doubts, change->path,
				  verdict ? verdict : "no package of the fix ships it");
	}
	g_ptr_array_sort(doubts, compare_doubts);
	return g_steal_pointer(&doubts);
}

static void
proof_clear(CamProof *self)
{
	g_hash_table_unref(self->shipped);
	g_hash_table_unref(self->formerly);
	g_hash_table_unref(self->parents);
	g_hash_table_unref(self->diversions);
	g_hash_table_unref(self->changes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamProof, proof_clear)

static GHashTable *
new_table(GDestroyNotify value_free)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, value_free);
}

GPtrArray *
cam_layer_prove(CamRootfs *before, CamRootfs *after, const GPtrArray *packages,
		const GPtrArray *contents, GPtrArray *byte_code, GCancellable *cancellable,
		GError **error)
{
	g_autoptr(GPtrArray) paths = cam_diff_trees(before, after, NULL, cancellable, error);
	g_auto(CamProof) self = {
		.before = before,
		.after = after,
		.packages = packages,
		.contents = contents,
		.shipped = new_table(g_free),
		.formerly = new_table(NULL),
		.parents = new_table(g_free),
		.diversions = new_table(g_free),
		.changes = g_hash_table_new(g_str_hash, g_str_equal),
		.byte_code = byte_code,
	};

	g_return_val_if_fail(packages->len == contents->len, NULL);
	if (!paths)
		return NULL;
	read_diversions(&self);
	index_contents(&self);
	index_former_paths(&self);
	for (guint i = 0; i < paths->len; i++)
		g_hash_table_replace(self.changes, ((CamPathChange *) paths->pdata[i])->path,
				     paths->pdata[i]);
	return judge_all(&self, paths, cancellable, error);
}
