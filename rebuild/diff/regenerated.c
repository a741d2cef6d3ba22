/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths that no package holds and that programs make on upgrades: caches, indexes, links, byte
 * code, logs. A table of path pattern, condition, reason: the pattern alone explains nothing, what
 * the path is made from must have changed with a package.
 */
#include "rebuild/diff/regenerated.h"

#include <fnmatch.h>
#include <string.h>

#define PYC_HEADER_SIZE 16 /* PEP 552: magic, flags, mtime, size of the source */

typedef struct Rule Rule;
struct Rule {
	const char *pattern; /* fnmatch(3), "*" also matches "/" */
	/* Whether the path is made from what changed; *@package (nullable) is whose it is. */
	gboolean (*holds)(const CamEvidence *evidence, const CamPathChange *change,
			  const Rule *rule, const CamPackageChange **package);
	const char *argument; /* of the condition */
	const char *reason;
};

/* ---- conditions ---- */

static gboolean
any_package(const CamEvidence *evidence, const CamPathChange *change, const Rule *rule,
	    const CamPackageChange **package)
{
	return evidence->packages->len > 0;
}

/* A package of the name that the rule gives changed. */
static gboolean
package_named(const CamEvidence *evidence, const CamPathChange *change, const Rule *rule,
	      const CamPackageChange **package)
{
	for (guint i = 0; i < evidence->packages->len; i++) {
		*package = evidence->packages->pdata[i];
		if (g_str_equal((*package)->name, rule->argument))
			return TRUE;
	}
	return FALSE;
}

/* A path that matches the rule's second pattern changed, and a package explains it. */
static gboolean
source_changed(const CamEvidence *evidence, const CamPathChange *change, const Rule *rule,
	       const CamPackageChange **package)
{
	for (guint i = 0; i < evidence->paths->len; i++) {
		const CamPathChange *source = evidence->paths->pdata[i];

		if (source->package != NULL &&
		    fnmatch(rule->argument, source->path, FNM_EXTMATCH) == 0)
			return TRUE;
	}
	return FALSE;
}

/* A link that leads to what a changed package owns; one that is gone led there. */
static gboolean
leads_to_package(const CamEvidence *evidence, const CamPathChange *change, const Rule *rule,
		 const CamPackageChange **package)
{
	const CamOwnedPath *owned = NULL;
	g_autofree char *real = NULL;
	CamEntry entry;

	if (change->kind != CAM_CHANGE_REMOVED && change->after.type == CAM_NODE_SYMLINK)
		owned = cam_leads_to_owned(evidence, change->path, change->after.link_target);
	else if (change->kind == CAM_CHANGE_REMOVED && change->before.type == CAM_NODE_SYMLINK &&
		 cam_rootfs_lookup(evidence->before, change->path, TRUE, &real, &entry, NULL))
		owned = cam_owned_paths_find(evidence->owned_before, real);
	*package = owned != NULL ? owned->package : NULL;
	return owned != NULL;
}

static gboolean
leads_through_alternatives(const CamEvidence *evidence, const CamPathChange *change,
			   const Rule *rule, const CamPackageChange **package)
{
	const CamStat *st = change->kind == CAM_CHANGE_REMOVED ? &change->before : &change->after;

	return st->type == CAM_NODE_SYMLINK &&
	       g_str_has_prefix(st->link_target, "/etc/alternatives/") &&
	       leads_to_package(evidence, change, rule, package);
}

/* update-alternatives keeps the paths of each alternative, one a line. */
static gboolean
names_package(const CamEvidence *evidence, const CamPathChange *change, const Rule *rule,
	      const CamPackageChange **package)
{
	gboolean gone = change->kind == CAM_CHANGE_REMOVED;
	g_autoptr(GBytes) bytes = cam_rootfs_read(gone ? evidence->before : evidence->after,
						  change->path, 1024 * 1024, NULL);
	g_autofree char *text =
		bytes != NULL ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))
			      : NULL;
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		const CamOwnedPath *owned =
			cam_owned_paths_find(gone ? evidence->owned_before : evidence->owned_after,
					     *line + strspn(*line, "/"));

		if (owned != NULL) {
			*package = owned->package;
			return TRUE;
		}
	}
	return FALSE;
}

char *
cam_byte_code_get_source(const char *path)
{
	g_autofree char *cache = g_path_get_dirname(path);
	g_autofree char *directory = g_path_get_dirname(cache);
	g_autofree char *name = g_path_get_basename(path);
	char *tag = strstr(name, ".cpython-");

	if (tag == NULL)
		return NULL;
	*tag = '\0';
	return g_strconcat(directory, "/", name, ".py", NULL);
}

static guint32
little_endian(const guint8 *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (guint32) bytes[3] << 24;
}

