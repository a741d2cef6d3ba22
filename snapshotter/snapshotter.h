/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The public face of the room "snapshotter": images as trees in a content-addressed store. Other
 * rooms include this header and nothing below this folder.
 */
#include "snapshotter/base/archive.h"
#include "snapshotter/base/compression.h"
#include "snapshotter/base/database.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/progress.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/base/thread.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/digest.h"
#include "snapshotter/oci/error.h"
#include "snapshotter/oci/image-config.h"
#include "snapshotter/oci/index.h"
#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest.h"
#include "snapshotter/oci/platform.h"
#include "snapshotter/oci/reference.h"
#include "snapshotter/oci/verify-stream.h"
#include "snapshotter/snapshots/mount.h"
#include "snapshotter/snapshots/snapshotter.h"
#include "snapshotter/store/digest-stream.h"
#include "snapshotter/store/image-import.h"
#include "snapshotter/store/image-restore.h"
#include "snapshotter/store/memory-rootfs.h"
#include "snapshotter/store/rootfs.h"
#include "snapshotter/store/store.h"
#include "snapshotter/store/tar-writer.h"
#include "snapshotter/store/tree.h"
#include "snapshotter/store/upper-layer.h"
#include "snapshotter/transport/http.h"
#include "snapshotter/transport/image-transport.h"
#include "snapshotter/transport/location.h"
