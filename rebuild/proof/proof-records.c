/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package database: what it may say after a fix follows from what it said before and from the
 * control archives of the packages.
 */
#include <string.h>

#include "rebuild/proof/proof-private.h"
#include "scanners/scanners.h"

#define DPKG	 "var/lib/dpkg/"
#define STATUS	 DPKG "status"
#define STATUS_D DPKG "status.d/"
#define INFO	 DPKG "info/"

static char *
explained(void)
{
	return g_strdup("");
}

/* ---- paragraphs ---- */

static void
string_free(gpointer data)
{
	g_string_free(data, TRUE);
}

/* Fields of one paragraph: name in lower case → value, with its lines as they stand. */
static GHashTable *
read_fields(const char *text, gsize size)
{
	GHashTable *fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, string_free);
	g_autofree char *copy = g_strndup(text, size);
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
	GString *value = NULL;

	for (guint i = 0; lines[i]; i++) {
		const char *colon = strchr(lines[i], ':');

		if (*lines[i] == ' ' || *lines[i] == '\t') {
			if (value)
				g_string_append_printf(value, "\n%s", lines[i]);
		} else if (colon) {
			value = g_string_new(colon + 1);
			g_hash_table_replace(fields, g_ascii_strdown(lines[i], colon - lines[i]),
					     value);
		}
	}
	return fields;
}

/* name:architecture → fields, of all paragraphs */
static GHashTable *
read_paragraphs(const char *text)
{
	GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify) g_hash_table_unref);
	g_auto(CamDeb822) reader = { 0 };

	cam_deb822_init(&reader, text, strlen(text));
	while (cam_deb822_next(&reader)) {
		g_autofree char *name = cam_deb822_dup(&reader, "Package");
		g_autofree char *architecture = cam_deb822_dup(&reader, "Architecture");
		gsize size;
		const char *raw = cam_deb822_raw(&reader, &size);

		g_hash_table_replace(all,
				     g_strdup_printf("%s:%s", name ? name : "",
						     architecture ? architecture : ""),
				     read_fields(raw, size));
	}
	return all;
}

/* dpkg writes blanks in relations its own way. */
static gboolean
same_but_blanks(const char *a, const char *b)
{
	for (;;) {
		while (g_ascii_isspace(*a))
			a++;
		while (g_ascii_isspace(*b))
			b++;
		if (*a != *b)
			return FALSE;
		if (*a == '\0')
			return TRUE;
		a++;
		b++;
	}
}

static const char *
field(GHashTable *fields, const char *name)
{
	const GString *value = fields ? g_hash_table_lookup(fields, name) : NULL;

	return value ? value->str : NULL;
}

static gboolean
same_fields(GHashTable *a, GHashTable *b)
{
	GHashTableIter iter;
	gpointer name;

	if (g_hash_table_size(a) != g_hash_table_size(b))
		return FALSE;
	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *other = field(b, name);

		if (!other || !same_but_blanks(field(a, name), other))
			return FALSE;
	}
	return TRUE;
}

/* ---- one package ---- */

static gint
find_package(const CamProof *self, const char *key)
{
	for (guint i = 0; i < self->packages->len; i++) {
		const CamPlannedPackage *package = self->packages->pdata[i];
		gsize size = strlen(package->name);

		if (!strncmp(key, package->name, size) && key[size] == ':' &&
		    g_str_equal(key + size + 1, package->architecture))
			return (gint) i;
	}
	return -1;
}

/* " /path md5 [obsolete]" a line: as the .deb has it, or as it stood there before. */
static gboolean
conffiles_hold(const CamDebContent *content, const char *value, const char *before)
{
	g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
	g_auto(GStrv) old = g_strsplit(before ? before : "", "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(g_strstrip(lines[i]), " ", 3);
		const CamDebEntry *entry;
		gboolean known = FALSE;

		if (*lines[i] == '\0')
			continue;
		if (g_strv_length(words) < 2 || *words[0] != '/')
			return FALSE;
		entry = g_hash_table_lookup(content->entries, words[0] + 1);
		if (entry && g_strcmp0(entry->md5, words[1]) == 0)
			continue;
		for (guint j = 0; old[j] && !known; j++) {
			g_auto(GStrv) former = g_strsplit(g_strstrip(old[j]), " ", 3);

			known = g_strv_length(former) >= 2 && g_str_equal(former[0], words[0]) &&
				g_str_equal(former[1], words[1]);
		}
		if (!known)
			return FALSE;
	}
	return TRUE;
}

