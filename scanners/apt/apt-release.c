/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Release file of a repository: what it says, and whether it may be believed now. Fetching and
 * signatures are apt-repository.c's and signature.c's.
 */
#include "scanners/apt/apt-release.h"

#include <stdio.h>
#include <string.h>

#include "scanners/apt/apt-source.h"
#include "scanners/apt/deb822.h"

/* A clock that is this much behind is not worth an error; apt allows ten seconds. */
#define MAX_FUTURE (60 * 60)
/* Debian's own have some thousand. */
#define MAX_FILES 100000

void
cam_apt_release_free(CamAptRelease *self)
{
	if (self == NULL)
		return;
	cam_apt_source_free(self->source);
	g_free(self->origin);
	g_free(self->label);
	g_free(self->suite);
	g_free(self->codename);
	g_free(self->signers);
	g_free(self->behind);
	g_clear_pointer(&self->files, g_hash_table_unref);
	g_free(self);
}

gint64
cam_apt_date_parse(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	g_autoptr(GDateTime) date = NULL;
	char month[4] = "", zone[6] = "";
	int day, year, hour, minute, second;
	const char *comma = strchr(text, ',');
	const char *found;

	if (sscanf(comma != NULL ? comma + 1 : text, " %2d %3[A-Za-z] %4d %2d:%2d:%2d %5s", &day,
		   month, &year, &hour, &minute, &second, zone) != 7)
		return 0;
	found = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (found == NULL || (found - months) % 3 != 0)
		return 0;
	/* deb-release(5): UTC, however it is spelled */
	if (!g_str_equal(zone, "UTC") && !g_str_equal(zone, "GMT") && !g_str_equal(zone, "+0000") &&
	    !g_str_equal(zone, "Z"))
		return 0;
	date = g_date_time_new_utc(year, (found - months) / 3 + 1, day, hour, minute, second);
	return date != NULL ? g_date_time_to_unix(date) : 0;
}

/* Lines of " <sha256> <size> <path>". */
static gboolean
parse_files(CamAptRelease *self, char *list, GError **error)
{
	char *rest = NULL;

	for (char *line = strtok_r(list, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *words = NULL;
		const char *hex = strtok_r(line, " \t", &words);
		const char *size = strtok_r(NULL, " \t", &words);
		const char *path = strtok_r(NULL, " \t", &words);
		CamAptReleaseFile *file;
		CamSha256 sha256;
		guint64 value;

		if (hex == NULL)
			continue;
		if (path == NULL || !cam_sha256_from_hex(hex, &sha256) ||
		    !g_ascii_string_to_unsigned(size, 10, 0, G_MAXINT64, &value, NULL))
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "the Release file is malformed at \"%s\"", hex);
		if (g_hash_table_size(self->files) >= MAX_FILES)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "the Release file names more than %d files",
					     MAX_FILES);
		file = g_new0(CamAptReleaseFile, 1);
		cam_sha256_to_hex(&sha256, file->sha256);
		file->size = value;
		g_hash_table_replace(self->files, g_strdup(path), file);
	}
	return TRUE;
}

CamAptRelease *
cam_apt_release_parse(const CamAptSource *source, const char *data, gsize size, GError **error)
{
	g_autoptr(CamAptRelease) self = g_new0(CamAptRelease, 1);
	g_auto(CamDeb822) paragraph = { 0 };
	g_autofree char *date = NULL, *valid_until = NULL, *by_hash = NULL, *list = NULL;

	self->source = cam_apt_source_copy(source);
	self->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	cam_deb822_init(&paragraph, data, size);
	if (!cam_deb822_next(&paragraph)) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "the Release file is empty");
		return NULL;
	}
	self->origin = cam_deb822_dup(&paragraph, "Origin");
	self->label = cam_deb822_dup(&paragraph, "Label");
	self->suite = cam_deb822_dup(&paragraph, "Suite");
	self->codename = cam_deb822_dup(&paragraph, "Codename");
	date = cam_deb822_dup(&paragraph, "Date");
	valid_until = cam_deb822_dup(&paragraph, "Valid-Until");
	by_hash = cam_deb822_dup(&paragraph, "Acquire-By-Hash");
	self->by_hash = by_hash != NULL && g_ascii_strcasecmp(by_hash, "yes") == 0;
	self->date = date != NULL ? cam_apt_date_parse(date) : 0;
	if (valid_until != NULL) {
		self->valid_until = cam_apt_date_parse(valid_until);
		if (self->valid_until == 0) {
			cam_set_error(error, CAM_ERROR_DATA_LOSS,
				      "the Release file is valid until \"%s\", which is no date",
				      valid_until);
			return NULL;
		}
	}
	list = cam_deb822_dup(&paragraph, "SHA256");
	if (list == NULL) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "the Release file names no SHA256 of its indexes");
		return NULL;
	}
	return parse_files(self, list, error) ? g_steal_pointer(&self) : NULL;
}

