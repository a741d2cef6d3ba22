/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to trees, and their descriptions, which can be compared as text. */
#include "tests/conformance/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshotter/snapshotter.h"

/* ---- changes ---- */

static void
write_file(const char *path, const char *text, guint mode)
{
	g_auto(CamFd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t) mode);
	gssize size = (gssize) strlen(text);

	g_assert_no_errno(fd);
	g_assert_cmpint(write(fd, text, (gsize) size), ==, size);
	g_assert_no_errno(fchmod(fd, (mode_t) mode));
}

static void
remove_all(const char *path)
{
	g_autoptr(GError) error = NULL;

	cam_remove_tree_at(AT_FDCWD, path, &error);
	g_assert_no_error(error);
}

static void
apply(const char *root, const Change *change)
{
	g_autofree char *path = g_build_filename(root, change->path, NULL);
	g_autofree char *other =
		change->text != NULL ? g_build_filename(root, change->text, NULL) : NULL;

	switch (change->kind) {
	case CHANGE_FILE:
		write_file(path, change->text, change->mode);
		return;
	case CHANGE_DIRECTORY:
		g_assert_no_errno(mkdir(path, (mode_t) change->mode));
		return;
	case CHANGE_REMOVE:
		remove_all(path);
		return;
	case CHANGE_OWNER:
		g_assert_no_errno(lchown(path, change->mode, change->mode));
		return;
	case CHANGE_RENAME:
		g_assert_no_errno(rename(path, other));
		return;
	case CHANGE_LINK:
		g_assert_no_errno(link(path, other));
		return;
	case CHANGE_END:
		break;
	}
	g_assert_not_reached();
}

void
tree_change(const char *root, const Change *changes)
{
	for (; changes->kind != CHANGE_END; changes++)
		apply(root, changes);
}

/* ---- descriptions ---- */

typedef struct {
	GString *out;
	GHashTable *links; /* "device:inode" → the first path */
} Description;

/* What overlayfs writes for itself is not seen through it, but in a plain directory it would be. */
static void
describe_attributes(Description *self, const char *path)
{
	char names[4096], value[4096];
	gssize size = llistxattr(path, names, sizeof(names));

	for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		gssize length = lgetxattr(path, name, value, sizeof(value));
		g_autofree char *digest = NULL;

		if (g_str_has_prefix(name, "trusted.overlay."))
			continue;
		g_assert_cmpint(length, >=, 0);
		digest = cam_digest_for_data(value, (gsize) length);
		g_string_append_printf(self->out, " %s=%s", name, digest);
	}
}

static void
describe_content(Description *self, const char *path, const struct stat *st)
{
	g_autofree char *data = NULL, *digest = NULL;
	char target[4096];
	gsize length;
	gssize size;

	if (S_ISLNK(st->st_mode)) {
		size = readlink(path, target, sizeof(target));
		g_assert_cmpint(size, >=, 0);
		g_string_append_printf(self->out, " -> %.*s", (int) size, target);
	} else if (S_ISREG(st->st_mode)) {
		g_assert_true(g_file_get_contents(path, &data, &length, NULL));
		digest = cam_digest_for_data(data, length);
		g_string_append_printf(self->out, " %s", digest);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		g_string_append_printf(self->out, " device %lx", (gulong) st->st_rdev);
	}
}

static void
describe_links(Description *self, const char *name, const struct stat *st)
{
	g_autofree char *identity = NULL;
	const char *first;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return;
	identity = g_strdup_printf("%lx:%lx", (gulong) st->st_dev, (gulong) st->st_ino);
	first = g_hash_table_lookup(self->links, identity);
	if (first != NULL)
		g_string_append_printf(self->out, " is %s", first);
	else
		g_hash_table_insert(self->links, g_steal_pointer(&identity), g_strdup(name));
}

static void
describe(Description *self, const char *root, const char *name)
{
	g_autofree char *path = g_build_filename(root, name, NULL);
	struct dirent **entries = NULL;
	struct stat st;
	int n;

	g_assert_no_errno(lstat(path, &st));
	g_string_append_printf(self->out, "%s %o %u:%u", *name != '\0' ? name : ".", st.st_mode,
			       st.st_uid, st.st_gid);
	describe_content(self, path, &st);
	describe_links(self, name, &st);
	describe_attributes(self, path);
	g_string_append_c(self->out, '\n');
	if (!S_ISDIR(st.st_mode))
		return;
	n = scandir(path, &entries, NULL, alphasort);
	g_assert_no_errno(n);
	for (int i = 0; i < n; i++) {
		g_autofree char *child = g_strconcat(name, "/", entries[i]->d_name, NULL);

		if (!g_str_equal(entries[i]->d_name, ".") && !g_str_equal(entries[i]->d_name, ".."))
			describe(self, root, child);
		free(entries[i]);
	}
	free(entries);
}

char *
tree_describe(const char *root)
{
	g_autoptr(GHashTable) links =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	Description self = { g_string_new(NULL), links };

	describe(&self, root, "");
	return g_string_free(self.out, FALSE);
}