static gboolean
status_holds(const char *value, const char *before)
{
	const char *expected =
		before && strstr(before, " ok installed") ? before : "install ok installed";

	return same_but_blanks(value, expected);
}

/* Small images leave fields for people out. */
static gboolean
may_lack(const char *name, GHashTable *before)
{
	static const char *const optional[] = { "description",
						"homepage",
						"section",
						"priority",
						"installed-size",
						"maintainer",
						"tag",
						"original-maintainer",
						NULL };

	return before && g_strv_contains(optional, name) && !field(before, name);
}

/* What the database says of @package: its control file and nothing else. */
static gboolean
paragraph_holds(const CamProof *self, guint index, GHashTable *fields, GHashTable *before)
{
	const CamDebContent *content = self->contents->pdata[index];
	g_autofree char *control = cam_deb_content_dup_control(content, "control");
	g_autoptr(GHashTable) expected = read_fields(control, strlen(control));
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, fields);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *value = field(fields, name), *shipped = field(expected, name);
		gboolean holds;

		if (g_str_equal(name, "status"))
			holds = status_holds(value, field(before, name));
		else if (g_str_equal(name, "conffiles"))
			holds = conffiles_hold(content, value, field(before, name));
		else
			holds = shipped && same_but_blanks(value, shipped);
		if (!holds)
			return FALSE;
	}
	g_hash_table_iter_init(&iter, expected);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!field(fields, name) && *g_strchug((char *) field(expected, name)) != '\0' &&
		    !may_lack(name, before))
			return FALSE;
	return TRUE;
}

/* ---- files of paragraphs ---- */

static char *
compare_paragraphs(const CamProof *self, GHashTable *old, GHashTable *now)
{
	GHashTableIter iter;
	gpointer key, fields;

	g_hash_table_iter_init(&iter, now);
	while (g_hash_table_iter_next(&iter, &key, &fields)) {
		GHashTable *before = g_hash_table_lookup(old, key);
		gint index = find_package(self, key);

		if (before && same_fields(before, fields))
			continue;
		if (index < 0 || !paragraph_holds(self, (guint) index, fields, before))
			return g_strdup_printf("its entry of %s is not what the package says",
					       (const char *) key);
	}
	g_hash_table_iter_init(&iter, old);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		/* a package may be of another architecture than before ("all") */
		if (!g_hash_table_contains(now, key)) {
			g_autofree char *name = g_strndup(key, strcspn((const char *) key, ":"));
			gboolean moved = FALSE;

			for (guint i = 0; i < self->packages->len && !moved; i++)
				moved = g_str_equal(
					((const CamPlannedPackage *) self->packages->pdata[i])
						->name,
					name);
			if (!moved)
				return g_strdup_printf("its entry of %s is gone",
						       (const char *) key);
		}
	return explained();
}

static char *
judge_paragraphs(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *before = cam_proof_read_text(self->before, change->path);
	g_autofree char *after = cam_proof_read_text(self->after, change->path);
	g_autoptr(GHashTable) old = NULL, now = NULL;

	if (change->kind != CAM_CHANGE_MODIFIED || !before || !after ||
	    (change->aspects & ~(guint) CAM_ASPECT_CONTENT) != 0)
		return g_strdup("it is not the file that it was");
	old = read_paragraphs(before);
	now = read_paragraphs(after);
	return compare_paragraphs(self, old, now);
}

/* ---- info/ ---- */

static void
add_lines(GHashTable *set, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = 0; lines[i]; i++)
		if (*lines[i])
			g_hash_table_add(set, g_strdup(lines[i]));
}

