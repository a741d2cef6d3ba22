/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The public face of the room "plugin": what serves Cambium to people and machines. It is the last
 * room; only programs and tests include this header.
 */
#include "plugin/cli/cli.h"
#include "plugin/config.h"
#include "plugin/look-up.h"
#include "plugin/settings.h"
#include "plugin/sources.h"
