/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the images of the store are made of, release by release: their source packages and the
 * repositories that serve them. What is read there is not decided here. Images are many and share
 * most of what they have, so one of each source package is kept, and no inventory.
 */
#include "plugin/cli/store-releases.h"

#include <string.h>

#include "plugin/look-up.h"

typedef struct {
	CamCli *cli;
	const GPtrArray *repo;
	GPtrArray *releases;
} Collection;

static void
release_free(gpointer data)
{
	CamStoreRelease *self = data;

	g_clear_pointer(&self->sources, g_ptr_array_unref);
	g_clear_error(&self->no_sources);
	g_hash_table_unref(self->packages);
	cam_os_release_free(self->os);
	g_free(self->architecture);
	g_free(self);
}

static CamStoreRelease *
find_release(const Collection *self, const CamOsRelease *os, const char *architecture)
{
	for (guint i = 0; i < self->releases->len; i++) {
		CamStoreRelease *release = g_ptr_array_index(self->releases, i);

		if (strcmp(release->os->id, os->id) == 0 &&
		    strcmp(release->os->codename, os->codename) == 0 &&
		    strcmp(release->architecture, architecture) == 0)
			return release;
	}
	return NULL;
}

/* Takes @os. */
static CamStoreRelease *
add_release(const Collection *self, CamOsRelease *os, const char *architecture)
{
	CamStoreRelease *release = g_new0(CamStoreRelease, 1);

	release->os = os;
	release->architecture = g_strdup(architecture);
	release->packages = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
						  (GDestroyNotify) cam_package_free);
	g_ptr_array_add(self->releases, release);
	return release;
}

/* The lowest version is the one that needs most of a changelog. */
static void
add_package(CamStoreRelease *release, const CamPackage *package)
{
	const CamPackage *known = g_hash_table_lookup(release->packages, package->source_name);
	CamPackage *copy;

	if (known != NULL &&
	    cam_version_compare_deb(package->source_version, known->source_version) >= 0)
		return;
	copy = cam_package_copy(package);
	g_hash_table_replace(release->packages, copy->source_name, copy);
}

static void
add_packages(const Collection *self, CamStoreRelease *release, const CamImage *image,
	     const CamInventory *inventory)
{
	const CamConfig *config = cam_cli_get_config(self->cli);
	g_autoptr(GPtrArray) selected = g_ptr_array_new();
	guint left_out = cam_look_up_select(config, inventory->packages, NULL, selected);

	for (guint i = 0; i < selected->len; i++)
		add_package(release, g_ptr_array_index(selected, i));
	if (left_out > 0)
		cam_cli_warn(
			self->cli,
			"%s: %u source packages are not looked up: more than %" G_GUINT64_FORMAT
			" of one image are too many ([limits] lookups)",
			image->name, left_out, cam_look_up_limit(config));
}

/* Any image of a release may be the one that has sources which can be read. */
static gboolean
add_sources(const Collection *self, CamStoreRelease *release, const CamImage *image,
	    const CamOsRelease *os, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) sources = NULL;

	if (release->settled)
		return TRUE;
	sources = cam_cli_find_sources(self->cli, image, os, self->repo, &problem);
	if (sources == NULL && g_error_matches(problem, CAM_ERROR, CAM_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	if (sources == NULL) {
		if (release->no_sources == NULL)
			release->no_sources = g_steal_pointer(&problem);
		return TRUE;
	}
	if (release->sources == NULL)
		release->sources = g_ptr_array_ref(sources);
	release->settled = !cam_apt_sources_add_alternatives(release->sources, sources);
	return TRUE;
}

static gboolean
has_changelogs(const CamOsRelease *os)
{
	return os->ecosystem != NULL && os->codename != NULL &&
	       cam_version_compare_for_ecosystem(os->ecosystem) == cam_version_compare_deb;
}

static gboolean
add_image(const Collection *self, const CamImage *image, const CamInventory *inventory,
	  GError **error)
{
	const char *architecture = cam_look_up_architecture(inventory->packages);
	g_autoptr(CamOsRelease) os = cam_os_release_dup_archive(inventory->os);
	CamStoreRelease *release;

	for (guint i = 0; i < inventory->problems->len; i++)
		cam_cli_warn(self->cli, "%s: %s", image->name,
			     (const char *) inventory->problems->pdata[i]);
	if (architecture == NULL || !has_changelogs(os)) {
		cam_cli_note(self->cli,
			     "%s: no changelogs for %s; use 'cambium db import' to add advisories",
			     image->name, os->pretty_name != NULL ? os->pretty_name : os->id);
		return TRUE;
	}
	release = find_release(self, os, architecture);
	if (release == NULL)
		release = add_release(self, g_steal_pointer(&os), architecture);
	add_packages(self, release, image, inventory);
	return add_sources(self, release, image, release->os, error);
}

/* Its own scan says why an image cannot be read, and the advisories of others are not older for it.
 */
static gboolean
read_image(const Collection *self, const char *name, GError **error)
{
	CamScanEngine *engine = cam_cli_get_engine(self->cli, error);
	g_autoptr(GError) problem = NULL;
	g_autoptr(CamImage) image = NULL;
	g_autoptr(CamInventory) inventory = NULL;

	if (engine == NULL)
		return FALSE;
	image = cam_store_get_image(cam_cli_get_store(self->cli, FALSE, NULL), name, &problem);
	if (image != NULL)
		inventory = cam_scan_engine_get_inventory(
			engine, image, cam_cli_get_cancellable(self->cli), &problem);
	if (inventory != NULL)
		return add_image(self, image, inventory, error);
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	cam_cli_warn(self->cli, "%s is left out: %s", name, problem->message);
	return TRUE;
}

GPtrArray *
cam_store_releases_collect(CamCli *cli, const GPtrArray *repo, GError **error)
{
	g_autoptr(GPtrArray) names = cam_cli_list_image_names(cli, error);
	g_autoptr(GPtrArray) releases = g_ptr_array_new_with_free_func(release_free);
	const Collection self = { cli, repo, releases };
	guint id;
	gboolean ok = TRUE;

	if (names == NULL)
		return NULL;
	id = cam_progress_begin(cam_cli_get_progress(cli), "reading images", names->len,
				CAM_PROGRESS_ITEMS);
	for (guint i = 0; ok && i < names->len; i++) {
		ok = read_image(&self, names->pdata[i], error);
		cam_progress_advance(cam_cli_get_progress(cli), id, 1);
	}
	cam_progress_end(cam_cli_get_progress(cli), id);
	return ok ? g_steal_pointer(&releases) : NULL;
}

GPtrArray *
cam_store_release_list_packages(const CamStoreRelease *self)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter iter;
	gpointer package;

	g_hash_table_iter_init(&iter, self->packages);
	while (g_hash_table_iter_next(&iter, NULL, &package))
		g_ptr_array_add(list, package);
	return list;
}
