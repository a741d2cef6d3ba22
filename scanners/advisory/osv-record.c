/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One record of the OSV schema as Cambium keeps it. Owns how the schema's many ways to say a
 * severity and a name are read; storing is advisory-db.c's.
 */
#include "scanners/advisory/osv-record.h"

#include <string.h>

#define MAX_RECORD_SIZE	 (16 * 1024 * 1024)
#define MAX_SUMMARY_SIZE 300
#define MAX_REFERENCES	 100
#define MAX_NAME_SIZE	 1024

void
cam_osv_affected_free(CamOsvAffected *self)
{
	if (self == NULL)
		return;
	g_free(self->ecosystem);
	g_free(self->package);
	g_free(self->ranges);
	g_free(self->severity.vector);
	g_free(self);
}

CamOsvAffected *
cam_osv_affected_new(const char *ecosystem, const char *package, const char *ranges)
{
	CamOsvAffected *self = g_new0(CamOsvAffected, 1);

	self->ecosystem = cam_ecosystem_normalise(ecosystem);
	self->package = g_strdup(package);
	self->ranges = g_strdup(ranges);
	self->severity.score = -1;
	return self;
}

void
cam_osv_record_free(CamOsvRecord *self)
{
	if (self == NULL)
		return;
	g_free(self->id);
	g_strfreev(self->identities);
	g_strfreev(self->aliases);
	g_free(self->summary);
	g_free(self->suite);
	g_strfreev(self->references);
	g_clear_pointer(&self->affected, g_ptr_array_unref);
	g_free(self);
}

/* Names end up in lines: they have no control characters. */
static gboolean
is_name(const char *text)
{
	if (text == NULL || text[0] == '\0' || strlen(text) > MAX_NAME_SIZE)
		return FALSE;
	for (; *text != '\0'; text++)
		if (g_ascii_iscntrl(*text))
			return FALSE;
	return TRUE;
}

static gint64
parse_time(JsonObject *object, const char *member)
{
	const char *text = cam_json_get_string(object, member);
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, utc) : NULL;

	return time != NULL ? g_date_time_to_unix(time) : 0;
}

/* Element @i as a string; NULL if it is something else. */
static const char *
get_string_element(JsonArray *array, guint i)
{
	JsonNode *node = json_array_get_element(array, i);

	return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node)
		       : NULL;
}

