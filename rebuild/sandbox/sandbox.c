/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns running one command of a hostile tree: the command line of bubblewrap, limits, time-out and
 * output. bubblewrap runs as real root: there is no user namespace, so what root could do through
 * /proc, /dev and capabilities is taken away piece by piece (see the README).
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rebuild/sandbox/sandbox-root.h"
#include "rebuild/sandbox/seccomp-filter.h"

#define BWRAP	      "/usr/bin/bwrap"
#define SECCOMP_FD    3
#define OUTPUT_MAX    (64 * 1024)   /* bytes that are kept; errors are at the end */
#define TMPFS_SIZE    "2147483648"  /* of /tmp and /run each */
#define FILE_SIZE_MAX (16ull << 30) /* of one file that the command writes */

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

/* All of /proc is read-only, and what runs as root of the machine could read there is covered:
 * bubblewrap alone leaves /proc/sys writable to root, and with it the host's core dump handler. */
static void
add_proc(GPtrArray *argv)
{
	static const char *const directories[] = { "/proc/acpi", "/proc/scsi", "/proc/fs",
						   "/proc/driver", "/proc/asound" };
	static const char *const files[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list",
					     "/proc/latency_stats", "/proc/mtrr" };

	add(argv, "--proc", "/proc", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
		if (g_file_test(directories[i], G_FILE_TEST_IS_DIR))
			add(argv, "--tmpfs", directories[i], "--remount-ro", directories[i], NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		if (g_file_test(files[i], G_FILE_TEST_EXISTS))
			add(argv, "--ro-bind", "/dev/null", files[i], NULL);
	add(argv, "--remount-ro", "/proc", NULL);
}

static void
add_tmpfs(GPtrArray *argv, const char *mode, const char *path)
{
	add(argv, "--perms", mode, "--size", TMPFS_SIZE, "--tmpfs", path, NULL);
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
command_line(const CamSandboxCommand *command, const char *devices, int rootfd, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

	add(argv, BWRAP, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
	    "--unshare-cgroup-try", "--hostname", "localhost", "--die-with-parent", "--new-session",
	    "--bind", command->root, "/", NULL);
	add_proc(argv);
	add(argv, "--dev-bind", devices, "/dev", NULL);
	add_tmpfs(argv, "1777", "/dev/shm");
	add_tmpfs(argv, "1777", "/tmp");
	add_tmpfs(argv, "0755", "/run");
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

/*
 * Goes on below a copy of the root directory that is a mount point, in a mount name space of its
 * own. It is mounted over the tree of the command: that mount is ours and is made private first, so
 * that nothing spreads to where the machine's other mounts are shared; the copy was taken before
 * and shows the tree in its place. Between fork and exec: nothing but system calls.
 */
static void
enter_copy_of_root(const char *tree)
{
	static const char message[] = "cannot make / a mount point\n";

	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, tree, NULL, MS_PRIVATE, NULL) == 0 &&
	    mount("/", tree, NULL, MS_BIND | MS_REC, NULL) == 0 && chroot(tree) == 0 &&
	    chdir("/") == 0)
		return;
	_exit(write(STDERR_FILENO, message, sizeof(message) - 1) < 0 ? 126 : 125);
}

/* Between fork and exec: nothing but system calls. @user_data: (nullable): the tree to hide behind
 * a copy of the root directory. */
static void
set_up_child(gpointer user_data)
{
	/* 1 and not 0: with 0 the kernel would still start the host's core dump handler on a
	 * dump of the sandbox (core(5)). */
	const struct rlimit core = { 1, 1 };
	const struct rlimit file_size = { FILE_SIZE_MAX, FILE_SIZE_MAX };
	const struct rlimit files = { 4096, 4096 };

	setrlimit(RLIMIT_CORE, &core);
	setrlimit(RLIMIT_FSIZE, &file_size);
	setrlimit(RLIMIT_NOFILE, &files);
	umask(022);
	setpgid(0, 0);
	if (user_data != NULL)
		enter_copy_of_root(user_data);
}

static GSubprocess *
spawn(GPtrArray *argv, const CamSandboxCommand *command, int filter, GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
	g_autoptr(GError) local = NULL;
	int copy = fcntl(filter, F_DUPFD_CLOEXEC, 10);

	if (copy < 0) {
		cam_set_error_errno(error, errno, "cannot pass the seccomp filter");
		return NULL;
	}
	g_subprocess_launcher_set_environ(launcher, (char **) command->environment);
	g_subprocess_launcher_set_child_setup(
		launcher, set_up_child, root_is_mount_point() ? NULL : g_strdup(command->root),
		g_free);
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

/* Until the end of its output, the deadline, or cancellation. */
static gboolean
read_output(int fd, gint64 deadline, GByteArray *output, GCancellable *cancellable, GError **error)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = g_cancellable_get_fd(cancellable), .events = POLLIN } };
	gboolean ok = FALSE;

	for (;;) {
		guint8 buffer[4096];
		int left = milliseconds_left(deadline);
		int ready = poll(fds, fds[1].fd >= 0 ? 2 : 1, left);

		if (ready < 0 && errno == EINTR)
			continue;
		if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
			cam_error_translate(error, "the sandbox was stopped");
			break;
		}
		if (ready <= 0) {
			cam_set_error(error, CAM_ERROR_ABORTED,
				      "the command in the sandbox took too long and was stopped");
			break;
		}

		ssize_t size = read(fd, buffer, sizeof(buffer));

		if (size > 0) {
			keep_output(output, buffer, (gsize) size);
		} else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
			ok = TRUE;
			break;
		}
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
run(GPtrArray *argv, const CamSandboxCommand *command, int filter, CamSandboxResult *result,
    GCancellable *cancellable, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64) command->timeout * G_USEC_PER_SEC;
	g_autoptr(GByteArray) output = g_byte_array_new();
	g_autoptr(GSubprocess) process = spawn(argv, command, filter, error);

	if (!process)
		return FALSE;

	GUnixInputStream *pipe = G_UNIX_INPUT_STREAM(g_subprocess_get_stdout_pipe(process));
	gboolean ok =
		read_output(g_unix_input_stream_get_fd(pipe), deadline, output, cancellable, error);

	if (!ok)
		stop(process);
	if (!g_subprocess_wait(process, NULL, ok ? error : NULL))
		return ok ? cam_error_translate(error, "cannot wait for %s", BWRAP) : FALSE;
	result->status = ok ? exit_status(process) : -1;
	result->output = take_text(output);
	return ok;
}

gboolean
cam_sandbox_run(const CamSandboxCommand *command, CamSandboxResult *result,
		GCancellable *cancellable, GError **error)
{
	g_autofree char *reason = NULL;
	g_autofree char *devices = g_build_filename(command->scratch, "dev", NULL);

	if (!cam_sandbox_probe(&reason))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s", reason);

	g_auto(CamFd) rootfd = open(command->root, O_DIRECTORY | O_PATH | O_CLOEXEC);

	if (rootfd < 0)
		return cam_set_error_errno(error, errno, "cannot open %s", command->root);
	if (!cam_sandbox_root_check(rootfd, error) || !cam_sandbox_make_devices(devices, error))
		return FALSE;

	g_autoptr(GPtrArray) argv = command_line(command, devices, rootfd, error);
	g_auto(CamFd) filter = argv ? cam_seccomp_filter_open(error) : -1;

	return filter >= 0 && run(argv, command, filter, result, cancellable, error);
}
