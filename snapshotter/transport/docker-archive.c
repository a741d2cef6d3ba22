/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Archives of `docker save`. They hold no manifests: one is made from the config and the layers,
 * which need not be hashed for it where they are uncompressed, for then their digests are the
 * config's diffIDs (and whoever reads them is told if that is not so). An archive is written as a
 * whole: one that is there is replaced, together with whatever other images it held.
 */
#include <string.h>

#include "snapshotter/base/compression.h"
#include "snapshotter/oci/image-config.h"
#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest.h"
#include "snapshotter/transport/archive-members.h"
#include "snapshotter/transport/archive-output.h"
#include "snapshotter/transport/docker-manifest.h"
#include "snapshotter/transport/image-transport-private.h"

#define MANIFEST     "manifest.json"
#define REPOSITORIES "repositories"
#define HASH_SIZE    (256 * 1024)

#define CAM_TYPE_DOCKER_ARCHIVE (cam_docker_archive_get_type())
G_DECLARE_FINAL_TYPE(CamDockerArchive, cam_docker_archive, CAM, DOCKER_ARCHIVE, CamImageTransport)

struct _CamDockerArchive {
	CamImageTransport parent_instance;
	CamArchiveMembers *members; /* (nullable): of an archive that was there */
	GPtrArray *images;	    /* (nullable) (element-type CamDockerImage): in it */
	GHashTable *manifests;	    /* digest → GBytes: those that were made */
	GHashTable *blobs;	    /* digest → name of a member */
	CamArchiveOutput *output;   /* (nullable): of one that is being written */
	GPtrArray *written;	    /* (element-type CamDockerImage) */
};

G_DEFINE_FINAL_TYPE(CamDockerArchive, cam_docker_archive, CAM_TYPE_IMAGE_TRANSPORT)

static const char *
name_or_default(CamDockerArchive *self, const char *reference)
{
	return reference != NULL
		       ? reference
		       : cam_image_transport_get_location(CAM_IMAGE_TRANSPORT(self))->name;
}

/* ---- reading ---- */

/* What is about to be read: the layers, in whatever order they lie in the archive. */
static void
expect_layers(CamDockerArchive *self, const CamDockerImage *image)
{
	int dirfd = cam_image_transport_get_cache_dirfd(CAM_IMAGE_TRANSPORT(self));
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (dirfd < 0)
		return;
	for (guint i = 0; i < image->layers->len; i++)
		g_ptr_array_add(names, g_ptr_array_index(image->layers, i));
	g_ptr_array_add(names, NULL);
	cam_archive_members_expect(self->members, (const char *const *) names->pdata, dirfd);
}

static char *
hash_member(CamDockerArchive *self, const char *member, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream =
		cam_archive_members_open_member(self->members, member, cancellable, error);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_autofree char *buffer = g_malloc(HASH_SIZE);
	gssize n;

	if (stream == NULL)
		return NULL;
	while ((n = g_input_stream_read(stream, buffer, HASH_SIZE, cancellable, error)) > 0)
		cam_hasher_update(hasher, buffer, (gsize) n);
	if (n < 0) {
		cam_error_translate(error, "%s", member);
		return NULL;
	}
	return cam_hasher_finish(hasher);
}

static const char *
layer_media_type(CamCompression compression)
{
	switch (compression) {
	case CAM_COMPRESSION_GZIP:
		return CAM_MEDIA_TYPE_OCI_LAYER_GZIP;
	case CAM_COMPRESSION_ZSTD:
		return CAM_MEDIA_TYPE_OCI_LAYER_ZSTD;
	case CAM_COMPRESSION_NONE:
	case CAM_COMPRESSION_AUTO:
		break;
	}
	return CAM_MEDIA_TYPE_OCI_LAYER;
}

static CamDescriptor *
describe_layer(CamDockerArchive *self, const char *member, const char *diff_id,
	       GCancellable *cancellable, GError **error)
{
	CamCompression compression;
	g_autofree char *digest = NULL;
	gsize n = 0;
	const guint8 *head = cam_archive_members_get_head(self->members, member, &n);

	if (head == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "the archive lacks %s", member);
		return NULL;
	}
	compression = cam_compression_guess(head, n);
	digest = compression == CAM_COMPRESSION_NONE
			 ? g_strdup(diff_id)
			 : hash_member(self, member, cancellable, error);
	if (digest == NULL)
		return NULL;
	g_hash_table_replace(self->blobs, g_strdup(digest), g_strdup(member));
	return cam_descriptor_new(layer_media_type(compression), digest,
				  cam_archive_members_get_size(self->members, member));
}

static CamImageConfig *
read_config(CamDockerArchive *self, const CamDockerImage *image, GCancellable *cancellable,
	    GError **error)
{
	g_autoptr(CamImageConfig) config = NULL;
	g_autoptr(GBytes) bytes = cam_archive_members_read(
		self->members, image->config, CAM_MANIFEST_MAX_SIZE, cancellable, error);

	config = bytes != NULL ? cam_image_config_parse(bytes, error) : NULL;
	if (config == NULL)
		return NULL;
	if (config->diff_ids->len != image->layers->len) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "the archive has %u layers but the config names %u diffIDs",
			      image->layers->len, config->diff_ids->len);
		return NULL;
	}
	g_hash_table_replace(self->blobs, g_strdup(config->digest), g_strdup(image->config));
	return g_steal_pointer(&config);
}

