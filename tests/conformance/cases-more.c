/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containerd relies on beyond its own testsuite: codes, long lists, usage, mounts twice. */
#include <string.h>

#include "tests/conformance/case.h"

#define MANY	   250
#define LONG_LABEL 4097 /* bytes: one more than containerd takes */

static void
codes(Case *c)
{
	const char *active = case_name(c, "active"), *view = case_name(c, "view");
	const char *committed = case_name(c, "committed"), *none = case_name(c, "none");
	g_autoptr(GError) error = NULL;

	g_ptr_array_unref(case_prepare(c, active, ""));
	g_ptr_array_unref(case_view(c, view, ""));
	g_ptr_array_unref(case_prepare(c, case_name(c, "other"), ""));
	case_commit(c, committed, case_name(c, "other"));

	g_assert_null(client_prepare(c->client, case_name(c, "x"), none, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(client_prepare(c->client, case_name(c, "x"), active, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(client_commit(c->client, case_name(c, "x"), none, NULL, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(client_commit(c->client, committed, active, NULL, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	g_assert_false(client_commit(c->client, case_name(c, "x"), view, NULL, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_clear_error(&error);
	g_assert_false(client_remove(c->client, none, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(client_mounts(c->client, none, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(client_mounts(c->client, committed, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

static void
labels_too_long(Case *c)
{
	g_autofree char *value = g_strnfill(LONG_LABEL - 1, 'v');
	g_autoptr(GError) error = NULL;

	g_hash_table_insert(c->labels, g_strdup("k"), g_steal_pointer(&value));
	g_assert_null(client_prepare(c->client, case_name(c, "x"), "", c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_hash_table_remove(c->labels, "k");
}

static void
filters_refused(Case *c)
{
	static const char *const filters[] = { "name=x", NULL };
	g_autoptr(GError) error = NULL;

	g_assert_null(client_list(c->client, filters, &error));
	/* containerd itself forgets to give its error a code. */
	if (c->options->name_space == NULL)
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
long_list(Case *c)
{
	g_autofree char *filter =
		g_strdup_printf("labels.\"containerd.io/gc.root\"==\"%s\"", c->prefix);
	const char *const filters[] = { filter, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) infos = NULL;

	for (guint i = 0; i < MANY; i++) {
		g_autofree char *key = g_strdup_printf("%s%u", c->prefix, i);

		g_ptr_array_unref(case_prepare(c, key, ""));
	}
	infos = client_list(c->client, filters, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(infos->len, ==, MANY);
}

/* Mounts says what Prepare said, and both may be mounted one after the other. */
static void
mounts_again(Case *c)
{
	static const Change changes[] = { { CHANGE_FILE, "f", "x", 0644 }, { CHANGE_END } };
	const char *key = case_name(c, "key");
	g_autoptr(GPtrArray) first = case_prepare(c, key, ""), second = NULL;
	g_autoptr(GError) error = NULL;
	const char *target = case_mount(c, first);
	g_autofree char *before = NULL, *after = NULL;

	tree_change(target, changes);
	before = tree_describe(target);
	case_unmount(c, target);
	second = client_mounts(c->client, key, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(first->len, ==, second->len);
	for (guint i = 0; i < first->len; i++)
		g_assert_true(cam_snapshot_mount_equal(first->pdata[i], second->pdata[i]));
	after = tree_describe(case_mount(c, second));
	g_assert_cmpstr(before, ==, after);
}

/* What was unpacked beside its parent comes to stand on it. containerd sends that since 2.2. */
static void
commit_with_parent(Case *c)
{
	static const Change below[] = {
		{ CHANGE_DIRECTORY, "d", NULL, 0755 },
		{ CHANGE_FILE, "d/below", "below", 0644 },
		{ CHANGE_FILE, "both", "below", 0600 },
		{ CHANGE_END },
	};
	static const Change above[] = {
		{ CHANGE_FILE, "both", "above", 0644 },
		{ CHANGE_FILE, "new", "new", 0644 },
		{ CHANGE_END },
	};
	const char *base = case_name(c, "base"), *top = case_name(c, "top");
	g_autofree char *flat = case_folder(c);
	g_autoptr(GPtrArray) view = NULL;
	g_autoptr(GError) error = NULL;
	const char *first, *second;

	if (c->options->name_space != NULL) {
		g_test_skip("containerd before 2.2 does not pass a parent on");
		return;
	}
	first = case_begin(c, case_name(c, "base-a"), "");
	second = case_begin(c, case_name(c, "top-a"), "");
	tree_change(first, below);
	tree_change(second, above);
	tree_change(flat, below);
	tree_change(flat, above);
	case_unmount(c, first);
	case_unmount(c, second);
	case_commit(c, base, case_name(c, "base-a"));
	g_assert_false(client_commit(c->client, top, case_name(c, "top-a"), case_name(c, "none"),
				     c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	client_commit(c->client, top, case_name(c, "top-a"), base, c->labels, &error);
	g_assert_no_error(error);
	g_ptr_array_add(c->names, (gpointer) top);
	case_assert_info(c, top, CAM_SNAPSHOT_COMMITTED, base);
	view = case_view(c, case_name(c, "view"), top);
	case_assert_same_tree(case_mount(c, view), flat);
}

/* At least what was written, and of the snapshot alone. */
static void
usage(Case *c)
{
	g_autofree char *text = g_strnfill(256 * 1024, 'x');
	const Change changes[] = { { CHANGE_FILE, "f", text, 0644 }, { CHANGE_END } };
	const char *base = case_name(c, "base"), *top = case_name(c, "top");
	g_autoptr(GError) error = NULL;
	gint64 size = 0, inodes = 0, top_size = 0;
	const char *target = case_begin(c, case_name(c, "key"), "");

	tree_change(target, changes);
	case_unmount(c, target);
	client_usage(c->client, case_name(c, "key"), &size, &inodes, &error);
	g_assert_no_error(error);
	g_assert_cmpint(size, >=, 256 * 1024);
	case_commit(c, base, case_name(c, "key"));
	client_usage(c->client, base, &size, &inodes, &error);
	g_assert_no_error(error);
	g_assert_cmpint(size, >=, 256 * 1024);
	g_assert_cmpint(inodes, >=, 2);
	g_ptr_array_unref(case_prepare(c, top, base));
	client_usage(c->client, top, &top_size, &inodes, &error);
	g_assert_no_error(error);
	g_assert_cmpint(top_size, <, size);
	g_assert_false(client_usage(c->client, case_name(c, "none"), &size, &inodes, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

const CaseEntry cases_more[] = {
	{ "Codes", codes },
	{ "LabelsTooLong", labels_too_long },
	{ "FiltersRefused", filters_refused },
	{ "LongList", long_list },
	{ "MountsAgain", mounts_again },
	{ "CommitWithParent", commit_with_parent },
	{ "Usage", usage },
	{ NULL },
};
