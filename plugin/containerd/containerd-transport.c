/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images in containerd's own stores, as a place to read from and write to. containerd's garbage
 * collection is the one thing to beware of: what no record names and no lease keeps may be gone the
 * next moment.
 */
#include "plugin/containerd/containerd-transport.h"

#include <string.h>

#include "plugin/config.h"
#include "plugin/containerd/containerd-content.h"
#include "plugin/containerd/containerd-images.h"
#include "plugin/containerd/containerd-leases.h"

/* Seconds after which containerd forgets what a killed process has begun; its own clients take the
 * same. */
#define LEASE_DURATION (24 * 60 * 60)

/* The kubelet's images live here. CRI's label says that CRI looks after an image, which it does by
 * a second record that is named by the image's id, and so outlives a tag that moves: who sets the
 * label makes both. Without the label CRI does so itself, but only while it runs. */
#define CRI_NAMESPACE "k8s.io"
#define CRI_LABEL     "io.cri-containerd.image"

typedef struct {
	CamDescriptor *target;
	char *name;
} Pending;

#define CAM_TYPE_CONTAINERD_TRANSPORT (cam_containerd_transport_get_type())
G_DECLARE_FINAL_TYPE(CamContainerdTransport, cam_containerd_transport, CAM, CONTAINERD_TRANSPORT,
		     CamImageTransport)

struct _CamContainerdTransport {
	CamImageTransport parent_instance;
	CamContainerd *client;
	const CamLocation *location; /* the base class's */
	char *lease;		     /* (nullable): once something was written */
	char *free_name;	     /* (nullable): one that resolve_tag() found to be free */
	char *image_id;		     /* (nullable): config of the manifest that was written last */
	GPtrArray *pending;	     /* records that commit() makes */
};

G_DEFINE_FINAL_TYPE(CamContainerdTransport, cam_containerd_transport, CAM_TYPE_IMAGE_TRANSPORT)

static void
pending_free(Pending *self)
{
	cam_descriptor_free(self->target);
	g_free(self->name);
	g_free(self);
}

/* ---- records ---- */

/* The name of the image that is called @tag (nullable: the location's own) in its repository. */
static char *
name_for(CamContainerdTransport *self, const char *tag)
{
	g_autoptr(CamReference) name = cam_reference_copy(self->location->reference);

	if (tag != NULL) {
		g_free(name->tag);
		name->tag = g_strdup(tag);
		g_clear_pointer(&name->digest, g_free);
	}
	return cam_reference_to_string(name);
}

static CamContainerdImage *
get_record(CamContainerdTransport *self, const char *name, GCancellable *cancellable,
	   GError **error)
{
	return cam_containerd_get_image(self->client, self->location->name_space, name, cancellable,
					error);
}

/* containerd knows names without tag too; ours always have one. */
static CamContainerdImage *
find_record(CamContainerdTransport *self, const char *tag, GCancellable *cancellable,
	    GError **error)
{
	g_autofree char *name = name_for(self, tag);
	g_autoptr(GError) local = NULL;
	CamContainerdImage *image = get_record(self, name, cancellable, &local);

	if (image == NULL && g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND) &&
	    g_str_has_suffix(name, ":latest")) {
		g_autofree char *untagged = g_strndup(name, strlen(name) - strlen(":latest"));

		image = get_record(self, untagged, cancellable, NULL);
	}
	if (image != NULL)
		return image;
	cam_containerd_explain_missing_image(self->client, self->location->name_space, name,
					     cancellable, &local);
	g_propagate_error(error, g_steal_pointer(&local));
	return NULL;
}

/* ---- reading ---- */

static GInputStream *
containerd_transport_open_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			       GCancellable *cancellable, GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);
	g_autoptr(GError) local = NULL;
	GInputStream *stream = cam_containerd_open_content(self->client, self->location->name_space,
							   descriptor->digest, cancellable, &local);

	if (stream != NULL)
		return stream;
	if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		cam_set_error(error, CAM_ERROR_NOT_FOUND,
			      "containerd has the image but no longer its blob %s (it was thrown "
			      "away after unpacking, or never fetched): `ctr -n %s content fetch` "
			      "brings it back",
			      descriptor->digest, self->location->name_space);
	else
		g_propagate_error(error, g_steal_pointer(&local));
	return NULL;
}

/* containerd has unpacked the layers of its images, and throws blobs away after that or does not
 * even fetch those whose layers the snapshotter knows: it is believed. */
static gboolean
containerd_transport_holds_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
				GCancellable *cancellable)
{
	return TRUE;
}

static GBytes *
get_by_digest(CamImageTransport *transport, const char *digest, char **media_type,
	      GCancellable *cancellable, GError **error)
{
	g_autoptr(CamDescriptor) unsized =
		cam_descriptor_new(CAM_MEDIA_TYPE_OCI_MANIFEST, digest, -1);
	GBytes *bytes = cam_image_transport_get_blob(transport, unsized, CAM_MANIFEST_MAX_SIZE,
						     cancellable, error);

	if (bytes != NULL)
		*media_type = cam_manifest_guess_media_type(bytes);
	return bytes;
}