static GBytes *
make_manifest(CamDockerArchive *self, const CamDockerImage *image, GCancellable *cancellable,
	      GError **error)
{
	g_autoptr(CamImageConfig) config = read_config(self, image, cancellable, error);
	g_autoptr(CamDescriptor) of_config = NULL;
	g_autoptr(JsonObject) json = json_object_new();
	JsonArray *layers;

	if (config == NULL)
		return NULL;
	expect_layers(self, image);
	of_config = cam_descriptor_new(CAM_MEDIA_TYPE_OCI_CONFIG, config->digest,
				       (gint64) g_bytes_get_size(config->bytes));
	json_object_set_int_member(json, "schemaVersion", 2);
	json_object_set_string_member(json, "mediaType", CAM_MEDIA_TYPE_OCI_MANIFEST);
	json_object_set_object_member(json, "config", json_object_ref(of_config->json));
	layers = json_array_new();
	json_object_set_array_member(json, "layers", layers);
	for (guint i = 0; i < image->layers->len; i++) {
		g_autoptr(CamDescriptor) layer =
			describe_layer(self, g_ptr_array_index(image->layers, i),
				       g_ptr_array_index(config->diff_ids, i), cancellable, error);

		if (layer == NULL)
			return NULL;
		json_array_add_object_element(layers, json_object_ref(layer->json));
	}
	return cam_json_to_bytes(json);
}

static GBytes *
docker_archive_get_manifest(CamImageTransport *transport, const char *reference, char **media_type,
			    GCancellable *cancellable, GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	const char *name = name_or_default(self, reference);
	GBytes *bytes = name != NULL ? g_hash_table_lookup(self->manifests, name) : NULL;
	const CamDockerImage *image;

	if (bytes == NULL && self->images == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "the archive is being written");
		return NULL;
	}
	if (bytes == NULL) {
		image = cam_docker_manifest_find(self->images, name, error);
		bytes = image != NULL ? make_manifest(self, image, cancellable, error) : NULL;
		if (bytes == NULL)
			return NULL;
		g_hash_table_replace(self->manifests, cam_digest_for_bytes(bytes), bytes);
	}
	*media_type = g_strdup(CAM_MEDIA_TYPE_OCI_MANIFEST);
	return g_bytes_ref(bytes);
}

static gboolean
docker_archive_resolve_tag(CamImageTransport *transport, const char *tag, char **digest,
			   GCancellable *cancellable, GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	g_autofree char *media_type = NULL;
	g_autoptr(GBytes) bytes = NULL;

	if (self->images == NULL || cam_docker_manifest_find(self->images, tag, NULL) == NULL)
		return TRUE;
	bytes = docker_archive_get_manifest(transport, tag, &media_type, cancellable, error);
	if (bytes == NULL)
		return FALSE;
	*digest = cam_digest_for_bytes(bytes);
	return TRUE;
}

static GInputStream *
docker_archive_open_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			 GCancellable *cancellable, GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	const char *member = g_hash_table_lookup(self->blobs, descriptor->digest);

	if (self->members == NULL || member == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "the archive has no blob %s",
			      descriptor->digest);
		return NULL;
	}
	return cam_archive_members_open_member(self->members, member, cancellable, error);
}

static gboolean
docker_archive_holds_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			  GCancellable *cancellable)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	const char *member = g_hash_table_lookup(self->blobs, descriptor->digest);

	return self->members != NULL && member != NULL &&
	       cam_archive_members_has(self->members, member);
}

static char *
docker_archive_get_name(CamImageTransport *transport, const char *reference)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	const CamDockerImage *image =
		self->images != NULL ? cam_docker_manifest_find(
					       self->images, name_or_default(self, reference), NULL)
				     : NULL;

	return image != NULL && image->tags->len > 0 ? g_strdup(g_ptr_array_index(image->tags, 0))
						     : NULL;
}

/* ---- writing ---- */

static gboolean
docker_archive_has_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			const char *mount_from, gboolean *present, GCancellable *cancellable,
			GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	const char *member = g_hash_table_lookup(self->blobs, descriptor->digest);

	*present = member != NULL && cam_archive_output_has(self->output, member);
	return TRUE;
}

static gboolean
docker_archive_put_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
			GInputStream *content, GCancellable *cancellable, GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	gboolean is_layer = cam_media_type_is_layer(descriptor->media_type);
	g_autofree char *member =
		g_strconcat(cam_digest_hex(descriptor->digest), is_layer ? ".tar" : ".json", NULL);

	if (is_layer &&
	    cam_compression_for_media_type(descriptor->media_type) != CAM_COMPRESSION_NONE)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a docker-archive holds uncompressed layers, not %s",
				     descriptor->media_type);
	if (!cam_archive_output_add_stream(self->output, member, content,
					   (guint64) descriptor->size, cancellable, error))
		return FALSE;
	g_hash_table_replace(self->blobs, g_strdup(descriptor->digest), g_steal_pointer(&member));
	return TRUE;
}

