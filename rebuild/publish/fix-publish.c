/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Naming a fixed image and writing it back. How images are written is the snapshotter's; here is
 * decided where, under which name, and whether that name is free.
 */
#include "rebuild/publish/fix-publish.h"

#include "rebuild/publish/fix-name.h"

#define DEFAULT_SUFFIX "_fix"

typedef struct {
	CamStore *store;
	const CamImage *original;
	CamImage *fixed;
	const CamFixOptions *options;
	CamProgress *progress;
	GCancellable *cancellable;
	CamReference *name;	   /* of the original */
	const CamLocation *source; /* (nullable): where the original came from */
} Publication;

typedef enum {
	PLACE_FREE,
	PLACE_SAME, /* this very image */
	PLACE_TAKEN,
} Place;

/* ---- is it free? ---- */

static Place
probe_store(Publication *self, const char *name)
{
	g_autoptr(CamImage) present = cam_store_get_image(self->store, name, NULL);

	/* A name of the store may also be matched as a prefix of a digest: only names count. */
	if (present == NULL || g_strcmp0(present->name, name) != 0)
		return PLACE_FREE;
	return g_str_equal(present->manifest->digest, self->fixed->manifest->digest) ? PLACE_SAME
										     : PLACE_TAKEN;
}

/* Layers that had to be compressed anew make another manifest, yet the same config. */
static gboolean
is_same_image(Publication *self, GBytes *bytes, const char *media_type)
{
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	g_autoptr(CamManifest) manifest = NULL;

	if (g_str_equal(digest, self->fixed->manifest->digest) ||
	    g_strcmp0(digest, self->fixed->index_digest) == 0)
		return TRUE;
	if (!cam_media_type_is_manifest(media_type))
		return FALSE;
	manifest = cam_manifest_parse(bytes, media_type, NULL);
	return manifest != NULL &&
	       g_str_equal(manifest->config->digest, self->fixed->config->digest);
}

static gboolean
probe_location(Publication *self, const CamLocation *location, Place *place, GError **error)
{
	g_autoptr(CamImageTransport) transport = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) local = NULL;
	g_autofree char *media_type = NULL;

	transport = cam_image_transport_open(location, FALSE, &self->options->transport,
					     self->cancellable, &local);
	if (transport != NULL)
		bytes = cam_image_transport_get_manifest(transport, NULL, &media_type,
							 self->cancellable, &local);
	if (bytes != NULL) {
		*place = is_same_image(self, bytes, media_type) ? PLACE_SAME : PLACE_TAKEN;
		return TRUE;
	}
	*place = PLACE_FREE;
	if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* ---- writing ---- */

static gboolean
send_blob(Publication *self, CamImageTransport *transport, const CamDescriptor *blob,
	  GError **error)
{
	g_autoptr(GInputStream) content = NULL;
	gboolean present = FALSE;

	if (!cam_image_transport_has_blob(transport, blob, NULL, &present, self->cancellable,
					  error))
		return FALSE;
	if (present)
		return TRUE;
	content = cam_store_open_blob(self->store, blob->digest, NULL, error);
	return content != NULL &&
	       cam_image_transport_put_blob(transport, blob, content, self->cancellable, error);
}

/* Where the original's index and its other children are: only what is new is sent, and the tag
 * moves once, to the new index. */
static gboolean
write_index(Publication *self, const CamLocation *location, GError **error)
{
	const CamManifest *manifest = self->fixed->manifest;
	g_autoptr(CamImageTransport) transport = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamIndex) index = NULL;
	const char *tag = location->reference != NULL ? location->reference->tag : location->name;

	bytes = cam_store_get_blob(self->store, self->fixed->index_digest, CAM_MANIFEST_MAX_SIZE,
				   error);
	index = bytes != NULL ? cam_index_parse(bytes, NULL, error) : NULL;
	if (index == NULL)
		return FALSE;
	transport = cam_image_transport_open(location, TRUE, &self->options->transport,
					     self->cancellable, error);
	if (transport == NULL || !send_blob(self, transport, manifest->config, error))
		return FALSE;
	for (guint i = 0; i < manifest->layers->len; i++) {
		if (!send_blob(self, transport, manifest->layers->pdata[i], error))
			return FALSE;
	}
	return cam_image_transport_put_manifest(transport, manifest->bytes, manifest->media_type,
						NULL, self->cancellable, error) &&
	       cam_image_transport_put_manifest(transport, index->bytes, index->media_type, tag,
						self->cancellable, error) &&
	       cam_image_transport_commit(transport, self->cancellable, error);
}

static gboolean
write_image(Publication *self, const CamLocation *location, GError **error)
{
	CamExportOptions options = {
		.replace = self->options->overwrite,
		.transport = self->options->transport,
	};
	g_auto(CamExportResult) result = { 0 };

	return cam_image_export(self->store, self->fixed, location, &options, self->progress,
				&result, self->cancellable, error);
}

