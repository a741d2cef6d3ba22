/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd's containers together with their tasks. */
#include "plugin/containerd/containerd-containers.h"

#include <string.h>

#include "plugin/containerd/containerd-private.h"
#include "proto/containers.pb-c.h"
#include "proto/tasks.pb-c.h"

void
cam_containerd_container_free(CamContainerdContainer *self)
{
	if (self == NULL)
		return;
	g_free(self->id);
	g_free(self->image);
	g_free(self->snapshotter);
	g_free(self->snapshot_key);
	g_hash_table_unref(self->labels);
	g_free(self);
}

gboolean
cam_containerd_container_is_alive(const CamContainerdContainer *self)
{
	return self->status != NULL && !g_str_equal(self->status, "stopped") &&
	       !g_str_equal(self->status, "unknown");
}

static const char *
status_name(Cam__Tasks__Status status)
{
	static const char *const names[] = {
		[CAM__TASKS__STATUS__UNKNOWN] = "unknown",
		[CAM__TASKS__STATUS__CREATED] = "created",
		[CAM__TASKS__STATUS__RUNNING] = "running",
		[CAM__TASKS__STATUS__STOPPED] = "stopped",
		[CAM__TASKS__STATUS__PAUSED] = "paused",
		[CAM__TASKS__STATUS__PAUSING] = "pausing",
	};

	/* The number came over the wire. */
	return (guint) status < G_N_ELEMENTS(names) ? names[status] : names[0];
}

static CamContainerdContainer *
container_from_wire(const Cam__Containers__Container *wire)
{
	CamContainerdContainer *self = g_new0(CamContainerdContainer, 1);

	self->id = g_strdup(wire->id);
	self->image = g_strdup(wire->image);
	self->snapshotter = g_strdup(wire->snapshotter);
	self->snapshot_key = g_strdup(wire->snapshot_key);
	self->labels = cam_wire_table_from_entries(wire->n_labels, wire->labels);
	return self;
}

/* By container, of the tasks alone: an exec is no task. */
static GHashTable *
list_tasks(CamContainerd *self, const CamContainerdScope *scope, Cam__Tasks__ListResponse **answer,
	   GCancellable *cancellable, GError **error)
{
	Cam__Tasks__ListRequest request = CAM__TASKS__LIST_REQUEST__INIT;
	GHashTable *tasks;

	*answer = cam_containerd_call(self, &cam__tasks__tasks__descriptor, "List", &request, scope,
				      cancellable, error);
	if (*answer == NULL)
		return NULL;
	tasks = g_hash_table_new(g_str_hash, g_str_equal);
	/* containerd gives the container's id as that of the process. */
	for (gsize i = 0; i < (*answer)->n_tasks; i++)
		g_hash_table_insert(tasks, (*answer)->tasks[i]->id, (*answer)->tasks[i]);
	return tasks;
}

static int
compare_containers(gconstpointer a, gconstpointer b)
{
	return strcmp((*(CamContainerdContainer *const *) a)->id,
		      (*(CamContainerdContainer *const *) b)->id);
}

GPtrArray *
cam_containerd_list_containers(CamContainerd *self, const char *name_space,
			       GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Containers__ListRequest request = CAM__CONTAINERS__LIST_REQUEST__INIT;
	Cam__Containers__ListResponse *answer;
	Cam__Tasks__ListResponse *processes = NULL;
	g_autoptr(GHashTable) tasks = list_tasks(self, &scope, &processes, cancellable, error);
	GPtrArray *containers = NULL;

	if (tasks == NULL)
		return NULL;
	answer = cam_containerd_call(self, &cam__containers__containers__descriptor, "List",
				     &request, &scope, cancellable, error);
	if (answer != NULL)
		containers = g_ptr_array_new_with_free_func(
			(GDestroyNotify) cam_containerd_container_free);
	for (gsize i = 0; answer != NULL && i < answer->n_containers; i++) {
		CamContainerdContainer *container = container_from_wire(answer->containers[i]);
		const Cam__Tasks__Process *task = g_hash_table_lookup(tasks, container->id);

		if (task != NULL) {
			container->status = status_name(task->status);
			container->pid = task->pid;
		}
		g_ptr_array_add(containers, container);
	}
	if (containers != NULL)
		g_ptr_array_sort(containers, compare_containers);
	cam_wire_free(answer);
	cam_wire_free(processes);
	return containers;
}
