/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamReference:
 *
 * The name of an image: [host[:port]/]repository[:tag][@digest], by the grammar of distribution's
 * `reference` package. @host is NULL for a name without one; nothing is defaulted to Docker Hub
 * except by the registry transport, which documents it.
 */
typedef struct {
	char *host;	  /* (nullable): has a dot, a colon or is "localhost" */
	char *repository; /* path, lower case */
	char *tag;	  /* (nullable) */
	char *digest;	  /* (nullable) */
} CamReference;

/* The tag defaults to "latest" where neither tag nor digest is named. */
CamReference *cam_reference_parse(const char *text, GError **error);
CamReference *cam_reference_copy(const CamReference *self);
char *cam_reference_to_string(const CamReference *self);
/* A copy with another tag and without digest: `<tag><suffix>`; a reference with only a digest
 * gets the tag "latest<suffix>". %CAM_ERROR_INVALID_ARGUMENT beyond 128 characters. */
CamReference *cam_reference_with_tag_suffix(const CamReference *self, const char *suffix,
					    GError **error);
void cam_reference_free(CamReference *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamReference, cam_reference_free)

gboolean cam_tag_is_valid(const char *tag);

/**
 * CamTransport: where an image can be read from or written to.
 */
typedef enum {
	CAM_TRANSPORT_STORE,	      /* a bare reference: an image of the store */
	CAM_TRANSPORT_REGISTRY,	      /* docker://host/repository[:tag|@digest] */
	CAM_TRANSPORT_OCI_LAYOUT,     /* oci:DIRECTORY[:tag] */
	CAM_TRANSPORT_OCI_ARCHIVE,    /* oci-archive:FILE[:tag] */
	CAM_TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:FILE[:reference] */
	CAM_TRANSPORT_CONTAINERD,     /* containerd://NAMESPACE/reference */
} CamTransport;

/**
 * CamLocation:
 *
 * A transport and what it needs, in skopeo's and containerd's spelling. A path that exists
 * without a prefix is recognised too: a directory with an `oci-layout` file is an OCI layout, a
 * file is an archive of the kind that its content says (both with an optional ":tag").
 */
typedef struct {
	CamTransport transport;
	char *path;		 /* (nullable): directory or file */
	char *name;		 /* (nullable): tag or reference inside layout or archive */
	char *name_space;	 /* (nullable): containerd's */
	CamReference *reference; /* (nullable): of store, registry, containerd */
} CamLocation;

CamLocation *cam_location_parse(const char *text, GError **error);
CamLocation *cam_location_copy(const CamLocation *self);
/* The form with a prefix; parses back to an equal location. */
char *cam_location_to_string(const CamLocation *self);
void cam_location_free(CamLocation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLocation, cam_location_free)

G_END_DECLS
