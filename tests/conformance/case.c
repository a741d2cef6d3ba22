/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame of a case: what it begins with, its short words, and the end that leaves nothing. */
#include "tests/conformance/case.h"

#include <fcntl.h>
#include <unistd.h>

#include "snapshotter/snapshotter.h"

#define ROOT_LABEL "containerd.io/gc.root"

/* ---- begin and end ---- */

static Case *
case_new(const ClientOptions *options)
{
	Case *c = g_new0(Case, 1);
	g_autofree char *unique = g_uuid_string_random();
	g_autoptr(GError) error = NULL;

	c->client = client_new(options);
	c->options = options;
	c->work = g_dir_make_tmp("cam-XXXXXX", &error);
	g_assert_no_error(error);
	unique[8] = '\0';
	c->prefix = g_strdup_printf("%s-", unique);
	c->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(c->labels, g_strdup(ROOT_LABEL), g_strdup(c->prefix));
	c->names = g_ptr_array_new();
	c->mounted = g_ptr_array_new();
	return c;
}

/* Those without children go first, whichever they are. */
static void
remove_snapshots(Case *c)
{
	g_autoptr(GError) problem = NULL;
	guint before;

	do {
		before = c->names->len;
		for (guint i = c->names->len; i-- > 0;) {
			g_autoptr(GError) error = NULL;

			if (client_remove(c->client, g_ptr_array_index(c->names, i), &error) ||
			    g_error_matches(error, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
				g_ptr_array_remove_index(c->names, i);
				continue;
			}
			g_clear_error(&problem);
			problem = g_steal_pointer(&error);
		}
	} while (c->names->len > 0 && c->names->len < before);
	if (c->names->len > 0)
		g_error("%u snapshots cannot be removed: %s", c->names->len, problem->message);
}

static void
case_free(Case *c)
{
	g_autoptr(GError) error = NULL;

	while (c->mounted->len > 0)
		case_unmount(c, g_ptr_array_index(c->mounted, c->mounted->len - 1));
	remove_snapshots(c);
	cam_remove_tree_at(AT_FDCWD, c->work, &error);
	g_assert_no_error(error);
	client_free(c->client);
	g_free(c->work);
	g_free(c->prefix);
	g_hash_table_unref(c->labels);
	g_ptr_array_unref(c->names);
	g_ptr_array_unref(c->mounted);
	g_free(c);
}

void
case_run(const CaseEntry *entry, const ClientOptions *options)
{
	Case *c;

	if (options->socket == NULL) {
		g_test_skip("no server is named: --socket S");
		return;
	}
	if (geteuid() != 0) {
		g_test_skip("mounting needs root");
		return;
	}
	c = case_new(options);
	entry->run(c);
	case_free(c);
}

/* ---- words ---- */

const char *
case_name(Case *c, const char *name)
{
	g_autofree char *full = g_strconcat(c->prefix, name, NULL);

	return g_intern_string(full);
}

static GPtrArray *
made(Case *c, const char *key, GPtrArray *mounts, GError *error)
{
	g_assert_no_error(error);
	g_ptr_array_add(c->names, (gpointer) g_intern_string(key));
	return mounts;
}

GPtrArray *
case_prepare(Case *c, const char *key, const char *parent)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *mounts = client_prepare(c->client, key, parent, c->labels, &error);

	return made(c, key, mounts, error);
}

GPtrArray *
case_view(Case *c, const char *key, const char *parent)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *mounts = client_view(c->client, key, parent, c->labels, &error);

	return made(c, key, mounts, error);
}

void
case_commit(Case *c, const char *name, const char *key)
{
	g_autoptr(GError) error = NULL;

	client_commit(c->client, name, key, NULL, c->labels, &error);
	made(c, name, NULL, error);
}

void
case_remove(Case *c, const char *key)
{
	g_autoptr(GError) error = NULL;

	client_remove(c->client, key, &error);
	g_assert_no_error(error);
}

CamSnapshotInfo *
case_stat(Case *c, const char *key)
{
	g_autoptr(GError) error = NULL;
	CamSnapshotInfo *info = client_stat(c->client, key, &error);

	g_assert_no_error(error);
	return info;
}

char *
case_folder(Case *c)
{
	char *folder = g_build_filename(c->work, "XXXXXX", NULL);

	g_assert_nonnull(g_mkdtemp_full(folder, 0755));
	return folder;
}

const char *
case_mount(Case *c, const GPtrArray *mounts)
{
	g_autofree char *folder = case_folder(c);
	const char *target = g_intern_string(folder);

	tree_mount(mounts, target);
	g_ptr_array_add(c->mounted, (gpointer) target);
	return target;
}

void
case_unmount(Case *c, const char *target)
{
	tree_unmount(target);
	g_assert_true(g_ptr_array_remove(c->mounted, (gpointer) target));
}

const char *
case_begin(Case *c, const char *key, const char *parent)
{
	g_autoptr(GPtrArray) mounts = case_prepare(c, key, parent);

	return case_mount(c, mounts);
}

/* ---- assertions ---- */

void
case_assert_gone(Case *c, const char *key)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(client_stat(c->client, key, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

void
case_assert_info(Case *c, const char *name, CamSnapshotKind kind, const char *parent)
{
	g_autoptr(CamSnapshotInfo) info = case_stat(c, name);

	g_assert_cmpstr(info->name, ==, name);
	g_assert_cmpint(info->kind, ==, kind);
	g_assert_cmpstr(info->parent, ==, parent);
}

void
case_assert_same_tree(const char *a, const char *b)
{
	g_autofree char *first = tree_describe(a), *second = tree_describe(b);

	g_assert_cmpstr(first, ==, second);
}

void
case_check_layers(Case *c, const Change *const *layers)
{
	g_autofree char *flat = case_folder(c);
	const char *parent = "";

	for (guint i = 0; layers[i] != NULL; i++) {
		g_autofree char *number = g_strdup_printf("%u-%u", c->names->len, i);
		const char *name = case_name(c, number);
		g_autofree char *key = g_strconcat(name, "-prepare", NULL);
		g_autofree char *view_key = g_strconcat(name, "-view", NULL);
		g_autoptr(GPtrArray) view = NULL;
		const char *target = case_begin(c, key, parent);

		tree_change(target, layers[i]);
		tree_change(flat, layers[i]);
		case_unmount(c, target);
		case_commit(c, name, key);

		view = case_view(c, view_key, name);
		target = case_mount(c, view);
		case_assert_same_tree(target, flat);
		case_unmount(c, target);
		case_remove(c, view_key);
		parent = name;
	}
}
