/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the package manager "dpkg": the image's own dpkg, in a sandbox, on a writable view of the
 * image's tree; what differs afterwards is the layer.
 */
#include "rebuild/pkgmgr/dpkg-run.h"
#include "rebuild/pkgmgr/pkgmgr.h"
#include "rebuild/pkgmgr/upper-diff.h"
#include "rebuild/pkgmgr/workspace.h"
#include "rebuild/sandbox/sandbox.h"

static gboolean
has_file(CamRootfs *rootfs, const char *path)
{
	CamEntry entry;

	return cam_rootfs_lookup(rootfs, path, TRUE, NULL, &entry, NULL) && !entry.is_directory;
}

static gboolean
dpkg_probe(CamRootfs *rootfs, char **reason)
{
	if (!has_file(rootfs, "usr/bin/dpkg") || !has_file(rootfs, "var/lib/dpkg/status")) {
		if (reason)
			*reason = g_strdup("the image has no dpkg");
		return FALSE;
	}
	return cam_sandbox_probe(reason);
}

static gboolean
dpkg_apply(CamStore *store, const CamImage *image, CamFixPlan *plan, const char *const *debs,
	   const CamSandboxLimits *limits, CamLayerTar *tar, CamProgress *progress,
	   GCancellable *cancellable, GError **error)
{
	static const char *const made[] = { CAM_DPKG_POLICY, NULL };
	CamRootfs *lower = cam_layer_tar_get_lower(tar);
	g_autoptr(CamDpkgConfig) config = cam_dpkg_config_read(lower, error);
	g_autoptr(CamWorkspace) workspace =
		config ? cam_workspace_new(store, image, lower, cancellable, error) : NULL;

	if (!workspace)
		return FALSE;

	guint phase = cam_progress_begin(progress, "installing packages", plan->packages->len,
					 CAM_PROGRESS_ITEMS);
	gboolean ok = cam_dpkg_install(workspace, limits, plan->packages, debs, config, cancellable,
				       error);

	cam_progress_end(progress, phase);
	phase = cam_progress_begin(progress, "comparing trees", 0, CAM_PROGRESS_ITEMS);
	ok = ok && cam_upper_diff(workspace->upper, workspace->merged, lower, made, config->masks,
				  tar, cancellable, error);
	cam_progress_end(progress, phase);
	if (ok) /* contents are read when the tar is written */
		cam_layer_tar_keep(tar, g_steal_pointer(&workspace),
				   (GDestroyNotify) cam_workspace_free);
	return ok;
}

const CamPackageManager cam_package_manager_dpkg = {
	.name = "dpkg",
	.probe = dpkg_probe,
	.apply = dpkg_apply,
};
