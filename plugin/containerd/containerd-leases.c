/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd's leases, as far as somebody needs them who writes images. */
#include "plugin/containerd/containerd-leases.h"

#include "plugin/containerd/containerd-private.h"
#include "proto/leases.pb-c.h"

char *
cam_containerd_create_lease(CamContainerd *self, const char *name_space, guint seconds,
			    GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	g_autofree char *unique = g_uuid_string_random();
	g_autofree char *id = g_strconcat("cambium-", unique, NULL);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) end = g_date_time_add_seconds(now, seconds);
	g_autofree char *expires = g_date_time_format(end, "%Y-%m-%dT%H:%M:%SZ");
	Cam__Types__Entry label = CAM__TYPES__ENTRY__INIT;
	Cam__Types__Entry *labels[] = { &label };
	Cam__Leases__CreateRequest request = CAM__LEASES__CREATE_REQUEST__INIT;
	gpointer answer;

	label.key = (char *) "containerd.io/gc.expire";
	label.value = expires;
	request.id = id;
	request.n_labels = G_N_ELEMENTS(labels);
	request.labels = labels;
	answer = cam_containerd_call(self, &cam__leases__leases__descriptor, "Create", &request,
				     &scope, cancellable, error);
	if (answer == NULL)
		return NULL;
	cam_wire_free(answer);
	return g_steal_pointer(&id);
}

gboolean
cam_containerd_delete_lease(CamContainerd *self, const char *name_space, const char *id,
			    GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Leases__DeleteRequest request = CAM__LEASES__DELETE_REQUEST__INIT;
	g_autoptr(GError) local = NULL;
	gpointer answer;

	request.id = (char *) id;
	answer = cam_containerd_call(self, &cam__leases__leases__descriptor, "Delete", &request,
				     &scope, cancellable, &local);
	if (answer != NULL || g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		cam_wire_free(answer);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

gboolean
cam_containerd_lease_content(CamContainerd *self, const char *name_space, const char *id,
			     const char *digest, GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Leases__Resource resource = CAM__LEASES__RESOURCE__INIT;
	Cam__Leases__ResourceRequest request = CAM__LEASES__RESOURCE_REQUEST__INIT;
	gpointer answer;

	resource.id = (char *) digest;
	resource.type = (char *) "content";
	request.id = (char *) id;
	request.resource = &resource;
	answer = cam_containerd_call(self, &cam__leases__leases__descriptor, "AddResource",
				     &request, &scope, cancellable, error);
	cam_wire_free(answer);
	return answer != NULL;
}
