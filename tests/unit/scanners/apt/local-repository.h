/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small signed apt repository in a temporary directory, made of packages that the test names.
 * Needs gpg for its key; where that is absent the test is skipped.
 */
#pragma once

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "scanners/apt/apt-repository.h"

typedef struct {
	char *dir;   /* the repository and beside it the key's home */
	char *home;  /* of gpg */
	GBytes *key; /* the public key */
	GString *packages;
	GString *sources;     /* source packages; without any there is no index of them */
	int age;	      /* seconds since the Release was made; 0: an hour */
	const char *origin;   /* (nullable): "Test" */
	const char *suite;    /* (nullable): what the Release says instead of the suite */
	gint64 claimed_size;  /* of the expanded index; 0: what it is */
	const char *gpg_time; /* (nullable): when the Release is signed, "20400101T000000" */
} LocalRepository;

/* How publish() lies. */
typedef enum {
	LOCAL_HONEST = 0,
	LOCAL_UNSIGNED = 1 << 0,
	LOCAL_EXPIRED = 1 << 1,
	LOCAL_DETACHED = 1 << 2,     /* Release and Release.gpg instead of InRelease */
	LOCAL_TAMPERED = 1 << 3,     /* InRelease changed after signing */
	LOCAL_WRONG_INDEX = 1 << 4,  /* Packages is not what Release says */
	LOCAL_OTHER_SUITE = 1 << 5,  /* a well-signed Release of another suite */
	LOCAL_BY_HASH_ONLY = 1 << 6, /* Packages only under by-hash */
	LOCAL_PLAIN_ONLY = 1 << 7,   /* no compressed index */
	LOCAL_FUTURE = 1 << 8,
} LocalLies;

static inline gboolean
local_run(const char *const *argv, GBytes *input, GBytes **output)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process =
		g_subprocess_newv(argv,
				  G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					  G_SUBPROCESS_FLAGS_STDERR_SILENCE,
				  &error);
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
	g_autoptr(GBytes) out = NULL;

	if (process == NULL)
		return FALSE;
	if (!g_subprocess_communicate(process, input != NULL ? input : nothing, NULL, &out, NULL,
				      &error) ||
	    !g_subprocess_get_successful(process))
		return FALSE;
	if (output != NULL)
		*output = g_steal_pointer(&out);
	return TRUE;
}

static inline void
local_write(LocalRepository *self, const char *path, gconstpointer data, gssize size)
{
	g_autofree char *full = g_build_filename(self->dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_assert_true(g_file_set_contents(full, data, size, &error));
	g_assert_no_error(error);
}

static inline void
local_remove(LocalRepository *self, const char *path)
{
	g_autofree char *full = g_build_filename(self->dir, path, NULL);

	g_unlink(full);
}

static inline void
local_repository_free(LocalRepository *self)
{
	const char *const kill[] = {
		"gpgconf", "--homedir", self->home, "--kill", "gpg-agent", NULL
	};

	local_run(kill, NULL, NULL);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, self->dir, NULL));
	g_free(self->dir);
	g_free(self->home);
	g_clear_pointer(&self->key, g_bytes_unref);
	g_string_free(self->packages, TRUE);
	g_string_free(self->sources, TRUE);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalRepository, local_repository_free)

/* NULL, and the test is skipped, where there is no gpg. */
static inline LocalRepository *
local_repository_new(void)
{
	g_autoptr(LocalRepository) self = g_new0(LocalRepository, 1);
	g_autoptr(GError) error = NULL;

	self->dir = g_dir_make_tmp("cam-apt-XXXXXX", &error);
	g_assert_no_error(error);
	self->home = g_build_filename(self->dir, "gpg", NULL);
	self->packages = g_string_new(NULL);
	self->sources = g_string_new(NULL);
	g_assert_cmpint(g_mkdir(self->home, 0700), ==, 0);

	const char *const generate[] = { "gpg",
					 "--homedir",
					 self->home,
					 "--batch",
					 "--passphrase",
					 "",
					 "--pinentry-mode",
					 "loopback",
					 "--quick-gen-key",
					 "test@example.org",
					 "ed25519",
					 "sign",
					 "never",
					 NULL };
	const char *const export[] = {
		"gpg", "--homedir", self->home, "--batch", "--export", NULL
	};

	if (!local_run(generate, NULL, NULL) || !local_run(export, NULL, &self->key)) {
		g_test_skip("gpg cannot make a key here");
		return NULL;
	}
	return g_steal_pointer(&self);
}

