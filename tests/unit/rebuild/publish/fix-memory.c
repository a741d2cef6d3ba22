/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a remembered layer may be used again, and when not. */
#include "rebuild/publish/fix-memory.h"

#include <string.h>

#include "tests/unit/rebuild/publish/fixture.h"

static CamMemoryRootfs *
make_tree(void)
{
	CamMemoryRootfs *tree = cam_memory_rootfs_new();

	cam_memory_rootfs_add_file(tree, "etc/passwd", "root", -1, 0644);
	cam_memory_rootfs_add_file(tree, "usr/bin/tool", "tool", -1, 0755);
	cam_memory_rootfs_add_file(tree, "var/lib/dpkg/status", "status", -1, 0644);
	cam_memory_rootfs_add_file(tree, "srv/app", "app", -1, 0644);
	return tree;
}

static gboolean
accepts(const char *diff_id, gpointer user_data, gboolean *accepted, GError **error)
{
	*accepted = user_data == NULL;
	return TRUE;
}

/* (nullable) */
static char *
find(CamFixMemory *memory, const char *key, CamMemoryRootfs *tree, CamLowerTimes *times)
{
	g_autoptr(GError) error = NULL;
	char *diff_id = NULL;
	gint64 epoch = 0;

	cam_fix_memory_find(memory, key, CAM_ROOTFS(tree), times, accepts, NULL, &diff_id, &epoch,
			    &error);
	g_assert_no_error(error);
	if (diff_id != NULL)
		g_assert_cmpint(epoch, ==, 1700000000);
	return diff_id;
}

static void
test_conditions(void)
{
	static const struct {
		const char *path;
		gboolean reusable; /* in spite of another file there */
	} cases[] = {
		{ "srv/app", TRUE },
		{ "srv/new", TRUE },
		{ "app/bin", TRUE },
		{ "home/user/x", TRUE },
		{ "etc/passwd", FALSE },
		{ "etc/new", FALSE },
		{ "usr/local/lib/libx.so", FALSE },
		{ "var/lib/dpkg/status", FALSE },
		{ "opt/touched", FALSE }, /* the layer has it */
		{ "opt/new", FALSE },	  /* the layer repeats the metadata of opt */
	};
	const char *const no_layers[] = { NULL };
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamMemoryRootfs) tree = make_tree();
	g_autoptr(CamLayerTar) tar = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamFixMemory) memory = NULL;
	g_autoptr(CamLowerTimes) times = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *diff_id = NULL, *found = NULL, *other_key = NULL, *refused = NULL;
	gint64 epoch;

	fixture_init(&self, NULL);
	tar = fixture_tar(CAM_ROOTFS(tree), "opt/touched", "new");
	bytes = fixture_tar_bytes(tar);
	diff_id = fixture_import(self.store, bytes);
	times = cam_lower_times_new(self.store, no_layers, &error);
	g_assert_no_error(error);
	memory = cam_fix_memory_open(self.store, &error);
	g_assert_no_error(error);
	cam_fix_memory_add(memory, "key", CAM_ROOTFS(tree), times, diff_id, 1700000000, &error);
	g_assert_no_error(error);
	found = find(memory, "key", tree, times);
	g_assert_cmpstr(found, ==, diff_id);
	cam_fix_memory_find(memory, "key", CAM_ROOTFS(tree), times, accepts, memory, &refused,
			    &epoch, &error);
	g_assert_no_error(error);
	g_assert_null(refused);
	other_key = find(memory, "other key", tree, times);
	g_assert_null(other_key);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamMemoryRootfs) other = make_tree();
		g_autofree char *reused = NULL;

		cam_memory_rootfs_add_file(other, cases[i].path, "other", -1, 0644);
		reused = find(memory, "key", other, times);
		g_assert_cmpstr(reused, ==, cases[i].reusable ? diff_id : NULL);
	}
}

static void
test_keys(void)
{
	g_autoptr(CamFixPlan) plan = cam_fix_plan_new_empty();
	g_autofree char *empty = cam_fix_memory_key(plan, "dpkg");
	g_autofree char *graft = cam_fix_memory_key(plan, "graft");
	g_autofree char *later = NULL;

	g_assert_cmpstr(empty, !=, graft);
	/* Release files are signed anew without any package being another. */
	plan->epoch = 1800000000;
	later = cam_fix_memory_key(plan, "dpkg");
	g_assert_cmpstr(empty, ==, later);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fix-memory/conditions", test_conditions);
	g_test_add_func("/fix-memory/keys", test_keys);
	return g_test_run();
}
