/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages of dpkg systems: var/lib/dpkg/status, and the one-file-a-package form of images without
 * a package manager, var/lib/dpkg/status.d. Writing these databases is the business of rebuild.
 */
#include "scanners/inventory/inventory.h"

#include <string.h>

#include "scanners/apt/deb822.h"
#include "scanners/engine/scanner.h"

#define STATUS_DIR	   "var/lib/dpkg/status.d"
#define MAX_NAMED_PROBLEMS 20
#define CANCEL_INTERVAL	   1024 /* stanzas */

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
	/* dpkg refuses it; most often, a blank line between two stanzas is missing. */
	if (cam_deb822_has_twice(stanza, field)) {
		g_autofree char *what = g_strdup_printf("two fields %s in one stanza", field);

		return malformed(stanza, path, what, error);
	}
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

/* ---- files ---- */

/* One reading of all databases of a tree. */
typedef struct {
	const CamScanRun *run;
	CamInventory *inventory;
	guint64 size;	 /* of what was read */
	guint malformed; /* stanzas */
	gboolean too_many, too_large;
} Reader;

/* @problem: of one stanza. An image of bad stanzas alone must not make a report of its size. */
static void
skip_stanza(Reader *self, const GError *problem)
{
	if (++self->malformed <= MAX_NAMED_PROBLEMS)
		cam_inventory_add_problem(self->inventory, "%s; the package is left out",
					  problem->message);
}

/* What stands outside of all fields may have been a package. */
static void
note_odd_line(Reader *self, const CamDeb822 *stanza, const char *path)
{
	if (stanza->odd_line != 0 && ++self->malformed <= MAX_NAMED_PROBLEMS)
		cam_inventory_add_problem(self->inventory,
					  "%s:%u: a line that belongs to no field; it is left out",
					  path, stanza->odd_line);
}

static gboolean
read_stanzas(Reader *self, const char *data, gsize size, const char *path, GError **error)
{
	g_auto(CamDeb822) stanza = { 0 };
	guint n = 0;

	cam_deb822_init(&stanza, data, size);
	while (!self->too_many && cam_deb822_next(&stanza)) {
		g_autoptr(GError) problem = NULL;
		CamPackage *package;

		if (++n % CANCEL_INTERVAL == 0 &&
		    g_cancellable_set_error_if_cancelled(self->run->cancellable, error))
			return cam_error_translate(error, NULL);
		if (!read_package(&stanza, path, &package, &problem)) {
			skip_stanza(self, problem);
		} else {
			note_odd_line(self, &stanza, path);
			if (package != NULL)
				g_ptr_array_add(self->inventory->packages, package);
		}
		self->too_many = self->inventory->packages->len > self->run->limits.packages;
	}
	if (!self->too_many)
		note_odd_line(self, &stanza, path); /* behind the last one */
	return TRUE;
}

/* What is beyond a limit is dropped whole: some packages of it would pass for all. */
static void
finish(Reader *self)
{
	if (self->malformed > MAX_NAMED_PROBLEMS)
		cam_inventory_add_problem(self->inventory,
					  "%u more malformed stanzas of dpkg's database are left "
					  "out",
					  self->malformed - MAX_NAMED_PROBLEMS);
	if (self->too_many || self->too_large)
		g_ptr_array_set_size(self->inventory->packages, 0);
	if (self->too_many)
		cam_inventory_add_problem(self->inventory,
					  "dpkg's database lists more than %" G_GUINT64_FORMAT
					  " packages ([limits] packages): none is judged",
					  self->run->limits.packages);
}

gboolean
cam_dpkg_parse_status(const char *data, gsize size, const char *path, CamInventory *inventory,
		      GError **error)
{
	const CamScanRun run = { .limits = CAM_SCAN_LIMITS_DEFAULT };
	Reader reader = { .run = &run, .inventory = inventory };

	if (!read_stanzas(&reader, data, size, path, error))
		return FALSE;
	finish(&reader);
	return TRUE;
}

/* A file that cannot be read is a problem of the image; one that the store has lost is not. */
static gboolean
read_database(Reader *self, CamRootfs *rootfs, const char *path, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GBytes) bytes = cam_rootfs_read(
		rootfs, path, self->run->limits.database_size - self->size, &problem);
	const char *data;
	gsize size;

	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return TRUE; /* a dangling link */
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED)) {
		cam_inventory_add_problem(self->inventory,
					  "%s: dpkg's database is larger than %" G_GUINT64_FORMAT
					  " bytes ([limits] package_database_size): none of it is "
					  "judged",
					  path, self->run->limits.database_size);
		self->too_large = TRUE;
		return TRUE;
	}
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION)) {
		cam_inventory_add_problem(self->inventory, "%s: it is not read", problem->message);
		return TRUE;
	}
	if (bytes == NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	data = g_bytes_get_data(bytes, &size);
	self->size += size;
	g_ptr_array_add(self->inventory->paths, g_strdup(path));
	return read_stanzas(self, data, size, path, error);
}

/* ---- the same package in several files ---- */

/* Source included: a stanza that says something else of a package is another one. */
static char *
identity_of(const CamPackage *package, const char *architecture)
{
	return g_strjoin("\n", package->name, package->version, package->source_name,
			 package->source_version, architecture, NULL);
}

/* Images that were made without dpkg and got packages by it later have some in status and in
 * status.d; there, a stanza need not name the architecture. Sorted, status comes first. */
static void
drop_doubles(CamInventory *inventory)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) all = g_steal_pointer(&inventory->packages);

	inventory->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	for (guint i = 0; i < all->len; i++) {
		const CamPackage *package = all->pdata[i];

		if (package->architecture != NULL)
			g_hash_table_add(seen, identity_of(package, NULL));
	}
	for (guint i = 0; i < all->len; i++) {
		CamPackage *package = all->pdata[i];
		gboolean is_new =
			g_hash_table_add(seen, identity_of(package, package->architecture));

		if (is_new)
			g_ptr_array_add(inventory->packages, package);
		else
			cam_package_free(package);
	}
	g_ptr_array_set_free_func(all, NULL);
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
dpkg_scan(const CamScanRun *run, CamRootfs *rootfs, const char *const *paths,
	  CamInventory *inventory, GError **error)
{
	Reader reader = { .run = run, .inventory = inventory };

	for (; *paths != NULL && !reader.too_many && !reader.too_large; paths++)
		if (!read_database(&reader, rootfs, *paths, error))
			return FALSE;
	finish(&reader);
	cam_inventory_sort(inventory);
	drop_doubles(inventory);
	return TRUE;
}

const CamScanner cam_scanner_dpkg = {
	.name = "dpkg",
	.version = 4,
	.wants = dpkg_wants,
	.scan = dpkg_scan,
};
