/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of snapshots. Owns what a row means; when one is written, and what happens on disk
 * beside it, is the snapshotter's.
 */
#include "snapshotter/snapshots/snapshot-db.h"

#include "snapshotter/base/database.h"

#define ROW "SELECT id, parent, name, kind, has_upper, chain, size, inodes FROM snapshots"

struct _CamSnapshotDb {
	CamDatabase *db;
};

static const char *const migrations[] = {
	/* Ids are never used again: directories and leases bear them. */
	"CREATE TABLE snapshots ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  name TEXT NOT NULL UNIQUE,"
	"  parent INTEGER REFERENCES snapshots (id),"
	"  kind INTEGER NOT NULL,"
	"  has_upper INTEGER NOT NULL,"
	"  chain TEXT,"
	"  size INTEGER NOT NULL DEFAULT 0,"
	"  inodes INTEGER NOT NULL DEFAULT 0,"
	"  created INTEGER NOT NULL,"
	"  updated INTEGER NOT NULL);"
	"CREATE INDEX snapshots_parent ON snapshots (parent);"
	"CREATE INDEX snapshots_chain ON snapshots (chain);"
	"CREATE TABLE labels ("
	"  snapshot INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  PRIMARY KEY (snapshot, key)) WITHOUT ROWID;"
	"CREATE TABLE layers ("
	"  snapshot INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,"
	"  position INTEGER NOT NULL,"
	"  diff_id TEXT NOT NULL,"
	"  PRIMARY KEY (snapshot, position)) WITHOUT ROWID;"
	/* Upper directories of ancestors that the mounts of a snapshot name, the top first. */
	"CREATE TABLE uses ("
	"  snapshot INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,"
	"  position INTEGER NOT NULL,"
	"  upper INTEGER NOT NULL REFERENCES snapshots (id),"
	"  n_layers INTEGER NOT NULL,"
	"  PRIMARY KEY (snapshot, position)) WITHOUT ROWID;"
	"CREATE INDEX uses_upper ON uses (upper);",
	NULL,
};

static gint64
now(void)
{
	return g_get_real_time() * 1000;
}

void
cam_snapshot_row_free(CamSnapshotRow *self)
{
	if (!self)
		return;
	g_free(self->name);
	g_strfreev(self->layers);
	g_free(self->chain);
	g_free(self);
}

CamSnapshotDb *
cam_snapshot_db_open(const char *path, GError **error)
{
	g_autoptr(CamDatabase) db = cam_database_open(path, migrations, error);
	CamSnapshotDb *self;

	if (!db || !cam_database_exec(db, "PRAGMA synchronous = FULL", error))
		return NULL;
	self = g_new0(CamSnapshotDb, 1);
	self->db = g_steal_pointer(&db);
	return self;
}

void
cam_snapshot_db_close(CamSnapshotDb *self)
{
	if (!self)
		return;
	cam_database_close(self->db);
	g_free(self);
}

gboolean
cam_snapshot_db_begin(CamSnapshotDb *self, GError **error)
{
	return cam_database_begin(self->db, error);
}

gboolean
cam_snapshot_db_commit(CamSnapshotDb *self, GError **error)
{
	return cam_database_commit(self->db, error);
}

void
cam_snapshot_db_rollback(CamSnapshotDb *self)
{
	cam_database_rollback(self->db);
}

/* ---- rows ---- */

static char **
read_layers(CamSnapshotDb *self, gint64 id, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT diff_id FROM layers WHERE snapshot = ? ORDER BY position", error);
	g_autoptr(GPtrArray) layers = g_ptr_array_new_null_terminated(1, g_free, TRUE);
	gboolean more = TRUE;

	if (!s)
		return NULL;
	cam_statement_bind_int(s, 1, id);
	while (cam_statement_step_checked(s, &more, error) && more)
		g_ptr_array_add(layers, g_strdup(cam_statement_text(s, 0)));
	return more ? NULL : (char **) g_ptr_array_free(g_steal_pointer(&layers), FALSE);
}

