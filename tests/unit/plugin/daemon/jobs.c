/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/jobs.h"

/* What the jobs of a test write down, and a door that holds the first of them up. */
typedef struct {
	GMutex mutex;
	GCond cond;
	GString *done;
	gboolean open;
	guint inside, freed, cancelled;
} Board;

typedef struct {
	Board *board;
	const char *word;
	gboolean waits;
} Task;

static void
board_init(Board *board)
{
	*board = (Board){ .done = g_string_new(NULL) };
	g_mutex_init(&board->mutex);
	g_cond_init(&board->cond);
}

static void
board_clear(Board *board)
{
	g_string_free(board->done, TRUE);
	g_mutex_clear(&board->mutex);
	g_cond_clear(&board->cond);
}

static void
wake(GCancellable *cancellable, Board *board)
{
	g_mutex_lock(&board->mutex);
	g_cond_broadcast(&board->cond);
	g_mutex_unlock(&board->mutex);
}

static gboolean
run_task(gpointer data, GCancellable *cancellable, GError **error)
{
	Task *task = data;
	Board *board = task->board;
	gulong id = g_cancellable_connect(cancellable, G_CALLBACK(wake), board, NULL);

	g_mutex_lock(&board->mutex);
	board->inside++;
	g_cond_broadcast(&board->cond);
	while (task->waits && !board->open && !g_cancellable_is_cancelled(cancellable))
		g_cond_wait(&board->cond, &board->mutex);
	g_string_append(board->done, task->word);
	g_mutex_unlock(&board->mutex);
	g_cancellable_disconnect(cancellable, id);
	if (!g_cancellable_is_cancelled(cancellable))
		return TRUE;
	board->cancelled++;
	return cam_set_error(error, CAM_ERROR_CANCELLED, "cancelled");
}

static void
free_task(gpointer data)
{
	Task *task = data;

	g_mutex_lock(&task->board->mutex);
	task->board->freed++;
	g_mutex_unlock(&task->board->mutex);
	g_free(task);
}

static void
add(CamJobs *jobs, Board *board, const char *key, CamJobPriority priority, const char *word,
    gboolean waits)
{
	Task *task = g_new(Task, 1);

	*task = (Task){ board, word, waits };
	cam_jobs_add(jobs, key, priority, run_task, task, free_task);
}

static void
wait_inside(Board *board, guint count)
{
	g_mutex_lock(&board->mutex);
	while (board->inside < count)
		g_cond_wait(&board->cond, &board->mutex);
	g_mutex_unlock(&board->mutex);
}

static void
open_door(Board *board)
{
	g_mutex_lock(&board->mutex);
	board->open = TRUE;
	g_cond_broadcast(&board->cond);
	g_mutex_unlock(&board->mutex);
}

static void
test_order(void)
{
	g_autoptr(CamJobs) jobs = cam_jobs_new(1, NULL);
	Board board;

	board_init(&board);
	add(jobs, &board, "first", CAM_JOB_IDLE, "0", TRUE);
	wait_inside(&board, 1);
	add(jobs, &board, "a", CAM_JOB_IDLE, "a", FALSE);
	add(jobs, &board, "b", CAM_JOB_NORMAL, "b", FALSE);
	add(jobs, &board, "c", CAM_JOB_SOON, "c", FALSE);
	add(jobs, &board, "d", CAM_JOB_NORMAL, "d", FALSE);
	open_door(&board);
	cam_jobs_wait(jobs);
	g_assert_cmpstr(board.done->str, ==, "0cbda");
	g_assert_cmpuint(board.freed, ==, 5);
	board_clear(&board);
}

