/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns running one command of a hostile tree: the command line of bubblewrap, its mounts and its
 * output; the limits are sandbox-guard.c's. bubblewrap runs as real root: there is no user
 * namespace, so what root could do through /proc, /dev and capabilities is taken away piece by
 * piece (see the README).
 */
#include "rebuild/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rebuild/sandbox/sandbox-guard.h"
#include "rebuild/sandbox/sandbox-root.h"
#include "rebuild/sandbox/seccomp-filter.h"

#define BWRAP	   "/usr/bin/bwrap"
#define SECCOMP_FD 3
#define OUTPUT_MAX (64 * 1024) /* bytes that are kept; errors are at the end */
/* The file systems in memory have this share of the limit each. */
#define TMPFS_SHARE 4

void
cam_sandbox_result_clear(CamSandboxResult *self)
{
	g_clear_pointer(&self->output, g_free);
}

gboolean
cam_sandbox_probe(char **reason)
{
	const char *missing = NULL;

	if (geteuid() != 0)
		missing = "running the image's package manager needs root: run as root, or use "
			  "--method graft";
	else if (access(BWRAP, X_OK) != 0)
		missing = "running the image's package manager needs " BWRAP
			  ": install the package bubblewrap, or use --method graft";
	if (reason)
		*reason = g_strdup(missing);
	return missing == NULL;
}

/* ---- bubblewrap's command line ---- */

static void
add(GPtrArray *argv, ...)
{
	va_list arguments;
	const char *argument;

	va_start(arguments, argv);
	while ((argument = va_arg(arguments, const char *)))
		g_ptr_array_add(argv, g_strdup(argument));
	va_end(arguments);
}

/* What dpkg and maintainer scripts need: owners, modes, file capabilities, other users. Not MKNOD,
 * with which a device of the host could be opened on a tmpfs. */
static void
add_capabilities(GPtrArray *argv)
{
	static const char *const kept[] = { "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FOWNER",
					    "CAP_FSETID",  "CAP_SETUID",       "CAP_SETGID",
					    "CAP_SETFCAP", "CAP_SYS_CHROOT",   "CAP_KILL" };

	add(argv, "--cap-drop", "ALL", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
		add(argv, "--cap-add", kept[i], NULL);
}

/* What remains of /proc beside the directories of processes. */
static gboolean
is_shown(const char *name)
{
	static const char *const shown[] = { "cpuinfo", "filesystems", "loadavg",     "meminfo",
					     "mounts",	"net",	       "self",	      "stat",
					     "swaps",	"sys",	       "thread-self", "uptime",
					     "version", NULL };

	return g_ascii_isdigit(*name) || g_strv_contains(shown, name);
}

/* What remains of /proc/sys: what the C library and scripts look at, and tells nothing. */
static void
add_sysctls(GPtrArray *argv)
{
	static const char *const files[] = {
		"kernel/cap_last_cap",	"kernel/hostname",    "kernel/ngroups_max",
		"kernel/osrelease",	"kernel/ostype",      "kernel/overflowgid",
		"kernel/overflowuid",	"kernel/pid_max",     "kernel/random/boot_id",
		"kernel/random/uuid",	"kernel/threads-max", "kernel/version",
		"vm/overcommit_memory", "vm/max_map_count",
	};

	add(argv, "--size", "65536", "--tmpfs", "/proc/sys", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strconcat("/proc/sys/", files[i], NULL);

		if (g_file_test(path, G_FILE_TEST_EXISTS))
			add(argv, "--ro-bind", path, path, NULL);
	}
	add(argv, "--remount-ro", "/proc/sys", NULL);
}

/* All of /proc is read-only, and what this kernel has there beside a list is covered: addresses
 * and modules of the kernel, devices, keys. bubblewrap alone leaves /proc/sys writable to root, and
 * with it the host's core dump handler. */
static void
add_proc(GPtrArray *argv)
{
	g_autoptr(GDir) directory = g_dir_open("/proc", 0, NULL);
	const char *name;

	add(argv, "--proc", "/proc", NULL);
	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *path = g_strconcat("/proc/", name, NULL);

		if (is_shown(name) || g_file_test(path, G_FILE_TEST_IS_SYMLINK))
			continue;
		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			add(argv, "--size", "4096", "--tmpfs", path, "--remount-ro", path, NULL);
		else
			add(argv, "--ro-bind", "/dev/null", path, NULL);
	}
	add_sysctls(argv);
	add(argv, "--remount-ro", "/proc", NULL);
}