static CamSnapshotRow *
read_row(CamSnapshotDb *self, CamStatement *s, GError **error)
{
	g_autoptr(CamSnapshotRow) row = g_new0(CamSnapshotRow, 1);

	row->id = cam_statement_int(s, 0);
	row->parent = cam_statement_int(s, 1);
	row->name = g_strdup(cam_statement_text(s, 2));
	row->kind = (CamSnapshotKind) cam_statement_int(s, 3);
	row->has_upper = cam_statement_int(s, 4) != 0;
	row->chain = g_strdup(cam_statement_text(s, 5));
	row->size = (guint64) cam_statement_int(s, 6);
	row->inodes = (guint64) cam_statement_int(s, 7);
	row->layers = read_layers(self, row->id, error);
	return row->layers ? g_steal_pointer(&row) : NULL;
}

/* The row that the bound statement finds; NOT_FOUND calls it @what. */
static CamSnapshotRow *
read_one(CamSnapshotDb *self, CamStatement *s, const char *what, GError **error)
{
	gboolean more;

	if (!cam_statement_step_checked(s, &more, error))
		return NULL;
	if (more)
		return read_row(self, s, error);
	cam_set_error(error, CAM_ERROR_NOT_FOUND, "snapshot %s does not exist", what);
	return NULL;
}

CamSnapshotRow *
cam_snapshot_db_find(CamSnapshotDb *self, const char *name, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(self->db, ROW " WHERE name = ?", error);

	if (!s)
		return NULL;
	cam_statement_bind_text(s, 1, name);
	return read_one(self, s, name, error);
}

CamSnapshotRow *
cam_snapshot_db_find_chain(CamSnapshotDb *self, const char *begin, GError **error)
{
	g_autofree char *from = g_strconcat("sha256:", begin, NULL);
	g_autofree char *to = g_strconcat(from, "g", NULL);
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, ROW " WHERE chain >= ? AND chain < ? AND kind = 3", error);

	if (!s)
		return NULL;
	cam_statement_bind_text(s, 1, from);
	cam_statement_bind_text(s, 2, to);
	return read_one(self, s, from, error);
}

CamSnapshotRow *
cam_snapshot_db_get(CamSnapshotDb *self, gint64 id, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(self->db, ROW " WHERE id = ?", error);
	g_autofree char *what = g_strdup_printf("number %" G_GINT64_FORMAT, id);

	if (!s)
		return NULL;
	cam_statement_bind_int(s, 1, id);
	return read_one(self, s, what, error);
}

static GPtrArray *
read_rows(CamSnapshotDb *self, CamStatement *s, GError **error)
{
	g_autoptr(GPtrArray) rows =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_row_free);
	gboolean more = TRUE;

	while (cam_statement_step_checked(s, &more, error) && more) {
		CamSnapshotRow *row = read_row(self, s, error);

		if (!row)
			return NULL;
		g_ptr_array_add(rows, row);
	}
	return more ? NULL : g_steal_pointer(&rows);
}

GPtrArray *
cam_snapshot_db_chain(CamSnapshotDb *self, gint64 id, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db,
		"WITH RECURSIVE up (n, depth) AS (SELECT ?, 0 UNION ALL"
		" SELECT parent, depth + 1 FROM snapshots, up WHERE id = n AND parent IS NOT NULL) "
		"SELECT id, parent, name, kind, has_upper, chain, size, inodes"
		" FROM up JOIN snapshots ON id = n ORDER BY depth DESC",
		error);

	if (!s)
		return NULL;
	cam_statement_bind_int(s, 1, id);
	return read_rows(self, s, error);
}

GPtrArray *
cam_snapshot_db_rows(CamSnapshotDb *self, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(self->db, ROW " ORDER BY id", error);

	return s ? read_rows(self, s, error) : NULL;
}

GPtrArray *
cam_snapshot_db_uppers(CamSnapshotDb *self, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, ROW " WHERE kind = 3 AND has_upper ORDER BY created, id", error);

	return s ? read_rows(self, s, error) : NULL;
}

GPtrArray *
cam_snapshot_db_leaves(CamSnapshotDb *self, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db,
		ROW " AS leaf WHERE kind = 3 AND chain IS NOT NULL AND NOT EXISTS"
		    " (SELECT 1 FROM snapshots WHERE parent = leaf.id AND kind = 3)",
		error);

	return s ? read_rows(self, s, error) : NULL;
}

static void
bind_parent(CamStatement *s, int index, gint64 parent)
{
	if (parent)
		cam_statement_bind_int(s, index, parent);
	else
		cam_statement_bind_text(s, index, NULL);
}

/* Whether the bound statement finds anything. */
static gboolean
finds(CamStatement *s, gboolean *found, GError **error)
{
	return s && cam_statement_step_checked(s, found, error);
}