static GBytes *
containerd_transport_get_manifest(CamImageTransport *transport, const char *reference,
				  char **media_type, GCancellable *cancellable, GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);
	const char *digest = self->location->reference->digest;
	g_autoptr(CamContainerdImage) image = NULL;
	g_autoptr(GError) local = NULL;
	GBytes *bytes;

	if (reference != NULL && cam_digest_is_valid(reference))
		return get_by_digest(transport, reference, media_type, cancellable, error);
	image = find_record(self, reference, cancellable, &local);
	/* A digest needs no record to be found. */
	if (image == NULL && reference == NULL && digest != NULL &&
	    g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND) &&
	    (bytes = get_by_digest(transport, digest, media_type, cancellable, NULL)) != NULL)
		return bytes;
	if (image == NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	bytes = cam_image_transport_get_blob(transport, image->target, CAM_MANIFEST_MAX_SIZE,
					     cancellable, error);
	if (bytes != NULL)
		*media_type = g_strdup(image->target->media_type);
	return bytes;
}

static gboolean
containerd_transport_resolve_tag(CamImageTransport *transport, const char *tag, char **digest,
				 GCancellable *cancellable, GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);
	g_autofree char *name = name_for(self, tag);
	g_autoptr(GError) local = NULL;
	g_autoptr(CamContainerdImage) image = get_record(self, name, cancellable, &local);

	g_clear_pointer(&self->free_name, g_free);
	if (image != NULL) {
		*digest = g_strdup(image->target->digest);
		return TRUE;
	}
	if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		self->free_name = g_steal_pointer(&name);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* ---- writing ---- */

static gboolean
take_lease(CamContainerdTransport *self, GCancellable *cancellable, GError **error)
{
	if (self->lease == NULL)
		self->lease = cam_containerd_create_lease(self->client, self->location->name_space,
							  LEASE_DURATION, cancellable, error);
	return self->lease != NULL;
}

/* What is there already is put under the lease before it is believed to be there. */
static gboolean
containerd_transport_has_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			      const char *mount_from, gboolean *present, GCancellable *cancellable,
			      GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);
	const char *name_space = self->location->name_space;
	g_autoptr(CamContentInfo) info = NULL;
	g_autoptr(GError) local = NULL;

	if (!take_lease(self, cancellable, error) ||
	    !cam_containerd_lease_content(self->client, name_space, self->lease, descriptor->digest,
					  cancellable, error))
		return FALSE;
	info = cam_containerd_get_content_info(self->client, name_space, descriptor->digest,
					       cancellable, &local);
	*present = info != NULL && (descriptor->size < 0 || info->size == descriptor->size);
	if (info != NULL || g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

static gboolean
containerd_transport_put_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			      GInputStream *content, GCancellable *cancellable, GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);

	return take_lease(self, cancellable, error) &&
	       cam_containerd_write_content(self->client, self->location->name_space, self->lease,
					    descriptor, content, NULL, cancellable, error);
}

static gboolean
containerd_transport_put_manifest(CamImageTransport *transport, GBytes *bytes,
				  const char *media_type, const char *tag,
				  GCancellable *cancellable, GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);
	g_autoptr(GHashTable) labels = cam_containerd_child_labels(bytes, media_type, error);
	g_autoptr(GInputStream) content = g_memory_input_stream_new_from_bytes(bytes);
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	g_autoptr(CamDescriptor) target =
		cam_descriptor_new(media_type, digest, (gint64) g_bytes_get_size(bytes));
	const char *config;
	Pending *pending;

	if (labels == NULL || !take_lease(self, cancellable, error) ||
	    !cam_containerd_write_content(self->client, self->location->name_space, self->lease,
					  target, content, labels, cancellable, error))
		return FALSE;
	config = g_hash_table_lookup(labels, CAM_CONTAINERD_CONFIG_LABEL);
	if (config != NULL) {
		g_free(self->image_id);
		self->image_id = g_strdup(config);
	}
	if (tag == NULL)
		return TRUE;
	pending = g_new0(Pending, 1);
	pending->target = g_steal_pointer(&target);
	pending->name = name_for(self, tag);
	g_ptr_array_add(self->pending, pending);
	return TRUE;
}

static gboolean
is_for_cri(CamContainerdTransport *self)
{
	return g_str_equal(self->location->name_space, CRI_NAMESPACE) && self->image_id != NULL;
}

static GHashTable *
record_labels(CamContainerdTransport *self)
{
	GHashTable *labels = g_hash_table_new(g_str_hash, g_str_equal);

	if (is_for_cri(self))
		g_hash_table_insert(labels, (gpointer) CRI_LABEL, (gpointer) "managed");
	return labels;
}

