/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rebuild/sandbox/control-group.h"

#include <sys/wait.h>
#include <unistd.h>

#define MEMORY	  (64 << 20)
#define PROCESSES 16

/* How many groups there are that @pid made. */
static guint
count_groups_of(pid_t pid)
{
	g_autofree char *pattern = g_strdup_printf("cambium-%d-*", (int) pid);
	const char *argv[] = { "find", "/sys/fs/cgroup", "-type", "d", "-name", pattern, NULL };
	g_autofree char *output = NULL;
	guint n = 0;

	g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL,
				   G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
				   &output, NULL, NULL, NULL));
	for (const char *c = output; *c != '\0'; c++)
		n += *c == '\n';
	return n;
}

/* A process that is killed leaves its groups; whoever makes the next one removes them. */
static void
test_left_behind(void)
{
	g_autoptr(CamControlGroup) own = cam_control_group_new(MEMORY, PROCESSES);
	g_autoptr(CamControlGroup) next = NULL;
	pid_t child;

	if (own == NULL) {
		g_test_skip("no control group can be made here");
		return;
	}
	child = fork();
	if (child == 0) {
		(void) cam_control_group_new(MEMORY, PROCESSES);
		_exit(0);
	}
	g_assert_cmpint(child, >, 0);
	g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
	g_assert_cmpuint(count_groups_of(child), >, 0);
	next = cam_control_group_new(MEMORY, PROCESSES);
	g_assert_nonnull(next);
	g_assert_cmpuint(count_groups_of(child), ==, 0);
	g_assert_cmpuint(count_groups_of(getpid()), >=, 2);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-group/left-behind", test_left_behind);
	return g_test_run();
}
