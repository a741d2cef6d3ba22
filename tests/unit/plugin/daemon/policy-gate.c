/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/policy-gate.h"

#include <fcntl.h>
#include <string.h>

#include "tests/unit/plugin/daemon/verdict-sample.h"

typedef struct {
	char *root;
	CamVerdictDb *db;
	CamPolicyGate *gate;
	CamVerdict *verdict;
	char *parent;
	gint looks; /* at which the scan is done */
} Fixture;

/* Is being scanned until it was asked for the third time. */
static gboolean
scanning(const GPtrArray *verdicts, gboolean ask, gpointer user_data)
{
	Fixture *self = user_data;

	if (self->looks == 0 || --self->looks > 0)
		return self->looks > 0;
	sample_scan(self->verdict, CAM_SEVERITY_LOW);
	g_assert_true(cam_verdict_db_put(self->db, self->verdict, NULL));
	return TRUE;
}

static void
set_up(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	self->root = g_dir_make_tmp("cam-XXXXXX", &error);
	self->db = cam_verdict_db_open(self->root, TRUE, &error);
	g_assert_no_error(error);
	self->gate = cam_policy_gate_new(self->db, scanning, self);
	self->verdict = sample_verdict("shop:1.0", 1);
	self->parent = g_strdup_printf("k8s.io/7/%s", self->verdict->chain_id);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
	cam_policy_gate_free(self->gate);
	cam_verdict_db_free(self->db);
	cam_verdict_free(self->verdict);
	cam_remove_tree_at(AT_FDCWD, self->root, NULL);
	g_free(self->root);
	g_free(self->parent);
}

static void
use(Fixture *self, const char *policy)
{
	g_autofree char *path = g_build_filename(self->root, "conf", NULL);
	g_autofree char *text = g_strdup_printf("[policy]\n%s", policy);
	g_autoptr(GError) error = NULL;
	CamConfig *config;

	g_file_set_contents(path, text, -1, &error);
	g_assert_no_error(error);
	config = cam_config_load(path, TRUE, &error);
	g_assert_no_error(error);
	cam_policy_gate_set_config(self->gate, config);
}

static void
remember(Fixture *self, CamSeverity level)
{
	g_autoptr(GError) error = NULL;

	sample_scan(self->verdict, level);
	cam_verdict_db_put(self->db, self->verdict, &error);
	g_assert_no_error(error);
}

static void
expect_pass(Fixture *self, const char *key, const char *parent)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_policy_gate_check(self->gate, key, parent, NULL, &error));
	g_assert_no_error(error);
}

static void
test_enforce(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *known = NULL;

	remember(self, CAM_SEVERITY_CRITICAL);
	/* Without a configuration, and with one that says nothing. */
	expect_pass(self, "k8s.io/8/c1", self->parent);
	use(self, "");
	expect_pass(self, "k8s.io/8/c1", self->parent);

	use(self, "gate=enforce\n");
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "refused c1: policy: shop:1.0 *");
	g_assert_false(
		cam_policy_gate_check(self->gate, "k8s.io/8/c1", self->parent, NULL, &error));
	g_test_assert_expected_messages();
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_nonnull(strstr(error->message, "CVE-2026-1"));

	/* Of layers that were known: the key of the unpacker, which ends in the chainID. */
	g_clear_error(&error);
	known = g_strdup_printf("k8s.io/7/extract-1-ab %s", self->verdict->chain_id);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "refused c2: policy: shop:1.0 *");
	g_assert_false(cam_policy_gate_check(self->gate, "k8s.io/8/c2", known, NULL, &error));
	g_test_assert_expected_messages();

	/* Unpacking, and what has no image. */
	expect_pass(self, "k8s.io/9/extract-123-abc sha256:0", self->parent);
	expect_pass(self, "k8s.io/9/c1", "");
	expect_pass(self, "c1", "sha256:another");
}

static void
test_warn(Fixture *self, gconstpointer data)
{
	g_autoptr(GHashTable) labels =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GError) error = NULL;

	remember(self, CAM_SEVERITY_CRITICAL);
	use(self, "gate=warn\n");
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "a/b: policy: shop:1.0 *");
	g_assert_true(
		cam_policy_gate_check(self->gate, "k8s.io/8/a/b", self->parent, labels, &error));
	g_test_assert_expected_messages();
	g_assert_no_error(error);
	g_assert_cmpstr(g_hash_table_lookup(labels, CAM_POLICY_LABEL), ==,
			"critical: 2 critical, 1 low");
}

