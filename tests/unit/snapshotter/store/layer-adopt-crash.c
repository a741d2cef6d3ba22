/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adoption that is killed at every point where it changes something for good: before each link,
 * rename, sync and removal. The directory is what it was, nothing is there that gc does not remove,
 * and the next adoption succeeds. The one that is killed is this program itself, under ptrace.
 */
#include "upper-fixture.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *program;

static const guint64 commit_points[] = {
	SYS_linkat, SYS_renameat, SYS_renameat2, SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_unlinkat,
};

typedef struct {
	char *directory, *store;
	Upper upper;
	char *digest; /* of the tar that the upper directory is */
} Fixture;

/* ---- what the started program does ---- */

static int
adopt_once(const char *store_path, const char *upper_path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(store_path, TRUE, NULL, &error);
	g_auto(CamFd) upper = open(upper_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_assert_no_error(error);
	g_autoptr(CamLayerInfo) info = cam_store_adopt_upper(store, upper, NULL, NULL, &error);
	g_assert_no_error(error);
	return 0;
}

/* ---- killing ---- */

static gboolean
is_commit_point(pid_t thread)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(commit_points); i++)
		if (info.entry.nr == commit_points[i])
			return TRUE;
	return FALSE;
}

static pid_t
start(const Fixture *f)
{
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid > 0)
		return pid;
	/* The leak sanitizer does not work under ptrace. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", TRUE);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		execl(program, program, "--adopt", f->store, f->upper.path, NULL);
	_exit(77);
}

/* Lets the program go on until the @wanted-th commit point, and kills it there; 0 for never.
 * Returns how many there were, -1 if it cannot be traced. */
static int
run_to(const Fixture *f, int wanted)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	pid_t pid = start(f), thread;
	int n = 0, status, result = 0;

	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	if (!WIFSTOPPED(status))
		return -1;
	g_assert_cmpint(ptrace(PTRACE_SETOPTIONS, pid, NULL, options), ==, 0);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			if (thread == pid)
				result = status;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (is_commit_point(thread) && ++n == wanted)
				kill(pid, SIGKILL);
		} else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_SYSCALL, thread, NULL, (long) signal);
	}
	if (wanted == 0 && (!WIFEXITED(result) || WEXITSTATUS(result) != 0))
		g_error("the adoption failed with status %#x", result);
	return n;
}

/* ---- afterwards ---- */

static guint
count_files(const char *store, const char *name, const char *suffix)
{
	g_autofree char *path = g_build_filename(store, name, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *entry;
	guint n = 0;

	while (dir != NULL && (entry = g_dir_read_name(dir)) != NULL) {
		g_autofree char *child = g_build_filename(name, entry, NULL);

		n += g_str_has_suffix(entry, suffix) && !g_str_equal(entry, ".lock");
		n += count_files(store, child, suffix);
	}
	return n;
}

static void
assert_untouched(const Fixture *f)
{
	g_autoptr(GBytes) tar = stream_upper(&f->upper);
	g_autofree char *digest = cam_digest_for_bytes(tar);

	g_assert_cmpstr(digest, ==, f->digest);
}

/* What no row says to be there is gone after a gc; a row says that all is there. */
static void
assert_clean(const Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(f->store, TRUE, NULL, &error);
	const char *digests[] = { f->digest, NULL };
	CamGcResult result;

	g_assert_no_error(error);
	assert_whole(store);
	if (cam_store_has_layer(store, f->digest))
		g_assert_true(cam_store_add_lease(store, "kept", digests, 0, &error));
	g_assert_true(cam_store_gc(store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	if (!cam_store_has_layer(store, f->digest))
		g_assert_cmpuint(count_files(f->store, "repo/objects", ".file"), ==, 0);
	else
		assert_whole(store);
	g_assert_cmpuint(count_files(f->store, "repo/tmp", ""), ==,
			 count_files(f->store, "repo/tmp/cache", "") + 1);
	g_clear_object(&store);
	g_assert_cmpuint(count_files(f->store, "tmp", ""), ==, 0);
}

static void
assert_adopts(const Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(f->store, FALSE, NULL, &error);
	g_autoptr(CamLayerInfo) info = adopt(store, &f->upper);

	g_assert_cmpstr(info->diff_id, ==, f->digest);
	assert_whole(store);
}

/* In memory where that is possible: the order of things is what matters here, not the disk. */
static char *
make_directory_for_test(void)
{
	g_autofree char *path = g_strdup("/dev/shm/cambium-adopt-XXXXXX");

	return g_mkdtemp(path) != NULL ? g_steal_pointer(&path)
				       : g_dir_make_tmp("cambium-adopt-XXXXXX", NULL);
}

static void
test_killed(void)
{
	Fixture f = { .directory = make_directory_for_test() };
	int n;

	f.store = g_build_filename(f.directory, "store", NULL);
	f.upper.path = g_build_filename(f.directory, "upper", NULL);
	g_assert_cmpint(g_mkdir(f.upper.path, 0755), ==, 0);
	f.upper.fd = open(f.upper.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_directory(f.upper.fd, "d", 0755);
	for (guint i = 0; i < 8; i++) {
		g_autofree char *path = g_strdup_printf("d/f%u", i);

		make_file(f.upper.fd, path, path, 0644);
	}
	g_assert_cmpint(symlinkat("d/f1", f.upper.fd, "link"), ==, 0);
	g_assert_cmpint(linkat(f.upper.fd, "d/f1", f.upper.fd, "again", 0), ==, 0);
	g_autoptr(GBytes) tar = stream_upper(&f.upper);
	f.digest = cam_digest_for_bytes(tar);

	n = run_to(&f, 0);
	if (n < 0)
		g_test_skip("processes cannot be traced here");
	else
		g_assert_cmpint(n, >, 20);
	for (int i = 1; i <= n; i++) {
		g_assert_true(cam_remove_tree_at(AT_FDCWD, f.store, NULL));
		run_to(&f, i);
		assert_untouched(&f);
		assert_clean(&f);
		assert_adopts(&f);
		assert_untouched(&f);
	}
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f.directory, NULL));
	upper_clear(&f.upper);
	g_free(f.directory);
	g_free(f.store);
	g_free(f.digest);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && g_str_equal(argv[1], "--adopt"))
		return adopt_once(argv[2], argv[3]);
	program = argv[0];
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layer-adopt-crash/killed", test_killed);
	return g_test_run();
}
