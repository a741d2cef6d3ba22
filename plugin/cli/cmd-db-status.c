/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium db status`: where the advisories come from and how old they are. */
#include "plugin/cli/commands.h"

#include "plugin/cli/db-show.h"

static const CamExample examples[] = {
	{ "cambium db status", "Sources, number of records, dates." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	CamAdvisoryDb *db = cam_cli_get_advisories(cli, FALSE, error);

	return db != NULL && cam_show_advisory_sources(cli, db, error);
}

const CamCommand cam_command_db_status = {
	.name = "db status",
	.summary = "show the advisory sources and their age",
	.description =
		"Lists the sources of the advisory database. DATE is that of the newest record, "
		"UPDATED when it was read last.",
	.examples = examples,
	.run = run,
};
