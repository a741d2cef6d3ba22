/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command in the sandbox can and cannot do, on a small tree made from programs of this
 * machine. Needs root and bubblewrap; skipped without.
 */
#include "rebuild/sandbox/sandbox.h"

#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rebuild/sandbox/sandbox-root.h"

typedef struct {
	char *top, *root;
	gboolean mounted;
	CamSandboxLimits limits;
	CamSandboxResult result;
} Fixture;

static void
copy_file(const char *root, const char *path)
{
	g_autofree char *target = g_build_filename(root, path, NULL);
	g_autofree char *directory = g_path_get_dirname(target);
	g_autoptr(GFile) from = g_file_new_for_path(path);
	g_autoptr(GFile) to = g_file_new_for_path(target);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
	g_file_copy(from, to, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
}

/* A program and the libraries that ldd names. */
static void
copy_program(const char *root, const char *path)
{
	const char *argv[] = { "ldd", path, NULL };
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;

	copy_file(root, path);
	g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL,
		     NULL, &error);
	g_assert_no_error(error);

	g_auto(GStrv) words = g_strsplit_set(output, " \t\n", -1);

	for (guint i = 0; words[i]; i++)
		if (words[i][0] == '/')
			copy_file(root, words[i]);
}

static void
set_up(Fixture *f, gconstpointer data)
{
	static const char *const programs[] = { "/bin/sh",	    "/bin/cat",	    "/bin/mknod",
						"/bin/chmod",	    "/bin/sleep",   "/bin/mount",
						"/usr/bin/unshare", "/bin/ls",	    "/bin/chown",
						"/bin/touch",	    "/usr/bin/perl" };
	g_autoptr(GError) error = NULL;

	f->top = g_dir_make_tmp("cambium-sandbox-XXXXXX", &error);
	g_assert_no_error(error);
	f->root = g_build_filename(f->top, "root", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++)
		copy_program(f->root, programs[i]);
	/* As an image's tree is; where it cannot be, the tests are skipped. */
	f->mounted = mount(f->root, f->root, NULL, MS_BIND, NULL) == 0;
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	if (f->mounted)
		g_assert_cmpint(umount2(f->root, MNT_DETACH), ==, 0);

	cam_remove_tree_at(AT_FDCWD, f->top, &error);
	g_assert_no_error(error);
	cam_sandbox_result_clear(&f->result);
	g_free(f->top);
	g_free(f->root);
}

static gboolean
run_with(Fixture *f, const char *script, const CamSandboxFile *files, gsize n_files, guint timeout,
	 GCancellable *cancellable, GError **error)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	const char *environment[] = { "PATH=/bin:/usr/bin", "HELLO=world", NULL };
	CamSandboxCommand command = { .root = f->root,
				      .grows = f->root,
				      .argv = argv,
				      .environment = environment,
				      .files = files,
				      .n_files = n_files,
				      .limits = f->limits };

	command.limits.seconds = timeout;
	cam_sandbox_result_clear(&f->result);
	return cam_sandbox_run(&command, &f->result, cancellable, error);
}

/* The script must print @expected and succeed. */
static void
assert_prints(Fixture *f, const char *script, const char *expected)
{
	g_autoptr(GError) error = NULL;

	run_with(f, script, NULL, 0, 20, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(f->result.output, ==, expected);
	g_assert_cmpint(f->result.status, ==, 0);
}

static gboolean
skip(void)
{
	g_autofree char *reason = NULL;

	if (cam_sandbox_probe(&reason))
		return FALSE;
	g_test_skip(reason);
	return TRUE;
}

static void
test_runs(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *written = g_build_filename(f->root, "written", NULL);

	if (skip())
		return;
	assert_prints(f, "echo $HELLO; echo err >&2; echo hi > /written; echo $$ > /tmp/x",
		      "world\nerr\n");
	g_assert_true(g_file_test(written, G_FILE_TEST_EXISTS));
	run_with(f, "exit 7", NULL, 0, 20, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(f->result.status, ==, 7);
}

/* What is written to /tmp, /run and /dev does not stay in the tree. */
static void
test_leaves_nothing(Fixture *f, gconstpointer data)
{
	static const char *const paths[] = { "tmp/x", "run/x", "dev/x", "dev/shm/x" };

	if (skip())
		return;
	assert_prints(f, "for d in /tmp /run /dev /dev/shm; do echo 1 > $d/x || echo no; done", "");
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *path = g_build_filename(f->root, paths[i], NULL);

		g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	}
}

static void
test_cannot(Fixture *f, gconstpointer data)
{
	static const char *const denied[] = {
		"mknod /tmp/d b 8 0",
		"mknod /dev/d c 1 1",
		"mount -t tmpfs x /tmp",
		"unshare -U /bin/sh -c :",
		"unshare -n /bin/sh -c :",
		/* harmless, should they succeed */
		"cat /dev/null > /proc/sys/kernel/core_pattern",
		"cat /dev/null > /proc/sysrq-trigger",
		"cat /dev/null > /proc/sys/vm/drop_caches",
		"cat /dev/null > /proc/self/oom_score_adj",
		"cat /proc/kcore",
		"cat /proc/kallsyms",
		"cat /proc/modules",
		"cat /proc/iomem",
		"cat /proc/kpageflags",
		"cat /proc/vmallocinfo",
		"cat /proc/cmdline",
		"cat /proc/self/stack",
		"cat /proc/sys/kernel/modprobe",
		"ls /proc/sys/fs/binfmt_misc",
		"ls /proc/acpi/* /proc/bus/*",
		"ls /sys/kernel",
	};

	if (skip())
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(denied); i++) {
		g_autofree char *script =
			g_strdup_printf("{ %s; } 2> /dev/null || echo denied", denied[i]);

		g_test_message("%s", denied[i]);

		assert_prints(f, script, "denied\n");
	}
}

