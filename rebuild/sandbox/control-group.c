/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the control groups of sandboxes: where they can be made, what is written into them, and
 * their end. Everything here is an attempt: a machine without them is watched instead.
 */
#include "rebuild/sandbox/control-group.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT	    "/sys/fs/cgroup"
#define PREFIX	    "cambium-" /* then the process that made it */
#define READ_MAX    (64 * 1024)
#define END_TRIES   100
#define END_WAIT_US 10000

/* One folder: version 2 has one for all, version 1 one for each controller. */
typedef struct {
	char *path;
	CamFd procs; /* its cgroup.procs, open for writing */
	gboolean memory, processes;
	gboolean unified;
} Group;

struct _CamControlGroup {
	Group groups[2];
	guint n_groups;
};

static gboolean
put(const char *directory, const char *name, const char *value)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_auto(CamFd) fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t) strlen(value);
}

static gboolean
put_number(const char *directory, const char *name, guint64 value)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	return put(directory, name, text);
}

/* (transfer full): "" where there is no such file. */
static char *
get(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autoptr(GBytes) bytes = cam_read_file_at(AT_FDCWD, path, READ_MAX, NULL);
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

	return g_strndup(data ? data : "", size);
}

/* The number behind @key in "key number" lines. */
static guint64
get_count(const char *directory, const char *name, const char *key)
{
	g_autofree char *text = get(directory, name);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gsize size = strlen(key);

	for (guint i = 0; lines[i]; i++)
		if (!strncmp(lines[i], key, size) && lines[i][size] == ' ')
			return g_ascii_strtoull(lines[i] + size + 1, NULL, 10);
	return 0;
}

static gboolean
has_word(const char *text, const char *word)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \n,", -1);

	return g_strv_contains((const char *const *) words, word);
}

/* ---- making one ---- */

static void
group_clear(Group *self)
{
	if (self->procs >= 0)
		cam_fd_close(cam_fd_steal(&self->procs));
	/* The last processes leave it a moment after they died. */
	for (guint i = 0; self->path && rmdir(self->path) != 0 && errno == EBUSY && i < END_TRIES;
	     i++)
		g_usleep(END_WAIT_US);
	g_clear_pointer(&self->path, g_free);
}

/* Those of processes that were killed; one that still has processes stays. */
static void
remove_left_behind(const char *parent)
{
	g_autoptr(GDir) directory = g_dir_open(parent, 0, NULL);
	const char *name;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *path = g_build_filename(parent, name, NULL);
		gint64 pid = g_str_has_prefix(name, PREFIX)
				     ? g_ascii_strtoll(name + strlen(PREFIX), NULL, 10)
				     : 0;

		if (pid > 0 && pid <= G_MAXINT && kill((pid_t) pid, 0) != 0 && errno == ESRCH)
			(void) rmdir(path);
	}
}

static gboolean
make_folder(Group *self, const char *parent)
{
	g_autofree char *procs = NULL;

	remove_left_behind(parent);
	self->procs = -1;
	self->path =
		g_strdup_printf("%s/" PREFIX "%d-%08x", parent, (int) getpid(), g_random_int());
	procs = g_build_filename(self->path, "cgroup.procs", NULL);
	if (mkdir(self->path, 0755) != 0) {
		g_clear_pointer(&self->path, g_free);
		return FALSE;
	}
	self->procs = open(procs, O_WRONLY | O_CLOEXEC);
	if (self->procs >= 0)
		return TRUE;
	group_clear(self);
	return FALSE;
}

/* (nullable): this process's group, by a line "…:CONTROLLER:/path" of /proc/self/cgroup; with ""
 * that of version 2. */
static char *
own_group(const char *controller)
{
	g_autofree char *text = get("/proc/self", "cgroup");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(lines[i], ":", 3);

		if (g_strv_length(parts) == 3 &&
		    (*controller ? has_word(parts[1], controller) : *parts[1] == '\0'))
			return g_strdup(parts[2]);
	}
	return NULL;
}

