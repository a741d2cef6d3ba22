/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * debian/changelog (deb-changelog(5)): which CVE is fixed by which version, and where a binary
 * package keeps that text. Fetching packages is changelog-feed.c's.
 */
#include "scanners/advisory/changelog.h"

#include <string.h>

#include "scanners/advisory/version.h"

#define MAX_CHANGELOG_SIZE (64 * 1024 * 1024)
#define MAX_ITEM_SIZE	   300
#define CVE_PREFIX	   "CVE-"

/* One entry of the changelog: from its header to that of the next older one. */
typedef struct {
	char *version;
	const char *body;
	gsize size;
	const char *lowest; /* version among this entry and all newer ones */
} Entry;

static void
entry_clear(Entry *self)
{
	g_free(self->version);
}

/* "name (version) suites; urgency=…" at the start of a line. (nullable): the version. */
static char *
parse_header(const char *line, gsize size)
{
	const char *open, *close;

	if (size == 0 || !g_ascii_isalnum(line[0]))
		return NULL;
	open = g_strstr_len(line, size, " (");
	close = open != NULL ? memchr(open, ')', line + size - open) : NULL;
	if (close == NULL || close == open + 2 || memchr(close, ';', line + size - close) == NULL ||
	    memchr(open + 2, ' ', close - open - 2) != NULL)
		return NULL;
	return g_strndup(open + 2, close - open - 2);
}

static GArray *
split_entries(const char *text, gsize size)
{
	GArray *entries = g_array_new(FALSE, TRUE, sizeof(Entry));
	const char *end = text + size;
	Entry *current = NULL;

	g_array_set_clear_func(entries, (GDestroyNotify) entry_clear);
	for (const char *line = text, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', end - line);
		char *version;

		next = newline != NULL ? newline + 1 : end;
		version = parse_header(line, (newline != NULL ? newline : end) - line);
		if (version != NULL) {
			Entry entry = { .version = version, .body = next };

			g_array_append_val(entries, entry);
			current = &g_array_index(entries, Entry, entries->len - 1);
		} else if (current != NULL) {
			current->size = next - current->body;
		}
	}
	return entries;
}

/* (transfer full): the identifier in upper case at @at, or NULL. Four digits at least follow the
 * year. */
static char *
parse_cve(const char *at, const char *end)
{
	const char *digit = at + strlen(CVE_PREFIX "2000-");
	const char *first = digit;

	if (end - at < (gssize) strlen(CVE_PREFIX "2000-0000") ||
	    g_ascii_strncasecmp(at, CVE_PREFIX, strlen(CVE_PREFIX)) != 0 || at[8] != '-')
		return NULL;
	for (gsize i = strlen(CVE_PREFIX); i < 8; i++)
		if (!g_ascii_isdigit(at[i]))
			return NULL;
	while (digit < end && g_ascii_isdigit(*digit))
		digit++;
	if (digit - first < 4 || digit - first > 19)
		return NULL;
	return g_ascii_strup(at, digit - at);
}

static gboolean
is_one_of(const char *at, const char *end, const char *set)
{
	return at < end && *at != '\0' && strchr(set, *at) != NULL;
}

static const char *
skip(const char *at, const char *end, const char *set)
{
	while (is_one_of(at, end, set))
		at++;
	return at;
}

static const char *
line_start(const char *at, const char *begin)
{
	while (at > begin && at[-1] != '\n')
		at--;
	return at;
}

/* Where the item of the list that @at is in begins: items run over lines. */
static const char *
item_start(const char *at, const char *begin, const char *end)
{
	const char *start = line_start(at, begin);

	while (start > begin && !is_one_of(skip(start, end, " \t"), end, "*-+[")) {
		const char *above = line_start(start - 1, begin);

		if (is_one_of(skip(above, end, " \t"), end, "\r\n"))
			break;
		start = above;
	}
	return start;
}

/* What an item says behind the identifiers and punctuation that it begins with. */
static const char *
skip_identifiers(const char *text)
{
	const char *end = text + strlen(text);

	for (;;) {
		g_autofree char *cve = NULL;

		text = skip(text, end, " \t:,;-&");
		cve = parse_cve(text, end);
		if (cve == NULL)
			return text;
		text += strlen(cve);
	}
}

/* (nullable) (transfer full): the item of the list that @at is in, as one line without its bullet
 * and without the identifiers that it begins with. */
static char *
describe(const Entry *entry, const char *at)
{
	const char *begin = entry->body, *end = entry->body + entry->size;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *valid = NULL;
	const char *said;

	for (const char *c = skip(item_start(at, begin, end), end, " \t*-+"); c < end; c++) {
		if (*c == '\n') {
			const char *next = skip(c + 1, end, " \t");

			/* the next item, an empty line or the signature ends this one */
			if (next == end || is_one_of(next, end, "*-+[\r\n") ||
			    text->len > MAX_ITEM_SIZE)
				break;
			g_string_append_c(text, ' ');
			c = next - 1;
		} else {
			g_string_append_c(text, g_ascii_iscntrl(*c) ? ' ' : *c);
		}
	}
	valid = g_utf8_make_valid(text->str, text->len);
	if (strlen(valid) > MAX_ITEM_SIZE) {
		*(char *) g_utf8_find_prev_char(valid, valid + MAX_ITEM_SIZE) = '\0';
		return g_strconcat(skip_identifiers(valid), "…", NULL);
	}
	said = skip_identifiers(valid);
	return said[0] != '\0' ? g_strdup(said) : NULL;
}

