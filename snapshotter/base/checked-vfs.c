/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A layer between SQLite and its VFS, by the documented interface of VFS shims
 * (sqlite.org/vfs.html): checksums in the pages of a database's file. Bytes that a disk or a stray
 * program changed would else be rows that are not found. The place of a page is part of its
 * checksum.
 */
#include "snapshotter/base/checked-vfs.h"

#include <string.h>

#include "snapshotter/base/checksum.h"

#define PAGE_MIN 512
#define PAGE_MAX 65536

typedef struct {
	sqlite3_file base;
	gboolean is_main;
	gboolean checked; /* the database reserves space */
	sqlite3_file real[];
} File;

typedef struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
} Shim;

static sqlite3_file *
real_file(sqlite3_file *file)
{
	return ((File *) file)->real;
}

/* ---- pages ---- */

static gboolean
is_page(const File *self, int amount, sqlite3_int64 offset)
{
	return self->is_main && amount >= PAGE_MIN && amount <= PAGE_MAX &&
	       (amount & (amount - 1)) == 0 && offset % amount == 0;
}

static guint64
page_checksum(const void *page, int size, sqlite3_int64 offset)
{
	return GUINT64_TO_LE(
		cam_checksum64((guint64) offset, page, (gsize) size - CAM_CHECKED_RESERVE));
}

/* The first page says whether the database reserves space. */
static void
look_at_header(File *self, const void *buffer, int amount, sqlite3_int64 offset)
{
	const guint8 *header = buffer;
	guint32 id;

	if (!self->is_main || offset != 0 || amount < CAM_SQLITE_HEADER)
		return;
	memcpy(&id, header + CAM_SQLITE_ID, sizeof id);
	self->checked = header[CAM_SQLITE_RESERVE] == CAM_CHECKED_RESERVE ||
			GUINT32_FROM_BE(id) == CAM_CHECKED_ID;
}

