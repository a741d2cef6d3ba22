/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Verdicts for tests. */
#include "plugin/daemon/verdict.h"

static inline CamFinding *
sample_finding(const char *id, const char *source, const char *fixed, CamSeverity severity)
{
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->id = g_strdup(id);
	finding->source_package = g_strdup(source);
	finding->package = g_strconcat("lib", source, NULL);
	finding->installed_version = g_strdup("1.0-1");
	finding->fixed_version = g_strdup(fixed);
	finding->severity = severity;
	finding->aliases = g_new0(char *, 1);
	finding->references = g_new0(char *, 1);
	return finding;
}

/* Of the image @name in the namespace k8s.io; its digests are made from @number. */
static inline CamVerdict *
sample_verdict(const char *name, int number)
{
	CamVerdict *verdict = cam_verdict_new();

	verdict->name_space = g_strdup("k8s.io");
	verdict->name = g_strdup(name);
	verdict->target = g_strdup_printf("sha256:%064d", number);
	verdict->manifest_digest = g_strdup_printf("sha256:%064d", number + 1000);
	verdict->config_digest = g_strdup_printf("sha256:%064d", number + 2000);
	verdict->chain_id = g_strdup_printf("sha256:%064d", number + 3000);
	return verdict;
}

/* A scan that found something @level, and things below that. */
static inline void
sample_scan(CamVerdict *verdict, CamSeverity level)
{
	g_autoptr(CamScanResult) result = cam_scan_result_new();

	result->risk = level;
	if (level > CAM_SEVERITY_NONE) {
		g_ptr_array_add(result->findings,
				sample_finding("CVE-2026-1", "ssl", "1.0-2", level));
		g_ptr_array_add(result->findings,
				sample_finding("CVE-2026-2", "ssl", "1.0-3", level));
		g_ptr_array_add(result->findings,
				sample_finding("CVE-2026-3", "xml", NULL, CAM_SEVERITY_LOW));
		result->counts[level] += 2;
		result->counts[CAM_SEVERITY_LOW]++;
	}
	cam_verdict_set_result(verdict, result, "db-1");
}
