/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several files of this folder do with an OSTree repository: errors, commits, refs. */
#include "snapshotter/store/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"

#define STAGING_PREFIX "staging-"
#define LOCK_SUFFIX    "-lock"
#define BEGIN_ATTEMPTS 50

gboolean
cam_repo_error(GError **error, const char *format, ...)
{
	g_autofree char *context = NULL;
	va_list args;

	if (error == NULL)
		return FALSE;
	va_start(args, format);
	context = g_strdup_vprintf(format, args);
	va_end(args);
	/* libostree has no code of its own for this. */
	if (strstr((*error)->message, "min-free-space") != NULL) {
		g_autofree char *text = g_strdup((*error)->message);

		g_clear_error(error);
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "%s: the disk is nearly full, free some space: %s", context,
				     text);
	}
	return cam_error_translate(error, "%s", context);
}

OstreeRepo *
cam_repo_begin(OstreeRepo *repo, GCancellable *cancellable, GError **error)
{
	for (guint attempt = 1;; attempt++) {
		g_autoptr(OstreeRepo) own = ostree_repo_new(ostree_repo_get_path(repo));
		g_autoptr(GError) local = NULL;

		if (ostree_repo_open(own, cancellable, &local) &&
		    ostree_repo_prepare_transaction(own, NULL, cancellable, &local))
			return g_steal_pointer(&own);
		/* libostree looks into the staging directories of others, and fails if one of them
		 * is finished, and gone, in that very moment. */
		if (attempt < BEGIN_ATTEMPTS &&
		    g_error_matches(local, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
			continue;
		g_propagate_error(error, g_steal_pointer(&local));
		cam_repo_error(error, "cannot begin to write to the OSTree repository");
		return NULL;
	}
}

gboolean
cam_repo_commit_tree(OstreeRepo *repo, OstreeMutableTree *tree, const char *ref, GVariant *notes,
		     GCancellable *cancellable, GError **error)
{
	g_autoptr(GFile) root = NULL;
	g_autofree char *commit = NULL;

	/* No time and no text: what is equal has equal commits. */
	if (!ostree_repo_write_mtree(repo, tree, &root, cancellable, error) ||
	    !ostree_repo_write_commit_with_time(repo, NULL, "", "", notes, OSTREE_REPO_FILE(root),
						0, &commit, cancellable, error))
		return cam_repo_error(error, "cannot write the commit of %s", ref);
	ostree_repo_transaction_set_ref(repo, NULL, ref, commit);
	return TRUE;
}

gboolean
cam_repo_read_commit(OstreeRepo *repo, const char *ref, char **contents, char **metadata,
		     GVariant **notes, GError **error)
{
	g_autofree char *checksum = NULL;
	g_autoptr(GVariant) commit = NULL, contents_bytes = NULL, metadata_bytes = NULL;

	if (!ostree_repo_resolve_rev(repo, ref, TRUE, &checksum, error))
		return cam_repo_error(error, "cannot look for %s", ref);
	if (checksum == NULL)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND, "the store has no %s", ref);
	if (!ostree_repo_load_commit(repo, checksum, &commit, NULL, error))
		return cam_repo_error(error, "cannot read the commit of %s", ref);
	contents_bytes = g_variant_get_child_value(commit, 6);
	metadata_bytes = g_variant_get_child_value(commit, 7);
	*contents = ostree_checksum_from_bytes_v(contents_bytes);
	*metadata = ostree_checksum_from_bytes_v(metadata_bytes);
	if (notes != NULL)
		*notes = g_variant_get_child_value(commit, 0);
	return TRUE;
}

/* ---- leftovers ---- */

/* libostree holds an open-file-description lock on NAME-lock as long as it uses NAME. */
static int
lock_staging(int tmpfd, const char *lock)
{
	struct flock wanted = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	g_auto(CamFd) fd = openat(tmpfd, lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	/* A lock file without a name was given up by its owner: somebody may hold a new one. */
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &wanted) != 0 || fstat(fd, &st) != 0 ||
	    st.st_nlink == 0)
		return -1;
	return cam_fd_steal(&fd);
}

static gboolean
sweep_staging(int tmpfd, const char *name, GError **error)
{
	g_autofree char *directory = g_str_has_suffix(name, LOCK_SUFFIX)
					     ? g_strndup(name, strlen(name) - strlen(LOCK_SUFFIX))
					     : g_strdup(name);
	g_autofree char *lock = g_strconcat(directory, LOCK_SUFFIX, NULL);
	g_auto(CamFd) fd = lock_staging(tmpfd, lock);

	if (fd < 0)
		return TRUE;
	if (!cam_remove_tree_at(tmpfd, directory, error))
		return FALSE;
	(void) unlinkat(tmpfd, lock, 0);
	return TRUE;
}

gboolean
cam_repo_sweep(OstreeRepo *repo, GError **error)
{
	g_autofree char *path =
		g_build_filename(g_file_peek_path(ostree_repo_get_path(repo)), "tmp", NULL);
	g_auto(CamFd) tmpfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GDir) dir = g_dir_open(path, 0, error);
	const char *name;

	if (dir == NULL)
		return cam_error_translate(error, NULL);
	if (tmpfd < 0)
		return cam_set_error_errno(error, errno, "cannot open %s", path);
	while ((name = g_dir_read_name(dir)) != NULL)
		if (g_str_has_prefix(name, STAGING_PREFIX)) {
			g_autoptr(GError) problem = NULL;

			if (!sweep_staging(tmpfd, name, &problem))
				g_message("%s/%s is left behind: %s", path, name, problem->message);
		}
	return TRUE;
}

void
cam_repo_abort(OstreeRepo *repo)
{
	(void) ostree_repo_abort_transaction(repo, NULL, NULL);
	/* What cannot be removed now is removed by gc. */
	(void) cam_repo_sweep(repo, NULL);
}