static int
file_read(sqlite3_file *file, void *buffer, int amount, sqlite3_int64 offset)
{
	File *self = (File *) file;
	int code = self->real->pMethods->xRead(self->real, buffer, amount, offset);
	guint64 sum;

	if (code != SQLITE_OK)
		return code;
	look_at_header(self, buffer, amount, offset);
	if (!self->checked || !is_page(self, amount, offset))
		return SQLITE_OK;
	memcpy(&sum, (guint8 *) buffer + amount - CAM_CHECKED_RESERVE, sizeof sum);
	return sum == page_checksum(buffer, amount, offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* Another process may have given the database its space since this one read the header. */
static void
look_again(File *self)
{
	guint8 header[CAM_SQLITE_HEADER];

	if (!self->checked &&
	    self->real->pMethods->xRead(self->real, header, sizeof header, 0) == SQLITE_OK)
		look_at_header(self, header, sizeof header, 0);
}

static int
file_write(sqlite3_file *file, const void *buffer, int amount, sqlite3_int64 offset)
{
	File *self = (File *) file;
	g_autofree guint8 *page = NULL;
	guint64 sum;

	if (!is_page(self, amount, offset))
		return self->real->pMethods->xWrite(self->real, buffer, amount, offset);
	if (offset == 0)
		look_at_header(self, buffer, amount, offset);
	else
		look_again(self);
	if (!self->checked)
		return self->real->pMethods->xWrite(self->real, buffer, amount, offset);
	page = g_memdup2(buffer, (gsize) amount);
	sum = page_checksum(page, amount, offset);
	memcpy(page + amount - CAM_CHECKED_RESERVE, &sum, sizeof sum);
	return self->real->pMethods->xWrite(self->real, page, amount, offset);
}

/* ---- what goes through as it is ---- */

static int
file_close(sqlite3_file *file)
{
	return real_file(file)->pMethods->xClose(real_file(file));
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int
file_sync(sqlite3_file *file, int flags)
{
	return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static int
file_lock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int
file_unlock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int
file_check_reserved_lock(sqlite3_file *file, int *locked)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), locked);
}

static int
file_control(sqlite3_file *file, int operation, void *argument)
{
	return real_file(file)->pMethods->xFileControl(real_file(file), operation, argument);
}

static int
file_sector_size(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int
file_characteristics(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

static int
file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real_file(file)->pMethods->xShmMap(real_file(file), page, size, extend, out);
}

static int
file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_file(file)->pMethods->xShmLock(real_file(file), offset, n, flags);
}

static void
file_shm_barrier(sqlite3_file *file)
{
	real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int
file_shm_unmap(sqlite3_file *file, int remove)
{
	return real_file(file)->pMethods->xShmUnmap(real_file(file), remove);
}

/* Version 2: without mapped pages, which no one could check. */
#define METHODS(version)                                                                         \
	{                                                                                        \
		.iVersion = version, .xClose = file_close, .xRead = file_read,                   \
		.xWrite = file_write, .xTruncate = file_truncate, .xSync = file_sync,            \
		.xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock,              \
		.xCheckReservedLock = file_check_reserved_lock, .xFileControl = file_control,    \
		.xSectorSize = file_sector_size, .xDeviceCharacteristics = file_characteristics, \
		.xShmMap = file_shm_map, .xShmLock = file_shm_lock,                              \
		.xShmBarrier = file_shm_barrier, .xShmUnmap = file_shm_unmap,                    \
	}

static const sqlite3_io_methods methods = METHODS(2);
/* Of a VFS that does not lock, and cannot share an index of the log. */
static const sqlite3_io_methods methods_unshared = METHODS(1);

/* ---- the VFS ---- */

static int
vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
	Shim *shim = (Shim *) vfs;
	File *self = (File *) file;
	int code;

	memset(self, 0, sizeof *self);
	self->is_main = (flags & SQLITE_OPEN_MAIN_DB) != 0;
	code = shim->real->xOpen(shim->real, name, self->real, flags, out_flags);
	/* What has methods is closed by SQLite, also after an error. */
	if (self->real->pMethods != NULL)
		self->base.pMethods =
			self->real->pMethods->iVersion >= 2 && self->real->pMethods->xShmMap != NULL
				? &methods
				: &methods_unshared;
	return code;
}

/* All else is the real VFS's, which is never looked at through its copy's pointer. */
static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	return ((Shim *) vfs)->real->xDelete(((Shim *) vfs)->real, name, sync);
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	return ((Shim *) vfs)->real->xAccess(((Shim *) vfs)->real, name, flags, result);
}

static int
vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	return ((Shim *) vfs)->real->xFullPathname(((Shim *) vfs)->real, name, size, out);
}

static Shim *
make_shim(const char *real_name, const char *name)
{
	Shim *self = g_new0(Shim, 1);

	self->real = sqlite3_vfs_find(real_name);
	self->vfs = *self->real;
	self->vfs.pNext = NULL;
	self->vfs.zName = name;
	self->vfs.szOsFile = (int) sizeof(File) + self->real->szOsFile;
	self->vfs.xOpen = vfs_open;
	self->vfs.xDelete = vfs_delete;
	self->vfs.xAccess = vfs_access;
	self->vfs.xFullPathname = vfs_full_pathname;
	sqlite3_vfs_register(&self->vfs, 0);
	return self;
}

/* SQLite keeps a VFS as long as the process runs. */
static gpointer
register_all(gpointer data)
{
	static const char *const names[] = { "cambium-checked", "cambium-checked-unlocked" };

	make_shim("unix", names[0]);
	make_shim("unix-none", names[1]);
	return (gpointer) names;
}

const char *
cam_checked_vfs_name(gboolean locking)
{
	static GOnce once = G_ONCE_INIT;
	const char *const *names = g_once(&once, register_all, NULL);

	return names[locking ? 0 : 1];
}
