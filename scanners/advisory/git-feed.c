/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OSV records in a git repository, through libgit2 (which is used nowhere else). A repository is
 * fetched into a bare one of ours; between two commits only the blobs that changed are read.
 */
#include <fcntl.h>
#include <git2.h>
#include <string.h>

#include "scanners/advisory/feed.h"

/* What our bare repositories call the remote's HEAD. */
#define HEAD_REF "refs/cambium/head"
#define REFSPEC	 "+HEAD:" HEAD_REF

/* libgit2 maps whole packs and caches a quarter of a GiB unless told otherwise. */
#define WINDOW_SIZE  ((size_t) 16 * 1024 * 1024)
#define MAPPED_LIMIT ((size_t) 64 * 1024 * 1024)
#define CACHE_LIMIT  ((ssize_t) 32 * 1024 * 1024)

typedef struct {
	CamFeedRun *run;
	git_repository *repository;
	git_odb *odb;
	GError **error; /* of the call that is running */
	guint phase;	/* of the transfer */
	guint credentials_asked;
	guint64 n_records;
} GitFeed;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_repository, git_repository_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_remote, git_remote_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_commit, git_commit_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_tree, git_tree_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_diff, git_diff_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_odb, git_odb_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_odb_object, git_odb_object_free)

/* FALSE, always. An error of ours that stopped libgit2 is kept. */
static gboolean
git_failed(GError **error, int result, const char *format, const char *what)
{
	const git_error *last = git_error_last();
	CamError code = result == GIT_ENOTFOUND	     ? CAM_ERROR_NOT_FOUND
			: result == GIT_EAUTH	     ? CAM_ERROR_UNAUTHENTICATED
			: result == GIT_ECERTIFICATE ? CAM_ERROR_PERMISSION_DENIED
						     : CAM_ERROR_UNKNOWN;
	g_autofree char *context = NULL;

	if (error != NULL && *error != NULL)
		return FALSE;
	if (last != NULL && code == CAM_ERROR_UNKNOWN) {
		if (last->klass == GIT_ERROR_NET || last->klass == GIT_ERROR_HTTP ||
		    last->klass == GIT_ERROR_SSH)
			code = CAM_ERROR_UNAVAILABLE;
		else if (last->klass == GIT_ERROR_ODB || last->klass == GIT_ERROR_ZLIB ||
			 last->klass == GIT_ERROR_INDEXER)
			code = CAM_ERROR_DATA_LOSS;
	}
	context = g_strconcat(format, what, NULL);
	return cam_set_error(error, code, "%s: %s", context,
			     last != NULL ? last->message : "git failed");
}

/* ---- transfer ---- */

static int
on_transfer(const git_indexer_progress *stats, void *user_data)
{
	GitFeed *self = user_data;

	if (g_cancellable_is_cancelled(self->run->cancellable))
		return GIT_EUSER;
	cam_progress_advance(self->run->progress, self->phase, 0);
	return 0;
}

/* ssh through the user's agent; everything else must be in the URL. Once: libgit2 asks until told
 * no. */
static int
on_credentials(git_credential **out, const char *url, const char *user, unsigned int allowed,
	       void *user_data)
{
	GitFeed *self = user_data;

	if (self->credentials_asked++ > 1)
		return GIT_EAUTH;
	if ((allowed & GIT_CREDENTIAL_USERNAME) != 0)
		return git_credential_username_new(out, user != NULL ? user : "git");
	if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0)
		return git_credential_ssh_key_from_agent(out, user != NULL ? user : "git");
	return GIT_EAUTH;
}

static gboolean
fetch(GitFeed *self, const char *url, GError **error)
{
	char refspec[] = REFSPEC;
	char *refspecs[] = { refspec };
	git_strarray list = { refspecs, 1 };
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	git_remote_create_options remote_options = GIT_REMOTE_CREATE_OPTIONS_INIT;
	g_autoptr(git_remote) remote = NULL;
	g_autofree char *phase = g_strdup_printf("fetching %s", url);
	int result;

	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	options.callbacks.transfer_progress = on_transfer;
	options.callbacks.credentials = on_credentials;
	options.callbacks.payload = self;
	/* The user's "insteadOf" is not looked at: libgit2 1.5 leaks with each such look. */
	remote_options.repository = self->repository;
	remote_options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF;
	result = git_remote_create_with_opts(&remote, url, &remote_options);
	if (result != 0)
		return git_failed(error, result, "cannot fetch ", url);
	self->phase = cam_progress_begin(self->run->progress, phase, 0, CAM_PROGRESS_ITEMS);
	result = git_remote_fetch(remote, &list, &options, NULL);
	cam_progress_end(self->run->progress, self->phase);
	if (g_cancellable_set_error_if_cancelled(self->run->cancellable, error))
		return cam_error_translate(error, NULL);
	return result == 0 || git_failed(error, result, "cannot fetch ", url);
}

char *
cam_git_feed_clone_path(const char *url, const char *git_dir)
{
	g_autofree char *digest = cam_digest_for_data(url, strlen(url));

	if (g_file_test(url, G_FILE_TEST_IS_DIR))
		return NULL;
	return g_strdup_printf("%s/%.16s.git", git_dir, cam_digest_hex(digest));
}

