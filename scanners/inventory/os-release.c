/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * os-release(5) and its fallback etc/debian_version: which release an image is of. What is known of
 * a release stands in the table of release.c.
 */
#include "scanners/inventory/os-release.h"

#include <string.h>

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
	g_free(self);
}

/* Values are those of shell assignments. One that no shell would take is kept as it stands. */
static char *
unquote(const char *value)
{
	g_autofree char *text = g_shell_unquote(value, NULL);

	return g_utf8_make_valid(text != NULL ? text : value, -1);
}

/* A derivative, by what its os-release says of its origin. */
static void
set_base(CamOsRelease *self, const char *id_like, const char *codename)
{
	static const char *const bases[][2] = { { "ubuntu", "Ubuntu" }, { "debian", "Debian" } };
	g_auto(GStrv) likes = g_strsplit(id_like, " ", -1);

	for (gsize i = 0; i < G_N_ELEMENTS(bases); i++) {
		const CamRelease *release = cam_release_find(bases[i][0], NULL, codename);

		if (release == NULL || !g_strv_contains((const char *const *) likes, bases[i][0]))
			continue;
		self->based_on = g_strdup_printf("%s %s", bases[i][1], release->version);
		self->ecosystem = g_strdup(release->ecosystem);
		self->end_of_life = g_strdup(release->end_of_life);
		self->end_of_lts = g_strdup(release->end_of_lts);
		return;
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
	g_autofree char *text = g_strndup(data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

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

CamOsRelease *
cam_os_release_parse(const char *data, gsize size)
{
	static const char *const codenames[] = { "UBUNTU_CODENAME", "DEBIAN_CODENAME",
						 "VERSION_CODENAME" };
	g_autoptr(CamOsRelease) self = g_new0(CamOsRelease, 1);
	g_autoptr(GHashTable) values = read_assignments(data, size);
	const char *id_like = g_hash_table_lookup(values, "ID_LIKE");

	self->id = dup_value(values, "ID");
	self->version_id = dup_value(values, "VERSION_ID");
	self->codename = dup_value(values, "VERSION_CODENAME");
	self->pretty_name = dup_value(values, "PRETTY_NAME");
	if (self->id == NULL)
		self->id = g_strdup("linux");
	if (self->pretty_name == NULL)
		self->pretty_name = dup_value(values, "NAME");
	cam_os_release_complete(self);
	for (gsize i = 0; i < G_N_ELEMENTS(codenames); i++) {
		const char *codename = g_hash_table_lookup(values, codenames[i]);

		if (self->ecosystem == NULL && id_like != NULL && codename != NULL)
			set_base(self, id_like, codename);
	}
	return g_steal_pointer(&self);
}

void
cam_os_release_add_debian_version(CamOsRelease *self, const char *data, gsize size)
{
	g_autofree char *text = g_strstrip(g_strndup(data, size));
	gsize part = strcspn(text, "./");

	if (strcmp(self->id, "linux") == 0) {
		g_free(self->id);
		self->id = g_strdup("debian");
	}
	if (strcmp(self->id, "debian") != 0 || self->version_id != NULL || part == 0 ||
	    !g_utf8_validate(text, -1, NULL))
		return;
	text[part] = '\0';
	if (g_ascii_isdigit(text[0]))
		self->version_id = g_strdup(text);
	else if (self->codename == NULL)
		self->codename = g_strdup(text);
	cam_os_release_complete(self);
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

static gboolean
os_release_wants(const char *parent, const char *name, gboolean is_directory)
{
	if (is_directory)
		return (parent[0] == '\0' &&
			(strcmp(name, "etc") == 0 || strcmp(name, "usr") == 0)) ||
		       (strcmp(parent, "usr") == 0 && strcmp(name, "lib") == 0);
	if (strcmp(parent, "etc") == 0)
		return strcmp(name, "os-release") == 0 || strcmp(name, "debian_version") == 0;
	return strcmp(parent, "usr/lib") == 0 && strcmp(name, "os-release") == 0;
}

/* *@bytes is NULL where nothing, or nothing that can be read as a file, is at the end of @path. */
static gboolean
read_optional(CamRootfs *rootfs, const char *path, CamInventory *inventory, GBytes **bytes,
	      GError **error)
{
	g_autoptr(GError) local_error = NULL;

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

static gboolean
os_release_scan(const CamScanRun *run, CamRootfs *rootfs, const char *const *paths,
		CamInventory *inventory, GError **error)
{
	/* os-release(5): the file in /etc takes precedence. */
	static const char *const files[] = { "etc/os-release", "usr/lib/os-release" };
	g_autoptr(GBytes) bytes = NULL, debian_version = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(files) && bytes == NULL; i++)
		if (g_strv_contains(paths, files[i]) &&
		    !read_optional(rootfs, files[i], inventory, &bytes, error))
			return FALSE;
	if (g_strv_contains(paths, "etc/debian_version") &&
	    !read_optional(rootfs, "etc/debian_version", inventory, &debian_version, error))
		return FALSE;
	if (bytes == NULL && debian_version == NULL)
		return TRUE;

	inventory->os = cam_os_release_parse(bytes != NULL ? g_bytes_get_data(bytes, NULL) : "",
					     bytes != NULL ? g_bytes_get_size(bytes) : 0);
	if (debian_version != NULL)
		cam_os_release_add_debian_version(inventory->os,
						  g_bytes_get_data(debian_version, NULL),
						  g_bytes_get_size(debian_version));
	return TRUE;
}

const CamScanner cam_scanner_os_release = {
	.name = "os-release",
	.version = 2,
	.wants = os_release_wants,
	.scan = os_release_scan,
};
