/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium db remove`: forgets sources of advisories. */
#include "plugin/cli/commands.h"

#include "plugin/cli/db-show.h"

static const CamArgument arguments[] = {
	{ "SOURCE", CAM_ARGUMENT_MANY, CAM_COMPLETE_NOTHING, NULL,
	  "names of sources, as 'cambium db status' shows them" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium db remove debian", "Forget a feed and all that it said." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	CamAdvisoryDb *db = cam_cli_get_advisories(cli, FALSE, error);
	g_autofree char *git_dir = NULL;

	if (db == NULL || !cam_check_source_names(db, words, NULL, error))
		return FALSE;
	git_dir = cam_cli_git_dir(cli);
	for (; *words != NULL; words++)
		if (!cam_feed_remove(db, *words, git_dir, error))
			return FALSE;
	return cam_show_advisory_sources(cli, db, error);
}

const CamCommand cam_command_db_remove = {
	.name = "db remove",
	.summary = "forget a source of advisories",
	.description =
		"Removes sources with all their records from the advisory database, and the clone "
		"of one that is a git repository. Findings that only they told of are no findings "
		"any more. If one of the names is no source's, nothing is removed.\n\n"
		"A changelog source comes back with the next 'cambium db update' as long as an "
		"image of its release is in the store.",
	.arguments = arguments,
	.examples = examples,
	.run = run,
};