static const char *
member_of(CamDockerArchive *self, const CamDescriptor *descriptor, GError **error)
{
	const char *member = g_hash_table_lookup(self->blobs, descriptor->digest);

	if (member != NULL && cam_archive_output_has(self->output, member))
		return member;
	cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
		      "the manifest names blob %s, which was not written", descriptor->digest);
	return NULL;
}

static gboolean
docker_archive_put_manifest(CamImageTransport *transport, GBytes *bytes, const char *media_type,
			    const char *tag, GCancellable *cancellable, GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	g_autoptr(CamDockerImage) image = cam_docker_image_new();
	g_autoptr(CamManifest) manifest = NULL;

	if (cam_media_type_is_index(media_type))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a docker-archive holds no indexes");
	manifest = cam_manifest_parse(bytes, media_type, error);
	if (manifest == NULL)
		return FALSE;
	image->config = g_strdup(member_of(self, manifest->config, error));
	if (image->config == NULL)
		return FALSE;
	for (guint i = 0; i < manifest->layers->len; i++) {
		const char *member = member_of(self, g_ptr_array_index(manifest->layers, i), error);

		if (member == NULL)
			return FALSE;
		g_ptr_array_add(image->layers, g_strdup(member));
	}
	if (tag != NULL)
		g_ptr_array_add(image->tags, g_strdup(tag));
	g_ptr_array_add(self->written, g_steal_pointer(&image));
	return TRUE;
}

static gboolean
docker_archive_commit(CamImageTransport *transport, GCancellable *cancellable, GError **error)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(transport);
	g_autoptr(GBytes) manifest = cam_docker_manifest_write(self->written);
	g_autoptr(GBytes) repositories = cam_docker_manifest_write_repositories(self->written);

	return cam_archive_output_add_bytes(self->output, MANIFEST, manifest, error) &&
	       cam_archive_output_add_bytes(self->output, REPOSITORIES, repositories, error) &&
	       cam_archive_output_commit(self->output, error);
}

/* ---- life ---- */

static void
cam_docker_archive_finalize(GObject *object)
{
	CamDockerArchive *self = CAM_DOCKER_ARCHIVE(object);

	g_clear_pointer(&self->members, cam_archive_members_close);
	g_clear_pointer(&self->images, g_ptr_array_unref);
	g_hash_table_unref(self->manifests);
	g_hash_table_unref(self->blobs);
	g_clear_pointer(&self->output, cam_archive_output_free);
	g_ptr_array_unref(self->written);
	G_OBJECT_CLASS(cam_docker_archive_parent_class)->finalize(object);
}

static void
cam_docker_archive_class_init(CamDockerArchiveClass *klass)
{
	CamImageTransportClass *transport = CAM_IMAGE_TRANSPORT_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_docker_archive_finalize;
	transport->get_manifest = docker_archive_get_manifest;
	transport->resolve_tag = docker_archive_resolve_tag;
	transport->open_blob = docker_archive_open_blob;
	transport->holds_blob = docker_archive_holds_blob;
	transport->get_name = docker_archive_get_name;
	transport->has_blob = docker_archive_has_blob;
	transport->put_blob = docker_archive_put_blob;
	transport->put_manifest = docker_archive_put_manifest;
	transport->commit = docker_archive_commit;
}

static void
cam_docker_archive_init(CamDockerArchive *self)
{
	self->manifests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify) g_bytes_unref);
	self->blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->written = g_ptr_array_new_with_free_func((GDestroyNotify) cam_docker_image_free);
}

static gboolean
open_existing(CamDockerArchive *self, const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) manifest = NULL;

	self->members = cam_archive_members_open(path, cancellable, error);
	if (self->members == NULL)
		return FALSE;
	if (!cam_archive_members_has(self->members, MANIFEST))
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"%s is not a docker-archive, or cut off: it holds no " MANIFEST, path);
	manifest = cam_archive_members_read(self->members, MANIFEST, CAM_MANIFEST_MAX_SIZE,
					    cancellable, error);
	self->images = manifest != NULL ? cam_docker_manifest_parse(manifest, error) : NULL;
	return self->images != NULL || cam_error_translate(error, "not a docker-archive");
}

CamImageTransport *
cam_docker_archive_open(const CamLocation *location, gboolean writable,
			const CamTransportOptions *options, GCancellable *cancellable,
			GError **error)
{
	g_autoptr(CamDockerArchive) self = g_object_new(CAM_TYPE_DOCKER_ARCHIVE, NULL);

	cam_image_transport_set_up(CAM_IMAGE_TRANSPORT(self), location, writable, options);
	if ((!writable || g_file_test(location->path, G_FILE_TEST_EXISTS)) &&
	    !open_existing(self, location->path, cancellable, error))
		return NULL;
	if (!writable)
		return CAM_IMAGE_TRANSPORT(g_steal_pointer(&self));
	self->output = cam_archive_output_new(location->path, error);
	return self->output != NULL ? CAM_IMAGE_TRANSPORT(g_steal_pointer(&self)) : NULL;
}
