/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between a request for a snapshot and the policy: which image is it about, and what is known? */
#include "plugin/daemon/policy-gate.h"

#include <string.h>

#include "plugin/daemon/policy.h"

/* Microseconds between two looks. */
#define PAUSE (G_USEC_PER_SEC / 10)
/* As many wait at once: each has a thread of the server, which answers others with the rest. */
#define WAITING_MAX 16

struct _CamPolicyGate {
	GMutex mutex;
	CamConfig *config; /* (nullable) */
	CamVerdictDb *verdicts;
	CamScanningFunc scanning;
	gpointer user_data;
	gint waiting; /* how many refusals wait for a scan */
};

CamPolicyGate *
cam_policy_gate_new(CamVerdictDb *verdicts, CamScanningFunc scanning, gpointer user_data)
{
	CamPolicyGate *self = g_new0(CamPolicyGate, 1);

	g_mutex_init(&self->mutex);
	self->verdicts = verdicts;
	self->scanning = scanning;
	self->user_data = user_data;
	return self;
}

void
cam_policy_gate_free(CamPolicyGate *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->config, cam_config_free);
	g_mutex_clear(&self->mutex);
	g_free(self);
}

void
cam_policy_gate_set_config(CamPolicyGate *self, CamConfig *config)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	g_clear_pointer(&self->config, cam_config_free);
	self->config = config;
}

/* (nullable): containerd's, which is in front of its client's key. */
static char *
key_namespace(const char *key)
{
	return cam_snapshot_key_name(key) != key ? g_strndup(key, strcspn(key, "/")) : NULL;
}

/* A snapshot that was unpacked is called NAMESPACE/NUMBER/CHAINID; one that was made of known
 * layers keeps the key that was asked for, "…/extract-NUMBER-… CHAINID". */
static const char *
chain_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash != NULL ? slash + 1 : name;
	const char *blank = strrchr(last, ' ');

	return blank != NULL ? blank + 1 : last;
}

/* Empty also where the memory cannot be read: what is not known was never scanned. */
static GPtrArray *
find_verdicts(CamPolicyGate *self, const char *chain_id)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *found = NULL;

	if (self->verdicts != NULL)
		found = cam_verdict_db_find_chain(self->verdicts, chain_id, &error);
	if (error != NULL)
		g_warning("policy: cannot read the verdicts: %s", error->message);
	return found != NULL ? found : g_ptr_array_new();
}

/* *@soon: (inout): whether it was asked before; a scan that may change the decision is under way */
static void
decide(CamPolicyGate *self, const char *name_space, const char *chain_id, gboolean *soon,
       CamPolicyAnswer *answer)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *today = g_date_time_format(now, "%Y-%m-%d");
	g_autoptr(GPtrArray) verdicts = find_verdicts(self, chain_id);
	CamPolicyQuestion question = {
		.name_space = name_space,
		.chain_id = chain_id,
		.verdicts = verdicts,
		.scanning =
			self->scanning != NULL && self->scanning(verdicts, !*soon, self->user_data),
		.today = today,
	};
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	cam_policy_decide(self->config, &question, answer);
	*soon = question.scanning && answer->unjudged;
}

/* A refusal that a scan or a look-up may change is put off until @end. */
static void
decide_until(CamPolicyGate *self, const char *name_space, const char *chain_id, gint64 end,
	     CamPolicyAnswer *answer)
{
	gboolean soon = FALSE;

	do {
		if (soon)
			g_usleep(PAUSE);
		decide(self, name_space, chain_id, &soon, answer);
	} while (answer->decision == CAM_DECISION_REFUSE && soon && g_get_monotonic_time() < end);
}

/* A container is often started the moment its image is there: a refusal waits for the scan, and for
 * the look-up of its packages, but for no network longer than this. */
static void
decide_patiently(CamPolicyGate *self, const char *name_space, const char *chain_id,
		 CamPolicyAnswer *answer)
{
	gboolean may_wait = g_atomic_int_add(&self->waiting, 1) < WAITING_MAX;
	gint64 end = g_get_monotonic_time() + (may_wait ? CAM_POLICY_GATE_PATIENCE : 0);

	decide_until(self, name_space, chain_id, end, answer);
	g_atomic_int_add(&self->waiting, -1);
}

static gboolean
is_closed(CamPolicyGate *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return self->config != NULL && self->config->policy.gate > CAM_GATE_OFF;
}

gboolean
cam_policy_gate_check(CamPolicyGate *self, const char *key, const char *parent, GHashTable *labels,
		      GError **error)
{
	g_autofree char *name_space = key_namespace(key);
	g_auto(CamPolicyAnswer) answer = { 0 };
	const char *name = cam_snapshot_key_name(key);

	if (*parent == '\0' || cam_snapshot_key_is_extraction(key) || !is_closed(self))
		return TRUE;
	decide_patiently(self, name_space, chain_of(parent), &answer);
	switch (answer.decision) {
	case CAM_DECISION_ALLOW:
		if (answer.text != NULL)
			g_message("%s lets %s pass", answer.text, name);
		return TRUE;
	case CAM_DECISION_WARN:
		g_warning("%s: %s", name, answer.text);
		if (labels != NULL)
			g_hash_table_replace(labels, g_strdup(CAM_POLICY_LABEL),
					     g_steal_pointer(&answer.label));
		return TRUE;
	case CAM_DECISION_REFUSE:
		g_warning("refused %s: %s", name, answer.text);
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s", answer.text);
	}
	g_assert_not_reached();
}
