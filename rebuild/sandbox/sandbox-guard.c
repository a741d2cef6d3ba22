/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the limits of a sandbox: defaults, what the kernel is told, and the look at what it is not.
 */
#include "rebuild/sandbox/sandbox-guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCH_MS    50	    /* between looks at processes and memory */
#define DISK_MS	    250	    /* between looks at the disk, at least */
#define MAX_DEPTH   64	    /* of directories that packages make; a path may have 4 KiB */
#define MAX_ENTRIES 1000000 /* of files and directories */
#define MAX_NAMES   4096    /* open files of one process */
#define STATUS_MAX  4096

typedef struct {
	guint64 bytes;
	guint entries;
	gboolean too_deep;
} Usage;

void
cam_sandbox_guard_init(CamSandboxGuard *self, const CamSandboxLimits *limits, const char *grows)
{
	self->limits = *limits;
	if (self->limits.memory == 0)
		self->limits.memory = CAM_SANDBOX_MEMORY;
	if (self->limits.disk == 0)
		self->limits.disk = CAM_SANDBOX_DISK;
	if (self->limits.processes == 0)
		self->limits.processes = CAM_SANDBOX_PROCESSES;
	if (self->limits.seconds == 0)
		self->limits.seconds = CAM_SANDBOX_SECONDS;
	self->grows = g_strdup(grows);
	self->next_disk = 0;
	self->group = cam_control_group_new(self->limits.memory, self->limits.processes);
}

void
cam_sandbox_guard_clear(CamSandboxGuard *self)
{
	g_clear_pointer(&self->group, cam_control_group_free);
	g_clear_pointer(&self->grows, g_free);
}

static void
limit(int resource, guint64 value)
{
	const struct rlimit both = { value, value };

	setrlimit((__rlimit_resource_t) resource, &both);
}

void
cam_sandbox_guard_enter(const CamSandboxGuard *self)
{
	/* 1 and not 0: with 0 the kernel would still start the host's core dump handler on a
	 * dump of the sandbox (core(5)). */
	limit(RLIMIT_CORE, 1);
	limit(RLIMIT_FSIZE, self->limits.disk);
	/* Where the kernel bounds all of them together, a single one need not be; where a watch
	 * does, it can be late. */
	if (!cam_control_group_bounds_memory(self->group))
		limit(RLIMIT_DATA, 2 * self->limits.memory);
	limit(RLIMIT_NOFILE, MAX_NAMES);
	limit(RLIMIT_MEMLOCK, 64 * 1024);
	limit(RLIMIT_MSGQUEUE, 0);
	limit(RLIMIT_NICE, 0);
	limit(RLIMIT_RTPRIO, 0);
	if (self->group != NULL)
		cam_control_group_join(self->group);
}

/* ---- errors ---- */

static gboolean
beyond(GError **error, const char *what, guint64 value, const char *key)
{
	g_autofree char *size = g_format_size_full(value, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			     "the sandbox was stopped: it took more than %s%s; %s in the group "
			     "[fix] of the configuration is the limit",
			     g_str_equal(key, "processes") ? number : size, what, key);
}

static gboolean
beyond_memory(const CamSandboxGuard *self, GError **error)
{
	return beyond(error, " of memory", self->limits.memory, "memory");
}

static gboolean
beyond_processes(const CamSandboxGuard *self, GError **error)
{
	return beyond(error, " processes", self->limits.processes, "processes");
}

static gboolean
beyond_disk(const CamSandboxGuard *self, GError **error)
{
	return beyond(error, " on the disk", self->limits.disk, "disk");
}

/* ---- processes and memory ---- */

/* What a name space of processes is called, as readlink(2) says. */
static gboolean
read_namespace(const char *pid, char *name, gsize size)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/ns/pid", pid);
	ssize_t length = readlink(path, name, size - 1);

	if (length < 0)
		return FALSE;
	name[length] = '\0';
	return TRUE;
}

/* The name space that bubblewrap has made: its child's, which is not its own. */
static gboolean
find_namespace(GPid pid, char *name, gsize size)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int) pid, (int) pid);
	g_autofree char *own = g_strdup_printf("%d", (int) pid);
	g_autofree char *children = NULL;
	char outer[64];

	if (!g_file_get_contents(path, &children, NULL, NULL))
		return FALSE;
	children[strcspn(children, " \n")] = '\0';
	return *children && read_namespace(own, outer, sizeof(outer)) &&
	       read_namespace(children, name, size) && !g_str_equal(name, outer);
}

