/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to and from containerd's services. The generated descriptors know the methods' paths and
 * the types of their answers, so that a call needs only its service, its name and its request.
 */
#include "plugin/containerd/containerd-private.h"

/* Milliseconds for what is answered at once. containerd holds everything up while it collects
 * garbage, which may take a while on a slow disk. */
#define ANSWER_TIMEOUT 120000

static char *
path_of(const ProtobufCServiceDescriptor *service, const char *method)
{
	return g_strdup_printf("/%s/%s", service->name, method);
}

static gboolean
explain(CamContainerd *self, GError **error)
{
	if (error != NULL && g_error_matches(*error, CAM_ERROR, CAM_ERROR_UNAVAILABLE))
		return cam_error_translate(
			error, "containerd cannot be reached (--containerd or [containerd] address "
			       "name its socket)");
	return cam_error_translate(error, "containerd");
}

gpointer
cam_containerd_call(CamContainerd *self, const ProtobufCServiceDescriptor *service,
		    const char *method, gconstpointer request, const CamContainerdScope *scope,
		    GCancellable *cancellable, GError **error)
{
	const ProtobufCMethodDescriptor *descriptor =
		protobuf_c_service_descriptor_get_method_by_name(service, method);
	g_autofree char *path = path_of(service, method);
	g_autoptr(GBytes) bytes = cam_wire_pack(request);
	g_autoptr(GBytes) answer = NULL;
	CamGrpcCallOptions options = { .timeout = ANSWER_TIMEOUT };

	if (scope != NULL) {
		options.name_space = scope->name_space;
		options.lease = scope->lease;
	}
	answer = cam_grpc_channel_call(cam_containerd_get_channel(self), path, bytes, &options,
				       cancellable, error);
	if (answer == NULL) {
		explain(self, error);
		return NULL;
	}
	return cam_wire_unpack(descriptor->output, answer, error);
}

CamGrpcCall *
cam_containerd_open(CamContainerd *self, const ProtobufCServiceDescriptor *service,
		    const char *method, const CamContainerdScope *scope, GCancellable *cancellable,
		    GError **error)
{
	CamGrpcCallOptions options = { .name_space = scope != NULL ? scope->name_space : NULL,
				       .lease = scope != NULL ? scope->lease : NULL };
	g_autofree char *path = path_of(service, method);
	CamGrpcCall *call = cam_grpc_channel_start(cam_containerd_get_channel(self), path, &options,
						   cancellable, error);

	if (call == NULL)
		explain(self, error);
	return call;
}

CamGrpcCall *
cam_containerd_start(CamContainerd *self, const ProtobufCServiceDescriptor *service,
		     const char *method, gconstpointer request, const CamContainerdScope *scope,
		     GCancellable *cancellable, GError **error)
{
	g_autoptr(CamGrpcCall) call =
		cam_containerd_open(self, service, method, scope, cancellable, error);
	g_autoptr(GBytes) bytes = cam_wire_pack(request);

	if (call == NULL)
		return NULL;
	if (!cam_grpc_call_send(call, bytes, error) || !cam_grpc_call_close(call, error)) {
		explain(self, error);
		return NULL;
	}
	return g_steal_pointer(&call);
}

gboolean
cam_containerd_receive(CamGrpcCall *call, const ProtobufCMessageDescriptor *type, gpointer *message,
		       GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	*message = NULL;
	if (!cam_grpc_call_receive(call, &bytes, error))
		return cam_error_translate(error, "containerd");
	if (bytes == NULL)
		return TRUE;
	*message = cam_wire_unpack(type, bytes, error);
	return *message != NULL;
}

CamContainerdLabels
cam_containerd_labels(GHashTable *table)
{
	CamContainerdLabels self;

	self.entries = cam_wire_entries_from_table(table, &self.n);
	return self;
}

void
cam_containerd_labels_clear(CamContainerdLabels *self)
{
	for (gsize i = 0; i < self->n; i++)
		cam_wire_free(self->entries[i]);
	g_clear_pointer(&self->entries, g_free);
	self->n = 0;
}

char **
cam_containerd_label_paths(GHashTable *labels, const char *also)
{
	GPtrArray *paths = g_ptr_array_new();
	GHashTableIter iterator;
	gpointer key;

	if (also != NULL)
		g_ptr_array_add(paths, g_strdup(also));
	g_hash_table_iter_init(&iterator, labels);
	while (g_hash_table_iter_next(&iterator, &key, NULL))
		g_ptr_array_add(paths, g_strconcat("labels.", key, NULL));
	g_ptr_array_add(paths, NULL);
	return (char **) g_ptr_array_free(paths, FALSE);
}
