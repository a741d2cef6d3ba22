/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cases of containerd's snapshots/testsuite that are about the service: kinds, parents, labels,
 * lists, and what is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conformance/case.h"

#define ROOT_LABEL "labels.\"containerd.io/gc.root\"=="

static void
assert_refused_remove(Case *c, const char *name)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(client_remove(c->client, name, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	/* Clients look for the word. */
	g_assert_nonnull(strstr(error->message, "remove"));
}

static void
assert_same_info(const CamSnapshotInfo *a, const CamSnapshotInfo *b)
{
	GHashTableIter iter;
	gpointer key, value;

	g_assert_cmpstr(a->name, ==, b->name);
	g_assert_cmpstr(a->parent, ==, b->parent);
	g_assert_cmpint(a->kind, ==, b->kind);
	g_assert_cmpint(a->created, ==, b->created);
	g_assert_cmpint(a->updated, ==, b->updated);
	g_assert_cmpuint(g_hash_table_size(a->labels), ==, g_hash_table_size(b->labels));
	g_hash_table_iter_init(&iter, a->labels);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_assert_cmpstr(g_hash_table_lookup(b->labels, key), ==, value);
}

/* Whatever the server has besides. */
static void
assert_listed(Case *c, const CamSnapshotInfo *wanted)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) infos = client_list(c->client, NULL, &error);
	guint found = 0;

	g_assert_no_error(error);
	for (guint i = 0; i < infos->len; i++) {
		const CamSnapshotInfo *info = g_ptr_array_index(infos, i);

		if (!g_str_equal(info->name, wanted->name))
			continue;
		assert_same_info(info, wanted);
		found++;
	}
	g_assert_cmpuint(found, ==, 1);
}

static void
basic(Case *c)
{
	static const Change first[] = {
		{ CHANGE_FILE, "foo", "foo\n", 0777 },
		{ CHANGE_DIRECTORY, "a", NULL, 0755 },
		{ CHANGE_DIRECTORY, "a/b", NULL, 0755 },
		{ CHANGE_DIRECTORY, "a/b/c", NULL, 0755 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_FILE, "bar", "bar\n", 0777 },
		{ CHANGE_FILE, "foo", "bar\n", 0777 },
		{ CHANGE_REMOVE, "a/b" },
		{ CHANGE_END },
	};
	g_autofree char *flat = case_folder(c);
	const char *committed = case_name(c, "committed"), *next = case_name(c, "next");
	const char *next_committed = case_name(c, "committed-next");
	const char *preparing = case_name(c, "preparing"), *look = case_name(c, "look");
	g_autoptr(CamSnapshotInfo) base = NULL, top = NULL;
	g_autoptr(GPtrArray) view = NULL;
	const char *target = case_begin(c, preparing, "");

	tree_change(target, first);
	tree_change(flat, first);
	case_unmount(c, target);
	case_commit(c, committed, preparing);
	case_assert_info(c, committed, CAM_SNAPSHOT_COMMITTED, "");
	case_assert_gone(c, preparing);

	target = case_begin(c, next, committed);
	case_assert_same_tree(target, flat);
	tree_change(target, second);
	tree_change(flat, second);
	case_unmount(c, target);
	case_assert_info(c, next, CAM_SNAPSHOT_ACTIVE, committed);
	case_commit(c, next_committed, next);
	case_assert_info(c, next_committed, CAM_SNAPSHOT_COMMITTED, committed);
	case_assert_gone(c, next);

	base = case_stat(c, committed);
	top = case_stat(c, next_committed);
	assert_listed(c, base);
	assert_listed(c, top);

	view = case_view(c, look, next_committed);
	target = case_mount(c, view);
	case_assert_same_tree(target, flat);
	case_unmount(c, target);
	case_remove(c, look);
	assert_refused_remove(c, committed);
	case_remove(c, next_committed);
	case_remove(c, committed);
	case_assert_gone(c, committed);
}

