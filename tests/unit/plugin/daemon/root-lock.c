/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/root-lock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
test_one_only(void)
{
	g_autofree char *root = g_dir_make_tmp("cam-XXXXXX", NULL);
	g_autofree char *pid = g_strdup_printf("process %d,", (int) getpid());
	g_auto(CamFd) dirfd = open(root, O_PATH | O_DIRECTORY);
	g_autoptr(GError) error = NULL;
	int first = cam_root_lock(dirfd, root, &error), second;

	g_assert_no_error(error);
	g_assert_cmpint(cam_root_lock(dirfd, root, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_nonnull(strstr(error->message, pid));
	g_assert_nonnull(strstr(error->message, root));
	g_clear_error(&error);

	close(first);
	second = cam_root_lock(dirfd, root, &error);
	g_assert_no_error(error);
	close(second);
	cam_remove_tree_at(AT_FDCWD, root, &error);
	g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/root-lock/one-only", test_one_only);
	return g_test_run();
}