static void
test_same_key(void)
{
	g_autoptr(CamJobs) jobs = cam_jobs_new(2, NULL);
	Board board;

	board_init(&board);
	add(jobs, &board, "x", CAM_JOB_NORMAL, "1", TRUE);
	wait_inside(&board, 1);
	/* Once more when it is done, not beside it, and only once. */
	add(jobs, &board, "x", CAM_JOB_IDLE, "2", FALSE);
	add(jobs, &board, "y", CAM_JOB_NORMAL, "y", TRUE);
	wait_inside(&board, 2);
	add(jobs, &board, "z", CAM_JOB_NORMAL, "z", FALSE);
	add(jobs, &board, "x", CAM_JOB_SOON, "3", FALSE);
	g_assert_cmpuint(board.freed, ==, 1);
	g_assert_true(cam_jobs_has(jobs, "x"));
	g_assert_false(cam_jobs_has(jobs, "w"));
	open_door(&board);
	cam_jobs_wait(jobs);
	g_assert_cmpuint(board.done->len, ==, 4);
	g_assert_null(strchr(board.done->str, '3'));
	g_assert_cmpuint(board.freed, ==, 5);
	g_assert_false(cam_jobs_has(jobs, "x"));
	board_clear(&board);
}

static void
test_raised(void)
{
	g_autoptr(CamJobs) jobs = cam_jobs_new(1, NULL);
	Board board;

	board_init(&board);
	add(jobs, &board, "first", CAM_JOB_NORMAL, "0", TRUE);
	wait_inside(&board, 1);
	add(jobs, &board, "a", CAM_JOB_NORMAL, "a", FALSE);
	add(jobs, &board, "b", CAM_JOB_IDLE, "b", FALSE);
	add(jobs, &board, "b", CAM_JOB_SOON, "-", FALSE);
	open_door(&board);
	cam_jobs_wait(jobs);
	g_assert_cmpstr(board.done->str, ==, "0ba");
	board_clear(&board);
}

static void
test_cancel(void)
{
	g_autoptr(CamJobs) jobs = cam_jobs_new(1, NULL);
	Board board;

	board_init(&board);
	add(jobs, &board, "x", CAM_JOB_NORMAL, "x", TRUE);
	wait_inside(&board, 1);
	add(jobs, &board, "y", CAM_JOB_NORMAL, "y", FALSE);
	cam_jobs_cancel(jobs, "y");
	cam_jobs_cancel(jobs, "x");
	cam_jobs_cancel(jobs, "nothing");
	cam_jobs_wait(jobs);
	g_assert_cmpstr(board.done->str, ==, "x");
	g_assert_cmpuint(board.cancelled, ==, 1);
	g_assert_cmpuint(board.freed, ==, 2);
	board_clear(&board);
}

static void
test_close(void)
{
	g_autoptr(CamJobs) jobs = cam_jobs_new(2, NULL);
	Board board;

	board_init(&board);
	add(jobs, &board, "x", CAM_JOB_NORMAL, "x", TRUE);
	add(jobs, &board, "y", CAM_JOB_NORMAL, "y", TRUE);
	wait_inside(&board, 2);
	add(jobs, &board, "z", CAM_JOB_NORMAL, "z", FALSE);
	cam_jobs_close(jobs);
	g_assert_cmpuint(board.cancelled, ==, 2);
	add(jobs, &board, "late", CAM_JOB_SOON, "l", FALSE);
	cam_jobs_wait(jobs);
	g_assert_cmpuint(board.done->len, ==, 2);
	g_assert_cmpuint(board.freed, ==, 4);
	board_clear(&board);
}

static gboolean
fail(gpointer data, GCancellable *cancellable, GError **error)
{
	return cam_set_error(error, CAM_ERROR_UNAVAILABLE, "nobody is there");
}

static void
test_failure(void)
{
	g_autoptr(CamJobs) jobs = cam_jobs_new(1, NULL);

	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_DEBUG, "*");
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "call: nobody is there");
	cam_jobs_add(jobs, "call", CAM_JOB_NORMAL, fail, NULL, NULL);
	cam_jobs_wait(jobs);
	g_test_assert_expected_messages();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jobs/order", test_order);
	g_test_add_func("/jobs/same-key", test_same_key);
	g_test_add_func("/jobs/raised", test_raised);
	g_test_add_func("/jobs/cancel", test_cancel);
	g_test_add_func("/jobs/close", test_close);
	g_test_add_func("/jobs/failure", test_failure);
	return g_test_run();
}
