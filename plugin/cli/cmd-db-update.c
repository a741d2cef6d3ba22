/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cambium db update`: reads every known source again, and derives advisories from the changelogs
 * of the distributions whose releases the images of the store have.
 */
#include "plugin/cli/commands.h"

#include <string.h>

#include "plugin/cli/db-show.h"
#include "plugin/look-up.h"

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

/* One release and architecture that images of the store have. */
typedef struct {
	const CamOsRelease *os;	  /* owned by one of the inventories */
	const char *architecture; /* dpkg's name of it */
	GPtrArray *sources;	  /* (nullable) (element-type CamAptSource) */
	GError *no_sources;	  /* (nullable): why there are none */
	GPtrArray *packages;	  /* (element-type CamPackage), owned by the inventories */
} Release;

static void
release_free(gpointer data)
{
	Release *self = data;

	g_clear_pointer(&self->sources, g_ptr_array_unref);
	g_clear_error(&self->no_sources);
	g_ptr_array_unref(self->packages);
	g_free(self);
}

static Release *
find_release(GPtrArray *releases, const CamOsRelease *os, const char *architecture)
{
	for (guint i = 0; i < releases->len; i++) {
		Release *release = g_ptr_array_index(releases, i);

		if (strcmp(release->os->id, os->id) == 0 &&
		    strcmp(release->os->codename, os->codename) == 0 &&
		    strcmp(release->architecture, architecture) == 0)
			return release;
	}
	return NULL;
}

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

static Release *
add_release(GPtrArray *releases, const CamOsRelease *os, const char *architecture)
{
	Release *release = g_new0(Release, 1);

	release->os = os;
	release->architecture = architecture;
	release->packages = g_ptr_array_new();
	g_ptr_array_add(releases, release);
	return release;
}

/* Any image of a release may be the one that has sources which can be read. */
static gboolean
find_sources(CamCli *cli, const UpdateOptions *self, const CamImage *image, Release *release,
	     GError **error)
{
	if (release->sources != NULL)
		return TRUE;
	g_clear_error(&release->no_sources);
	release->sources =
		cam_cli_find_sources(cli, image, release->os, self->repo, &release->no_sources);
	return release->sources != NULL || !was_cancelled(&release->no_sources, error);
}

static gboolean
add_image(CamCli *cli, const UpdateOptions *self, const CamImage *image,
	  const CamInventory *inventory, GPtrArray *releases, GError **error)
{
	const char *architecture = cam_look_up_architecture(inventory->packages);
	Release *release;

	for (guint i = 0; i < inventory->problems->len; i++)
		cam_cli_warn(cli, "%s: %s", image->name,
			     (const char *) inventory->problems->pdata[i]);
	if (architecture == NULL || inventory->os->codename == NULL ||
	    strcmp(inventory->os->id, "debian") != 0) {
		cam_cli_note(cli,
			     "%s: no changelogs for %s; use 'cambium db import' to add advisories",
			     image->name,
			     inventory->os->pretty_name != NULL ? inventory->os->pretty_name
								: inventory->os->id);
		return TRUE;
	}
	release = find_release(releases, inventory->os, architecture);
	if (release == NULL)
		release = add_release(releases, inventory->os, architecture);
	for (guint i = 0; i < inventory->packages->len; i++)
		g_ptr_array_add(release->packages, g_ptr_array_index(inventory->packages, i));
	return find_sources(cli, self, image, release, error);
}

/* FALSE only if nothing can be read any more; *@inventory is NULL where this image cannot. */
static gboolean
read_image(CamCli *cli, const char *name, CamImage **image, CamInventory **inventory,
	   GError **error)
{
	g_autoptr(GError) problem = NULL;

	*inventory = NULL;
	*image = cam_store_get_image(cam_cli_get_store(cli, FALSE, NULL), name, &problem);
	if (*image != NULL)
		*inventory = cam_scan_engine_get_inventory(cam_cli_get_engine(cli, NULL), *image,
							   cam_cli_get_cancellable(cli), &problem);
	if (*inventory != NULL)
		return TRUE;
	if (was_cancelled(&problem, error))
		return FALSE;
	cam_cli_warn(cli, "%s is left out: %s", name, problem->message);
	return TRUE;
}

/* @inventories keeps alive what the releases point to. */
static GPtrArray *
collect_releases(CamCli *cli, const UpdateOptions *self, GPtrArray *inventories, GError **error)
{
	g_autoptr(GPtrArray) names = cam_cli_list_image_names(cli, error);
	g_autoptr(GPtrArray) releases = g_ptr_array_new_with_free_func(release_free);

	if (names == NULL || cam_cli_get_engine(cli, error) == NULL)
		return NULL;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(CamImage) image = NULL;
		CamInventory *inventory;

		if (!read_image(cli, names->pdata[i], &image, &inventory, error))
			return NULL;
		if (inventory == NULL)
			continue;
		g_ptr_array_add(inventories, inventory);
		if (!add_image(cli, self, image, inventory, releases, error))
			return NULL;
	}
	return g_steal_pointer(&releases);
}

static gboolean
update_changelogs(CamCli *cli, const UpdateOptions *self, CamAdvisoryDb *db,
		  const char *const *wanted, GError **error)
{
	g_autoptr(GPtrArray) inventories =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_inventory_free);
	g_autoptr(GPtrArray) releases = collect_releases(cli, self, inventories, error);
	g_autoptr(CamAptRepository) repository = NULL;

	if (releases == NULL)
		return FALSE;
	repository = cam_cli_open_apt(cli, error);
	if (repository == NULL)
		return FALSE;
	for (guint i = 0; i < releases->len; i++) {
		Release *release = g_ptr_array_index(releases, i);
		g_autofree char *name =
			g_strdup_printf("debian-changelog:%s", release->os->codename);
		g_autoptr(GError) problem = NULL;
		CamFeedResult result = { 0 };

		if (wanted[0] != NULL && !g_strv_contains(wanted, name))
			continue;
		if (release->sources == NULL) {
			if (!go_on(cli, name, &release->no_sources, error))
				return FALSE;
			continue;
		}
		if (cam_feed_update_changelogs(db, repository, release->sources, release->os,
					       release->architecture, release->packages,
					       cam_cli_get_progress(cli), &result,
					       cam_cli_get_cancellable(cli), &problem))
			cam_note_feed(cli, name, &result);
		else if (!go_on(cli, name, &problem, error))
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
	CamAdvisoryDb *db = cam_cli_get_advisories(cli, TRUE, error);

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
		"For the Debian releases of the store's images it also derives advisories from the "
		"distribution's own repositories: the changelog of a newer version says which CVE "
		"it "
		"fixes. So findings are current on a host that reaches nothing but its mirror. "
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
