/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams over sources that break, in memory. */
#include "snapshotter/transport/resuming-stream.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/oci/error.h"
#include "snapshotter/transport/part-stream.h"

#define CONTENT "0123456789abcdefghijklmnopqrstuvwxyz"

typedef struct {
	gsize bite; /* bytes that each opening gives before it breaks; 0: none */
	gsize end;  /* where the source ends */
	guint opened;
	goffset first;	    /* offset of the first opening */
	gboolean cancelled; /* break with a cancellation */
	gboolean ours;	    /* break with an error of ours that will not pass */
} Source;

/* A stream that gives some bytes and then fails: the limit of a memory stream is its end, and the
 * break is put behind it. */
typedef struct {
	GInputStream parent_instance;
	Source *source;
	gsize at, left;
} Breaking;

typedef struct {
	GInputStreamClass parent_class;
} BreakingClass;

GType breaking_get_type(void);
G_DEFINE_TYPE(Breaking, breaking, G_TYPE_INPUT_STREAM)

static gssize
breaking_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
	      GError **error)
{
	Breaking *self = (Breaking *) stream;
	gsize n = MIN(MIN(count, self->left), self->source->end - self->at);

	if (self->at == self->source->end)
		return 0;
	if (n == 0) {
		if (self->source->ours)
			cam_set_error(error, CAM_ERROR_DATA_LOSS, "rotten");
		else
			g_set_error_literal(error, G_IO_ERROR,
					    self->source->cancelled ? G_IO_ERROR_CANCELLED
								    : G_IO_ERROR_PARTIAL_INPUT,
					    "broken");
		return -1;
	}
	memcpy(buffer, CONTENT + self->at, n);
	self->at += n;
	self->left -= n;
	return (gssize) n;
}

static void
breaking_class_init(BreakingClass *klass)
{
	G_INPUT_STREAM_CLASS(klass)->read_fn = breaking_read;
}

static void
breaking_init(Breaking *self)
{
}

static GInputStream *
open_source(goffset offset, gpointer user_data, GCancellable *cancellable, GError **error)
{
	Source *source = user_data;
	Breaking *stream;

	if (source->opened++ == 0)
		source->first = offset;
	stream = g_object_new(breaking_get_type(), NULL);
	stream->source = source;
	stream->at = (gsize) offset;
	stream->left = source->bite;
	return G_INPUT_STREAM(stream);
}

/* What can be read, and the code of the error that ended it (-1: the end). */
static char *
read_all(GInputStream *stream, int *code)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	char buffer[7];
	gssize n;

	while ((n = g_input_stream_read(stream, buffer, sizeof buffer, NULL, &error)) > 0)
		g_string_append_len(text, buffer, n);
	if (error != NULL)
		g_assert_true(error->domain == CAM_ERROR);
	*code = error != NULL ? error->code : -1;
	return g_string_free(text, FALSE);
}

static void
test_resumes(void)
{
	for (gsize bite = 1; bite <= strlen(CONTENT) + 1; bite++) {
		Source source = { .bite = bite, .end = strlen(CONTENT) };
		g_autoptr(GInputStream) stream = cam_resuming_stream_new(
			3, (gint64) strlen(CONTENT), open_source, &source, NULL);
		int code;
		g_autofree char *text = read_all(stream, &code);

		g_assert_cmpint(code, ==, -1);
		g_assert_cmpstr(text, ==, CONTENT + 3);
		g_assert_cmpuint(source.opened, ==, (strlen(CONTENT) - 3 + bite - 1) / bite);
	}
}

