/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all transports have in common: opening one by its location, the checks before and after
 * each slot, parts of downloads, names. How bytes are had is each implementation's.
 */
#include "snapshotter/transport/image-transport.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/oci/verify-stream.h"
#include "snapshotter/transport/image-transport-private.h"
#include "snapshotter/transport/part-stream.h"
#include "snapshotter/transport/stream-bytes.h"

/* Smaller blobs are not worth a file. */
#define MIN_PART_SIZE (1024 * 1024)

typedef struct {
	CamLocation *location;
	CamProgress *progress; /* (nullable) */
	int cache_dirfd;       /* a copy of the caller's, or -1 */
	gboolean writable;
} CamImageTransportPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(CamImageTransport, cam_image_transport, G_TYPE_OBJECT)

#define PRIVATE(self) ((CamImageTransportPrivate *) cam_image_transport_get_instance_private(self))

static void
cam_image_transport_finalize(GObject *object)
{
	CamImageTransportPrivate *priv = PRIVATE(CAM_IMAGE_TRANSPORT(object));

	cam_location_free(priv->location);
	g_clear_object(&priv->progress);
	if (priv->cache_dirfd >= 0)
		close(priv->cache_dirfd);
	G_OBJECT_CLASS(cam_image_transport_parent_class)->finalize(object);
}

static void
cam_image_transport_class_init(CamImageTransportClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_image_transport_finalize;
}

static void
cam_image_transport_init(CamImageTransport *self)
{
	PRIVATE(self)->cache_dirfd = -1;
}

void
cam_image_transport_set_up(CamImageTransport *self, const CamLocation *location, gboolean writable,
			   const CamTransportOptions *options)
{
	CamImageTransportPrivate *priv = PRIVATE(self);

	priv->location = cam_location_copy(location);
	priv->writable = writable;
	if (options != NULL && options->progress != NULL)
		priv->progress = g_object_ref(options->progress);
	if (options != NULL && options->cache_dirfd > 0)
		priv->cache_dirfd = fcntl(options->cache_dirfd, F_DUPFD_CLOEXEC, 3);
}

/* ---- opening ---- */

static CamImageTransport *
open_store(const CamLocation *location, gboolean writable, const CamTransportOptions *options,
	   GCancellable *cancellable, GError **error)
{
	g_autofree char *text = cam_location_to_string(location);

	cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
		      "%s is the name of an image of the store; a registry is written "
		      "docker://HOST/REPOSITORY:TAG, a layout oci:DIRECTORY:TAG",
		      text);
	return NULL;
}

static CamImageTransport *
open_containerd(const CamLocation *location, gboolean writable, const CamTransportOptions *options,
		GCancellable *cancellable, GError **error)
{
	if (options != NULL && options->open_containerd != NULL)
		return options->open_containerd(location, writable, options, cancellable, error);
	cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
		      "containerd cannot be reached from here: export the image with "
		      "`ctr images export` and import the archive");
	return NULL;
}

CamImageTransport *
cam_image_transport_open(const CamLocation *location, gboolean writable,
			 const CamTransportOptions *options, GCancellable *cancellable,
			 GError **error)
{
	static const CamTransportOpener openers[] = {
		[CAM_TRANSPORT_STORE] = open_store,
		[CAM_TRANSPORT_REGISTRY] = cam_registry_open,
		[CAM_TRANSPORT_OCI_LAYOUT] = cam_oci_layout_open,
		[CAM_TRANSPORT_OCI_ARCHIVE] = cam_oci_archive_open,
		[CAM_TRANSPORT_DOCKER_ARCHIVE] = cam_docker_archive_open,
		[CAM_TRANSPORT_CONTAINERD] = open_containerd,
	};

	return openers[location->transport](location, writable, options, cancellable, error);
}

const CamLocation *
cam_image_transport_get_location(CamImageTransport *self)
{
	return PRIVATE(self)->location;
}

CamProgress *
cam_image_transport_get_progress(CamImageTransport *self)
{
	return PRIVATE(self)->progress;
}

int
cam_image_transport_get_cache_dirfd(CamImageTransport *self)
{
	return PRIVATE(self)->cache_dirfd;
}

gboolean
cam_image_transport_is_writable(CamImageTransport *self)
{
	return PRIVATE(self)->writable && CAM_IMAGE_TRANSPORT_GET_CLASS(self)->put_blob != NULL;
}

static gboolean
check_writable(CamImageTransport *self, GError **error)
{
	g_autofree char *text = NULL;

	if (cam_image_transport_is_writable(self))
		return TRUE;
	text = cam_location_to_string(PRIVATE(self)->location);
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s is open for reading only",
			     text);
}

/* ---- names ---- */

