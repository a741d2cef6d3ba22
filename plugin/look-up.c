/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages that no source has looked at: looked up when a scan meets them, by the command line at
 * once and by the daemon in its own time. What a repository says of a package is the business of
 * the changelog source.
 */
#include "plugin/look-up.h"

#include <string.h>

#include "plugin/settings.h"
#include "plugin/sources.h"

/* Seconds after which a package that is still not judged is asked for again. */
#define LOOK_AGAIN (24 * 60 * 60)

#define DEFAULT_LOOKUPS 5000

gboolean
cam_look_up_is_due(const CamUnjudged *unjudged, gint64 now)
{
	return now - unjudged->looked_at > LOOK_AGAIN;
}

gboolean
cam_look_up_is_wanted(const CamScanResult *result)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	if (result->os->ecosystem == NULL)
		return FALSE;
	for (guint i = 0; i < result->unjudged->len; i++)
		if (cam_look_up_is_due(result->unjudged->pdata[i], now))
			return TRUE;
	return FALSE;
}

const char *
cam_look_up_architecture(const GPtrArray *packages)
{
	for (guint i = 0; i < packages->len; i++) {
		const CamPackage *package = packages->pdata[i];

		if (package->type == CAM_PACKAGE_DEB && package->architecture != NULL &&
		    strcmp(package->architecture, "all") != 0)
			return package->architecture;
	}
	return NULL;
}

static char *
source_key(const char *name, const char *version)
{
	return g_strconcat(name, " ", version, NULL);
}

guint64
cam_look_up_limit(const CamConfig *config)
{
	return config->lookups != 0 ? config->lookups : DEFAULT_LOOKUPS;
}

guint
cam_look_up_select(const CamConfig *config, const GPtrArray *packages, GHashTable *wanted,
		   GPtrArray *selected)
{
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) left_out = g_hash_table_new(g_str_hash, g_str_equal);
	guint64 limit = cam_look_up_limit(config);

	for (guint i = 0; i < packages->len; i++) {
		CamPackage *package = packages->pdata[i];
		g_autofree char *key = source_key(package->source_name, package->source_version);

		if (wanted != NULL && !g_hash_table_contains(wanted, key))
			continue;
		if (!g_hash_table_contains(taken, package->source_name) &&
		    g_hash_table_size(taken) >= limit) {
			g_hash_table_add(left_out, package->source_name);
			continue;
		}
		g_hash_table_add(taken, package->source_name);
		g_ptr_array_add(selected, package);
	}
	return g_hash_table_size(left_out);
}

/* Packages of @result that it is time to look up. *@left_out: (optional): source packages that are
 * too many. (element-type CamPackage), owned by @result */
static GPtrArray *
list_wanted(const CamConfig *config, const CamScanResult *result, guint *left_out)
{
	g_autoptr(GHashTable) sources =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	GPtrArray *wanted = g_ptr_array_new();
	guint n;

	for (guint i = 0; i < result->unjudged->len; i++) {
		const CamUnjudged *unjudged = result->unjudged->pdata[i];

		if (cam_look_up_is_due(unjudged, now))
			g_hash_table_add(sources, source_key(unjudged->source_package,
							     unjudged->source_version));
	}
	n = cam_look_up_select(config, result->packages, sources, wanted);
	if (left_out != NULL)
		*left_out = n;
	return wanted;
}

gboolean
cam_look_up(const CamLookUp *self, const CamImage *image, const CamScanResult *result,
	    GCancellable *cancellable, GError **error)
{
	const char *architecture = cam_look_up_architecture(result->packages);
	g_autoptr(CamOsRelease) archive = cam_os_release_dup_archive(result->os);
	g_autoptr(GPtrArray) wanted = list_wanted(self->config, result, NULL);
	g_autoptr(GPtrArray) remarks = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(CamAptRepository) repository = NULL;
	CamFeedResult counts = { 0 };

	if (architecture == NULL)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "none of the packages says for which architecture it is");
	sources = cam_find_sources(self->config, self->repo_lines, self->store, image, result->os,
				   remarks, cancellable, error);
	for (guint i = 0; i < remarks->len; i++)
		cam_progress_message(self->progress, "%s",
				     (const char *) g_ptr_array_index(remarks, i));
	if (sources == NULL)
		return FALSE;
	repository = cam_settings_open_apt(self->config, self->store, error);
	return repository != NULL &&
	       cam_feed_update_changelogs(cam_scan_engine_get_advisories(self->engine), repository,
					  sources, archive, architecture, wanted, self->progress,
					  &counts, cancellable, error);
}

void
cam_look_up_explain_rest(const CamConfig *config, const CamScanResult *before, CamScanResult *after)
{
	guint left_out, n = 0;
	g_autoptr(GPtrArray) wanted = list_wanted(config, before, &left_out);

	if (left_out == 0)
		return;
	for (guint i = 0; i < after->unjudged->len; i++) {
		CamUnjudged *unjudged = after->unjudged->pdata[i];

		if (unjudged->looked_at != 0)
			continue;
		n += unjudged->packages->len;
		g_free(unjudged->reason);
		unjudged->reason = g_strdup("not looked up: too many");
	}
	g_ptr_array_add(after->warnings,
			g_strdup_printf("%u packages were not looked up: this image has more than "
					"the %" G_GUINT64_FORMAT " source packages that are looked "
					"up at once ([limits] lookups); scan it again for more",
					n, cam_look_up_limit(config)));
}

void
cam_look_up_explain(CamScanResult *result, const GError *problem)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	gboolean no_source = g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	guint n = 0;

	for (guint i = 0; i < result->unjudged->len; i++) {
		CamUnjudged *unjudged = result->unjudged->pdata[i];

		if (!cam_look_up_is_due(unjudged, now))
			continue;
		n += unjudged->packages->len;
		g_free(unjudged->reason);
		unjudged->reason =
			no_source ? g_strdup_printf("no source for %s", result->os->ecosystem)
				  : g_strdup("could not be looked up");
	}
	g_ptr_array_add(result->warnings, g_strdup_printf("%u packages could not be looked up: %s",
							  n, problem->message));
}

CamScanResult *
cam_look_up_scan(const CamLookUp *self, const CamImage *image, const CamScanOptions *options,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(CamScanResult) result = cam_scan_engine_scan(self->engine, image, options,
							       self->progress, cancellable, error);
	CamScanResult *after;

	if (result == NULL || !cam_look_up_is_wanted(result))
		return g_steal_pointer(&result);
	if (cam_look_up(self, image, result, cancellable, &problem)) {
		after = cam_scan_engine_scan(self->engine, image, options, self->progress,
					     cancellable, error);
		if (after != NULL)
			cam_look_up_explain_rest(self->config, result, after);
		return after;
	}
	if (self->config->lookup_failure == CAM_LOOKUP_FAIL ||
	    g_error_matches(problem, CAM_ERROR, CAM_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		cam_error_translate(error, "cannot look up packages of %s", image->name);
		return NULL;
	}
	cam_look_up_explain(result, problem);
	return g_steal_pointer(&result);
}