/* What cannot be said in a shell: each of these calls must fail, and the program says which not. */
static void
test_cannot_call(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *name;
		long arguments[5];
	} calls[] = {
		{ "mount", { 0, 0, 0, 0, 0 } },
		{ "umount2", { 0, 2 } },
		{ "pivot_root", { 0, 0 } },
		{ "open_tree", { -100, 0, 1 } },
		{ "move_mount", { -1, 0, -1, 0, 0 } },
		{ "fsopen", { 0, 0 } },
		{ "mount_setattr", { -1, 0, 0, 0, 0 } },
		{ "statmount", { 0, 0, 0, 0 } },
		{ "listmount", { 0, 0, 0, 0 } },
		{ "setns", { -1, 0 } },
		{ "unshare", { 0x10000000 } },
		{ "ptrace", { 16, 1, 0, 0 } },
		{ "process_vm_readv", { 1, 0, 0, 0, 0 } },
		{ "kcmp", { 1, 1, 0, 0, 0 } },
		{ "keyctl", { 0, -3, 1 } },
		{ "add_key", { 0, 0, 0, 0, -3 } },
		{ "request_key", { 0, 0, 0, -3 } },
		{ "bpf", { 0, 0, 0 } },
		{ "io_uring_setup", { 8, 0 } },
		{ "userfaultfd", { 0 } },
		{ "perf_event_open", { 0, 0, -1, -1, 0 } },
		{ "init_module", { 0, 0, 0 } },
		{ "finit_module", { -1, 0, 0 } },
		{ "delete_module", { 0, 0 } },
		{ "kexec_load", { 0, 0, 0, 0 } },
		{ "open_by_handle_at", { -100, 0, 0 } },
		{ "syslog", { 3, 0, 0 } },
		{ "reboot", { 0, 0, 0, 0 } },
		{ "settimeofday", { 0, 0 } },
		{ "swapon", { 0, 0 } },
		{ "quotactl", { 0, 0, 0, 0 } },
		{ "acct", { 0 } },
	};

	if (skip())
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
		int number = seccomp_syscall_resolve_name(calls[i].name);
		const long *a = calls[i].arguments;
		g_autofree char *script = NULL;

		if (number < 0) /* this libseccomp does not know it */
			continue;
		g_test_message("%s", calls[i].name);
		script = g_strdup_printf("perl -e 'print syscall(%d, %ld, %ld, %ld, %ld, %ld) == "
					 "-1 ? $! + 0 : 0, qq(\\n)'",
					 number, a[0], a[1], a[2], a[3], a[4]);
		assert_prints(f, script, "1\n"); /* EPERM */
	}
}

static void
assert_stopped(Fixture *f, const char *script, const char *key)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *what = g_strdup_printf("%s in the group [fix]", key);

	g_test_message("%s", script);
	g_assert_false(run_with(f, script, NULL, 0, 60, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_assert_nonnull(strstr(error->message, what));
}

/* Whoever takes too much is stopped with all that it started, and the error names the limit. */
static void
test_limits(Fixture *f, gconstpointer data)
{
	if (skip())
		return;
	f->limits = (CamSandboxLimits){ .memory = 96 << 20, .disk = 16 << 20, .processes = 60 };
	assert_stopped(f, "i=0; while [ $i -lt 2000 ]; do sleep 50 & i=$((i+1)); done; wait",
		       "processes");
	assert_stopped(f, "b() { b | b & b; }; b", "processes");
	assert_stopped(f,
		       "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done & "
		       "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done; wait; sleep 5",
		       "memory");
	assert_stopped(f, "cat /dev/zero > /large", "disk");
	assert_stopped(f, "i=0; while :; do i=$((i+1)); echo 12345 > /many$i; done", "disk");
}

/* A file system in memory has no more than its share, and what fits does no harm. */
static void
test_temporary_files_are_bounded(Fixture *f, gconstpointer data)
{
	static const char *const places[] = { "/tmp", "/run", "/dev/shm", "/dev" };

	if (skip())
		return;
	f->limits.memory = 64 << 20;
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *script = g_strdup_printf(
			"cat /dev/zero > %s/x 2> /dev/null || echo full", places[i]);

		assert_prints(f, script, "full\n");
	}
}

/* Devices work although the tree's file system does not allow them. */
static void
test_devices_on_nodev(Fixture *f, gconstpointer data)
{
	if (skip())
		return;
	g_assert_cmpint(mount(NULL, f->root, NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL), ==, 0);
	assert_prints(f, "echo x > /dev/null; cat /dev/null; echo fine", "fine\n");
}