static JsonObject *
get_object_element(JsonArray *array, guint i)
{
	JsonNode *node = json_array_get_element(array, i);

	return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static guint
length_of(JsonArray *array)
{
	return array != NULL ? json_array_get_length(array) : 0;
}

/* ---- names ---- */

static gboolean
is_cve(const char *id)
{
	return g_str_has_prefix(id, "CVE-") && g_ascii_isdigit(id[4]);
}

static void
add_once(GPtrArray *list, const char *text)
{
	if (!g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
		g_ptr_array_add(list, g_strdup(text));
}

static void
add_names(JsonObject *object, const char *member, gboolean only_cves, GPtrArray *cves,
	  GPtrArray *others)
{
	JsonArray *array = cam_json_get_array(object, member);

	for (guint i = 0; i < length_of(array); i++) {
		const char *name = get_string_element(array, i);

		if (!is_name(name))
			continue;
		if (is_cve(name))
			add_once(cves, name);
		else if (!only_cves)
			add_once(others, name);
	}
}

/* An erratum of a distribution, as opposed to a vulnerability: what is `related` to it is what it
 * fixes. */
static gboolean
is_erratum(const CamOsvRecord *self)
{
	const CamOsvAffected *first;

	if (self->affected->len == 0)
		return FALSE;
	first = g_ptr_array_index(self->affected, 0);
	return strchr(first->ecosystem, ':') != NULL;
}

static char **
steal_strings(GPtrArray *list)
{
	g_ptr_array_add(list, NULL);
	return (char **) g_ptr_array_free(list, FALSE);
}

static void
parse_names(CamOsvRecord *self, JsonObject *object)
{
	GPtrArray *cves = g_ptr_array_new(), *others = g_ptr_array_new();

	if (is_cve(self->id))
		g_ptr_array_add(cves, g_strdup(self->id));
	add_names(object, "aliases", FALSE, cves, others);
	add_names(object, "upstream", FALSE, cves, others);
	if (cves->len == 0 && is_erratum(self))
		add_names(object, "related", TRUE, cves, others);
	if (cves->len == 0)
		g_ptr_array_add(cves, g_strdup(self->id));
	else if (!is_cve(self->id))
		add_once(others, self->id);
	self->identities = steal_strings(cves);
	self->aliases = steal_strings(others);
}

/* ---- severity ---- */

static const char *const cvss_types[] = { "CVSS_V2", "CVSS_V3", "CVSS_V4" };

/* The vector of the newest CVSS; else a word, such as Ubuntu's priority. */
static CamOsvSeverity
parse_severities(JsonArray *array)
{
	CamOsvSeverity best = { .severity = CAM_SEVERITY_UNKNOWN, .score = -1 };
	int best_rank = -1;

	for (guint i = 0; i < length_of(array); i++) {
		JsonObject *object = get_object_element(array, i);
		const char *type = object != NULL ? cam_json_get_string(object, "type") : NULL;
		const char *score = object != NULL ? cam_json_get_string(object, "score") : NULL;
		int rank = -1;

		for (gsize t = 0; type != NULL && t < G_N_ELEMENTS(cvss_types); t++)
			if (g_str_equal(type, cvss_types[t]))
				rank = t;
		if (score == NULL)
			continue;
		if (rank < 0 && best_rank < 0) {
			cam_severity_parse(score, &best.severity);
		} else if (rank > best_rank && cam_cvss_score(score) >= 0) {
			best_rank = rank;
			best.score = cam_cvss_score(score);
			best.severity = cam_severity_for_score(best.score);
			g_free(best.vector);
			best.vector = g_strdup(score);
		}
	}
	return best;
}

/* Words that databases have of their own. */
static void
parse_severity_word(JsonObject *object, const char *member, CamOsvSeverity *severity)
{
	static const char *const names[] = { "severity", "urgency" };
	JsonObject *specific = cam_json_get_object(object, member);

	for (gsize i = 0; specific != NULL && i < G_N_ELEMENTS(names); i++) {
		const char *word = cam_json_get_string(specific, names[i]);

		if (severity->severity == CAM_SEVERITY_UNKNOWN && word != NULL)
			cam_severity_parse(word, &severity->severity);
	}
}

/* ---- affected ---- */

static gboolean
add_event(CamVersionRanges *ranges, JsonObject *event, GError **error)
{
	static const struct {
		const char *member;
		char kind;
	} kinds[] = {
		{ "introduced", 'i' },
		{ "fixed", 'f' },
		{ "last_affected", 'l' },
		{ "limit", 't' },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const char *version = cam_json_get_string(event, kinds[i].member);

		if (version == NULL)
			continue;
		if (!is_name(version))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "an event has an odd version");
		/* "*" as a limit is none. */
		if (kinds[i].kind != 't' || !g_str_equal(version, "*"))
			cam_version_ranges_add_event(ranges, kinds[i].kind, version);
	}
	return TRUE;
}

/* Commits of a repository are no versions of a package. */
static gboolean
add_range(CamVersionRanges *ranges, JsonObject *range, GError **error)
{
	const char *type = cam_json_get_string(range, "type");
	JsonArray *events = cam_json_get_array(range, "events");

	if (g_strcmp0(type, "ECOSYSTEM") != 0 && g_strcmp0(type, "SEMVER") != 0)
		return TRUE;
	cam_version_ranges_begin(ranges);
	for (guint i = 0; i < length_of(events); i++) {
		JsonObject *event = get_object_element(events, i);

		if (event == NULL)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "an event is no object");
		if (!add_event(ranges, event, error))
			return FALSE;
	}
	return TRUE;
}

static char *
parse_ranges(JsonObject *object, const char *ecosystem, GError **error)
{
	g_autoptr(CamVersionRanges) text =
		cam_version_ranges_new(cam_version_compare_for_ecosystem(ecosystem));
	JsonArray *ranges = cam_json_get_array(object, "ranges");
	JsonArray *versions = cam_json_get_array(object, "versions");

	for (guint i = 0; i < length_of(ranges); i++) {
		JsonObject *range = get_object_element(ranges, i);

		if (range == NULL) {
			cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "a range is no object");
			return NULL;
		}
		if (!add_range(text, range, error))
			return NULL;
	}
	for (guint i = 0; i < length_of(versions); i++) {
		const char *version = get_string_element(versions, i);

		if (is_name(version))
			cam_version_ranges_add_version(text, version);
	}
	return cam_version_ranges_finish(g_steal_pointer(&text));
}

/* One record may name a package twice; the database keeps one row of it. */
static void
add_affected(CamOsvRecord *self, CamOsvAffected *affected)
{
	for (guint i = 0; i < self->affected->len; i++) {
		CamOsvAffected *other = g_ptr_array_index(self->affected, i);
		char *joined;

		if (!g_str_equal(other->package, affected->package) ||
		    !g_str_equal(other->ecosystem, affected->ecosystem))
			continue;
		joined = g_strconcat(other->ranges, affected->ranges, NULL);
		g_free(other->ranges);
		other->ranges = joined;
		cam_osv_affected_free(affected);
		return;
	}
	g_ptr_array_add(self->affected, affected);
}

