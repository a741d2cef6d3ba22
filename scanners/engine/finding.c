/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One finding as a value: its names in reports and its order. Findings are made by the matcher and
 * by the engine.
 */
#include "scanners/engine/finding.h"

#include "scanners/engine/risk.h"

const char *
cam_finding_kind_name(CamFindingKind kind)
{
	static const char *const names[] = {
		[CAM_FINDING_VULNERABILITY] = "vulnerability",
		[CAM_FINDING_SECURITY_UPDATE] = "security-update",
		[CAM_FINDING_END_OF_LIFE] = "end-of-life",
	};

	return names[kind];
}

const char *
cam_finding_state_name(CamFindingState state)
{
	static const char *const names[] = {
		[CAM_STATE_FIXED] = "fixed",
		[CAM_STATE_NOT_FIXED] = "not-fixed",
		[CAM_STATE_FIXED_IN_PRO] = "fixed-in-ubuntu-pro",
		[CAM_STATE_END_OF_LIFE] = "end-of-life",
	};

	return names[state];
}

CamFinding *
cam_finding_copy(const CamFinding *self)
{
	CamFinding *copy = g_memdup2(self, sizeof(*self));

	copy->id = g_strdup(self->id);
	copy->aliases = g_strdupv(self->aliases);
	copy->title = g_strdup(self->title);
	copy->package = g_strdup(self->package);
	copy->source_package = g_strdup(self->source_package);
	copy->installed_version = g_strdup(self->installed_version);
	copy->architecture = g_strdup(self->architecture);
	copy->fixed_version = g_strdup(self->fixed_version);
	copy->references = g_strdupv(self->references);
	copy->source = g_strdup(self->source);
	copy->suggestion = g_strdup(self->suggestion);
	return copy;
}

void
cam_finding_free(CamFinding *self)
{
	g_free(self->id);
	g_strfreev(self->aliases);
	g_free(self->title);
	g_free(self->package);
	g_free(self->source_package);
	g_free(self->installed_version);
	g_free(self->architecture);
	g_free(self->fixed_version);
	g_strfreev(self->references);
	g_free(self->source);
	g_free(self->suggestion);
	g_free(self);
}

int
cam_finding_compare(const CamFinding *a, const CamFinding *b, CamSeverity unknown_counts_as)
{
	int order = cam_severity_rank(b->severity, unknown_counts_as) -
		    cam_severity_rank(a->severity, unknown_counts_as);

	if (order == 0)
		order = (int) b->kind - (int) a->kind; /* the end of life explains the rest */
	if (order == 0)
		order = g_strcmp0(a->package, b->package);
	if (order == 0)
		order = g_strcmp0(a->architecture, b->architecture);
	return order != 0 ? order : g_strcmp0(a->id, b->id);
}
