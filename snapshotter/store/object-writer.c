/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hashing and writing of file objects on several cores. Knows OSTree's form of a file object, and
 * nothing of layers.
 */
#include "snapshotter/store/object-writer.h"

#include <errno.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/store/object-link.h"
#include "snapshotter/store/repo.h"

#define MAX_BYTES_IN_FLIGHT (16 * 1024 * 1024)
#define MAX_THREADS	    8
#define HASH_CHUNK	    (256 * 1024)

struct _CamObjectWriter {
	OstreeRepo *repo;
	CamObjectLinks *links;
	GThreadPool *pool;
	GMutex mutex;
	GCond changed; /* a job is done, or bytes were given back */
	gsize bytes_in_flight;
	gint stopped;
};

CamObjectJob *
cam_object_job_new(void)
{
	CamObjectJob *self = g_new0(CamObjectJob, 1);

	self->fd = -1;
	return self;
}

void
cam_object_job_free(CamObjectJob *self)
{
	g_clear_pointer(&self->xattrs, g_variant_unref);
	g_clear_error(&self->error);
	g_free(self->symlink);
	g_free(self->data);
	cam_fd_close(self->fd);
	g_free(self);
}

/* ---- checksums ---- */

/* OSTree's checksum covers a header in front of the content: the length of a variant as a
 * big-endian number, filled to eight bytes, and the variant. */
static void
hash_header(CamHasher *hasher, const CamObjectJob *job)
{
	g_autoptr(GVariant) header = g_variant_ref_sink(
		g_variant_new("(uuuus@a(ayay))", GUINT32_TO_BE(job->uid), GUINT32_TO_BE(job->gid),
			      GUINT32_TO_BE(job->mode), 0, job->symlink != NULL ? job->symlink : "",
			      job->xattrs));
	guint32 prefix[2] = { GUINT32_TO_BE((guint32) g_variant_get_size(header)), 0 };

	cam_hasher_update(hasher, prefix, sizeof prefix);
	cam_hasher_update(hasher, g_variant_get_data(header), g_variant_get_size(header));
}