static gboolean
same_place(const CamLocation *a, const CamLocation *b)
{
	if (a == NULL || a->transport != b->transport || g_strcmp0(a->path, b->path) != 0 ||
	    g_strcmp0(a->name_space, b->name_space) != 0)
		return FALSE;
	if (a->reference == NULL || b->reference == NULL)
		return a->reference == b->reference;
	return g_strcmp0(a->reference->host, b->reference->host) == 0 &&
	       g_str_equal(a->reference->repository, b->reference->repository);
}

/* *@place is what was found; nothing is written unless it was free or may be overwritten. */
static gboolean
write_to(Publication *self, const CamLocation *location, Place *place, GError **error)
{
	g_autoptr(GError) local = NULL;
	gboolean written;

	if (!probe_location(self, location, place, error))
		return FALSE;
	if (*place == PLACE_SAME || (*place == PLACE_TAKEN && !self->options->overwrite))
		return TRUE;
	if (self->fixed->index_digest != NULL && same_place(self->source, location))
		written = write_index(self, location, &local);
	else
		written = write_image(self, location, &local);
	if (written) {
		*place = PLACE_SAME;
		return TRUE;
	}
	if (g_error_matches(local, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS)) {
		/* Somebody was faster, or the tag is immutable. */
		*place = PLACE_TAKEN;
		if (!self->options->overwrite)
			return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* ---- which name? ---- */

/* (nullable): the place for this attempt. */
static gboolean
choose_location(Publication *self, const char *suffix, guint attempt, CamLocation **location,
		GError **error)
{
	*location = NULL;
	if (self->options->store_only)
		return TRUE;
	if (self->options->destination != NULL) {
		*location = cam_location_copy(self->options->destination);
		return TRUE;
	}
	if (self->source == NULL || self->source->transport == CAM_TRANSPORT_STORE)
		return TRUE;
	*location = cam_fix_location(self->source, self->name, suffix, attempt,
				     self->options->overwrite, error);
	return *location != NULL;
}

static gboolean
record(Publication *self, const char *name, const char *source, GError **error)
{
	CamImage *fixed = self->fixed;

	if (!cam_store_put_image(self->store, name, fixed->manifest->digest, fixed->index_digest,
				 source, self->original->name, self->options->overwrite, error))
		return FALSE;
	g_free(fixed->name);
	fixed->name = g_strdup(name);
	g_free(fixed->source);
	fixed->source = g_strdup(source);
	return TRUE;
}

/* One name. *@done stays FALSE if it is taken. */
static gboolean
attempt_name(Publication *self, const char *suffix, guint attempt, gboolean *done,
	     char **written_to, GError **error)
{
	g_autoptr(CamReference) reference = NULL;
	g_autoptr(CamLocation) location = NULL;
	g_autofree char *name = NULL, *place_name = NULL;
	Place place;

	*done = FALSE;
	if (self->options->overwrite)
		reference = cam_reference_copy(self->name);
	else
		reference = cam_fix_name(self->name, suffix, attempt, error);
	if (reference == NULL)
		return FALSE;
	name = cam_reference_to_string(reference);
	if (probe_store(self, name) == PLACE_TAKEN && !self->options->overwrite)
		return TRUE;
	if (!choose_location(self, suffix, attempt, &location, error))
		return FALSE;
	if (location != NULL) {
		place_name = cam_location_to_string(location);
		if (!write_to(self, location, &place, error))
			return cam_error_translate(error, "cannot write the fixed image to %s",
						   place_name);
		if (place == PLACE_TAKEN && self->options->destination != NULL)
			return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
					     "%s is another image; name another destination or"
					     " overwrite it",
					     place_name);
		if (place == PLACE_TAKEN)
			return TRUE;
	}
	if (!record(self, name, place_name, error))
		return FALSE;
	*written_to = g_steal_pointer(&place_name);
	*done = TRUE;
	return TRUE;
}

gboolean
cam_fix_publish(CamStore *store, const CamImage *original, CamImage *fixed,
		const CamFixOptions *options, char **written_to, CamProgress *progress,
		GCancellable *cancellable, GError **error)
{
	const char *suffix = options->suffix != NULL ? options->suffix : DEFAULT_SUFFIX;
	g_autoptr(CamReference) name = cam_reference_parse(original->name, error);
	g_autoptr(CamLocation) source = NULL;
	Publication self = { store, original, fixed, options, progress, cancellable, name };
	gboolean done = FALSE;

	*written_to = NULL;
	if (name == NULL)
		return FALSE;
	if (original->source != NULL) {
		source = cam_location_parse(original->source, error);
		if (source == NULL)
			return FALSE;
	}
	self.source = source;
	for (guint attempt = 0; !done && attempt < CAM_FIX_NAME_ATTEMPTS; attempt++) {
		if (!attempt_name(&self, suffix, attempt, &done, written_to, error))
			return FALSE;
	}
	if (!done)
		return cam_set_error(
			error, CAM_ERROR_ALREADY_EXISTS,
			"all names from %s%s to %s%s%u are taken; choose another suffix",
			original->name, suffix, original->name, suffix, CAM_FIX_NAME_ATTEMPTS);
	return TRUE;
}
