/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages of dpkg systems: var/lib/dpkg/status, and the one-file-a-package form of images without
 * a package manager, var/lib/dpkg/status.d. Writing these databases is the business of rebuild.
 */
#include "scanners/inventory/inventory.h"

#include <string.h>

#include "scanners/apt/deb822.h"
#include "scanners/engine/scanner.h"

#define STATUS_DIR	"var/lib/dpkg/status.d"
#define MAX_STATUS_SIZE (256 * 1024 * 1024) /* a full desktop has 5 MiB */

typedef enum {
	STATE_ABSENT, /* its files are not there */
	STATE_PRESENT,
	STATE_INVALID,
} State;

/*
 * dpkg(1), "Package states". Files of a package that is half-installed may be there: it is
 * listed, for a scanner must rather say too much.
 */
static State
parse_state(const char *word)
{
	static const struct {
		const char *word;
		State state;
	} states[] = {
		{ "not-installed", STATE_ABSENT },     { "config-files", STATE_ABSENT },
		{ "half-installed", STATE_PRESENT },   { "unpacked", STATE_PRESENT },
		{ "half-configured", STATE_PRESENT },  { "triggers-awaited", STATE_PRESENT },
		{ "triggers-pending", STATE_PRESENT }, { "installed", STATE_PRESENT },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
		if (strcmp(word, states[i].word) == 0)
			return states[i].state;
	return STATE_INVALID;
}

static gboolean
malformed(const CamDeb822 *stanza, const char *path, const char *what, GError **error)
{
	return cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s:%u: %s", path, stanza->line, what);
}

/*
 * (nullable): a field whose value is of printable ASCII without more blanks than those between
 * words: whatever dpkg writes into the fields that are read here.
 */
static gboolean
dup_words(CamDeb822 *stanza, const char *path, const char *field, char **out, GError **error)
{
	gsize size;
	const char *value = cam_deb822_get(stanza, field, &size);

	*out = NULL;
	if (value == NULL)
		return TRUE;
	for (gsize i = 0; i < size; i++)
		if (!g_ascii_isprint(value[i]) && value[i] != '\t') {
			g_autofree char *what = g_strdup_printf("malformed field %s", field);

			return malformed(stanza, path, what, error);
		}
	*out = g_strstrip(g_strndup(value, size));
	if (**out == '\0')
		g_clear_pointer(out, g_free);
	return TRUE;
}

/* "Status: want flag state"; the stanzas of status.d have none and are installed. */
static gboolean
read_status(CamDeb822 *stanza, const char *path, gboolean *present, gboolean *held, GError **error)
{
	g_autofree char *status = NULL;
	g_auto(GStrv) words = NULL;
	State state;

	*present = TRUE;
	*held = FALSE;
	if (!dup_words(stanza, path, "Status", &status, error))
		return FALSE;
	if (status == NULL)
		return TRUE;
	words = g_strsplit(status, " ", -1);
	state = g_strv_length(words) == 3 ? parse_state(words[2]) : STATE_INVALID;
	if (state == STATE_INVALID)
		return malformed(stanza, path, "malformed field Status", error);
	*present = state == STATE_PRESENT;
	*held = strcmp(words[0], "hold") == 0;
	return TRUE;
}

/* "Source: name" or "Source: name (version)" */
static gboolean
read_source(CamDeb822 *stanza, const char *path, CamPackage *package, GError **error)
{
	g_autofree char *source = NULL;
	char *open, *close;

	if (!dup_words(stanza, path, "Source", &source, error))
		return FALSE;
	if (source == NULL)
		return TRUE;
	open = strchr(source, '(');
	if (open != NULL) {
		close = strchr(open, ')');
		if (close == NULL || close == open + 1)
			return malformed(stanza, path, "malformed field Source", error);
		g_free(package->source_version);
		package->source_version = g_strstrip(g_strndup(open + 1, close - open - 1));
		*open = '\0';
	}
	g_free(package->source_name);
	package->source_name = g_strdup(g_strstrip(source));
	return TRUE;
}

/*
 * (nullable): who made the package: Origin (deb-control(5)), what other builders call Vendor, or
 * the Maintainer. A name of people may be any text.
 */
static char *
dup_origin(CamDeb822 *stanza)
{
	static const char *const fields[] = { "Origin", "Vendor", "Maintainer" };

	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree char *value = cam_deb822_dup(stanza, fields[i]);

		if (value != NULL && *g_strstrip(value) != '\0')
			return g_steal_pointer(&value);
	}
	return NULL;
}

