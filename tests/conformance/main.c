/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * containerd's conformance cases for snapshotters, against whoever serves its snapshots service at
 * a socket. They need root, for they mount what they are told to.
 *
 *   conformance --socket S
 *   conformance --socket S --through-containerd NAMESPACE --snapshotter NAME
 */
#include <sys/stat.h>

#include "tests/conformance/case.h"

static ClientOptions options;

static void
run(gconstpointer entry)
{
	case_run(entry, &options);
}

static void
add(const CaseEntry *entries)
{
	for (; entries->name != NULL; entries++) {
		g_autofree char *path = g_strconcat("/conformance/", entries->name, NULL);

		g_test_add_data_func(path, entries, run);
	}
}

int
main(int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &options.socket, "Where the service is",
		  "S" },
		{ "through-containerd", 0, 0, G_OPTION_ARG_STRING, &options.name_space,
		  "The service is containerd's own, in this namespace", "NAMESPACE" },
		{ "snapshotter", 0, 0, G_OPTION_ARG_STRING, &options.snapshotter,
		  "The snapshotter's name (default: cambium)", "NAME" },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("%s\n", error->message);
		return 2;
	}
	if (options.snapshotter == NULL)
		options.snapshotter = g_strdup("cambium");
	/* Modes are as they are given. */
	umask(0);
	add(cases_service);
	add(cases_trees);
	add(cases_more);
	return g_test_run();
}
