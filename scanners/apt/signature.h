/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/apt/apt-sources.h"

G_BEGIN_DECLS

/**
 * cam_apt_signature_verify_inline:
 * @signed_text: an InRelease file
 * @directory: where temporary files may be made
 * @signers: (out) (optional): fingerprints of the primary keys of the good signatures, parted by
 *     spaces
 *
 * Returns: what the signature covers, and nothing else of @signed_text; NULL with
 *     %CAM_ERROR_PERMISSION_DENIED where no key that @source trusts has signed it, and with
 *     %CAM_ERROR_FAILED_PRECONDITION where gpgv is not installed or the machine's clock is behind
 *     the signature
 */
GBytes *cam_apt_signature_verify_inline(const CamAptSource *source, GBytes *signed_text,
					const char *directory, char **signers,
					GCancellable *cancellable, GError **error);

/* The same for a Release file and its Release.gpg. */
gboolean cam_apt_signature_verify_detached(const CamAptSource *source, GBytes *text,
					   GBytes *signature, const char *directory, char **signers,
					   GCancellable *cancellable, GError **error);

/* The text of gpgv's --status-fd. @signed_by: (nullable): as in CamAptSource; fingerprints in it
 * restrict whose signature counts. @keyrings is for the message; @now: seconds since 1970. */
gboolean
cam_apt_signature_check_status(const char *status, const char *signed_by, const char *keyrings,
			       gint64 now, char **signers, GError **error);

G_END_DECLS
