/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds out what the kernel can mount, by doing it in the small: version numbers say little about
 * kernels that distributions patch, and nothing about what a container may do.
 */
#include "snapshotter/snapshots/mount-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/snapshots/erofs-writer.h"

#define CONTENT "cambium"

/* The probe's own small object store and image. */
typedef struct {
	char *directory;
	char *lower; /* mount points */
	char *target;
	CamFd image;
	CamFd objects;
} Probe;

static void
probe_clear(Probe *probe)
{
	g_autofree char *parent = g_path_get_dirname(probe->directory);
	g_autofree char *name = g_path_get_basename(probe->directory);
	g_auto(CamFd) dirfd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);

	cam_remove_tree_at(dirfd, name, NULL);
	cam_fd_close(probe->image);
	cam_fd_close(probe->objects);
	g_free(probe->directory);
	g_free(probe->lower);
	g_free(probe->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Probe, probe_clear)

/* An image with the file "probe", whose content is an object. */
static gboolean
write_probe_image(int fd, const CamSha256 *object, GError **error)
{
	static const CamStat root = { .type = CAM_NODE_DIRECTORY, .mode = 0755 };
	static const CamStat file = { .mode = 0644, .size = sizeof(CONTENT) - 1 };
	g_autoptr(CamErofsWriter) writer = cam_erofs_writer_new(&root, 0, error);

	return writer &&
	       cam_erofs_writer_add(writer, CAM_EROFS_ROOT, "probe", &file, 0, object, NULL,
				    error) &&
	       cam_erofs_writer_hide_objects(writer, error) &&
	       cam_erofs_writer_write(writer, fd, NULL, error);
}

static gboolean
probe_init(Probe *probe, const char *directory, GError **error)
{
	static const CamSha256 object = { { 0xca } };
	char hex[65];
	g_auto(CamFd) dirfd = -1;

	probe->directory = g_build_filename(directory, "probe-XXXXXX", NULL);
	if (!g_mkdtemp(probe->directory))
		return cam_set_error_errno(error, errno, "cannot write to %s", directory);
	probe->lower = g_build_filename(probe->directory, "lower", NULL);
	probe->target = g_build_filename(probe->directory, "target", NULL);
	cam_sha256_to_hex(&object, hex);
	g_autofree char *folder = g_strdup_printf("objects/%.2s", hex);
	g_autofree char *path = g_strdup_printf("%s/%s.file", folder, hex + 2);
	dirfd = open(probe->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!cam_mkdirs_at(dirfd, folder, 0755, error) ||
	    !cam_mkdirs_at(dirfd, "lower", 0755, error) ||
	    !cam_mkdirs_at(dirfd, "target", 0755, error))
		return FALSE;
	g_auto(CamFd) content = openat(dirfd, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	probe->image = openat(dirfd, "image", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	probe->objects = openat(dirfd, "objects", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (content < 0 || probe->image < 0 || probe->objects < 0)
		return cam_set_error_errno(error, errno, "cannot write to %s", directory);
	return cam_write_all(content, CONTENT, sizeof(CONTENT) - 1, error) &&
	       write_probe_image(probe->image, &object, error);
}

static gboolean
reads_back(const char *target)
{
	g_autofree char *path = g_build_filename(target, "probe", NULL);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && g_str_equal(text, CONTENT);
}

static CamDataLayers
find_data_layers(const Probe *probe, GError **error)
{
	g_auto(CamFd) lower = open(probe->lower, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (CamDataLayers data = CAM_DATA_FREE; data > CAM_DATA_NONE; data--) {
		CamOverlay overlay = { lower, probe->objects, -1, -1, data, FALSE };

		g_clear_error(error);
		if (!cam_overlay_mount(&overlay, probe->target, error))
			continue;
		gboolean good = reads_back(probe->target);
		umount2(probe->target, MNT_DETACH | UMOUNT_NOFOLLOW);
		if (good)
			return data;
		cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
			      "overlayfs does not find content in the object store");
	}
	return CAM_DATA_NONE;
}

void
cam_mount_abilities_clear(CamMountAbilities *self)
{
	g_clear_pointer(&self->problem, g_free);
}

void
cam_mount_find_abilities(const char *directory, CamMountAbilities *out)
{
	g_autoptr(GError) error = NULL, first = NULL;
	g_auto(Probe) probe = { .image = -1, .objects = -1 };

	*out = (CamMountAbilities){ 0 };
	if (probe_init(&probe, directory, &error)) {
		out->erofs = cam_erofs_mount(probe.image, FALSE, probe.lower, &first);
		out->loop = !out->erofs;
		if (!out->erofs)
			out->erofs = cam_erofs_mount(probe.image, TRUE, probe.lower, &error);
		if (out->erofs) {
			out->data = find_data_layers(&probe, &error);
			umount2(probe.lower, MNT_DETACH | UMOUNT_NOFOLLOW);
		}
	}
	if (out->data == CAM_DATA_NONE)
		out->problem = first ? g_strdup_printf("%s; %s", first->message, error->message)
				     : g_strdup(error->message);
}
