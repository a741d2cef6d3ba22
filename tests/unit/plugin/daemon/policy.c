/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/policy.h"

#include <string.h>

#include "tests/unit/plugin/daemon/verdict-sample.h"

#define TODAY "2026-11-28"

/* Of cam_level_names. */
enum { CRITICAL = 1, HIGH, MEDIUM, LOW, UNKNOWN };

/* @level: of the one image, shop:1.0; -1: never scanned. The exception is left out if it is
 * nameless. */
typedef struct {
	CamGate gate;
	int limit; /* 0 or 1 + index in cam_level_names */
	CamNeverScanned never_scanned;
	int level;
	CamPolicyException exception;
	CamDecision wanted;
	const char *text; /* a part of it */
} Case;

static const Case cases[] = {
	{ 0, 0, 0, CAM_SEVERITY_CRITICAL, { 0 }, CAM_DECISION_ALLOW, NULL },
	{ CAM_GATE_OFF, 0, CAM_NEVER_SCANNED_REFUSE, -1, { 0 }, CAM_DECISION_ALLOW, NULL },
	{ CAM_GATE_ENFORCE,
	  0,
	  0,
	  CAM_SEVERITY_CRITICAL,
	  { 0 },
	  CAM_DECISION_REFUSE,
	  "policy: shop:1.0 has the risk level critical (2 critical, 1 low); not allowed: 2 "
	  "findings "
	  "that a published version fixes; worst: CVE-2026-1 in "
	  "libssl 1.0-1 (fixed in 1.0-2), CVE-2026-3 in libxml 1.0-1 (no published fix); run "
	  "'cambium "
	  "fix "
	  "containerd://k8s.io/shop:1.0' and use the fixed image, or grant an exception for digest "
	  "sha256:0" },
	{ CAM_GATE_WARN, 0, 0, CAM_SEVERITY_HIGH, { 0 }, CAM_DECISION_WARN, "risk level high" },
	{ CAM_GATE_ENFORCE, 0, 0, CAM_SEVERITY_MEDIUM, { 0 }, CAM_DECISION_ALLOW, NULL },
	{ CAM_GATE_ENFORCE, CRITICAL, 0, CAM_SEVERITY_HIGH, { 0 }, CAM_DECISION_ALLOW, NULL },
	{ CAM_GATE_ENFORCE,
	  LOW,
	  0,
	  CAM_SEVERITY_LOW,
	  { 0 },
	  CAM_DECISION_REFUSE,
	  "risk level low" },
	{ CAM_GATE_ENFORCE,
	  LOW,
	  CAM_NEVER_SCANNED_REFUSE,
	  CAM_SEVERITY_NONE,
	  { 0 },
	  CAM_DECISION_ALLOW,
	  NULL },
	/* Neither scanned nor judged. */
	{ CAM_GATE_ENFORCE, 0, 0, -1, { 0 }, CAM_DECISION_ALLOW, NULL },
	{ CAM_GATE_ENFORCE,
	  0,
	  CAM_NEVER_SCANNED_ALLOW,
	  CAM_SEVERITY_UNKNOWN,
	  { 0 },
	  CAM_DECISION_ALLOW,
	  NULL },
	{ CAM_GATE_ENFORCE,
	  0,
	  CAM_NEVER_SCANNED_REFUSE,
	  -1,
	  { 0 },
	  CAM_DECISION_REFUSE,
	  "shop:1.0 was never scanned" },
	{ CAM_GATE_WARN,
	  0,
	  CAM_NEVER_SCANNED_REFUSE,
	  CAM_SEVERITY_UNKNOWN,
	  { 0 },
	  CAM_DECISION_WARN,
	  "shop:1.0 could not be judged: 1 of 3 packages not looked up (docker) (see" },
	/* Exceptions. */
	{ CAM_GATE_ENFORCE,
	  0,
	  0,
	  CAM_SEVERITY_CRITICAL,
	  { (char *) "shop", (char *) "shop:*", NULL, NULL, (char *) "no fix" },
	  CAM_DECISION_ALLOW,
	  "exception 'shop': no fix" },
	{ CAM_GATE_ENFORCE,
	  0,
	  0,
	  CAM_SEVERITY_CRITICAL,
	  { (char *) "shop", (char *) "other:*", NULL, NULL, NULL },
	  CAM_DECISION_REFUSE,
	  "risk level critical" },
	{ CAM_GATE_ENFORCE,
	  0,
	  0,
	  CAM_SEVERITY_CRITICAL,
	  { (char *) "shop", (char *) "shop:?.0", NULL, (char *) TODAY, NULL },
	  CAM_DECISION_ALLOW,
	  "exception 'shop'" },
	{ CAM_GATE_ENFORCE,
	  0,
	  0,
	  CAM_SEVERITY_CRITICAL,
	  { (char *) "shop", (char *) "shop:1.0", NULL, (char *) "2026-11-27", NULL },
	  CAM_DECISION_REFUSE,
	  "the exception 'shop' ended on 2026-11-27" },
	{ CAM_GATE_ENFORCE,
	  0,
	  CAM_NEVER_SCANNED_REFUSE,
	  -1,
	  { (char *) "shop", (char *) "shop:1.0", NULL, NULL, NULL },
	  CAM_DECISION_ALLOW,
	  "exception 'shop'" },
};

