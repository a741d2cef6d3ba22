/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manifest.json of docker-archives: a list of images. Knows nothing of archives. */
#pragma once

#include <glib.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

typedef struct {
	char *config;	   /* member that is the config */
	GPtrArray *tags;   /* (element-type utf8): full references; may be empty */
	GPtrArray *layers; /* (element-type utf8): members, base first */
} CamDockerImage;

CamDockerImage *cam_docker_image_new(void);
void cam_docker_image_free(CamDockerImage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDockerImage, cam_docker_image_free)

/* (element-type CamDockerImage) */
GPtrArray *cam_docker_manifest_parse(GBytes *bytes, GError **error);
/* @name: (nullable): a tag or reference; without it the only image. Errors list what there is. */
const CamDockerImage *cam_docker_manifest_find(GPtrArray *images, const char *name, GError **error);
GBytes *cam_docker_manifest_write(GPtrArray *images);
/* The older list of names, `repositories`, that some readers still want. */
GBytes *cam_docker_manifest_write_repositories(GPtrArray *images);

G_END_DECLS
