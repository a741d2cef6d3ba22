/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium db import`: a feed of advisories. */
#include "plugin/cli/commands.h"

#include "plugin/cli/db-show.h"

typedef struct {
	const char *name;
	gboolean accept_shrink;
} ImportOptions;

static const CamOption options[] = {
	{ "name", 'n', CAM_OPTION_TEXT, G_STRUCT_OFFSET(ImportOptions, name), "NAME", NULL,
	  CAM_COMPLETE_NOTHING, "what the source is called in reports" },
	CAM_ACCEPT_SHRINK_OPTION(ImportOptions, accept_shrink),
	{ NULL },
};

static const CamArgument arguments[] = {
	{ "LOCATION", CAM_ARGUMENT_ONE, CAM_COMPLETE_FILE, NULL,
	  "OSV records: a directory of .json files, a .zip, a .jsonl (also compressed), a tar, or "
	  "a "
	  "git repository" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium db import ./debian-osv.zip", "From a file." },
	{ "cambium db import --name debian https://git.example.org/advisories.git",
	  "From a git repository; 'cambium db update' then reads only what changed." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const ImportOptions *self = data;
	CamAdvisoryDb *db = cam_cli_get_advisories(cli, TRUE, error);
	g_autoptr(GError) problem = NULL;
	g_autofree char *git_dir = NULL;
	CamFeedResult result = { 0 };

	if (db == NULL)
		return FALSE;
	git_dir = cam_cli_git_dir(cli);
	if (!cam_feed_import_osv(db, words[0], self->name, git_dir,
				 self->accept_shrink ? CAM_FEED_ACCEPT_SHRINK : CAM_FEED_NONE,
				 cam_cli_get_progress(cli), &result, cam_cli_get_cancellable(cli),
				 &problem))
		return cam_set_error(error, problem->code, "%s%s", problem->message,
				     cam_shrink_hint(problem));
	cam_note_feed(cli, self->name != NULL ? self->name : words[0], &result);
	return cam_show_advisory_sources(cli, db, error);
}

const CamCommand cam_command_db_import = {
	.name = "db import",
	.summary = "add a feed of advisories (OSV records)",
	.description =
		"Reads advisories in OSV's form into the database and remembers where they are, so "
		"that 'cambium db update' reads them again. An import that is interrupted changes "
		"nothing. Malformed records are counted and left out.\n\n"
		"A feed that is cut, or is no feed (an error page of a server), changes nothing "
		"either, and the exit status is 1; so it is where a source that is read again "
		"has lost more than a tenth of its records, unless --accept-shrink is given. Where "
		"nothing in a feed shows that it is all of it (plain JSON lines, a directory), "
		"reports say that its completeness is unknown: prefer compressed files, archives "
		"and git.",
	.arguments = arguments,
	.options = options,
	.options_size = sizeof(ImportOptions),
	.examples = examples,
	.run = run,
};
