/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One change of a layer: how its path is spelled, which of its xattrs may stand in a layer, and
 * where it stands among others. What changes mean together is layer-writer.c's.
 */
#include "rebuild/layer/layer-change.h"

#include <string.h>

/* (nullable): why @part (of @size bytes) cannot be a component of a path. */
static const char *
component_problem(const char *part, gsize size)
{
	if (size == 0 || (size == 1 && part[0] == '.') || (size == 2 && memcmp(part, "..", 2) == 0))
		return "is not a plain path";
	if (g_str_has_prefix(part, CAM_WHITEOUT_PREFIX))
		return "would be read as a whiteout";
	return NULL;
}

char *
cam_layer_path_clean(const char *path, GError **error)
{
	g_autofree char *clean = NULL;
	gsize length;

	while (*path == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
		path++;
	clean = g_strdup(path);
	length = strlen(clean);
	while (length > 0 && clean[length - 1] == '/')
		clean[--length] = '\0';
	for (const char *part = length > 0 ? clean : NULL; part != NULL;) {
		const char *end = strchrnul(part, '/');
		const char *problem = component_problem(part, (gsize) (end - part));

		if (problem != NULL) {
			g_autofree char *shown = g_strescape(clean, NULL);

			cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				      "\"%s\" cannot be part of a layer: it %s", shown, problem);
			return NULL;
		}
		part = *end == '/' ? end + 1 : NULL;
	}
	return g_steal_pointer(&clean);
}

static gboolean
xattr_allowed(const char *name)
{
	if (g_str_has_prefix(name, "user."))
		return !g_str_has_prefix(name, "user.overlay.");
	return g_str_equal(name, "security.capability");
}

static int
compare_xattrs(gconstpointer a, gconstpointer b)
{
	g_autoptr(GVariant) name_a = g_variant_get_child_value(*(GVariant *const *) a, 0);
	g_autoptr(GVariant) name_b = g_variant_get_child_value(*(GVariant *const *) b, 0);

	return strcmp(g_variant_get_bytestring(name_a), g_variant_get_bytestring(name_b));
}

/* (nullable): those that may stand in a layer, sorted by name. */
static GVariant *
filter_xattrs(GVariant *xattrs)
{
	g_autoptr(GPtrArray) kept =
		g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);
	gsize n = xattrs != NULL ? g_variant_n_children(xattrs) : 0;

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) pair = g_variant_get_child_value(xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(pair, 0);

		if (xattr_allowed(g_variant_get_bytestring(name)))
			g_ptr_array_add(kept, g_steal_pointer(&pair));
	}
	if (kept->len == 0)
		return NULL;
	g_ptr_array_sort(kept, compare_xattrs);
	return g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"),
						      (GVariant *const *) kept->pdata, kept->len));
}

/* Whether a removal is what @self does in the directory that it shares with another path, their
 * bytes being the same up to @i. */
static gboolean
is_whiteout_here(const CamLayerChange *self, gsize i)
{
	return self->kind == CAM_LAYER_WHITEOUT && strchr(self->path + i, '/') == NULL;
}

/* Ends come before "/" and this before all other bytes, so that "lib", "lib/x", "lib64" stand in
 * this order. */
static int
byte_rank(char byte)
{
	return byte == '\0' ? 0 : byte == '/' ? 1 : 1 + (guchar) byte;
}

int
cam_layer_change_compare(gconstpointer a, gconstpointer b)
{
	const CamLayerChange *x = *(const CamLayerChange *const *) a,
			     *y = *(const CamLayerChange *const *) b;
	gsize i = 0;

	while (x->path[i] == y->path[i] && x->path[i] != '\0')
		i++;
	if (is_whiteout_here(x, i) != is_whiteout_here(y, i))
		return is_whiteout_here(x, i) ? -1 : 1;
	return byte_rank(x->path[i]) - byte_rank(y->path[i]);
}

gboolean
cam_layer_change_is_directory(const CamLayerChange *self)
{
	return (self->kind == CAM_LAYER_ENTRY || self->kind == CAM_LAYER_PARENT) &&
	       self->stat.type == CAM_NODE_DIRECTORY;
}

void
cam_layer_change_set_stat(CamLayerChange *self, const CamStat *stat)
{
	self->stat = *stat;
	self->stat.link_target = g_strdup(stat->link_target);
	self->stat.xattrs = NULL;
	self->xattrs = filter_xattrs(stat->xattrs);
}

CamLayerChange *
cam_layer_change_new(CamLayerChangeKind kind, const char *path)
{
	CamLayerChange *self = g_new0(CamLayerChange, 1);

	self->kind = kind;
	self->path = g_strdup(path);
	return self;
}

void
cam_layer_change_free(CamLayerChange *self)
{
	g_free(self->path);
	g_free(self->target);
	cam_stat_clear(&self->stat);
	g_clear_pointer(&self->xattrs, g_variant_unref);
	g_free(self);
}
