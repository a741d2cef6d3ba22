/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The date of a package. A fixed image is dated by its newest package and not, say, by the
 * repository's Release file: that one is signed anew several times a day, and the same packages on
 * the same image shall give the same layer tomorrow.
 */
#include "rebuild/publish/package-time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define AR_MAGIC "!<arch>\n"

/* ar's header of a member, behind the magic: name, then the time in decimal, padded with blanks. */
typedef struct {
	char magic[8];
	char name[16];
	char time[12];
} ArStart;

gboolean
cam_package_time(const char *path, gint64 *seconds, GError **error)
{
	g_auto(CamFd) fd = cam_open_regular_at(AT_FDCWD, path, error);
	g_autofree char *digits = NULL;
	guint64 value;
	ArStart start;
	ssize_t n;

	if (fd < 0)
		return FALSE;
	n = pread(fd, &start, sizeof(start), 0);
	if (n < 0)
		return cam_set_error_errno(error, errno, "cannot read %s", path);
	if (n != sizeof(start) || memcmp(start.magic, AR_MAGIC, sizeof(start.magic)) != 0)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is not a Debian package",
				     path);
	digits = g_strchomp(g_strndup(start.time, sizeof(start.time)));
	if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &value, NULL))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s has no valid date", path);
	*seconds = (gint64) value;
	return TRUE;
}
