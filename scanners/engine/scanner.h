/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"
#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

typedef enum {
	CAM_FINDING_VULNERABILITY, /* "vulnerability" */
	CAM_FINDING_END_OF_LIFE,   /* "end-of-life" */
} CamFindingKind;

typedef enum {
	CAM_STATE_FIXED,	/* "fixed": a fixed version exists */
	CAM_STATE_NOT_FIXED,	/* "not-fixed" */
	CAM_STATE_END_OF_LIFE,	/* "end-of-life": nobody will fix it */
} CamFindingState;

/**
 * CamFinding: one thing that is wrong with an image.
 */
typedef struct {
	CamFindingKind kind;
	char *id;	   /* the CVE where there is one, else the advisory's id */
	char **aliases;
	char *title;	   /* (nullable) */
	CamSeverity severity;
	double score;	   /* or -1 */
	char *package, *source_package, *installed_version, *architecture;
	char *fixed_version; /* (nullable) */
	CamFindingState state;
	int layer;	   /* index or -1 */
	char **references;
	char *source;	   /* advisory source's name */
	char *suggestion;  /* what to do, a sentence */
} CamFinding;
void cam_finding_free(CamFinding *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFinding, cam_finding_free)

typedef struct {
	char *diff_id;
	char *created_by; /* (nullable) */
} CamLayerLabel;

/**
 * CamScanResult: all that a report says about one image.
 */
typedef struct {
	char *reference, *digest, *platform;
	CamOsRelease *os;
	GPtrArray *layers;    /* (element-type CamLayerLabel) */
	GPtrArray *packages;  /* (element-type CamPackage) */
	GPtrArray *findings;  /* (element-type CamFinding): worst first, then package, then id */
	GPtrArray *databases; /* (element-type CamAdvisorySource) */
	GPtrArray *warnings;  /* (element-type utf8): "the release is past its end of life", … */
	CamSeverity risk;     /* NONE: no finding; UNKNOWN: could not be judged (no advisories for it) */
	guint counts[CAM_SEVERITY_CRITICAL + 1]; /* by severity */
	guint64 trees_visited, trees_remembered; /* what the memo did */
} CamScanResult;
void cam_scan_result_free(CamScanResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamScanResult, cam_scan_result_free)

typedef struct {
	CamSeverity unknown_counts_as; /* for the risk level; default MEDIUM */
	CamSeverity min_severity;      /* findings below are left out; UNKNOWN: none are */
	gboolean ignore_unfixed;
	const char *today;	       /* (nullable): ISO date instead of the clock's, for end of life */
} CamScanOptions;

/**
 * CamScanner:
 *
 * A kind of scanner: a constant table entry. Meson generates the array of all of them from the
 * list in scanners/meson.build, so adding one touches one new file and one line.
 *
 * The engine walks an image's tree once, skipping subtrees that it remembers. For every tree it
 * asks each scanner which of its entries interest it (by name alone: `wants`); what is found
 * is remembered per tree identity × scanner version.
 */
typedef struct {
	const char *name;
	guint version; /* raised whenever its results would differ */
	/* Whether the entry @name inside directory @parent (path from the root without leading "/", of the
	 * walk, links not followed) is of interest. Must depend on the arguments alone. */
	gboolean (*wants)(const char *parent, const char *name, gboolean is_directory);
	/* Reads what was wanted (@paths, full paths, sorted) and adds to @inventory. */
	gboolean (*scan)(CamRootfs *rootfs, const char *const *paths, CamInventory *inventory,
			 GError **error);
} CamScanner;

/**
 * CamScanEngine: scans images of one store; remembers in <store>/memo.db.
 */
#define CAM_TYPE_SCAN_ENGINE (cam_scan_engine_get_type())
G_DECLARE_FINAL_TYPE(CamScanEngine, cam_scan_engine, CAM, SCAN_ENGINE, GObject)

CamScanEngine *cam_scan_engine_new(CamStore *store, GError **error);
CamInventory *cam_scan_engine_get_inventory(CamScanEngine *self, const CamImage *image,
					    GCancellable *cancellable, GError **error);
CamScanResult *cam_scan_engine_scan(CamScanEngine *self, const CamImage *image,
				    const CamScanOptions *options, CamProgress *progress,
				    GCancellable *cancellable, GError **error);
/* The database that the engine matches against (transfer none). */
CamAdvisoryDb *cam_scan_engine_get_advisories(CamScanEngine *self);

G_END_DECLS
