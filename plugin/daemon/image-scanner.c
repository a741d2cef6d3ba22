/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One image of containerd: into the store, through the engine. When and which is others' concern.
 */
#include "plugin/daemon/image-scanner.h"

#include <string.h>

#include "plugin/look-up.h"
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

/* ---- names ---- */

/* (nullable): of an image whose name in containerd is one of the store too; containerd takes others
 * as well, and CRI's digests are no names for people. */
static CamReference *
parse_name(const CamVerdict *verdict)
{
	return cam_digest_is_valid(verdict->name) ? NULL : cam_reference_parse(verdict->name, NULL);
}

/* A repository that reminds of a name that is no reference; the digest behind it tells images
 * apart. */
static char *
similar_repository(const char *name)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);
	g_autoptr(CamReference) reference =
		cam_digest_is_valid(name) ? NULL : cam_reference_parse(lower, NULL);

	if (reference == NULL)
		return g_strdup("unnamed");
	return g_strdup_printf("%s%s%s", reference->host != NULL ? reference->host : "",
			       reference->host != NULL ? "/" : "", reference->repository);
}

/* Under which name the image may be put: its own if it is free or ours, else that of its digest. */
static char *
choose_name(CamImageScanner *self, const CamVerdict *verdict)
{
	g_autoptr(CamReference) reference = parse_name(verdict);
	g_autofree char *own = reference != NULL ? cam_reference_to_string(reference) : NULL;
	g_autofree char *repository = NULL;

	if (own != NULL && (g_strcmp0(verdict->store_name, own) == 0 || !is_taken(self, own)))
		return g_steal_pointer(&own);
	repository = similar_repository(verdict->name);
	return g_strdup_printf("%s@%s", repository, verdict->manifest_digest);
}

/* ---- import ---- */

/* What containerd has no reference for is read by its digest. */
static CamLocation *
find_location(const CamVerdict *verdict, GError **error)
{
	g_autoptr(CamReference) reference = parse_name(verdict);
	g_autofree char *repository = NULL, *text = NULL;

	if (reference != NULL) {
		text = g_strdup_printf("containerd://%s/%s", verdict->name_space, verdict->name);
	} else {
		repository = similar_repository(verdict->name);
		text = g_strdup_printf("containerd://%s/%s@%s", verdict->name_space, repository,
				       verdict->target);
	}
	return cam_location_parse(text, error);
}

static CamImage *
import_image(CamImageScanner *self, CamVerdict *verdict, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamLocation) location = find_location(verdict, error);
	g_autofree char *name = NULL;
	CamImportOptions options = {
		.limits = cam_settings_layer_limits(self->config),
		.transport = self->transport,
		.replace = TRUE,
	};
	g_autoptr(CamImage) image = NULL;

	if (location == NULL)
		return NULL;
	name = choose_name(self, verdict);
	options.name = name;
	image = cam_image_import(self->store, location, &options, NULL, cancellable, error);
	if (image == NULL)
		return NULL;
	g_free(verdict->store_name);
	verdict->store_name = g_steal_pointer(&name);
	/* A verdict is about what was looked at, whatever the name stands for by now. */
	if (strcmp(image->manifest->digest, verdict->manifest_digest) == 0)
		return g_steal_pointer(&image);
	cam_set_error(error, CAM_ERROR_ABORTED,
		      "%s stands for another image than a moment ago: it is looked at again",
		      verdict->name);
	return NULL;
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
	g_autoptr(CamReference) reference = parse_name(verdict);
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

/* ---- scanning ---- */

/* What one scan takes. */
typedef struct {
	CamStoreHold *hold;
	CamImage *image;
	CamScanEngine *engine;
} Scan;

static void
scan_clear(Scan *self)
{
	g_clear_object(&self->engine);
	g_clear_pointer(&self->image, cam_image_free);
	g_clear_pointer(&self->hold, cam_store_release);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_clear)

static gboolean
begin(CamImageScanner *self, CamVerdict *verdict, Scan *scan, GCancellable *cancellable,
      GError **error)
{
	scan->hold = cam_store_hold(self->store, cancellable, error);
	if (scan->hold == NULL)
		return FALSE;
	scan->image = find_image(self, verdict->manifest_digest);
	if (scan->image == NULL)
		scan->image = import_image(self, verdict, cancellable, error);
	if (scan->image == NULL)
		return FALSE;
	scan->engine = cam_scan_engine_new(self->store, error);
	if (scan->engine == NULL)
		return FALSE;
	cam_scan_engine_set_limits(scan->engine, &self->config->scan_limits);
	return TRUE;
}

/* What the policy accepts is asked for when the policy decides. */
static CamScanResult *
judge(CamImageScanner *self, CamVerdict *verdict, const Scan *scan, GCancellable *cancellable,
      GError **error)
{
	CamScanOptions options = {
		.unknown_counts_as = cam_settings_unknown_counts_as(self->config),
	};
	/* What changes meanwhile makes the verdict stale, not wrong. */
	g_autofree char *database =
		g_strdup(cam_advisory_db_get_version(cam_scan_engine_get_advisories(scan->engine)));
	CamScanResult *result =
		cam_scan_engine_scan(scan->engine, scan->image, &options, NULL, cancellable, error);

	if (result != NULL)
		cam_verdict_set_result(verdict, result, database);
	return result;
}

gboolean
cam_image_scanner_scan(CamImageScanner *self, CamVerdict *verdict, GCancellable *cancellable,
		       GError **error)
{
	g_auto(Scan) scan = { 0 };
	g_autoptr(CamScanResult) result = NULL;

	if (!begin(self, verdict, &scan, cancellable, error))
		return FALSE;
	result = judge(self, verdict, &scan, cancellable, error);
	return result != NULL;
}

gboolean
cam_image_scanner_look_up(CamImageScanner *self, CamVerdict *verdict, GCancellable *cancellable,
			  GError **error)
{
	g_auto(Scan) scan = { 0 };
	CamLookUp look_up = { .config = self->config, .store = self->store };
	g_autoptr(CamScanResult) before = NULL, after = NULL;

	if (!begin(self, verdict, &scan, cancellable, error))
		return FALSE;
	look_up.engine = scan.engine;
	before = judge(self, verdict, &scan, cancellable, error);
	if (before == NULL || !cam_look_up_is_wanted(before))
		return before != NULL;
	verdict->looked_up_at = g_get_real_time();
	if (!cam_look_up(&look_up, scan.image, before, cancellable, error))
		return FALSE;
	after = judge(self, verdict, &scan, cancellable, error);
	return after != NULL;
}
