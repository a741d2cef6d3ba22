/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether an item of a changelog fixes the CVE that it names, or speaks of it for another reason.
 * The rules are a table; what is in none of its rows is a fix, because a finding too many is the
 * lesser harm. Which entry counts is changelog.c's.
 */
#include "scanners/advisory/changelog-mention.h"

#include <string.h>

/* How much of an item before and behind a CVE is looked at. */
#define MAX_LEAD 200
#define MAX_TAIL 120
/* From this age on a CVE in the middle of a sentence is news of long ago. */
#define OLD_AGE 3

/* What an expression is held against. All ignore case. */
typedef enum {
	ON_LEAD,      /* the sentence up to the CVE, without CVEs right before it */
	ON_TAIL,      /* what follows, without CVEs right behind it */
	ON_FILE_TAIL, /* the same, where the CVE is part of a file name */
	ON_TOKEN,     /* the word that the CVE is part of, such as a file name */
	ON_PARENT,    /* the item that this one is an item of */
} Subject;

#define FIX_NOUN \
	"(?:security\\s+)?(?:fix(?:es)?|patch(?:es)?|updates?|mitigations?|backports?|changes?)"
#define PLAIN(size) "[^.;:()\\[\\]\"]{0," #size "}"

static const struct {
	Subject subject;
	CamMentionKind kind;
	const char *expression;
} table[] = {
	/* "Fix regression in", "introduced by the fix for", "caused by the update for" */
	{ ON_LEAD, CAM_MENTION_NEWS, "\\bregress(?:ions?|ed|es)?\\b" PLAIN(60) "$" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:re)?(?:introduced|caused|broken|broke|triggered|exposed|revealed|added|removed)"
	  "\\s+"
	  "(?:\\w+\\s+)?(?:by|in|with|while|as\\s+part\\s+of|through|when|during)\\s+"
	  "(?:\\w+\\s+){0,4}" FIX_NOUN "\\s+(?:for|of|against|to)\\s+(?:fix(?:ing)?\\s+)?$" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:introduced|caused|broken|triggered)\\s+(?:by|in|with)\\s+(?:the\\s+)?$" },
	/* "Follow up to", "Following the fix for", but not "the following CVEs" */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "(?<!the )\\bfollow(?:s|ed|ing)?(?:[ -]?ups?)?\\s+(?:(?:to|of|on|for|with)\\s+)?"
	  "(?:the\\s+)?(?:\\w+\\s+)?(?:" FIX_NOUN "\\s+(?:for|of|to)\\s+)?$" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:after|since|despite)\\s+(?:the\\s+)?(?:fix(?:ing|es)?|patch(?:ing|es)?|" FIX_NOUN
	  "|appl\\w+|backport\\w*|mitigat\\w+)\\b" PLAIN(30) "$" },
	/* "similar to", "a variant of" */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:similar|analogous|comparable|akin|identical|equivalent|resembl\\w+|variants?|"
	  "unlike|"
	  "compared?)\\s+(?:\\w+\\s+){0,3}(?:to|as|of|with|like)\\s+(?:the\\s+)?"
	  "(?:(?:" FIX_NOUN "|issues?|bugs?|vulnerabilit\\w+)\\s+(?:of|for|in)\\s+)?$" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:see\\s+also|cf\\.?|not\\s+to\\s+be\\s+confused\\s+with|"
	  "different\\s+from|duplicate\\s+of)\\s+$" },
	/* "not affected by", "is not vulnerable to" */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\bnot\\s+(?:\\w+\\s+)?(?:affected|vulnerable|exploitable|impacted|concerned|applicable|"
	  "susceptible)\\s+(?:(?:to|by|from|for|in)\\s+)?(?:the\\s+)?$" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:unaffected|never\\s+(?:affected|vulnerable)|immune)\\s+(?:(?:to|by|from)\\s+)?(?:"
	  "the\\s+)?$" },
	{ ON_TAIL, CAM_MENTION_NEWS,
	  "^[^.;]{0,40}\\b(?:(?:is|was|are|were|does|do|did|has|have)(?:\\s+not|n't)\\s+(?:\\w+\\s+"
	  ")?"
	  "(?:affect|vulnerab|exploitab|appli|relevan|present|need|been\\s+present)|not\\s+"
	  "affected|"
	  "not\\s+applicable|not-affected|not-for-us|unaffected)" },
	{ ON_TAIL, CAM_MENTION_NEWS,
	  "^[\\s,()]*(?:was|were|is|are|has\\s+been|had\\s+been)\\s+(?:already|previously|actually)"
	  "\\s+"
	  "(?:fixed|addressed|included|applied|patched|resolved)" },
	{ ON_TAIL, CAM_MENTION_NEWS,
	  "^[\\s,()]*already\\s+(?:fixed|addressed|included|applied|patched|resolved)" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\balready\\s+(?:\\w+\\s+)?(?:fixed|addressed|included|applied|patched|resolved)"
	  "\\b" PLAIN(60) "$" },
	/* "the incomplete fix for", "Fix broken patch for": the fix was there before */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:incomplete|insufficient|broken|incorrect|wrong|bad|faulty|buggy|previous|earlier)"
	  "\\s+"
	  "(?:\\w+\\s+)?" FIX_NOUN "\\s+(?:of|for|to|against)\\s+(?:the\\s+)?$" },
	{ ON_TAIL, CAM_MENTION_NEWS,
	  "^(?:'s)?[\\s:,-]*" FIX_NOUN
	  "\\s+(?:\\w+\\s+)?(?:broke|broken|caus\\w+|introduc\\w+|was\\s+incomplete|"
	  "is\\s+incomplete|could\\s+lead|regress\\w*|that\\s+(?:broke|caused|introduced))" },
	{ ON_TAIL, CAM_MENTION_NEWS,
	  "^(?:'s)?[\\s:,-]*(?:" FIX_NOUN "\\s+)?regress(?:ions?|ed)\\b" },
	{ ON_TOKEN, CAM_MENTION_NEWS, "regress|follow-?up|fix-?up" },
	/* "The fix for CVE-…, plus others, was meant to" */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "(?:^|[.)!?]\\s+)\\W*the\\s+" FIX_NOUN "\\s+(?:for|of|to|against)\\s+$" },
	/* tests, typing errors, documentation */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "^\\W*(?:add|enable|include|run|new|update|backport)\\w*\\s+(?!patch|fix)(?:(?!patch|fix)"
	  "\\w+\\s+){0,3}tests?"
	  "(?:\\s?cases?)?\\s+(?:for|of)\\s+$" },
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "\\b(?:typo|news\\s+entry|changelog\\s+entry|mention)\\s+(?:for|of|in|about|following)"
	  "\\s+(?:the\\s+)?$" },
	/* patches that go because the new version has them, or are only touched */
	{ ON_LEAD, CAM_MENTION_NEWS,
	  "^\\W*(?:\\S+[:,]\\s+)?(?:drop|remov|delet|refresh|renam|rebas|unapply|reorder|renumber)"
	  "\\w*\\s+"
	  "[^.]*?(?:patch(?:es)?\\b|\\S+\\.(?:d?patch|diff)\\b|\\bd/p/|debian/patches)[^()]*"
	  "(?<!fix )(?<!fixes )(?<!address )$" },
	{ ON_TOKEN, CAM_MENTION_NEWS, "^(?:drop|remove|delete|refresh)[-_]" },
	{ ON_FILE_TAIL, CAM_MENTION_NEWS,
	  "^[\\s,:;]*(?:(?:drop\\w*|remove\\w*|delete\\w*|obsolete|refresh\\w*)(?:\\s*$|[,.;])|(?:"
	  "merged|applied|included|"
	  "integrated|incorporated|accepted|now)\\s+(?:\\w+\\s+)?(?:in\\s+|by\\s+|into\\s+)?(?:"
	  "the\\s+)?(?:new\\s+)?"
	  "upstream)" },
	{ ON_PARENT, CAM_MENTION_NEWS,
	  "^\\W*(?:drop|remov|delet|refresh|renam|rebas|unapply)\\w*\\b[^:]*\\bpatch" },
	{ ON_PARENT, CAM_MENTION_NEWS,
	  "\\b(?:not\\s+affected\\s+by|not\\s+vulnerable\\s+to|already\\s+(?:fixed|included|"
	  "applied|addressed)|"
	  "(?:do|does)\\s+not\\s+affect)\\b" },
	/* a fix that is taken back; "Revert …" in quotes is the name of a change that fixes */
	{ ON_LEAD, CAM_MENTION_REVERT,
	  "^\\W*(?:\\S+:\\s+)?(?:revert\\w*|back(?:ed|ing)?\\s+out|undo|disabled?)\\s+(?:\\w+\\s+){"
	  "0,4}" FIX_NOUN "\\s+(?:for|of|against|to)\\s+(?:the\\s+)?$" },
	{ ON_LEAD, CAM_MENTION_REVERT,
	  "^\\W*(?:\\S+:\\s+)?(?:revert\\w*|back(?:ed|ing)?\\s+out|undo|disabled?)\\s+(?:the\\s+)?"
	  "$" },
};