static gboolean
hash_spooled(CamObjectJob *job, CamHasher *object, CamHasher *content, GError **error)
{
	g_autofree guint8 *chunk = g_malloc(HASH_CHUNK);
	guint64 offset = 0;

	while (offset < job->size) {
		ssize_t n =
			pread(job->fd, chunk, MIN(HASH_CHUNK, job->size - offset), (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cam_set_error_errno(error, errno, "cannot read a file");
		if (n == 0)
			return cam_set_error(error, CAM_ERROR_ABORTED,
					     "it became shorter while it was read; try again");
		cam_hasher_update(object, chunk, (gsize) n);
		cam_hasher_update(content, chunk, (gsize) n);
		offset += (guint64) n;
	}
	return TRUE;
}

static gboolean
hash_job(CamObjectJob *job, GError **error)
{
	g_autoptr(CamHasher) object = cam_hasher_new();

	hash_header(object, job);
	if (S_ISREG(job->mode)) {
		g_autoptr(CamHasher) content = cam_hasher_new();

		if (job->data == NULL && job->fd >= 0) {
			if (!hash_spooled(job, object, content, error))
				return FALSE;
		} else {
			cam_hasher_update(object, job->data, job->size);
			cam_hasher_update(content, job->data, job->size);
		}
		cam_hasher_finish_sha256(content, &job->content);
	}
	cam_hasher_finish_sha256(object, &job->object);
	return TRUE;
}

/* ---- writing ---- */

static GFileInfo *
file_info(const CamObjectJob *job)
{
	GFileInfo *info = g_file_info_new();

	g_file_info_set_attribute_uint32(info, "standard::type",
					 job->symlink != NULL ? G_FILE_TYPE_SYMBOLIC_LINK
							      : G_FILE_TYPE_REGULAR);
	g_file_info_set_attribute_uint32(info, "unix::uid", job->uid);
	g_file_info_set_attribute_uint32(info, "unix::gid", job->gid);
	g_file_info_set_attribute_uint32(info, "unix::mode", job->mode);
	if (job->symlink != NULL)
		g_file_info_set_symlink_target(info, job->symlink);
	else
		g_file_info_set_size(info, (goffset) job->size);
	return info;
}

static GInputStream *
content_stream(CamObjectJob *job, GError **error)
{
	if (job->symlink != NULL)
		return NULL;
	if (job->data != NULL || job->fd < 0)
		return g_memory_input_stream_new_from_data(job->data, (gssize) job->size, NULL);
	if (lseek(job->fd, 0, SEEK_SET) < 0) {
		cam_set_error_errno(error, errno, "cannot read a temporary file");
		return NULL;
	}
	return g_unix_input_stream_new(job->fd, FALSE);
}

static gboolean
write_object(OstreeRepo *repo, CamObjectJob *job, const char *checksum, GError **error)
{
	g_autoptr(GFileInfo) info = file_info(job);
	g_autoptr(GInputStream) content = content_stream(job, error);
	g_autoptr(GInputStream) object = NULL;
	guint64 size;

	if (content == NULL && job->symlink == NULL)
		return FALSE;
	if (!ostree_raw_file_to_content_stream(content, info, job->xattrs, &object, &size, NULL,
					       error) ||
	    !ostree_repo_write_content(repo, checksum, object, size, NULL, NULL, error))
		return cam_repo_error(error, "cannot write object %s", checksum);
	return TRUE;
}

/* libostree is told the checksum: what it copies must be what was hashed. */
static gboolean
copy_file(CamObjectWriter *self, CamObjectJob *job, const char *checksum, GError **error)
{
	return write_object(self->repo, job, checksum, error) &&
	       (!job->may_link || job->data != NULL ||
		cam_file_stamp_check(&job->stamp, job->fd, error));
}

static gboolean
write_if_absent(CamObjectWriter *self, CamObjectJob *job, GError **error)
{
	char checksum[65];
	gboolean present;

	cam_sha256_to_hex(&job->object, checksum);
	if (!ostree_repo_has_object(self->repo, OSTREE_OBJECT_TYPE_FILE, checksum, &present, NULL,
				    error))
		return cam_repo_error(error, "cannot look for object %s", checksum);
	job->is_new = !present;
	return present || copy_file(self, job, checksum, error);
}

static gboolean
run_job(CamObjectWriter *self, CamObjectJob *job, GError **error)
{
	CamLinkResult result = CAM_LINK_REFUSED;

	if (g_atomic_int_get(&self->stopped))
		return cam_set_error(error, CAM_ERROR_CANCELLED, "the import was stopped");
	if (!hash_job(job, error) ||
	    (job->may_link && !cam_object_links_add(self->links, job, &result, error)))
		return FALSE;
	job->linked = job->is_new = result == CAM_LINK_MADE;
	return result != CAM_LINK_REFUSED || write_if_absent(self, job, error);
}

static void
run_in_thread(gpointer data, gpointer user_data)
{
	CamObjectJob *job = data;
	CamObjectWriter *self = user_data;

	(void) run_job(self, job, &job->error);
	g_clear_pointer(&job->data, g_free);
	cam_fd_close(cam_fd_steal(&job->fd));
	g_mutex_lock(&self->mutex);
	self->bytes_in_flight -= job->reserved;
	g_atomic_int_set(&job->done, TRUE);
	g_cond_broadcast(&self->changed);
	g_mutex_unlock(&self->mutex);
}

CamObjectWriter *
cam_object_writer_new(OstreeRepo *repo, int tmpfd, GError **error)
{
	g_autoptr(CamObjectWriter) self = g_new0(CamObjectWriter, 1);
	g_autoptr(GError) local = NULL;
	int n_threads = (int) CLAMP(g_get_num_processors(), 2, MAX_THREADS);

	self->repo = g_object_ref(repo);
	self->links = cam_object_links_new(tmpfd, repo);
	g_mutex_init(&self->mutex);
	g_cond_init(&self->changed);
	/* Threads of its own: those that GLib's pools share are begun where a failure would end the
	 * process. */
	self->pool = g_thread_pool_new(run_in_thread, self, n_threads, TRUE, &local);
	if (local == NULL)
		return g_steal_pointer(&self);
	cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
		      "cannot start threads that write objects: %s (see 'ulimit -u', and TasksMax "
		      "of the service)",
		      local->message);
	return NULL;
}

void
cam_object_writer_free(CamObjectWriter *self)
{
	g_atomic_int_set(&self->stopped, TRUE);
	if (self->pool != NULL)
		g_thread_pool_free(self->pool, FALSE, TRUE);
	cam_object_links_free(self->links);
	g_cond_clear(&self->changed);
	g_mutex_clear(&self->mutex);
	g_object_unref(self->repo);
	g_free(self);
}

void
cam_object_writer_reserve(CamObjectWriter *self, CamObjectJob *job, gsize size)
{
	job->reserved = size;
	g_mutex_lock(&self->mutex);
	while (self->bytes_in_flight > 0 && self->bytes_in_flight + size > MAX_BYTES_IN_FLIGHT)
		g_cond_wait(&self->changed, &self->mutex);
	self->bytes_in_flight += size;
	g_mutex_unlock(&self->mutex);
}

void
cam_object_writer_push(CamObjectWriter *self, CamObjectJob *job)
{
	/* Without a thread to be had the job waits for one of those that run. */
	g_thread_pool_push(self->pool, job, NULL);
}

gboolean
cam_object_job_is_done(CamObjectJob *job)
{
	return g_atomic_int_get(&job->done);
}

gboolean
cam_object_writer_wait(CamObjectWriter *self, CamObjectJob *job, GError **error)
{
	g_mutex_lock(&self->mutex);
	while (!g_atomic_int_get(&job->done))
		g_cond_wait(&self->changed, &self->mutex);
	g_mutex_unlock(&self->mutex);
	if (job->error == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&job->error));
	return FALSE;
}

gboolean
cam_object_writer_publish(CamObjectWriter *self, GError **error)
{
	return cam_object_links_publish(self->links, error);
}
