/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images to and from the real containerd. */
#include "plugin/containerd/containerd-transport.h"

#include <fcntl.h>
#include <string.h>

#include "plugin/containerd/containerd-content.h"
#include "plugin/containerd/containerd-images.h"
#include "tests/unit/plugin/containerd/real-containerd.h"

#define LAYER "this counts as a layer"
#define PLACE "containerd://default/registry.example.org/shop:"

typedef struct {
	char *config;
	CamDescriptor *config_blob, *layer;
	GBytes *manifest;
	char *digest;
} Image;

static CamDescriptor *
describe(const char *media_type, const char *text)
{
	g_autofree char *digest = cam_digest_for_data(text, strlen(text));

	return cam_descriptor_new(media_type, digest, (gint64) strlen(text));
}

static void
image_init(Image *self, const char *config)
{
	g_autofree char *text = NULL;

	self->config = g_strdup(config);
	self->config_blob = describe(CAM_MEDIA_TYPE_OCI_CONFIG, config);
	self->layer = describe(CAM_MEDIA_TYPE_OCI_LAYER, LAYER);
	text = g_strdup_printf(
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":"
		"%" G_GINT64_FORMAT "},\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
		"\"size\":%" G_GINT64_FORMAT "}]}",
		self->config_blob->media_type, self->config_blob->digest, self->config_blob->size,
		self->layer->media_type, self->layer->digest, self->layer->size);
	self->manifest = g_bytes_new(text, strlen(text));
	self->digest = cam_digest_for_bytes(self->manifest);
}