/* Opens the repository at a path as it is, and that of a URL as our bare copy, up to date. */
static gboolean
open_repository(GitFeed *self, const char *url, const char *git_dir, const char **head,
		GError **error)
{
	g_autofree char *path = cam_git_feed_clone_path(url, git_dir);
	int result;

	if (path == NULL) {
		*head = "HEAD";
		result = git_repository_open(&self->repository, url);
		return result == 0 || git_failed(error, result, "cannot open ", url);
	}
	*head = HEAD_REF;
	if (!cam_mkdirs_at(AT_FDCWD, git_dir, 0755, error))
		return FALSE;
	/* Harmless where it is there already; an interrupted fetch left whole objects or none. */
	result = git_repository_init(&self->repository, path, TRUE);
	if (result != 0)
		return git_failed(error, result, "cannot make ", path);
	return fetch(self, url, error);
}

/* ---- records ---- */

static gboolean
take_blob(GitFeed *self, const char *path, const git_oid *id, GError **error)
{
	g_autoptr(git_odb_object) object = NULL;
	git_object_t type;
	size_t size;
	int result = git_odb_read_header(&size, &type, self->odb, id);

	if (result != 0)
		return git_failed(error, result, "cannot read ", path);
	self->n_records++;
	if (type != GIT_OBJECT_BLOB || size > CAM_FEED_MAX_RECORD_SIZE)
		return cam_feed_run_skip(self->run, path, "it is too large", error);
	result = git_odb_read(&object, self->odb, id);
	if (result != 0)
		return git_failed(error, result, "cannot read ", path);
	return cam_feed_run_take(self->run, path, git_odb_object_data(object), size, error);
}

static int
on_tree_entry(const char *root, const git_tree_entry *entry, void *user_data)
{
	GitFeed *self = user_data;
	g_autofree char *path = g_strconcat(root, git_tree_entry_name(entry), NULL);

	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB ||
	    git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK ||
	    !cam_feed_run_is_record_name(path))
		return 0;
	return take_blob(self, path, git_tree_entry_id(entry), self->error) ? 0 : GIT_EUSER;
}

static gboolean
read_tree(GitFeed *self, git_tree *tree, GError **error)
{
	int result;

	self->error = error;
	result = git_tree_walk(tree, GIT_TREEWALK_PRE, on_tree_entry, self);
	self->error = NULL;
	if (result != 0)
		return git_failed(error, result, "cannot read the tree of the feed", "");
	return cam_advisory_update_remove_unseen(self->run->update, error);
}

static gboolean
is_record(const git_diff_file *file)
{
	return (file->mode == GIT_FILEMODE_BLOB || file->mode == GIT_FILEMODE_BLOB_EXECUTABLE) &&
	       cam_feed_run_is_record_name(file->path);
}

/* Reads what @tree has and @old has not, and removes what it is the other way round. */
static gboolean
read_changes(GitFeed *self, git_tree *old, git_tree *tree, GError **error)
{
	g_autoptr(git_diff) diff = NULL;
	int result = git_diff_tree_to_tree(&diff, self->repository, old, tree, NULL);

	self->run->is_partial = TRUE;
	if (result != 0)
		return git_failed(error, result, "cannot compare two versions of the feed", "");
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *delta = git_diff_get_delta(diff, i);
		gboolean ok = TRUE;

		if (is_record(&delta->new_file))
			ok = take_blob(self, delta->new_file.path, &delta->new_file.id, error);
		else if (is_record(&delta->old_file))
			ok = cam_advisory_update_remove(self->run->update, delta->old_file.path,
							error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

/* (nullable): the tree of a commit by its name, without error where there is none. */
static git_tree *
find_tree(GitFeed *self, const char *commit_name)
{
	g_autoptr(git_commit) commit = NULL;
	git_tree *tree = NULL;
	git_oid id;

	if (commit_name == NULL || git_oid_fromstr(&id, commit_name) != 0 ||
	    git_commit_lookup(&commit, self->repository, &id) != 0)
		return NULL;
	return git_commit_tree(&tree, commit) == 0 ? tree : NULL;
}

static gboolean
read_repository(GitFeed *self, const char *head, const char *old_version, char **version,
		GError **error)
{
	g_autoptr(git_tree) tree = NULL, old = NULL;
	char name[GIT_OID_HEXSZ + 1];
	git_oid id;
	int result = git_reference_name_to_id(&id, self->repository, head);

	if (result != 0)
		return git_failed(error, result, "the repository has no commit", "");
	git_oid_tostr(name, sizeof(name), &id);
	*version = g_strdup(name);
	result = git_repository_odb(&self->odb, self->repository);
	if (result != 0)
		return git_failed(error, result, "cannot read the repository", "");
	tree = find_tree(self, name);
	if (tree == NULL)
		return git_failed(error, GIT_ERROR, "cannot read commit ", name);
	old = find_tree(self, old_version);
	return old != NULL ? read_changes(self, old, tree, error) : read_tree(self, tree, error);
}

static void
set_limits(void)
{
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, WINDOW_SIZE);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MAPPED_LIMIT);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, CACHE_LIMIT);
	/* Objects are only read, no hook or filter of the repository runs: whose it is is no
	 * matter. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

gboolean
cam_git_feed_read(CamFeedRun *run, const char *url, const char *git_dir, const char *old_version,
		  char **version, GError **error)
{
	GitFeed self = { .run = run };
	const char *head = NULL;
	gboolean ok;

	run->has_end = TRUE; /* a commit names all that it holds by digest */
	git_libgit2_init();
	set_limits();
	ok = open_repository(&self, url, git_dir, &head, error) &&
	     read_repository(&self, head, old_version, version, error);
	git_odb_free(self.odb);
	git_repository_free(self.repository);
	git_libgit2_shutdown();
	return ok;
}