static void
stat_active(Case *c)
{
	static const Change changes[] = { { CHANGE_FILE, "foo", "foo\n", 0777 }, { CHANGE_END } };
	const char *preparing = case_name(c, "preparing");

	tree_change(case_begin(c, preparing, ""), changes);
	case_assert_info(c, preparing, CAM_SNAPSHOT_ACTIVE, "");
}

/* While it is still mounted. */
static void
stat_committed(Case *c)
{
	static const Change changes[] = { { CHANGE_FILE, "foo", "foo\n", 0777 }, { CHANGE_END } };
	const char *preparing = case_name(c, "preparing"), *committed = case_name(c, "committed");

	tree_change(case_begin(c, preparing, ""), changes);
	case_commit(c, committed, preparing);
	case_assert_info(c, committed, CAM_SNAPSHOT_COMMITTED, "");
}

static void
transitivity(Case *c)
{
	static const Change first[] = { { CHANGE_FILE, "foo", "foo\n", 0777 }, { CHANGE_END } };
	static const Change second[] = { { CHANGE_FILE, "foo", "foo bar\n", 0777 },
					 { CHANGE_END } };
	const char *a = case_name(c, "a"), *b = case_name(c, "b");
	g_autoptr(CamSnapshotInfo) info = NULL;

	tree_change(case_begin(c, case_name(c, "preparing"), ""), first);
	case_commit(c, a, case_name(c, "preparing"));
	tree_change(case_begin(c, case_name(c, "next"), a), second);
	case_commit(c, b, case_name(c, "next"));
	case_assert_info(c, a, CAM_SNAPSHOT_COMMITTED, "");
	case_assert_info(c, b, CAM_SNAPSHOT_COMMITTED, a);
	info = case_stat(c, b);
	case_assert_info(c, info->parent, CAM_SNAPSHOT_COMMITTED, "");
}