char *
cam_apt_date_format(gint64 seconds)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);

	return date != NULL ? g_date_time_format(date, "%Y-%m-%d %H:%M UTC")
			    : g_strdup("an odd date");
}

/* Debian's security suites were named "buster/updates" up to Debian 10, with the codename and the
 * suite of the release itself. */
static gboolean
is_old_security(const CamAptRelease *self)
{
	const char *wanted = self->source->suite;
	gsize size = self->codename != NULL ? strlen(self->codename) : 0;

	return size > 0 && strncmp(wanted, self->codename, size) == 0 &&
	       g_str_equal(wanted + size, "/updates") &&
	       g_strcmp0(self->label, "Debian-Security") == 0;
}

/* Whether the suite or the codename is the one that was asked for. All pockets of an Ubuntu release
 * have its codename: there the suite tells them apart. */
static gboolean
is_wanted_suite(const CamAptRelease *self)
{
	const char *wanted = self->source->suite;
	g_autofree char *pocket = NULL;

	if (g_strcmp0(self->suite, wanted) == 0)
		return TRUE;
	if (g_strcmp0(self->codename, wanted) != 0)
		return is_old_security(self);
	pocket = g_strconcat(wanted, "-", NULL);
	return self->suite == NULL || !g_str_has_prefix(self->suite, pocket);
}

gboolean
cam_apt_release_check_identity(const CamAptRelease *self, GError **error)
{
	const CamAptSource *source = self->source;

	if (!source->trusted && !g_str_has_suffix(source->suite, "/") && !is_wanted_suite(self))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "%s answers with the Release of %s where %s was asked for",
				     source->uri,
				     self->codename != NULL ? self->codename
				     : self->suite != NULL  ? self->suite
							    : "another suite",
				     source->suite);
	if (source->archive != NULL && g_strcmp0(source->archive, self->origin) != 0)
		return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				     "%s, which %s proposes, is an archive of \"%s\" and not of %s",
				     source->uri, source->origin,
				     self->origin != NULL ? self->origin : "", source->archive);
	return TRUE;
}

gboolean
cam_apt_release_check(const CamAptRelease *self, gint64 now, GError **error)
{
	const CamAptSource *source = self->source;
	g_autofree char *shown = NULL, *now_shown = cam_apt_date_format(now);

	if (self->date > now + MAX_FUTURE) {
		shown = cam_apt_date_format(self->date);
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "the Release of %s at %s is of %s, but this machine's clock "
				     "says %s: the clock looks wrong; set it",
				     source->suite, source->uri, shown, now_shown);
	}
	if (self->valid_until == 0 || self->valid_until >= now || source->ignore_valid_until)
		return TRUE;
	shown = cam_apt_date_format(self->valid_until);
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "the Release of %s at %s expired on %s: the mirror is stale, or the "
			     "suite gets no updates any more (the source's option "
			     "check-valid-until=no accepts it)",
			     source->suite, source->uri, shown);
}

const CamAptReleaseFile *
cam_apt_release_find(const CamAptRelease *self, const char *path)
{
	return g_hash_table_lookup(self->files, path);
}

char *
cam_apt_source_get_base(const CamAptSource *self)
{
	const char *suite = self->suite;

	if (!g_str_has_suffix(suite, "/"))
		return g_strconcat("dists/", suite, "/", NULL);
	while (g_str_has_prefix(suite, "./") || g_str_has_prefix(suite, "/"))
		suite += suite[0] == '.' ? 2 : 1;
	return g_strdup(suite);
}

static gboolean
leads_out(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	return path[0] == '/' || g_strv_contains((const char *const *) parts, "..");
}

char *
cam_apt_source_get_url(const CamAptSource *self, const char *path, GError **error)
{
	g_autofree char *scheme = g_uri_parse_scheme(self->uri);
	g_autofree char *escaped = NULL;
	const char *local;

	if (leads_out(path)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "%s names \"%s\", which leads out of it", self->uri, path);
		return NULL;
	}
	escaped = g_uri_escape_string(path, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE);
	if (g_strcmp0(scheme, "http") == 0 || g_strcmp0(scheme, "https") == 0)
		return g_strconcat(self->uri, "/", escaped, NULL);
	if (g_strcmp0(scheme, "file") != 0 && g_strcmp0(scheme, "copy") != 0) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "cannot read %s: only http, https, file and copy sources are read",
			      self->uri);
		return NULL;
	}
	local = self->uri + strlen(scheme) + 1;
	while (g_str_has_prefix(local, "//"))
		local++;
	return g_strconcat("file://", local, "/", escaped, NULL);
}