/* Lower case, and one "-" for whatever cannot stand in a repository name. */
static char *
make_repository(const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *base = g_path_get_basename(absolute);
	g_autofree char *name = g_ascii_strdown(base, -1);
	GString *made = g_string_new(NULL);

	for (const char *c = name; *c != '\0'; c++) {
		if (g_ascii_isalnum(*c))
			g_string_append_c(made, *c);
		else if (made->len > 0 && g_ascii_isalnum(made->str[made->len - 1]))
			g_string_append_c(made, strchr("._-", *c) != NULL ? *c : '-');
	}
	while (made->len > 0 && !g_ascii_isalnum(made->str[made->len - 1]))
		g_string_truncate(made, made->len - 1);
	if (made->len == 0)
		g_string_append(made, "image");
	return g_string_free(made, FALSE);
}

static char *
name_from_path(const CamLocation *location, const char *reference)
{
	static const char *const suffixes[] = { ".tar.gz", ".tar.zst", ".tgz", ".tar" };
	g_autofree char *path = g_strdup(location->path);
	g_autofree char *repository = NULL;

	for (gsize i = 0;
	     location->transport != CAM_TRANSPORT_OCI_LAYOUT && i < G_N_ELEMENTS(suffixes); i++) {
		if (g_str_has_suffix(path, suffixes[i]))
			path[strlen(path) - strlen(suffixes[i])] = '\0';
	}
	repository = make_repository(path);
	if (reference != NULL && cam_digest_is_valid(reference))
		return g_strconcat(repository, "@", reference, NULL);
	return g_strconcat(repository, ":", cam_tag_is_valid(reference) ? reference : "latest",
			   NULL);
}

/* A name with a slash or colon that parses is one that somebody gave on purpose. */
static char *
as_full_name(const char *name)
{
	g_autoptr(CamReference) parsed = NULL;

	if (name == NULL || strpbrk(name, "/:") == NULL)
		return NULL;
	parsed = cam_reference_parse(name, NULL);
	return parsed != NULL ? cam_reference_to_string(parsed) : NULL;
}

char *
cam_image_transport_suggest_name(CamImageTransport *self, const char *reference)
{
	CamImageTransportClass *klass = CAM_IMAGE_TRANSPORT_GET_CLASS(self);
	const CamLocation *location = PRIVATE(self)->location;
	g_autofree char *own = klass->get_name != NULL ? klass->get_name(self, reference) : NULL;
	char *full;

	if (location->reference != NULL)
		return cam_reference_to_string(location->reference);
	full = as_full_name(own);
	if (full == NULL)
		full = as_full_name(reference);
	return full != NULL ? full : name_from_path(location, reference != NULL ? reference : own);
}

/* ---- reading ---- */

GBytes *
cam_image_transport_get_manifest(CamImageTransport *self, const char *reference, char **media_type,
				 GCancellable *cancellable, GError **error)
{
	g_autofree char *type = NULL;
	g_autofree char *actual = NULL;
	g_autoptr(CamHasher) hasher = NULL;
	g_autoptr(GBytes) bytes = CAM_IMAGE_TRANSPORT_GET_CLASS(self)->get_manifest(
		self, reference, &type, cancellable, error);

	if (bytes == NULL)
		return NULL;
	if (reference != NULL && cam_digest_is_valid(reference)) {
		hasher = cam_hasher_new_for(reference, error);
		cam_hasher_update(hasher, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
		actual = cam_hasher_finish(hasher);
		if (!g_str_equal(actual, reference)) {
			cam_set_error(error, CAM_ERROR_DATA_LOSS,
				      "manifest %s hashes to %s: it was damaged or replaced",
				      reference, actual);
			return NULL;
		}
	}
	if (media_type != NULL)
		*media_type = g_steal_pointer(&type);
	return g_steal_pointer(&bytes);
}

gboolean
cam_image_transport_resolve_tag(CamImageTransport *self, const char *tag, char **digest,
				GCancellable *cancellable, GError **error)
{
	*digest = NULL;
	return CAM_IMAGE_TRANSPORT_GET_CLASS(self)->resolve_tag(self, tag, digest, cancellable,
								error);
}

GInputStream *
cam_image_transport_open_blob_unverified(CamImageTransport *self, const CamDescriptor *descriptor,
					 GCancellable *cancellable, GError **error)
{
	if (!cam_digest_check(descriptor->digest, error))
		return NULL;
	return CAM_IMAGE_TRANSPORT_GET_CLASS(self)->open_blob(self, descriptor, cancellable, error);
}

GInputStream *
cam_image_transport_open_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			      GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream =
		cam_image_transport_open_blob_unverified(self, descriptor, cancellable, error);

	if (stream == NULL)
		return NULL;
	return cam_verify_stream_new(stream, descriptor->digest, descriptor->size, error);
}

