/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One image of containerd: into the store, through the engine. When and which is others' concern.
 */
#include "plugin/daemon/image-scanner.h"

#include <string.h>

#include "plugin/settings.h"

struct _CamImageScanner {
	CamStore *store;
	const CamConfig *config;
	CamTransportOptions transport;
};

CamImageScanner *
cam_image_scanner_new(CamStore *store, const CamConfig *config,
		      const CamTransportOptions *transport)
{
	CamImageScanner *self = g_new0(CamImageScanner, 1);

	self->store = g_object_ref(store);
	self->config = config;
	self->transport = *transport;
	return self;
}

void
cam_image_scanner_free(CamImageScanner *self)
{
	if (self == NULL)
		return;
	g_object_unref(self->store);
	g_free(self);
}

char *
cam_image_scanner_database(CamImageScanner *self)
{
	g_autofree char *path =
		g_build_filename(cam_store_get_path(self->store), "advisories.db", NULL);
	g_autoptr(CamAdvisoryDb) advisories = NULL;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return g_strdup("");
	advisories = cam_advisory_db_open(path, NULL);
	return g_strdup(advisories != NULL ? cam_advisory_db_get_version(advisories) : "");
}

/* NULL where there is none of that name or digest. */
static CamImage *
find_image(CamImageScanner *self, const char *name)
{
	return cam_store_get_image(self->store, name, NULL);
}

static gboolean
is_taken(CamImageScanner *self, const char *name)
{
	g_autoptr(CamImage) image = find_image(self, name);

	return image != NULL && strcmp(image->name, name) == 0;
}

/* Under which name the image may be put: its own if it is free or ours, else that of its digest. */
static char *
choose_name(CamImageScanner *self, const CamVerdict *verdict, const CamReference *reference)
{
	g_autofree char *own = cam_reference_to_string(reference);

	if (g_strcmp0(verdict->store_name, own) == 0 || !is_taken(self, own))
		return g_steal_pointer(&own);
	return g_strdup_printf("%s%s%s@%s", reference->host != NULL ? reference->host : "",
			       reference->host != NULL ? "/" : "", reference->repository,
			       verdict->manifest_digest);
}

static CamImage *
import_image(CamImageScanner *self, CamVerdict *verdict, GCancellable *cancellable, GError **error)
{
	g_autofree char *text =
		g_strdup_printf("containerd://%s/%s", verdict->name_space, verdict->name);
	g_autoptr(CamLocation) location = cam_location_parse(text, error);
	g_autofree char *name = NULL;
	CamImportOptions options = {
		.limits = cam_settings_layer_limits(self->config),
		.transport = self->transport,
		.replace = TRUE,
	};
	CamImage *image;

	if (location == NULL)
		return NULL;
	name = choose_name(self, verdict, location->reference);
	options.name = name;
	image = cam_image_import(self->store, location, &options, NULL, cancellable, error);
	if (image == NULL)
		return NULL;
	g_free(verdict->store_name);
	verdict->store_name = g_steal_pointer(&name);
	return image;
}

static gboolean
put_name(CamImageScanner *self, const char *name, const CamImage *image, GError **error)
{
	return cam_store_put_image(self->store, name, image->manifest->digest, image->index_digest,
				   image->source, image->base_name, TRUE, error);
}

/* One that is free, for an image that the store has from elsewhere. */
static gboolean
add_name(CamImageScanner *self, CamVerdict *verdict, const CamImage *image, GError **error)
{
	g_autoptr(CamReference) reference = cam_reference_parse(verdict->name, NULL);
	g_autofree char *own = reference != NULL ? cam_reference_to_string(reference) : NULL;

	if (own == NULL || is_taken(self, own))
		return TRUE;
	if (!put_name(self, own, image, error))
		return FALSE;
	verdict->store_name = g_steal_pointer(&own);
	return TRUE;
}

gboolean
cam_image_scanner_keep_name(CamImageScanner *self, CamVerdict *verdict, GError **error)
{
	g_autoptr(CamImage) image = find_image(self, verdict->manifest_digest);
	g_autoptr(CamImage) named = NULL;

	if (image == NULL)
		return TRUE;
	if (verdict->store_name == NULL)
		return add_name(self, verdict, image, error);
	/* Who removed it from the store has his reasons. */
	named = find_image(self, verdict->store_name);
	if (named == NULL || strcmp(named->manifest->digest, verdict->manifest_digest) == 0)
		return TRUE;
	return put_name(self, verdict->store_name, image, error);
}

gboolean
cam_image_scanner_scan(CamImageScanner *self, CamVerdict *verdict, GCancellable *cancellable,
		       GError **error)
{
	CamScanOptions options = {
		.unknown_counts_as = cam_settings_unknown_counts_as(self->config),
	};
	g_autoptr(CamStoreHold) hold = cam_store_hold(self->store, cancellable, error);
	g_autoptr(CamImage) image = NULL;
	g_autoptr(CamScanEngine) engine = NULL;
	g_autoptr(CamScanResult) result = NULL;
	g_autofree char *database = NULL;

	if (hold == NULL)
		return FALSE;
	image = find_image(self, verdict->manifest_digest);
	if (image == NULL)
		image = import_image(self, verdict, cancellable, error);
	if (image == NULL)
		return FALSE;
	engine = cam_scan_engine_new(self->store, error);
	if (engine == NULL)
		return FALSE;
	/* What changes meanwhile makes the verdict stale, not wrong. */
	database = g_strdup(cam_advisory_db_get_version(cam_scan_engine_get_advisories(engine)));
	result = cam_scan_engine_scan(engine, image, &options, NULL, cancellable, error);
	if (result == NULL)
		return FALSE;
	cam_verdict_set_result(verdict, result, database);
	return TRUE;
}
