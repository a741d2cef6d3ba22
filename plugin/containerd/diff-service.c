/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * containerd's diff service. Apply: a blob of containerd's content store streams into our store.
 * Diff: a layer of ours, or what a container wrote, becomes a blob of containerd's. How snapshots
 * hold layers is the snapshotter's business.
 */
#include "plugin/containerd/diff-service.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

#include "plugin/containerd/snapshot-messages.h"
#include "proto/diff.pb-c.h"

#define PATH		  "/containerd.services.diff.v1.Diff/"
#define LEASE_HEADER	  "containerd-lease"
#define DEFAULT_NAMESPACE "default" /* containerd's own */
#define UNCOMPRESSED	  "containerd.io/uncompressed"
#define BUFFER_SIZE	  (256 * 1024)

typedef struct {
	CamSnapshotter *snapshotter;
	const CamDiffContent *content;
	gpointer content_data;
} Service;

/* What can be made; containerd's own differ makes the OCI ones of them. */
static const struct {
	const char *media_type;
	CamCompression compression;
} forms[] = {
	{ CAM_MEDIA_TYPE_OCI_LAYER_GZIP, CAM_COMPRESSION_GZIP },
	{ CAM_MEDIA_TYPE_OCI_LAYER, CAM_COMPRESSION_NONE },
	{ CAM_MEDIA_TYPE_OCI_LAYER_ZSTD, CAM_COMPRESSION_ZSTD },
	{ CAM_MEDIA_TYPE_DOCKER_LAYER, CAM_COMPRESSION_NONE },
	{ CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP, CAM_COMPRESSION_GZIP },
	{ CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD, CAM_COMPRESSION_ZSTD },
};

static void
service_free(gpointer data)
{
	Service *self = data;

	g_object_unref(self->snapshotter);
	g_free(self);
}

/* containerd does not tell its proxies on whose behalf it asks, but its keys do. @key: (nullable)
 */
static char *
namespace_of(CamGrpcServerCall *call, const char *key)
{
	const char *name_space = cam_grpc_server_call_get_namespace(call);

	if (name_space != NULL && *name_space != '\0')
		return g_strdup(name_space);
	if (key != NULL && cam_snapshot_key_name(key) != key)
		return g_strndup(key, strcspn(key, "/"));
	return g_strdup(DEFAULT_NAMESPACE);
}

/* ---- Apply ---- */

static gboolean
send_applied(CamGrpcServerCall *call, const CamLayerInfo *info, GError **error)
{
	g_autoptr(CamDescriptor) descriptor =
		cam_descriptor_new(CAM_MEDIA_TYPE_OCI_LAYER, info->diff_id, (gint64) info->size);
	Cam__Diff__ApplyResponse answer = CAM__DIFF__APPLY_RESPONSE__INIT;
	gboolean sent;

	answer.applied = cam_wire_descriptor_new(descriptor);
	sent = cam_grpc_server_call_send(call, &answer, error);
	cam_wire_free(answer.applied);
	return sent;
}

static gboolean
apply_to(Service *self, CamGrpcServerCall *call, const Cam__Diff__ApplyRequest *r,
	 GPtrArray *mounts, GError **error)
{
	GCancellable *cancellable = cam_grpc_server_call_get_cancellable(call);
	g_autoptr(CamDescriptor) descriptor = cam_wire_descriptor_get(r->diff, error);
	g_autofree char *key = NULL, *name_space = NULL;
	g_autoptr(GInputStream) blob = NULL;
	g_autoptr(CamLayerInfo) info = NULL;

	if (descriptor == NULL)
		return FALSE;
	if (!cam_media_type_is_layer(descriptor->media_type))
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "%s is no media type of a layer that can be applied here",
				     descriptor->media_type);
	key = cam_snapshotter_find_key(self->snapshotter, mounts, error);
	if (key == NULL)
		return FALSE;
	name_space = namespace_of(call, key);
	blob = self->content->open(self->content_data, name_space, descriptor, cancellable, error);
	if (blob == NULL)
		return FALSE;
	info = cam_snapshotter_apply(self->snapshotter, mounts, blob, descriptor, cancellable,
				     error);
	return info != NULL && send_applied(call, info, error);
}

