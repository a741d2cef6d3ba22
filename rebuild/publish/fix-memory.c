/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of fix layers. A row holds a digest over what the layer depends on; whether another
 * tree will do is asked by forming the same digest over that tree. Which paths it covers is read
 * from the layer itself.
 */
#include "rebuild/publish/fix-memory.h"

#include <string.h>

#include "config.h"

#define DATABASE "fixes.db"

/* Raised whenever layers that are remembered would be made in another way now. */
#define FORMAT 2

/* What packages ship is kept of so many, the last ones. */
#define MAX_CONTENTS 2000

static const char *const migrations[] = {
	"CREATE TABLE fix (key TEXT NOT NULL, diff_id TEXT NOT NULL, conditions TEXT NOT NULL,"
	"  epoch INTEGER NOT NULL,"
	"  PRIMARY KEY (key, diff_id, conditions)) WITHOUT ROWID;",
	/* Rows of before were not held against the packages: they are no longer trusted. */
	"DELETE FROM fix;"
	"CREATE TABLE deb (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE,"
	"  content BLOB NOT NULL);",
	NULL,
};

static const char *const surroundings[] = {
	"bin",	  "boot",   "etc",  "lib", "lib32",   "lib64",
	"libo32", "libx32", "sbin", "usr", "var/lib", "root/.dpkg.cfg",
};

struct _CamFixMemory {
	CamStore *store;
	CamDatabase *db;
};

CamFixMemory *
cam_fix_memory_open(CamStore *store, GError **error)
{
	g_autofree char *path = g_build_filename(cam_store_get_path(store), DATABASE, NULL);
	CamDatabase *db = cam_database_open(path, migrations, error);
	CamFixMemory *self;

	if (db == NULL)
		return NULL;
	self = g_new0(CamFixMemory, 1);
	self->store = g_object_ref(store);
	self->db = db;
	return self;
}

void
cam_fix_memory_close(CamFixMemory *self)
{
	g_clear_pointer(&self->db, cam_database_close);
	g_object_unref(self->store);
	g_free(self);
}

/* Strings are hashed with their NUL, so that they cannot run into each other. */
static void
hash_text(CamHasher *hasher, const char *text)
{
	cam_hasher_update(hasher, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

char *
cam_fix_memory_key(const CamFixPlan *plan, const char *manager)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_autofree char *frame = g_strdup_printf("%s %d", CAM_VERSION, FORMAT);

	hash_text(hasher, frame);
	hash_text(hasher, manager);
	for (guint i = 0; i < plan->packages->len; i++) {
		const CamPlannedPackage *package = plan->packages->pdata[i];

		hash_text(hasher, package->name);
		hash_text(hasher, package->architecture);
		hash_text(hasher, package->from);
		hash_text(hasher, package->to);
		hash_text(hasher, package->sha256);
	}
	return cam_hasher_finish(hasher);
}

/* ---- conditions ---- */

typedef struct {
	CamHasher *hasher;
	CamRootfs *lower;
	CamLowerTimes *times;
} Conditions;

/* @whole: with all that is below a directory, else with its own metadata and time alone. */
static gboolean
hash_path(Conditions *self, const char *path, gboolean whole, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree char *real = NULL;
	CamEntry entry;
	gint64 time;

	hash_text(self->hasher, path);
	if (!cam_rootfs_lookup(self->lower, path, FALSE, &real, &entry, &local)) {
		hash_text(self->hasher, "absent");
		if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	hash_text(self->hasher, entry.is_directory ? "directory" : "file");
	hash_text(self->hasher, real);
	if (whole || !entry.is_directory)
		cam_hasher_update(self->hasher, &entry.id, sizeof(entry.id));
	if (!entry.is_directory)
		return TRUE;
	cam_hasher_update(self->hasher, &entry.meta, sizeof(entry.meta));
	if (whole)
		return TRUE;
	time = GINT64_TO_LE(cam_lower_times_get(real, self->times));
	cam_hasher_update(self->hasher, &time, sizeof(time));
	return TRUE;
}

static gboolean
hash_member(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	return hash_path(user_data, entry->path, FALSE, error);
}

/* (nullable) */
static char *
form_conditions(CamFixMemory *self, const char *diff_id, CamRootfs *lower, CamLowerTimes *times,
		GError **error)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	Conditions conditions = { hasher, lower, times };

	for (guint i = 0; i < G_N_ELEMENTS(surroundings); i++) {
		if (!hash_path(&conditions, surroundings[i], TRUE, error))
			return NULL;
	}
	if (!cam_store_foreach_layer_entry(self->store, diff_id, hash_member, &conditions, error))
		return NULL;
	return cam_hasher_finish(hasher);
}

/* ---- rows ---- */

typedef struct {
	char *diff_id, *conditions;
	gint64 epoch;
} Row;

static void
row_clear(gpointer data)
{
	Row *self = data;

	g_free(self->diff_id);
	g_free(self->conditions);
}

static GArray *
read_rows(CamFixMemory *self, const char *key, GError **error)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Row));
	g_autoptr(CamStatement) query = NULL;
	gboolean row = TRUE;

	g_array_set_clear_func(rows, row_clear);
	query = cam_database_prepare(
		self->db,
		"SELECT diff_id, conditions, epoch FROM fix WHERE key = ? ORDER BY diff_id", error);
	if (query == NULL)
		return NULL;
	cam_statement_bind_text(query, 1, key);
	while (row) {
		if (!cam_statement_step_checked(query, &row, error))
			return NULL;
		if (row) {
			Row found = { g_strdup(cam_statement_text(query, 0)),
				      g_strdup(cam_statement_text(query, 1)),
				      cam_statement_int(query, 2) };

			g_array_append_val(rows, found);
		}
	}
	return g_steal_pointer(&rows);
}

