/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * os-release(5) and its fallbacks: which release an image is of. What is known of a release stands
 * in the table of release.c.
 */
#include "scanners/inventory/os-release.h"

#include <string.h>

#include "scanners/apt/deb822.h"
#include "scanners/engine/scanner.h"
#include "scanners/inventory/release.h"

#define MAX_FILE_SIZE (64 * 1024) /* real ones have less than 1 KiB */

void
cam_os_release_free(CamOsRelease *self)
{
	g_free(self->id);
	g_free(self->version_id);
	g_free(self->codename);
	g_free(self->pretty_name);
	g_free(self->ecosystem);
	g_free(self->based_on);
	g_free(self->end_of_life);
	g_free(self->end_of_lts);
	g_free(self->id_like);
	g_free(self);
}

/* Values are those of shell assignments. One that no shell would take is kept as it stands. */
static char *
unquote(const char *value)
{
	g_autofree char *text = g_shell_unquote(value, NULL);

	return g_utf8_make_valid(text != NULL ? text : value, -1);
}

static gboolean
is_like(const CamOsRelease *self, const char *distribution)
{
	g_auto(GStrv) likes = g_strsplit_set(self->id_like != NULL ? self->id_like : "", " \t", -1);

	return g_strv_contains((const char *const *) likes, distribution);
}

/* A derivative, by what it says of its origin. */
static void
set_base(CamOsRelease *self, const char *version, const char *codename)
{
	static const char *const bases[][2] = { { "ubuntu", "Ubuntu" }, { "debian", "Debian" } };

	for (gsize i = 0; i < G_N_ELEMENTS(bases) && self->ecosystem == NULL; i++) {
		const CamRelease *release =
			is_like(self, bases[i][0])
				? cam_release_find(bases[i][0], version, codename)
				: NULL;

		if (release == NULL)
			continue;
		self->based_on = g_strdup_printf("%s %s", bases[i][1], release->version);
		self->ecosystem = g_strdup(release->ecosystem);
		self->end_of_life = g_strdup(release->end_of_life);
		self->end_of_lts = g_strdup(release->end_of_lts);
	}
}

void
cam_os_release_complete(CamOsRelease *self)
{
	const CamRelease *release = cam_release_find(self->id, self->version_id, self->codename);

	if (release == NULL || self->ecosystem != NULL)
		return;
	self->ecosystem = g_strdup(release->ecosystem);
	self->end_of_life = g_strdup(release->end_of_life);
	self->end_of_lts = g_strdup(release->end_of_lts);
	if (self->version_id == NULL)
		self->version_id = g_strdup(release->version);
	if (self->codename == NULL)
		self->codename = g_strdup(release->codename);
}

static GHashTable *
read_assignments(const char *data, gsize size)
{
	GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	static const char mark[] = "\xef\xbb\xbf"; /* that some editors begin a file with */
	g_autofree char *text = g_strndup(data, size);
	g_auto(GStrv) lines =
		g_strsplit(g_str_has_prefix(text, mark) ? text + strlen(mark) : text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		char *name = g_strstrip(*line);
		char *equals = strchr(name, '=');

		if (name[0] == '#' || equals == NULL)
			continue;
		*equals = '\0';
		g_hash_table_replace(values, g_strdup(name), unquote(equals + 1));
	}
	return values;
}

/* (nullable): an empty value says as much as none. */
static char *
dup_value(GHashTable *values, const char *name)
{
	const char *value = g_hash_table_lookup(values, name);

	return value != NULL && value[0] != '\0' ? g_strdup(value) : NULL;
}

/* IDs are lower case, os-release(5); lsb-release writes names. */
static char *
dup_id(GHashTable *values, const char *name)
{
	g_autofree char *value = dup_value(values, name);

	return value != NULL ? g_ascii_strdown(value, -1) : NULL;
}

#define NO_ID "linux" /* os-release(5) */