static gboolean
fill_unified(Group *self, guint64 memory, guint64 processes)
{
	self->unified = self->memory = self->processes = TRUE;
	put_number(self->path, "memory.swap.max", 0);
	put(self->path, "memory.oom.group", "1");
	return put_number(self->path, "memory.max", memory) &&
	       put_number(self->path, "pids.max", processes);
}

/* The nearest group from ours upwards that hands both controllers to its children. */
static gboolean
make_unified(CamControlGroup *self, guint64 memory, guint64 processes)
{
	g_autofree char *own = own_group("");
	g_autofree char *directory = own ? g_strconcat(ROOT, own, NULL) : NULL;

	while (directory && strlen(directory) >= strlen(ROOT)) {
		g_autofree char *control = get(directory, "cgroup.subtree_control");
		Group *group = &self->groups[0];
		char *parent;

		if (has_word(control, "memory") && has_word(control, "pids") &&
		    make_folder(group, directory)) {
			if (fill_unified(group, memory, processes)) {
				self->n_groups = 1;
				return TRUE;
			}
			group_clear(group);
		}
		parent = g_path_get_dirname(directory);
		g_free(directory);
		directory = parent;
	}
	return FALSE;
}

static void
make_single(CamControlGroup *self, const char *controller, const char *file, guint64 value)
{
	g_autofree char *own = own_group(controller);
	g_autofree char *parent = own ? g_strconcat(ROOT "/", controller, own, NULL) : NULL;
	Group *group = &self->groups[self->n_groups];

	if (!parent || !make_folder(group, parent))
		return;
	if (!put_number(group->path, file, value)) {
		group_clear(group);
		return;
	}
	group->memory = g_str_equal(controller, "memory");
	group->processes = !group->memory;
	/* with swap, where the kernel counts it */
	if (group->memory)
		put_number(group->path, "memory.memsw.limit_in_bytes", value);
	self->n_groups++;
}

CamControlGroup *
cam_control_group_new(guint64 memory, guint64 processes)
{
	g_autoptr(CamControlGroup) self = g_new0(CamControlGroup, 1);

	if (make_unified(self, memory, processes))
		return g_steal_pointer(&self);
	make_single(self, "memory", "memory.limit_in_bytes", memory);
	make_single(self, "pids", "pids.max", processes);
	return self->n_groups > 0 ? g_steal_pointer(&self) : NULL;
}

void
cam_control_group_free(CamControlGroup *self)
{
	if (!self)
		return;
	for (guint i = 0; i < self->n_groups; i++)
		group_clear(&self->groups[i]);
	g_free(self);
}

/* ---- using it ---- */

/* Between fork and exec: nothing but system calls. */
void
cam_control_group_join(const CamControlGroup *self)
{
	static const char message[] = "cannot join the control group\n";

	for (guint i = 0; i < self->n_groups; i++)
		if (write(self->groups[i].procs, "0", 1) != 1)
			_exit(write(STDERR_FILENO, message, sizeof(message) - 1) < 0 ? 126 : 125);
}

gboolean
cam_control_group_bounds_memory(const CamControlGroup *self)
{
	for (guint i = 0; self && i < self->n_groups; i++)
		if (self->groups[i].memory)
			return TRUE;
	return FALSE;
}

gboolean
cam_control_group_bounds_processes(const CamControlGroup *self)
{
	for (guint i = 0; self && i < self->n_groups; i++)
		if (self->groups[i].processes)
			return TRUE;
	return FALSE;
}

CamControlGroupState
cam_control_group_get_state(const CamControlGroup *self)
{
	for (guint i = 0; self && i < self->n_groups; i++) {
		const Group *group = &self->groups[i];
		const char *events = group->unified ? "memory.events" : "memory.oom_control";

		if (group->memory && get_count(group->path, events, "oom_kill") > 0)
			return CAM_CONTROL_GROUP_MEMORY;
		if (group->processes && get_count(group->path, "pids.events", "max") > 0)
			return CAM_CONTROL_GROUP_PROCESSES;
	}
	return CAM_CONTROL_GROUP_FINE;
}
