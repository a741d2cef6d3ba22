/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the way from an image to a plan: the image's package database and the repositories of its
 * release go into a solver, a selection decides what shall move. A repository that cannot be used
 * is told and passed over; without any there is no plan.
 */
#include <string.h>

#include "rebuild/plan/plan-selection.h"
#include "rebuild/plan/preferences.h"

#define STATUS_MAX_SIZE (256 * 1024 * 1024)

typedef struct {
	CamRootfs *rootfs;
	CamAptRepository *repository;
	const CamScanResult *scan;
	CamFixPlan *plan;
	CamSolver *solver;
	char *architecture;
	char **foreign;
	GArray *repositories; /* (element-type CamPlanRepository) */
	GHashTable *excluded; /* (element-type utf8) */
	GString *failures;    /* why repositories could not be used */
	CamProgress *progress;
	GCancellable *cancellable;
} Planner;

static void
planner_clear(Planner *self)
{
	g_clear_object(&self->rootfs);
	g_clear_pointer(&self->solver, cam_solver_free);
	g_clear_pointer(&self->architecture, g_free);
	g_clear_pointer(&self->foreign, g_strfreev);
	g_clear_pointer(&self->repositories, g_array_unref);
	g_clear_pointer(&self->excluded, g_hash_table_unref);
	if (self->failures)
		g_string_free(self->failures, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Planner, planner_clear)

/* ---- architecture ---- */

static gboolean
is_architecture(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!g_ascii_isalnum(*p) && *p != '-')
			return FALSE;
	return *text != '\0';
}

/* The packages that only exist in the architecture of the system, most telling first. */
static gint
weight_of(const CamPackage *package)
{
	static const char *const telling[] = { "dpkg", "base-files", "libc6", "libc-bin" };

	for (guint i = 0; i < G_N_ELEMENTS(telling); i++)
		if (g_str_equal(package->name, telling[i]))
			return 1 << (24 - 2 * (int) i);
	return 1;
}

/* The image's configuration may lie about its platform; its packages cannot. */
static void
find_architectures(Planner *self)
{
	g_autoptr(GHashTable) weights = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GStrvBuilder) foreign = g_strv_builder_new();
	const char *best = NULL;
	gint best_weight = 0;

	for (guint i = 0; i < self->scan->packages->len; i++) {
		const CamPackage *package = g_ptr_array_index(self->scan->packages, i);
		const char *architecture = package->architecture;

		if (package->type != CAM_PACKAGE_DEB || !architecture ||
		    g_str_equal(architecture, "all") || !is_architecture(architecture))
			continue;

		gint weight = GPOINTER_TO_INT(g_hash_table_lookup(weights, architecture)) +
			      weight_of(package);

		g_hash_table_insert(weights, (gpointer) architecture, GINT_TO_POINTER(weight));
		if (weight > best_weight) {
			best = architecture;
			best_weight = weight;
		}
	}
	self->architecture = g_strdup(best ? best : "all");

	g_autoptr(GList) names =
		g_list_sort(g_hash_table_get_keys(weights), (GCompareFunc) g_strcmp0);

	for (GList *l = names; l; l = l->next)
		if (!g_str_equal(l->data, self->architecture))
			g_strv_builder_add(foreign, l->data);
	self->foreign = g_strv_builder_end(foreign);
}

/* ---- what is installed ---- */

static gboolean
load_installed(Planner *self, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	gboolean complete = FALSE;

	for (guint i = 0; i < self->scan->packages->len; i++) {
		const CamPackage *package = g_ptr_array_index(self->scan->packages, i);

		if (package->type != CAM_PACKAGE_DEB || !package->path ||
		    !g_hash_table_add(seen, package->path))
			continue;

		g_autoptr(GBytes) status =
			cam_rootfs_read(self->rootfs, package->path, STATUS_MAX_SIZE, error);

		if (!status ||
		    !cam_solver_add_installed(self->solver, status, package->path, error))
			return FALSE;
		complete = complete || !strstr(package->path, "/status.d/");
	}
	/* status.d: put together without a package manager, and not closed under dependencies */
	if (!complete)
		cam_solver_set_lenient(self->solver);
	if (cam_solver_get_installed(self->solver)->len == 0)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "the image has no package database that can be fixed (dpkg)");
	return TRUE;
}

/* ---- what is offered ---- */

/* Tells of a repository that cannot be used. FALSE, with @error, if the user cancelled. */
static gboolean
pass_over(Planner *self, const CamAptSource *source, GError *reason, GError **error)
{
	if (g_error_matches(reason, CAM_ERROR, CAM_ERROR_CANCELLED)) {
		g_propagate_error(error, reason);
		return FALSE;
	}

	g_autofree char *uri = cam_plan_public_uri(source);
	g_autofree char *what = g_strdup_printf("%s %s", uri, source->suite);

	g_ptr_array_add(self->plan->warnings, g_strdup_printf("the repository %s is not used: %s",
							      what, reason->message));
	g_string_append_printf(self->failures, "%s%s: %s", self->failures->len ? "; " : "", what,
			       reason->message);
	g_error_free(reason);
	return TRUE;
}

static gboolean
has_suffix_of(const char *suite, const char *const *suffixes)
{
	for (guint i = 0; suite && suffixes[i]; i++)
		if (g_str_has_suffix(suite, suffixes[i]))
			return TRUE;
	return FALSE;
}

