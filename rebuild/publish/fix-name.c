/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names for fixed images. Whether a name is free is asked in fix-publish.c. */
#include "rebuild/publish/fix-name.h"

#include <string.h>

/* The tag without the suffix of an earlier fix; *@number: that of the earlier fix, or 0. */
static char *
strip_suffix(const char *tag, const char *suffix, guint *number)
{
	gsize digits = strlen(tag), length = strlen(suffix);

	*number = 0;
	while (digits > 0 && g_ascii_isdigit(tag[digits - 1]))
		digits--;
	if (digits <= length || strncmp(tag + digits - length, suffix, length) != 0 ||
	    strlen(tag + digits) > 4)
		return g_strdup(tag);
	*number = tag[digits] == '\0' ? 1 : (guint) g_ascii_strtoull(tag + digits, NULL, 10);
	return g_strndup(tag, digits - length);
}

/* "_fix", "_fix2", …: what follows @number earlier fixes and @attempt refusals. */
static char *
numbered_suffix(const char *suffix, guint number, guint attempt)
{
	number += attempt + 1;
	return number > 1 ? g_strdup_printf("%s%u", suffix, number) : g_strdup(suffix);
}

CamReference *
cam_fix_name(const CamReference *original, const char *suffix, guint attempt, GError **error)
{
	g_autoptr(CamReference) base = cam_reference_copy(original);
	g_autofree char *tag = base->tag;
	g_autofree char *numbered = NULL;
	guint number = 0;

	base->tag = tag != NULL ? strip_suffix(tag, suffix, &number) : NULL;
	numbered = numbered_suffix(suffix, number, attempt);
	return cam_reference_with_tag_suffix(base, numbered, error);
}

/* What names the image inside a layout or archive: docker-archives know whole references, the
 * others a tag alone or a reference. */
static char *
fix_inner_name(const CamLocation *source, const CamReference *name, const char *suffix,
	       guint attempt, GError **error)
{
	const char *inner = source->name;
	gboolean tag_alone = source->transport != CAM_TRANSPORT_DOCKER_ARCHIVE &&
			     (inner == NULL || cam_tag_is_valid(inner));
	g_autoptr(CamReference) reference = NULL;
	g_autoptr(CamReference) fixed = NULL;

	if (inner == NULL || tag_alone) {
		reference = cam_reference_copy(name);
		if (inner != NULL) {
			g_free(reference->tag);
			reference->tag = g_strdup(inner);
		}
	} else {
		reference = cam_reference_parse(inner, error);
		if (reference == NULL)
			return NULL;
	}
	fixed = cam_fix_name(reference, suffix, attempt, error);
	if (fixed == NULL)
		return NULL;
	return tag_alone ? g_strdup(fixed->tag) : cam_reference_to_string(fixed);
}

/* The same for a tag that is overwritten. */
static char *
keep_inner_name(const CamLocation *source, const CamReference *name)
{
	if (source->name != NULL)
		return g_strdup(source->name);
	return source->transport == CAM_TRANSPORT_DOCKER_ARCHIVE ? cam_reference_to_string(name)
								 : g_strdup(name->tag);
}

/* "dir/app.tar.gz" → "dir/app_fix.tar.gz" */
static char *
fix_file_name(const char *path, const char *suffix, guint attempt)
{
	static const char *const endings[] = { ".tar", ".tar.gz", ".tgz", ".tar.zst" };
	g_autofree char *whole = NULL, *stem = NULL, *numbered = NULL;
	const char *ending = "";
	guint number;

	for (guint i = 0; *ending == '\0' && i < G_N_ELEMENTS(endings); i++) {
		if (g_str_has_suffix(path, endings[i]))
			ending = endings[i];
	}
	whole = g_strndup(path, strlen(path) - strlen(ending));
	stem = strip_suffix(whole, suffix, &number);
	numbered = numbered_suffix(suffix, number, attempt);
	return g_strconcat(stem, numbered, ending, NULL);
}

/* The tag itself, wherever it points now. */
static CamReference *
overwritten_name(const CamReference *source, GError **error)
{
	g_autoptr(CamReference) name = cam_reference_copy(source);

	if (name->tag == NULL) {
		g_autofree char *text = cam_reference_to_string(source);

		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "%s has no tag that could be overwritten; name a destination", text);
		return NULL;
	}
	g_clear_pointer(&name->digest, g_free);
	return g_steal_pointer(&name);
}

CamLocation *
cam_fix_location(const CamLocation *source, const CamReference *name, const char *suffix,
		 guint attempt, gboolean overwrite, GError **error)
{
	g_autoptr(CamLocation) location = cam_location_copy(source);
	g_autofree char *inner = NULL;

	switch (source->transport) {
	case CAM_TRANSPORT_REGISTRY:
	case CAM_TRANSPORT_CONTAINERD:
		g_clear_pointer(&location->reference, cam_reference_free);
		if (overwrite)
			location->reference = overwritten_name(source->reference, error);
		else
			location->reference =
				cam_fix_name(source->reference, suffix, attempt, error);
		if (location->reference == NULL)
			return NULL;
		break;
	case CAM_TRANSPORT_OCI_ARCHIVE:
	case CAM_TRANSPORT_DOCKER_ARCHIVE:
		g_free(location->path);
		location->path = fix_file_name(source->path, suffix, attempt);
		G_GNUC_FALLTHROUGH;
	case CAM_TRANSPORT_OCI_LAYOUT:
		inner = overwrite ? keep_inner_name(source, name)
				  : fix_inner_name(source, name, suffix, attempt, error);
		if (inner == NULL && !overwrite)
			return NULL;
		g_free(location->name);
		location->name = g_steal_pointer(&inner);
		break;
	case CAM_TRANSPORT_STORE:
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "the store is not a place to write an image back to");
		return NULL;
	}
	return g_steal_pointer(&location);
}