static void
image_clear(Image *self)
{
	g_free(self->config);
	cam_descriptor_free(self->config_blob);
	cam_descriptor_free(self->layer);
	g_bytes_unref(self->manifest);
	g_free(self->digest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Image, image_clear)

static CamImageTransport *
open_place(RealContainerd *real, const char *place, gboolean writable, GError **error)
{
	g_autoptr(CamLocation) location = cam_location_parse(place, error);
	CamTransportOptions options = { .open_containerd = cam_containerd_transport_open,
					.containerd = real->socket };

	g_assert_nonnull(location);
	return cam_image_transport_open(location, writable, &options, NULL, error);
}

static void
put_text(CamImageTransport *transport, const CamDescriptor *descriptor, const char *text)
{
	g_autoptr(GInputStream) content =
		g_memory_input_stream_new_from_data(text, (gssize) strlen(text), NULL);
	g_autoptr(GError) error = NULL;
	gboolean present = FALSE;

	g_assert_true(
		cam_image_transport_has_blob(transport, descriptor, NULL, &present, NULL, &error));
	g_assert_no_error(error);
	if (present)
		return;
	g_assert_true(cam_image_transport_put_blob(transport, descriptor, content, NULL, &error));
	g_assert_no_error(error);
}

static void
put_content(CamImageTransport *transport, const Image *image, const char *tag)
{
	g_autoptr(GError) error = NULL;

	put_text(transport, image->layer, LAYER);
	put_text(transport, image->config_blob, image->config);
	g_assert_true(cam_image_transport_put_manifest(
		transport, image->manifest, CAM_MEDIA_TYPE_OCI_MANIFEST, tag, NULL, &error));
	g_assert_no_error(error);
}

static gboolean
has(RealContainerd *real, const char *digest)
{
	g_autoptr(CamContentInfo) info =
		cam_containerd_get_content_info(real->client, "default", digest, NULL, NULL);

	return info != NULL;
}

/* Runs containerd's garbage collection. */
static void
collect(RealContainerd *real)
{
	g_autoptr(CamDescriptor) target = describe(CAM_MEDIA_TYPE_OCI_MANIFEST, "{}");

	g_assert_true(cam_containerd_create_image(real->client, "default", NULL, "rubbish:1",
						  target, NULL, NULL, NULL));
	g_assert_true(cam_containerd_delete_image(real->client, "default", "rubbish:1", TRUE, NULL,
						  NULL));
}

/* ---- writing ---- */

static void
check_uncommitted(RealContainerd *real, const Image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_place(real, PLACE "1.0", TRUE, &error);

	g_assert_no_error(error);
	put_content(transport, image, "1.0");
	collect(real);
	g_assert_true(has(real, image->digest));
	g_assert_true(has(real, image->layer->digest));
	g_clear_object(&transport);
	collect(real);
	g_assert_false(has(real, image->digest));
	g_assert_false(has(real, image->layer->digest));
}

static void
check_committed(RealContainerd *real, const Image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_place(real, PLACE "1.0", TRUE, &error);
	g_autoptr(CamContainerdImage) record = NULL;
	g_autofree char *digest = NULL;

	g_assert_no_error(error);
	g_assert_true(cam_image_transport_resolve_tag(transport, "1.0", &digest, NULL, &error));
	g_assert_null(digest);
	put_content(transport, image, "1.0");
	g_assert_true(cam_image_transport_commit(transport, NULL, &error));
	g_assert_no_error(error);
	collect(real);
	g_assert_true(has(real, image->digest));
	g_assert_true(has(real, image->layer->digest));
	g_assert_true(has(real, image->config_blob->digest));
	record = cam_containerd_get_image(real->client, "default", "registry.example.org/shop:1.0",
					  NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(record->target->digest, ==, image->digest);
	g_assert_cmpuint(g_hash_table_size(record->labels), ==, 0);
}

/* The kubelet's images carry CRI's label, and have a second name. */
static void
check_kubernetes(RealContainerd *real, const Image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamContainerdImage) record = NULL, by_id = NULL;
	g_autoptr(CamImageTransport) transport = NULL;

	g_assert_null(open_place(real, "containerd://k9s.io/shop:1.0", TRUE, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_test_message("%s", error->message);
	g_clear_error(&error);
	transport = open_place(real, "containerd://k8s.io/shop:1.0", TRUE, &error);
	g_assert_no_error(error);
	put_content(transport, image, "1.0");
	g_assert_true(cam_image_transport_commit(transport, NULL, &error));
	g_assert_no_error(error);
	record = cam_containerd_get_image(real->client, "k8s.io", "shop:1.0", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(g_hash_table_lookup(record->labels, "io.cri-containerd.image"), ==,
			"managed");
	by_id = cam_containerd_get_image(real->client, "k8s.io", image->config_blob->digest, NULL,
					 &error);
	g_assert_no_error(error);
	g_assert_cmpstr(g_hash_table_lookup(by_id->labels, "io.cri-containerd.image"), ==,
			"managed");
	g_assert_cmpstr(by_id->target->digest, ==, image->digest);
}

static void
check_replacing(RealContainerd *real, const Image *first, const Image *second)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) careful = open_place(real, PLACE "2.0", TRUE, &error);
	g_autoptr(CamImageTransport) other = open_place(real, PLACE "2.0", TRUE, &error);
	g_autofree char *digest = NULL;

	/* A name that was free when it was looked at is not taken from others. */
	g_assert_true(cam_image_transport_resolve_tag(careful, "2.0", &digest, NULL, &error));
	g_assert_null(digest);
	put_content(careful, first, "2.0");
	put_content(other, second, "2.0");
	g_assert_true(cam_image_transport_commit(other, NULL, &error));
	g_assert_no_error(error);
	g_assert_false(cam_image_transport_commit(careful, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	/* Known to be another one, it is replaced; and that again is nothing. */
	g_assert_true(cam_image_transport_resolve_tag(careful, "2.0", &digest, NULL, &error));
	g_assert_cmpstr(digest, ==, second->digest);
	g_assert_true(cam_image_transport_commit(careful, NULL, &error));
	g_assert_no_error(error);
	g_free(g_steal_pointer(&digest));
	g_assert_true(cam_image_transport_resolve_tag(other, "2.0", &digest, NULL, &error));
	g_assert_cmpstr(digest, ==, first->digest);
}

/* ---- reading ---- */

static void
check_reading(RealContainerd *real, const Image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_place(real, PLACE "1.0", FALSE, &error);
	g_autoptr(CamImageTransport) by_digest = NULL;
	g_autofree char *media_type = NULL, *place = NULL, *name = NULL;
	g_autoptr(GBytes) own = NULL, again = NULL, blob = NULL, direct = NULL;
	g_autoptr(CamDescriptor) absent = describe("text/plain", "absent");

	own = cam_image_transport_get_manifest(transport, NULL, &media_type, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(own, image->manifest));
	g_assert_cmpstr(media_type, ==, CAM_MEDIA_TYPE_OCI_MANIFEST);
	again = cam_image_transport_get_manifest(transport, image->digest, NULL, NULL, &error);
	g_assert_no_error(error);
	blob = cam_image_transport_get_blob(transport, image->layer, 1000, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(blob, NULL), g_bytes_get_size(blob), LAYER, strlen(LAYER));
	name = cam_image_transport_suggest_name(transport, NULL);
	g_assert_cmpstr(name, ==, "registry.example.org/shop:1.0");

	place = g_strconcat("containerd://default/any@", image->digest, NULL);
	by_digest = open_place(real, place, FALSE, &error);
	direct = cam_image_transport_get_manifest(by_digest, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(direct, image->manifest));

	g_assert_null(cam_image_transport_get_blob(transport, absent, 1000, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, absent->digest));
	g_clear_error(&error);
	g_assert_null(cam_image_transport_get_manifest(transport, "1.1", NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "did you mean"));
}

/* containerd's clients need not name a tag. */
static void
check_untagged(RealContainerd *real, const Image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDescriptor) target =
		cam_descriptor_new(CAM_MEDIA_TYPE_OCI_MANIFEST, image->digest,
				   (gint64) g_bytes_get_size(image->manifest));
	g_autoptr(CamImageTransport) transport = NULL;
	g_autoptr(GBytes) bytes = NULL;

	g_assert_true(cam_containerd_create_image(real->client, "default", NULL, "untagged", target,
						  NULL, NULL, &error));
	transport = open_place(real, "containerd://default/untagged", FALSE, &error);
	bytes = cam_image_transport_get_manifest(transport, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(bytes, image->manifest));
}

static void
check_damage(RealContainerd *real, const Image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_place(real, PLACE "1.0", FALSE, &error);
	g_autofree char *path =
		g_build_filename(cam_containerd_get_content_root(real->client, NULL), "blobs",
				 "sha256", cam_digest_hex(image->digest), NULL);
	int fd;

	g_assert_cmpint(g_chmod(path, 0600), ==, 0);
	fd = open(path, O_WRONLY);
	g_assert_cmpint(pwrite(fd, "[", 1, 0), ==, 1);
	close(fd);
	g_assert_null(cam_image_transport_get_manifest(transport, NULL, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_assert_nonnull(strstr(error->message, image->digest));
}

static void
test_real(void)
{
	g_auto(Image) first = { 0 };
	g_auto(Image) second = { 0 };
	RealContainerd real;

	image_init(&first, "{\"config\":1}");
	image_init(&second, "{\"config\":2}");
	if (!real_containerd_start(&real))
		return;
	check_uncommitted(&real, &first);
	check_committed(&real, &first);
	check_kubernetes(&real, &first);
	check_replacing(&real, &first, &second);
	check_reading(&real, &first);
	check_untagged(&real, &first);
	check_damage(&real, &first);
	real_containerd_stop(&real);
}

static void
test_unreachable(void)
{
	RealContainerd none = { .socket = (char *) "/nonexistent/s" };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamLocation) location = cam_location_parse(PLACE "1.0", &error);
	g_autoptr(CamImageTransport) transport = open_place(&none, PLACE "1.0", FALSE, &error);
	g_autofree char *digest = NULL;

	g_assert_no_error(error);
	g_assert_null(cam_image_transport_get_manifest(transport, NULL, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_clear_error(&error);
	g_assert_false(cam_image_transport_resolve_tag(transport, "1.0", &digest, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_clear_error(&error);
	/* Without somebody who opens it. */
	g_assert_null(cam_image_transport_open(location, FALSE, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/containerd-transport/real", test_real);
	g_test_add_func("/containerd-transport/unreachable", test_unreachable);
	return g_test_run();
}
