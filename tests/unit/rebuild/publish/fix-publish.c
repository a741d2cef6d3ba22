/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and places of fixed images, with a real store and real layouts. */
#include "rebuild/publish/fix-publish.h"

#include <string.h>

#include "tests/unit/rebuild/publish/fixture.h"

static const CamFixOptions plain = { .transport = { .cache_dirfd = -1 } };
static const CamFixOptions overwriting = { .overwrite = TRUE, .transport = { .cache_dirfd = -1 } };

/* The digest under a tag of the layout, or NULL. */
static char *
tag_digest(Fixture *self, const char *tag)
{
	g_autofree char *location = g_strdup_printf("oci:%s:%s", self->layout, tag);
	g_autoptr(CamImageTransport) transport = fixture_open(location, FALSE);
	g_autoptr(GError) error = NULL;
	char *digest = NULL;

	cam_image_transport_resolve_tag(transport, tag, &digest, NULL, &error);
	g_assert_no_error(error);
	return digest;
}

static void
publish(Fixture *self, CamImage *fixed, const CamFixOptions *options, const char *name,
	const char *tag)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImage) stored = NULL;
	g_autofree char *written_to = NULL, *digest = NULL, *expected = NULL;
	const char *written =
		fixed->index_digest != NULL ? fixed->index_digest : fixed->manifest->digest;

	cam_fix_publish(self->store, self->image, fixed, options, &written_to, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(fixed->name, ==, name);
	stored = cam_store_get_image(self->store, name, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(stored->manifest->digest, ==, fixed->manifest->digest);
	g_assert_cmpstr(stored->base_name, ==, "shop:1.0");
	expected = g_strdup_printf("oci:%s:%s", self->layout, tag);
	g_assert_cmpstr(written_to, ==, expected);
	g_assert_cmpstr(stored->source, ==, expected);
	digest = tag_digest(self, tag);
	g_assert_cmpstr(digest, ==, written);
}

static void
test_names(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamImage) first = NULL, same = NULL, second = NULL;
	g_autofree char *original = NULL;

	fixture_init(&self, NULL);
	first = fixture_fix(&self, "one");
	publish(&self, first, &plain, "shop:1.0_fix", "1.0_fix");
	/* The same once more is finished work. */
	same = fixture_fix(&self, "one");
	g_assert_cmpstr(same->manifest->digest, ==, first->manifest->digest);
	publish(&self, same, &plain, "shop:1.0_fix", "1.0_fix");
	second = fixture_fix(&self, "two");
	publish(&self, second, &plain, "shop:1.0_fix2", "1.0_fix2");
	original = tag_digest(&self, "1.0");
	g_assert_cmpstr(original, ==, self.image->manifest->digest);
}

/* A process that was killed between writing and recording; and a tag that only others know. */
static void
test_place_knows_more(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamImage) first = NULL, second = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&self, NULL);
	first = fixture_fix(&self, "one");
	publish(&self, first, &plain, "shop:1.0_fix", "1.0_fix");
	cam_store_remove_image(self.store, "shop:1.0_fix", &error);
	g_assert_no_error(error);
	second = fixture_fix(&self, "two");
	publish(&self, second, &plain, "shop:1.0_fix2", "1.0_fix2");
	publish(&self, first, &plain, "shop:1.0_fix", "1.0_fix");
}

static void
test_overwrite(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamImage) fixed = NULL;
	g_autofree char *none = NULL;

	fixture_init(&self, NULL);
	fixed = fixture_fix(&self, "one");
	publish(&self, fixed, &overwriting, "shop:1.0", "1.0");
	none = tag_digest(&self, "1.0_fix");
	g_assert_null(none);
}

static void
test_store_only(void)
{
	CamFixOptions options = plain;
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamImage) fixed = NULL;
	g_autofree char *written_to = NULL, *none = NULL;
	g_autoptr(GError) error = NULL;

	options.store_only = TRUE;
	options.suffix = "-patched";
	fixture_init(&self, NULL);
	fixed = fixture_fix(&self, "one");
	cam_fix_publish(self.store, self.image, fixed, &options, &written_to, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_null(written_to);
	g_assert_cmpstr(fixed->name, ==, "shop:1.0-patched");
	none = tag_digest(&self, "1.0-patched");
	g_assert_null(none);
}

static void
test_destination(void)
{
	CamFixOptions options = plain;
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamImage) first = NULL, second = NULL;
	g_autofree char *text = NULL, *written_to = NULL, *again = NULL;
	g_autoptr(CamLocation) location = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&self, NULL);
	text = g_strdup_printf("oci:%s/elsewhere:healed", self.dir);
	location = cam_location_parse(text, &error);
	g_assert_no_error(error);
	options.destination = location;
	first = fixture_fix(&self, "one");
	cam_fix_publish(self.store, self.image, first, &options, &written_to, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(written_to, ==, text);
	/* Another image there: a destination that was named is not exchanged for another. */
	second = fixture_fix(&self, "two");
	g_assert_false(cam_fix_publish(self.store, self.image, second, &options, &again, NULL, NULL,
				       &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
}

/* ---- an image of an index ---- */

static GBytes *
make_index(const CamManifest *manifest)
{
	g_autofree char *text = g_strdup_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX
		"\",\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu,"
		"\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}}]}",
		manifest->media_type, manifest->digest, g_bytes_get_size(manifest->bytes));

	return g_bytes_new(text, strlen(text));
}

static void
test_index(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamImage) fixed = NULL, again = NULL;

	fixture_init(&self, make_index);
	fixed = fixture_fix(&self, "one");
	g_assert_nonnull(fixed->index_digest);
	g_assert_cmpstr(fixed->index_digest, !=, self.image->index_digest);
	publish(&self, fixed, &plain, "shop:1.0_fix", "1.0_fix");
	again = fixture_fix(&self, "one");
	publish(&self, again, &plain, "shop:1.0_fix", "1.0_fix");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fix-publish/names", test_names);
	g_test_add_func("/fix-publish/place-knows-more", test_place_knows_more);
	g_test_add_func("/fix-publish/overwrite", test_overwrite);
	g_test_add_func("/fix-publish/store-only", test_store_only);
	g_test_add_func("/fix-publish/destination", test_destination);
	g_test_add_func("/fix-publish/index", test_index);
	return g_test_run();
}