/* The header names the source that the code was made from by time and size: the size must fit. */
static gboolean
header_fits(const CamEvidence *evidence, const char *pyc, const char *source)
{
	g_autoptr(GInputStream) stream = NULL;
	g_auto(CamStat) st = { 0 };
	guint8 header[PYC_HEADER_SIZE];
	gsize n;
	CamEntry entry;

	if (!cam_rootfs_lookup(evidence->after, source, TRUE, NULL, &entry, NULL) ||
	    !cam_rootfs_stat(evidence->after, &entry, &st, NULL) ||
	    !cam_rootfs_lookup(evidence->after, pyc, FALSE, NULL, &entry, NULL))
		return FALSE;
	stream = cam_rootfs_open(evidence->after, &entry, NULL);
	return stream != NULL &&
	       g_input_stream_read_all(stream, header, sizeof(header), &n, NULL, NULL) &&
	       n == sizeof(header) && little_endian(header + 4) == 0 &&
	       little_endian(header + 12) == (guint32) st.size;
}

static gboolean
made_from_python(const CamEvidence *evidence, const CamPathChange *change, const Rule *rule,
		 const CamPackageChange **package)
{
	gboolean gone = change->kind == CAM_CHANGE_REMOVED;
	g_autofree char *source = cam_byte_code_get_source(change->path);
	const CamOwnedPath *owned;
	const CamPathChange *source_change;

	if (source == NULL)
		return FALSE;
	owned = cam_owned_paths_find(gone ? evidence->owned_before : evidence->owned_after, source);
	source_change = g_hash_table_lookup(evidence->by_path, source);
	if (owned == NULL || (source_change != NULL && source_change->reason == NULL))
		return FALSE;
	*package = owned->package;
	return gone || (change->after.type == CAM_NODE_REGULAR &&
			header_fits(evidence, change->path, source));
}

/* ---- the table ---- */

static const Rule rules[] = {
	{ "etc/ld.so.cache", source_changed, "*.so?(.[0-9]*)", "regenerated by ldconfig" },
	{ "var/cache/ldconfig*", source_changed, "*.so?(.[0-9]*)", "regenerated by ldconfig" },
	{ "*/__pycache__/*.pyc", made_from_python, NULL, "byte code of a packaged source" },
	{ "etc/alternatives/*", leads_to_package, NULL, "set by update-alternatives" },
	{ "usr/*", leads_through_alternatives, NULL, "set by update-alternatives" },
	{ "var/lib/dpkg/alternatives/*", names_package, NULL, "set by update-alternatives" },
	{ "etc/systemd/system/*", leads_to_package, NULL, "unit enabled on installation" },
	{ "var/lib/systemd/deb-systemd-*", source_changed, "usr/lib/systemd/*",
	  "unit enabled on installation" },
	{ "etc/rc?.d/*", leads_to_package, NULL, "set by update-rc.d" },
	{ "etc/ssl/certs*", package_named, "ca-certificates",
	  "regenerated by update-ca-certificates" },
	{ "etc/ca-certificates.conf*", package_named, "ca-certificates",
	  "regenerated by update-ca-certificates" },
	{ "usr/lib/locale/locale-archive", package_named, "locales", "regenerated by locale-gen" },
	{ "usr/share/glib-2.0/schemas/gschemas.compiled", source_changed,
	  "usr/share/glib-2.0/schemas/*.xml", "regenerated by glib-compile-schemas" },
	{ "usr/lib/*/gdk-pixbuf-2.0/*/loaders.cache", source_changed,
	  "usr/lib/*/gdk-pixbuf-2.0/*.so", "regenerated by gdk-pixbuf-query-loaders" },
	{ "usr/lib/*/gio/modules/giomodule.cache", source_changed, "usr/lib/*/gio/modules/*.so",
	  "regenerated by gio-querymodules" },
	{ "usr/share/mime/*", source_changed, "usr/share/mime/packages/*",
	  "regenerated by update-mime-database" },
	{ "usr/share/applications/mimeinfo.cache", source_changed, "usr/share/applications/*",
	  "regenerated by update-desktop-database" },
	{ "usr/share/icons/*/icon-theme.cache", source_changed, "usr/share/icons/*",
	  "regenerated by gtk-update-icon-cache" },
	{ "usr/share/info/dir*", source_changed, "usr/share/info/*.info*",
	  "regenerated by install-info" },
	{ "var/cache/man/*", source_changed, "usr/share/man/*", "regenerated by mandb" },
	{ "var/cache/fontconfig/*", source_changed, "usr/share/fonts/*",
	  "regenerated by fc-cache" },
	{ "var/cache/debconf/*", any_package, NULL, "answers asked on installation" },
	{ "var/lib/ucf/*", any_package, NULL, "record of configuration files" },
	{ "var/lib/apt/lists*", any_package, NULL, "package lists of apt" },
	{ "var/lib/apt/extended_states", any_package, NULL, "package states of apt" },
	{ "var/cache/apt/*", any_package, NULL, "cache of apt" },
	{ "var/log/dpkg.log", any_package, NULL, "log of the package manager" },
	{ "var/log/apt/*", any_package, NULL, "log of the package manager" },
	{ "var/log/alternatives.log", any_package, NULL, "log of the package manager" },
};

void
cam_regenerated_check(const CamEvidence *evidence, CamPathChange *change)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		const CamPackageChange *package = NULL;

		if (fnmatch(rules[i].pattern, change->path, 0) != 0 ||
		    !rules[i].holds(evidence, change, &rules[i], &package))
			continue;
		cam_path_change_explain(change, package, rules[i].reason);
		return;
	}
}
