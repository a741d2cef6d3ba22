/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of one fix, from scan to scan. Each step is somebody else's: planning is rebuild/plan's,
 * changing the tree rebuild/pkgmgr's, the layer fixed-layer.c's, documents fixed-image.c's, names
 * and writing back fix-publish.c's.
 *
 * Killed at any point it can be run again: packages stay in the cache, layer and blobs stay in
 * the store (a lease keeps them from gc until the image has its name), and as all of them depend
 * on image and plan alone the second run comes to the same digests.
 */
#include "rebuild/publish/fix.h"

#include "rebuild/pkgmgr/dpkg-config.h"
#include "rebuild/pkgmgr/pkgmgr.h"
#include "rebuild/publish/fix-memory.h"
#include "rebuild/publish/fix-proof.h"
#include "rebuild/publish/fix-publish.h"
#include "rebuild/publish/fixed-image.h"
#include "rebuild/publish/lower-times.h"
#include "rebuild/publish/package-time.h"

/* What the steps hand on to each other. */
typedef struct {
	CamStore *store;
	CamScanEngine *engine;
	CamAptRepository *repository;
	const CamImage *image;
	const CamFixOptions *options;
	CamProgress *progress;
	GCancellable *cancellable;
	char *lease;
	CamRootfs *rootfs;
	CamLowerTimes *times;
	const CamPackageManager *manager;
	CamFixResult *result;
} Fix;

void
cam_fix_result_free(CamFixResult *self)
{
	g_clear_pointer(&self->image, cam_image_free);
	g_clear_pointer(&self->plan, cam_fix_plan_free);
	g_clear_pointer(&self->before, cam_scan_result_free);
	g_clear_pointer(&self->after, cam_scan_result_free);
	g_clear_pointer(&self->still_open, g_ptr_array_unref);
	g_clear_pointer(&self->unexplained, g_ptr_array_unref);
	g_free(self->layer_diff_id);
	g_free(self->layer_digest);
	g_free(self->written_to);
	g_free(self);
}

static CamScanResult *
scan(Fix *self, const CamImage *image, GError **error)
{
	static const CamScanOptions options = { .unknown_counts_as = CAM_SEVERITY_MEDIUM };

	return cam_scan_engine_scan(self->engine, image, &options, self->progress,
				    self->cancellable, error);
}

/* ---- packages ---- */

/* @debs are paths, NULL-terminated; *@newest: the date of the newest. */
static gboolean
download(Fix *self, GPtrArray *debs, gint64 *newest, GError **error)
{
	const GPtrArray *packages = self->result->plan->packages;

	*newest = 0;
	for (guint i = 0; i < packages->len; i++) {
		const CamPlannedPackage *package = packages->pdata[i];
		gint64 time;
		char *path = cam_apt_repository_get_deb(
			self->repository, package->origin, package->filename, package->sha256,
			package->size, self->progress, self->cancellable, error);

		if (path == NULL)
			return cam_error_translate(error, "cannot get %s %s", package->name,
						   package->to);
		g_ptr_array_add(debs, path);
		if (!cam_package_time(path, &time, error))
			return FALSE;
		*newest = MAX(*newest, time);
	}
	g_ptr_array_add(debs, NULL);
	return TRUE;
}

/* The image's own package manager knows best; without one there is the graft. */
static const CamPackageManager *
choose_manager(CamRootfs *rootfs, CamApplyMethod method, GError **error)
{
	static const struct {
		const CamPackageManager *manager;
		CamApplyMethod method;
	} managers[] = {
		{ &cam_package_manager_dpkg, CAM_APPLY_SANDBOX },
		{ &cam_package_manager_graft, CAM_APPLY_GRAFT },
	};
	g_autoptr(GString) reasons = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(managers); i++) {
		g_autofree char *reason = NULL;

		if (method != CAM_APPLY_AUTO && method != managers[i].method)
			continue;
		if (managers[i].manager->probe(rootfs, &reason))
			return managers[i].manager;
		g_string_append_printf(reasons, "%s%s: %s", reasons->len > 0 ? "; " : "",
				       managers[i].manager->name, reason);
	}
	cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
		      "nothing can change the packages of this image (%s)", reasons->str);
	return NULL;
}

/* *@layer stays NULL if there is nothing left to do. */
static gboolean
make_layer(Fix *self, CamFixProof *proof, CamFixedLayer **layer, GError **error)
{
	CamFixPlan *plan = self->result->plan;
	g_autoptr(GPtrArray) debs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(CamLayerTar) tar = NULL;
	gint64 epoch;

	if (!download(self, debs, &epoch, error))
		return FALSE;
	cam_fix_proof_read_packages(proof, (const char *const *) debs->pdata);
	tar = cam_layer_tar_new(self->rootfs, cam_lower_times_get, self->times, epoch);
	if (!self->manager->apply(self->store, self->image, plan, (const char *const *) debs->pdata,
				  &self->options->limits, tar, self->progress, self->cancellable,
				  error))
		return FALSE;
	if (plan->packages->len == 0 || cam_layer_tar_is_empty(tar))
		return TRUE;
	*layer = cam_fixed_layer_new(self->store, tar, self->image->manifest, self->lease,
				     self->progress, self->cancellable, error);
	if (*layer == NULL)
		return FALSE;
	(*layer)->epoch = epoch;
	return TRUE;
}

