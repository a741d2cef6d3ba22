/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The public face of the room "rebuild": making it right. Other rooms include this header and
 * nothing below this folder.
 */
#include "rebuild/diff/image-diff.h"
#include "rebuild/diff/package-diff.h"
#include "rebuild/diff/tree-diff.h"
#include "rebuild/plan/fix-plan.h"
#include "rebuild/publish/fix-name.h"
#include "rebuild/publish/fix.h"