gboolean
cam_fix_memory_find(CamFixMemory *self, const char *key, CamRootfs *lower, CamLowerTimes *times,
		    CamFixMemoryAccepts accepts, gpointer user_data, char **diff_id, gint64 *epoch,
		    GError **error)
{
	g_autoptr(GArray) rows = read_rows(self, key, error);

	*diff_id = NULL;
	for (guint i = 0; rows != NULL && i < rows->len; i++) {
		const Row *row = &g_array_index(rows, Row, i);
		g_autofree char *conditions = NULL;
		gboolean accepted = FALSE;

		/* gc may have taken it since. */
		if (!cam_store_has_layer(self->store, row->diff_id))
			continue;
		conditions = form_conditions(self, row->diff_id, lower, times, error);
		if (conditions == NULL)
			return FALSE;
		if (!g_str_equal(conditions, row->conditions))
			continue;
		if (!accepts(row->diff_id, user_data, &accepted, error))
			return FALSE;
		if (accepted) {
			*diff_id = g_strdup(row->diff_id);
			*epoch = row->epoch;
			return TRUE;
		}
	}
	return rows != NULL;
}

gboolean
cam_fix_memory_add(CamFixMemory *self, const char *key, CamRootfs *lower, CamLowerTimes *times,
		   const char *diff_id, gint64 epoch, GError **error)
{
	g_autofree char *conditions = form_conditions(self, diff_id, lower, times, error);
	g_autoptr(CamStatement) insert = NULL;

	if (conditions == NULL)
		return FALSE;
	insert = cam_database_prepare(self->db, "INSERT OR IGNORE INTO fix VALUES (?, ?, ?, ?)",
				      error);
	if (insert == NULL)
		return FALSE;
	cam_statement_bind_text(insert, 1, key);
	cam_statement_bind_text(insert, 2, diff_id);
	cam_statement_bind_text(insert, 3, conditions);
	cam_statement_bind_int(insert, 4, epoch);
	return cam_statement_run(insert, error);
}

/* ---- what packages ship ---- */

CamDebContent *
cam_fix_memory_get_content(CamFixMemory *self, const char *sha256, GError **error)
{
	g_autoptr(CamStatement) query =
		cam_database_prepare(self->db, "SELECT content FROM deb WHERE sha256 = ?", error);
	g_autoptr(GBytes) bytes = NULL;
	gconstpointer data;
	gsize size;
	gboolean row;

	if (query == NULL)
		return NULL;
	cam_statement_bind_text(query, 1, sha256);
	if (!cam_statement_step_checked(query, &row, error) || !row)
		return NULL;
	data = cam_statement_blob(query, 0, &size);
	bytes = g_bytes_new(data, size);
	return cam_deb_content_from_bytes(bytes);
}

gboolean
cam_fix_memory_put_content(CamFixMemory *self, const char *sha256, const CamDebContent *content,
			   GError **error)
{
	g_autoptr(GBytes) bytes = cam_deb_content_to_bytes(content);
	g_autoptr(CamStatement) insert = cam_database_prepare(
		self->db, "INSERT OR REPLACE INTO deb (sha256, content) VALUES (?, ?)", error);
	g_autoptr(CamStatement) sweep = NULL;

	if (insert == NULL)
		return FALSE;
	cam_statement_bind_text(insert, 1, sha256);
	cam_statement_bind_blob(insert, 2, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	if (!cam_statement_run(insert, error))
		return FALSE;
	sweep = cam_database_prepare(
		self->db, "DELETE FROM deb WHERE id <= (SELECT max(id) FROM deb) - ?", error);
	if (sweep == NULL)
		return FALSE;
	cam_statement_bind_int(sweep, 1, MAX_CONTENTS);
	return cam_statement_run(sweep, error);
}