CamOsRelease *
cam_os_release_parse(const char *data, gsize size)
{
	static const char *const codenames[] = { "UBUNTU_CODENAME", "DEBIAN_CODENAME",
						 "VERSION_CODENAME" };
	g_autoptr(CamOsRelease) self = g_new0(CamOsRelease, 1);
	g_autoptr(GHashTable) values = read_assignments(data, size);

	self->id = dup_id(values, "ID");
	self->id_like = dup_id(values, "ID_LIKE");
	self->version_id = dup_value(values, "VERSION_ID");
	self->codename = dup_value(values, "VERSION_CODENAME");
	self->pretty_name = dup_value(values, "PRETTY_NAME");
	if (self->id == NULL)
		self->id = g_strdup(NO_ID);
	if (self->pretty_name == NULL)
		self->pretty_name = dup_value(values, "NAME");
	cam_os_release_complete(self);
	for (gsize i = 0; i < G_N_ELEMENTS(codenames); i++) {
		const char *codename = g_hash_table_lookup(values, codenames[i]);

		if (codename != NULL)
			set_base(self, NULL, codename);
	}
	return g_steal_pointer(&self);
}

static void
fill(char **member, GHashTable *values, const char *name)
{
	if (*member == NULL)
		*member = dup_value(values, name);
}

void
cam_os_release_add_lsb_release(CamOsRelease *self, const char *data, gsize size)
{
	g_autoptr(GHashTable) values = read_assignments(data, size);
	g_autofree char *id = dup_id(values, "DISTRIB_ID");

	if (id == NULL || (strcmp(self->id, NO_ID) != 0 && strcmp(self->id, id) != 0))
		return;
	g_free(self->id);
	self->id = g_steal_pointer(&id);
	fill(&self->version_id, values, "DISTRIB_RELEASE");
	fill(&self->codename, values, "DISTRIB_CODENAME");
	fill(&self->pretty_name, values, "DISTRIB_DESCRIPTION");
	cam_os_release_complete(self);
}

void
cam_os_release_add_vendor(CamOsRelease *self, const char *data, gsize size)
{
	g_auto(CamDeb822) origin = { 0 };
	g_autofree char *vendor = NULL;

	cam_deb822_init(&origin, data, size);
	if (strcmp(self->id, NO_ID) != 0 || !cam_deb822_next(&origin))
		return;
	vendor = cam_deb822_dup(&origin, "Vendor");
	if (vendor == NULL || vendor[0] == '\0' || !g_utf8_validate(vendor, -1, NULL))
		return;
	g_free(self->id);
	self->id = g_ascii_strdown(vendor, -1);
	cam_os_release_complete(self);
}

void
cam_os_release_add_debian_version(CamOsRelease *self, const char *data, gsize size)
{
	g_autofree char *text = g_strstrip(g_strndup(data, size));
	gsize part = strcspn(text, "./");
	gboolean numbered = g_ascii_isdigit(text[0]);

	/* Ubuntu's says "bookworm/sid" too: without more it tells of no distribution. */
	if (strcmp(self->id, NO_ID) == 0 && numbered) {
		g_free(self->id);
		self->id = g_strdup("debian");
	}
	if (part == 0 || !g_utf8_validate(text, -1, NULL))
		return;
	text[part] = '\0';
	if (strcmp(self->id, "debian") != 0) {
		if (numbered && !is_like(self, "ubuntu"))
			set_base(self, text, NULL);
		return;
	}
	if (self->version_id != NULL)
		return;
	if (numbered)
		self->version_id = g_strdup(text);
	else if (self->codename == NULL)
		self->codename = g_strdup(text);
	cam_os_release_complete(self);
}

CamOsRelease *
cam_os_release_dup_archive(const CamOsRelease *self)
{
	const CamRelease *base =
		self->based_on != NULL ? cam_release_find_ecosystem(self->ecosystem) : NULL;
	CamOsRelease *copy = g_new0(CamOsRelease, 1);

	copy->id = g_strdup(base != NULL ? base->id : self->id);
	copy->version_id = g_strdup(base != NULL ? base->version : self->version_id);
	copy->codename = g_strdup(base != NULL ? base->codename : self->codename);
	copy->pretty_name = g_strdup(base != NULL ? self->based_on : self->pretty_name);
	copy->ecosystem = g_strdup(self->ecosystem);
	copy->end_of_life = g_strdup(self->end_of_life);
	copy->end_of_lts = g_strdup(self->end_of_lts);
	return copy;
}

