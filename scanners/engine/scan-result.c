/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The result of a scan as a value. The engine fills it in, reports read it.
 */
#include "scanners/engine/scan-result.h"

static void
layer_label_free(gpointer data)
{
	CamLayerLabel *label = data;

	g_free(label->diff_id);
	g_free(label->created_by);
	g_free(label);
}

CamScanResult *
cam_scan_result_new(void)
{
	CamScanResult *self = g_new0(CamScanResult, 1);

	self->layers = g_ptr_array_new_with_free_func(layer_label_free);
	self->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	self->findings = g_ptr_array_new_with_free_func((GDestroyNotify) cam_finding_free);
	self->databases = g_ptr_array_new_with_free_func((GDestroyNotify) cam_advisory_source_free);
	self->problems = g_ptr_array_new_with_free_func(g_free);
	self->unjudged = g_ptr_array_new_with_free_func((GDestroyNotify) cam_unjudged_free);
	self->warnings = g_ptr_array_new_with_free_func(g_free);
	return self;
}

void
cam_scan_result_free(CamScanResult *self)
{
	g_free(self->reference);
	g_free(self->digest);
	g_free(self->platform);
	g_clear_pointer(&self->os, cam_os_release_free);
	g_ptr_array_unref(self->layers);
	g_ptr_array_unref(self->packages);
	g_ptr_array_unref(self->findings);
	g_ptr_array_unref(self->databases);
	g_ptr_array_unref(self->problems);
	g_ptr_array_unref(self->unjudged);
	g_ptr_array_unref(self->warnings);
	g_free(self);
}
