/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <solv/pool.h>
#include <solv/queue.h>

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* More alternatives in one dependency, or more dependencies in one field, than any package has:
 * libsolv walks alternatives recursively, so that a hostile status could exhaust the stack. */
#define CAM_DEPENDENCY_MAX_ALTERNATIVES 512
#define CAM_DEPENDENCY_MAX_RELATIONS	16384

typedef enum {
	CAM_RELATION_REQUIRES,
	CAM_RELATION_CONFLICTS,
	CAM_RELATION_PROVIDES,
} CamRelation;

/**
 * CamDependencyContext:
 *
 * Whose relations are read. In the solver's universe a package of a foreign architecture has the
 * name "name:arch" (as apt has it), so that both can be installed beside each other.
 */
typedef struct {
	Pool *pool;
	const char *native;	     /* "amd64" */
	const char *const *foreign;  /* (nullable): the other architectures of the image */
	const char *architecture;    /* of the package that is read */
	gboolean multi_arch_foreign; /* it says Multi-Arch: foreign */
} CamDependencyContext;

/* The name that the package @name of @architecture has in the universe. */
Id cam_dependency_name(const CamDependencyContext *context, const char *name, gsize size,
		       const char *architecture);
/* A version as the solver shall compare it: epoch 0 and revision 0 left out, as dpkg equates them.
 */
Id cam_dependency_version(Pool *pool, const char *version, gsize size);

/**
 * cam_dependency_parse:
 * @text: the value of a relationship field, deb-control(5); not NUL-terminated
 * @out: relations are appended
 *
 * %CAM_ERROR_DATA_LOSS for what is malformed.
 */
gboolean cam_dependency_parse(const CamDependencyContext *context, CamRelation relation,
			      const char *text, gsize size, Queue *out, GError **error);

G_END_DECLS
