/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads WWW-Authenticate, in which commas part both challenges and their parameters. Total: what
 * cannot be understood ends the list.
 */
#include "snapshotter/transport/registry-challenge.h"

#include <string.h>

#define TOKEN_CHARACTERS                                                 \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" \
	"!#$%&'*+-.^_`|~"

static void
challenge_free(CamChallenge *self)
{
	g_free(self->scheme);
	g_hash_table_unref(self->params);
	g_free(self);
}

static void
skip(const char **at, const char *characters)
{
	*at += strspn(*at, characters);
}

/* (nullable) */
static char *
take_token(const char **at)
{
	gsize length = strspn(*at, TOKEN_CHARACTERS);
	char *token = length > 0 ? g_strndup(*at, length) : NULL;

	*at += length;
	return token;
}

/* (nullable) */
static char *
take_quoted(const char **at)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for ((*at)++; **at != '\0' && **at != '"'; (*at)++) {
		if (**at == '\\' && (*at)[1] != '\0')
			(*at)++;
		g_string_append_c(text, **at);
	}
	if (**at != '"')
		return NULL;
	(*at)++;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* `name = value`, if that is what comes; otherwise *@at stays where it is. */
static gboolean
take_param(const char **at, CamChallenge *challenge)
{
	const char *start = *at;
	g_autofree char *name = take_token(at);
	char *value = NULL;

	skip(at, " \t");
	if (name != NULL && **at == '=') {
		(*at)++;
		skip(at, " \t");
		value = **at == '"' ? take_quoted(at) : take_token(at);
	}
	if (value == NULL) {
		*at = start;
		return FALSE;
	}
	g_hash_table_replace(challenge->params, g_ascii_strdown(name, -1), value);
	return TRUE;
}

GPtrArray *
cam_challenges_parse(const char *header)
{
	GPtrArray *challenges = g_ptr_array_new_with_free_func((GDestroyNotify) challenge_free);
	const char *at = header;

	for (;;) {
		g_autofree char *scheme = NULL;
		CamChallenge *challenge;

		skip(&at, " \t,");
		scheme = take_token(&at);
		if (scheme == NULL)
			return challenges;
		challenge = g_new0(CamChallenge, 1);
		challenge->scheme = g_ascii_strdown(scheme, -1);
		challenge->params = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		g_ptr_array_add(challenges, challenge);
		skip(&at, " \t");
		while (take_param(&at, challenge))
			skip(&at, " \t,");
	}
}

const CamChallenge *
cam_challenges_find(GPtrArray *challenges, const char *scheme)
{
	for (guint i = 0; i < challenges->len; i++) {
		const CamChallenge *challenge = g_ptr_array_index(challenges, i);

		if (g_str_equal(challenge->scheme, scheme))
			return challenge;
	}
	return NULL;
}

const char *
cam_challenge_get_param(const CamChallenge *self, const char *name)
{
	return g_hash_table_lookup(self->params, name);
}