/* Words of which a CVE is the object, whatever its age. */
#define FIX_VERB                                                                                 \
	"(?:fix(?:es|ed|ing)?|for|address(?:es|ed|ing)?|resolv\\w+|mitigat\\w+|correct\\w*|"     \
	"solv\\w+|clos\\w+|against|backport\\w*|patch(?:es)?|security|vulnerabilit\\w+|issues?|" \
	"bugs?|cves?|aka|per|known\\s+as|tracked\\s+as|assigned|identified\\s+as|prevent\\w*|"   \
	"see|ids?|includ\\w+|add\\w*|import\\w*|and|or|the\\s+following)"

struct _CamMentionRules {
	GRegex *table[G_N_ELEMENTS(table)];
	GRegex *list;	  /* CVEs, and what joins them, at the start of a text */
	GRegex *list_end; /* the same at its end */
	GRegex *direct;	  /* a lead behind which a CVE is what is fixed */
	GRegex *contrary; /* a revert in whose place a better fix comes */
};

#define CVE_LIST "(?:(?:CVE-[0-9]{4}-[0-9]+|\\band\\b|\\bor\\b|\\bthe\\b)[\\s,;:&/+\\])-]*)+"

static GRegex *
compile(const char *expression)
{
	g_autoptr(GError) error = NULL;
	GRegex *regex = g_regex_new(expression, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);

	if (regex == NULL)
		g_error("%s: %s", expression, error->message);
	return regex;
}

