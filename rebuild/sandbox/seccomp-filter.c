/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the list of system calls that no package script needs and that would reach beyond the
 * sandbox: mounts, namespaces, modules, keys, tracing, clocks, devices. They fail with EPERM, as
 * they would for an ordinary user, so that scripts go on. What capabilities and namespaces forbid
 * already is forbidden here a second time.
 */
#include "rebuild/sandbox/seccomp-filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void *SeccompContext;

static void
seccomp_context_clear(SeccompContext *self)
{
	if (*self)
		seccomp_release(*self);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SeccompContext, seccomp_context_clear)

/* By name: those that this libseccomp does not know do not exist for it. */
static const char *const denied[] = {
	/* the file system's shape */
	"mount",
	"umount",
	"umount2",
	"pivot_root",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"quotactl",
	"quotactl_fd",
	"swapon",
	"swapoff",
	"open_by_handle_at",
	"name_to_handle_at",
	"statmount", /* where the host's files lie */
	"listmount",
	"open_tree_attr",
	"fanotify_init",
	/* namespaces */
	"setns",
	"unshare",
	/* the kernel */
	"kexec_load",
	"kexec_file_load",
	"init_module",
	"finit_module",
	"delete_module",
	"create_module",
	"query_module",
	"get_kernel_syms",
	"bpf",
	"perf_event_open",
	"reboot",
	"syslog",
	"acct",
	"lookup_dcookie",
	"nfsservctl",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"iopl",
	"ioperm",
	"modify_ldt",
	"vm86",
	"vm86old",
	"uselib",
	"_sysctl",
	/* keys */
	"keyctl",
	"add_key",
	"request_key",
	/* other processes */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"kcmp",
	"pidfd_getfd",
	/* the machine's clock and name */
	"settimeofday",
	"clock_settime",
	"clock_settime64",
	"clock_adjtime",
	"clock_adjtime64",
	"adjtimex",
	"stime",
	"sethostname",
	"setdomainname",
	"vhangup",
};

static gboolean
check(int result, const char *what, GError **error)
{
	if (result == 0)
		return TRUE;
	return cam_set_error_errno(error, -result, "cannot make the seccomp filter: %s", what);
}

static gboolean
deny_calls(SeccompContext context, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(denied); i++) {
		int call = seccomp_syscall_resolve_name(denied[i]);

		if (call != __NR_SCMP_ERROR &&
		    !check(seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 0), denied[i],
			   error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
deny_namespaces(SeccompContext context, GError **error)
{
	static const guint flags[] = { CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
				       CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET };

	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
		if (!check(seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					    SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i])),
			   "clone", error))
			return FALSE;
	/* Its flags are behind a pointer: without it, C libraries use clone(). */
	return check(seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0),
		     "clone3", error);
}

/* mknod() of devices, and typing into a terminal. */
static gboolean
deny_devices(SeccompContext context, GError **error)
{
	static const guint types[] = { S_IFCHR, S_IFBLK };

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (!check(seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mknod), 1,
					    SCMP_A1(SCMP_CMP_MASKED_EQ, S_IFMT, types[i])),
			   "mknod", error) ||
		    !check(seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mknodat), 1,
					    SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, types[i])),
			   "mknodat", error))
			return FALSE;
	}
	return check(seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI)),
		     "ioctl", error);
}

/* Programs of the architecture's 32-bit sibling (libfoo:i386) are held to the same. */
static gboolean
add_sibling_architecture(SeccompContext context, GError **error)
{
	int result = 0;

	switch (seccomp_arch_native()) {
	case SCMP_ARCH_X86_64:
		result = seccomp_arch_add(context, SCMP_ARCH_X86);
		break;
	case SCMP_ARCH_AARCH64:
		result = seccomp_arch_add(context, SCMP_ARCH_ARM);
		break;
	default:
		break;
	}
	return result == -EEXIST || check(result, "32-bit architecture", error);
}

int
cam_seccomp_filter_open(GError **error)
{
	g_auto(SeccompContext) context = seccomp_init(SCMP_ACT_ALLOW);

	if (!context) {
		cam_set_error(error, CAM_ERROR_UNIMPLEMENTED, "seccomp is not available");
		return -1;
	}
	if (!add_sibling_architecture(context, error) || !deny_calls(context, error) ||
	    !deny_namespaces(context, error) || !deny_devices(context, error))
		return -1;

	g_auto(CamFd) fd = memfd_create("cambium-seccomp", MFD_CLOEXEC);

	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot make the seccomp filter");
		return -1;
	}
	if (!check(seccomp_export_bpf(context, fd), "export", error))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		cam_set_error_errno(error, errno, "cannot rewind the seccomp filter");
		return -1;
	}
	return cam_fd_steal(&fd);
}
