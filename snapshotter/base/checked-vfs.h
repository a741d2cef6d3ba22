/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sqlite3.h>

#include <glib.h>

G_BEGIN_DECLS

/* Bytes at the end of each page that hold its checksum: what a database must reserve. */
#define CAM_CHECKED_RESERVE 8
/* The application_id of a database that has them: lest one changed byte of the header, which says
 * what is reserved, turns all checks off. Set when all pages have their checksums. */
#define CAM_CHECKED_ID 0x43616d31 /* "Cam1" */

/* The bytes of a file's header that say how many bytes its pages reserve, and whose it is. */
#define CAM_SQLITE_RESERVE 20
#define CAM_SQLITE_ID	   68
#define CAM_SQLITE_HEADER  72

/**
 * cam_checked_vfs_name:
 * @locking: FALSE: files that nothing can write to
 *
 * Returns: (transfer none): a VFS of SQLite's, registered when it is first asked for, that puts a
 * checksum into each page of a database's file and fails with %SQLITE_IOERR_DATA where a page that
 * is read does not have its own. Databases that reserve no space for it are left as they are.
 *
 * Pages in the log have none: SQLite's own checksums cover the log when it is recovered. A program
 * that writes to the database without this VFS damages it.
 */
const char *cam_checked_vfs_name(gboolean locking);

G_END_DECLS
