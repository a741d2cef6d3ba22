/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that end with a checksum of themselves, for formats that ignore what is behind their end.
 */
#include "snapshotter/base/sealed-file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/checksum.h"

#define CHUNK (256 * 1024)

typedef struct {
	char magic[8];
	guint64 checksum; /* little-endian, of all in front of it */
} Trailer;

static const char magic[8] = { 'C', 'a', 'm', 'S', 'e', 'a', 'l', '1' };

static gboolean
read_exactly(int fd, void *buffer, gsize size, guint64 offset)
{
	guint8 *p = buffer;

	while (size > 0) {
		ssize_t n = pread(fd, p, size, (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		p += n;
		offset += (guint64) n;
		size -= (gsize) n;
	}
	return TRUE;
}

/* Of the first @size bytes. */
static gboolean
checksum_file(int fd, guint64 size, guint64 *checksum)
{
	g_autofree guint8 *chunk = g_malloc(CHUNK);

	*checksum = size;
	for (guint64 done = 0; done < size;) {
		gsize n = (gsize) MIN(CHUNK, size - done);

		if (!read_exactly(fd, chunk, n, done))
			return FALSE;
		*checksum = cam_checksum64(*checksum, chunk, n);
		done += n;
	}
	return TRUE;
}

gboolean
cam_sealed_file_seal(int fd, GError **error)
{
	Trailer trailer;
	struct stat st;
	guint64 checksum;

	if (fstat(fd, &st) != 0 || !checksum_file(fd, (guint64) st.st_size, &checksum))
		return cam_set_error_errno(error, errno, "cannot read a file");
	memcpy(trailer.magic, magic, sizeof(magic));
	trailer.checksum = GUINT64_TO_LE(checksum);
	return pwrite(fd, &trailer, sizeof(trailer), st.st_size) == sizeof(trailer) ||
	       cam_set_error_errno(error, errno, "cannot write a checksum");
}

gboolean
cam_sealed_file_check(int fd, const char *path, GError **error)
{
	Trailer trailer;
	struct stat st;
	guint64 size, checksum;

	if (fstat(fd, &st) == 0 && st.st_size >= (off_t) sizeof(trailer)) {
		size = (guint64) st.st_size - sizeof(trailer);
		if (read_exactly(fd, &trailer, sizeof(trailer), size) &&
		    memcmp(trailer.magic, magic, sizeof(magic)) == 0 &&
		    checksum_file(fd, size, &checksum) &&
		    checksum == GUINT64_FROM_LE(trailer.checksum))
			return TRUE;
	}
	return cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is damaged", path);
}