gboolean
cam_snapshot_db_has_children(CamSnapshotDb *self, gint64 id, gboolean *has, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT 1 FROM snapshots WHERE parent = ? LIMIT 1", error);

	if (s)
		cam_statement_bind_int(s, 1, id);
	return finds(s, has, error);
}

gboolean
cam_snapshot_db_has_chain(CamSnapshotDb *self, const char *chain, gboolean *has, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT 1 FROM snapshots WHERE chain = ? LIMIT 1", error);

	if (s)
		cam_statement_bind_text(s, 1, chain);
	return finds(s, has, error);
}

gboolean
cam_snapshot_db_is_unpacking(CamSnapshotDb *self, gint64 young, gboolean *is, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT name FROM snapshots WHERE kind = 2 AND created > ?", error);
	gboolean more = TRUE;

	*is = FALSE;
	if (!s)
		return FALSE;
	cam_statement_bind_int(s, 1, now() - young);
	while (!*is && cam_statement_step_checked(s, &more, error) && more)
		*is = cam_snapshot_key_is_extraction(cam_statement_text(s, 0));
	return *is || !more;
}

char *
cam_snapshot_db_find_labelled(CamSnapshotDb *self, gint64 parent, const char *label,
			      const char *value, GError **error)
{
	gboolean found = FALSE;
	g_autoptr(CamStatement) s =
		cam_database_prepare(self->db,
				     "SELECT name FROM snapshots JOIN labels ON snapshot = id"
				     " WHERE key = ? AND value = ? AND kind = 3"
				     " AND parent IS ? LIMIT 1",
				     error);

	if (!s)
		return NULL;
	cam_statement_bind_text(s, 1, label);
	cam_statement_bind_text(s, 2, value);
	bind_parent(s, 3, parent);
	if (!finds(s, &found, error) || !found)
		return NULL;
	return g_strdup(cam_statement_text(s, 0));
}

GArray *
cam_snapshot_db_children(CamSnapshotDb *self, gint64 id, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT id FROM snapshots WHERE parent = ? AND kind = 3", error);
	gboolean more = TRUE;

	if (!s)
		return NULL;
	cam_statement_bind_int(s, 1, id);
	while (cam_statement_step_checked(s, &more, error) && more) {
		gint64 child = cam_statement_int(s, 0);

		g_array_append_val(ids, child);
	}
	return more ? NULL : g_steal_pointer(&ids);
}

/* ---- writing ---- */

/* Whether no snapshot but @owner (0: none) has that name. */
static gboolean
is_free(CamSnapshotDb *self, const char *name, gint64 owner, GError **error)
{
	gboolean found;
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT 1 FROM snapshots WHERE name = ? AND id != ?", error);

	if (s) {
		cam_statement_bind_text(s, 1, name);
		cam_statement_bind_int(s, 2, owner);
	}
	if (!finds(s, &found, error))
		return FALSE;
	return !found ||
	       cam_set_error(error, CAM_ERROR_ALREADY_EXISTS, "snapshot %s already exists", name);
}

static gboolean
insert_labels(CamSnapshotDb *self, gint64 id, GHashTable *labels, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "INSERT INTO labels (snapshot, key, value) VALUES (?, ?, ?)", error);
	GHashTableIter iter;
	gpointer key, value;

	if (!s)
		return FALSE;
	if (!labels)
		return TRUE;
	g_hash_table_iter_init(&iter, labels);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		/* As in containerd, where an empty value removes a label. */
		if (*(const char *) value == '\0')
			continue;
		cam_statement_bind_int(s, 1, id);
		cam_statement_bind_text(s, 2, key);
		cam_statement_bind_text(s, 3, value);
		if (!cam_statement_run(s, error))
			return FALSE;
	}
	return TRUE;
}

gint64
cam_snapshot_db_insert(CamSnapshotDb *self, const char *name, gint64 parent, CamSnapshotKind kind,
		       gboolean has_upper, GHashTable *labels, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db,
		"INSERT INTO snapshots (name, parent, kind, has_upper, created, updated)"
		" VALUES (?, ?, ?, ?, ?6, ?6)",
		error);
	gint64 id;

	if (!s || !is_free(self, name, 0, error))
		return 0;
	cam_statement_bind_text(s, 1, name);
	bind_parent(s, 2, parent);
	cam_statement_bind_int(s, 3, kind);
	cam_statement_bind_int(s, 4, has_upper);
	cam_statement_bind_int(s, 6, now());
	if (!cam_statement_run(s, error))
		return 0;
	id = cam_database_last_rowid(self->db);
	return insert_labels(self, id, labels, error) ? id : 0;
}