static void
test_host_devices_are_safe(Fixture *f, gconstpointer data)
{
	struct stat before, after;

	if (skip())
		return;
	g_assert_cmpint(stat("/dev/null", &before), ==, 0);
	assert_prints(f, "chmod 0600 /dev/null; echo x > /dev/null; chown 5 /dev/null", "");
	g_assert_cmpint(stat("/dev/null", &after), ==, 0);
	g_assert_cmpuint(before.st_mode, ==, after.st_mode);
	g_assert_cmpuint(before.st_uid, ==, after.st_uid);
}

static void
test_sees_no_one(Fixture *f, gconstpointer data)
{
	if (skip())
		return;
	/* its own processes only, and no network interface but the loopback's */
	assert_prints(f, "set -- /proc/[0-9]*; test $# -le 3 && echo few", "few\n");
	assert_prints(f, "while read a b; do case $a in *:) echo $a;; esac; done < /proc/net/dev",
		      "lo:\n");
}

static void
test_files(Fixture *f, gconstpointer data)
{
	g_autofree char *source = g_build_filename(f->top, "source", NULL);
	g_autofree char *own = g_build_filename(f->root, "bin/own", NULL);
	g_autofree char *content = NULL;
	CamSandboxFile files[] = { { source, CAM_SANDBOX_FILES "/a b.deb" },
				   { source, "/bin/own" } };
	g_autoptr(GError) error = NULL;

	if (skip())
		return;
	g_file_set_contents(source, "packed", -1, NULL);
	g_file_set_contents(own, "the image's", -1, NULL);
	run_with(f, "cat '/run/cambium/a b.deb' /bin/own; echo x > /bin/own || exit 3", files, 2,
		 20, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_str_has_prefix(f->result.output, "packedpacked"));
	g_assert_cmpint(f->result.status, !=, 0);
	g_file_get_contents(own, &content, NULL, NULL);
	g_assert_cmpstr(content, ==, "the image's");
}

static void
test_time_out(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) cancelled = NULL;
	g_autoptr(GCancellable) cancellable = g_cancellable_new();

	if (skip())
		return;
	g_assert_false(run_with(f, "sleep 60", NULL, 0, 1, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ABORTED);
	g_cancellable_cancel(cancellable);
	g_assert_false(run_with(f, "sleep 60", NULL, 0, 20, cancellable, &cancelled));
	g_assert_error(cancelled, CAM_ERROR, CAM_ERROR_CANCELLED);
}

static void
test_output_is_bounded(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	if (skip())
		return;
	run_with(f, "i=0; while [ $i -lt 40000 ]; do echo 0123456789; i=$((i+1)); done; echo end",
		 NULL, 0, 60, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(f->result.output), <=, 64 * 1024);
	g_assert_true(g_str_has_suffix(f->result.output, "end\n"));
}

/* A tree whose links would make a mount land elsewhere. */
static void
test_hostile_tree(Fixture *f, gconstpointer data)
{
	g_autofree char *tmp = g_build_filename(f->root, "tmp", NULL);
	g_autoptr(GError) error = NULL;

	if (skip())
		return;
	g_assert_cmpint(symlink("/etc", tmp), ==, 0);
	g_assert_false(run_with(f, "echo ran", NULL, 0, 20, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

static void
test_resolve(Fixture *f, gconstpointer data)
{
	g_auto(CamFd) root = open(f->root, O_DIRECTORY | O_PATH | O_CLOEXEC);
	g_autofree char *usr = g_build_filename(f->root, "sbin", NULL);
	g_autofree char *dangling = g_build_filename(f->root, "dangling", NULL);
	g_autofree char *where = NULL, *outside = NULL, *nothing = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(symlink("../../../usr/bin", usr), ==, 0);
	g_assert_cmpint(symlink("/nowhere", dangling), ==, 0);
	where = cam_sandbox_root_resolve(root, "/sbin/policy-rc.d", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(where, ==, "/usr/bin/policy-rc.d");
	outside = cam_sandbox_root_resolve(root, "/../../../bin/sh", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(outside, ==, "/bin/sh");
	nothing = cam_sandbox_root_resolve(root, "/dangling", &error);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_null(nothing);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define TEST(name, function) \
	g_test_add("/sandbox/" name, Fixture, NULL, set_up, function, tear_down)
	TEST("runs", test_runs);
	TEST("leaves-nothing", test_leaves_nothing);
	TEST("cannot", test_cannot);
	TEST("cannot-call", test_cannot_call);
	TEST("limits", test_limits);
	TEST("temporary-files", test_temporary_files_are_bounded);
	TEST("nodev", test_devices_on_nodev);
	TEST("host-devices", test_host_devices_are_safe);
	TEST("sees-no-one", test_sees_no_one);
	TEST("files", test_files);
	TEST("time-out", test_time_out);
	TEST("output", test_output_is_bounded);
	TEST("hostile-tree", test_hostile_tree);
	TEST("resolve", test_resolve);
	return g_test_run();
}
