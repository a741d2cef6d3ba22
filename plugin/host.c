/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values that describe a host. They are collected in containerd/host-images.c. */
#include "plugin/host.h"

void
cam_host_container_free(CamHostContainer *self)
{
	if (self == NULL)
		return;
	g_free(self->id);
	g_free(self->status);
	g_free(self->snapshotter);
	g_free(self);
}

void
cam_host_image_free(CamHostImage *self)
{
	if (self == NULL)
		return;
	g_free(self->name_space);
	g_free(self->name);
	g_free(self->digest);
	g_free(self->chain_id);
	g_strfreev(self->unpacked);
	g_clear_pointer(&self->containers, g_ptr_array_unref);
	g_free(self);
}
