/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locations: how people write down where an image is. Looks at the file system to tell a path
 * from a reference; opens nothing for good.
 */
#include "snapshotter/transport/location.h"

#include <string.h>

#include "snapshotter/base/archive.h"

typedef struct {
	const char *prefix;
	CamTransport transport;
	gboolean (*parse_rest)(CamLocation *self, const char *rest, GError **error);
} Prefix;

static gboolean
parse_reference(CamLocation *self, const char *rest, GError **error)
{
	self->reference = cam_reference_parse(rest, error);
	return self->reference != NULL;
}

static gboolean
parse_registry(CamLocation *self, const char *rest, GError **error)
{
	return parse_reference(self, rest, error) ||
	       cam_error_translate(error, "docker://HOST/REPOSITORY[:TAG|@DIGEST] is wanted");
}

static gboolean
parse_containerd(CamLocation *self, const char *rest, GError **error)
{
	const char *slash = strchr(rest, '/');

	if (slash == NULL || slash == rest)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "containerd://NAMESPACE/REFERENCE is wanted");
	self->name_space = g_strndup(rest, (gsize) (slash - rest));
	return parse_reference(self, slash + 1, error);
}

/* PATH[:NAME]. As skopeo has it, a path in this form holds no colon. */
static gboolean
parse_path(CamLocation *self, const char *rest, GError **error)
{
	const char *colon = strchr(rest, ':');

	if (rest[0] == '\0' || colon == rest || (colon != NULL && colon[1] == '\0'))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a path is wanted, and a name behind a colon if any");
	if (colon == NULL) {
		self->path = g_strdup(rest);
		return TRUE;
	}
	self->path = g_strndup(rest, (gsize) (colon - rest));
	self->name = g_strdup(colon + 1);
	return TRUE;
}

static const Prefix prefixes[] = {
	{ "docker://", CAM_TRANSPORT_REGISTRY, parse_registry },
	{ "containerd://", CAM_TRANSPORT_CONTAINERD, parse_containerd },
	{ "oci-archive:", CAM_TRANSPORT_OCI_ARCHIVE, parse_path },
	{ "docker-archive:", CAM_TRANSPORT_DOCKER_ARCHIVE, parse_path },
	{ "oci:", CAM_TRANSPORT_OCI_LAYOUT, parse_path },
};

static gboolean
is_layout(const char *path)
{
	g_autofree char *marker = g_build_filename(path, "oci-layout", NULL);

	return g_file_test(marker, G_FILE_TEST_IS_REGULAR);
}

/* What the members say. An archive that is both (docker writes such) is read as the OCI layout in
 * it: that one names digests. */
static gboolean
guess_archive(const char *path, CamTransport *transport, GError **error)
{
	g_autoptr(CamArchive) archive = cam_archive_open_file(path, error);
	g_autoptr(GError) local = NULL;
	const CamArchiveEntry *entry;
	gboolean found = FALSE;

	if (archive == NULL)
		return FALSE;
	while ((entry = cam_archive_next(archive, NULL, &local)) != NULL) {
		const char *member =
			g_str_has_prefix(entry->path, "./") ? entry->path + 2 : entry->path;

		if (g_str_equal(member, "oci-layout")) {
			*transport = CAM_TRANSPORT_OCI_ARCHIVE;
			return TRUE;
		}
		if (g_str_equal(member, "manifest.json")) {
			*transport = CAM_TRANSPORT_DOCKER_ARCHIVE;
			found = TRUE;
		}
	}
	if (local != NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	return found || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				      "%s is neither a docker-archive nor an OCI archive: it holds "
				      "no manifest.json and no oci-layout",
				      path);
}

/* Whether @path names images without a prefix; sets the transport if so. */
static gboolean
recognise_path(const char *path, CamTransport *transport, gboolean *recognised, GError **error)
{
	*recognised = FALSE;
	if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
		*recognised = is_layout(path);
		*transport = CAM_TRANSPORT_OCI_LAYOUT;
		return TRUE;
	}
	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return TRUE;
	*recognised = guess_archive(path, transport, error);
	return *recognised;
}