/* The differ that containerd asks next mounts these as it was told: what they name must be there
 * (see cam_snapshotter_expect_differ()). */
static void
leave_to_next(Service *self, GPtrArray *mounts, GCancellable *cancellable)
{
	g_autofree char *key = cam_snapshotter_find_key(self->snapshotter, mounts, NULL);
	g_autoptr(GPtrArray) shown =
		key != NULL ? cam_snapshotter_mounts(self->snapshotter, key, cancellable, NULL)
			    : NULL;
}

/* Its transactions are on the disk when they end, so that sync_fs asks for nothing more. */
static gboolean
apply(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Diff__ApplyRequest *r = request;
	g_autoptr(GPtrArray) mounts = cam_mount_messages_get(r->n_mounts, r->mounts);
	g_autoptr(GError) problem = NULL;

	if (apply_to(self, call, r, mounts, &problem))
		return TRUE;
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED))
		leave_to_next(self, mounts, cam_grpc_server_call_get_cancellable(call));
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* ---- Diff ---- */

/* A blob on its way: in a file without a name, because containerd wants its digest first. */
typedef struct {
	CamFd fd;
	char *diff_id;
	CamDescriptor *descriptor;
} Spool;

static void
spool_clear(Spool *self)
{
	cam_fd_close(self->fd);
	g_free(self->diff_id);
	g_clear_pointer(&self->descriptor, cam_descriptor_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Spool, spool_clear)

static gboolean
write_all(int fd, const guint8 *data, gsize size, GError **error)
{
	while (size > 0) {
		gssize n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cam_set_error_errno(error, errno, "cannot write a layer's blob");
		data += n;
		size -= (gsize) n;
	}
	return TRUE;
}

/* (transfer full): the digest of all that @in gives */
static char *
copy_to(int fd, GInputStream *in, gint64 *size, GCancellable *cancellable, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	gssize n;

	*size = 0;
	while ((n = g_input_stream_read(in, buffer, BUFFER_SIZE, cancellable, error)) > 0) {
		cam_hasher_update(hasher, buffer, (gsize) n);
		*size += n;
		if (!write_all(fd, buffer, (gsize) n, error))
			return NULL;
	}
	return n == 0 ? cam_hasher_finish(hasher) : NULL;
}

static gboolean
spool_fill(Spool *self, CamStore *store, GInputStream *layer, gsize form, GCancellable *cancellable,
	   GError **error)
{
	int dirfd = cam_store_get_tmp_dirfd(store, NULL, error);
	g_autoptr(CamDigestStream) plain = cam_digest_stream_new(layer, cam_hasher_new(), NULL, 0);
	g_autoptr(GInputStream) blob = NULL;
	g_autofree char *digest = NULL;
	gint64 size;

	if (dirfd < 0)
		return FALSE;
	self->fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (self->fd < 0)
		return cam_set_error_errno(error, errno, "cannot make a file for a layer in %s",
					   cam_store_get_path(store));
	blob = cam_compress_stream_new(G_INPUT_STREAM(plain), forms[form].compression, error);
	digest = blob != NULL ? copy_to(self->fd, blob, &size, cancellable, error) : NULL;
	if (digest == NULL)
		return FALSE;
	self->diff_id = cam_digest_stream_finish(plain);
	self->descriptor = cam_descriptor_new(forms[form].media_type, digest, size);
	if (lseek(self->fd, 0, SEEK_SET) != 0)
		return cam_set_error_errno(error, errno, "cannot read a layer's blob again");
	return TRUE;
}

static gboolean
find_form(const char *media_type, gsize *form, GError **error)
{
	*form = 0;
	if (*media_type == '\0')
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		if (g_str_equal(forms[i].media_type, media_type)) {
			*form = i;
			return TRUE;
		}
	}
	return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED, "layers are not made as %s",
			     media_type);
}