CamMentionRules *
cam_mention_rules_new(void)
{
	CamMentionRules *self = g_new0(CamMentionRules, 1);

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		self->table[i] = compile(table[i].expression);
	self->list = compile("^[\\s,;:&/+(\\[-]*" CVE_LIST);
	self->list_end = compile("(?:CVE-[0-9]{4}-[0-9]+(?:[\\s,;&/+]|\\band\\b|\\bor\\b)*)+$");
	self->direct = compile("(?:[(\\[:,/&+-]|\\b" FIX_VERB ")\\W{0,3}$");
	self->contrary = compile("\\b(?:instead|replac\\w*|in\\s+favou?r|correct|and\\s+(?:use|"
				 "apply|add)|better)\\b");
	return self;
}

void
cam_mention_rules_free(CamMentionRules *self)
{
	if (self == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		g_regex_unref(self->table[i]);
	g_regex_unref(self->list);
	g_regex_unref(self->list_end);
	g_regex_unref(self->direct);
	g_regex_unref(self->contrary);
	g_free(self);
}

/* A character boundary at or behind @at. */
static const char *
align(const char *at)
{
	while ((*at & 0xc0) == 0x80)
		at++;
	return at;
}

/* (transfer full): @lead without the CVEs that it ends with. */
static char *
strip_list(CamMentionRules *self, const char *lead)
{
	g_autoptr(GMatchInfo) match = NULL;
	int at;

	if (!g_regex_match(self->list_end, lead, 0, &match) ||
	    !g_match_info_fetch_pos(match, 0, &at, NULL))
		return g_strdup(lead);
	return g_strndup(lead, at);
}

/* Where the sentence that @at is in begins. */
static const char *
sentence_start(const char *item, const char *at)
{
	const char *start = at - item > MAX_LEAD ? align(at - MAX_LEAD) : item;

	for (const char *c = start; c < at; c++) {
		const char *next = c + 1;

		while (next < at && *next == ' ')
			next++;
		if (next > c + 1 && strchr(".!?", *c) != NULL && g_ascii_isupper(*next))
			start = next;
	}
	return start;
}

static const char *
token_start(const char *item, const char *at)
{
	while (at > item && !strchr(" ,;()[]\"'", at[-1]))
		at--;
	return at;
}

/* A full stop ends a sentence, not a name. */
static const char *
token_end(const char *at)
{
	const char *end = at + strcspn(at, " ,;:()[]\"'");

	while (end > at && end[-1] == '.')
		end--;
	return end;
}

/* Whether the item begins with identifiers of its own, none of which is @id. */
static gboolean
has_other_head(CamMentionRules *self, const char *item, const char *id, gsize id_size)
{
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree char *head = NULL, *folded = NULL, *wanted = g_ascii_strup(id, id_size);

	if (!g_regex_match(self->list, item, 0, &match))
		return FALSE;
	head = g_match_info_fetch(match, 0);
	folded = g_ascii_strup(head, -1);
	return strstr(folded, "CVE-") != NULL && strstr(folded, wanted) == NULL;
}

CamMentionKind
cam_mention_rules_classify(CamMentionRules *self, const char *item, gsize start, gsize end,
			   const char *parent, int age)
{
	const char *at = item + start, *behind = item + end;
	const char *sentence = sentence_start(item, at);
	const char *token_at = token_start(item, at), *token_behind = token_end(behind);
	g_autofree char *before = g_strndup(sentence, at - sentence);
	g_autofree char *lead = strip_list(self, before);
	g_autofree char *token = g_strndup(token_at, token_behind - token_at);
	g_autofree char *after =
		g_utf8_substring(token_behind, 0, MIN(g_utf8_strlen(token_behind, -1), MAX_TAIL));
	g_autofree char *tail = NULL;
	gboolean direct;
	const char *subjects[] = {
		[ON_LEAD] = lead, [ON_TOKEN] = token, [ON_PARENT] = parent != NULL ? parent : ""
	};

	tail = g_regex_replace_literal(self->list, after, -1, 0, "", 0, NULL);
	subjects[ON_TAIL] = tail != NULL ? tail : after;
	subjects[ON_FILE_TAIL] = token_at < at || token_behind > behind ? subjects[ON_TAIL] : "";
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if (!g_regex_match(self->table[i], subjects[table[i].subject], 0, NULL))
			continue;
		if (table[i].kind == CAM_MENTION_REVERT &&
		    g_regex_match(self->contrary, after, 0, NULL))
			return CAM_MENTION_FIX;
		return table[i].kind;
	}
	if (token_at < at || token_behind > behind)
		return CAM_MENTION_FIX; /* part of a file name: a patch that is added */
	if (lead[0] == '\0' && sentence == item)
		return CAM_MENTION_FIX;
	direct = lead[0] != '\0' && g_regex_match(self->direct, lead, 0, NULL);
	if (!direct && (age >= OLD_AGE || has_other_head(self, item, at, end - start)))
		return CAM_MENTION_NEWS;
	return CAM_MENTION_FIX;
}
