/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why paths differ: packaged files, held against the checksums that packages carry, and the package
 * database itself. What programs make out of packaged files stands in regenerated.c.
 */
#include "rebuild/diff/attribution.h"

#include <string.h>

#include "rebuild/diff/database-check.h"
#include "rebuild/diff/regenerated.h"

#define PRIVILEGED_MODE 06000 /* set-user-id, set-group-id */

void
cam_path_change_explain(CamPathChange *change, const CamPackageChange *package, const char *reason)
{
	g_free(change->package);
	g_free(change->reason);
	change->package = package != NULL ? cam_package_change_to_string(package) : NULL;
	change->reason = g_strdup(reason);
	g_clear_pointer(&change->note, g_free);
}

const CamOwnedPath *
cam_leads_to_owned(const CamEvidence *evidence, const char *path, const char *target)
{
	g_autofree char *real = NULL, *parent = NULL, *directory = NULL, *canonical = NULL;
	CamEntry entry;

	if (cam_rootfs_lookup(evidence->after, path, TRUE, &real, &entry, NULL))
		return cam_owned_paths_find(evidence->owned_after, real);
	/* It dangles: documentation, say, that the image leaves out. */
	parent = g_path_get_dirname(path);
	directory = g_strconcat("/", parent, NULL);
	canonical = g_canonicalize_filename(target, directory);
	return cam_owned_paths_find(evidence->owned_after, canonical + 1);
}

static void
set_note(CamPathChange *change, const char *note)
{
	g_free(change->note);
	change->note = g_strdup(note);
}

/*
 * Packages record contents, not modes, owners or capabilities: a path that only now has privileges,
 * or whose mode moved, is not explained by a checksum.
 */
static const char *
unrecorded_change(const CamPathChange *change)
{
	gboolean is_new =
		change->kind == CAM_CHANGE_ADDED || (change->aspects & CAM_ASPECT_TYPE) != 0;

	if (change->aspects & CAM_ASPECT_MODE)
		return "its mode changed, which packages do not record";
	if (change->aspects & CAM_ASPECT_OWNER)
		return "its owner changed, which packages do not record";
	if (change->aspects & CAM_ASPECT_XATTRS || (is_new && change->after.xattrs != NULL))
		return "it has other extended attributes, which packages do not record";
	if (is_new && !change->is_directory && (change->after.mode & PRIVILEGED_MODE) != 0)
		return "it is new and has set-id bits, which packages do not record";
	return NULL;
}

static gboolean
has_md5(CamRootfs *rootfs, const char *path, const char *md5, gboolean *same, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_MD5);
	g_autoptr(GInputStream) stream = NULL;
	g_autofree guchar *buffer = g_malloc(64 * 1024);
	CamEntry entry;
	gssize n;

	if (!cam_rootfs_lookup(rootfs, path, FALSE, NULL, &entry, error))
		return FALSE;
	stream = cam_rootfs_open(rootfs, &entry, error);
	if (stream == NULL)
		return FALSE;
	while ((n = g_input_stream_read(stream, buffer, 64 * 1024, NULL, error)) > 0)
		g_checksum_update(checksum, buffer, n);
	if (n < 0)
		return cam_error_translate(error, "cannot read %s", path);
	*same = g_ascii_strcasecmp(g_checksum_get_string(checksum), md5) == 0;
	return TRUE;
}

static gboolean
explain_regular(CamEvidence *evidence, CamPathChange *change, const CamOwnedPath *owned,
		GError **error)
{
	gboolean same = FALSE;

	if (owned->md5 == NULL) {
		set_note(change, "packaged, but the package records no checksum of it");
		return TRUE;
	}
	if (!has_md5(evidence->after, change->path, owned->md5, &same, error))
		return FALSE;
	if (!same)
		set_note(change, owned->is_conffile
					 ? "configuration file that is not as packaged"
					 : "packaged, but its checksum is not the packaged one");
	else
		cam_path_change_explain(
			change, owned->package,
			owned->is_conffile ? "packaged configuration file, checksum as packaged"
					   : "packaged file, checksum as packaged");
	return TRUE;
}

/* A link's target is not recorded either: it must lead to something that is packaged itself. */
static void
explain_symlink(CamEvidence *evidence, CamPathChange *change, const CamOwnedPath *owned)
{
	if (cam_leads_to_owned(evidence, change->path, change->after.link_target) != NULL)
		cam_path_change_explain(change, owned->package,
					"packaged link, leads to a packaged file");
	else
		set_note(change, "packaged, but it leads to nothing that an upgraded package owns");
}

static gboolean
explain_packaged(CamEvidence *evidence, CamPathChange *change, const CamOwnedPath *owned,
		 GError **error)
{
	switch (change->after.type) {
	case CAM_NODE_REGULAR:
		return explain_regular(evidence, change, owned, error);
	case CAM_NODE_SYMLINK:
		explain_symlink(evidence, change, owned);
		return TRUE;
	case CAM_NODE_DIRECTORY:
		cam_path_change_explain(change, owned->package, "packaged directory");
		return TRUE;
	case CAM_NODE_CHARACTER:
	case CAM_NODE_BLOCK:
	case CAM_NODE_FIFO:
		set_note(change, "listed by a package, but of a kind that no package records");
		return TRUE;
	}
	return TRUE;
}