/* ---- one patch, many images ---- */

/* Without the memory there is only more work: its troubles are told, not fatal. */
static void
tell(Fix *self, const GError *error)
{
	if (error != NULL)
		cam_progress_message(self->progress, "layers cannot be reused: %s", error->message);
}

/* (nullable): the layer that did this before. */
static CamFixedLayer *
recall(Fix *self, CamFixMemory *memory, CamFixProof *proof, const char *key)
{
	g_autofree char *diff_id = NULL;
	g_autoptr(GError) error = NULL;
	CamFixedLayer *layer = NULL;
	gint64 epoch;

	if (self->options->anew || memory == NULL)
		return NULL;
	if (cam_fix_memory_find(memory, key, self->rootfs, self->times, cam_fix_proof_accepts,
				proof, &diff_id, &epoch, &error) &&
	    diff_id != NULL)
		layer = cam_fixed_layer_reuse(self->store, diff_id, self->image->manifest,
					      self->lease, self->cancellable, &error);
	if (layer != NULL)
		layer->epoch = epoch;
	tell(self, error);
	return layer;
}

/* What of the new layer nothing explains; only a layer without such paths is remembered. */
static gboolean
judge_layer(Fix *self, CamFixMemory *memory, CamFixProof *proof, const char *key,
	    const CamFixedLayer *layer, gboolean whole, GError **error)
{
	g_autoptr(GError) local = NULL;

	g_clear_pointer(&self->result->unexplained, g_ptr_array_unref);
	self->result->unexplained = cam_fix_proof_judge(proof, layer->diff_id, error);
	if (self->result->unexplained == NULL)
		return FALSE;
	if (memory != NULL && whole && self->result->unexplained->len == 0) {
		cam_fix_memory_add(memory, key, self->rootfs, self->times, layer->diff_id,
				   layer->epoch, &local);
		tell(self, local);
	}
	return TRUE;
}

static gboolean
recall_or_make_layer(Fix *self, CamFixedLayer **layer, GError **error)
{
	const CamFixPlan *plan = self->result->plan;
	g_autofree char *key = cam_fix_memory_key(plan, self->manager->name);
	g_autoptr(GError) local = NULL;
	g_autoptr(CamFixMemory) memory = cam_fix_memory_open(self->store, &local);
	g_autoptr(CamFixProof) proof =
		cam_fix_proof_new(self->store, self->image, self->rootfs, plan, memory,
				  &self->options->limits, self->progress, self->cancellable);
	guint planned = plan->packages->len;

	tell(self, local);
	*layer = recall(self, memory, proof, key);
	if (*layer != NULL) {
		self->result->reused = TRUE;
		return TRUE;
	}
	if (!make_layer(self, proof, layer, error))
		return FALSE;
	/* A plan that was cut short on the way is not what the key names. */
	return *layer == NULL ||
	       judge_layer(self, memory, proof, key, *layer, plan->packages->len == planned, error);
}

/* What the image asks its package manager for and does not get. */
static gboolean
warn_of_options(Fix *self, GError **error)
{
	g_autoptr(CamDpkgConfig) config = cam_dpkg_config_read(self->rootfs, error);

	for (guint i = 0; config != NULL && i < config->dropped->len; i++)
		g_ptr_array_add(self->result->plan->warnings, g_strdup(config->dropped->pdata[i]));
	return config != NULL;
}

static gboolean
apply(Fix *self, CamFixedLayer **layer, GError **error)
{
	const char *const *diff_ids = (const char *const *) self->image->diff_ids;

	self->rootfs = cam_store_open_rootfs(self->store, diff_ids, self->cancellable, error);
	if (self->rootfs == NULL)
		return FALSE;
	self->manager = choose_manager(self->rootfs, self->options->method, error);
	if (self->manager == NULL || !warn_of_options(self, error))
		return FALSE;
	self->result->method =
		self->manager == &cam_package_manager_graft ? CAM_APPLY_GRAFT : CAM_APPLY_SANDBOX;
	self->times = cam_lower_times_new(self->store, diff_ids, error);
	return self->times != NULL && recall_or_make_layer(self, layer, error);
}

/* ---- layer and image ---- */

