/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The forensic comparison of two images: puts together what the parts beside this file find out of
 * packages, findings and paths.
 */
#include "rebuild/diff/image-diff.h"

#include "rebuild/diff/attribution.h"
#include "rebuild/diff/finding-diff.h"

static GPtrArray *
new_findings(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify) cam_finding_free);
}

void
cam_image_diff_free(CamImageDiff *self)
{
	g_free(self->before);
	g_free(self->after);
	g_free(self->before_digest);
	g_free(self->after_digest);
	g_clear_pointer(&self->packages, g_ptr_array_unref);
	g_clear_pointer(&self->closed, g_ptr_array_unref);
	g_clear_pointer(&self->remaining, g_ptr_array_unref);
	g_clear_pointer(&self->introduced, g_ptr_array_unref);
	g_clear_pointer(&self->paths, g_ptr_array_unref);
	g_free(self);
}

static CamImageDiff *
image_diff_new(const CamImage *before, const CamImage *after)
{
	CamImageDiff *self = g_new0(CamImageDiff, 1);

	self->before = g_strdup(before->name);
	self->after = g_strdup(after->name);
	self->before_digest = g_strdup(before->manifest->digest);
	self->after_digest = g_strdup(after->manifest->digest);
	self->closed = new_findings();
	self->remaining = new_findings();
	self->introduced = new_findings();
	return self;
}

static gboolean
diff_scans(CamImageDiff *self, CamScanEngine *engine, const CamImage *before, const CamImage *after,
	   CamProgress *progress, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamScanResult) old =
		cam_scan_engine_scan(engine, before, NULL, progress, cancellable, error);
	g_autoptr(CamScanResult) new = NULL;

	if (old == NULL)
		return FALSE;
	new = cam_scan_engine_scan(engine, after, NULL, progress, cancellable, error);
	if (new == NULL)
		return FALSE;
	self->packages = cam_diff_packages(old->packages, new->packages);
	cam_diff_findings(old->findings, new->findings, self->closed, self->remaining,
			  self->introduced);
	return TRUE;
}

static gboolean
diff_paths(CamImageDiff *self, CamStore *store, const CamImage *before, const CamImage *after,
	   CamProgress *progress, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamRootfs) old = cam_store_open_rootfs(
		store, (const char *const *) before->diff_ids, cancellable, error);
	g_autoptr(CamRootfs) new = NULL;
	CamTreeDiffCounts counts;
	gboolean done;
	guint phase;

	if (old == NULL)
		return FALSE;
	new = cam_store_open_rootfs(store, (const char *const *) after->diff_ids, cancellable,
				    error);
	if (new == NULL)
		return FALSE;
	phase = cam_progress_begin(progress, "comparing files", 0, CAM_PROGRESS_ITEMS);
	self->paths = cam_diff_trees(old, new, &counts, cancellable, error);
	cam_progress_end(progress, phase);
	if (self->paths == NULL)
		return FALSE;
	self->trees_compared = counts.compared;
	self->trees_skipped = counts.skipped;
	phase = cam_progress_begin(progress, "checking what packages explain", 0,
				   CAM_PROGRESS_ITEMS);
	done = cam_attribute_paths(self->paths, self->packages, old, new, &self->unexplained,
				   cancellable, error);
	cam_progress_end(progress, phase);
	return done;
}

CamImageDiff *
cam_image_diff_new(CamStore *store, CamScanEngine *engine, const CamImage *before,
		   const CamImage *after, CamProgress *progress, GCancellable *cancellable,
		   GError **error)
{
	g_autoptr(CamImageDiff) self = image_diff_new(before, after);

	if (!diff_scans(self, engine, before, after, progress, cancellable, error) ||
	    !diff_paths(self, store, before, after, progress, cancellable, error)) {
		cam_error_translate(error, "cannot compare %s with %s", before->name, after->name);
		return NULL;
	}
	return g_steal_pointer(&self);
}
