/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/reference.h"

G_BEGIN_DECLS

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
