/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the package manager "graft": packages are exchanged by unpacking alone, for images that
 * have no package manager (distroless) and for users who are not root. Only upgrades of packages
 * whose scripts would change nothing; the others, and what needs them, are given up.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rebuild/pkgmgr/graft-package.h"
#include "rebuild/pkgmgr/pkgmgr.h"

/* All that must live until the tar was written. */
typedef struct {
	CamGraft graft;
	CamStore *store;
	char *name;	     /* of the scratch directory in the store's temporary directory */
	GPtrArray *packages; /* (element-type CamGraftPackage), as planned; NULL: given up */
} Work;

static void
work_free(Work *self)
{
	if (!self)
		return;
	g_ptr_array_unref(self->packages);
	g_clear_pointer(&self->graft.database, cam_dpkg_database_free);
	g_clear_pointer(&self->graft.config, cam_dpkg_config_free);
	g_clear_object(&self->graft.lower);
	cam_fd_close(self->graft.scratch);
	if (self->name) {
		int tmp = cam_store_get_tmp_dirfd(self->store, NULL, NULL);

		/* What cannot be removed now is swept with the store's temporary directory. */
		if (tmp >= 0)
			cam_remove_tree_at(tmp, self->name, NULL);
	}
	g_clear_object(&self->store);
	g_free(self->name);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Work, work_free)

static void
package_free_if(gpointer data)
{
	if (data)
		cam_graft_package_free(data);
}

static gboolean
make_scratch(Work *self, GError **error)
{
	int tmp = cam_store_get_tmp_dirfd(self->store, NULL, error);
	g_autofree char *name = g_strdup_printf("graft-%08x%08x", g_random_int(), g_random_int());

	if (tmp < 0)
		return FALSE;
	if (mkdirat(tmp, name, 0700) < 0)
		return cam_set_error_errno(error, errno, "cannot make a temporary directory");
	self->name = g_steal_pointer(&name);
	self->graft.scratch =
		openat(tmp, self->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return self->graft.scratch >= 0 ||
	       cam_set_error_errno(error, errno, "cannot open a temporary directory");
}

static Work *
work_new(CamStore *store, CamRootfs *lower, GCancellable *cancellable, GError **error)
{
	g_autoptr(Work) self = g_new0(Work, 1);

	self->packages = g_ptr_array_new_with_free_func(package_free_if);
	self->store = g_object_ref(store);
	self->graft.scratch = -1;
	self->graft.cancellable = cancellable;
	self->graft.lower = g_object_ref(lower);
	if (!make_scratch(self, error))
		return NULL;
	self->graft.database = cam_dpkg_database_read(lower, error);
	if (!self->graft.database)
		return NULL;
	self->graft.config = cam_dpkg_config_read(lower, error);
	return self->graft.config ? g_steal_pointer(&self) : NULL;
}

/* Unpacks every package; *@reasons has a text for those that cannot be done. */
static gboolean
prepare(Work *self, const CamFixPlan *plan, const char *const *debs, char **reasons,
	CamProgress *progress, GError **error)
{
	guint phase = cam_progress_begin(progress, "unpacking packages", plan->packages->len,
					 CAM_PROGRESS_ITEMS);
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < plan->packages->len; i++) {
		CamGraftPackage *package = cam_graft_package_new(
			&self->graft, plan->packages->pdata[i], debs[i], &reasons[i], error);

		ok = package || reasons[i];
		g_ptr_array_add(self->packages, package);
		cam_progress_advance(progress, phase, 1);
	}
	cam_progress_end(progress, phase);
	return ok;
}

static gint
find_planned(const CamFixPlan *plan, const char *key)
{
	for (guint i = 0; i < plan->packages->len; i++) {
		const CamPlannedPackage *package = plan->packages->pdata[i];
		g_autofree char *own =
			g_strdup_printf("%s:%s", package->name, package->architecture);

		if (g_str_equal(own, key))
			return (gint) i;
	}
	return -1;
}

/* What needs a package that is not done is not done either, until nothing changes. */
static void
spread(const CamFixPlan *plan, char **reasons)
{
	gboolean again = TRUE;

	while (again) {
		again = FALSE;
		for (guint i = 0; i < plan->packages->len; i++) {
			const CamPlannedPackage *package = plan->packages->pdata[i];

			for (guint j = 0; !reasons[i] && package->needs && package->needs[j]; j++) {
				gint other = find_planned(plan, package->needs[j]);

				if (other < 0 || !reasons[other])
					continue;
				reasons[i] =
					g_strdup_printf("it needs %s, which cannot be done: %s",
							package->needs[j], reasons[other]);
				again = TRUE;
			}
		}
	}
}

static gboolean
commit(Work *self, CamFixPlan *plan, char **reasons, CamLayerTar *tar, GError **error)
{
	for (guint i = 0; i < plan->packages->len; i++)
		if (!reasons[i] && !cam_graft_package_commit(self->packages->pdata[i], tar, error))
			return FALSE;
	return cam_dpkg_database_emit(self->graft.database, tar, plan->epoch, error);
}

static void
give_up(CamFixPlan *plan, char **reasons)
{
	for (guint i = plan->packages->len; i-- > 0;) {
		const CamPlannedPackage *package = plan->packages->pdata[i];

		if (!reasons[i])
			continue;

		g_autofree char *reason = g_strdup_printf(
			"cannot be done without running the image's package manager: "
			"%s %s: %s",
			package->name, package->to, reasons[i]);

		cam_fix_plan_give_up(plan, i, CAM_OPEN_METHOD, reason);
	}
}

static gboolean
graft_probe(CamRootfs *rootfs, char **reason)
{
	static const char *const databases[] = { "var/lib/dpkg/status", "var/lib/dpkg/status.d" };
	CamEntry entry;

	for (gsize i = 0; i < G_N_ELEMENTS(databases); i++)
		if (cam_rootfs_lookup(rootfs, databases[i], TRUE, NULL, &entry, NULL))
			return TRUE;
	if (reason)
		*reason = g_strdup("the image has no dpkg database");
	return FALSE;
}

static gboolean
graft_apply(CamStore *store, const CamImage *image, CamFixPlan *plan, const char *const *debs,
	    const CamSandboxLimits *limits, CamLayerTar *tar, CamProgress *progress,
	    GCancellable *cancellable, GError **error)
{
	g_autoptr(Work) work = work_new(store, cam_layer_tar_get_lower(tar), cancellable, error);
	guint n = plan->packages->len;

	if (!work)
		return FALSE;

	g_autofree char **list = g_new0(char *, n + 1);
	gboolean ok = prepare(work, plan, debs, list, progress, error);

	if (ok) {
		spread(plan, list);
		ok = commit(work, plan, list, tar, error);
	}
	if (ok) {
		give_up(plan, list);
		/* contents are read when the tar is written; packages point into the plan no more
		 */
		cam_layer_tar_keep(tar, g_steal_pointer(&work), (GDestroyNotify) work_free);
	}
	for (guint i = 0; i < n; i++)
		g_free(list[i]);
	return ok;
}

const CamPackageManager cam_package_manager_graft = {
	.name = "graft",
	.probe = graft_probe,
	.apply = graft_apply,
};