static void
prepare_view_failing(Case *c)
{
	const char *a = case_name(c, "a"), *both = case_name(c, "both");
	const char *active = case_name(c, "active"), *view = case_name(c, "view");
	g_autoptr(GError) error = NULL;

	case_begin(c, case_name(c, "preparing"), "");
	case_commit(c, a, case_name(c, "preparing"));
	g_ptr_array_unref(case_prepare(c, both, a));
	g_assert_null(client_view(c->client, both, a, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	g_ptr_array_unref(case_prepare(c, active, a));
	g_assert_null(client_prepare(c->client, active, a, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	g_ptr_array_unref(case_view(c, view, a));
	g_assert_null(client_view(c->client, view, a, c->labels, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
}

/* ---- Update ---- */

static void
make_one_of_each(Case *c)
{
	g_ptr_array_unref(case_prepare(c, case_name(c, "c1-a"), ""));
	case_commit(c, case_name(c, "c1"), case_name(c, "c1-a"));
	g_ptr_array_unref(case_prepare(c, case_name(c, "c2-a"), case_name(c, "c1")));
	case_commit(c, case_name(c, "c2"), case_name(c, "c2-a"));
	g_ptr_array_unref(case_prepare(c, case_name(c, "a1"), case_name(c, "c2")));
	g_ptr_array_unref(case_prepare(c, case_name(c, "a2"), ""));
	g_ptr_array_unref(case_view(c, case_name(c, "v1"), case_name(c, "c2")));
	g_ptr_array_unref(case_view(c, case_name(c, "v2"), ""));
}

/* Labels of @info: the case's own, and these: key, value, key, …, NULL. */
static void
set_labels(Case *c, CamSnapshotInfo *info, const char *const *labels)
{
	g_hash_table_remove_all(info->labels);
	g_hash_table_insert(info->labels, g_strdup("containerd.io/gc.root"), g_strdup(c->prefix));
	for (; *labels != NULL; labels += 2)
		g_hash_table_replace(info->labels, g_strdup(labels[0]), g_strdup(labels[1]));
}

static void
assert_labels(Case *c, const CamSnapshotInfo *info, const char *const *labels)
{
	guint n = 1;

	g_assert_cmpstr(g_hash_table_lookup(info->labels, "containerd.io/gc.root"), ==, c->prefix);
	for (; *labels != NULL; labels += 2, n++)
		g_assert_cmpstr(g_hash_table_lookup(info->labels, labels[0]), ==, labels[1]);
	g_assert_cmpuint(g_hash_table_size(info->labels), ==, n);
}

/* *@info becomes what the server answered. */
static void
update(Case *c, CamSnapshotInfo **info, const char *const *labels, const char *const *paths)
{
	g_autoptr(GError) error = NULL;
	CamSnapshotInfo *updated;

	set_labels(c, *info, labels);
	updated = client_update(c->client, *info, paths, &error);
	g_assert_no_error(error);
	cam_snapshot_info_free(*info);
	*info = updated;
}

static void
update_one(Case *c, const char *name, CamSnapshotKind kind, const char *parent)
{
	static const char *const three[] = { "l1", "v1", "l2", "v2", "l3", "v3", NULL };
	static const char *const some[] = { "l1", "updated", "l4", "v4", NULL };
	static const char *const some_paths[] = { "labels.l1", "labels.l2", NULL };
	static const char *const after_some[] = { "l1", "updated", "l3", "v3", NULL };
	static const char *const last[] = { "l4", "v4", NULL };
	static const char *const all_paths[] = { "labels", NULL };
	static const char *const wrong_paths[] = { "parent", NULL };
	g_autoptr(CamSnapshotInfo) info = case_stat(c, name);
	g_autoptr(GError) error = NULL;
	gint64 created = info->created, before = g_get_real_time() * 1000;

	/* What cannot be changed is ignored where no mask names it. */
	g_free(info->parent);
	info->parent = g_strdup("no-such-parent");
	update(c, &info, three, NULL);
	g_assert_cmpint(info->created, ==, created);
	g_assert_cmpint(info->updated, >=, before);
	g_assert_cmpint(info->updated, <=, (g_get_real_time() + 1) * 1000);
	g_assert_cmpint(info->kind, ==, kind);
	g_assert_cmpstr(info->parent, ==, parent);
	g_assert_cmpstr(info->name, ==, name);
	assert_labels(c, info, three);

	update(c, &info, some, some_paths);
	assert_labels(c, info, after_some);
	update(c, &info, last, all_paths);
	assert_labels(c, info, last);

	g_assert_null(client_update(c->client, info, wrong_paths, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
update_all(Case *c)
{
	static const struct {
		const char *name, *parent;
		CamSnapshotKind kind;
	} each[] = {
		{ "c1", NULL, CAM_SNAPSHOT_COMMITTED }, { "c2", "c1", CAM_SNAPSHOT_COMMITTED },
		{ "a1", "c2", CAM_SNAPSHOT_ACTIVE },	{ "a2", NULL, CAM_SNAPSHOT_ACTIVE },
		{ "v1", "c2", CAM_SNAPSHOT_VIEW },	{ "v2", NULL, CAM_SNAPSHOT_VIEW },
	};
	gint64 before = g_get_real_time() * 1000, after;

	make_one_of_each(c);
	after = (g_get_real_time() + 1) * 1000;
	for (gsize i = 0; i < G_N_ELEMENTS(each); i++) {
		const char *name = case_name(c, each[i].name);
		const char *parent = each[i].parent != NULL ? case_name(c, each[i].parent) : "";
		g_autoptr(CamSnapshotInfo) info = case_stat(c, name);

		case_assert_info(c, name, each[i].kind, parent);
		g_assert_cmpint(info->created, >=, before);
		g_assert_cmpint(info->created, <=, after);
		g_assert_cmpint(info->updated, ==, info->created);
		update_one(c, name, each[i].kind, parent);
	}
}

/* ---- the others ---- */

static void
remove_and_reuse(Case *c)
{
	const char *committed = case_name(c, "committed"), *reused = case_name(c, "reused");

	g_ptr_array_unref(case_prepare(c, case_name(c, "a"), ""));
	case_commit(c, committed, case_name(c, "a"));
	g_ptr_array_unref(case_prepare(c, reused, committed));
	case_remove(c, reused);
	g_ptr_array_unref(case_view(c, reused, committed));
	case_remove(c, reused);
	g_ptr_array_unref(case_prepare(c, reused, ""));
	case_remove(c, committed);
	case_commit(c, committed, reused);
	case_assert_info(c, committed, CAM_SNAPSHOT_COMMITTED, "");
}

/* With the label "l" besides. */
static void
make_labelled(Case *c, const char *key, const char *parent, const char *value, gboolean view)
{
	g_hash_table_replace(c->labels, g_strdup("l"), g_strdup(value));
	g_ptr_array_unref(view ? case_view(c, key, parent) : case_prepare(c, key, parent));
	g_hash_table_remove(c->labels, "l");
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The names without prefix, sorted, with blanks between them. */
static char *
list(Case *c, const char *const *filters)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) infos = client_list(c->client, filters, &error);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	g_assert_no_error(error);
	for (guint i = 0; i < infos->len; i++) {
		const CamSnapshotInfo *info = g_ptr_array_index(infos, i);

		g_assert_true(g_str_has_prefix(info->name, c->prefix));
		g_ptr_array_add(names, info->name + strlen(c->prefix));
	}
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return g_strjoinv(" ", (char **) names->pdata);
}

static void
make_for_walk(Case *c)
{
	g_ptr_array_unref(case_prepare(c, case_name(c, "a-np"), ""));
	g_ptr_array_unref(case_prepare(c, case_name(c, "p-tmp"), ""));
	case_commit(c, case_name(c, "p"), case_name(c, "p-tmp"));
	g_ptr_array_unref(case_prepare(c, case_name(c, "a"), case_name(c, "p")));
	g_ptr_array_unref(case_view(c, case_name(c, "v"), case_name(c, "p")));
	g_ptr_array_unref(case_prepare(c, case_name(c, "p-wl-tmp"), ""));
	g_hash_table_replace(c->labels, g_strdup("l"), g_strdup("1"));
	case_commit(c, case_name(c, "p-wl"), case_name(c, "p-wl-tmp"));
	make_labelled(c, case_name(c, "a-wl"), case_name(c, "p-wl"), "2", FALSE);
	make_labelled(c, case_name(c, "v-wl"), case_name(c, "p-wl"), "3", TRUE);
	make_labelled(c, case_name(c, "a-np-wl"), "", "2", FALSE);
}

/* "@" stands for the prefix. Each filter is only about the case's own snapshots. */
static const struct {
	const char *filters[3];
	const char *names;
} walks[] = {
	{ { "name" }, "a a-np a-np-wl a-wl p p-wl v v-wl" },
	{ { "kind==active" }, "a a-np a-np-wl a-wl" },
	{ { "kind==view" }, "v v-wl" },
	{ { "kind==committed" }, "p p-wl" },
	{ { "name==@p", "name==@a-np-wl" }, "a-np-wl p" },
	{ { "name==@a-wl,labels.l" }, "a-wl" },
	{ { "parent==@p" }, "a v" },
	{ { "parent!=\"\"" }, "a a-wl v v-wl" },
	{ { "labels.l" }, "a-np-wl a-wl p-wl v-wl" },
	{ { "labels.l==2" }, "a-np-wl a-wl" },
	/* Not in the original: what a regular expression finds. */
	{ { "name~=/-wl$/,kind!=active" }, "p-wl v-wl" },
};

static void
walk(Case *c)
{
	make_for_walk(c);
	for (gsize i = 0; i < G_N_ELEMENTS(walks); i++) {
		g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
		g_auto(GStrv) filters = NULL;
		g_autofree char *names = NULL;

		for (const char *const *f = walks[i].filters; *f != NULL; f++) {
			g_auto(GStrv) parts = g_strsplit(*f, "@", -1);
			g_autofree char *own = g_strjoinv(c->prefix, parts);
			g_autofree char *whole = g_strconcat(own, "," ROOT_LABEL, c->prefix, NULL);

			g_strv_builder_add(builder, whole);
		}
		filters = g_strv_builder_end(builder);
		names = list(c, (const char *const *) filters);
		g_assert_cmpstr(names, ==, walks[i].names);
	}
}

static void
stat_in_walk(Case *c)
{
	g_autofree char *filter = g_strconcat(ROOT_LABEL, c->prefix, NULL);
	const char *const filters[] = { filter, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) infos = NULL;

	make_one_of_each(c);
	infos = client_list(c->client, filters, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(infos->len, ==, 6);
	for (guint i = 0; i < infos->len; i++) {
		const CamSnapshotInfo *info = g_ptr_array_index(infos, i);
		g_autoptr(CamSnapshotInfo) again = case_stat(c, info->name);

		assert_same_info(info, again);
	}
}

/* A client that is done ends its connection, and so does the next one. */
static void
close_twice(Case *c)
{
	for (guint i = 0; i < 2; i++) {
		g_ptr_array_unref(case_prepare(c, case_name(c, "prepare"), ""));
		case_commit(c, case_name(c, "name"), case_name(c, "prepare"));
		case_remove(c, case_name(c, "name"));
		client_free(c->client);
		c->client = client_new(c->options);
	}
	case_assert_gone(c, case_name(c, "name"));
}

static void
remove_intermediate(Case *c)
{
	const char *base = case_name(c, "base"), *middle = case_name(c, "middle");
	const char *top = case_name(c, "top");

	case_begin(c, case_name(c, "base-a"), "");
	case_commit(c, base, case_name(c, "base-a"));
	g_ptr_array_unref(case_prepare(c, case_name(c, "middle-a"), base));
	case_commit(c, middle, case_name(c, "middle-a"));
	g_ptr_array_unref(case_prepare(c, top, middle));
	assert_refused_remove(c, middle);
	case_remove(c, top);
	case_remove(c, middle);
	case_unmount(c, g_ptr_array_index(c->mounted, 0));
	case_remove(c, base);
}

static void
view_readonly(Case *c)
{
	const char *committed = case_name(c, "committed"), *view = case_name(c, "view");
	g_autoptr(GPtrArray) mounts = NULL;
	g_autofree char *path = NULL;
	const char *target;

	g_ptr_array_unref(case_prepare(c, case_name(c, "preparing"), ""));
	case_commit(c, committed, case_name(c, "preparing"));
	mounts = case_view(c, view, committed);
	/* What the options say is not enough: it must be so. */
	target = case_mount(c, mounts);
	path = g_build_filename(target, "file", NULL);
	g_assert_cmpint(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), ==, -1);
	g_assert_cmpint(errno, ==, EROFS);
	case_unmount(c, target);
	case_remove(c, view);
	case_remove(c, committed);
}

static void
root_permission(Case *c)
{
	struct stat st;

	g_assert_no_errno(stat(case_begin(c, case_name(c, "preparing"), ""), &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
}

const CaseEntry cases_service[] = {
	{ "Basic", basic },
	{ "StatActive", stat_active },
	{ "StatCommitted", stat_committed },
	{ "Transitivity", transitivity },
	{ "PrepareViewFailing", prepare_view_failing },
	{ "Update", update_all },
	{ "Remove", remove_and_reuse },
	{ "Walk", walk },
	{ "RemoveIntermediateSnapshot", remove_intermediate },
	{ "ViewReadonly", view_readonly },
	{ "StatInWalk", stat_in_walk },
	{ "CloseTwice", close_twice },
	{ "RootPermission", root_permission },
	{ NULL },
};
