/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the light program to the full one. */
#include "plugin/cli/backend.h"

#include <errno.h>
#include <unistd.h>

#include "config.h"
#include "plugin/cli/cli-private.h"

#define FULL_PROGRAM "cambium-full"

/* Beside this program where it was built, else where it was installed, also below another root. */
static char **
places(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : g_strdup("/usr/bin");
	char **found = g_new0(char *, 4);

	found[0] = g_build_filename(folder, FULL_PROGRAM, NULL);
	found[1] = g_build_filename(CAM_LIBEXEC_DIR, FULL_PROGRAM, NULL);
	found[2] = g_build_filename(folder, "..", "libexec", "cambium", FULL_PROGRAM, NULL);
	return found;
}

/* Returns only if it failed. */
static gboolean
execute(char **argv, GError **error)
{
	g_auto(GStrv) paths = places();

	for (guint i = 0; paths[i] != NULL; i++) {
		execv(paths[i], argv);
		if (errno != ENOENT && errno != ENOTDIR)
			return cam_set_error_errno(error, errno, "cannot execute %s", paths[i]);
	}
	return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
			     "containerd is reached by the program " FULL_PROGRAM
			     ", which is not installed: it is expected as %s or %s",
			     paths[1], paths[0]);
}

const CamCliBackend *
cam_cli_need_backend(CamCli *self, GError **error)
{
	if (self->backend == NULL)
		execute(self->argv, error);
	return self->backend;
}

const char *
cam_cli_containerd_address(CamCli *self)
{
	if (self->options.containerd != NULL)
		return self->options.containerd;
	return self->config->containerd_address != NULL ? self->config->containerd_address
							: CAM_CONTAINERD_SOCKET;
}
