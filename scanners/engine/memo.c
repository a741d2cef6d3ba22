/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memo of the engine: a table in SQLite from digests to bytes. What the digests cover and what
 * the bytes mean is the business of those who ask.
 */
#include "scanners/engine/memo.h"

#include <glib/gstdio.h>
#include <string.h>

/* A page that rots must not turn into "no vulnerabilities": values carry a checksum. */
#define CHECKSUM_SIZE 16

/* What waits for cam_memo_flush() at most: inventories may have many megabytes each. */
#define MAX_PENDING_SIZE (32 * 1024 * 1024)

static const char *const migrations[] = {
	"CREATE TABLE memo (kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
	"  PRIMARY KEY (kind, key)) WITHOUT ROWID;"
	"CREATE TABLE generation (kind INTEGER PRIMARY KEY, name TEXT NOT NULL);",
	/* Values lie beside the tree that is searched: SQLite compares a key with all of a row, and
	 * reads megabytes of an inventory for that, where both are one. */
	"ALTER TABLE memo RENAME TO old;"
	"CREATE TABLE memo (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key BLOB NOT NULL,"
	"  value BLOB NOT NULL, UNIQUE (kind, key));"
	"INSERT INTO memo (kind, key, value) SELECT kind, key, value FROM old;"
	"DROP TABLE old;",
	NULL,
};

typedef struct {
	CamMemoKind kind;
	CamSha256 key;
} PendingKey;

struct _CamMemo {
	char *path;
	CamDatabase *db; /* (nullable) */
	char *generations[CAM_MEMO_N_KINDS];
	GHashTable *pending; /* PendingKey → GBytes */
	gsize pending_size;
};

static guint
pending_hash(gconstpointer data)
{
	const PendingKey *key = data;

	return cam_sha256_hash(&key->key) ^ key->kind;
}

static gboolean
pending_equal(gconstpointer a, gconstpointer b)
{
	const PendingKey *x = a, *y = b;

	return x->kind == y->kind && cam_sha256_equal(&x->key, &y->key);
}

static void
remove_file(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *name = g_strconcat(path, suffixes[i], NULL);

		g_unlink(name);
	}
}

/* After damage: other processes may keep using the old file; that is safe. */
static void
start_anew(CamMemo *self, const GError *reason)
{
	g_info("%s is made anew: %s", self->path, reason->message);
	g_clear_pointer(&self->db, cam_database_close);
	remove_file(self->path);
	self->db = cam_database_open(self->path, migrations, NULL);
}

/* Damage is repaired; for all else (a read-only store, a full disk) the memo goes without. */
static void
give_up(CamMemo *self, const GError *reason)
{
	if (g_error_matches(reason, CAM_ERROR, CAM_ERROR_DATA_LOSS)) {
		start_anew(self, reason);
		return;
	}
	g_info("%s is not used: %s", self->path, reason->message);
	g_clear_pointer(&self->db, cam_database_close);
}

CamMemo *
cam_memo_open(const char *path)
{
	CamMemo *self = g_new0(CamMemo, 1);
	g_autoptr(GError) error = NULL;

	self->path = g_strdup(path);
	self->pending = g_hash_table_new_full(pending_hash, pending_equal, g_free,
					      (GDestroyNotify) g_bytes_unref);
	self->db = cam_database_open(path, migrations, &error);
	if (self->db == NULL)
		give_up(self, error);
	return self;
}

void
cam_memo_free(CamMemo *self)
{
	g_clear_pointer(&self->db, cam_database_close);
	for (gsize i = 0; i < CAM_MEMO_N_KINDS; i++)
		g_free(self->generations[i]);
	g_hash_table_unref(self->pending);
	g_free(self->path);
	g_free(self);
}

void
cam_memo_set_generation(CamMemo *self, CamMemoKind kind, const char *generation)
{
	g_free(self->generations[kind]);
	self->generations[kind] = g_strdup(generation);
}

static void
checksum(const CamSha256 *key, gconstpointer value, gsize size, CamSha256 *out)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();

	cam_hasher_update(hasher, key, sizeof(*key));
	cam_hasher_update(hasher, value, size);
	cam_hasher_finish_sha256(hasher, out);
}

static GBytes *
read_row(CamMemo *self, CamMemoKind kind, const CamSha256 *key, GError **error)
{
	g_autoptr(CamStatement) select = cam_database_prepare(
		self->db, "SELECT value FROM memo WHERE kind = ? AND key = ?", error);
	gboolean found;
	const guint8 *value;
	CamSha256 sum;
	gsize size;

	if (select == NULL)
		return NULL;
	cam_statement_bind_int(select, 1, kind);
	cam_statement_bind_blob(select, 2, key, sizeof(*key));
	if (!cam_statement_step_checked(select, &found, error) || !found)
		return NULL;
	value = cam_statement_blob(select, 0, &size);
	if (size < CHECKSUM_SIZE)
		return NULL;
	checksum(key, value + CHECKSUM_SIZE, size - CHECKSUM_SIZE, &sum);
	if (memcmp(sum.bytes, value, CHECKSUM_SIZE) != 0)
		return NULL;
	return g_bytes_new(value + CHECKSUM_SIZE, size - CHECKSUM_SIZE);
}

