/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's blobs: manifests, indexes, configs and the compressed layers that were made here,
 * one file each, named by digest as in an OCI layout. Manifests and indexes are known by their
 * sha256; a config by the digest that its manifest gives, which may be a sha512. A blob appears
 * whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/oci/verify-stream.h"
#include "snapshotter/store/store-private.h"

#define COPY_CHUNK (256 * 1024)
#define BLOB_MODE  0644

char *
cam_store_blob_path(const char *digest)
{
	g_autofree char *algorithm = g_strndup(digest, strcspn(digest, ":"));

	return g_build_filename("blobs", algorithm, cam_digest_hex(digest), NULL);
}

gboolean
cam_store_has_blob(CamStore *self, const char *digest)
{
	if (!cam_digest_is_valid(digest))
		return FALSE;
	g_autofree char *path = cam_store_blob_path(digest);
	return faccessat(cam_store_get_dirfd(self), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static gboolean
write_blob(CamStore *self, GBytes *bytes, const char *digest, GError **error)
{
	g_autofree char *path = cam_store_blob_path(digest);

	return cam_store_has_blob(self, digest) ||
	       cam_write_file_at(cam_store_get_dirfd(self), path, bytes, BLOB_MODE, error);
}

char *
cam_store_put_blob(CamStore *self, GBytes *bytes, GError **error)
{
	g_autofree char *digest = cam_digest_for_bytes(bytes);

	return write_blob(self, bytes, digest, error) ? g_steal_pointer(&digest) : NULL;
}

gboolean
cam_store_put_blob_as(CamStore *self, GBytes *bytes, const char *digest, GError **error)
{
	g_autofree char *real = NULL;

	if (!cam_digest_check(digest, error))
		return FALSE;
	real = cam_digest_like(digest, bytes);
	if (!g_str_equal(real, digest))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "the blob should be %s and is %s",
				     digest, real);
	return write_blob(self, bytes, digest, error);
}

/* Copies @content to @fd, hashing as @digest (nullable: sha256); returns the digest. */
static char *
copy_hashing(GInputStream *content, int fd, const char *digest, gint64 *size,
	     GCancellable *cancellable, GError **error)
{
	g_autoptr(CamHasher) hasher =
		digest != NULL ? cam_hasher_new_for(digest, error) : cam_hasher_new();
	g_autofree guint8 *buffer = g_malloc(COPY_CHUNK);

	if (hasher == NULL)
		return NULL;

	for (*size = 0;;) {
		gssize n = g_input_stream_read(content, buffer, COPY_CHUNK, cancellable, error);

		if (n < 0) {
			cam_error_translate(error, NULL);
			return NULL;
		}
		if (n == 0)
			return cam_hasher_finish(hasher);
		cam_hasher_update(hasher, buffer, n);
		if (!cam_write_all(fd, buffer, n, error))
			return NULL;
		*size += n;
	}
}

static gboolean
publish(CamStore *self, int tmpfd, const char *name, int fd, const char *digest, GError **error)
{
	g_autofree char *path = cam_store_blob_path(digest);

	if (fchmod(fd, BLOB_MODE) != 0 || fsync(fd) != 0)
		return cam_set_error_errno(error, errno, "cannot write blob %s", digest);
	if (renameat(tmpfd, name, cam_store_get_dirfd(self), path) != 0)
		return cam_set_error_errno(error, errno, "cannot put blob %s into place", digest);
	return TRUE;
}

char *
cam_store_put_blob_stream(CamStore *self, GInputStream *content, const char *digest, gint64 *size,
			  GCancellable *cancellable, GError **error)
{
	int tmpfd = cam_store_get_tmp_dirfd(self, NULL, error);

	if (tmpfd < 0)
		return NULL;
	g_autofree char *name = g_strdup_printf("blob-%08x%08x", g_random_int(), g_random_int());
	g_auto(CamFd) fd = openat(tmpfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot make a temporary file in the store");
		return NULL;
	}
	gint64 copied;
	g_autofree char *real = copy_hashing(content, fd, digest, &copied, cancellable, error);
	if (real != NULL && digest != NULL && g_strcmp0(real, digest) != 0) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "the blob should be %s and is %s", digest,
			      real);
		g_clear_pointer(&real, g_free);
	}
	if (real == NULL || !publish(self, tmpfd, name, fd, real, error)) {
		unlinkat(tmpfd, name, 0);
		return NULL;
	}
	if (size != NULL)
		*size = copied;
	return g_steal_pointer(&real);
}

static gboolean
not_found(CamStore *self, const char *digest, GError **error)
{
	return cam_set_error(error, CAM_ERROR_NOT_FOUND, "the store %s has no blob %s",
			     cam_store_get_path(self), digest);
}

GBytes *
cam_store_get_blob(CamStore *self, const char *digest, gsize max_size, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (!cam_digest_check(digest, error))
		return NULL;
	g_autofree char *path = cam_store_blob_path(digest);
	g_autoptr(GBytes) bytes =
		cam_read_file_at(cam_store_get_dirfd(self), path, max_size, &local);
	if (bytes == NULL && g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		not_found(self, digest, error);
		return NULL;
	}
	if (bytes == NULL) {
		g_propagate_prefixed_error(error, g_steal_pointer(&local), "blob %s: ", digest);
		return NULL;
	}
	g_autofree char *real = cam_digest_like(digest, bytes);
	if (g_strcmp0(real, digest) != 0) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "blob %s of the store is damaged (its bytes are %s); import the "
			      "image again",
			      digest, real);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}

GInputStream *
cam_store_open_blob(CamStore *self, const char *digest, gint64 *size, GError **error)
{
	struct stat st;

	if (!cam_digest_check(digest, error))
		return NULL;
	g_autofree char *path = cam_store_blob_path(digest);
	g_auto(CamFd) fd =
		openat(cam_store_get_dirfd(self), path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		not_found(self, digest, error);
		return NULL;
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		cam_set_error_errno(error, errno, "cannot open blob %s", digest);
		return NULL;
	}
	if (size != NULL)
		*size = st.st_size;
	g_autoptr(GInputStream) base = g_unix_input_stream_new(cam_fd_steal(&fd), TRUE);
	return cam_verify_stream_new(base, digest, st.st_size, error);
}
