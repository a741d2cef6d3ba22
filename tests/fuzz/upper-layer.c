/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any directory is a layer or is refused: the input is read as orders to build one. Its tar is
 * read back by our reader and by libarchive, adoption and import give one and the same layer, and
 * every member says what lstat(2) says of the file.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/store/file-stamp.h"
#include "snapshotter/store/upper-layer.h"

#define MAX_ORDERS 200
#define MAX_DEPTH  20
#define MAX_SIZE   (1 << 20)

/* ---- the store, one for all inputs ---- */

static char *top;
static CamStore *store;
static int top_fd = -1;

static void
remove_top(void)
{
	g_clear_object(&store);
	cam_fd_close(top_fd);
	cam_remove_tree_at(AT_FDCWD, top, NULL);
	g_clear_pointer(&top, g_free);
}

static void
need_store(void)
{
	g_autoptr(GError) error = NULL;

	if (store)
		return;
	/* In memory where that is possible: every adoption syncs the file system. */
	top = g_strdup("/dev/shm/cam-fuzz-XXXXXX");
	if (!g_mkdtemp(top)) {
		g_free(top);
		top = g_dir_make_tmp("cam-fuzz-XXXXXX", NULL);
	}
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *path = g_build_filename(top, "store", NULL);
	store = cam_store_open(path, TRUE, NULL, &error);
	g_assert_no_error(error);
	atexit(remove_top);
}

/* ---- building ---- */

typedef struct {
	const guint8 *data;
	gsize size, at;
	int stack[MAX_DEPTH]; /* directories on the way, the last is where we are */
	guint depth;
	char last[4096]; /* path of a file, for hard links */
	char path[4096]; /* of the directory */
} Builder;

static guint
take(Builder *self)
{
	return self->at < self->size ? self->data[self->at++] : 0;
}

static guint64
take_number(Builder *self, guint bytes)
{
	guint64 number = 0;

	while (bytes-- > 0)
		number = number << 8 | take(self);
	return number;
}

/* Raw bytes, as far as a file system takes them. */
static void
take_name(Builder *self, char name[256])
{
	guint length = 1 + take(self) % 40, n = 0;

	/* Now and then as long as it can be. */
	if (length == 40)
		length = 255;
	while (n < length) {
		char c = (char) take(self);

		if (c == '/' || c == '\0')
			c = self->at < self->size ? '_' : 'x';
		name[n++] = c;
	}
	name[n] = '\0';
	if (g_str_equal(name, ".") || g_str_equal(name, ".."))
		name[0] = 'd';
}

static int
here(const Builder *self)
{
	return self->stack[self->depth];
}