gboolean
cam_image_transport_holds_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			       GCancellable *cancellable)
{
	CamImageTransportClass *klass = CAM_IMAGE_TRANSPORT_GET_CLASS(self);
	g_autoptr(GInputStream) stream = NULL;

	if (!cam_digest_is_valid(descriptor->digest))
		return FALSE;
	if (klass->holds_blob != NULL)
		return klass->holds_blob(self, descriptor, cancellable);
	stream = klass->open_blob(self, descriptor, cancellable, NULL);
	return stream != NULL;
}

void
cam_image_transport_expect_blobs(CamImageTransport *self, const GPtrArray *descriptors)
{
	CamImageTransportClass *klass = CAM_IMAGE_TRANSPORT_GET_CLASS(self);

	if (klass->expect_blobs != NULL)
		klass->expect_blobs(self, descriptors);
}

GBytes *
cam_image_transport_get_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			     gsize max_size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream = NULL;
	GBytes *bytes;

	if (descriptor->size > (gint64) MIN(max_size, (gsize) G_MAXINT32)) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "%s has %" G_GINT64_FORMAT " bytes: at most %zu are read here",
			      descriptor->digest, descriptor->size, max_size);
		return NULL;
	}
	stream = cam_image_transport_open_blob(self, descriptor, cancellable, error);
	if (stream == NULL)
		return NULL;
	bytes = cam_stream_read_bytes(stream, max_size, descriptor->digest, cancellable, error);
	cam_image_transport_forget_part(self, descriptor);
	return bytes;
}

/* ---- parts of downloads ---- */

static char *
part_name(const CamDescriptor *descriptor)
{
	return g_strconcat(cam_digest_hex(descriptor->digest), ".part", NULL);
}

GInputStream *
cam_image_transport_cached_stream(CamImageTransport *self, const CamDescriptor *descriptor,
				  CamStreamOpener open, gpointer user_data, GDestroyNotify destroy,
				  GError **error)
{
	CamImageTransportPrivate *priv = PRIVATE(self);
	g_autofree char *name = part_name(descriptor);

	if (priv->cache_dirfd < 0 || descriptor->size < MIN_PART_SIZE)
		return cam_resuming_stream_new(0, descriptor->size, open, user_data, destroy);
	return cam_part_stream_new(priv->cache_dirfd, name, descriptor->size, FALSE, open,
				   user_data, destroy, error);
}

gboolean
cam_image_transport_has_part(CamImageTransport *self, const CamDescriptor *descriptor)
{
	CamImageTransportPrivate *priv = PRIVATE(self);
	g_autofree char *name = part_name(descriptor);

	return priv->cache_dirfd >= 0 &&
	       faccessat(priv->cache_dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void
cam_image_transport_forget_part(CamImageTransport *self, const CamDescriptor *descriptor)
{
	CamImageTransportPrivate *priv = PRIVATE(self);
	g_autofree char *name = part_name(descriptor);

	if (priv->cache_dirfd >= 0)
		unlinkat(priv->cache_dirfd, name, 0);
}

/* ---- writing ---- */

gboolean
cam_image_transport_has_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			     const char *mount_from, gboolean *present, GCancellable *cancellable,
			     GError **error)
{
	*present = FALSE;
	return cam_digest_check(descriptor->digest, error) && check_writable(self, error) &&
	       CAM_IMAGE_TRANSPORT_GET_CLASS(self)->has_blob(self, descriptor, mount_from, present,
							     cancellable, error);
}

gboolean
cam_image_transport_put_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			     GInputStream *content, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) verified = NULL;

	if (!check_writable(self, error))
		return FALSE;
	verified = cam_verify_stream_new(content, descriptor->digest, descriptor->size, error);
	if (verified == NULL)
		return FALSE;
	g_filter_input_stream_set_close_base_stream(G_FILTER_INPUT_STREAM(verified), FALSE);
	return CAM_IMAGE_TRANSPORT_GET_CLASS(self)->put_blob(self, descriptor, verified,
							     cancellable, error);
}

gboolean
cam_image_transport_put_manifest(CamImageTransport *self, GBytes *bytes, const char *media_type,
				 const char *tag, GCancellable *cancellable, GError **error)
{
	if (!check_writable(self, error))
		return FALSE;
	if (g_bytes_get_size(bytes) > CAM_MANIFEST_MAX_SIZE)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "a manifest has at most %d bytes", CAM_MANIFEST_MAX_SIZE);
	return CAM_IMAGE_TRANSPORT_GET_CLASS(self)->put_manifest(self, bytes, media_type, tag,
								 cancellable, error);
}

gboolean
cam_image_transport_commit(CamImageTransport *self, GCancellable *cancellable, GError **error)
{
	return check_writable(self, error) &&
	       CAM_IMAGE_TRANSPORT_GET_CLASS(self)->commit(self, cancellable, error);
}