/* Nothing but broken connections comes to an end; so do errors that will not pass. */
static void
test_gives_up(void)
{
	Source dead = { .bite = 0, .end = 10 };
	Source cancelled = { .bite = 4, .end = 10, .cancelled = TRUE };
	Source rotten = { .bite = 4, .end = 10, .ours = TRUE };
	g_autoptr(GInputStream) c = cam_resuming_stream_new(0, 10, open_source, &cancelled, NULL);
	g_autoptr(GInputStream) r = cam_resuming_stream_new(0, 10, open_source, &rotten, NULL);
	g_autofree char *text = NULL;
	int code;

	text = read_all(c, &code);
	g_assert_cmpint(code, ==, CAM_ERROR_CANCELLED);
	g_assert_cmpuint(cancelled.opened, ==, 1);
	g_free(text);
	text = read_all(r, &code);
	g_assert_cmpint(code, ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpstr(text, ==, "0123");
	if (g_test_slow()) {
		g_autoptr(GInputStream) d =
			cam_resuming_stream_new(0, 10, open_source, &dead, NULL);

		g_free(text);
		text = read_all(d, &code);
		g_assert_cmpint(code, ==, CAM_ERROR_UNAVAILABLE);
		g_assert_cmpuint(dead.opened, ==, 6);
	}
}

/* What is complete already is not asked for. */
static void
test_nothing_left(void)
{
	Source source = { .bite = 10, .end = 10 };
	g_autoptr(GInputStream) stream =
		cam_resuming_stream_new(10, 10, open_source, &source, NULL);
	int code;
	g_autofree char *text = read_all(stream, &code);

	g_assert_cmpstr(text, ==, "");
	g_assert_cmpint(code, ==, -1);
	g_assert_cmpuint(source.opened, ==, 0);
}

typedef struct {
	char *path;
	int dirfd;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	f->path = g_dir_make_tmp("cam-part-XXXXXX", NULL);
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_autofree char *part = g_build_filename(f->path, "x.part", NULL);

	g_unlink(part);
	close(f->dirfd);
	g_rmdir(f->path);
	g_free(f->path);
}

static char *
read_part(Fixture *f, Source *source, gint64 size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = cam_part_stream_new(f->dirfd, "x.part", size, FALSE,
							     open_source, source, NULL, &error);
	int code;

	g_assert_no_error(error);
	return read_all(stream, &code);
}

static void
assert_part_is(Fixture *f, const char *wanted)
{
	g_autofree char *part = g_build_filename(f->path, "x.part", NULL);
	g_autofree char *content = NULL;

	g_assert_true(g_file_get_contents(part, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, wanted);
}

static void
test_part(Fixture *f, gconstpointer data)
{
	Source broken = { .bite = 8, .end = strlen(CONTENT), .ours = TRUE };
	Source whole = { .bite = 100, .end = strlen(CONTENT) };
	Source unasked = { .bite = 100, .end = strlen(CONTENT) };
	g_autofree char *text = read_part(f, &broken, (gint64) strlen(CONTENT));

	g_assert_cmpstr(text, ==, "01234567");
	assert_part_is(f, "01234567");
	g_free(text);
	text = read_part(f, &whole, (gint64) strlen(CONTENT));
	g_assert_cmpstr(text, ==, CONTENT);
	g_assert_cmpint(whole.first, ==, 8);
	assert_part_is(f, CONTENT);
	g_free(text);
	text = read_part(f, &unasked, (gint64) strlen(CONTENT));
	g_assert_cmpstr(text, ==, CONTENT);
	g_assert_cmpuint(unasked.opened, ==, 0);
}

/* A part that is longer than the whole can only be of something else. */
static void
test_overlong_part(Fixture *f, gconstpointer data)
{
	g_autofree char *part = g_build_filename(f->path, "x.part", NULL);
	Source source = { .bite = 100, .end = 10 };
	g_autofree char *text = NULL;

	g_assert_true(g_file_set_contents(part, "something much longer", -1, NULL));
	text = read_part(f, &source, 10);
	g_assert_cmpstr(text, ==, "0123456789");
	assert_part_is(f, "0123456789");
}

/* Who comes second works without the part, and does not disturb it. */
static void
test_locked_part(Fixture *f, gconstpointer data)
{
	Source first = { .bite = 100, .end = 10 };
	Source second = { .bite = 100, .end = 10 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) holder = cam_part_stream_new(f->dirfd, "x.part", 10, FALSE,
							     open_source, &first, NULL, &error);
	g_autofree char *text = NULL;
	int code;

	g_assert_no_error(error);
	text = read_part(f, &second, 10);
	g_assert_cmpstr(text, ==, "0123456789");
	assert_part_is(f, "");
	g_free(text);
	text = read_all(holder, &code);
	assert_part_is(f, "0123456789");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transport/resuming-stream/resumes", test_resumes);
	g_test_add_func("/transport/resuming-stream/gives-up", test_gives_up);
	g_test_add_func("/transport/resuming-stream/nothing-left", test_nothing_left);
	g_test_add("/transport/part-stream/resumes", Fixture, NULL, set_up, test_part, tear_down);
	g_test_add("/transport/part-stream/overlong", Fixture, NULL, set_up, test_overlong_part,
		   tear_down);
	g_test_add("/transport/part-stream/locked", Fixture, NULL, set_up, test_locked_part,
		   tear_down);
	return g_test_run();
}
