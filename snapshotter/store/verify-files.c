/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verification of what a store has beside objects and blobs: databases, of this room and of others,
 * and the metadata images of mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "snapshotter/base/sealed-file.h"
#include "snapshotter/store/verify-private.h"

/* What is lost with a database, and how it comes back. */
static const struct {
	const char *name, *advice;
} advices[] = {
	{ "advisories.db", "remove it and update or import the advisories again" },
	{ "fixes.db", "remove it: fixes are made anew" },
	{ "memo.db", "remove it: images are scanned anew" },
	{ "snapshots.db", "stop cambiumd, move it away, and pull the images again" },
	{ "state.db", "move the store away and import the images again" },
	{ "verdicts.db", "stop cambiumd and remove it: images are scanned anew" },
};

static const char *
find_advice(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(advices); i++)
		if (g_str_equal(advices[i].name, name))
			return advices[i].advice;
	return "remove it";
}

static gboolean
check_database(CamVerification *self, const char *directory, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	GError *problem = NULL;

	self->result->files++;
	if (cam_database_verify(path, &problem))
		return TRUE;
	self->result->unmended++;
	cam_error_translate(&problem, "%s", find_advice(name));
	return cam_verification_add_problem(self, "database", name, problem, error);
}

/* A damaged one is made anew by the next mount. */
static gboolean
check_image(CamVerification *self, const char *directory, const char *name, gboolean repair,
	    GError **error)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_auto(CamFd) fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	GError *problem = NULL;

	if (fd < 0 && errno == ENOENT)
		return TRUE;
	self->result->files++;
	if (fd < 0)
		cam_set_error_errno(&problem, errno, "cannot open it");
	else if (cam_sealed_file_check(fd, "the metadata image of a tree", &problem))
		return TRUE;
	if (repair && unlink(path) == 0)
		self->result->forgotten = TRUE;
	else if (repair)
		self->result->unmended++;
	return cam_verification_add_problem(self, "mount image", name, problem, error);
}

gboolean
cam_verification_check_files(CamVerification *self, gboolean repair, GError **error)
{
	const char *store = cam_store_get_path(self->store);
	g_autofree char *images = g_build_filename(store, CAM_STORE_EROFS_DIR, NULL);
	g_autoptr(GDir) databases = g_dir_open(store, 0, error);
	g_autoptr(GDir) cached = g_dir_open(images, 0, NULL);
	const char *name;

	if (databases == NULL)
		return cam_error_translate(error, NULL);
	while ((name = g_dir_read_name(databases)) != NULL)
		if (g_str_has_suffix(name, ".db") && !check_database(self, store, name, error))
			return FALSE;
	while (cached != NULL && (name = g_dir_read_name(cached)) != NULL)
		if (g_str_has_suffix(name, ".erofs") && !cam_store_is_old_image(name) &&
		    !check_image(self, images, name, repair, error))
			return FALSE;
	return TRUE;
}
