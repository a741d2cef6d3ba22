/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One input. libFuzzer calls it with -Dfuzzing=true, else replay.c does. */
int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* (element-type GBytes): inputs that are understood to their end; replay.c makes others of them. */
GPtrArray *cam_fuzz_seeds(void);
