/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of headers that are refused for safety although containerd unpacks them. */
#include "snapshotter/store/tar-ambiguity.h"

static const struct {
	const char *name, *reason;
} kinds[] = {
	[CAM_TAR_PARENT_NAME] = { "parent-name", "the name leads upwards with \"..\"" },
	[CAM_TAR_GNU_PREFIX] = { "gnu-prefix",
				 "a GNU header with text where its times belong, which Go programs "
				 "put in front of the name and others do not" },
	[CAM_TAR_SPARSE_KEYS] = { "sparse-keys",
				  "keys of a sparse file that has no map, which some programs take "
				  "the name or size from" },
	[CAM_TAR_OWNER] = { "owner", "an owner that chown(2) would take as another one" },
	[CAM_TAR_DEVICE_NUMBER] = { "device-number",
				    "a device number that the kernel would cut to another one" },
	[CAM_TAR_GLOBAL_NAME] = { "global-name",
				  "a global extended header named as a file, which containerd "
				  "would remove" },
	[CAM_TAR_LINK_SLASH] = { "link-slash",
				 "the target of the hard link ends in \"/\", so that links in its "
				 "place are followed" },
};

const char *
cam_tar_ambiguity_get_name(CamTarAmbiguity kind)
{
	return kind < G_N_ELEMENTS(kinds) ? kinds[kind].name : NULL;
}

gboolean
cam_tar_ambiguity_check(CamTarAmbiguity kind, gboolean allowed, GError **error)
{
	return allowed ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "ambiguous (%s): %s; [limits] allow_ambiguous in cambium.conf, or "
			     "'--allow-ambiguous' for one import, takes such layers",
			     kinds[kind].name, kinds[kind].reason);
}
