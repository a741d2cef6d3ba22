/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/base/progress.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/transport/location.h"

G_BEGIN_DECLS

/**
 * CamImageTransport:
 *
 * A place that images are read from and written to: one implementation each for registry, OCI
 * layout, OCI archive, docker-archive (and containerd). To be used in the thread that opened it.
 * Everything read is verified against its digest before it is returned or, for streams, before
 * the end of the stream is reported; only cam_image_transport_open_blob_unverified() leaves that
 * to its caller.
 */
#define CAM_TYPE_IMAGE_TRANSPORT (cam_image_transport_get_type())
G_DECLARE_DERIVABLE_TYPE(CamImageTransport, cam_image_transport, CAM, IMAGE_TRANSPORT, GObject)

struct _CamImageTransportClass {
	GObjectClass parent_class;

	/* Bytes of a manifest or index. @reference is a digest, a tag or NULL (what the location
	 * names; where a layout holds several images and none is named: INVALID_ARGUMENT that
	 * lists them). *@media_type is never NULL on success. NOT_FOUND names what there is. */
	GBytes *(*get_manifest)(CamImageTransport *self, const char *reference, char **media_type,
				GCancellable *cancellable, GError **error);

	/* The digest that @tag has now, (nullable) NULL without error where there is none. */
	gboolean (*resolve_tag)(CamImageTransport *self, const char *tag, char **digest,
				GCancellable *cancellable, GError **error);

	/* A stream over a blob from byte 0, not verified: the wrappers do that. It survives broken
	 * connections (Range). Foreign layers come from their "urls" where the location does not
	 * have them. */
	GInputStream *(*open_blob)(CamImageTransport *self, const CamDescriptor *descriptor,
				   GCancellable *cancellable, GError **error);

	/* (nullable): these blobs are going to be opened, perhaps in another order. (element-type
	 * CamDescriptor) */
	void (*expect_blobs)(CamImageTransport *self, const GPtrArray *descriptors);

	/* Whether the place shows that it has this blob, without reading it; (nullable): by opening
	 * it. */
	gboolean (*holds_blob)(CamImageTransport *self, const CamDescriptor *descriptor,
			       GCancellable *cancellable);

	/* (nullable): the full name that the location itself gives the image, if it does so. */
	char *(*get_name)(CamImageTransport *self, const char *reference);

	/* Writing; NULL slots mean a read-only transport. */

	/* Whether the blob need not be sent. Registries try a cross-repository mount if
	 * @mount_from (nullable, a repository of the same host) is given. */
	gboolean (*has_blob)(CamImageTransport *self, const CamDescriptor *descriptor,
			     const char *mount_from, gboolean *present, GCancellable *cancellable,
			     GError **error);
	/* Reads @content to its end; size and digest must be as @descriptor says. */
	gboolean (*put_blob)(CamImageTransport *self, const CamDescriptor *descriptor,
			     GInputStream *content, GCancellable *cancellable, GError **error);
	/* @tag (nullable): also name it so. Children (blobs, manifests of an index) come first.
	 * A refusal to overwrite an immutable tag is ALREADY_EXISTS and says so. */
	gboolean (*put_manifest)(CamImageTransport *self, GBytes *bytes, const char *media_type,
				 const char *tag, GCancellable *cancellable, GError **error);
	/* Makes what was put visible at once (archives are written here and renamed into place;
	 * a layout's index.json is replaced under a lock). Without it nothing has happened. */
	gboolean (*commit)(CamImageTransport *self, GCancellable *cancellable, GError **error);
};

typedef struct _CamTransportOptions CamTransportOptions;

/* Opens @location, or makes it if @writable. What @options points to outlives the call only where
 * it is copied. */
typedef CamImageTransport *(*CamTransportOpener)(const CamLocation *location, gboolean writable,
						 const CamTransportOptions *options,
						 GCancellable *cancellable, GError **error);

