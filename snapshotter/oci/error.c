/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error domain: names of its codes and the tables that translate foreign codes into it. Where
 * Cambium's codes go on to (gRPC, HTTP, exit codes) belongs to those who speak these.
 */
#include "snapshotter/oci/error.h"

#include <errno.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_DEFINE_QUARK(cam - error - quark, cam_error)

static const char *const code_names[] = {
	[CAM_ERROR_UNKNOWN] = "unknown",
	[CAM_ERROR_CANCELLED] = "cancelled",
	[CAM_ERROR_INVALID_ARGUMENT] = "invalid-argument",
	[CAM_ERROR_NOT_FOUND] = "not-found",
	[CAM_ERROR_ALREADY_EXISTS] = "already-exists",
	[CAM_ERROR_PERMISSION_DENIED] = "permission-denied",
	[CAM_ERROR_UNAUTHENTICATED] = "unauthenticated",
	[CAM_ERROR_RESOURCE_EXHAUSTED] = "resource-exhausted",
	[CAM_ERROR_FAILED_PRECONDITION] = "failed-precondition",
	[CAM_ERROR_ABORTED] = "aborted",
	[CAM_ERROR_UNIMPLEMENTED] = "unimplemented",
	[CAM_ERROR_UNAVAILABLE] = "unavailable",
	[CAM_ERROR_DATA_LOSS] = "data-loss",
	[CAM_ERROR_INTERNAL] = "internal",
};

typedef struct {
	int foreign;
	CamError code;
} CodeMapping;

static const CodeMapping errno_codes[] = {
	{ ENOENT, CAM_ERROR_NOT_FOUND },
	{ EEXIST, CAM_ERROR_ALREADY_EXISTS },
	{ ENOTEMPTY, CAM_ERROR_FAILED_PRECONDITION },
	{ ENOTDIR, CAM_ERROR_FAILED_PRECONDITION },
	{ EISDIR, CAM_ERROR_FAILED_PRECONDITION },
	{ EBUSY, CAM_ERROR_FAILED_PRECONDITION },
	{ ETXTBSY, CAM_ERROR_FAILED_PRECONDITION },
	{ EACCES, CAM_ERROR_PERMISSION_DENIED },
	{ EPERM, CAM_ERROR_PERMISSION_DENIED },
	{ EROFS, CAM_ERROR_PERMISSION_DENIED },
	{ ENOSPC, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ EDQUOT, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ EFBIG, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ ENOMEM, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ EMFILE, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ ENFILE, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ EINVAL, CAM_ERROR_INVALID_ARGUMENT },
	{ ENAMETOOLONG, CAM_ERROR_INVALID_ARGUMENT },
	{ ELOOP, CAM_ERROR_INVALID_ARGUMENT },
	{ EAGAIN, CAM_ERROR_UNAVAILABLE },
	{ ETIMEDOUT, CAM_ERROR_UNAVAILABLE },
	{ ECONNREFUSED, CAM_ERROR_UNAVAILABLE },
	{ ECONNRESET, CAM_ERROR_UNAVAILABLE },
	{ EPIPE, CAM_ERROR_UNAVAILABLE },
	{ EHOSTUNREACH, CAM_ERROR_UNAVAILABLE },
	{ ENETUNREACH, CAM_ERROR_UNAVAILABLE },
	{ ENOSYS, CAM_ERROR_UNIMPLEMENTED },
	{ EOPNOTSUPP, CAM_ERROR_UNIMPLEMENTED },
	{ ECANCELED, CAM_ERROR_CANCELLED },
	{ EIO, CAM_ERROR_DATA_LOSS },
	{ EBADMSG, CAM_ERROR_DATA_LOSS },
};

static const CodeMapping io_codes[] = {
	{ G_IO_ERROR_CANCELLED, CAM_ERROR_CANCELLED },
	{ G_IO_ERROR_NOT_FOUND, CAM_ERROR_NOT_FOUND },
	{ G_IO_ERROR_NOT_MOUNTED, CAM_ERROR_NOT_FOUND },
	{ G_IO_ERROR_EXISTS, CAM_ERROR_ALREADY_EXISTS },
	{ G_IO_ERROR_IS_DIRECTORY, CAM_ERROR_FAILED_PRECONDITION },
	{ G_IO_ERROR_NOT_REGULAR_FILE, CAM_ERROR_FAILED_PRECONDITION },
	{ G_IO_ERROR_NOT_DIRECTORY, CAM_ERROR_FAILED_PRECONDITION },
	{ G_IO_ERROR_NOT_EMPTY, CAM_ERROR_FAILED_PRECONDITION },
	{ G_IO_ERROR_BUSY, CAM_ERROR_FAILED_PRECONDITION },
	{ G_IO_ERROR_CLOSED, CAM_ERROR_FAILED_PRECONDITION },
	{ G_IO_ERROR_PERMISSION_DENIED, CAM_ERROR_PERMISSION_DENIED },
	{ G_IO_ERROR_READ_ONLY, CAM_ERROR_PERMISSION_DENIED },
	{ G_IO_ERROR_PROXY_NEED_AUTH, CAM_ERROR_UNAUTHENTICATED },
	{ G_IO_ERROR_PROXY_AUTH_FAILED, CAM_ERROR_UNAUTHENTICATED },
	{ G_IO_ERROR_PROXY_NOT_ALLOWED, CAM_ERROR_PERMISSION_DENIED },
	{ G_IO_ERROR_NO_SPACE, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_IO_ERROR_TOO_MANY_OPEN_FILES, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_IO_ERROR_MESSAGE_TOO_LARGE, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_IO_ERROR_FILENAME_TOO_LONG, CAM_ERROR_INVALID_ARGUMENT },
	{ G_IO_ERROR_INVALID_FILENAME, CAM_ERROR_INVALID_ARGUMENT },
	{ G_IO_ERROR_INVALID_ARGUMENT, CAM_ERROR_INVALID_ARGUMENT },
	{ G_IO_ERROR_TOO_MANY_LINKS, CAM_ERROR_INVALID_ARGUMENT },
	{ G_IO_ERROR_NOT_SUPPORTED, CAM_ERROR_UNIMPLEMENTED },
	{ G_IO_ERROR_TIMED_OUT, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_WOULD_BLOCK, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_HOST_NOT_FOUND, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_HOST_UNREACHABLE, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_NETWORK_UNREACHABLE, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_CONNECTION_REFUSED, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_PROXY_FAILED, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_CONNECTION_CLOSED, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_NOT_CONNECTED, CAM_ERROR_UNAVAILABLE },
	{ G_IO_ERROR_INVALID_DATA, CAM_ERROR_DATA_LOSS },
	{ G_IO_ERROR_PARTIAL_INPUT, CAM_ERROR_DATA_LOSS },
};