static void
add_tmpfs(GPtrArray *argv, const CamSandboxGuard *guard, const char *mode, const char *path)
{
	g_autofree char *size =
		g_strdup_printf("%" G_GUINT64_FORMAT, guard->limits.memory / TMPFS_SHARE);

	add(argv, "--perms", mode, "--size", size, "--tmpfs", path, NULL);
}

static gboolean
add_files(GPtrArray *argv, const CamSandboxCommand *command, int rootfd, GError **error)
{
	for (gsize i = 0; i < command->n_files; i++) {
		const CamSandboxFile *file = &command->files[i];
		g_autofree char *target = NULL;

		/* the rest of /run is empty and ours */
		if (g_str_has_prefix(file->target, CAM_SANDBOX_FILES "/"))
			target = g_strdup(file->target);
		else
			target = cam_sandbox_root_resolve(rootfd, file->target, error);
		if (!target)
			return FALSE;
		add(argv, "--ro-bind", file->source, target, NULL);
	}
	return TRUE;
}

static GPtrArray *
command_line(const CamSandboxCommand *command, const CamSandboxGuard *guard, int rootfd,
	     GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *devices = g_build_filename(command->root, "dev", NULL);

	add(argv, BWRAP, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
	    "--unshare-cgroup-try", "--hostname", "localhost", "--die-with-parent", "--new-session",
	    "--bind", command->root, "/", NULL);
	add_proc(argv);
	add(argv, "--dev-bind", devices, "/dev", NULL);
	add_tmpfs(argv, guard, "1777", "/dev/shm");
	add_tmpfs(argv, guard, "1777", "/tmp");
	add_tmpfs(argv, guard, "0755", "/run");
	add(argv, "--perms", "1777", "--dir", "/run/lock", NULL);
	add(argv, "--perms", "0700", "--dir", CAM_SANDBOX_HOME, NULL);
	if (!add_files(argv, command, rootfd, error))
		return NULL;
	add_capabilities(argv);
	add(argv, "--seccomp", G_STRINGIFY(SECCOMP_FD), "--chdir", "/", "--", NULL);
	for (gsize i = 0; command->argv[i]; i++)
		add(argv, command->argv[i], NULL);
	g_ptr_array_add(argv, NULL);
	return g_steal_pointer(&argv);
}

/* ---- running it ---- */

/* Below a plain chroot(2) "/" is no mount point, and the kernel lets nobody change the propagation
 * of such a root: bubblewrap gives up. */