/* Runs a statement that takes one number. */
static gboolean
run_with_id(CamSnapshotDb *self, const char *sql, gint64 id, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(self->db, sql, error);

	if (!s)
		return FALSE;
	cam_statement_bind_int(s, 1, id);
	return cam_statement_run(s, error);
}

gboolean
cam_snapshot_db_remove(CamSnapshotDb *self, gint64 id, GError **error)
{
	gboolean good;

	if (!cam_database_exec(self->db, "PRAGMA synchronous = NORMAL", error))
		return FALSE;
	good = run_with_id(self, "DELETE FROM snapshots WHERE id = ?", id, error);
	return cam_database_exec(self->db, "PRAGMA synchronous = FULL", good ? error : NULL) &&
	       good;
}

gboolean
cam_snapshot_db_seal(CamSnapshotDb *self, gint64 id, const char *name, gint64 parent, guint64 size,
		     guint64 inodes, GHashTable *labels, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db,
		"UPDATE snapshots SET name = ?, kind = 3, parent = ?,"
		" size = ?, inodes = ?, created = ?6, updated = ?6 WHERE id = ?7",
		error);

	if (!s || !is_free(self, name, id, error))
		return FALSE;
	cam_statement_bind_text(s, 1, name);
	bind_parent(s, 2, parent);
	cam_statement_bind_int(s, 3, (gint64) size);
	cam_statement_bind_int(s, 4, (gint64) inodes);
	cam_statement_bind_int(s, 6, now());
	cam_statement_bind_int(s, 7, id);
	return cam_statement_run(s, error) &&
	       run_with_id(self, "DELETE FROM uses WHERE snapshot = ?", id, error) &&
	       run_with_id(self, "DELETE FROM labels WHERE snapshot = ?", id, error) &&
	       insert_labels(self, id, labels, error);
}

gboolean
cam_snapshot_db_add_layer(CamSnapshotDb *self, gint64 id, const char *diff_id, GError **error)
{
	g_autoptr(CamStatement) s =
		cam_database_prepare(self->db,
				     "INSERT INTO layers (snapshot, position, diff_id) SELECT ?1,"
				     " count(*), ?2 FROM layers WHERE snapshot = ?1",
				     error);

	if (!s)
		return FALSE;
	cam_statement_bind_int(s, 1, id);
	cam_statement_bind_text(s, 2, diff_id);
	return cam_statement_run(s, error);
}

gboolean
cam_snapshot_db_set_upper(CamSnapshotDb *self, gint64 id, gboolean has_upper, GError **error)
{
	return run_with_id(self,
			   has_upper ? "UPDATE snapshots SET has_upper = 1 WHERE id = ?"
				     : "UPDATE snapshots SET has_upper = 0 WHERE id = ?",
			   id, error);
}

gboolean
cam_snapshot_db_set_chain(CamSnapshotDb *self, gint64 id, const char *chain, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "UPDATE snapshots SET chain = ? WHERE id = ?", error);

	if (!s)
		return FALSE;
	cam_statement_bind_text(s, 1, chain);
	cam_statement_bind_int(s, 2, id);
	return cam_statement_run(s, error);
}

/* ---- uses ---- */

GArray *
cam_snapshot_db_get_uses(CamSnapshotDb *self, gint64 id, GError **error)
{
	g_autoptr(GArray) uses = g_array_new(FALSE, FALSE, sizeof(CamSnapshotUse));
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT upper, n_layers FROM uses WHERE snapshot = ? ORDER BY position",
		error);
	gboolean more = TRUE;

	if (!s)
		return NULL;
	cam_statement_bind_int(s, 1, id);
	while (cam_statement_step_checked(s, &more, error) && more) {
		CamSnapshotUse use = { cam_statement_int(s, 0), (guint) cam_statement_int(s, 1) };

		g_array_append_val(uses, use);
	}
	return more ? NULL : g_steal_pointer(&uses);
}

