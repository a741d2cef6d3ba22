/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blobs of containerd's content store. They are read as files where that can be: containerd never
 * changes a blob in place, and the kernel copies faster than a socket. Writing always goes through
 * the service, which keeps the books.
 */
#include "plugin/containerd/containerd-content.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/containerd/containerd-private.h"
#include "plugin/containerd/content-stream.h"
#include "proto/content.pb-c.h"

/* Bytes of a blob in one message; containerd takes messages up to 16 MiB. */
#define CHUNK (1024 * 1024)

void
cam_content_info_free(CamContentInfo *self)
{
	if (self == NULL)
		return;
	g_free(self->digest);
	g_hash_table_unref(self->labels);
	g_free(self);
}

CamContentInfo *
cam_containerd_get_content_info(CamContainerd *self, const char *name_space, const char *digest,
				GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Content__InfoRequest request = CAM__CONTENT__INFO_REQUEST__INIT;
	Cam__Content__InfoResponse *answer;
	CamContentInfo *info = NULL;

	request.digest = (char *) digest;
	answer = cam_containerd_call(self, &cam__content__content__descriptor, "Info", &request,
				     &scope, cancellable, error);
	if (answer == NULL)
		return NULL;
	if (answer->info == NULL) {
		cam_set_error(error, CAM_ERROR_INTERNAL, "containerd answered without content");
	} else {
		info = g_new0(CamContentInfo, 1);
		info->digest = g_strdup(answer->info->digest);
		info->size = answer->info->size;
		info->labels =
			cam_wire_table_from_entries(answer->info->n_labels, answer->info->labels);
	}
	cam_wire_free(answer);
	return info;
}

/* ---- reading ---- */

GInputStream *
cam_containerd_read_content(CamContainerd *self, const char *name_space, const char *digest,
			    GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Content__ReadRequest request = CAM__CONTENT__READ_REQUEST__INIT;
	g_autoptr(CamGrpcCall) call = NULL;
	GBytes *first = NULL;

	request.digest = (char *) digest;
	call = cam_containerd_start(self, &cam__content__content__descriptor, "Read", &request,
				    &scope, cancellable, error);
	/* A blob that is not there shall be told now, not by the first read. */
	if (call == NULL || !cam_content_stream_receive(call, &first, error))
		return NULL;
	return cam_content_stream_new(g_steal_pointer(&call), first);
}

/* (nullable): without error. */
static GInputStream *
open_file(CamContainerd *self, const char *digest, GCancellable *cancellable)
{
	const char *root = cam_containerd_get_content_root(self, cancellable);
	g_autofree char *path = NULL;
	g_auto(CamFd) fd = -1;
	struct stat st;

	if (root == NULL || !g_str_has_prefix(digest, "sha256:") || !cam_digest_is_valid(digest))
		return NULL;
	path = g_build_filename(root, "blobs", "sha256", cam_digest_hex(digest), NULL);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return g_unix_input_stream_new(cam_fd_steal(&fd), TRUE);
}

GInputStream *
cam_containerd_open_content(CamContainerd *self, const char *name_space, const char *digest,
			    GCancellable *cancellable, GError **error)
{
	GInputStream *file = open_file(self, digest, cancellable);

	if (file != NULL)
		return file;
	return cam_containerd_read_content(self, name_space, digest, cancellable, error);
}

/* ---- writing ---- */

typedef struct {
	CamContainerd *containerd;
	const char *name_space, *lease, *ref;
	const CamDescriptor *descriptor;
	GHashTable *labels;
	GCancellable *cancellable;
	CamGrpcCall *call;
} Write;

/* One message, one answer. *@offset is where containerd stands. */
static gboolean
exchange(Write *self, Cam__Content__WriteRequest *request, gint64 *offset, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	gpointer message = NULL;

	request->ref = (char *) self->ref;
	request->expected = self->descriptor->digest;
	bytes = cam_wire_pack(request);
	if (!cam_grpc_call_send(self->call, bytes, error))
		return cam_error_translate(error, "containerd");
	if (!cam_containerd_receive(self->call, &cam__content__write_response__descriptor, &message,
				    error))
		return FALSE;
	if (message == NULL)
		return cam_set_error(error, CAM_ERROR_INTERNAL,
				     "containerd ended the writing of %s", self->ref);
	*offset = ((Cam__Content__WriteResponse *) message)->offset;
	cam_wire_free(message);
	return TRUE;
}

static gboolean
begin(Write *self, gint64 *offset, GError **error)
{
	CamContainerdScope scope = { self->name_space, self->lease };
	Cam__Content__WriteRequest request = CAM__CONTENT__WRITE_REQUEST__INIT;

	g_clear_pointer(&self->call, cam_grpc_call_free);
	self->call = cam_containerd_open(self->containerd, &cam__content__content__descriptor,
					 "Write", &scope, self->cancellable, error);
	request.action = CAM__CONTENT__WRITE_ACTION__STAT;
	request.total = MAX(self->descriptor->size, 0);
	return self->call != NULL && exchange(self, &request, offset, error);
}

