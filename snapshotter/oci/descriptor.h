/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "snapshotter/oci/digest.h"
#include "snapshotter/oci/platform.h"

G_BEGIN_DECLS

#define CAM_MEDIA_TYPE_OCI_INDEX	 "application/vnd.oci.image.index.v1+json"
#define CAM_MEDIA_TYPE_OCI_MANIFEST	 "application/vnd.oci.image.manifest.v1+json"
#define CAM_MEDIA_TYPE_OCI_CONFIG	 "application/vnd.oci.image.config.v1+json"
#define CAM_MEDIA_TYPE_OCI_LAYER	 "application/vnd.oci.image.layer.v1.tar"
#define CAM_MEDIA_TYPE_OCI_LAYER_GZIP	 "application/vnd.oci.image.layer.v1.tar+gzip"
#define CAM_MEDIA_TYPE_OCI_LAYER_ZSTD	 "application/vnd.oci.image.layer.v1.tar+zstd"
#define CAM_MEDIA_TYPE_OCI_EMPTY	 "application/vnd.oci.empty.v1+json"
#define CAM_MEDIA_TYPE_DOCKER_INDEX	 "application/vnd.docker.distribution.manifest.list.v2+json"
#define CAM_MEDIA_TYPE_DOCKER_MANIFEST	 "application/vnd.docker.distribution.manifest.v2+json"
#define CAM_MEDIA_TYPE_DOCKER_CONFIG	 "application/vnd.docker.container.image.v1+json"
#define CAM_MEDIA_TYPE_DOCKER_LAYER	 "application/vnd.docker.image.rootfs.diff.tar"
#define CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

#define CAM_MANIFEST_MAX_SIZE (4 * 1024 * 1024) /* as containerd and distribution cap it */

/**
 * CamDescriptor:
 *
 * OCI image-spec, descriptor.md. @json keeps the whole object as it was read, foreign fields
 * included, so that writing a descriptor back loses nothing.
 */
typedef struct {
	char *media_type;
	char *digest;
	gint64 size;	       /* bytes, as stored */
	CamPlatform *platform; /* (nullable) */
	JsonObject *json;      /* (not nullable) */
} CamDescriptor;

CamDescriptor *cam_descriptor_new(const char *media_type, const char *digest, gint64 size);
CamDescriptor *cam_descriptor_from_json(JsonObject *object, GError **error);
CamDescriptor *cam_descriptor_copy(const CamDescriptor *self);
/* (nullable): an annotation's value */
const char *cam_descriptor_get_annotation(const CamDescriptor *self, const char *key);
void cam_descriptor_set_annotation(CamDescriptor *self, const char *key, const char *value);
void cam_descriptor_free(CamDescriptor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDescriptor, cam_descriptor_free)

gboolean cam_media_type_is_index(const char *media_type);
gboolean cam_media_type_is_manifest(const char *media_type);
gboolean cam_media_type_is_layer(const char *media_type);

G_END_DECLS