void
cam_changelog_foreach_cve(const char *changelog, gsize size, CamChangelogFunc func,
			  gpointer user_data)
{
	g_autoptr(GArray) entries = split_entries(changelog, size);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *lowest = NULL;

	/* Newest first: a package for a stable release lies above the entries that it was made
	 * from, and its version (1.2-1~deb12u1) may be lower than theirs (1.2-1). */
	for (guint i = 0; i < entries->len; i++) {
		Entry *entry = &g_array_index(entries, Entry, i);

		if (lowest == NULL || cam_version_compare_deb(entry->version, lowest) < 0)
			lowest = entry->version;
		entry->lowest = lowest;
	}
	/* Oldest first: the first entry that names a CVE is the one that fixes it. */
	for (guint i = entries->len; i-- > 0;) {
		const Entry *entry = &g_array_index(entries, Entry, i);
		const char *end = entry->body + entry->size;

		for (const char *at = entry->body; at < end; at++) {
			char *cve = *at == 'C' || *at == 'c' ? parse_cve(at, end) : NULL;

			if (cve == NULL)
				continue;
			if (!g_hash_table_contains(seen, cve)) {
				g_autofree char *text = describe(entry, at);

				func(cve, entry->lowest, text, user_data);
			}
			at += strlen(cve) - 1;
			g_hash_table_add(seen, cve);
		}
	}
}

/* Binary packages of Debian carry the entries since the release before the last one, and this line
 * behind them. */
char *
cam_changelog_get_oldest(const char *changelog, gsize size)
{
	static const char mark[] = "\n# Older entries have been removed from this changelog.";
	g_autoptr(GArray) entries = NULL;
	const Entry *last;

	if (memmem(changelog, size, mark, strlen(mark)) == NULL)
		return NULL;
	entries = split_entries(changelog, size);
	if (entries->len == 0)
		return NULL;
	last = &g_array_index(entries, Entry, entries->len - 1);
	return g_strdup(last->version);
}

/* ---- binary packages ---- */

static char *
read_gzip(CamArchive *archive, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) entry = cam_archive_entry_stream(archive);
	g_autoptr(GInputStream) plain = cam_archive_decompress_stream_new(entry, error);
	g_autoptr(GByteArray) text = g_byte_array_new();
	char chunk[16 * 1024];
	gssize n;

	if (plain == NULL)
		return NULL;
	while ((n = g_input_stream_read(plain, chunk, sizeof(chunk), cancellable, error)) > 0) {
		if (text->len + n > MAX_CHANGELOG_SIZE) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "the changelog is larger than any");
			return NULL;
		}
		g_byte_array_append(text, (const guint8 *) chunk, n);
	}
	if (n < 0)
		return NULL;
	*size = text->len;
	g_byte_array_append(text, (const guint8 *) "", 1);
	return (char *) g_byte_array_free(g_steal_pointer(&text), FALSE);
}

/* "./usr/share/doc/NAME/changelog.Debian.gz"; a native package has no other than changelog.gz. */
static gboolean
is_changelog_path(const char *path)
{
	g_auto(GStrv) parts = NULL;

	if (g_str_has_prefix(path, "./"))
		path += 2;
	if (!g_str_has_prefix(path, "usr/share/doc/"))
		return FALSE;
	parts = g_strsplit(path, "/", -1);
	return g_strv_length(parts) == 5 && (g_str_equal(parts[4], "changelog.Debian.gz") ||
					     g_str_equal(parts[4], "changelog.gz"));
}

static char *
find_changelog(CamArchive *data, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *native = NULL;
	const CamArchiveEntry *entry;
	gsize native_size = 0;

	while ((entry = cam_archive_next(data, cancellable, &local_error)) != NULL) {
		gboolean certain = g_str_has_suffix(entry->path, ".Debian.gz");
		char *text;

		if (entry->type != CAM_ARCHIVE_FILE || !is_changelog_path(entry->path))
			continue;
		if (certain)
			return read_gzip(data, size, cancellable, error);
		text = read_gzip(data, &native_size, cancellable, error);
		if (text == NULL)
			return NULL;
		g_free(native);
		native = text;
	}
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	*size = native_size;
	return g_steal_pointer(&native);
}

char *
cam_changelog_read_deb(const char *path, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamArchive) deb = cam_archive_open_file(path, error);
	g_autoptr(GError) local_error = NULL;
	const CamArchiveEntry *entry;

	if (deb == NULL)
		return NULL;
	while ((entry = cam_archive_next(deb, cancellable, &local_error)) != NULL) {
		g_autoptr(GInputStream) member = NULL;
		g_autoptr(CamArchive) data = NULL;

		if (!g_str_has_prefix(entry->path, "data.tar"))
			continue;
		member = cam_archive_entry_stream(deb);
		data = cam_archive_open_stream(member, error);
		return data != NULL ? find_changelog(data, size, cancellable, error) : NULL;
	}
	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	else
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is no Debian package", path);
	return NULL;
}