typedef struct {
	CamConfig config;
	GPtrArray *verdicts;
	CamPolicyAnswer answer;
} Fixture;

static void
fixture_clear(Fixture *self)
{
	g_ptr_array_unref(self->config.policy.exceptions);
	g_ptr_array_unref(self->config.policy.acceptances);
	g_ptr_array_unref(self->verdicts);
	cam_policy_answer_clear(&self->answer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static Fixture
make_fixture(CamGate gate, int level, CamNeverScanned never_scanned)
{
	Fixture self = { .config.policy = {
				 .gate = gate, .level = level, .never_scanned = never_scanned } };

	self.config.policy.exceptions = g_ptr_array_new();
	self.config.policy.acceptances = g_ptr_array_new();
	self.verdicts = g_ptr_array_new_with_free_func((GDestroyNotify) cam_verdict_free);
	return self;
}

static CamVerdict *
add_verdict(Fixture *self, const char *name, int number)
{
	CamVerdict *verdict = sample_verdict(name, number);

	g_ptr_array_add(self->verdicts, verdict);
	return verdict;
}

static CamDecision
ask(Fixture *self, gboolean scanning)
{
	CamPolicyQuestion question = {
		.name_space = "k8s.io",
		.chain_id = "sha256:abc",
		.verdicts = self->verdicts,
		.scanning = scanning,
		.today = TODAY,
	};

	cam_policy_decide(&self->config, &question, &self->answer);
	g_test_message("%s | %s", self->answer.text, self->answer.label);
	return self->answer.decision;
}

static void
check_case(const Case *c)
{
	g_auto(Fixture) f = make_fixture(c->gate, c->limit, c->never_scanned);
	CamVerdict *verdict = add_verdict(&f, "shop:1.0", 1);

	if (c->level >= 0)
		sample_scan(verdict, (CamSeverity) c->level);
	if (c->exception.name != NULL)
		g_ptr_array_add(f.config.policy.exceptions, (gpointer) &c->exception);
	g_assert_cmpint(ask(&f, FALSE), ==, c->wanted);
	g_assert_true((f.answer.text != NULL) == (c->text != NULL));
	g_assert_true((f.answer.label != NULL) == (c->wanted != CAM_DECISION_ALLOW));
	if (c->text != NULL)
		g_assert_nonnull(strstr(f.answer.text, c->text));
}

static void
test_cases(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		check_case(&cases[i]);
}

static void
test_digests(void)
{
	g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, 0, 0);
	GPtrArray *exceptions = f.config.policy.exceptions;
	CamVerdict *verdict = add_verdict(&f, "shop:1.0", 1);
	const struct {
		char *digest;
		CamDecision wanted;
	} tries[] = {
		{ verdict->target, CAM_DECISION_ALLOW },
		{ verdict->manifest_digest, CAM_DECISION_ALLOW },
		{ verdict->config_digest, CAM_DECISION_ALLOW },
		{ verdict->chain_id, CAM_DECISION_REFUSE },
	};

	sample_scan(verdict, CAM_SEVERITY_HIGH);
	for (guint i = 0; i < G_N_ELEMENTS(tries); i++) {
		CamPolicyException exception = { .name = (char *) "x", .digest = tries[i].digest };
		CamPolicyException both = exception;

		g_ptr_array_set_size(exceptions, 0);
		g_ptr_array_add(exceptions, &exception);
		g_assert_cmpint(ask(&f, FALSE), ==, tries[i].wanted);
		/* Digest and pattern must both fit. */
		both.image = (char *) "other";
		g_ptr_array_set_size(exceptions, 0);
		g_ptr_array_add(exceptions, &both);
		g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
		g_assert_false(f.answer.unjudged);
	}
}

static void
test_several(void)
{
	g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, 0, 0);
	CamVerdict *second;
	CamPolicyException exception = { .name = (char *) "x", .image = (char *) "shop:1.0" };

	/* A name that was not scanned yet does not hide what is known of the content. */
	add_verdict(&f, "shop:1.0", 1);
	second = add_verdict(&f, "shop:2.0", 2);
	sample_scan(second, CAM_SEVERITY_HIGH);
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "shop:2.0"));
	/* Nor does one that is clean, or that was not judged. */
	sample_scan(add_verdict(&f, "shop:3.0", 3), CAM_SEVERITY_NONE);
	sample_scan(add_verdict(&f, "shop:4.0", 4), CAM_SEVERITY_UNKNOWN);
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "shop:2.0"));
	/* CRI's names of images are none for people. */
	sample_scan(add_verdict(&f, second->config_digest, 2), CAM_SEVERITY_HIGH);
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "policy: shop:2.0"));
	g_ptr_array_add(f.config.policy.exceptions, &exception);
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);
}