/* Bytes of its own that a process holds, from "Name:  123 kB" lines. */
static guint64
read_memory(const char *pid)
{
	static const char *const names[] = { "\nRssAnon:", "\nRssShmem:" };
	g_autofree char *path = g_strdup_printf("/proc/%s/status", pid);
	g_autofree char *text = NULL;
	guint64 total = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *found = strstr(text, names[i]);

		if (found)
			total += 1024 * g_ascii_strtoull(found + strlen(names[i]), NULL, 10);
	}
	return total;
}

static gboolean
check_processes(CamSandboxGuard *self, GPid pid, GError **error)
{
	char wanted[64], name[64];
	g_autoptr(GDir) directory = NULL;
	const char *entry;
	guint64 memory = 0, processes = 0;

	if (!find_namespace(pid, wanted, sizeof(wanted)) ||
	    !(directory = g_dir_open("/proc", 0, NULL)))
		return TRUE;
	while ((entry = g_dir_read_name(directory))) {
		if (!g_ascii_isdigit(*entry) || !read_namespace(entry, name, sizeof(name)) ||
		    !g_str_equal(name, wanted))
			continue;
		processes++;
		if (!cam_control_group_bounds_memory(self->group))
			memory += read_memory(entry);
	}
	if (memory > self->limits.memory)
		return beyond_memory(self, error);
	return processes <= self->limits.processes || beyond_processes(self, error);
}

static gboolean
check_group(CamSandboxGuard *self, GError **error)
{
	switch (cam_control_group_get_state(self->group)) {
	case CAM_CONTROL_GROUP_FINE:
		break;
	case CAM_CONTROL_GROUP_MEMORY:
		return beyond_memory(self, error);
	case CAM_CONTROL_GROUP_PROCESSES:
		return beyond_processes(self, error);
	}
	return TRUE;
}

/* ---- the disk ---- */

/* Takes @fd. What goes while it is looked at does not count. */
static void
add_usage(Usage *usage, int fd, guint depth)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!directory) {
		cam_fd_close(fd);
		return;
	}
	usage->too_deep = usage->too_deep || depth > MAX_DEPTH;
	while (!usage->too_deep && usage->entries <= MAX_ENTRIES && (entry = readdir(directory))) {
		if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, "..") ||
		    fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		usage->entries++;
		usage->bytes += (guint64) st.st_blocks * 512;
		if (S_ISDIR(st.st_mode)) {
			int child = openat(dirfd(directory), entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (child >= 0)
				add_usage(usage, child, depth + 1);
		}
	}
	closedir(directory);
}

static gboolean
check_disk(CamSandboxGuard *self, GError **error)
{
	gint64 begin = g_get_monotonic_time();
	Usage usage = { 0 };
	int fd = self->grows ? open(self->grows, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return TRUE;
	add_usage(&usage, fd, 0);
	/* A tree that takes long to look at is looked at less often. */
	self->next_disk =
		g_get_monotonic_time() + MAX(DISK_MS * 1000, 10 * (g_get_monotonic_time() - begin));
	if (usage.too_deep)
		return cam_set_error(
			error, CAM_ERROR_RESOURCE_EXHAUSTED,
			"the sandbox was stopped: it nested directories deeper than %d", MAX_DEPTH);
	if (usage.entries > MAX_ENTRIES)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the sandbox was stopped: it made more than %d files",
				     MAX_ENTRIES);
	return usage.bytes <= self->limits.disk || beyond_disk(self, error);
}

/* ---- both ---- */

int
cam_sandbox_guard_interval(const CamSandboxGuard *self)
{
	return WATCH_MS;
}

gboolean
cam_sandbox_guard_check(CamSandboxGuard *self, GPid pid, GError **error)
{
	if (!check_group(self, error))
		return FALSE;
	if ((!cam_control_group_bounds_memory(self->group) ||
	     !cam_control_group_bounds_processes(self->group)) &&
	    !check_processes(self, pid, error))
		return FALSE;
	return g_get_monotonic_time() < self->next_disk || check_disk(self, error);
}

gboolean
cam_sandbox_guard_check_end(CamSandboxGuard *self, int status, GError **error)
{
	if (!check_group(self, error) || !check_disk(self, error))
		return FALSE;
	return status != 128 + SIGXFSZ || beyond_disk(self, error);
}
