/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/policy.h"

#include <string.h>

#include "tests/unit/plugin/daemon/verdict-sample.h"

#define TODAY "2026-11-28"

/* @level: of the one image, shop:1.0; -1: never scanned. The exception is left out if it is
 * nameless. */
typedef struct {
	CamGate gate;
	CamSeverity limit;
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
	  "policy: shop:1.0 has the risk level critical (2 critical, 1 low); worst: CVE-2026-1 in "
	  "libssl 1.0-1 (fixed in 1.0-2), CVE-2026-3 in libxml 1.0-1 (no fix yet); run 'cambium "
	  "fix "
	  "containerd://k8s.io/shop:1.0' and use the fixed image, or grant an exception for digest "
	  "sha256:0" },
	{ CAM_GATE_WARN, 0, 0, CAM_SEVERITY_HIGH, { 0 }, CAM_DECISION_WARN, "risk level high" },
	{ CAM_GATE_ENFORCE, 0, 0, CAM_SEVERITY_MEDIUM, { 0 }, CAM_DECISION_ALLOW, NULL },
	{ CAM_GATE_ENFORCE,
	  CAM_SEVERITY_CRITICAL,
	  0,
	  CAM_SEVERITY_HIGH,
	  { 0 },
	  CAM_DECISION_ALLOW,
	  NULL },
	{ CAM_GATE_ENFORCE,
	  CAM_SEVERITY_LOW,
	  0,
	  CAM_SEVERITY_LOW,
	  { 0 },
	  CAM_DECISION_REFUSE,
	  "risk level low" },
	{ CAM_GATE_ENFORCE,
	  CAM_SEVERITY_LOW,
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
	  "shop:1.0 could not be judged" },
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

static CamDecision
ask(const CamPolicy *policy, const GPtrArray *verdicts, gboolean scanning, char **text,
    char **label)
{
	CamPolicyQuestion question = {
		.name_space = "k8s.io",
		.chain_id = "sha256:abc",
		.verdicts = verdicts,
		.scanning = scanning,
		.today = TODAY,
	};

	return cam_policy_decide(policy, &question, text, label);
}

static void
check_case(const Case *c)
{
	g_autoptr(GPtrArray) exceptions = g_ptr_array_new();
	g_autoptr(GPtrArray) verdicts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_verdict_free);
	g_autofree char *text = NULL, *label = NULL;
	CamVerdict *verdict = sample_verdict("shop:1.0", 1);
	CamPolicy policy = { c->gate, c->limit, c->never_scanned, NULL, exceptions };

	g_ptr_array_add(verdicts, verdict);
	if (c->level >= 0)
		sample_scan(verdict, (CamSeverity) c->level);
	if (c->exception.name != NULL)
		g_ptr_array_add(exceptions, (gpointer) &c->exception);
	g_assert_cmpint(ask(&policy, verdicts, FALSE, &text, &label), ==, c->wanted);
	g_test_message("%s | %s", text, label);
	g_assert_true((text != NULL) == (c->text != NULL));
	g_assert_true((label != NULL) == (c->wanted != CAM_DECISION_ALLOW));
	if (c->text != NULL)
		g_assert_nonnull(strstr(text, c->text));
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
	g_autoptr(GPtrArray) exceptions = g_ptr_array_new();
	g_autoptr(GPtrArray) verdicts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_verdict_free);
	CamVerdict *verdict = sample_verdict("shop:1.0", 1);
	CamPolicy policy = { CAM_GATE_ENFORCE, 0, 0, NULL, exceptions };
	const struct {
		char *digest;
		CamDecision wanted;
	} tries[] = {
		{ verdict->target, CAM_DECISION_ALLOW },
		{ verdict->manifest_digest, CAM_DECISION_ALLOW },
		{ verdict->config_digest, CAM_DECISION_ALLOW },
		{ verdict->chain_id, CAM_DECISION_REFUSE },
	};

	g_ptr_array_add(verdicts, verdict);
	sample_scan(verdict, CAM_SEVERITY_HIGH);
	for (guint i = 0; i < G_N_ELEMENTS(tries); i++) {
		CamPolicyException exception = { .name = (char *) "x", .digest = tries[i].digest };
		CamPolicyException both = exception;
		g_autofree char *text = NULL, *label = NULL, *none = NULL, *refused = NULL;

		g_ptr_array_set_size(exceptions, 0);
		g_ptr_array_add(exceptions, &exception);
		g_assert_cmpint(ask(&policy, verdicts, FALSE, &text, &label), ==, tries[i].wanted);
		/* Digest and pattern must both fit. */
		both.image = (char *) "other";
		g_ptr_array_set_size(exceptions, 0);
		g_ptr_array_add(exceptions, &both);
		g_assert_cmpint(ask(&policy, verdicts, FALSE, &none, &refused), ==,
				CAM_DECISION_REFUSE);
	}
}

static void
test_several(void)
{
	g_autoptr(GPtrArray) exceptions = g_ptr_array_new();
	g_autoptr(GPtrArray) verdicts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_verdict_free);
	CamVerdict *first = sample_verdict("shop:1.0", 1), *second = sample_verdict("shop:2.0", 2);
	CamPolicyException exception = { .name = (char *) "x", .image = (char *) "shop:1.0" };
	CamPolicy policy = { CAM_GATE_ENFORCE, 0, 0, NULL, exceptions };
	g_autofree char *bad = NULL, *label = NULL, *good = NULL, *none = NULL;

	/* A name that was not scanned yet does not hide what is known of the content. */
	sample_scan(second, CAM_SEVERITY_HIGH);
	g_ptr_array_add(verdicts, first);
	g_ptr_array_add(verdicts, second);
	g_assert_cmpint(ask(&policy, verdicts, FALSE, &bad, &label), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(bad, "shop:2.0"));
	g_ptr_array_add(exceptions, &exception);
	g_assert_cmpint(ask(&policy, verdicts, FALSE, &good, &none), ==, CAM_DECISION_ALLOW);
}

static void
test_nothing_known(void)
{
	g_autoptr(GPtrArray) exceptions = g_ptr_array_new(), verdicts = g_ptr_array_new();
	CamPolicy policy = { CAM_GATE_ENFORCE, 0, CAM_NEVER_SCANNED_REFUSE, NULL, exceptions };
	g_autofree char *text = NULL, *label = NULL, *soon = NULL, *soon_label = NULL;

	g_assert_cmpint(ask(&policy, verdicts, FALSE, &text, &label), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(text, "the image with the layers sha256:abc was never scanned"));
	g_assert_cmpstr(label, ==, "never scanned");
	g_assert_cmpint(ask(&policy, verdicts, TRUE, &soon, &soon_label), ==, CAM_DECISION_REFUSE);
	g_assert_nonnull(strstr(soon, "is being scanned: try again in a moment"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/policy/cases", test_cases);
	g_test_add_func("/policy/digests", test_digests);
	g_test_add_func("/policy/several", test_several);
	g_test_add_func("/policy/nothing-known", test_nothing_known);
	return g_test_run();
}
