/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CamOsRelease: os-release(5) of an image, and what Cambium knows of the release.
 *
 * Strings are valid UTF-8. A derivative that names the release of the distribution that it is
 * built from (ID_LIKE with a codename that the table of releases has) gets that one's ecosystem and
 * dates, and says so in @based_on.
 */
typedef struct {
	char *id;	   /* "debian"; "linux" where there is no os-release */
	char *version_id;  /* (nullable) "12" */
	char *codename;	   /* (nullable) "bookworm" */
	char *pretty_name; /* (nullable) */
	char *ecosystem;   /* (nullable): OSV's name, "Debian:12" */
	char *based_on;	   /* (nullable): "Debian 12" of a derivative */
	char *end_of_life; /* (nullable): "2026-06-10": end of security support */
	char *end_of_lts;  /* (nullable) */
	char *id_like;	   /* (nullable): only while it is made */
} CamOsRelease;

typedef enum {
	CAM_SUPPORT_UNKNOWN,	 /* the release is not in the table */
	CAM_SUPPORT_FULL,	 /* security support by the distribution */
	CAM_SUPPORT_LTS,	 /* by its long-term support team */
	CAM_SUPPORT_END_OF_LIFE, /* by nobody */
} CamSupport;

/* Never fails: what is not understood is left out. @size bytes; no NUL needed. */
CamOsRelease *cam_os_release_parse(const char *data, gsize size);
/*
 * What os-release does not tell, to be added in this order. etc/lsb-release, where it is of the
 * same distribution; etc/dpkg/origins/default, which tells the distribution alone (dpkg-vendor(1));
 * etc/debian_version: "12.5" is of Debian or of a derivative of it, "trixie/sid" also stands in
 * Ubuntu and counts only where something else says Debian.
 */
void cam_os_release_add_lsb_release(CamOsRelease *self, const char *data, gsize size);
void cam_os_release_add_vendor(CamOsRelease *self, const char *data, gsize size);
void cam_os_release_add_debian_version(CamOsRelease *self, const char *data, gsize size);
/* Fills in ecosystem and dates from the table of releases. */
void cam_os_release_complete(CamOsRelease *self);
/* (transfer full): the release whose archive the packages come from: of a derivative that which it
 * is based on, of all others their own. */
CamOsRelease *cam_os_release_dup_archive(const CamOsRelease *self);
/* @today: "2026-11-23" */
CamSupport cam_os_release_get_support(const CamOsRelease *self, const char *today);
void cam_os_release_free(CamOsRelease *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamOsRelease, cam_os_release_free)

G_END_DECLS
