/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to containerd, and the services that know no namespace: version, introspection,
 * namespaces. How messages travel is containerd-call.c.
 */
#include "plugin/containerd/containerd-client.h"

#include <string.h>
#include <unistd.h>

#include "plugin/containerd/containerd-private.h"
#include "proto/introspection.pb-c.h"
#include "proto/namespaces.pb-c.h"
#include "proto/version.pb-c.h"

#define CONTENT_PLUGIN "io.containerd.content.v1"

struct _CamContainerd {
	GObject parent_instance;
	CamGrpcChannel *channel;
	GMutex lock;
	gboolean content_known;
	char *content_root; /* (nullable) */
};

G_DEFINE_FINAL_TYPE(CamContainerd, cam_containerd, G_TYPE_OBJECT)

static void
cam_containerd_finalize(GObject *object)
{
	CamContainerd *self = CAM_CONTAINERD(object);

	g_clear_object(&self->channel);
	g_mutex_clear(&self->lock);
	g_free(self->content_root);
	G_OBJECT_CLASS(cam_containerd_parent_class)->finalize(object);
}

static void
cam_containerd_class_init(CamContainerdClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_containerd_finalize;
}

static void
cam_containerd_init(CamContainerd *self)
{
	g_mutex_init(&self->lock);
}

CamContainerd *
cam_containerd_new(const char *address, GError **error)
{
	CamGrpcChannel *channel = cam_grpc_channel_new(address, error);
	CamContainerd *self;

	if (channel == NULL)
		return NULL;
	self = g_object_new(CAM_TYPE_CONTAINERD, NULL);
	self->channel = channel;
	return self;
}

const char *
cam_containerd_get_address(CamContainerd *self)
{
	return cam_grpc_channel_get_socket(self->channel);
}

CamGrpcChannel *
cam_containerd_get_channel(CamContainerd *self)
{
	return self->channel;
}

char *
cam_containerd_get_version(CamContainerd *self, GCancellable *cancellable, GError **error)
{
	Cam__Google__Empty request = CAM__GOOGLE__EMPTY__INIT;
	Cam__Version__VersionResponse *answer =
		cam_containerd_call(self, &cam__version__version__descriptor, "Version", &request,
				    NULL, cancellable, error);
	char *version = answer != NULL ? g_strdup(answer->version) : NULL;

	cam_wire_free(answer);
	return version;
}

/* ---- plugins ---- */

void
cam_containerd_plugin_free(CamContainerdPlugin *self)
{
	if (self == NULL)
		return;
	g_free(self->type);
	g_free(self->id);
	g_hash_table_unref(self->exports);
	g_free(self->problem);
	g_free(self);
}

static CamContainerdPlugin *
plugin_from_wire(const Cam__Introspection__Plugin *wire)
{
	CamContainerdPlugin *self = g_new0(CamContainerdPlugin, 1);

	self->type = g_strdup(wire->type);
	self->id = g_strdup(wire->id);
	self->exports = cam_wire_table_from_entries(wire->n_exports, wire->exports);
	if (wire->init_err != NULL)
		self->problem = g_strdup(wire->init_err->message);
	return self;
}

GPtrArray *
cam_containerd_list_plugins(CamContainerd *self, const char *type, GCancellable *cancellable,
			    GError **error)
{
	Cam__Introspection__PluginsRequest request = CAM__INTROSPECTION__PLUGINS_REQUEST__INIT;
	g_autofree char *filter = type != NULL ? g_strconcat("type==", type, NULL) : NULL;
	Cam__Introspection__PluginsResponse *answer;
	GPtrArray *plugins;

	request.filters = &filter;
	request.n_filters = filter != NULL;
	answer = cam_containerd_call(self, &cam__introspection__introspection__descriptor,
				     "Plugins", &request, NULL, cancellable, error);
	if (answer == NULL)
		return NULL;
	plugins = g_ptr_array_new_with_free_func((GDestroyNotify) cam_containerd_plugin_free);
	for (gsize i = 0; i < answer->n_plugins; i++)
		g_ptr_array_add(plugins, plugin_from_wire(answer->plugins[i]));
	cam_wire_free(answer);
	return plugins;
}

/* It may lie behind a mount namespace of containerd's own, or be another user's. */
static char *
find_content_root(CamContainerd *self, GCancellable *cancellable)
{
	g_autoptr(GPtrArray) plugins =
		cam_containerd_list_plugins(self, CONTENT_PLUGIN, cancellable, NULL);

	for (guint i = 0; plugins != NULL && i < plugins->len; i++) {
		const CamContainerdPlugin *plugin = g_ptr_array_index(plugins, i);
		const char *root = g_hash_table_lookup(plugin->exports, "root");
		g_autofree char *blobs =
			root != NULL ? g_build_filename(root, "blobs", "sha256", NULL) : NULL;

		if (blobs != NULL && g_path_is_absolute(root) && access(blobs, R_OK | X_OK) == 0)
			return g_strdup(root);
	}
	return NULL;
}

const char *
cam_containerd_get_content_root(CamContainerd *self, GCancellable *cancellable)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

	if (!self->content_known)
		self->content_root = find_content_root(self, cancellable);
	/* An empty store has no blobs yet: it is looked for again. */
	self->content_known = self->content_root != NULL;
	return self->content_root;
}

/* ---- namespaces ---- */

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

char **
cam_containerd_list_namespaces(CamContainerd *self, GCancellable *cancellable, GError **error)
{
	Cam__Namespaces__ListRequest request = CAM__NAMESPACES__LIST_REQUEST__INIT;
	Cam__Namespaces__ListResponse *answer =
		cam_containerd_call(self, &cam__namespaces__namespaces__descriptor, "List",
				    &request, NULL, cancellable, error);
	GPtrArray *names;

	if (answer == NULL)
		return NULL;
	names = g_ptr_array_new();
	for (gsize i = 0; i < answer->n_namespaces; i++)
		g_ptr_array_add(names, g_strdup(answer->namespaces[i]->name));
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	cam_wire_free(answer);
	return (char **) g_ptr_array_free(names, FALSE);
}

gboolean
cam_containerd_check_namespace(CamContainerd *self, const char *name_space,
			       GCancellable *cancellable, GError **error)
{
	g_auto(GStrv) names = cam_containerd_list_namespaces(self, cancellable, error);
	g_autofree char *all = NULL;

	if (names == NULL)
		return FALSE;
	if (g_strv_contains((const char *const *) names, name_space))
		return TRUE;
	all = g_strjoinv(", ", names);
	return cam_set_error(error, CAM_ERROR_NOT_FOUND,
			     "containerd has no namespace %s; it has %s", name_space,
			     *all != '\0' ? all : "none yet");
}