/* As the Release files of these suites pin them. */
static int
pin_of(const CamAptRelease *release)
{
	static const char *const but_automatic[] = { "-backports", "-backports-sloppy",
						     "-proposed-updates", NULL };
	static const char *const never[] = { "experimental", "rc-buggy", NULL };

	if (has_suffix_of(release->suite, never))
		return CAM_SOLVER_PIN_NOT_AUTOMATIC;
	if (has_suffix_of(release->suite, but_automatic) ||
	    has_suffix_of(release->source->suite, but_automatic))
		return CAM_SOLVER_PIN_BUT_AUTOMATIC;
	return CAM_SOLVER_PIN_NORMAL;
}

static gboolean
load_component(Planner *self, const CamAptSource *source, const CamAptRelease *release,
	       const char *component, const char *architecture, GError **error)
{
	CamPlanRepository entry = { source, cam_apt_source_is_security(source) };
	g_autofree char *path =
		cam_apt_repository_get_packages(self->repository, release, component, architecture,
						self->progress, self->cancellable, error);
	int number;

	if (!path)
		return FALSE;

	g_autoptr(GError) local = NULL;
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &local);

	if (!file) {
		g_propagate_error(error, g_steal_pointer(&local));
		return cam_error_translate(error, "cannot read %s", path);
	}

	g_autoptr(GBytes) packages = g_mapped_file_get_bytes(file);

	if (!cam_solver_add_repository(self->solver, packages, path, pin_of(release),
				       self->excluded, &number, error))
		return FALSE;
	g_array_append_val(self->repositories, entry);
	return TRUE;
}

/* One Packages file for each component and architecture; a flat repository has a single one. */
static gboolean
load_release(Planner *self, const CamAptSource *source, const CamAptRelease *release,
	     const char *architecture, GError **error)
{
	guint n = source->components ? g_strv_length(source->components) : 0;

	for (guint i = 0; i < MAX(n, 1); i++) {
		GError *local = NULL;

		if (!load_component(self, source, release, n ? source->components[i] : NULL,
				    architecture, &local) &&
		    !pass_over(self, source, local, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
load_source(Planner *self, const CamAptSource *source, GError **error)
{
	GError *local = NULL;
	CamAptRelease *release = cam_apt_repository_update(self->repository, source, self->progress,
							   self->cancellable, &local);

	if (!release)
		return pass_over(self, source, local, error);
	g_ptr_array_add(self->plan->releases, release);
	if (release->behind)
		g_ptr_array_add(self->plan->warnings, g_strdup(release->behind));
	self->plan->epoch = MAX(self->plan->epoch, release->date);
	if (!load_release(self, source, release, self->architecture, error))
		return FALSE;
	for (guint i = 0; self->foreign[i]; i++)
		if (!load_release(self, source, release, self->foreign[i], error))
			return FALSE;
	return TRUE;
}

static gboolean
load_repositories(Planner *self, GError **error)
{
	GPtrArray *sources = self->plan->sources;
	guint phase = cam_progress_begin(self->progress, "reading repositories", sources->len,
					 CAM_PROGRESS_ITEMS);
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < sources->len; i++) {
		ok = load_source(self, g_ptr_array_index(sources, i), error);
		cam_progress_advance(self->progress, phase, 1);
	}
	cam_progress_end(self->progress, phase);
	if (!ok)
		return FALSE;
	if (self->repositories->len > 0)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_UNAVAILABLE,
			     "no package repository can be used (%s): check the network and the "
			     "apt sources, or name another repository",
			     self->failures->str);
}

/* ---- all of it ---- */

static gboolean
load(Planner *self, CamStore *store, const CamImage *image, GError **error)
{
	self->rootfs = cam_store_open_rootfs(store, (const char *const *) image->diff_ids,
					     self->cancellable, error);
	if (!self->rootfs)
		return FALSE;
	find_architectures(self);
	self->solver =
		cam_solver_new(self->architecture, (const char *const *) self->foreign, error);
	return self->solver && load_installed(self, error) &&
	       cam_preferences_read(self->rootfs, self->excluded, self->plan->warnings, error) &&
	       load_repositories(self, error);
}

CamFixPlan *
cam_fix_plan_new(CamStore *store, CamScanEngine *engine, CamAptRepository *repository,
		 const CamImage *image, const CamScanResult *scan, const CamPlanOptions *options,
		 CamProgress *progress, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamFixPlan) plan = cam_fix_plan_new_empty();
	g_auto(Planner) planner = {
		.repository = repository,
		.scan = scan,
		.plan = plan,
		.repositories = g_array_new(FALSE, FALSE, sizeof(CamPlanRepository)),
		.excluded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.failures = g_string_new(NULL),
		.progress = progress,
		.cancellable = cancellable,
	};

	g_return_val_if_fail(options->sources, NULL);
	for (guint i = 0; i < options->sources->len; i++)
		g_ptr_array_add(plan->sources,
				cam_apt_source_copy(g_ptr_array_index(options->sources, i)));
	plan->ecosystem = scan->os ? g_strdup(scan->os->ecosystem) : NULL;
	if (!load(&planner, store, image, error))
		return NULL;

	g_autoptr(CamPlanSelection) selection = cam_plan_selection_new(
		planner.solver, planner.repositories, scan->findings, options, error);

	if (!selection || !cam_plan_selection_run(selection, plan, error))
		return NULL;
	return g_steal_pointer(&plan);
}