GBytes *
cam_memo_get(CamMemo *self, CamMemoKind kind, const CamSha256 *key)
{
	const PendingKey pending = { .kind = kind, .key = *key };
	GBytes *bytes = g_hash_table_lookup(self->pending, &pending);
	g_autoptr(GError) error = NULL;

	if (bytes != NULL)
		return g_bytes_ref(bytes);
	if (self->db == NULL)
		return NULL;
	bytes = read_row(self, kind, key, &error);
	if (error != NULL)
		give_up(self, error);
	return bytes;
}

void
cam_memo_put(CamMemo *self, CamMemoKind kind, const CamSha256 *key, GBytes *value)
{
	const PendingKey pending = { .kind = kind, .key = *key };

	g_hash_table_replace(self->pending, g_memdup2(&pending, sizeof(pending)),
			     g_bytes_ref(value));
	self->pending_size += g_bytes_get_size(value);
	if (self->pending_size > MAX_PENDING_SIZE) {
		cam_memo_flush(self);
		/* Where nothing can be written it is found anew, or not needed any more. */
		g_hash_table_remove_all(self->pending);
		self->pending_size = 0;
	}
}

/* Drops what other generations left, for the kinds that are about to be written. */
static gboolean
enter_generations(CamMemo *self, const gboolean *written, GError **error)
{
	g_autoptr(CamStatement) drop =
		cam_database_prepare(self->db,
				     "DELETE FROM memo WHERE kind = ?1 AND NOT EXISTS"
				     " (SELECT 1 FROM generation WHERE kind = ?1 AND name = ?2)",
				     error);
	g_autoptr(CamStatement) enter = cam_database_prepare(
		self->db, "INSERT OR REPLACE INTO generation (kind, name) VALUES (?, ?)", error);

	if (drop == NULL || enter == NULL)
		return FALSE;
	for (CamMemoKind kind = 0; kind < CAM_MEMO_N_KINDS; kind++) {
		if (!written[kind] || self->generations[kind] == NULL)
			continue;
		cam_statement_bind_int(drop, 1, kind);
		cam_statement_bind_text(drop, 2, self->generations[kind]);
		cam_statement_bind_int(enter, 1, kind);
		cam_statement_bind_text(enter, 2, self->generations[kind]);
		if (!cam_statement_run(drop, error) || !cam_statement_run(enter, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
write_rows(CamMemo *self, GError **error)
{
	g_autoptr(CamStatement) insert = cam_database_prepare(
		self->db, "INSERT OR REPLACE INTO memo (kind, key, value) VALUES (?, ?, ?)", error);
	gboolean written[CAM_MEMO_N_KINDS] = { FALSE };
	GHashTableIter iter;
	PendingKey *key;
	GBytes *value;

	if (insert == NULL)
		return FALSE;
	g_hash_table_iter_init(&iter, self->pending);
	while (g_hash_table_iter_next(&iter, (gpointer *) &key, NULL))
		written[key->kind] = TRUE;
	if (!enter_generations(self, written, error))
		return FALSE;
	g_hash_table_iter_init(&iter, self->pending);
	while (g_hash_table_iter_next(&iter, (gpointer *) &key, (gpointer *) &value)) {
		g_autoptr(GByteArray) row = g_byte_array_new();
		gsize size;
		gconstpointer data = g_bytes_get_data(value, &size);
		CamSha256 sum;

		checksum(&key->key, data, size, &sum);
		g_byte_array_append(row, sum.bytes, CHECKSUM_SIZE);
		if (size > 0)
			g_byte_array_append(row, data, size);
		cam_statement_bind_int(insert, 1, key->kind);
		cam_statement_bind_blob(insert, 2, &key->key, sizeof(key->key));
		cam_statement_bind_blob(insert, 3, row->data, row->len);
		if (!cam_statement_run(insert, error))
			return FALSE;
	}
	return TRUE;
}

void
cam_memo_flush(CamMemo *self)
{
	g_autoptr(GError) error = NULL;

	if (self->db == NULL || g_hash_table_size(self->pending) == 0)
		return;
	if (!cam_database_begin(self->db, &error)) {
		give_up(self, error);
		return;
	}
	if (!write_rows(self, &error)) {
		cam_database_rollback(self->db);
		give_up(self, error);
		return;
	}
	if (!cam_database_commit(self->db, &error)) {
		cam_database_rollback(self->db);
		give_up(self, error);
		return;
	}
	g_hash_table_remove_all(self->pending);
	self->pending_size = 0;
}

void
cam_memo_key(CamSha256 *out, ...)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	const char *part;
	va_list args;

	va_start(args, out);
	while ((part = va_arg(args, const char *)) != NULL)
		cam_hasher_update(hasher, part, strlen(part) + 1);
	va_end(args);
	cam_hasher_finish_sha256(hasher, out);
}
