/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"
#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/* Carried by the regular, empty object that stands for what OSTree cannot hold: a device node
 * ("c 1 3", "b 8 0"), a FIFO ("p"), a symbolic link whose target is not UTF-8 ("l TARGET").
 * Attributes of this prefix that a layer brings itself never reach a tree. */
#define CAM_XATTR_PREFIX "user.cambium."
#define CAM_XATTR_NODE	 "user.cambium.node"

/* The tree that a tar entry asks for: whiteouts told apart. @entry points into @tar and, for a
 * whiteout, to *@path. */
gboolean
cam_layer_entry_from_tar(CamLayerEntry *entry, const CamTarEntry *tar, char **path, GError **error);
/* What is no directory under the name of the root belongs to no tree: containerd passes over it. */
gboolean cam_layer_entry_is_file_at_root(const CamTarEntry *tar);
/* Whether @tar is that or a whiteout: nothing keeps its content. */
gboolean cam_layer_entry_is_without_node(const CamTarEntry *tar);
/* Whether the entry is kept as a file object of the store. */
gboolean cam_layer_entry_has_object(const CamLayerEntry *entry);
/* st_mode of the object that stands for the entry. */
guint32 cam_layer_entry_object_mode(const CamLayerEntry *entry);
/* (transfer full): the attributes that the tree keeps: user.* and security.capability of files and
 * directories, and the node's own. a(ayay) sorted by name; never NULL. */
GVariant *cam_layer_entry_object_xattrs(const CamLayerEntry *entry);
/* (transfer full): the attributes of @before (nullable) and @added; where both have a name,
 * @added's counts. Sorted by name. */
GVariant *cam_layer_xattrs_unite(GVariant *before, GVariant *added);
/* Reads the node's attribute back: sets type, link_target, device number and size, and takes the
 * attribute out of @stat's. Without one nothing changes. */
gboolean cam_layer_node_decode(CamStat *stat, GError **error);

G_END_DECLS