static gboolean
is_package_name(const char *name)
{
	return g_ascii_isalnum(name[0]) &&
	       name[strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-+._")] == '\0';
}

/* *@out is NULL where the stanza's package is not installed. */
static gboolean
read_package(CamDeb822 *stanza, const char *path, CamPackage **out, GError **error)
{
	g_autoptr(CamPackage) package = NULL;
	g_autofree char *name = NULL, *version = NULL, *essential = NULL;
	gboolean present, held;

	*out = NULL;
	if (!dup_words(stanza, path, "Package", &name, error) ||
	    !dup_words(stanza, path, "Version", &version, error) ||
	    !read_status(stanza, path, &present, &held, error))
		return FALSE;
	if (name == NULL || !is_package_name(name))
		return malformed(stanza, path, "stanza without a package's name", error);
	if (!present)
		return TRUE;
	if (version == NULL || strchr(version, ' ') != NULL)
		return malformed(stanza, path, "installed package without a version", error);

	package = cam_package_new(CAM_PACKAGE_DEB, name, version);
	package->held = held;
	package->path = g_strdup(path);
	if (!read_source(stanza, path, package, error) ||
	    !dup_words(stanza, path, "Architecture", &package->architecture, error) ||
	    !dup_words(stanza, path, "Multi-Arch", &package->multi_arch, error) ||
	    !dup_words(stanza, path, "Essential", &essential, error))
		return FALSE;
	package->essential = g_strcmp0(essential, "yes") == 0;
	package->origin = dup_origin(stanza);
	*out = g_steal_pointer(&package);
	return TRUE;
}

GPtrArray *
cam_dpkg_parse_status(const char *data, gsize size, const char *path, GError **error)
{
	g_autoptr(GPtrArray) packages =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	g_auto(CamDeb822) stanza = { 0 };

	cam_deb822_init(&stanza, data, size);
	while (cam_deb822_next(&stanza)) {
		CamPackage *package;

		if (!read_package(&stanza, path, &package, error))
			return NULL;
		if (package != NULL)
			g_ptr_array_add(packages, package);
	}
	return g_steal_pointer(&packages);
}

/* ---- the scanner ---- */

static gboolean
dpkg_wants(const char *parent, const char *name, gboolean is_directory)
{
	if (is_directory) {
		g_autofree char *path =
			parent[0] != '\0' ? g_build_filename(parent, name, NULL) : g_strdup(name);
		gsize size = strlen(path);

		return strncmp(STATUS_DIR, path, size) == 0 &&
		       (STATUS_DIR[size] == '/' || STATUS_DIR[size] == '\0');
	}
	if (strcmp(parent, STATUS_DIR) == 0)
		return !g_str_has_suffix(name, ".md5sums");
	return strcmp(parent, "var/lib/dpkg") == 0 && strcmp(name, "status") == 0;
}

static gboolean
dpkg_scan(CamRootfs *rootfs, const char *const *paths, CamInventory *inventory, GError **error)
{
	for (; *paths != NULL; paths++) {
		g_autoptr(GError) local_error = NULL;
		g_autoptr(GBytes) bytes =
			cam_rootfs_read(rootfs, *paths, MAX_STATUS_SIZE, &local_error);
		GPtrArray *packages;
		const char *data;
		gsize size;

		if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			continue; /* a dangling link */
		if (bytes == NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		data = g_bytes_get_data(bytes, &size);
		packages = cam_dpkg_parse_status(data, size, *paths, error);
		if (packages == NULL)
			return FALSE;
		g_ptr_array_extend_and_steal(inventory->packages, packages);
		g_ptr_array_add(inventory->paths, g_strdup(*paths));
	}
	return TRUE;
}

const CamScanner cam_scanner_dpkg = {
	.name = "dpkg",
	.version = 2,
	.wants = dpkg_wants,
	.scan = dpkg_scan,
};