static gboolean
send_diff(CamGrpcServerCall *call, const CamDescriptor *descriptor, GError **error)
{
	Cam__Diff__DiffResponse answer = CAM__DIFF__DIFF_RESPONSE__INIT;
	gboolean sent;

	answer.diff = cam_wire_descriptor_new(descriptor);
	sent = cam_grpc_server_call_send(call, &answer, error);
	cam_wire_free(answer.diff);
	return sent;
}

/* The blob goes to containerd, which is told what it is when it is unpacked. */
static gboolean
hand_over(Service *self, CamGrpcServerCall *call, const char *name_space, const Spool *spool,
	  GHashTable *labels, GError **error)
{
	g_autoptr(GInputStream) blob = g_unix_input_stream_new(spool->fd, FALSE);

	if (!g_str_equal(spool->diff_id, spool->descriptor->digest))
		g_hash_table_replace(labels, g_strdup(UNCOMPRESSED), g_strdup(spool->diff_id));
	return self->content->write(
		self->content_data, name_space, cam_grpc_server_call_get_header(call, LEASE_HEADER),
		spool->descriptor, blob, labels, cam_grpc_server_call_get_cancellable(call), error);
}

/* Where the blob is wanted. Of a snapshot that several namespaces share that is not known, unless
 * the caller says so. */
static char *
find_namespace(Service *self, CamGrpcServerCall *call, GPtrArray *mounts, GError **error)
{
	g_autofree char *key = NULL;

	if (cam_grpc_server_call_get_namespace(call) == NULL) {
		key = cam_snapshotter_find_key(self->snapshotter, mounts, error);
		if (key == NULL)
			return NULL;
	}
	return namespace_of(call, key);
}

static gboolean
diff(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Service *self = user_data;
	const Cam__Diff__DiffRequest *r = request;
	GCancellable *cancellable = cam_grpc_server_call_get_cancellable(call);
	g_autoptr(GPtrArray) left = cam_mount_messages_get(r->n_left, r->left);
	g_autoptr(GPtrArray) right = cam_mount_messages_get(r->n_right, r->right);
	g_autoptr(GHashTable) labels = cam_wire_table_from_entries(r->n_labels, r->labels);
	g_autofree char *name_space = NULL;
	g_autoptr(GInputStream) layer = NULL;
	g_auto(Spool) spool = { .fd = -1 };
	gsize form;

	if (!find_form(r->media_type, &form, error) ||
	    !cam_wire_check_labels(r->n_labels, r->labels, error))
		return FALSE;
	if (r->source_date_epoch != NULL)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "times in layers are not changed here");
	name_space = find_namespace(self, call, right, error);
	if (name_space == NULL)
		return FALSE;
	layer = cam_snapshotter_open_diff(self->snapshotter, left, right, cancellable, error);
	return layer != NULL &&
	       spool_fill(&spool, cam_snapshotter_get_store(self->snapshotter), layer, form,
			  cancellable, error) &&
	       hand_over(self, call, name_space, &spool, labels, error) &&
	       send_diff(call, spool.descriptor, error);
}

static const CamGrpcMethod methods[] = {
	{ PATH "Apply", &cam__diff__apply_request__descriptor, apply, FALSE },
	{ PATH "Diff", &cam__diff__diff_request__descriptor, diff, FALSE },
	{ NULL },
};

void
cam_diff_service_add(CamGrpcServer *server, CamSnapshotter *snapshotter,
		     const CamDiffContent *content, gpointer content_data)
{
	Service *self = g_new0(Service, 1);

	self->snapshotter = g_object_ref(snapshotter);
	self->content = content;
	self->content_data = content_data;
	cam_grpc_server_add_service(server, methods, self, service_free);
}