/* A list names what the package ships, and perhaps configuration files of before. */
static gboolean
list_holds(const CamProof *self, const CamPathChange *change, const CamDebContent *content)
{
	g_autoptr(GHashTable) before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *old = cam_proof_read_text(self->before, change->path);
	g_autofree char *now = cam_proof_read_text(self->after, change->path);
	g_auto(GStrv) lines = g_strsplit(now ? now : "", "\n", -1);
	guint found = 0;

	add_lines(before, old);
	for (guint i = 0; now && lines[i]; i++) {
		const char *path = g_str_equal(lines[i], "/.") ? "" : lines[i] + 1;

		if (*lines[i] == '\0')
			continue;
		if (*lines[i] == '/' && g_hash_table_contains(content->entries, path))
			found++;
		else if (!g_hash_table_contains(before, lines[i]))
			return FALSE;
	}
	return found >= g_hash_table_size(content->entries);
}

static gboolean
member_holds(const CamProof *self, const CamPathChange *change, const CamDebContent *content,
	     const char *member)
{
	GBytes *expected = g_hash_table_lookup(content->control, member);
	g_autoptr(GBytes) now = NULL;

	if (!cam_proof_is_plain(&change->after, 0644) && !cam_proof_is_plain(&change->after, 0755))
		return FALSE;
	if (g_str_equal(member, "list"))
		return list_holds(self, change, content);
	now = expected ? cam_rootfs_read(self->after, change->path, CAM_PROOF_MAX_FILE, NULL)
		       : NULL;
	return now && g_bytes_equal(now, expected);
}

/* The member of "NAME.member" or "NAME:ARCHITECTURE.member"; NULL if that is another package's. */
static const char *
member_of(const CamPlannedPackage *package, const char *name)
{
	gsize size = strlen(package->name);
	gsize architecture = strlen(package->architecture);

	if (strncmp(name, package->name, size) != 0)
		return NULL;
	name += size;
	if (*name == ':' && !strncmp(name + 1, package->architecture, architecture))
		name += 1 + architecture;
	return *name == '.' && !strchr(name + 1, '.') ? name + 1 : NULL;
}

static char *
judge_info(const CamProof *self, const CamPathChange *change, const char *name)
{
	for (guint i = 0; i < self->packages->len; i++) {
		const CamDebContent *content = self->contents->pdata[i];
		const char *member = member_of(self->packages->pdata[i], name);

		if (!member)
			continue;
		if (change->kind == CAM_CHANGE_REMOVED
			    ? !g_hash_table_contains(content->control, member)
			    : member_holds(self, change, content, member))
			return explained();
	}
	return g_strdup("it is not what a package of the fix records");
}

/* status.d/NAME.md5sums of images without dpkg */
static char *
judge_single_md5sums(const CamProof *self, const CamPathChange *change)
{
	g_autoptr(GBytes) now =
		cam_rootfs_read(self->after, change->path, CAM_PROOF_MAX_FILE, NULL);

	for (guint i = 0; now && i < self->contents->len; i++) {
		const CamDebContent *content = self->contents->pdata[i];
		GBytes *expected = g_hash_table_lookup(content->control, "md5sums");

		if (expected && g_bytes_equal(now, expected) &&
		    cam_proof_is_plain(&change->after, 0644))
			return explained();
	}
	return g_strdup("it is not what a package of the fix records");
}

static gboolean
is_empty(const CamPathChange *change)
{
	return change->kind == CAM_CHANGE_REMOVED ||
	       (change->after.size == 0 && (cam_proof_is_plain(&change->after, 0644) ||
					    cam_proof_is_plain(&change->after, 0640)));
}

char *
cam_proof_records(const CamProof *self, const CamPathChange *change, GError **error)
{
	static const char *const empty[] = { DPKG "lock", DPKG "lock-frontend",
					     DPKG "triggers/Lock", DPKG "triggers/Unincorp", NULL };
	const char *path = change->path;

	if (!g_str_has_prefix(path, DPKG) || change->is_directory)
		return NULL;
	if (g_str_equal(path, STATUS) || g_str_equal(path, DPKG "available"))
		return judge_paragraphs(self, change);
	if (g_str_has_prefix(path, STATUS_D))
		return g_str_has_suffix(path, ".md5sums") ? judge_single_md5sums(self, change)
							  : judge_paragraphs(self, change);
	if (g_str_has_prefix(path, INFO))
		return judge_info(self, change, path + strlen(INFO));
	if (g_strv_contains(empty, path) && is_empty(change))
		return explained();
	return NULL;
}