static gboolean
root_is_mount_point(void)
{
	struct statx info;

	return statx(AT_FDCWD, "/", 0, 0, &info) != 0 ||
	       (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 ||
	       (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* What is needed between fork and exec. */
typedef struct {
	const CamSandboxGuard *guard;
	const char *tree;
	gboolean copy_root;
} ChildSetup;

static void
give_up(const char *message)
{
	_exit(write(STDERR_FILENO, message, strlen(message)) < 0 ? 126 : 125);
}

/*
 * Goes on in a mount name space of its own, in which the tree has a /dev. The tree's mount is ours
 * and is made private first, so that nothing spreads to where the machine's other mounts are
 * shared; all of it goes with the name space.
 */
static void
enter_own_mounts(const char *tree)
{
	int root, dev = -1;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, tree, NULL, MS_PRIVATE, NULL) != 0)
		give_up("the tree is no mount point\n");
	root = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		dev = openat(root, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dev < 0 || !cam_sandbox_mount_devices(dev))
		give_up("cannot mount /dev\n");
}

/*
 * Goes on below a copy of the root directory that is a mount point. It is mounted over the tree:
 * the copy was taken before and shows the tree in its place.
 */
static void
enter_copy_of_root(const char *tree)
{
	if (mount("/", tree, NULL, MS_BIND | MS_REC, NULL) != 0 || chroot(tree) != 0 ||
	    chdir("/") != 0)
		give_up("cannot make / a mount point\n");
}

/* Between fork and exec: nothing but system calls. */
static void
set_up_child(gpointer user_data)
{
	const ChildSetup *setup = user_data;

	umask(0);
	enter_own_mounts(setup->tree);
	if (setup->copy_root)
		enter_copy_of_root(setup->tree);
	umask(022);
	setpgid(0, 0);
	cam_sandbox_guard_enter(setup->guard);
}

static GSubprocess *
spawn(GPtrArray *argv, const CamSandboxCommand *command, const CamSandboxGuard *guard, int filter,
      GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
	ChildSetup setup = { guard, command->root, !root_is_mount_point() };
	g_autoptr(GError) local = NULL;
	int copy = fcntl(filter, F_DUPFD_CLOEXEC, 10);

	if (copy < 0) {
		cam_set_error_errno(error, errno, "cannot pass the seccomp filter");
		return NULL;
	}
	g_subprocess_launcher_set_environ(launcher, (char **) command->environment);
	g_subprocess_launcher_set_child_setup(launcher, set_up_child, &setup, NULL);
	g_subprocess_launcher_take_fd(launcher, copy, SECCOMP_FD);

	GSubprocess *process =
		g_subprocess_launcher_spawnv(launcher, (const char *const *) argv->pdata, &local);

	if (!process) {
		g_propagate_error(error, g_steal_pointer(&local));
		cam_error_translate(error, "cannot start %s", BWRAP);
	}
	return process;
}

/* Keeps the last OUTPUT_MAX bytes. */
static void
keep_output(GByteArray *output, const guint8 *data, gsize size)
{
	g_byte_array_append(output, data, (guint) size);
	if (output->len > 2 * OUTPUT_MAX)
		g_byte_array_remove_range(output, 0, output->len - OUTPUT_MAX);
}

static int
milliseconds_left(gint64 deadline)
{
	gint64 left = (deadline - g_get_monotonic_time()) / 1000;

	return (int) CLAMP(left, 0, G_MAXINT);
}

/* Whether the sandbox may go on. */
static gboolean
check(CamSandboxGuard *guard, GSubprocess *process, gint64 deadline, GCancellable *cancellable,
      GError **error)
{
	const char *pid = g_subprocess_get_identifier(process);

	if (g_cancellable_set_error_if_cancelled(cancellable, error))
		return cam_error_translate(error, "the sandbox was stopped");
	if (milliseconds_left(deadline) == 0)
		return cam_set_error(error, CAM_ERROR_ABORTED,
				     "the command in the sandbox took too long and was stopped: "
				     "it had %" G_GUINT64_FORMAT " seconds; seconds in the group "
				     "[fix] of the configuration is the limit",
				     guard->limits.seconds);
	return pid == NULL ||
	       cam_sandbox_guard_check(guard, (GPid) g_ascii_strtoll(pid, NULL, 10), error);
}

/* Until the end of its output, a limit, or cancellation. */
static gboolean
read_output(int fd, CamSandboxGuard *guard, GSubprocess *process, GByteArray *output,
	    GCancellable *cancellable, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64) guard->limits.seconds * G_USEC_PER_SEC;
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = g_cancellable_get_fd(cancellable), .events = POLLIN } };
	gint64 next = 0;
	gboolean ok = TRUE, end = FALSE;

	while (ok && !end) {
		guint8 buffer[4096];
		int ready =
			poll(fds, fds[1].fd >= 0 ? 2 : 1,
			     MIN(cam_sandbox_guard_interval(guard), milliseconds_left(deadline)));

		/* also while output comes without a pause */
		if (ready <= 0 || fds[1].revents != 0 || g_get_monotonic_time() >= next) {
			ok = check(guard, process, deadline, cancellable, error);
			next = g_get_monotonic_time() + 1000 * cam_sandbox_guard_interval(guard);
		}
		if (!ok || ready <= 0 || fds[0].revents == 0)
			continue;

		ssize_t size = read(fd, buffer, sizeof(buffer));

		if (size > 0)
			keep_output(output, buffer, (gsize) size);
		else
			end = size == 0 || (errno != EINTR && errno != EAGAIN);
	}
	if (fds[1].fd >= 0)
		g_cancellable_release_fd(cancellable);
	return ok;
}

