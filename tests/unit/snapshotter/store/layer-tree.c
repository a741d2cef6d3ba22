/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one layer's entries make, in their order. */
#include "snapshotter/store/layer-tree.h"

#include <string.h>

/* "d NAME", "f NAME", "l NAME>TARGET", "h NAME>TARGET", "w NAME" (whiteout), "o NAME" (opaque),
 * "0 NAME" (device 0/0). Returns the message of the entry that was refused, or NULL. */
static char *
add(CamLayerTree *tree, const char *line)
{
	g_auto(GStrv) parts = g_strsplit(line + 2, ">", 2);
	CamLayerEntry entry = { .path = line + 2, .mode = 0644 };
	g_autoptr(GError) error = NULL;

	if (g_strv_length(parts) == 2) {
		entry.path = parts[0];
		entry.link_target = parts[1];
	}
	entry.type = *line == 'd'   ? CAM_NODE_DIRECTORY
		     : *line == 'l' ? CAM_NODE_SYMLINK
		     : *line == '0' ? CAM_NODE_CHARACTER
				    : CAM_NODE_REGULAR;
	entry.is_hardlink = *line == 'h';
	entry.is_whiteout = *line == 'w';
	entry.is_opaque = *line == 'o';
	if (cam_layer_tree_add(tree, &entry, &error))
		return NULL;
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	return g_strdup(error->message);
}

static void
print(const CamLayerNode *node, const char *path, GString *out)
{
	g_autoptr(GList) names = node->children ? g_list_sort(g_hash_table_get_keys(node->children),
							      (GCompareFunc) strcmp)
						: NULL;

	for (GList *name = names; name != NULL; name = name->next) {
		const CamLayerNode *child = cam_layer_node_get_child(node, name->data);
		g_autofree char *below = g_strconcat(path, name->data, NULL);
		g_autofree char *directory = g_strconcat(below, "/", NULL);

		g_string_append_printf(out, "%s%s%s%s%s ", child->is_whiteout ? "!" : "", below,
				       child->is_directory ? "/" : "",
				       child->is_directory && child->record == NULL ? "?" : "",
				       child->is_opaque ? "*" : "");
		print(child, directory, out);
	}
}

/* The lines are separated by commas. @expected: the tree, or the beginning of a message. */
static void
check_as(gboolean lowest, const char *lines, const char *expected)
{
	g_autoptr(CamLayerTree) tree = cam_layer_tree_new(lowest);
	g_auto(GStrv) entries = g_strsplit(lines, ",", -1);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *message = NULL;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; entries[i] != NULL && message == NULL; i++)
		message = add(tree, entries[i]);
	if (message == NULL && !cam_layer_tree_finish(tree, &error)) {
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		message = g_strdup(error->message);
	}
	if (message != NULL) {
		g_test_message("%s", message);
		g_assert_true(g_str_has_prefix(message, expected));
		return;
	}
	print(cam_layer_tree_get_root(tree), "", text);
	g_assert_cmpstr(text->str, ==, expected);
}

static void
check(const char *lines, const char *expected)
{
	check_as(FALSE, lines, expected);
}

static void
test_replaces(void)
{
	check("d a,f a/b,d a", "a/ a/b ");
	check("f a/b,d a", "a/ a/b ");
	check("d a,f a/b,f a", "a ");
	check("f a,d a,f a/b", "a/ a/b ");
	check("f a,l a>b", "a ");
	check("f a,f a/b", "a/b lies below a, which is no directory in this layer");
	check("f a,f a/b/c", "a/b/c: a/b: lies below what is no directory");
	check("d ,f a", "a ");
	check("d a/b,f a", "a/b: lies below what is no directory");
	check("d a/b,f a,d a", "a/b: a directory that the same layer removes again");
	check("d a/b,l a>c,d c/b", "a c/? c/b/ ");
}

static void
test_follows(void)
{
	check("l a>b/./c,f a/x", "a b/? b/c/? b/c/x ");
	check("l a>../../b,f a/x", "a b/? b/x ");
	check("l d/a>../b,f d/a/x", "b/? b/x d/? d/a ");
	check("l a>/b,l b>c,f a/x", "a b c/? c/x ");
	check("l a>b,l b>a,f a/x", "a/x: ");
	check("l a>a,f a/x", "a/x: ");
	check("d r,l a>r,f a,f r/y", "a r/ r/y ");
	check("l a>b,d b,w a/x,o a", "a b/* !b/x ");
	check("l a>f,f f,f a/x", "a/x lies below f");
	/* Links are replaced from the front, one level at a time: t's target is taken from where r
	 * is, and not from where that leads to. */
	check("l s>r,l r>d/e,l d/e/t>../x,f s/t/f", "d/? d/e/? d/e/t r s x/? x/f ");
	check("l r>d/e,l d/e/t>../x,f r/t/f", "d/? d/e/? d/e/t d/x/? d/x/f r ");
}

static void
test_whiteouts(void)
{
	check("w a,w d/b,o e", "!a d/? !d/b e/?* ");
	check("w a,f a", "a ");
	check("w a,d a,o a", "a/* ");
	check("w a,w a", "a: a whiteout of what the same layer brought before");
	check("f a,w a", "a: a whiteout of what the same layer brought before");
	check("w a,f a/b", "a/b lies below a");
	check("w a,h b>a", "!a !b ");
	check("f a,0 a", "!a ");
	check("o ,f a", "a ");
	check("d d,o d,f d,d d", "d/ ");
}

static void
test_lowest(void)
{
	check_as(TRUE, "f a,w a,w a", "");
	check_as(TRUE, "w a,f a/b", "a/? a/b ");
	check_as(TRUE, "d d,f d/a,f d/e/x,o d,f d/late", "d/ d/a d/late ");
	check_as(TRUE, "f a,o ,f b", "a b ");
	check_as(TRUE, "f d,w d,f d/x,o ", "d/? d/x "); /* its path was an entry once */
	check_as(TRUE, "0 a", "!a ");
	check_as(TRUE, "d a,w a", "a: a directory that the same layer removes again");
}

static void
test_hard_links(void)
{
	check("f a,h b>a", "a b ");
	check("d d,f d/a,l l>d,h b>l/a", "b d/ d/a l ");
	check("l l>nowhere,h b>l", "b l ");
	check("h b>a", "hard link b: the layer has no file a before it to link to");
	check("h b>a,f a", "hard link b: the layer has no file a before it to link to");
	check("f a,h a>a", "hard link a: the layer has no file a before it to link to");
	check("d a,h b>a", "hard link b: the layer has no file a before it to link to");
	check("f a,h b>a/x", "hard link b: the layer has no file a/x");
}

static void
test_bounds(void)
{
	g_autoptr(CamLayerTree) tree = cam_layer_tree_new(FALSE);
	g_autoptr(GString) line = g_string_new("f a");
	g_autofree char *message = NULL;

	for (guint i = 0; i < 1000000; i++)
		g_string_append(line, "/a");
	message = add(tree, line->str);
	g_assert_nonnull(message);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/layer-tree/replaces", test_replaces);
	g_test_add_func("/store/layer-tree/follows", test_follows);
	g_test_add_func("/store/layer-tree/whiteouts", test_whiteouts);
	g_test_add_func("/store/layer-tree/lowest", test_lowest);
	g_test_add_func("/store/layer-tree/hard-links", test_hard_links);
	g_test_add_func("/store/layer-tree/bounds", test_bounds);
	return g_test_run();
}
