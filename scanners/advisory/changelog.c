/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * debian/changelog (deb-changelog(5)): which CVE is fixed by which version. Where packages keep
 * that text is changelog-file.c's.
 */
#include "scanners/advisory/changelog.h"

#include <string.h>

#include "scanners/advisory/version.h"

#define MAX_ITEM_SIZE 300
#define CVE_PREFIX    "CVE-"

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

/* The first item of an entry is the first line that begins with a bullet. */
char *
cam_changelog_get_title(const char *changelog, gsize size, const char *version)
{
	g_autoptr(GArray) entries = split_entries(changelog, size);

	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = &g_array_index(entries, Entry, i);
		const char *end = entry->body + entry->size;

		if (!g_str_equal(entry->version, version))
			continue;
		for (const char *line = entry->body; line < end; line++) {
			const char *start = skip(line, end, " \t");

			if (is_one_of(start, end, "*-+"))
				return describe(entry, start);
			line = memchr(line, '\n', end - line);
			if (line == NULL)
				break;
		}
		return NULL;
	}
	return NULL;
}