static char *
take_text(GByteArray *output)
{
	if (output->len == 0)
		return g_strdup("");

	gsize skip = output->len > OUTPUT_MAX ? output->len - OUTPUT_MAX : 0;

	return g_utf8_make_valid((const char *) output->data + skip, (gssize) (output->len - skip));
}

static int
exit_status(GSubprocess *process)
{
	if (g_subprocess_get_if_exited(process))
		return g_subprocess_get_exit_status(process);
	return 128 + g_subprocess_get_term_sig(process);
}

/* Whoever holds the pipe's other end dies with its process name space. Not so bubblewrap's own
 * child while it still waits for its parent to set it up: it is in the parent's process group until
 * then, and is reached by that. */
static void
stop(GSubprocess *process)
{
	const char *pid = g_subprocess_get_identifier(process);

	if (pid != NULL)
		kill(-(pid_t) g_ascii_strtoll(pid, NULL, 10), SIGKILL);
	g_subprocess_force_exit(process);
}

static gboolean
run(GPtrArray *argv, const CamSandboxCommand *command, CamSandboxGuard *guard, int filter,
    CamSandboxResult *result, GCancellable *cancellable, GError **error)
{
	g_autoptr(GByteArray) output = g_byte_array_new();
	g_autoptr(GSubprocess) process = spawn(argv, command, guard, filter, error);

	if (!process)
		return FALSE;

	GUnixInputStream *pipe = G_UNIX_INPUT_STREAM(g_subprocess_get_stdout_pipe(process));
	gboolean ok = read_output(g_unix_input_stream_get_fd(pipe), guard, process, output,
				  cancellable, error);

	if (!ok)
		stop(process);
	if (!g_subprocess_wait(process, NULL, ok ? error : NULL))
		return ok ? cam_error_translate(error, "cannot wait for %s", BWRAP) : FALSE;
	result->status = ok ? exit_status(process) : -1;
	result->output = take_text(output);
	return ok && cam_sandbox_guard_check_end(guard, result->status, error);
}

gboolean
cam_sandbox_run(const CamSandboxCommand *command, CamSandboxResult *result,
		GCancellable *cancellable, GError **error)
{
	g_autofree char *reason = NULL;

	if (!cam_sandbox_probe(&reason))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s", reason);

	g_auto(CamFd) rootfd = open(command->root, O_DIRECTORY | O_PATH | O_CLOEXEC);

	if (rootfd < 0)
		return cam_set_error_errno(error, errno, "cannot open %s", command->root);
	if (!cam_sandbox_root_check(rootfd, error))
		return FALSE;

	g_auto(CamSandboxGuard) guard = { 0 };

	cam_sandbox_guard_init(&guard, &command->limits, command->grows);

	g_autoptr(GPtrArray) argv = command_line(command, &guard, rootfd, error);
	g_auto(CamFd) filter = argv ? cam_seccomp_filter_open(error) : -1;

	return filter >= 0 && run(argv, command, &guard, filter, result, cancellable, error);
}
