/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * debian/changelog (deb-changelog(5)): which CVE is fixed by which version. Where packages keep
 * that text is changelog-file.c's.
 */
#include "scanners/advisory/changelog.h"

#include <string.h>

#include "scanners/advisory/changelog-mention.h"
#include "scanners/advisory/version.h"

#define MAX_ITEM_SIZE 300
#define CVE_PREFIX    "CVE-"
/* What is read of an item before and behind a CVE, and of the lines above it for its parent. */
#define MAX_BEFORE	 2000
#define MAX_BEHIND	 500
#define MAX_PARENT_LINES 40

/* One entry of the changelog: from its header to that of the next older one. */
typedef struct {
	char *version;
	const char *body;
	gsize size;
	const char *lowest; /* version among this entry and all newer ones */
	int year;	    /* 0: its signature names none */
} Entry;

/* What an entry says of a CVE. */
typedef struct {
	char *cve;
	const char *version; /* (nullable): NULL once it was taken back */
	char *text;	     /* (nullable) */
} Fix;

static void
entry_clear(Entry *self)
{
	g_free(self->version);
}

static void
fix_free(Fix *self)
{
	g_free(self->cve);
	g_free(self->text);
	g_free(self);
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

/* " -- Name <address>  Mon, 01 Jan 2024 00:00:00 +0000": the year, or 0. */
static int
parse_year(const char *line, const char *end)
{
	const char *date = g_strstr_len(line, end - line, ">  ");

	for (const char *c = date; c != NULL && end - c > 5; c++) {
		int year = 0;

		if (c[0] != ' ' || c[5] != ' ')
			continue;
		for (gsize i = 1; i <= 4 && year >= 0; i++)
			year = g_ascii_isdigit(c[i]) ? year * 10 + (c[i] - '0') : -1;
		if (year > 0)
			return year;
	}
	return 0;
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
			if (next - line > 4 && memcmp(line, " -- ", 4) == 0)
				current->year = parse_year(line, next);
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

/* "CVE-2023-1111.patch" is one word. */
static gboolean
is_name_part(const char *text)
{
	return (text[0] == '.' || text[0] == '-' || text[0] == '_') && g_ascii_isalnum(text[1]);
}

/* What an item says behind the identifiers that it begins with, and what joins these. */
static const char *
skip_identifiers(const char *text)
{
	const char *end = text + strlen(text);

	for (;;) {
		g_autofree char *cve = NULL;
		const char *next = skip(text, end, " \t:,;-&+/");

		if (g_ascii_strncasecmp(next, "and CVE-", strlen("and CVE-")) == 0)
			next += strlen("and ");
		cve = parse_cve(next, end);
		if (cve == NULL || is_name_part(next + strlen(cve)))
			return next;
		text = next + strlen(cve);
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

/* ---- what a mention means ---- */

static gboolean
is_bullet(const char *line, const char *end)
{
	return is_one_of(skip(line, end, " \t"), end, "*-+");
}

/* Where the item begins that @start continues: its paragraphs may lie behind empty lines. */
static const char *
first_paragraph(const char *start, const char *begin, const char *end)
{
	while (start > begin && !is_one_of(skip(start, end, " \t"), end, "*-+[")) {
		const char *above = start;

		while (above > begin && is_one_of(above - 1, end, " \t\r\n"))
			above--;
		if (above == begin)
			break;
		start = item_start(above - 1, begin, end);
	}
	return start;
}

/* (nullable) (transfer full): the first line of the item that the one at @start is an item of. */
static char *
find_parent(const char *start, const char *begin, const char *end)
{
	gssize indent = skip(start, end, " \t") - start;
	const char *line = start;

	for (guint i = 0; i < MAX_PARENT_LINES && line > begin; i++) {
		line = line_start(line - 1, begin);
		if (is_bullet(line, end) && skip(line, end, " \t") - line < indent) {
			const char *newline = memchr(line, '\n', end - line);
			gsize size = (newline != NULL ? newline : end) - line;
			g_autofree char *text = g_strndup(line, MIN(size, MAX_BEHIND));
			g_autofree char *valid = g_utf8_make_valid(text, -1);

			return g_strdup(valid + strspn(valid, " \t*-+"));
		}
	}
	return NULL;
}

/* Appends what lies between as one line. */
static void
append_line(GString *text, const char *from, const char *to)
{
	for (const char *c = from; c < to; c++) {
		gboolean blank = g_ascii_isspace(*c) || g_ascii_iscntrl(*c);

		if (!blank)
			g_string_append_c(text, *c);
		else if (text->len > 0 && text->str[text->len - 1] != ' ')
			g_string_append_c(text, ' ');
	}
}

static CamMentionKind
classify(CamMentionRules *rules, const Entry *entry, const char *at, const char *cve)
{
	const char *begin = entry->body, *end = entry->body + entry->size;
	const char *start = first_paragraph(item_start(at, begin, end), begin, end);
	const char *behind = at + strlen(cve);
	g_autofree char *parent = find_parent(start, begin, end);
	g_autofree char *before = NULL, *rest = NULL, *item = NULL;
	g_autoptr(GString) text = g_string_new(NULL), tail = g_string_new(NULL);
	const char *stop = behind;

	/* up to the next item */
	while (stop < end && stop - behind < MAX_BEHIND &&
	       !(*stop == '\n' && is_one_of(skip(stop + 1, end, " \t"), end, "*-+[\r\n")))
		stop++;
	append_line(text, skip(MAX(start, at - MAX_BEFORE), at, " \t*-+"), at);
	append_line(tail, behind, stop);
	/* Each part by itself, so that the CVE stays where it is. */
	before = g_utf8_make_valid(text->str, text->len);
	rest = g_utf8_make_valid(tail->str, tail->len);
	item = g_strconcat(before, cve, is_one_of(behind, end, " \t\r\n") ? " " : "", rest, NULL);
	return cam_mention_rules_classify(rules, item, strlen(before), strlen(before) + strlen(cve),
					  parent,
					  entry->year > 0 ? entry->year - atoi(cve + 4) : 0);
}

/* @by_cve: CVE → Fix that stands; @fixes: all, in the order of their entries. */
static void
take_mention(CamMentionRules *rules, const Entry *entry, const char *at, const char *cve,
	     GHashTable *by_cve, GPtrArray *fixes)
{
	Fix *fix = g_hash_table_lookup(by_cve, cve);

	switch (classify(rules, entry, at, cve)) {
	case CAM_MENTION_NEWS:
		return;
	case CAM_MENTION_REVERT:
		if (fix != NULL)
			fix->version = NULL;
		g_hash_table_remove(by_cve, cve);
		return;
	case CAM_MENTION_FIX:
		if (fix != NULL)
			return;
		fix = g_new0(Fix, 1);
		fix->cve = g_strdup(cve);
		fix->version = entry->lowest;
		fix->text = describe(entry, at);
		g_hash_table_insert(by_cve, fix->cve, fix);
		g_ptr_array_add(fixes, fix);
		return;
	}
}

/* Newest first: a package for a stable release lies above the entries that it was made from, and
 * its version (1.2-1~deb12u1) may be lower than theirs (1.2-1). */
static void
find_lowest(GArray *entries)
{
	const char *lowest = NULL;

	for (guint i = 0; i < entries->len; i++) {
		Entry *entry = &g_array_index(entries, Entry, i);

		if (lowest == NULL || cam_version_compare_deb(entry->version, lowest) < 0)
			lowest = entry->version;
		entry->lowest = lowest;
	}
}

void
cam_changelog_foreach_cve(const char *changelog, gsize size, CamChangelogFunc func,
			  gpointer user_data)
{
	g_autoptr(GArray) entries = split_entries(changelog, size);
	g_autoptr(CamMentionRules) rules = cam_mention_rules_new();
	g_autoptr(GPtrArray) fixes = g_ptr_array_new_with_free_func((GDestroyNotify) fix_free);
	g_autoptr(GHashTable) by_cve = g_hash_table_new(g_str_hash, g_str_equal);

	find_lowest(entries);
	/* Oldest first: the first entry that fixes a CVE counts. */
	for (guint i = entries->len; i-- > 0;) {
		const Entry *entry = &g_array_index(entries, Entry, i);
		const char *end = entry->body + entry->size;

		for (const char *at = entry->body; at < end; at++) {
			g_autofree char *cve = *at == 'C' || *at == 'c' ? parse_cve(at, end) : NULL;

			if (cve == NULL)
				continue;
			take_mention(rules, entry, at, cve, by_cve, fixes);
			at += strlen(cve) - 1;
		}
	}
	for (guint i = 0; i < fixes->len; i++) {
		const Fix *fix = g_ptr_array_index(fixes, i);

		if (fix->version != NULL)
			func(fix->cve, fix->version, fix->text, user_data);
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
