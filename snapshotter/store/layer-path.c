/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following the symbolic links of a layer as containerd's applier follows them in the directory
 * that it unpacks into (continuity, fs.RootPath). Where a link leads to a path that has further
 * links, the outcome depends on the order in which they are replaced: that order is kept.
 */
#include "snapshotter/store/layer-path.h"

#include <limits.h>
#include <string.h>

#define ROOT_LINKS_MAX	 255 /* fs.RootPath() */
#define KERNEL_LINKS_MAX 40  /* path_resolution(7) */

static gboolean
is_symlink(const CamLayerNode *node)
{
	return node->record != NULL && node->record->stat.type == CAM_NODE_SYMLINK &&
	       node->record->stat.link_target != NULL;
}

CamLayerNode *
cam_layer_path_get(CamLayerNode *root, const char *path, gboolean *blocked)
{
	g_autofree char *names = g_strdup(path);
	CamLayerNode *node = root;
	char *rest = NULL;

	if (blocked != NULL)
		*blocked = FALSE;
	for (char *name = strtok_r(names, "/", &rest); name != NULL && node != NULL;
	     name = strtok_r(NULL, "/", &rest)) {
		if (!node->is_directory) {
			if (blocked != NULL)
				*blocked = TRUE;
			return NULL;
		}
		node = cam_layer_node_get_child(node, name);
	}
	return node;
}

/* ---- lstat(2) below the root ---- */

typedef struct {
	GPtrArray *stack; /* CamLayerNode, root first */
	guint links;
	gboolean nowhere; /* left the root: what is there depends on the host */
} Look;

static gboolean look_through(Look *look, const char *path, gboolean follow_last);

/* One name. FALSE for ENOTDIR and ELOOP. */
static gboolean
look_at(Look *look, const char *name, gboolean follow)
{
	CamLayerNode *here = g_ptr_array_index(look->stack, look->stack->len - 1);
	CamLayerNode *child;

	if (!here->is_directory)
		return FALSE;
	if (g_str_equal(name, ".."))
		look->nowhere = look->stack->len == 1;
	if (g_str_equal(name, "..")) {
		g_ptr_array_set_size(look->stack, MAX(1, (int) look->stack->len - 1));
		return TRUE;
	}
	child = cam_layer_node_get_child(here, name);
	look->nowhere = child == NULL;
	if (child == NULL)
		return TRUE;
	if (!follow || !is_symlink(child)) {
		g_ptr_array_add(look->stack, child);
		return TRUE;
	}
	look->nowhere = child->record->stat.link_target[0] == '/';
	return look->nowhere || (++look->links <= KERNEL_LINKS_MAX &&
				 look_through(look, child->record->stat.link_target, TRUE));
}

static gboolean
look_through(Look *look, const char *path, gboolean follow_last)
{
	g_autofree char *names = g_strdup(path);
	char *rest = NULL, *next;

	for (char *name = strtok_r(names, "/", &rest); name != NULL && !look->nowhere;
	     name = next) {
		next = strtok_r(NULL, "/", &rest);
		if (!g_str_equal(name, ".") && !look_at(look, name, follow_last || next != NULL))
			return FALSE;
	}
	return TRUE;
}

/* ---- fs.RootPath() ---- */

typedef struct {
	CamLayerNode *root;
	const char *whole; /* for messages */
	guint links;
	guint64 *budget;
} Resolve;

/* As Go's filepath.Clean("/" + @a + "/" + @b). */
static char *
join(const char *a, const char *b)
{
	g_autofree char *names = g_strconcat(a, "/", b, NULL);
	GString *clean = g_string_sized_new(strlen(names) + 1);
	char *rest = NULL;

	for (char *name = strtok_r(names, "/", &rest); name != NULL;
	     name = strtok_r(NULL, "/", &rest)) {
		if (g_str_equal(name, "."))
			continue;
		if (g_str_equal(name, "..")) {
			const char *slash = strrchr(clean->str, '/');

			g_string_truncate(clean, slash != NULL ? (gsize) (slash - clean->str) : 0);
			continue;
		}
		g_string_append_c(clean, '/');
		g_string_append(clean, name);
	}
	if (clean->len == 0)
		g_string_append_c(clean, '/');
	return g_string_free(clean, FALSE);
}

static char *
refuse(const Resolve *self, const char *what, GError **error)
{
	cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s: %s", self->whole, what);
	return NULL;
}

/* The target of the link at @path (relative or absolute), or @path itself, cleaned. */
static char *
walk_link(Resolve *self, const char *path, gboolean *is_link, GError **error)
{
	g_autofree char *clean = join("", path);
	g_autoptr(GPtrArray) stack = g_ptr_array_new();
	Look look = { .stack = stack };
	CamLayerNode *node;

	*is_link = FALSE;
	if (self->links > ROOT_LINKS_MAX)
		return refuse(self, "too many symbolic links on the way", error);
	if (strlen(clean) >= PATH_MAX)
		return refuse(self, "symbolic links lead to a path that is too long", error);
	if (*self->budget < strlen(clean))
		return refuse(self, "the layer takes too long to follow its symbolic links", error);
	*self->budget -= strlen(clean);
	g_ptr_array_add(stack, self->root);
	if (!look_through(&look, clean, FALSE))
		return refuse(self, "lies below what is no directory in this layer", error);
	node = g_ptr_array_index(stack, stack->len - 1);
	if (look.nowhere || !is_symlink(node))
		return g_steal_pointer(&clean);
	self->links++;
	*is_link = TRUE;
	return g_strdup(node->record->stat.link_target);
}

/* Replaces links from the front, each once. @path: has no name "." or "" in it, and is not empty */
static char *
walk_links(Resolve *self, const char *path, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *directory = NULL, *joined = NULL, *target = NULL;
	gboolean is_link;

	if (slash == path && slash[1] == '\0')
		return g_strdup("/");
	if (slash == NULL)
		return walk_link(self, path, &is_link, error);
	directory = slash == path ? g_strdup("/") : g_strndup(path, (gsize) (slash - path));
	g_autofree char *parent = walk_links(self, directory, error);
	if (parent == NULL)
		return NULL;
	if (slash[1] == '\0')
		return g_steal_pointer(&parent);
	joined = g_strconcat(parent, "/", slash + 1, NULL);
	target = walk_link(self, joined, &is_link, error);
	if (target == NULL || !is_link || *target == '/')
		return g_steal_pointer(&target);
	g_free(joined);
	joined = g_strconcat(parent, "/", target, NULL);
	/* A relative path stays one, as in Go, where it makes no difference in the end. */
	return join("", joined);
}

char *
cam_layer_path_resolve(CamLayerNode *root, const char *path, guint64 *budget, GError **error)
{
	Resolve self = { .root = root, .whole = path, .budget = budget };
	g_autofree char *at = g_strdup(path);

	while (*path != '\0') {
		guint before = self.links;
		char *next = walk_links(&self, at, error);

		if (next == NULL)
			return NULL;
		g_free(at);
		at = next;
		if (self.links != before)
			continue;
		g_autofree char *clean = join("", at);
		if (g_str_equal(clean, at))
			break;
		g_free(at);
		at = g_steal_pointer(&clean);
	}
	return g_strdup(*at == '/' ? at + 1 : at);
}