static void
explain_removed(CamEvidence *evidence, CamPathChange *change)
{
	const CamOwnedPath *before = cam_owned_paths_find(evidence->owned_before, change->path);
	const CamOwnedPath *after = cam_owned_paths_find(evidence->owned_after, change->path);

	if (after != NULL)
		set_note(change, "packaged, but it was removed");
	else if (before != NULL)
		cam_path_change_explain(change, before->package,
					before->package->after != NULL ? "no longer packaged"
								       : "its package was removed");
}

/* A link without a list (a database of single files) beside the file that it leads to. */
static void
explain_unlisted_link(CamEvidence *evidence, CamPathChange *change)
{
	const CamOwnedPath *owned =
		cam_leads_to_owned(evidence, change->path, change->after.link_target);

	if (owned != NULL && g_strcmp0(owned->package->after_path, "var/lib/dpkg/status") != 0 &&
	    strchr(change->after.link_target, '/') == NULL)
		cam_path_change_explain(change, owned->package,
					"link to a packaged file beside it");
}

static gboolean
attribute(CamEvidence *evidence, CamPathChange *change, GError **error)
{
	const CamOwnedPath *owned = cam_owned_paths_find(evidence->owned_after, change->path);
	const char *unrecorded = unrecorded_change(change);

	if (unrecorded != NULL) {
		set_note(change, unrecorded);
		return TRUE;
	}
	if (change->kind == CAM_CHANGE_REMOVED)
		explain_removed(evidence, change);
	else if (owned != NULL && !explain_packaged(evidence, change, owned, error))
		return FALSE;
	else if (owned == NULL && change->after.type == CAM_NODE_SYMLINK)
		explain_unlisted_link(evidence, change);
	if (change->reason == NULL)
		return cam_database_check(evidence, change, error);
	return TRUE;
}

/* ---- directories ---- */

/* What the changes below one directory come to. */
typedef struct {
	gboolean some_unexplained;
	const CamPathChange *explained; /* one of them */
} Below;

static void
add_to_parent(GHashTable *below, const CamPathChange *change)
{
	const char *slash = strrchr(change->path, '/');
	g_autofree char *parent = g_strndup(change->path, slash != NULL ? slash - change->path : 0);
	Below *sum = g_hash_table_lookup(below, parent);

	if (sum == NULL) {
		sum = g_new0(Below, 1);
		g_hash_table_insert(below, g_steal_pointer(&parent), sum);
	}
	if (change->reason == NULL)
		sum->some_unexplained = TRUE;
	else
		sum->explained = change;
}

/* A directory that came or went for the sake of explained paths alone is explained with them. */
static guint
explain_directories(const GPtrArray *paths)
{
	g_autoptr(GHashTable) below =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	guint unexplained = 0;

	/* By path, so from the end: children are done before their directory. */
	for (guint i = paths->len; i > 0; i--) {
		CamPathChange *change = paths->pdata[i - 1];
		const Below *sum = g_hash_table_lookup(below, change->path);

		if (change->reason == NULL && change->is_directory && sum != NULL &&
		    change->kind != CAM_CHANGE_MODIFIED && !sum->some_unexplained) {
			change->package = g_strdup(sum->explained->package);
			change->reason = g_strdup("directory of explained paths");
		}
		add_to_parent(below, change);
		unexplained += change->reason == NULL;
	}
	return unexplained;
}

gboolean
cam_attribute_paths(GPtrArray *paths, const GPtrArray *packages, CamRootfs *before,
		    CamRootfs *after, guint *unexplained, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamOwnedPaths) owned_before =
		cam_owned_paths_read(before, packages, FALSE, error);
	g_autoptr(CamOwnedPaths) owned_after = NULL;
	g_autoptr(GHashTable) by_path = g_hash_table_new(g_str_hash, g_str_equal);
	CamEvidence evidence;

	if (owned_before == NULL)
		return FALSE;
	owned_after = cam_owned_paths_read(after, packages, TRUE, error);
	if (owned_after == NULL)
		return FALSE;
	for (guint i = 0; i < paths->len; i++)
		g_hash_table_replace(by_path, ((CamPathChange *) paths->pdata[i])->path,
				     paths->pdata[i]);
	evidence = (CamEvidence){ .before = before,
				  .after = after,
				  .packages = packages,
				  .owned_before = owned_before,
				  .owned_after = owned_after,
				  .paths = paths,
				  .by_path = by_path };
	for (guint i = 0; i < paths->len; i++) {
		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		if (!attribute(&evidence, paths->pdata[i], error))
			return FALSE;
	}
	/* A path whose packaged form is known and another must not pass as a cache. */
	for (guint i = 0; i < paths->len; i++) {
		CamPathChange *change = paths->pdata[i];

		if (change->reason == NULL && change->note == NULL)
			cam_regenerated_check(&evidence, change);
	}
	*unexplained = explain_directories(paths);
	return TRUE;
}