static gboolean
send_chunks(Write *self, GInputStream *content, gint64 *offset, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(CHUNK);
	gsize size;

	do {
		Cam__Content__WriteRequest request = CAM__CONTENT__WRITE_REQUEST__INIT;
		gint64 wanted;

		if (!g_input_stream_read_all(content, buffer, CHUNK, &size, self->cancellable,
					     error))
			return cam_error_translate(error, NULL);
		if (size == 0)
			break;
		wanted = *offset + (gint64) size;
		request.action = CAM__CONTENT__WRITE_ACTION__WRITE;
		request.offset = *offset;
		request.data.data = buffer;
		request.data.len = size;
		if (!exchange(self, &request, offset, error))
			return FALSE;
		if (*offset != wanted)
			return cam_set_error(error, CAM_ERROR_INTERNAL,
					     "containerd stands at %" G_GINT64_FORMAT
					     " of %s instead of %" G_GINT64_FORMAT,
					     *offset, self->descriptor->digest, wanted);
	} while (size == CHUNK);
	return TRUE;
}

static gboolean
commit(Write *self, gint64 offset, GError **error)
{
	Cam__Content__WriteRequest request = CAM__CONTENT__WRITE_REQUEST__INIT;
	g_auto(CamContainerdLabels) entries = cam_containerd_labels(self->labels);

	request.action = CAM__CONTENT__WRITE_ACTION__COMMIT;
	request.offset = offset;
	request.total = offset;
	request.n_labels = entries.n;
	request.labels = entries.entries;
	if (exchange(self, &request, &offset, error))
		return TRUE;
	/* That is what a digest or a size which are not as promised look like. */
	if (error != NULL && g_error_matches(*error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION))
		(*error)->code = CAM_ERROR_DATA_LOSS;
	return FALSE;
}

static void
abort_write(Write *self)
{
	CamContainerdScope scope = { self->name_space, self->lease };
	Cam__Content__AbortRequest request = CAM__CONTENT__ABORT_REQUEST__INIT;

	/* The writer is locked as long as its call is open. Also after a cancellation. */
	g_clear_pointer(&self->call, cam_grpc_call_free);
	request.ref = (char *) self->ref;
	cam_wire_free(cam_containerd_call(self->containerd, &cam__content__content__descriptor,
					  "Abort", &request, &scope, NULL, NULL));
}

/* FALSE with ALREADY_EXISTS if the blob is there. */
static gboolean
write_all(Write *self, GInputStream *content, GError **error)
{
	gint64 offset = 0;

	if (!begin(self, &offset, error))
		return FALSE;
	/* Another namespace has it: then containerd stands at the end already. */
	if (offset > 0 && offset == self->descriptor->size)
		return commit(self, offset, error);
	return offset == 0
		       ? send_chunks(self, content, &offset, error) && commit(self, offset, error)
		       : cam_set_error(error, CAM_ERROR_INTERNAL,
				       "containerd begins %s in its middle",
				       self->descriptor->digest);
}

gboolean
cam_containerd_write_content(CamContainerd *self, const char *name_space, const char *lease,
			     const CamDescriptor *descriptor, GInputStream *content,
			     GHashTable *labels, GCancellable *cancellable, GError **error)
{
	/* A name of our own: nobody else's half-written blob is continued. */
	g_autofree char *unique = g_uuid_string_random();
	g_autofree char *ref = g_strdup_printf("cambium-%s-%s", unique, descriptor->digest);
	g_autoptr(GError) local = NULL;
	Write write = { self, name_space, lease, ref, descriptor, labels, cancellable, NULL };
	gboolean written = write_all(&write, content, &local);
	gboolean present = !written && g_error_matches(local, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);

	if (!written && !present)
		abort_write(&write);
	g_clear_pointer(&write.call, cam_grpc_call_free);
	if (present && labels != NULL && g_hash_table_size(labels) > 0)
		return cam_containerd_label_content(self, name_space, descriptor->digest, labels,
						    cancellable, error);
	if (written || present)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return cam_error_translate(error, "cannot write %s", descriptor->digest);
}

gboolean
cam_containerd_label_content(CamContainerd *self, const char *name_space, const char *digest,
			     GHashTable *labels, GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	g_auto(CamContainerdLabels) entries = cam_containerd_labels(labels);
	g_auto(GStrv) paths = cam_containerd_label_paths(labels, NULL);
	Cam__Content__Info info = CAM__CONTENT__INFO__INIT;
	Cam__Content__UpdateRequest request = CAM__CONTENT__UPDATE_REQUEST__INIT;
	Cam__Google__FieldMask mask = CAM__GOOGLE__FIELD_MASK__INIT;
	gpointer answer;

	info.digest = (char *) digest;
	info.n_labels = entries.n;
	info.labels = entries.entries;
	mask.paths = paths;
	mask.n_paths = g_strv_length(paths);
	request.info = &info;
	request.update_mask = &mask;
	answer = cam_containerd_call(self, &cam__content__content__descriptor, "Update", &request,
				     &scope, cancellable, error);
	cam_wire_free(answer);
	return answer != NULL;
}
