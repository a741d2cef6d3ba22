/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Verdicts for tests. */
#include <string.h>

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

/* Of a source package of the name and one binary package. */
static inline CamUnjudged *
sample_unjudged(const char *name, const char *origin, const char *reason)
{
	CamUnjudged *unjudged = cam_unjudged_new(name, "1.0-1", reason);

	cam_unjudged_add_package(unjudged, name, origin);
	return unjudged;
}

/* A result of three packages of Debian 12, all judged. */
static inline CamScanResult *
sample_result(void)
{
	static const char os[] = "ID=debian\nVERSION_ID=12\n";
	CamScanResult *result = cam_scan_result_new();

	result->os = cam_os_release_parse(os, strlen(os));
	for (guint i = 0; i < 3; i++)
		g_ptr_array_add(result->packages, cam_package_new(CAM_PACKAGE_DEB, "p", "1"));
	result->tally.fixes_judged = result->tally.unfixed_judged = TRUE;
	return result;
}

static inline void
sample_count(CamScanResult *result, CamFinding *finding)
{
	guint *counts =
		finding->fixed_version != NULL ? result->tally.pending : result->tally.unfixed;

	counts[finding->severity]++;
	result->counts[finding->severity]++;
	g_ptr_array_add(result->findings, finding);
}

/* A scan that found something @level, and things below that; UNKNOWN: one package is not judged. */
static inline void
sample_scan(CamVerdict *verdict, CamSeverity level)
{
	g_autoptr(CamScanResult) result = sample_result();

	result->risk = level;
	if (level == CAM_SEVERITY_UNKNOWN) {
		g_ptr_array_add(result->unjudged,
				sample_unjudged("docker", "Docker", "not looked up"));
		result->n_unjudged = 1;
		result->tally.fixes_judged = FALSE;
	}
	if (level > CAM_SEVERITY_NONE) {
		sample_count(result, sample_finding("CVE-2026-1", "ssl", "1.0-2", level));
		sample_count(result, sample_finding("CVE-2026-2", "ssl", "1.0-3", level));
		sample_count(result, sample_finding("CVE-2026-3", "xml", NULL, CAM_SEVERITY_LOW));
	}
	cam_verdict_set_result(verdict, result, "db-1");
}