static char *
describe(const CamFixPlan *plan)
{
	g_autoptr(GString) text = g_string_new("cambium fix");

	for (guint i = 0; i < plan->packages->len; i++) {
		const CamPlannedPackage *package = plan->packages->pdata[i];

		g_string_append_printf(text, " %s=%s", package->name, package->to);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
build_image(Fix *self, CamFixedLayer *layer, GError **error)
{
	CamFixResult *result = self->result;

	layer->created_by = describe(result->plan);
	result->layer_diff_id = g_strdup(layer->diff_id);
	result->layer_digest = g_strdup(layer->blob->digest);
	result->layer_size = (guint64) layer->blob->size;
	result->image = cam_fixed_image_new(self->store, self->image, layer, error);
	return result->image != NULL;
}

/* ---- proof ---- */

static void
add_still_open(CamFixResult *result, const CamFinding *fix)
{
	for (guint i = 0; i < result->after->findings->len; i++) {
		CamFinding *finding = result->after->findings->pdata[i];

		if (g_str_equal(finding->id, fix->id) &&
		    g_strcmp0(finding->package, fix->package) == 0 &&
		    g_strcmp0(finding->architecture, fix->architecture) == 0)
			g_ptr_array_add(result->still_open, finding);
	}
}

/* The image is scanned as it will be published, and before it is. */
static gboolean
prove(Fix *self, GError **error)
{
	CamFixResult *result = self->result;

	result->after = scan(self, result->image, error);
	if (result->after == NULL)
		return FALSE;
	for (guint i = 0; i < result->plan->fixes->len; i++)
		add_still_open(result, result->plan->fixes->pdata[i]);
	return TRUE;
}

/* What the plan becomes when it is carried out: without running scripts, packages are left out. */
static gboolean
predict(Fix *self, GError **error)
{
	CamFixPlan *plan = self->result->plan;
	const char *const *diff_ids = (const char *const *) self->image->diff_ids;
	g_autoptr(GPtrArray) debs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(CamLayerTar) tar = NULL;
	gint64 epoch;

	self->rootfs = cam_store_open_rootfs(self->store, diff_ids, self->cancellable, error);
	if (self->rootfs == NULL || !warn_of_options(self, error))
		return FALSE;
	if (plan->packages->len == 0)
		return TRUE;
	self->manager = choose_manager(self->rootfs, self->options->method, error);
	if (self->manager == NULL)
		return FALSE;
	if (self->manager != &cam_package_manager_graft)
		return TRUE;
	if (!download(self, debs, &epoch, error))
		return FALSE;
	tar = cam_layer_tar_new(self->rootfs, NULL, NULL, epoch);
	return self->manager->apply(self->store, self->image, plan,
				    (const char *const *) debs->pdata, &self->options->limits, tar,
				    self->progress, self->cancellable, error);
}

static gboolean
leave_unchanged(Fix *self, GError **error)
{
	self->result->unchanged = TRUE;
	self->result->image = cam_store_get_image(self->store, self->image->name, error);
	return self->result->image != NULL;
}

static gboolean
run(Fix *self, GError **error)
{
	CamFixResult *result = self->result;
	g_autoptr(CamFixedLayer) layer = NULL;

	result->before = scan(self, self->image, error);
	if (result->before == NULL)
		return FALSE;
	result->plan = cam_fix_plan_new(self->store, self->engine, self->repository, self->image,
					result->before, &self->options->plan, self->progress,
					self->cancellable, error);
	if (result->plan == NULL)
		return FALSE;
	if (self->options->dry_run)
		return predict(self, error);
	if (result->plan->packages->len == 0)
		return leave_unchanged(self, error);
	if (!apply(self, &layer, error))
		return FALSE;
	if (layer == NULL)
		return leave_unchanged(self, error);
	if (!build_image(self, layer, error) || !prove(self, error))
		return FALSE;
	/* What does not heal gets no name, nor what must be explained and is not: gc will take it.
	 */
	if (result->still_open->len > 0 ||
	    (self->options->refuse_unexplained && result->unexplained->len > 0))
		return TRUE;
	return cam_fix_publish(self->store, self->image, result->image, self->options,
			       &result->written_to, self->progress, self->cancellable, error);
}

CamFixResult *
cam_fix_image(CamStore *store, CamScanEngine *engine, CamAptRepository *repository,
	      const CamImage *image, const CamFixOptions *options, CamProgress *progress,
	      GCancellable *cancellable, GError **error)
{
	g_autoptr(CamFixResult) result = g_new0(CamFixResult, 1);
	g_autofree char *unique = g_uuid_string_random();
	g_autofree char *lease = g_strconcat("fix-", unique, NULL);
	Fix self = { .store = store,
		     .engine = engine,
		     .repository = repository,
		     .image = image,
		     .options = options,
		     .progress = progress,
		     .cancellable = cancellable,
		     .lease = lease,
		     .result = result };
	gboolean ok;

	result->still_open = g_ptr_array_new();
	result->unexplained = g_ptr_array_new_with_free_func((GDestroyNotify) cam_layer_doubt_free);
	ok = run(&self, error);
	g_clear_object(&self.rootfs);
	g_clear_pointer(&self.times, cam_lower_times_free);
	/* It expires by itself where it cannot be removed. */
	cam_store_remove_lease(store, lease, NULL);
	return ok ? g_steal_pointer(&result) : NULL;
}