static void
make_file(Builder *self, const char *name)
{
	g_auto(CamFd) fd = openat(here(self), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	guint64 size = take(self) % 8 == 7 ? take_number(self, 3) % MAX_SIZE : take(self);

	if (fd < 0)
		return;
	while (size > 0) {
		gsize n = MIN(size, MIN(self->size - self->at, 4096));

		/* What is behind the input is a hole. */
		if (n == 0) {
			g_assert_cmpint(ftruncate(fd, lseek(fd, 0, SEEK_CUR) + (off_t) size), ==,
					0);
			break;
		}
		g_assert_true(cam_write_all(fd, self->data + self->at, n, NULL));
		self->at += n;
		size -= n;
	}
	g_snprintf(self->last, sizeof self->last, "%s%s", self->path, name);
}

static void
make_link(Builder *self, const char *name)
{
	char target[256];

	take_name(self, target);
	(void) !symlinkat(target, here(self), name);
}

static void
enter(Builder *self, const char *name)
{
	int fd = openat(here(self), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	gsize length = strlen(self->path);

	if (fd < 0 || self->depth + 1 == MAX_DEPTH || length + 300 > sizeof self->path) {
		cam_fd_close(fd);
		return;
	}
	self->stack[++self->depth] = fd;
	g_snprintf(self->path + length, sizeof self->path - length, "%s/", name);
}

static void
leave(Builder *self)
{
	char *slash;

	if (self->depth == 0)
		return;
	cam_fd_close(self->stack[self->depth--]);
	self->path[strlen(self->path) - 1] = '\0';
	slash = strrchr(self->path, '/');
	self->path[slash ? slash + 1 - self->path : 0] = '\0';
}

static void
set_attribute(Builder *self, const char *name)
{
	static const char *const prefixes[] = { "user.",
						"user.",
						"trusted.overlay.",
						"trusted.overlay.opaque",
						"security.capability",
						"user.overlay." };
	guint kind = take(self) % G_N_ELEMENTS(prefixes);
	char rest[256];
	g_autofree char *attribute = NULL;
	g_auto(CamFd) fd = openat(here(self), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	guint size = take(self) % 32;

	take_name(self, rest);
	rest[60] = '\0';
	attribute = g_strconcat(prefixes[kind], kind == 3 || kind == 4 ? "" : rest, NULL);
	if (fd >= 0)
		(void) !fsetxattr(fd, attribute, kind == 3 ? "y" : rest,
				  kind == 3 ? 1 : MIN(size, strlen(rest)), 0);
}

static void
set_time(Builder *self, const char *name)
{
	guint kind = take(self);
	gint64 seconds = (gint64) take_number(self, 1 + kind % 5);
	struct timespec time = { kind & 8 ? -seconds : seconds,
				 kind & 16 ? (long) (take_number(self, 4) % 1000000000) : 0 };
	struct timespec times[2] = { time, time };

	(void) !utimensat(here(self), name, times, AT_SYMLINK_NOFOLLOW);
}

static void
obey(Builder *self)
{
	guint order = take(self) % 16;
	int dirfd = here(self);
	char name[256];

	if (order == 15) {
		leave(self);
		return;
	}
	take_name(self, name);
	switch (order) {
	case 0 ... 3:
		make_file(self, name);
		break;
	case 4:
	case 5:
		(void) !mkdirat(dirfd, name, 0755);
		enter(self, name);
		break;
	case 6:
		make_link(self, name);
		break;
	case 7:
		(void) !linkat(self->stack[0], self->last, dirfd, name, 0);
		break;
	case 8:
		(void) !mknodat(dirfd, name, S_IFCHR, makedev(0, 0));
		break;
	case 9:
		(void) !mknodat(
			dirfd, name, (take(self) & 1 ? S_IFCHR : S_IFBLK) | 0600,
			makedev(take_number(self, 2) & 0xfff, take_number(self, 3) & 0xfffff));
		break;
	case 10:
		(void) !mknodat(dirfd, name, (take(self) & 1 ? S_IFIFO : S_IFSOCK) | 0644, 0);
		break;
	case 11:
		set_attribute(self, take(self) & 1 ? name : ".");
		break;
	case 12:
		(void) !fchownat(dirfd, take(self) & 1 ? name : ".", (uid_t) take_number(self, 4),
				 (gid_t) take_number(self, 3), AT_SYMLINK_NOFOLLOW);
		break;
	case 13:
		(void) !fchmodat(dirfd, take(self) & 1 ? name : ".",
				 (mode_t) take_number(self, 2) & 07777, 0);
		break;
	default:
		set_time(self, take(self) & 1 ? name : ".");
	}
}

static int
build(const guint8 *data, gsize size)
{
	Builder builder = { .data = data, .size = size };
	int upper;

	g_assert_true(cam_remove_tree_at(top_fd, "upper", NULL));
	g_assert_cmpint(mkdirat(top_fd, "upper", 0755), ==, 0);
	upper = openat(top_fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	builder.stack[0] = upper;
	for (guint i = 0; i < MAX_ORDERS && builder.at < size; i++)
		obey(&builder);
	while (builder.depth > 0)
		leave(&builder);
	return upper;
}

/* ---- looking ---- */

static void
expect_refusal(const GError *error)
{
	static const CamError codes[] = { CAM_ERROR_INVALID_ARGUMENT, CAM_ERROR_RESOURCE_EXHAUSTED,
					  CAM_ERROR_UNIMPLEMENTED };

	for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
		if (g_error_matches(error, CAM_ERROR, codes[i]))
			return;
	g_error("an error that was not to be expected: %s", error->message);
}

static GBytes *
read_stream(GInputStream *stream, GError **error)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();

	if (stream == NULL ||
	    g_output_stream_splice(out, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, error) <
		    0)
		return NULL;
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static void
check_kind(const CamLayerEntry *entry, const struct stat *st)
{
	static const mode_t kinds[] = {
		[CAM_NODE_REGULAR] = S_IFREG, [CAM_NODE_DIRECTORY] = S_IFDIR,
		[CAM_NODE_SYMLINK] = S_IFLNK, [CAM_NODE_CHARACTER] = S_IFCHR,
		[CAM_NODE_BLOCK] = S_IFBLK,   [CAM_NODE_FIFO] = S_IFIFO,
	};

	if (entry->is_hardlink) {
		g_assert_cmpuint(st->st_nlink, >, 1);
		return;
	}
	g_assert_cmphex(st->st_mode & S_IFMT, ==, kinds[entry->type]);
	if (entry->type == CAM_NODE_REGULAR)
		g_assert_cmpuint((guint64) st->st_size, ==, entry->size);
	if (entry->type == CAM_NODE_CHARACTER || entry->type == CAM_NODE_BLOCK)
		g_assert_cmpuint(st->st_rdev, ==, makedev(entry->rdev_major, entry->rdev_minor));
}

static gboolean
check_entry(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	const int *upper = user_data;
	struct stat st;

	if (entry->is_opaque)
		return TRUE;
	g_assert_cmpint(fstatat(*upper, *entry->path ? entry->path : ".", &st, AT_SYMLINK_NOFOLLOW),
			==, 0);
	if (entry->is_whiteout)
		return TRUE;
	g_assert_cmphex(st.st_mode & 07777, ==, entry->mode);
	g_assert_cmpuint(st.st_uid, ==, entry->uid);
	g_assert_cmpuint(st.st_gid, ==, entry->gid);
	g_assert_cmpint(cam_timespec_to_nanoseconds(&st.st_mtim), ==, entry->mtime);
	check_kind(entry, &st);
	return TRUE;
}

static void
check_layer(GBytes *tar, const char *adopted, int upper)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *digest = cam_digest_for_bytes(tar);
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(tar);
	g_autoptr(CamLayerInfo) imported =
		cam_store_import_layer(store, stream, NULL, digest, NULL, NULL, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(adopted, ==, imported->diff_id);
	g_assert_cmpuint(imported->new_objects, ==, 0);
	g_autoptr(GInputStream) layer = cam_store_open_layer(store, adopted, &error);
	g_autoptr(GBytes) again = read_stream(layer, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(again, tar));
	g_assert_true(cam_store_foreach_layer_entry(store, adopted, check_entry, &upper, &error));
	g_assert_no_error(error);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL, other_error = NULL;
	g_auto(CamFd) upper = -1;
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GBytes) tar = NULL;
	g_autoptr(CamLayerInfo) info = NULL;

	need_store();
	upper = build(data, size);
	stream = cam_upper_layer_stream_new(upper, &error);
	tar = read_stream(stream, &error);
	info = cam_store_adopt_upper(store, upper, NULL, NULL, &other_error);
	if (tar == NULL)
		expect_refusal(error);
	if (info == NULL)
		expect_refusal(other_error);
	else
		g_assert_nonnull(tar);
	if (info != NULL)
		check_layer(tar, info->diff_id, upper);
	return 0;
}

/* ---- seeds ---- */

static void
order(GByteArray *out, guint8 number, const char *name, const char *rest, gsize size)
{
	guint8 head[2] = { number, (guint8) (strlen(name) - 1) };

	g_byte_array_append(out, head, 2);
	g_byte_array_append(out, (const guint8 *) name, (guint) strlen(name));
	g_byte_array_append(out, (const guint8 *) rest, (guint) size);
}

static GBytes *
make_tree(void)
{
	GByteArray *out = g_byte_array_new();

	order(out, 4, "etc", "", 0);
	order(out, 0, "conf", "\0\5hello", 7);
	order(out, 13, "conf", "\1\11\355", 3);
	order(out, 14, "conf", "\1\30\1\2\3\4\5\6\7\10", 10);
	order(out, 7, "again", "", 0);
	order(out, 8, "gone", "", 0);
	order(out, 11, "conf", "\1\0\4\3note", 8);
	order(out, 11, "conf", "\1\4\24\23", 4);
	g_byte_array_append(out, (const guint8 *) "\1\0\0\2\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	order(out, 12, "conf", "\1\0\1\2\3\4\5\6", 8);
	g_byte_array_append(out, (const guint8 *) "\17", 1);
	order(out, 6, "link", "\7etc/conf", 9);
	order(out, 9, "null", "\1\0\1\0\0\3", 6);
	order(out, 10, "fifo", "\1", 1);
	order(out, 10, "sock", "\0", 1);
	order(out, 5, "var", "", 0);
	order(out, 11, ".", "\0\3\1\1yy", 6);
	order(out, 0, "\xff\n\xc3\xa9", "\7\2\1\0content", 11);
	return g_byte_array_free_to_bytes(out);
}

static GBytes *
make_names(void)
{
	GByteArray *out = g_byte_array_new();
	g_autofree char *long_name = g_strnfill(255, 'n');

	for (guint i = 0; i < 4; i++) {
		g_byte_array_append(out, (const guint8 *) "\4\47", 2);
		g_byte_array_append(out, (const guint8 *) long_name, 255);
	}
	order(out, 0, "deep", "\0\3abc", 5);
	order(out, 7, "deep2", "", 0);
	order(out, 0, ".wh.x", "\0\0", 2);
	return g_byte_array_free_to_bytes(out);
}

GPtrArray *
cam_fuzz_seeds(void)
{
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, make_tree());
	g_ptr_array_add(seeds, make_names());
	return seeds;
}
