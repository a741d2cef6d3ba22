/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/sandbox/sandbox.h"

G_BEGIN_DECLS

/**
 * cam_byte_code_check:
 * @image: whose interpreter compiles; the layer is not on it
 * @before: the tree of @image
 * @after: the tree with the layer
 * @paths: (element-type utf8): compiled Python files of @after,
 * DIR/__pycache__/NAME.cpython-311.pyc, whose sources are verified
 * @same: (out): whether each is what @image's own interpreter makes of its source
 *
 * The sources are compiled in a sandbox on the tree without the layer, so that nothing of the layer
 * runs; compiled files are compared by what they say, since the same code has several forms
 * (references to equal objects). FALSE in @same also where there is no such interpreter.
 */
gboolean
cam_byte_code_check(CamStore *store, const CamImage *image, CamRootfs *before, CamRootfs *after,
		    const GPtrArray *paths, const CamSandboxLimits *limits, gboolean *same,
		    GCancellable *cancellable, GError **error);

G_END_DECLS