CamSupport
cam_os_release_get_support(const CamOsRelease *self, const char *today)
{
	/* A release that is not out yet has no date and is supported. */
	if (self->end_of_life == NULL)
		return self->ecosystem != NULL ? CAM_SUPPORT_FULL : CAM_SUPPORT_UNKNOWN;
	if (strcmp(today, self->end_of_life) <= 0)
		return CAM_SUPPORT_FULL;
	if (self->end_of_lts != NULL && strcmp(today, self->end_of_lts) <= 0)
		return CAM_SUPPORT_LTS;
	return CAM_SUPPORT_END_OF_LIFE;
}

/* ---- the scanner ---- */

#define DEBIAN_VERSION "etc/debian_version"
#define LSB_RELEASE    "etc/lsb-release"
#define VENDOR	       "etc/dpkg/origins/default"

/* os-release(5): the file in /etc takes precedence. */
static const char *const os_release_files[] = { "etc/os-release", "usr/lib/os-release" };

/* What os-release does not tell, in this order. */
static const struct {
	const char *path;
	void (*add)(CamOsRelease *self, const char *data, gsize size);
} fallbacks[] = {
	{ LSB_RELEASE, cam_os_release_add_lsb_release },
	{ VENDOR, cam_os_release_add_vendor },
	{ DEBIAN_VERSION, cam_os_release_add_debian_version },
};

/* Whether @path is @file or, of a directory, one that it lies in. */
static gboolean
leads_to(const char *path, const char *file, gboolean is_directory)
{
	gsize size = strlen(path);

	return strncmp(path, file, size) == 0 && file[size] == (is_directory ? '/' : '\0');
}

static gboolean
os_release_wants(const char *parent, const char *name, gboolean is_directory)
{
	g_autofree char *path =
		parent[0] != '\0' ? g_strconcat(parent, "/", name, NULL) : g_strdup(name);

	for (gsize i = 0; i < G_N_ELEMENTS(os_release_files); i++)
		if (leads_to(path, os_release_files[i], is_directory))
			return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(fallbacks); i++)
		if (leads_to(path, fallbacks[i].path, is_directory))
			return TRUE;
	return FALSE;
}

/* *@bytes is NULL where nothing, or nothing that can be read as a file, is at the end of @path. */
static gboolean
read_optional(CamRootfs *rootfs, const char *const *paths, const char *path,
	      CamInventory *inventory, GBytes **bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	*bytes = NULL;
	if (!g_strv_contains(paths, path))
		return TRUE;
	*bytes = cam_rootfs_read(rootfs, path, MAX_FILE_SIZE, &local_error);
	if (*bytes != NULL || g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND) ||
	    g_error_matches(local_error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION))
		return TRUE;
	if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED)) {
		cam_inventory_add_problem(inventory, "%s is larger than %d bytes: it is not read",
					  path, MAX_FILE_SIZE);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

/* The first of the files that names a distribution; one that is empty names none. */
static CamOsRelease *
read_os_release(CamRootfs *rootfs, const char *const *paths, CamInventory *inventory,
		GError **error)
{
	g_autoptr(CamOsRelease) os = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(os_release_files); i++) {
		g_autoptr(GBytes) bytes = NULL;

		if (os != NULL && strcmp(os->id, NO_ID) != 0)
			break;
		if (!read_optional(rootfs, paths, os_release_files[i], inventory, &bytes, error))
			return NULL;
		if (bytes == NULL)
			continue;
		g_clear_pointer(&os, cam_os_release_free);
		os = cam_os_release_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	}
	return os != NULL ? g_steal_pointer(&os) : cam_os_release_parse("", 0);
}

static gboolean
os_release_scan(const CamScanRun *run, CamRootfs *rootfs, const char *const *paths,
		CamInventory *inventory, GError **error)
{
	inventory->os = read_os_release(rootfs, paths, inventory, error);
	if (inventory->os == NULL)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(fallbacks); i++) {
		g_autoptr(GBytes) bytes = NULL;

		if (!read_optional(rootfs, paths, fallbacks[i].path, inventory, &bytes, error))
			return FALSE;
		if (bytes != NULL)
			fallbacks[i].add(inventory->os, g_bytes_get_data(bytes, NULL),
					 g_bytes_get_size(bytes));
	}
	return TRUE;
}

const CamScanner cam_scanner_os_release = {
	.name = "os-release",
	.version = 3,
	.wants = os_release_wants,
	.scan = os_release_scan,
};
