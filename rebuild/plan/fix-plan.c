/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the plan as a value: making, giving up and freeing its parts. How it comes about is in
 * planner.c, how it is shown in plan-report.c.
 */
#include "rebuild/plan/fix-plan.h"

void
cam_planned_package_free(CamPlannedPackage *self)
{
	if (!self)
		return;
	g_free(self->name);
	g_free(self->architecture);
	g_free(self->source_name);
	g_free(self->from);
	g_free(self->to);
	g_free(self->filename);
	g_free(self->sha256);
	g_strfreev(self->closes);
	g_strfreev(self->needs);
	g_free(self->reason);
	g_free(self);
}

void
cam_unfixable_free(CamUnfixable *self)
{
	if (!self)
		return;
	cam_finding_free(self->finding);
	g_free(self->reason);
	g_free(self);
}

static CamFinding *
copy_finding(const CamFinding *finding)
{
	CamFinding *copy = g_new(CamFinding, 1);

	*copy = *finding;
	copy->id = g_strdup(finding->id);
	copy->aliases = g_strdupv(finding->aliases);
	copy->title = g_strdup(finding->title);
	copy->package = g_strdup(finding->package);
	copy->source_package = g_strdup(finding->source_package);
	copy->installed_version = g_strdup(finding->installed_version);
	copy->architecture = g_strdup(finding->architecture);
	copy->fixed_version = g_strdup(finding->fixed_version);
	copy->references = g_strdupv(finding->references);
	copy->source = g_strdup(finding->source);
	copy->suggestion = g_strdup(finding->suggestion);
	return copy;
}

static const struct {
	const char *name, *description;
} causes[CAM_N_OPEN_CAUSES] = {
	[CAM_OPEN_NO_FIX] = { "no-fix", "no fixed version exists yet" },
	[CAM_OPEN_PAID] = { "paid", "the fixed version is in Ubuntu Pro only" },
	[CAM_OPEN_NOT_OFFERED] = { "not-offered", "no fixed version in the repositories" },
	[CAM_OPEN_OTHER_ORIGIN] = { "other-origin", "no repository offers the package" },
	[CAM_OPEN_END_OF_LIFE] = { "end-of-life", "the release gets no fixes any more" },
	[CAM_OPEN_NOT_OURS] = { "not-fixed-here", "not in the package database that is fixed" },
	[CAM_OPEN_HELD] = { "held", "the image holds the package back" },
	[CAM_OPEN_DEPENDENCIES] = { "dependencies", "what the fixed version needs cannot be met" },
	[CAM_OPEN_METHOD] = { "method", "cannot be done without running the image's package "
					"manager" },
};

const char *
cam_open_cause_name(CamOpenCause cause)
{
	return causes[cause].name;
}

const char *
cam_open_cause_describe(CamOpenCause cause)
{
	return causes[cause].description;
}

guint
cam_fix_plan_count_available(const CamFixPlan *self)
{
	guint n = 0;

	for (guint i = 0; i < self->unfixable->len; i++)
		n += cam_open_cause_is_available(
			((const CamUnfixable *) self->unfixable->pdata[i])->cause);
	return n;
}

CamUnfixable *
cam_unfixable_new(const CamFinding *finding, CamOpenCause cause, const char *reason)
{
	CamUnfixable *self = g_new0(CamUnfixable, 1);

	self->finding = copy_finding(finding);
	self->cause = cause;
	self->reason = g_strdup(reason);
	return self;
}

void
cam_fix_plan_add_fix(CamFixPlan *self, const CamFinding *finding)
{
	g_ptr_array_add(self->fixes, copy_finding(finding));
}

CamFixPlan *
cam_fix_plan_new_empty(void)
{
	CamFixPlan *self = g_new0(CamFixPlan, 1);

	self->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_planned_package_free);
	self->fixes = g_ptr_array_new_with_free_func((GDestroyNotify) cam_finding_free);
	self->unfixable = g_ptr_array_new_with_free_func((GDestroyNotify) cam_unfixable_free);
	self->releases = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_release_free);
	self->sources = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	self->warnings = g_ptr_array_new_with_free_func(g_free);
	return self;
}

void
cam_fix_plan_free(CamFixPlan *self)
{
	if (!self)
		return;
	g_free(self->ecosystem);
	g_ptr_array_unref(self->packages);
	g_ptr_array_unref(self->fixes);
	g_ptr_array_unref(self->unfixable);
	g_ptr_array_unref(self->releases);
	g_ptr_array_unref(self->sources);
	g_ptr_array_unref(self->warnings);
	g_free(self);
}

/* Whether the plan no longer closes @finding without package @given_up. */
static gboolean
is_lost(const CamPlannedPackage *given_up, const CamFinding *finding)
{
	return g_strv_contains((const char *const *) given_up->closes, finding->id) &&
	       (g_strcmp0(finding->package, given_up->name) == 0 ||
		g_strcmp0(finding->source_package, given_up->source_name) == 0);
}

void
cam_fix_plan_give_up(CamFixPlan *self, guint index, CamOpenCause cause, const char *reason)
{
	g_return_if_fail(index < self->packages->len);

	CamPlannedPackage *package = g_ptr_array_steal_index(self->packages, index);

	self->download_size -= (guint64) package->size;
	self->given_up++;
	for (guint i = self->fixes->len; i-- > 0;) {
		if (!is_lost(package, g_ptr_array_index(self->fixes, i)))
			continue;

		CamUnfixable *unfixable = g_new0(CamUnfixable, 1);

		unfixable->finding = g_ptr_array_steal_index(self->fixes, i);
		unfixable->cause = cause;
		unfixable->reason = g_strdup(reason);
		g_ptr_array_add(self->unfixable, unfixable);
	}
	cam_planned_package_free(package);
}

char *
cam_plan_public_uri(const CamAptSource *source)
{
	g_autoptr(GUri) uri = g_uri_parse(source->uri, G_URI_FLAGS_NONE, NULL);

	return uri ? g_uri_to_string_partial(uri, G_URI_HIDE_USERINFO) : g_strdup(source->uri);
}
