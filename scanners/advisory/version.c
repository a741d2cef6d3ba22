/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of versions, one function an ecosystem, and the table that says which is whose. Knows
 * nothing about ranges: those are advisory-db.c's.
 */
#include "scanners/advisory/version.h"

#include <string.h>

/* A part of a version, not NUL-terminated. */
typedef struct {
	const char *at, *end;
} Span;

typedef struct {
	Span epoch, upstream, revision;
} DebVersion;

static gboolean
is_number(const char *at, const char *end)
{
	if (at == end)
		return FALSE;
	for (; at < end; at++)
		if (!g_ascii_isdigit(*at))
			return FALSE;
	return TRUE;
}

/* deb-version(7): [epoch:]upstream-version[-debian-revision]. A colon behind something that is no
 * number does not end an epoch: the order is then total on any strings. */
static void
deb_version_split(const char *text, DebVersion *out)
{
	const char *end = text + strlen(text);
	const char *colon = strchr(text, ':');
	const char *dash;

	out->epoch = (Span){ text, text };
	if (colon != NULL && is_number(text, colon)) {
		out->epoch.end = colon;
		text = colon + 1;
	}
	dash = memrchr(text, '-', end - text);
	out->upstream = (Span){ text, dash != NULL ? dash : end };
	out->revision = (Span){ dash != NULL ? dash + 1 : end, end };
}

/* "~" sorts before the end of a part, letters before everything else. */
static int
deb_weight(const Span *span)
{
	guchar c;

	if (span->at == span->end || g_ascii_isdigit(*span->at))
		return 0;
	c = *span->at;
	if (c == '~')
		return -1;
	return g_ascii_isalpha(c) ? c : c + 256;
}

/* Takes the digits at the start of @span, without leading zeros. */
static Span
take_number(Span *span)
{
	Span number;

	while (span->at < span->end && *span->at == '0')
		span->at++;
	number.at = span->at;
	while (span->at < span->end && g_ascii_isdigit(*span->at))
		span->at++;
	number.end = span->at;
	return number;
}

/* Digits of any length: longer is larger where zeros do not lead. */
static int
compare_numbers(Span a, Span b)
{
	gsize a_size = a.end - a.at, b_size = b.end - b.at;

	if (a_size != b_size)
		return a_size < b_size ? -1 : 1;
	return memcmp(a.at, b.at, a_size);
}

/* Alternating runs of non-digits, by weight, and of digits, by value. */
static int
compare_parts(Span a, Span b)
{
	while (a.at < a.end || b.at < b.end) {
		int order;

		for (;;) {
			int a_weight = deb_weight(&a), b_weight = deb_weight(&b);

			if (a_weight != b_weight)
				return a_weight - b_weight;
			if (a_weight == 0)
				break;
			a.at++;
			b.at++;
		}
		order = compare_numbers(take_number(&a), take_number(&b));
		if (order != 0)
			return order;
	}
	return 0;
}

int
cam_version_compare_deb(const char *a, const char *b)
{
	DebVersion a_parts, b_parts;
	int order;

	deb_version_split(a, &a_parts);
	deb_version_split(b, &b_parts);
	order = compare_numbers(take_number(&a_parts.epoch), take_number(&b_parts.epoch));
	if (order == 0)
		order = compare_parts(a_parts.upstream, b_parts.upstream);
	if (order == 0)
		order = compare_parts(a_parts.revision, b_parts.revision);
	return order;
}

static const struct {
	const char *ecosystem; /* without what follows the colon */
	CamVersionCompare compare;
} ecosystems[] = {
	{ "Debian", cam_version_compare_deb },
	{ "Ubuntu", cam_version_compare_deb },
};

CamVersionCompare
cam_version_compare_for_ecosystem(const char *ecosystem)
{
	gsize size = strcspn(ecosystem, ":");

	for (gsize i = 0; i < G_N_ELEMENTS(ecosystems); i++)
		if (strlen(ecosystems[i].ecosystem) == size &&
		    strncmp(ecosystems[i].ecosystem, ecosystem, size) == 0)
			return ecosystems[i].compare;
	return NULL;
}
