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

/* Under which name the image may be put: its own if it is free or ours, else that of its digest. */
static char *
choose_name(CamImageScanner *self, const CamVerdict *verdict, const CamReference *reference)
{
	g_autofree char *own = cam_reference_to_string(reference);
	g_autoptr(CamImage) taken = find_image(self, own);

	if (taken == NULL || strcmp(taken->name, own) != 0 ||
	    g_strcmp0(verdict->store_name, own) == 0)
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

gboolean
cam_image_scanner_move_name(CamImageScanner *self, const CamVerdict *verdict, GError **error)
{
	g_autoptr(CamImage) named = NULL, image = NULL;

	if (verdict->store_name == NULL)
		return TRUE;
	named = find_image(self, verdict->store_name);
	if (named == NULL || strcmp(named->manifest->digest, verdict->manifest_digest) == 0)
		return TRUE;
	image = find_image(self, verdict->manifest_digest);
	return image == NULL || cam_store_put_image(self->store, verdict->store_name,
						    image->manifest->digest, image->index_digest,
						    image->source, image->base_name, TRUE, error);
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