static const CodeMapping file_codes[] = {
	{ G_FILE_ERROR_NOENT, CAM_ERROR_NOT_FOUND },
	{ G_FILE_ERROR_EXIST, CAM_ERROR_ALREADY_EXISTS },
	{ G_FILE_ERROR_ISDIR, CAM_ERROR_FAILED_PRECONDITION },
	{ G_FILE_ERROR_NOTDIR, CAM_ERROR_FAILED_PRECONDITION },
	{ G_FILE_ERROR_ACCES, CAM_ERROR_PERMISSION_DENIED },
	{ G_FILE_ERROR_PERM, CAM_ERROR_PERMISSION_DENIED },
	{ G_FILE_ERROR_ROFS, CAM_ERROR_PERMISSION_DENIED },
	{ G_FILE_ERROR_NOSPC, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_FILE_ERROR_NOMEM, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_FILE_ERROR_MFILE, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_FILE_ERROR_NFILE, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ G_FILE_ERROR_INVAL, CAM_ERROR_INVALID_ARGUMENT },
	{ G_FILE_ERROR_NAMETOOLONG, CAM_ERROR_INVALID_ARGUMENT },
	{ G_FILE_ERROR_LOOP, CAM_ERROR_INVALID_ARGUMENT },
	{ G_FILE_ERROR_AGAIN, CAM_ERROR_UNAVAILABLE },
	{ G_FILE_ERROR_NOSYS, CAM_ERROR_UNIMPLEMENTED },
	{ G_FILE_ERROR_IO, CAM_ERROR_DATA_LOSS },
};

static CamError
look_up(const CodeMapping *table, gsize n, int foreign)
{
	for (gsize i = 0; i < n; i++) {
		if (table[i].foreign == foreign)
			return table[i].code;
	}
	return CAM_ERROR_UNKNOWN;
}

static CamError
code_of_foreign(const GError *error)
{
	if (error->domain == G_IO_ERROR)
		return look_up(io_codes, G_N_ELEMENTS(io_codes), error->code);
	if (error->domain == G_FILE_ERROR)
		return look_up(file_codes, G_N_ELEMENTS(file_codes), error->code);
	if (error->domain == JSON_PARSER_ERROR || error->domain == G_CONVERT_ERROR ||
	    error->domain == G_KEY_FILE_ERROR || error->domain == G_URI_ERROR)
		return CAM_ERROR_INVALID_ARGUMENT;
	if (error->domain == G_RESOLVER_ERROR || error->domain == G_TLS_ERROR)
		return CAM_ERROR_UNAVAILABLE;
	if (error->domain == G_SPAWN_ERROR && error->code == G_SPAWN_ERROR_NOENT)
		return CAM_ERROR_NOT_FOUND;
	return CAM_ERROR_UNKNOWN;
}

const char *
cam_error_code_name(CamError code)
{
	if ((guint) code >= G_N_ELEMENTS(code_names))
		return code_names[CAM_ERROR_UNKNOWN];
	return code_names[code];
}

CamError
cam_error_from_errno(int errnum)
{
	return look_up(errno_codes, G_N_ELEMENTS(errno_codes), errnum);
}

gboolean
cam_set_error_errno(GError **error, int errnum, const char *format, ...)
{
	g_autofree char *context = NULL;
	va_list args;

	va_start(args, format);
	context = g_strdup_vprintf(format, args);
	va_end(args);
	return cam_set_error(error, cam_error_from_errno(errnum), "%s: %s", context,
			     g_strerror(errnum));
}

gboolean
cam_set_error(GError **error, CamError code, const char *format, ...)
{
	g_autoptr(GError) made = NULL;
	va_list args;

	va_start(args, format);
	made = g_error_new_valist(CAM_ERROR, (int) code, format, args);
	va_end(args);
	g_propagate_error(error, g_steal_pointer(&made));
	return FALSE;
}

gboolean
cam_error_translate(GError **error, const char *format, ...)
{
	g_autofree char *context = NULL;
	va_list args;

	if (error == NULL || *error == NULL)
		return FALSE;
	if ((*error)->domain != CAM_ERROR) {
		(*error)->code = (int) code_of_foreign(*error);
		(*error)->domain = CAM_ERROR;
	}
	if (format == NULL)
		return FALSE;
	va_start(args, format);
	context = g_strdup_vprintf(format, args);
	va_end(args);
	g_prefix_error(error, "%s: ", context);
	return FALSE;
}