/* Whatever manifest an id stands for already, it is the same image. */
static gboolean
make_id_record(CamContainerdTransport *self, const Pending *pending, GCancellable *cancellable,
	       GError **error)
{
	g_autoptr(GHashTable) labels = record_labels(self);
	g_autoptr(GError) local = NULL;

	if (!is_for_cri(self) ||
	    cam_containerd_create_image(self->client, self->location->name_space, self->lease,
					self->image_id, pending->target, labels, cancellable,
					&local) ||
	    g_error_matches(local, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

static gboolean
make_record(CamContainerdTransport *self, const Pending *pending, GCancellable *cancellable,
	    GError **error)
{
	const char *name_space = self->location->name_space;
	g_autoptr(GHashTable) labels = record_labels(self);
	g_autoptr(CamContainerdImage) present = NULL;
	g_autoptr(GError) local = NULL;

	if (cam_containerd_create_image(self->client, name_space, self->lease, pending->name,
					pending->target, labels, cancellable, &local))
		return TRUE;
	if (!g_error_matches(local, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	present = get_record(self, pending->name, cancellable, NULL);
	if (present != NULL && g_str_equal(present->target->digest, pending->target->digest))
		return TRUE;
	if (g_strcmp0(self->free_name, pending->name) == 0)
		return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
				     "somebody else has just made the image %s of namespace %s",
				     pending->name, name_space);
	return cam_containerd_update_image(self->client, name_space, self->lease, pending->name,
					   pending->target, labels, cancellable, error);
}

/* It expires by itself where it cannot be deleted: no reason to call written what is not. */
static void
drop_lease(CamContainerdTransport *self)
{
	if (self->lease != NULL)
		cam_containerd_delete_lease(self->client, self->location->name_space, self->lease,
					    NULL, NULL);
	g_clear_pointer(&self->lease, g_free);
}

static gboolean
containerd_transport_commit(CamImageTransport *transport, GCancellable *cancellable, GError **error)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(transport);

	for (guint i = 0; i < self->pending->len; i++) {
		const Pending *pending = g_ptr_array_index(self->pending, i);

		if (!make_id_record(self, pending, cancellable, error) ||
		    !make_record(self, pending, cancellable, error))
			return FALSE;
	}
	g_ptr_array_set_size(self->pending, 0);
	drop_lease(self);
	return TRUE;
}

/* ---- life ---- */

static void
cam_containerd_transport_finalize(GObject *object)
{
	CamContainerdTransport *self = CAM_CONTAINERD_TRANSPORT(object);

	drop_lease(self);
	g_clear_object(&self->client);
	g_free(self->free_name);
	g_free(self->image_id);
	g_clear_pointer(&self->pending, g_ptr_array_unref);
	G_OBJECT_CLASS(cam_containerd_transport_parent_class)->finalize(object);
}

static void
cam_containerd_transport_class_init(CamContainerdTransportClass *klass)
{
	CamImageTransportClass *transport = CAM_IMAGE_TRANSPORT_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_containerd_transport_finalize;
	transport->get_manifest = containerd_transport_get_manifest;
	transport->resolve_tag = containerd_transport_resolve_tag;
	transport->open_blob = containerd_transport_open_blob;
	transport->holds_blob = containerd_transport_holds_blob;
	transport->has_blob = containerd_transport_has_blob;
	transport->put_blob = containerd_transport_put_blob;
	transport->put_manifest = containerd_transport_put_manifest;
	transport->commit = containerd_transport_commit;
}

static void
cam_containerd_transport_init(CamContainerdTransport *self)
{
	self->pending = g_ptr_array_new_with_free_func((GDestroyNotify) pending_free);
}

/* containerd makes a namespace of whatever it is told; a mistyped one shall not begin to exist.
 * Those that clients and the kubelet take if nothing is said may be there only after the first
 * image. */
static gboolean
check_destination(CamContainerdTransport *self, GCancellable *cancellable, GError **error)
{
	const char *name_space = self->location->name_space;

	if (self->location->reference->tag == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "an image is written under a name with a tag, not by digest");
	if (g_str_equal(name_space, "default") || g_str_equal(name_space, CRI_NAMESPACE))
		return TRUE;
	return cam_containerd_check_namespace(self->client, name_space, cancellable, error) ||
	       cam_error_translate(error, "`ctr namespaces create %s` would make it", name_space);
}

CamImageTransport *
cam_containerd_transport_open(const CamLocation *location, gboolean writable,
			      const CamTransportOptions *options, GCancellable *cancellable,
			      GError **error)
{
	g_autoptr(CamContainerdTransport) self = g_object_new(CAM_TYPE_CONTAINERD_TRANSPORT, NULL);
	const char *address = options != NULL && options->containerd != NULL
				      ? options->containerd
				      : CAM_CONTAINERD_SOCKET;

	cam_image_transport_set_up(CAM_IMAGE_TRANSPORT(self), location, writable, options);
	self->location = cam_image_transport_get_location(CAM_IMAGE_TRANSPORT(self));
	self->client = cam_containerd_new(address, error);
	if (self->client == NULL || (writable && !check_destination(self, cancellable, error)))
		return NULL;
	return CAM_IMAGE_TRANSPORT(g_steal_pointer(&self));
}
