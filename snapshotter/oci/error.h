/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CamError:
 *
 * The one error domain of Cambium. The codes mirror containerd's errdefs (and so gRPC's status
 * codes), which makes the mapping to gRPC, HTTP and the exit code of the command line one table
 * each. Every `GError` that leaves a Cambium function is of this domain: errors of libraries are
 * translated where they enter (see cam_error_translate()).
 */
typedef enum {
	CAM_ERROR_UNKNOWN,	       /* nothing better is known */
	CAM_ERROR_CANCELLED,	       /* the caller's GCancellable was cancelled */
	CAM_ERROR_INVALID_ARGUMENT,    /* the caller's input is wrong, whatever the state */
	CAM_ERROR_NOT_FOUND,	       /* the named thing does not exist */
	CAM_ERROR_ALREADY_EXISTS,      /* the named thing exists and would be replaced */
	CAM_ERROR_PERMISSION_DENIED,   /* known caller, not allowed */
	CAM_ERROR_UNAUTHENTICATED,     /* unknown caller: credentials missing or refused */
	CAM_ERROR_RESOURCE_EXHAUSTED,  /* disk full, or a cap of ours was reached */
	CAM_ERROR_FAILED_PRECONDITION, /* right request, wrong state */
	CAM_ERROR_ABORTED,	       /* lost a race; trying again may work */
	CAM_ERROR_UNIMPLEMENTED,       /* valid, but this build or kernel cannot do it */
	CAM_ERROR_UNAVAILABLE,	       /* a peer cannot be reached now; trying again may work */
	CAM_ERROR_DATA_LOSS,	       /* bytes are not what their digest says */
	CAM_ERROR_INTERNAL,	       /* an invariant of ours is broken */
} CamError;

#define CAM_ERROR (cam_error_quark())

GQuark cam_error_quark(void);

/**
 * cam_error_code_name:
 *
 * Returns: (transfer none): the code's name in lower case with dashes ("not-found")
 */
const char *cam_error_code_name(CamError code);

/**
 * cam_error_from_errno:
 *
 * Returns: the code that stands for @errnum: ENOENT is NOT_FOUND, ENOSPC and EDQUOT are
 *     RESOURCE_EXHAUSTED, EACCES and EPERM are PERMISSION_DENIED, …
 */
CamError cam_error_from_errno(int errnum);

/**
 * cam_set_error_errno:
 * @errnum: a value of errno, saved by the caller right after the failing call
 * @format: what could not be done ("cannot open %s"); ": " and the system's text are appended
 *
 * Always returns FALSE, so that `return cam_set_error_errno(error, errno, …)` reads well.
 */
gboolean
cam_set_error_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/**
 * cam_set_error:
 *
 * g_set_error() in the Cambium domain that always returns FALSE.
 */
gboolean cam_set_error(GError **error, CamError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/**
 * cam_error_translate:
 * @error: (inout) (nullable): an error of any domain
 * @format: (nullable): context to put before the message, "context: message"
 *
 * Turns a foreign error (GIO, libostree, json-glib, …) into one of %CAM_ERROR, by its domain and
 * code; an error that is of this domain already keeps its code and only gains the context.
 * Always returns FALSE.
 */
gboolean cam_error_translate(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