/* A bare path with an optional ":NAME": the longest beginning that is there wins. */
static gboolean
parse_bare_path(CamLocation *self, const char *text, gboolean *found, GError **error)
{
	g_autofree char *path = g_strdup(text);
	gsize end = strlen(text);

	for (;;) {
		char *colon;

		if (!recognise_path(path, &self->transport, found, error))
			return FALSE;
		if (*found && strchr(path, ':') != NULL)
			return cam_set_error(
				error, CAM_ERROR_INVALID_ARGUMENT,
				"the path %s holds a colon, which begins a name: rename "
				"or link it",
				path);
		if (*found) {
			self->path = g_steal_pointer(&path);
			self->name = text[end] != '\0' ? g_strdup(text + end + 1) : NULL;
			return self->name == NULL || self->name[0] != '\0' ||
			       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "no name behind the colon of %s", text);
		}
		colon = strrchr(path, ':');
		if (colon == NULL)
			return TRUE;
		end = (gsize) (colon - path);
		*colon = '\0';
	}
}

static gboolean
is_meant_as_path(const char *text)
{
	return text[0] == '/' || g_str_has_prefix(text, "./") || g_str_has_prefix(text, "../") ||
	       g_str_equal(text, ".") || g_str_equal(text, "..");
}

static gboolean
parse_without_prefix(CamLocation *self, const char *text, GError **error)
{
	gboolean found = FALSE;

	if (text[0] == '\0')
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "an image must be named");
	if (!parse_bare_path(self, text, &found, error))
		return FALSE;
	if (found)
		return TRUE;
	if (is_meant_as_path(text))
		return cam_set_error(
			error, CAM_ERROR_NOT_FOUND,
			"%s is neither an OCI layout nor an archive; to make one, write "
			"oci:DIRECTORY, oci-archive:FILE or docker-archive:FILE",
			text);
	self->transport = CAM_TRANSPORT_STORE;
	return parse_reference(self, text, error);
}

CamLocation *
cam_location_parse(const char *text, GError **error)
{
	g_autoptr(CamLocation) self = g_new0(CamLocation, 1);

	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (!g_str_has_prefix(text, prefixes[i].prefix))
			continue;
		self->transport = prefixes[i].transport;
		if (!prefixes[i].parse_rest(self, text + strlen(prefixes[i].prefix), error)) {
			cam_error_translate(error, "cannot understand \"%s\"", text);
			return NULL;
		}
		return g_steal_pointer(&self);
	}
	return parse_without_prefix(self, text, error) ? g_steal_pointer(&self) : NULL;
}

CamLocation *
cam_location_copy(const CamLocation *self)
{
	CamLocation *copy = g_new0(CamLocation, 1);

	copy->transport = self->transport;
	copy->path = g_strdup(self->path);
	copy->name = g_strdup(self->name);
	copy->name_space = g_strdup(self->name_space);
	copy->reference = self->reference != NULL ? cam_reference_copy(self->reference) : NULL;
	return copy;
}

char *
cam_location_to_string(const CamLocation *self)
{
	g_autofree char *reference =
		self->reference != NULL ? cam_reference_to_string(self->reference) : NULL;

	switch (self->transport) {
	case CAM_TRANSPORT_STORE:
		return g_steal_pointer(&reference);
	case CAM_TRANSPORT_REGISTRY:
		return g_strconcat("docker://", reference, NULL);
	case CAM_TRANSPORT_CONTAINERD:
		return g_strconcat("containerd://", self->name_space, "/", reference, NULL);
	case CAM_TRANSPORT_OCI_LAYOUT:
		return g_strjoin(":", "oci", self->path, self->name, NULL);
	case CAM_TRANSPORT_OCI_ARCHIVE:
		return g_strjoin(":", "oci-archive", self->path, self->name, NULL);
	case CAM_TRANSPORT_DOCKER_ARCHIVE:
		return g_strjoin(":", "docker-archive", self->path, self->name, NULL);
	}
	g_return_val_if_reached(NULL);
}

void
cam_location_free(CamLocation *self)
{
	if (self == NULL)
		return;
	g_free(self->path);
	g_free(self->name);
	g_free(self->name_space);
	cam_reference_free(self->reference);
	g_free(self);
}
