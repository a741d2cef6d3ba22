/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containerd's own filters match, and what they refuse, case by case. */
#include "snapshotter/snapshots/snapshot-filter.h"

#include <string.h>

#include "snapshotter/oci/error.h"

/* The snapshots by one letter each: what a filter matches is a word. */
static const struct {
	char letter;
	const char *name, *parent;
	CamSnapshotKind kind;
	const char *labels[5];
} snapshots[] = {
	{ 'a', "base", "", CAM_SNAPSHOT_COMMITTED, { NULL } },
	{ 'b', "k8s.io/7/top", "base", CAM_SNAPSHOT_COMMITTED, { "tier", "web", NULL } },
	{ 'c', "run", "k8s.io/7/top", CAM_SNAPSHOT_ACTIVE, { "tier", "", "x.y.z", "dots", NULL } },
	{ 'd', "look", "base", CAM_SNAPSHOT_VIEW, { "a \"b\\", "odd", NULL } },
	{ 'e',
	  "\xe7\x89\x9b",
	  "",
	  CAM_SNAPSHOT_ACTIVE,
	  { "containerd.io/snapshot.ref", "sha256:1,2", NULL } },
};

static CamSnapshotInfo *
make_info(gsize i)
{
	CamSnapshotInfo *info = g_new0(CamSnapshotInfo, 1);

	info->name = g_strdup(snapshots[i].name);
	info->parent = g_strdup(snapshots[i].parent);
	info->kind = snapshots[i].kind;
	info->labels = g_hash_table_new(g_str_hash, g_str_equal);
	for (const char *const *label = snapshots[i].labels; *label != NULL; label += 2)
		g_hash_table_insert(info->labels, (gpointer) label[0], (gpointer) label[1]);
	return info;
}

/* (transfer full): the letters of those that match; the message of an error after a "!" */
static char *
match(const char *const *filters)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamSnapshotFilter) filter = cam_snapshot_filter_parse(filters, &error);
	GString *letters = g_string_new(NULL);

	if (filter == NULL) {
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		g_string_printf(letters, "!%s", error->message);
	}
	for (gsize i = 0; filter != NULL && i < G_N_ELEMENTS(snapshots); i++) {
		g_autoptr(CamSnapshotInfo) info = make_info(i);

		if (cam_snapshot_filter_matches(filter, info))
			g_string_append_c(letters, snapshots[i].letter);
	}
	return g_string_free(letters, FALSE);
}

typedef struct {
	const char *filter, *letters;
} Case;

static void
check(const Case *cases, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		const char *const filters[] = { cases[i].filter, NULL };
		g_autofree char *letters = match(filters);

		g_test_message("%s", cases[i].filter);
		g_assert_cmpstr(letters, ==, cases[i].letters);
	}
}

