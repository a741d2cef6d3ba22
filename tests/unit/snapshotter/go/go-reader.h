/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs reader.go, which says what Go's own packages read, where this machine has a Go compiler. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
	char *directory, *program;
} GoReader;

static inline void
go_reader_free(GoReader *self)
{
	g_unlink(self->program);
	g_rmdir(self->directory);
	g_free(self->program);
	g_free(self->directory);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GoReader, go_reader_free)

static inline char *
find_go(void)
{
	char *go = g_find_program_in_path("go");

	if (go == NULL && g_file_test("/usr/local/go/bin/go", G_FILE_TEST_IS_EXECUTABLE))
		go = g_strdup("/usr/local/go/bin/go");
	return go;
}

/* NULL, and the test is skipped, where there is no Go. */
static inline GoReader *
go_reader_new(void)
{
	g_autofree char *go = find_go();
	g_autofree char *source =
		g_test_build_filename(G_TEST_DIST, "snapshotter", "go", "reader.go", NULL);
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
	g_autoptr(GSubprocess) build = NULL;
	g_autoptr(GError) error = NULL;
	GoReader *self;

	if (go == NULL) {
		g_test_skip("this machine has no Go");
		return NULL;
	}
	self = g_new0(GoReader, 1);
	self->directory = g_dir_make_tmp("cambium-go-XXXXXX", NULL);
	self->program = g_build_filename(self->directory, "reader", NULL);
	g_subprocess_launcher_setenv(launcher, "GO111MODULE", "off", TRUE);
	g_subprocess_launcher_setenv(launcher, "CGO_ENABLED", "0", TRUE);
	g_subprocess_launcher_setenv(launcher, "GOTOOLCHAIN", "local", TRUE);
	if (g_getenv("HOME") == NULL && g_getenv("GOCACHE") == NULL)
		g_subprocess_launcher_setenv(launcher, "GOCACHE", g_get_tmp_dir(), TRUE);
	build = g_subprocess_launcher_spawn(launcher, &error, go, "build", "-o", self->program,
					    source, NULL);
	g_assert_no_error(error);
	g_assert_true(g_subprocess_wait_check(build, NULL, &error));
	return self;
}

/* What Go reads of each of @records (element-type GBytes): lines, the last "end" or "error …". */
static inline GPtrArray *
go_reader_run(GoReader *self, const char *what, GPtrArray *records)
{
	g_autoptr(GByteArray) input = g_byte_array_new();
	g_autoptr(GBytes) bytes = NULL, output = NULL;
	g_autoptr(GSubprocess) process = NULL;
	g_autoptr(GError) error = NULL;
	GPtrArray *results = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) result = g_string_new(NULL);
	gsize size;

	for (guint i = 0; i < records->len; i++) {
		guint32 length = GUINT32_TO_LE((guint32) g_bytes_get_size(records->pdata[i]));

		g_byte_array_append(input, (const guint8 *) &length, sizeof length);
		g_byte_array_append(input, g_bytes_get_data(records->pdata[i], NULL),
				    (guint) g_bytes_get_size(records->pdata[i]));
	}
	bytes = g_byte_array_free_to_bytes(g_steal_pointer(&input));
	process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
				   &error, self->program, what, NULL);
	g_assert_no_error(error);
	g_assert_true(g_subprocess_communicate(process, bytes, NULL, &output, NULL, &error));
	g_assert_true(g_subprocess_get_successful(process));
	const char *text = g_bytes_get_data(output, &size);
	for (const char *line = text, *next; line < text + size; line = next) {
		next = (const char *) memchr(line, '\n', (gsize) (text + size - line)) + 1;
		g_string_append_len(result, line, next - line);
		if (!g_str_has_prefix(line, "end\n") && !g_str_has_prefix(line, "error "))
			continue;
		g_ptr_array_add(results, g_strdup(result->str));
		g_string_truncate(result, 0);
	}
	g_assert_cmpuint(results->len, ==, records->len);
	return results;
}