static inline GBytes *
local_gzip(gconstpointer data, gsize size)
{
	g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
	g_autoptr(GZlibCompressor) gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
	g_autoptr(GOutputStream) out = g_converter_output_stream_new(memory, G_CONVERTER(gzip));

	g_assert_true(g_output_stream_write_all(out, data, size, NULL, NULL, NULL));
	g_assert_true(g_output_stream_close(out, NULL, NULL));
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static inline void
local_ar_member(GByteArray *ar, const char *name, gconstpointer data, gsize size)
{
	g_autofree char *header = g_strdup_printf("%-16s%-12d%-6d%-6d%-8s%-10" G_GSIZE_FORMAT "`\n",
						  name, 0, 0, 0, "100644", size);

	g_byte_array_append(ar, (const guint8 *) header, 60);
	g_byte_array_append(ar, data, size);
	if (size % 2 == 1)
		g_byte_array_append(ar, (const guint8 *) "\n", 1);
}

/* @changelog: (nullable): none is shipped; "-> NAME": the documentation is a link to that package's
 */
static inline GBytes *
local_make_deb(const char *name, const char *changelog)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(out, NULL);
	g_autofree char *path = g_strdup_printf("./usr/share/doc/%s/changelog.Debian.gz", name);
	g_autoptr(GByteArray) ar = g_byte_array_new();
	g_autoptr(GBytes) tar = NULL;

	if (changelog != NULL && g_str_has_prefix(changelog, "-> ")) {
		g_autofree char *link = g_path_get_dirname(path);

		g_assert_true(cam_archive_writer_add_symlink(writer, link, changelog + 3, 0, NULL));
	} else if (changelog != NULL) {
		g_autoptr(GBytes) gz = local_gzip(changelog, strlen(changelog));

		g_assert_true(cam_archive_writer_add_bytes(writer, path, gz, 0644, 0, NULL));
	}
	g_assert_true(cam_archive_writer_finish(writer, NULL));
	g_assert_true(g_output_stream_close(out, NULL, NULL));
	tar = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
	g_byte_array_append(ar, (const guint8 *) "!<arch>\n", 8);
	local_ar_member(ar, "debian-binary", "2.0\n", 4);
	local_ar_member(ar, "data.tar", g_bytes_get_data(tar, NULL), g_bytes_get_size(tar));
	return g_byte_array_free_to_bytes(g_steal_pointer(&ar));
}

/* @source: (nullable): "name" or "name (version)". Returns the sha256 in hex. */
static inline char *
local_repository_add(LocalRepository *self, const char *name, const char *version,
		     const char *source, const char *changelog)
{
	g_autoptr(GBytes) deb = local_make_deb(name, changelog);
	g_autofree char *digest = cam_digest_for_bytes(deb);
	g_autofree char *file = g_strdup_printf("pool/%s_%s_all.deb", name, version);

	local_write(self, file, g_bytes_get_data(deb, NULL), g_bytes_get_size(deb));
	g_string_append_printf(self->packages,
			       "Package: %s\nVersion: %s\nArchitecture: all\n%s%s%sFilename: %s\n"
			       "Size: %" G_GSIZE_FORMAT "\nSHA256: %s\n\n",
			       name, version, source != NULL ? "Source: " : "",
			       source != NULL ? source : "", source != NULL ? "\n" : "", file,
			       g_bytes_get_size(deb), cam_digest_hex(digest));
	return g_strdup(cam_digest_hex(digest));
}

/* A source package of which @file has debian/. */
static inline void
local_repository_add_source(LocalRepository *self, const char *name, const char *version,
			    const char *file, GBytes *content)
{
	g_autofree char *digest = cam_digest_for_bytes(content);
	g_autofree char *path = g_strdup_printf("pool/%s", file);

	local_write(self, path, g_bytes_get_data(content, NULL), g_bytes_get_size(content));
	g_string_append_printf(self->sources,
			       "Package: %s\nVersion: %s\nDirectory: pool\nChecksums-Sha256:\n"
			       " %064d 9 %s_%s.dsc\n %s %" G_GSIZE_FORMAT " %s\n\n",
			       name, version, 0, name, version, cam_digest_hex(digest),
			       g_bytes_get_size(content), file);
}

/* A tarball of one file. */
static inline GBytes *
local_make_tar(const char *path, const char *text)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(out, NULL);
	g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

	g_assert_true(cam_archive_writer_add_bytes(writer, path, content, 0644, 0, NULL));
	g_assert_true(cam_archive_writer_finish(writer, NULL));
	g_assert_true(g_output_stream_close(out, NULL, NULL));
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static inline void
local_list_file(GString *release, const char *path, GBytes *content)
{
	g_autofree char *digest = cam_digest_for_bytes(content);

	g_string_append_printf(release, " %s %" G_GSIZE_FORMAT " %s\n", cam_digest_hex(digest),
			       g_bytes_get_size(content), path);
}

static inline char *
local_date(int seconds_from_now)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) date = g_date_time_add_seconds(now, seconds_from_now);

	return g_date_time_format(date, "%a, %d %b %Y %H:%M:%S UTC");
}

