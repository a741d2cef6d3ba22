/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CamUnjudged: a version of a source package of which no source says what fixes it, so that
 * "nothing found" means nothing.
 */
typedef struct {
	char *source_package, *source_version;
	GPtrArray *packages;	/* (element-type utf8): installed binary packages made of it */
	char *origin;		/* (nullable): who made them; of several makers: NULL */
	char *reason;		/* a phrase: "not looked up" */
	gint64 looked_at;	/* seconds since 1970; 0: never */
	char *accepted_by;	/* (nullable): the name of the acceptance that fits */
	char *accepted_because; /* (nullable): its reason */
	char *accepted_until;	/* (nullable): its last day */
} CamUnjudged;

CamUnjudged *
cam_unjudged_new(const char *source_package, const char *source_version, const char *reason);
void cam_unjudged_free(CamUnjudged *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamUnjudged, cam_unjudged_free)

/* @origin: (nullable) */
void cam_unjudged_add_package(CamUnjudged *self, const char *package, const char *origin);

/**
 * CamUnjudgedGroup: those that share a reason, because causes are what people can do something
 * about.
 */
typedef struct {
	const char *reason;
	GPtrArray *packages; /* (element-type utf8) (transfer none): names of binary packages */
} CamUnjudgedGroup;

/* @unjudged: (element-type CamUnjudged). Those that are not accepted, the largest group first.
 * (element-type CamUnjudgedGroup); @unjudged must outlive it */
GPtrArray *cam_unjudged_group(const GPtrArray *unjudged);

G_END_DECLS
