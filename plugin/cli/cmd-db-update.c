/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cambium db update`: reads every known source again, and derives advisories from the changelogs
 * of the distributions whose releases the images of the store have.
 */
#include "plugin/cli/commands.h"

#include "plugin/cli/db-show.h"
#include "plugin/cli/store-releases.h"

typedef struct {
	GPtrArray *repo;
	gboolean accept_shrink;
} UpdateOptions;

static const CamOption options[] = {
	CAM_ACCEPT_SHRINK_OPTION(UpdateOptions, accept_shrink),
	CAM_REPO_OPTION(UpdateOptions, repo),
	{ NULL },
};

static const CamArgument arguments[] = {
	{ "SOURCE", CAM_ARGUMENT_ANY, CAM_COMPLETE_NOTHING, NULL,
	  "names of sources, as 'cambium db status' shows them; without one, all" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium db update", "All feeds, and the changelogs for all images of the store." },
	{ "cambium db update debian", "One source." },
	{ NULL },
};

static gboolean
was_cancelled(GError **problem, GError **error)
{
	if (!g_error_matches(*problem, CAM_ERROR, CAM_ERROR_CANCELLED))
		return FALSE;
	g_propagate_error(error, g_steal_pointer(problem));
	return TRUE;
}

/*
 * What cannot be read is told and does not keep the rest from being read. A source that cannot be
 * read is a failure of the command; an image that cannot be read is not, as its own scan says so
 * and nobody else's advisories are older for it.
 */
static gboolean
go_on(CamCli *cli, const char *name, GError **problem, GError **error)
{
	if (was_cancelled(problem, error))
		return FALSE;
	cam_cli_warn(cli, "%s: %s%s", name, (*problem)->message, cam_shrink_hint(*problem));
	g_clear_error(problem);
	cam_cli_set_exit(cli, CAM_EXIT_FAILED);
	return TRUE;
}

/* Without a source the changelogs of a release are missed only where no feed tells of it. */
static gboolean
note_no_sources(CamCli *cli, CamAdvisoryDb *db, CamStoreRelease *release, const char *name,
		GError **error)
{
	g_auto(CamCoverage) coverage = { 0 };

	if (!cam_advisory_db_get_coverage(db, release->os->ecosystem, "", "0", &coverage, error))
		return FALSE;
	if (!coverage.fixes)
		return go_on(cli, name, &release->no_sources, error);
	cam_cli_note(cli, "%s: %s; a feed tells of it", name, release->no_sources->message);
	return TRUE;
}

static gboolean
update_release(CamCli *cli, CamAdvisoryDb *db, CamAptRepository *repository,
	       CamStoreRelease *release, const char *name, GError **error)
{
	g_autoptr(GPtrArray) packages = cam_store_release_list_packages(release);
	g_autoptr(GError) problem = NULL;
	CamFeedResult result = { 0 };

	if (release->sources == NULL)
		return note_no_sources(cli, db, release, name, error);
	if (!cam_feed_update_changelogs(db, repository, release->sources, release->os,
					release->architecture, packages, cam_cli_get_progress(cli),
					&result, cam_cli_get_cancellable(cli), &problem))
		return go_on(cli, name, &problem, error);
	cam_note_feed(cli, name, &result);
	return TRUE;
}

static gboolean
update_changelogs(CamCli *cli, const UpdateOptions *self, CamAdvisoryDb *db,
		  const char *const *wanted, GError **error)
{
	g_autoptr(GPtrArray) releases = cam_store_releases_collect(cli, self->repo, error);
	g_autoptr(CamAptRepository) repository = NULL;

	if (releases == NULL)
		return FALSE;
	repository = cam_cli_open_apt(cli, error);
	if (repository == NULL)
		return FALSE;
	for (guint i = 0; i < releases->len; i++) {
		CamStoreRelease *release = g_ptr_array_index(releases, i);
		g_autofree char *name =
			g_strdup_printf("debian-changelog:%s", release->os->codename);

		if (wanted[0] != NULL && !g_strv_contains(wanted, name))
			continue;
		if (!update_release(cli, db, repository, release, name, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
update_feeds(CamCli *cli, const UpdateOptions *self, CamAdvisoryDb *db, const char *const *wanted,
	     GError **error)
{
	CamFeedFlags flags = self->accept_shrink ? CAM_FEED_ACCEPT_SHRINK : CAM_FEED_NONE;
	g_autoptr(GPtrArray) sources = cam_advisory_db_list_sources(db, error);
	g_autofree char *git_dir = cam_cli_git_dir(cli);

	if (sources == NULL)
		return FALSE;
	for (guint i = 0; i < sources->len; i++) {
		const CamAdvisorySource *source = g_ptr_array_index(sources, i);
		g_autoptr(GError) problem = NULL;
		CamFeedResult result = { 0 };

		if (!g_str_has_prefix(source->kind, "osv-") ||
		    (wanted[0] != NULL && !g_strv_contains(wanted, source->name)))
			continue;
		if (cam_feed_update(db, source->name, git_dir, flags, cam_cli_get_progress(cli),
				    &result, cam_cli_get_cancellable(cli), &problem))
			cam_note_feed(cli, source->name, &result);
		else if (!go_on(cli, source->name, &problem, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const UpdateOptions *self = data;
	CamAdvisoryDb *db;

	if (!cam_cli_check_repo(cli, self->repo, error))
		return FALSE;
	db = cam_cli_get_advisories(cli, TRUE, error);
	if (db == NULL || !cam_check_source_names(db, words, "debian-changelog:", error))
		return FALSE;
	return update_feeds(cli, self, db, words, error) &&
	       update_changelogs(cli, self, db, words, error) &&
	       cam_show_advisory_sources(cli, db, error);
}

const CamCommand cam_command_db_update = {
	.name = "db update",
	.summary = "learn what is known to be wrong",
	.description =
		"Reads every source of advisories again; of a git repository only what changed.\n\n"
		"For the Debian and Ubuntu releases of the store's images, and those that "
		"derivatives "
		"are based on, it also derives advisories from the distribution's own "
		"repositories: the changelog of a newer version says which CVE it fixes. So "
		"findings are current on a host that reaches nothing but its mirror. "
		"Such "
		"records have no severity, and say nothing about what is not fixed yet.\n\n"
		"A source that cannot be read keeps what it had and does not hold up the others; "
		"the exit status is then 1. An image that cannot be read, or a part of it, is "
		"named in a warning, which does not change the exit status: its own scan says so.",
	.arguments = arguments,
	.options = options,
	.options_size = sizeof(UpdateOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