static void
test_patience(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	cam_verdict_db_put(self->db, self->verdict, &error);
	g_assert_no_error(error);
	use(self, "gate=enforce\nnever_scanned=refuse\n");
	self->looks = 3;
	expect_pass(self, "k8s.io/8/c1", self->parent);
	g_assert_cmpint(self->looks, ==, 0);
}

static gboolean
always_scanning(const GPtrArray *verdicts, gboolean ask, gpointer user_data)
{
	return TRUE;
}

/* A look-up that takes for ever holds a container up for the stated time, and one that known
 * findings refuse not at all. */
static void
test_slow_look_up(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	gint64 began = g_get_monotonic_time();

	cam_policy_gate_free(self->gate);
	self->gate = cam_policy_gate_new(self->db, always_scanning, NULL);
	remember(self, CAM_SEVERITY_UNKNOWN);
	use(self, "gate=enforce\nnever_scanned=allow\n");
	expect_pass(self, "k8s.io/8/c1", self->parent);
	use(self, "gate=enforce\nnever_scanned=refuse\n");
	g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "refused c2: *being looked up*");
	g_assert_false(
		cam_policy_gate_check(self->gate, "k8s.io/8/c2", self->parent, NULL, &error));
	g_test_assert_expected_messages();
	g_assert_cmpint(g_get_monotonic_time() - began, >=, CAM_POLICY_GATE_PATIENCE);
	g_assert_cmpint(g_get_monotonic_time() - began, <,
			CAM_POLICY_GATE_PATIENCE + 3 * G_USEC_PER_SEC);

	g_clear_error(&error);
	began = g_get_monotonic_time();
	remember(self, CAM_SEVERITY_HIGH);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "refused c3: *risk level high*");
	g_assert_false(
		cam_policy_gate_check(self->gate, "k8s.io/8/c3", self->parent, NULL, &error));
	g_test_assert_expected_messages();
	g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
}

/* ---- many at once ---- */

#define MANY 16

typedef struct {
	Fixture *fixture;
	GMutex mutex;
	GHashTable *askers; /* set of threads */
} Crowd;

static gboolean
scanning_for_crowd(const GPtrArray *verdicts, gboolean ask, gpointer user_data)
{
	Crowd *crowd = user_data;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->mutex);

	g_hash_table_add(crowd->askers, g_thread_self());
	return TRUE;
}

static gpointer
wait_in_crowd(gpointer data)
{
	Crowd *crowd = data;

	expect_pass(crowd->fixture, "k8s.io/8/c1", crowd->fixture->parent);
	return NULL;
}

static guint
count_askers(Crowd *crowd)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->mutex);

	return g_hash_table_size(crowd->askers);
}

/* Those who wait leave threads of the server to others. */
static void
test_crowd(Fixture *self, gconstpointer data)
{
	Crowd crowd = { .fixture = self, .askers = g_hash_table_new(NULL, NULL) };
	GThread *threads[MANY];
	g_autoptr(GError) error = NULL;
	gint64 began;

	g_mutex_init(&crowd.mutex);
	cam_policy_gate_free(self->gate);
	self->gate = cam_policy_gate_new(self->db, scanning_for_crowd, &crowd);
	cam_verdict_db_put(self->db, self->verdict, &error);
	g_assert_no_error(error);
	use(self, "gate=enforce\nnever_scanned=refuse\n");
	for (guint i = 0; i < MANY; i++)
		threads[i] = g_thread_new("asker", wait_in_crowd, &crowd);
	while (count_askers(&crowd) < MANY)
		g_usleep(10 * G_TIME_SPAN_MILLISECOND);
	began = g_get_monotonic_time();
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "refused c2: *");
	g_assert_false(
		cam_policy_gate_check(self->gate, "k8s.io/8/c2", self->parent, NULL, &error));
	g_test_assert_expected_messages();
	g_assert_cmpint(g_get_monotonic_time() - began, <, 5 * G_USEC_PER_SEC);
	remember(self, CAM_SEVERITY_LOW);
	for (guint i = 0; i < MANY; i++)
		g_thread_join(threads[i]);
	g_hash_table_unref(crowd.askers);
	g_mutex_clear(&crowd.mutex);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/policy-gate/enforce", Fixture, NULL, set_up, test_enforce, tear_down);
	g_test_add("/policy-gate/warn", Fixture, NULL, set_up, test_warn, tear_down);
	g_test_add("/policy-gate/patience", Fixture, NULL, set_up, test_patience, tear_down);
	g_test_add("/policy-gate/slow-look-up", Fixture, NULL, set_up, test_slow_look_up,
		   tear_down);
	g_test_add("/policy-gate/crowd", Fixture, NULL, set_up, test_crowd, tear_down);
	return g_test_run();
}