static void
test_fields(void)
{
	static const Case cases[] = {
		{ "", "abcde" },
		{ "name", "abcde" },
		{ "parent", "abcde" },
		{ "kind", "abcde" },
		{ "labels", "" },
		{ "labels.tier", "bc" },
		{ "labels.x.y.z", "c" },
		{ "labels.\"x.y\".z", "c" },
		{ "labels.\"x.y.z\"", "c" },
		{ "labels.x.y", "" },
		{ "\"labels\".tier", "bc" },
		{ "labels.\"a \\\"b\\\\\"", "d" },
		{ "labels.\"containerd.io/snapshot.ref\"", "e" },
		{ "created", "" },
		{ "size", "" },
		/* What follows a field without parts is ignored. */
		{ "name.first==base", "a" },
		{ "\"\\x00\"", "" },
		{ "labels.\"tier\\000\"", "" },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void
test_equal(void)
{
	static const Case cases[] = {
		{ "name==base", "a" },
		{ "name==bas", "" },
		{ "name!=base", "bcde" },
		{ "name==\"k8s.io/7/top\"", "b" },
		{ "name==k8s.io/7/top", "b" },
		{ "name==\xe7\x89\x9b", "e" },
		{ "name==\"\\u725b\"", "e" },
		{ "name==\"\\U0000725b\"", "e" },
		{ "name==\"\\xe7\\x89\\233\"", "e" },
		{ "name==\"b\\141se\"", "a" },
		{ "parent==\"\"", "ae" },
		{ "parent!=\"\"", "bcd" },
		{ "parent==base", "bd" },
		{ "kind==active", "ce" },
		{ "kind==view", "d" },
		{ "kind==committed", "ab" },
		{ "kind==Active", "" },
		{ "kind!=active", "abd" },
		{ "labels.tier==web", "b" },
		{ "labels.tier==\"\"", "c" },
		{ "labels.tier!=web", "acde" },
		{ "labels.tier!=\"\"", "b" },
		{ "labels.\"containerd.io/snapshot.ref\"==\"sha256:1,2\"", "e" },
		{ "unknown==\"\"", "" },
		{ "unknown!=x", "abcde" },
		{ "unknown!=\"\"", "" },
		{ "name==\"base\\x00\"", "" },
		{ "name!=\"base\\x00\"", "abcde" },
		{ "name == base", "a" },
		{ " name==base", "a" },
		{ "name==a=b!c~d", "" },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void
test_expressions(void)
{
	static const Case cases[] = {
		{ "name~=o", "bd" },
		{ "name~=^b", "a" },
		{ "name~=e$", "a" },
		{ "name~=/k8s.*top/", "b" },
		{ "name~=|^k8s.io/7/top$|", "b" },
		{ "name~=/^k8s.io\\/7\\/top$/", "b" },
		{ "name~=\"^(base|look)$\"", "ad" },
		{ "name~=/^[a-z]{3,4}$/", "acd" },
		{ "name~=^\\w+$,name!=run,kind!=active", "ad" },
		{ "name~=/^\\\\w+$/,kind!=active", "ad" },
		{ "name~=^.$", "e" },
		{ "name~=\xe7\x89\x9b", "e" },
		/* What is absent is empty text. */
		{ "labels.tier~=^$", "acde" },
		{ "labels.tier~=web|none", "b" },
		/* What cannot be compiled matches nothing. */
		{ "name~=/(/", "" },
		{ "name~=[", "" },
		{ "name~=\"\\xff\"", "" },
		{ "name~=\"\\x00\"", "" },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void
test_combinations(void)
{
	static const Case cases[] = {
		{ "name==base,kind==committed", "a" },
		{ "name==base,kind==active", "" },
		{ "labels.tier, labels.x.y.z", "c" },
		{ "kind==active,parent==\"\",labels.\"containerd.io/snapshot.ref\"", "e" },
	};
	static const char *const either[] = { "name==base", "kind==view", "labels.tier==web",
					      NULL };
	static const char *const with_empty[] = { "name==base", "", NULL };
	static const char *const with_wrong[] = { "name==base", "name=", NULL };
	static const char *const none[] = { NULL };
	g_autofree char *letters = match(either), *all = match(with_empty),
			*wrong = match(with_wrong);
	g_autofree char *no_filter = match(none), *null = match(NULL);

	check(cases, G_N_ELEMENTS(cases));
	g_assert_cmpstr(letters, ==, "abd");
	g_assert_cmpstr(all, ==, "abcde");
	g_assert_true(g_str_has_prefix(wrong, "!cannot read the filter name=: "));
	g_assert_cmpstr(no_filter, ==, "abcde");
	g_assert_cmpstr(null, ==, "abcde");
}

/* The filter, what is wrong with it, and where. */
static void
test_errors(void)
{
	static const struct {
		const char *filter, *problem;
		guint at;
	} cases[] = {
		{ " ", "a field is expected", 2 },
		{ ",", "a field is expected", 1 },
		{ "name==foo,", "a field is expected", 11 },
		{ "labels.", "a field is expected", 8 },
		{ ".name", "a field is expected", 1 },
		{ "==x", "a field is expected", 1 },
		{ "labels.?", "unexpected character", 8 },
		{ "\xe7\x89\x9b==x", "unexpected character", 1 },
		{ "labels.|foo|==x", "only \" quotes here", 8 },
		{ "name==/base/", "only \" quotes here", 7 },
		{ "name!=|base|", "only \" quotes here", 7 },
		{ "name=base", "an operator (==, != or ~=) is expected", 5 },
		{ "name===base", "an operator (==, != or ~=) is expected", 5 },
		{ "name==~base", "an operator (==, != or ~=) is expected", 5 },
		{ "name base", "an operator (==, != or ~=) is expected", 6 },
		{ "labels .tier", "an operator (==, != or ~=) is expected", 8 },
		{ "name ,kind", "an operator (==, != or ~=) is expected", 6 },
		{ "labels.ns/key/==v", "an operator (==, != or ~=) is expected", 10 },
		{ "labels.ns/key==v", "quoted text does not end", 10 },
		{ "name==\"base", "quoted text does not end", 7 },
		{ "name==\"ba\nse\"", "quoted text does not end", 7 },
		{ "name==\"\\", "this escape means nothing inside quotes", 7 },
		{ "name~=/\\d/", "this escape means nothing inside quotes", 7 },
		{ "name==\"\\'\"", "this escape means nothing inside quotes", 7 },
		{ "name==\"\\x4\"", "this escape means nothing inside quotes", 7 },
		{ "name==\"\\08\"", "this escape means nothing inside quotes", 7 },
		{ "name==\"\\777\"", "an escape stands for no character", 7 },
		{ "name==\"\\U00110000\"", "an escape stands for no character", 7 },
		{ "name==", "a value is expected; quote it with \"", 7 },
		{ "name==,kind", "a value is expected; quote it with \"", 7 },
		{ "name==.", "a value is expected; quote it with \"", 7 },
		{ "name==base kind", "a comma or the end is expected", 11 },
		{ "name==base ", "a comma or the end is expected", 11 },
		{ "name==\"a\"\"b\"", "a comma or the end is expected", 10 },
		{ "name==\xff", "this is not UTF-8", 7 },
		{ "name==a\xff", "a comma or the end is expected", 8 },
		{ "na\xff", "this is not UTF-8", 3 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const filters[] = { cases[i].filter, NULL };
		g_autofree char *shown = g_utf8_make_valid(cases[i].filter, -1);
		g_autofree char *message = match(filters);
		g_autofree char *wanted =
			g_strdup_printf("!cannot read the filter %s: %s at character %u", shown,
					cases[i].problem, cases[i].at);

		g_assert_cmpstr(message, ==, wanted);
	}
}

/* A surrogate becomes what Go makes of it. */
static void
test_surrogates(void)
{
	static const char *const filters[] = { "name==\"\\ud800\"", NULL };
	g_autoptr(CamSnapshotFilter) filter = cam_snapshot_filter_parse(filters, NULL);
	g_autoptr(CamSnapshotInfo) info = make_info(0);

	g_free(info->name);
	info->name = g_strdup("\xef\xbf\xbd");
	g_assert_true(cam_snapshot_filter_matches(filter, info));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snapshot-filter/fields", test_fields);
	g_test_add_func("/snapshot-filter/equal", test_equal);
	g_test_add_func("/snapshot-filter/expressions", test_expressions);
	g_test_add_func("/snapshot-filter/combinations", test_combinations);
	g_test_add_func("/snapshot-filter/errors", test_errors);
	g_test_add_func("/snapshot-filter/surrogates", test_surrogates);
	return g_test_run();
}
