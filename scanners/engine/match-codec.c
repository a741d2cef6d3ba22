/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The form at rest of what an advisory database said of one package version. Who remembers it, and
 * under which key, is the business of the matcher.
 */
#include "scanners/engine/match-codec.h"

/* Texts come from feeds and may be any bytes, which GVariant's strings may not: all is "ay".
 * id, aliases, summary, severity, score, vector, references, source, three times, fixed version,
 * whether Pro alone has it */
#define MATCH_TYPE "(ayaaymayydmayaayayxxxmayb)"
/* Coverage: fixes, unfixed, reason, when */
#define MATCHES_TYPE "(bbmayxa" MATCH_TYPE ")"

static GVariant *
maybe_bytestring(const char *text)
{
	return g_variant_new_maybe(G_VARIANT_TYPE_BYTESTRING,
				   text != NULL ? g_variant_new_bytestring(text) : NULL);
}

static GVariant *
bytestrings(char **texts)
{
	static const char *const none[] = { NULL };

	return g_variant_new_bytestring_array(texts != NULL ? (const char *const *) texts : none,
					      -1);
}

GBytes *
cam_matches_to_bytes(const GPtrArray *matches, const CamCoverage *coverage)
{
	g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a" MATCH_TYPE));
	g_autoptr(GVariant) variant = NULL;

	for (guint i = 0; i < matches->len; i++) {
		const CamMatch *match = matches->pdata[i];
		const CamAdvisory *advisory = match->advisory;

		g_variant_builder_add(
			&builder, "(^ay@aay@mayyd@may@aay^ayxxx@mayb)", advisory->id,
			bytestrings(advisory->aliases), maybe_bytestring(advisory->summary),
			(guchar) advisory->severity, advisory->score,
			maybe_bytestring(advisory->vector), bytestrings(advisory->references),
			advisory->source != NULL ? advisory->source : "", advisory->published,
			advisory->modified, advisory->withdrawn,
			maybe_bytestring(match->fixed_version), match->pro_only);
	}
	variant = g_variant_ref_sink(
		g_variant_new("(bb@mayx@a" MATCH_TYPE ")", coverage->fixes, coverage->unfixed,
			      maybe_bytestring(coverage->reason), coverage->looked_at,
			      g_variant_builder_end(&builder)));
	return g_variant_get_data_as_bytes(variant);
}

static char *
take_maybe(GVariant *maybe)
{
	g_autoptr(GVariant) value = g_variant_get_maybe(maybe);

	g_variant_unref(maybe);
	return value != NULL ? g_variant_dup_bytestring(value, NULL) : NULL;
}

static CamMatch *
match_from_variant(GVariant *variant)
{
	CamMatch *match = g_new0(CamMatch, 1);
	CamAdvisory *advisory = match->advisory = g_new0(CamAdvisory, 1);
	GVariant *summary, *vector, *fixed_version;
	guchar severity;

	g_variant_get(variant, "(^ay^aay@mayyd@may^aay^ayxxx@mayb)", &advisory->id,
		      &advisory->aliases, &summary, &severity, &advisory->score, &vector,
		      &advisory->references, &advisory->source, &advisory->published,
		      &advisory->modified, &advisory->withdrawn, &fixed_version, &match->pro_only);
	advisory->severity = MIN(severity, CAM_SEVERITY_CRITICAL);
	advisory->summary = take_maybe(summary);
	advisory->vector = take_maybe(vector);
	match->fixed_version = take_maybe(fixed_version);
	return match;
}

GPtrArray *
cam_matches_from_bytes(GBytes *bytes, CamCoverage *coverage)
{
	g_autoptr(GVariant) variant = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(MATCHES_TYPE), bytes, FALSE));
	g_autoptr(GVariant) list = NULL;
	g_autoptr(GPtrArray) matches = NULL;
	GVariant *reason;

	if (!g_variant_is_normal_form(variant))
		return NULL;
	cam_coverage_clear(coverage);
	g_variant_get(variant, "(bb@mayx@a" MATCH_TYPE ")", &coverage->fixes, &coverage->unfixed,
		      &reason, &coverage->looked_at, &list);
	coverage->reason = take_maybe(reason);
	matches = g_ptr_array_new_with_free_func((GDestroyNotify) cam_match_free);
	for (gsize i = 0; i < g_variant_n_children(list); i++) {
		g_autoptr(GVariant) child = g_variant_get_child_value(list, i);

		g_ptr_array_add(matches, match_from_variant(child));
	}
	return g_steal_pointer(&matches);
}