gboolean
cam_snapshot_db_set_uses(CamSnapshotDb *self, gint64 id, const GArray *uses, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db,
		"INSERT INTO uses (snapshot, position, upper, n_layers) VALUES (?, ?, ?, ?)",
		error);

	if (!s || !run_with_id(self, "DELETE FROM uses WHERE snapshot = ?", id, error))
		return FALSE;
	for (guint i = 0; i < uses->len; i++) {
		const CamSnapshotUse *use = &g_array_index(uses, CamSnapshotUse, i);

		cam_statement_bind_int(s, 1, id);
		cam_statement_bind_int(s, 2, i);
		cam_statement_bind_int(s, 3, use->upper);
		cam_statement_bind_int(s, 4, use->n_layers);
		if (!cam_statement_run(s, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
cam_snapshot_db_is_used(CamSnapshotDb *self, gint64 upper, gboolean *used, GError **error)
{
	g_autoptr(CamStatement) s =
		cam_database_prepare(self->db, "SELECT 1 FROM uses WHERE upper = ? LIMIT 1", error);

	if (s)
		cam_statement_bind_int(s, 1, upper);
	return finds(s, used, error);
}

/* ---- for others to see ---- */

#define INFO                                                        \
	"SELECT s.id, s.name, p.name, s.kind, s.created, s.updated" \
	" FROM snapshots s LEFT JOIN snapshots p ON s.parent = p.id"

static GHashTable *
read_labels(CamSnapshotDb *self, gint64 id, GError **error)
{
	g_autoptr(GHashTable) labels =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "SELECT key, value FROM labels WHERE snapshot = ?", error);
	gboolean more = TRUE;

	if (!s)
		return NULL;
	cam_statement_bind_int(s, 1, id);
	while (cam_statement_step_checked(s, &more, error) && more)
		g_hash_table_insert(labels, g_strdup(cam_statement_text(s, 0)),
				    g_strdup(cam_statement_text(s, 1)));
	return more ? NULL : g_steal_pointer(&labels);
}

static CamSnapshotInfo *
read_info(CamSnapshotDb *self, CamStatement *s, GError **error)
{
	g_autoptr(CamSnapshotInfo) info = g_new0(CamSnapshotInfo, 1);
	const char *parent = cam_statement_text(s, 2);

	info->name = g_strdup(cam_statement_text(s, 1));
	info->parent = g_strdup(parent ? parent : "");
	info->kind = (CamSnapshotKind) cam_statement_int(s, 3);
	info->created = cam_statement_int(s, 4);
	info->updated = cam_statement_int(s, 5);
	info->labels = read_labels(self, cam_statement_int(s, 0), error);
	return info->labels ? g_steal_pointer(&info) : NULL;
}

CamSnapshotInfo *
cam_snapshot_db_stat(CamSnapshotDb *self, const char *name, GError **error)
{
	gboolean found = FALSE;
	g_autoptr(CamStatement) s = cam_database_prepare(self->db, INFO " WHERE s.name = ?", error);

	if (!s)
		return NULL;
	cam_statement_bind_text(s, 1, name);
	if (!finds(s, &found, error))
		return NULL;
	if (found)
		return read_info(self, s, error);
	cam_set_error(error, CAM_ERROR_NOT_FOUND, "snapshot %s does not exist", name);
	return NULL;
}

GPtrArray *
cam_snapshot_db_list(CamSnapshotDb *self, GError **error)
{
	g_autoptr(GPtrArray) infos =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_info_free);
	g_autoptr(CamStatement) s = cam_database_prepare(self->db, INFO " ORDER BY s.name", error);
	gboolean more = TRUE;

	if (!s)
		return NULL;
	while (cam_statement_step_checked(s, &more, error) && more) {
		CamSnapshotInfo *info = read_info(self, s, error);

		if (!info)
			return NULL;
		g_ptr_array_add(infos, info);
	}
	return more ? NULL : g_steal_pointer(&infos);
}

gboolean
cam_snapshot_db_set_labels(CamSnapshotDb *self, gint64 id, GHashTable *labels, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(
		self->db, "UPDATE snapshots SET updated = ? WHERE id = ?", error);

	if (!s)
		return FALSE;
	cam_statement_bind_int(s, 1, now());
	cam_statement_bind_int(s, 2, id);
	return cam_statement_run(s, error) &&
	       run_with_id(self, "DELETE FROM labels WHERE snapshot = ?", id, error) &&
	       insert_labels(self, id, labels, error);
}