/* Writes the indexes of @suite and what their Release says of them. */
static inline char *
local_make_release(LocalRepository *self, const char *suite, LocalLies lies)
{
	static const char index[] = "main/binary-amd64/Packages";
	g_autoptr(GBytes) plain = g_bytes_new(self->packages->str, self->packages->len);
	g_autoptr(GBytes) gz = local_gzip(self->packages->str, self->packages->len);
	g_autofree char *date = local_date(lies & LOCAL_FUTURE ? 86400 * 3
					   : self->age != 0    ? -self->age
							       : -3600);
	g_autofree char *until = local_date(lies & LOCAL_EXPIRED ? -60 : 86400);
	g_autoptr(GString) release = g_string_new(NULL);
	GBytes *travelling = lies & LOCAL_PLAIN_ONLY ? plain : gz;
	const char *suffix = lies & LOCAL_PLAIN_ONLY ? "" : ".gz";
	g_autofree char *digest = cam_digest_for_bytes(travelling);
	g_autofree char *path = lies & LOCAL_BY_HASH_ONLY
					? g_strdup_printf("dists/%s/main/binary-amd64/by-hash/"
							  "SHA256/%s",
							  suite, cam_digest_hex(digest))
					: g_strdup_printf("dists/%s/%s%s", suite, index, suffix);
	g_autofree char *gz_path = g_strconcat(index, ".gz", NULL);
	const char *said = self->suite != NULL ? self->suite : suite;

	if (lies & LOCAL_OTHER_SUITE)
		said = "other";
	g_string_append_printf(release,
			       "Origin: %s\nSuite: %s\nCodename: %s\nDate: %s\nValid-Until: %s\n"
			       "Acquire-By-Hash: %s\nComponents: main\nArchitectures: amd64\n"
			       "SHA256:\n",
			       self->origin != NULL ? self->origin : "Test", said, said, date,
			       until, lies & LOCAL_BY_HASH_ONLY ? "yes" : "no");
	if (self->claimed_size != 0)
		g_string_append_printf(release, " %064d %" G_GINT64_FORMAT " %s\n", 0,
				       self->claimed_size, index);
	else
		local_list_file(release, index, plain);
	if (!(lies & LOCAL_PLAIN_ONLY))
		local_list_file(release, gz_path, gz);
	if (self->sources->len > 0) {
		static const char source_index[] = "main/source/Sources";
		g_autoptr(GBytes) sources = g_bytes_new(self->sources->str, self->sources->len);
		g_autofree char *sources_path = g_strdup_printf("dists/%s/%s", suite, source_index);

		local_list_file(release, source_index, sources);
		local_write(self, sources_path, self->sources->str, self->sources->len);
	}
	if (lies & LOCAL_WRONG_INDEX) {
		g_autofree char *other =
			g_memdup2(g_bytes_get_data(travelling, NULL), g_bytes_get_size(travelling));

		other[g_bytes_get_size(travelling) / 2] ^= 1;
		local_write(self, path, other, g_bytes_get_size(travelling));
	} else {
		local_write(self, path, g_bytes_get_data(travelling, NULL),
			    g_bytes_get_size(travelling));
	}
	return g_string_free(g_steal_pointer(&release), FALSE);
}

static inline void
local_repository_publish(LocalRepository *self, const char *suite, LocalLies lies)
{
	g_autofree char *text = local_make_release(self, suite, lies);
	g_autofree char *release = g_strdup_printf("dists/%s/Release", suite);
	g_autofree char *in_release = g_strdup_printf("dists/%s/InRelease", suite);
	g_autofree char *signature = g_strdup_printf("dists/%s/Release.gpg", suite);
	g_autoptr(GBytes) input = g_bytes_new(text, strlen(text));
	g_autoptr(GBytes) output = NULL;
	gboolean detached = (lies & LOCAL_DETACHED) != 0;
	const char *const sign[] = { "gpg",
				     "--homedir",
				     self->home,
				     "--batch",
				     "--passphrase",
				     "",
				     "--pinentry-mode",
				     "loopback",
				     "--digest-algo",
				     "SHA256",
				     detached ? "--detach-sign" : "--clearsign",
				     self->gpg_time != NULL ? "--faked-system-time" : NULL,
				     self->gpg_time,
				     NULL };

	local_remove(self, in_release);
	local_remove(self, signature);
	local_write(self, release, text, -1);
	if (lies & LOCAL_UNSIGNED)
		return;
	g_assert_true(local_run(sign, input, &output));
	if (detached) {
		local_write(self, signature, g_bytes_get_data(output, NULL),
			    g_bytes_get_size(output));
	} else {
		g_autofree char *message =
			g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));

		if (lies & LOCAL_TAMPERED)
			memcpy(strstr(message, "Origin: Test"), "Origin: Evil", 12);
		local_write(self, in_release, message, -1);
	}
}

static inline CamAptSource *
local_repository_source(LocalRepository *self, const char *suite)
{
	static const char *const components[] = { "main", NULL };
	g_autofree char *uri = g_strconcat("file:", self->dir, NULL);
	CamAptSource *source = cam_apt_source_new(uri, suite, components);

	source->key = g_bytes_ref(self->key);
	source->origin = g_strdup("test");
	return source;
}

/* A cache beside the repository, so that it goes with it. */
static inline CamAptRepository *
local_repository_open_cache(LocalRepository *self)
{
	g_autofree char *cache = g_build_filename(self->dir, "cache", NULL);
	g_autoptr(GError) error = NULL;
	CamAptRepository *repository = cam_apt_repository_new(cache, &error);

	g_assert_no_error(error);
	return repository;
}