struct _CamTransportOptions {
	gboolean insecure;     /* plain HTTP and unverified TLS also beyond localhost */
	const char *auth_file; /* (nullable): instead of the usual auth.json / config.json */
	int cache_dirfd;       /* where parts of downloads are kept for resumption, and temporary
				* files; or -1 (or 0) */
	CamProgress *progress; /* (nullable) */
	/* (nullable): for containerd://, which this room does not reach itself: it knows no gRPC */
	CamTransportOpener open_containerd;
	const char *containerd; /* (nullable): containerd's socket, for that opener */
};

/**
 * cam_image_transport_open:
 * @writable: whether it shall be written to; a layout or archive is then created if absent
 *
 * %CAM_ERROR_INVALID_ARGUMENT for a location of the store itself.
 */
CamImageTransport *cam_image_transport_open(const CamLocation *location, gboolean writable,
					    const CamTransportOptions *options,
					    GCancellable *cancellable, GError **error);

/**
 * cam_image_transport_suggest_name:
 * @reference: (nullable): as for get_manifest
 *
 * Returns: (transfer full): what the image is to be called in the store where nobody says: of a
 *     registry host/repository:tag; of layouts and archives the full reference that they name it
 *     by, else `<name of the directory or file>:<tag>`, made valid
 */
char *cam_image_transport_suggest_name(CamImageTransport *self, const char *reference);
gboolean cam_image_transport_is_writable(CamImageTransport *self);
const CamLocation *cam_image_transport_get_location(CamImageTransport *self);

/* One wrapper a slot, with the checks that all implementations share. */
GBytes *
cam_image_transport_get_manifest(CamImageTransport *self, const char *reference, char **media_type,
				 GCancellable *cancellable, GError **error);
gboolean cam_image_transport_resolve_tag(CamImageTransport *self, const char *tag, char **digest,
					 GCancellable *cancellable, GError **error);
GInputStream *
cam_image_transport_open_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			      GCancellable *cancellable, GError **error);
/* What of an image is going to be opened: lets an archive read it in one pass. */
void cam_image_transport_expect_blobs(CamImageTransport *self, const GPtrArray *descriptors);
/* Whether the place shows that it has this blob: who knows what it holds need not read it then, but
 * must not do without it. A place is believed about what it has. */
gboolean cam_image_transport_holds_blob(CamImageTransport *self, const CamDescriptor *descriptor,
					GCancellable *cancellable);
/* For one who hashes the bytes anyway (cam_store_import_layer()): nothing is hashed here. */
GInputStream *
cam_image_transport_open_blob_unverified(CamImageTransport *self, const CamDescriptor *descriptor,
					 GCancellable *cancellable, GError **error);
/* Whether options->cache_dirfd keeps a part of this blob; forgetting it: it is in the store, or it
 * was wrong. */
gboolean cam_image_transport_has_part(CamImageTransport *self, const CamDescriptor *descriptor);
void cam_image_transport_forget_part(CamImageTransport *self, const CamDescriptor *descriptor);
GBytes *cam_image_transport_get_blob(CamImageTransport *self, const CamDescriptor *descriptor,
				     gsize max_size, GCancellable *cancellable, GError **error);
gboolean cam_image_transport_has_blob(CamImageTransport *self, const CamDescriptor *descriptor,
				      const char *mount_from, gboolean *present,
				      GCancellable *cancellable, GError **error);
gboolean
cam_image_transport_put_blob(CamImageTransport *self, const CamDescriptor *descriptor,
			     GInputStream *content, GCancellable *cancellable, GError **error);
gboolean
cam_image_transport_put_manifest(CamImageTransport *self, GBytes *bytes, const char *media_type,
				 const char *tag, GCancellable *cancellable, GError **error);
gboolean
cam_image_transport_commit(CamImageTransport *self, GCancellable *cancellable, GError **error);

/* For implementations' constructors. */
void cam_image_transport_set_up(CamImageTransport *self, const CamLocation *location,
				gboolean writable, const CamTransportOptions *options);

G_END_DECLS
