/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* A file of the host that is seen, read-only, inside. */
typedef struct {
	const char *source; /* host path */
	const char *target; /* absolute path inside */
} CamSandboxFile;

/* Below this directory of the sandbox, which never reaches the tree, files may be put. */
#define CAM_SANDBOX_FILES "/run/cambium"
/* An empty directory for HOME, as short-lived. */
#define CAM_SANDBOX_HOME CAM_SANDBOX_FILES "/home"

/* How much a command may take. Of each, 0 is the default. */
typedef struct {
	guint64 memory;	   /* bytes, of all its processes and of /tmp, /run, /dev/shm together */
	guint64 disk;	   /* bytes that it may write, in one file or in all */
	guint64 processes; /* at the same time */
	guint64 seconds;
} CamSandboxLimits;
#define CAM_SANDBOX_MEMORY    (1ull << 30)
#define CAM_SANDBOX_DISK      (2ull << 30)
#define CAM_SANDBOX_PROCESSES 512
#define CAM_SANDBOX_SECONDS   (30 * 60)

/**
 * CamSandboxCommand: what runs, where.
 */
typedef struct {
	const char *root;  /* the tree that becomes "/": hostile, written to; a mount point */
	const char *grows; /* (nullable): the directory where its writes end up, to be measured */
	const char *const *argv;	/* absolute path first */
	const char *const *environment; /* "NAME=value"; nothing else is set */
	const CamSandboxFile *files;
	gsize n_files;
	CamSandboxLimits limits;
} CamSandboxCommand;

typedef struct {
	int status;   /* exit status; 128 + signal */
	char *output; /* the end of what it printed, both streams, valid UTF-8 */
} CamSandboxResult;
void cam_sandbox_result_clear(CamSandboxResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamSandboxResult, cam_sandbox_result_clear)

/* Whether sandboxes can be had here; *@reason says what is missing and what to do. */
gboolean cam_sandbox_probe(char **reason);

/**
 * cam_sandbox_run:
 *
 * Runs a command of a tree that is not trusted, as its root user, with its own process, network,
 * IPC and host name namespaces, without network, with the capabilities that a package manager
 * needs, a seccomp filter, a private /dev, and /tmp and /run that never reach the tree. It dies
 * with this process and when it takes more than its limits.
 *
 * A command that fails is no error: look at @result. Errors: FAILED_PRECONDITION (not root, no
 * bubblewrap, or a tree in which /proc, /dev, /tmp or /run is no directory), CANCELLED,
 * ABORTED (too long), RESOURCE_EXHAUSTED (another limit; the message names it).
 */
gboolean cam_sandbox_run(const CamSandboxCommand *command, CamSandboxResult *result,
			 GCancellable *cancellable, GError **error);

G_END_DECLS