static gboolean
parse_affected(CamOsvRecord *self, JsonObject *object, const CamOsvSeverity *of_record,
	       GError **error)
{
	JsonObject *package = cam_json_get_object(object, "package");
	const char *ecosystem, *name;
	CamOsvAffected *affected;
	g_autofree char *ranges = NULL;

	if (package == NULL) /* affects a repository only */
		return TRUE;
	ecosystem = cam_json_get_string(package, "ecosystem");
	name = cam_json_get_string(package, "name");
	if (!is_name(ecosystem) || !is_name(name))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "an affected package has no name or ecosystem");
	ranges = parse_ranges(object, ecosystem, error);
	if (ranges == NULL)
		return FALSE;
	if (ranges[0] == '\0')
		return TRUE;
	affected = cam_osv_affected_new(ecosystem, name, ranges);
	affected->severity = parse_severities(cam_json_get_array(object, "severity"));
	if (affected->severity.score < 0 && of_record->score >= 0) {
		affected->severity = *of_record;
		affected->severity.vector = g_strdup(of_record->vector);
	}
	parse_severity_word(object, "ecosystem_specific", &affected->severity);
	parse_severity_word(object, "database_specific", &affected->severity);
	if (affected->severity.severity == CAM_SEVERITY_UNKNOWN)
		affected->severity.severity = of_record->severity;
	add_affected(self, affected);
	return TRUE;
}

static gboolean
parse_all_affected(CamOsvRecord *self, JsonObject *object, GError **error)
{
	JsonArray *array = cam_json_get_array(object, "affected");
	CamOsvSeverity severity = parse_severities(cam_json_get_array(object, "severity"));
	g_autofree char *vector = severity.vector;

	parse_severity_word(object, "database_specific", &severity);
	for (guint i = 0; i < length_of(array); i++) {
		JsonObject *affected = get_object_element(array, i);

		if (affected == NULL)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "an affected entry is no object");
		if (!parse_affected(self, affected, &severity, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- the record ---- */

/* The first line that says something, made to fit. */
static char *
one_line(const char *text)
{
	gsize size;
	g_autofree char *line = NULL;

	if (text == NULL)
		return NULL;
	text += strspn(text, " \t\r\n#");
	size = strcspn(text, "\r\n");
	if (size == 0)
		return NULL;
	if (size <= MAX_SUMMARY_SIZE)
		return g_strndup(text, size);
	line = g_strndup(text, MAX_SUMMARY_SIZE);
	*(char *) g_utf8_find_prev_char(line, line + MAX_SUMMARY_SIZE) = '\0';
	return g_strconcat(line, "…", NULL);
}

static char **
parse_references(JsonObject *object)
{
	GPtrArray *urls = g_ptr_array_new();
	JsonArray *array = cam_json_get_array(object, "references");

	for (guint i = 0; i < length_of(array) && urls->len < MAX_REFERENCES; i++) {
		JsonObject *reference = get_object_element(array, i);
		const char *url = reference != NULL ? cam_json_get_string(reference, "url") : NULL;

		if (is_name(url))
			g_ptr_array_add(urls, g_strdup(url));
	}
	return steal_strings(urls);
}

CamOsvRecord *
cam_osv_record_parse(const char *data, gsize size, GError **error)
{
	g_autoptr(CamOsvRecord) self = g_new0(CamOsvRecord, 1);
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
	g_autoptr(JsonObject) object = cam_json_parse_object(bytes, MAX_RECORD_SIZE, error);
	const char *id;

	if (object == NULL)
		return NULL;
	id = cam_json_get_string(object, "id");
	if (!is_name(id)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "the record has no id");
		return NULL;
	}
	self->id = g_strdup(id);
	self->affected = g_ptr_array_new_with_free_func((GDestroyNotify) cam_osv_affected_free);
	if (!parse_all_affected(self, object, error)) {
		cam_error_translate(error, "%s", id);
		return NULL;
	}
	parse_names(self, object);
	self->summary = one_line(cam_json_get_string(object, "summary"));
	if (self->summary == NULL)
		self->summary = one_line(cam_json_get_string(object, "details"));
	self->references = parse_references(object);
	self->published = parse_time(object, "published");
	self->modified = parse_time(object, "modified");
	self->withdrawn = parse_time(object, "withdrawn");
	/* A withdrawal at a time that cannot be read is still one. */
	if (self->withdrawn == 0 && cam_json_get_string(object, "withdrawn") != NULL)
		self->withdrawn = 1;
	return g_steal_pointer(&self);
}