static void
test_nothing_known(void)
{
	g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, 0, CAM_NEVER_SCANNED_REFUSE);

	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(
		strstr(f.answer.text, "the image with the layers sha256:abc was never scanned"));
	g_assert_cmpstr(f.answer.label, ==, "never scanned");
	g_assert_true(f.answer.unjudged);
	g_assert_cmpint(ask(&f, TRUE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "is being scanned: try again in a moment"));
}

/* Only what helps is advised: a fix moves no release that has ended, nor what has no fix. */
static void
test_way_out(void)
{
	static const char fix[] = "cambium fix", support[] = "build the image from a release",
			  grant[] = "grant an exception for digest sha256:";

	for (guint i = 1; i < 8; i++) {
		gboolean pending = (i & 1) != 0, unfixed = (i & 2) != 0, ended = (i & 4) != 0;
		g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, HIGH, 0);
		CamVerdict *verdict = add_verdict(&f, "shop:1.0", 1);

		sample_scan(verdict, CAM_SEVERITY_NONE);
		verdict->tally.pending[CAM_SEVERITY_HIGH] = pending ? 1 : 0;
		verdict->tally.unfixed[CAM_SEVERITY_HIGH] = unfixed ? 1 : 0;
		verdict->tally.end_of_life = ended;
		g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
		g_assert_true((strstr(f.answer.text, fix) != NULL) == pending);
		g_assert_true((strstr(f.answer.text, support) != NULL) == ended);
		g_assert_nonnull(strstr(f.answer.text, grant));
	}
}

/* Severities that nobody said, as changelogs have none. */
static void
test_unknown_severities(void)
{
	g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, CRITICAL, 0);
	CamVerdict *verdict = add_verdict(&f, "shop:1.0", 1);

	sample_scan(verdict, CAM_SEVERITY_NONE);
	verdict->tally.pending[CAM_SEVERITY_UNKNOWN] = 190;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "190 findings that a published version fixes"));
	f.config.unknown_with_fix_counts_as = CAM_SEVERITY_HIGH;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);

	/* Without a fix they count as medium. */
	verdict->tally.pending[CAM_SEVERITY_UNKNOWN] = 0;
	verdict->tally.unfixed[CAM_SEVERITY_UNKNOWN] = 5;
	f.config.policy.level = HIGH;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);
	f.config.policy.level = UNKNOWN;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	f.config.policy.unfixed = CAM_UNFIXED_IGNORE;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);
}

/* What no source judges, and what a policy accepts of it. */
static void
test_unjudged(void)
{
	g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, 0, CAM_NEVER_SCANNED_REFUSE);
	CamVerdict *verdict = add_verdict(&f, "shop:1.0", 1);
	char *origins[] = { (char *) "Docker*", NULL };
	CamAcceptance acceptance = { .name = (char *) "docker", .origins = origins };

	sample_scan(verdict, CAM_SEVERITY_UNKNOWN);
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_cmpstr(f.answer.label, ==, "not judged");
	g_assert_true(f.answer.unjudged);
	g_assert_cmpint(ask(&f, TRUE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "it is being looked up: try again in a moment"));

	g_ptr_array_add(f.config.policy.acceptances, &acceptance);
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);
	acceptance.until = (char *) TODAY;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);
	acceptance.until = (char *) "2026-11-27";
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	/* What could not be read at all is nothing to accept. */
	acceptance.until = NULL;
	verdict->whole = FALSE;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	/* Findings count whatever is accepted. */
	verdict->whole = TRUE;
	verdict->tally.pending[CAM_SEVERITY_HIGH] = 1;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_false(f.answer.unjudged);
}

static void
test_unfixed_required(void)
{
	g_auto(Fixture) f = make_fixture(CAM_GATE_ENFORCE, 0, CAM_NEVER_SCANNED_REFUSE);
	CamVerdict *verdict = add_verdict(&f, "shop:1.0", 1);

	sample_scan(verdict, CAM_SEVERITY_NONE);
	verdict->tally.unfixed_judged = FALSE;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_ALLOW);
	f.config.policy.unfixed = CAM_UNFIXED_REQUIRE;
	g_assert_cmpint(ask(&f, FALSE), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(f.answer.text, "no source tells of vulnerabilities without a fix"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/policy/cases", test_cases);
	g_test_add_func("/policy/digests", test_digests);
	g_test_add_func("/policy/several", test_several);
	g_test_add_func("/policy/nothing-known", test_nothing_known);
	g_test_add_func("/policy/way-out", test_way_out);
	g_test_add_func("/policy/unknown-severities", test_unknown_severities);
	g_test_add_func("/policy/unjudged", test_unjudged);
	g_test_add_func("/policy/unfixed-required", test_unfixed_required);
	return g_test_run();
}
