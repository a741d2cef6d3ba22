/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The public face of the room "scanners": what is wrong with an image. Other rooms include this
 * header and nothing below this folder.
 */
#include "scanners/advisory/advisory-db.h"
#include "scanners/advisory/changelog-feed.h"
#include "scanners/advisory/version.h"
#include "scanners/apt/apt-keyrings.h"
#include "scanners/apt/apt-repository.h"
#include "scanners/apt/apt-sources.h"
#include "scanners/apt/deb822.h"
#include "scanners/engine/acceptance.h"
#include "scanners/engine/finding.h"
#include "scanners/engine/risk.h"
#include "scanners/engine/scan-engine.h"
#include "scanners/engine/scan-result.h"
#include "scanners/engine/scanner.h"
#include "scanners/engine/unjudged.h"
#include "scanners/inventory/inventory.h"
#include "scanners/inventory/os-release.h"
#include "scanners/inventory/package.h"
#include "scanners/inventory/scan-limits.h"
#include "scanners/report/conclusion.h"
#include "scanners/report/json-text.h"
#include "scanners/report/report.h"
#include "scanners/report/table.h"
#include "scanners/report/text.h"
