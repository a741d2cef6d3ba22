/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison of our reading of a layer with libarchive's. Both read the layer's skeleton, in
 * which contents are only lengths: ours passes over them, libarchive skips them.
 */
#include "snapshotter/store/layer-check.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/tar-lister.h"
#include "snapshotter/store/layer-skeleton.h"
#include "snapshotter/store/tar-header.h"

#define CHUNK (64 * 1024)

/* One of the two readings of the skeleton; each has a descriptor position of its own. */
typedef struct {
	int fd;
	GInputStream *stream;
	CamSkeletonReader *records;
	guint64 hole; /* content bytes at hand, that the skeleton leaves out */
	guint8 *buffer;
} View;

static void
view_clear(View *view)
{
	g_clear_pointer(&view->records, cam_skeleton_reader_free);
	g_clear_object(&view->stream);
	g_clear_pointer(&view->buffer, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(View, view_clear)

static gboolean
view_open(View *view, int fd, GError **error)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	int own = open(path, O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return cam_set_error_errno(error, errno, "cannot read a temporary file");
	view->stream = g_unix_input_stream_new(own, TRUE);
	view->records = cam_skeleton_reader_new(view->stream);
	view->buffer = g_malloc0(CHUNK);
	return TRUE;
}

/* Bytes of the tar; 0 at its end, and in front of a content: then @hole is its length. */
static gssize
view_read(View *view, void *buffer, gsize size, GError **error)
{
	while (view->hole == 0) {
		g_auto(CamSkeletonObject) object = { 0 };
		gssize n = cam_skeleton_reader_read(view->records, buffer, size, error);
		gboolean found;

		if (n != 0)
			return n;
		if (!cam_skeleton_reader_take_object(view->records, &object, &found, error))
			return -1;
		if (!found)
			return 0;
		view->hole = object.size;
	}
	return 0;
}

/* Our reader is told that contents are absent. */
static gssize
ours_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	View *view = user_data;
	gssize n;

	do {
		view->hole = 0;
		n = view_read(view, buffer, size, error);
	} while (n == 0 && view->hole > 0);
	return n;
}

static gssize
theirs_read(gpointer user_data, gconstpointer *data, GError **error)
{
	View *view = user_data;
	gssize n = view_read(view, view->buffer, CHUNK, error);

	*data = view->buffer;
	if (n != 0 || view->hole == 0)
		return n;
	/* libarchive looks at content after all: it reads as zeros. */
	n = (gssize) MIN(view->hole, CHUNK);
	memset(view->buffer, 0, (gsize) n);
	view->hole -= (guint64) n;
	return n;
}

static gint64
theirs_skip(gpointer user_data, gint64 request)
{
	View *view = user_data;
	gint64 n = (gint64) MIN(view->hole, (guint64) request);

	view->hole -= (guint64) n;
	return n;
}

static gboolean
differ(GError **error, const CamTarEntry *ours, const char *what)
{
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "tar entry %s at byte %" G_GUINT64_FORMAT
			     " is ambiguous: libarchive reads another %s; allow ambiguous layers "
			     "only if you trust where this one comes from",
			     ours->path, ours->position, what);
}

/* libarchive turns names that say to be UTF-8 and are not into something else. */
static gboolean
same_name(const char *ours, const char *theirs)
{
	g_autofree char *clean = NULL;
	gboolean was_directory;

	if (ours == NULL || !g_utf8_validate(ours, -1, NULL))
		return TRUE;
	if (theirs == NULL)
		return FALSE;
	clean = cam_tar_clean_path(theirs, &was_directory, NULL);
	return g_strcmp0(clean, ours) == 0;
}

static gboolean
compare(const CamTarEntry *ours, const CamTarListEntry *theirs, GError **error)
{
	gboolean is_link = ours->type == CAM_TAR_SYMLINK;

	if (!same_name(ours->path, theirs->path))
		return differ(error, ours, "name");
	/* Our types are numbered as the format's flags are. */
	if (theirs->type != '0' + (int) ours->type)
		return differ(error, ours, "type");
	if (is_link ? g_utf8_validate(ours->link_target, -1, NULL) &&
			      g_strcmp0(ours->link_target, theirs->link_target) != 0
		    : !same_name(ours->link_target, theirs->link_target))
		return differ(error, ours, "link target");
	if (ours->type == CAM_TAR_REGULAR && ours->size != theirs->size)
		return differ(error, ours, "size");
	if (ours->mode != theirs->mode)
		return differ(error, ours, "mode");
	if (ours->uid != theirs->uid || ours->gid != theirs->gid)
		return differ(error, ours, "owner");
	return TRUE;
}

static gboolean
compare_next(CamTarReader *reader, CamTarLister *lister, gboolean *end, GError **error)
{
	g_autoptr(GError) our_error = NULL, their_error = NULL;
	const CamTarEntry *ours = cam_tar_reader_next(reader, &our_error);
	const CamTarListEntry *theirs;

	if (our_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&our_error));
		return FALSE;
	}
	theirs = cam_tar_lister_next(lister, &their_error);
	*end = ours == NULL && theirs == NULL;
	if (their_error != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the layer is ambiguous: libarchive cannot read its entry %s: "
				     "%s",
				     ours != NULL ? ours->path : "behind the last",
				     their_error->message);
	if (*end)
		return TRUE;
	if (ours == NULL || theirs == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the layer is ambiguous: %s sees an entry %s more",
				     ours == NULL ? "libarchive" : "only Cambium",
				     ours == NULL ? theirs->path : ours->path);
	cam_tar_reader_content_is_absent(reader);
	return compare(ours, theirs, error);
}

gboolean
cam_layer_check(int fd, GError **error)
{
	static const CamTarSource our_source = { .read = ours_read };
	static const CamTarListerSource their_source = { .read = theirs_read, .skip = theirs_skip };
	g_auto(View) our_view = { 0 }, their_view = { 0 };

	if (!view_open(&our_view, fd, error) || !view_open(&their_view, fd, error))
		return FALSE;
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&our_source, &our_view);
	g_autoptr(CamTarLister) lister = cam_tar_lister_new(&their_source, &their_view, error);
	if (lister == NULL)
		return FALSE;
	gboolean end = FALSE;
	while (!end)
		if (!compare_next(reader, lister, &end, error))
			return FALSE;
	return TRUE;
}
