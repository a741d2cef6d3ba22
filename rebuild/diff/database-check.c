/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a change of dpkg's database is what the package changes must have made of it. The list of
 * packages is compared stanza by stanza: one that was altered for no upgrade is not explained.
 */
#include "rebuild/diff/database-check.h"

#include <string.h>

#define DPKG_DIR	"var/lib/dpkg/"
#define MAX_STATUS_SIZE (256 * 1024 * 1024)

/* ---- var/lib/dpkg/status ---- */

/* name:architecture → the stanza as it stands, within @bytes */
static GHashTable *
index_stanzas(GBytes *bytes)
{
	GHashTable *stanzas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						    (GDestroyNotify) g_bytes_unref);
	g_auto(CamDeb822) reader = { 0 };
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	cam_deb822_init(&reader, data, size);
	while (cam_deb822_next(&reader)) {
		g_autofree char *name = cam_deb822_dup(&reader, "Package");
		g_autofree char *architecture = cam_deb822_dup(&reader, "Architecture");
		gsize raw_size;
		const char *raw = cam_deb822_raw(&reader, &raw_size);

		g_hash_table_replace(stanzas,
				     g_strconcat(name != NULL ? name : "", ":", architecture, NULL),
				     g_bytes_new_from_bytes(bytes, raw - data, raw_size));
	}
	return stanzas;
}

static gboolean
is_changed_name(const CamEvidence *evidence, const char *name, gsize size)
{
	for (guint i = 0; i < evidence->packages->len; i++) {
		const CamPackageChange *change = evidence->packages->pdata[i];

		if (strncmp(change->name, name, size) == 0 && change->name[size] == '\0')
			return TRUE;
	}
	return FALSE;
}

/* (transfer full) (nullable): the first stanza of @a that is not in @b and not of a change. */
static char *
find_foreign(const CamEvidence *evidence, GHashTable *a, GHashTable *b)
{
	GHashTableIter iter;
	const char *key;
	GBytes *stanza, *other;

	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, (gpointer *) &key, (gpointer *) &stanza)) {
		other = g_hash_table_lookup(b, key);
		if ((other == NULL || !g_bytes_equal(stanza, other)) &&
		    !is_changed_name(evidence, key, strcspn(key, ":")))
			return g_strndup(key, strcspn(key, ":"));
	}
	return NULL;
}

static gboolean
check_status(const CamEvidence *evidence, CamPathChange *change, GError **error)
{
	g_autoptr(GBytes) before = NULL, after = NULL;
	g_autoptr(GHashTable) old = NULL, new = NULL;
	g_autofree char *foreign = NULL;

	if (change->kind != CAM_CHANGE_MODIFIED || change->after.type != CAM_NODE_REGULAR)
		return TRUE;
	before = cam_rootfs_read(evidence->before, change->path, MAX_STATUS_SIZE, error);
	if (before == NULL)
		return FALSE;
	after = cam_rootfs_read(evidence->after, change->path, MAX_STATUS_SIZE, error);
	if (after == NULL)
		return FALSE;
	old = index_stanzas(before);
	new = index_stanzas(after);
	foreign = find_foreign(evidence, old, new);
	if (foreign == NULL)
		foreign = find_foreign(evidence, new, old);
	if (foreign != NULL)
		change->note = g_strdup_printf(
			"package database, but the entry of %s changed, which was not upgraded",
			foreign);
	else
		cam_path_change_explain(change, NULL,
					"package database, entries of changed packages only");
	return TRUE;
}

/* ---- the files beside it ---- */

/* info/NAME[:ARCH].KIND */
static void
check_info(const CamEvidence *evidence, CamPathChange *change, const char *name)
{
	const char *dot = strrchr(name, '.');
	gsize size = strcspn(name, ":");

	if (dot == NULL || strchr(name, '/') != NULL)
		return;
	if (is_changed_name(evidence, name, MIN(size, (gsize) (dot - name))))
		cam_path_change_explain(change, NULL, "package database, record of the package");
}

/* status.d/FILE and status.d/FILE.md5sums */
static void
check_single_file(const CamEvidence *evidence, CamPathChange *change)
{
	for (guint i = 0; i < evidence->packages->len; i++) {
		const CamPackageChange *package = evidence->packages->pdata[i];
		const char *paths[] = { package->before_path, package->after_path };

		for (gsize j = 0; j < G_N_ELEMENTS(paths); j++) {
			g_autofree char *md5sums =
				g_strconcat(paths[j] != NULL ? paths[j] : "", ".md5sums", NULL);

			if (g_strcmp0(change->path, paths[j]) == 0 ||
			    g_str_equal(change->path, md5sums))
				cam_path_change_explain(change, package,
							"package database, record of the package");
		}
	}
}

static gboolean
is_empty_file(const CamPathChange *change)
{
	return change->kind == CAM_CHANGE_REMOVED ||
	       (change->after.type == CAM_NODE_REGULAR && change->after.size == 0);
}

gboolean
cam_database_check(const CamEvidence *evidence, CamPathChange *change, GError **error)
{
	static const char *const locks[] = { "lock",	"lock-frontend", "triggers/Lock",
					     "updates", "triggers",	 NULL };
	const char *name = change->path + strlen(DPKG_DIR);

	if (!g_str_has_prefix(change->path, DPKG_DIR) || evidence->packages->len == 0)
		return TRUE;
	if (strcmp(name, "status") == 0)
		return check_status(evidence, change, error);
	if (g_str_has_prefix(name, "info/"))
		check_info(evidence, change, name + strlen("info/"));
	else if (g_str_has_prefix(name, "status.d/"))
		check_single_file(evidence, change);
	else if (strcmp(name, "status-old") == 0 || strcmp(name, "available") == 0 ||
		 strcmp(name, "available-old") == 0)
		cam_path_change_explain(change, NULL, "package database, copy of an earlier state");
	else if (g_strv_contains(locks, name) && (change->is_directory || is_empty_file(change)))
		cam_path_change_explain(change, NULL, "package database, lock");
	else if (strcmp(name, "triggers/Unincorp") == 0 && is_empty_file(change))
		cam_path_change_explain(change, NULL, "package database, no trigger pending");
	return TRUE;
}
