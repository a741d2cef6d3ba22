/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium fix`: an image without its fixable vulnerabilities. */
#include "plugin/cli/commands.h"

#include "plugin/cli/fix-report.h"

static const char *const methods[] = { "auto", "sandbox", "graft", NULL };

typedef struct {
	CamSourceOptions source;
	GPtrArray *only, *repo;
	const char *to, *suffix;
	int method; /* 0 or 1 + index, which is CamApplyMethod */
	gboolean dry_run, all, overwrite, store_only, anew, fail_on_unexplained;
} FixOptions;

static const CamOption options[] = {
	{ "dry-run", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(FixOptions, dry_run), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "print the plan and why each package moves; change nothing" },
	{ "only", 0, CAM_OPTION_LIST, G_STRUCT_OFFSET(FixOptions, only), "CVE|PACKAGE", NULL,
	  CAM_COMPLETE_NOTHING, "fix only this vulnerability or package" },
	{ "all", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(FixOptions, all), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "take every update that there is, not only security" },
	{ "overwrite", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(FixOptions, overwrite), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "replace the tag itself instead of making TAG_fix" },
	{ "suffix", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(FixOptions, suffix), "TEXT", NULL,
	  CAM_COMPLETE_NOTHING, "append this to the tag instead of _fix" },
	{ "to", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(FixOptions, to), "LOCATION", NULL,
	  CAM_COMPLETE_FILE,
	  "write the fixed image there instead of where the original came from" },
	{ "store-only", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(FixOptions, store_only), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "keep the fixed image in the store; write it nowhere" },
	{ "anew", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(FixOptions, anew), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "do not reuse the layer that fixed such a system before" },
	{ "fail-on-unexplained", 0, CAM_OPTION_FLAG,
	  G_STRUCT_OFFSET(FixOptions, fail_on_unexplained), NULL, NULL, CAM_COMPLETE_NOTHING,
	  "exit with 3, and name no image, if the new layer has paths that no package explains" },
	{ "method", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(FixOptions, method), "METHOD", methods,
	  CAM_COMPLETE_CHOICES, "how packages get into the image" },
	CAM_REPO_OPTION(FixOptions, repo),
	CAM_SOURCE_OPTIONS(FixOptions, source),
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium fix --dry-run shop:1.0", "What would it do, and why?" },
	{ "cambium fix shop:1.0", "Makes shop:1.0_fix, beside the original." },
	{ "cambium fix --only CVE-2026-0001 --only openssl shop:1.0", "Nothing but these." },
	{ "cambium fix containerd://k8s.io/registry.example.org/shop:1.0",
	  "An image of this machine's containerd; the fixed one can be run at once." },
	{ "cambium fix --to docker://registry.example.org/shop:1.0_fix shop:1.0",
	  "Writes the result to a registry." },
	{ NULL },
};

static void
print(CamCli *cli, JsonObject *json, const char *table)
{
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON)
		cam_cli_print_json(cli, json);
	else
		cam_cli_print(cli, table);
}

static gboolean
fix(CamCli *cli, CamAptRepository *repository, const CamImage *image,
    const CamFixOptions *fix_options, GError **error)
{
	CamTableStyle style = cam_cli_get_style(cli);
	g_autoptr(CamFixResult) result = NULL;
	g_autoptr(JsonObject) json = NULL;
	g_autofree char *table = NULL, *conclusion = NULL, *whole = NULL;

	result = cam_fix_image(cam_cli_get_store(cli, FALSE, NULL), cam_cli_get_engine(cli, NULL),
			       repository, image, fix_options, cam_cli_get_progress(cli),
			       cam_cli_get_cancellable(cli), error);
	if (result == NULL)
		return FALSE;
	if (fix_options->dry_run) {
		json = cam_fix_plan_to_json(result->plan);
		table = cam_fix_plan_to_table(result->plan, &style);
	} else {
		json = cam_fix_report_to_json(image, result);
		table = cam_fix_report_to_table(image, result, &style);
	}
	conclusion = cam_fix_report_conclusion(result);
	whole = g_strconcat(table, *conclusion != '\0' ? "\n" : "", conclusion, NULL);
	print(cli, json, whole);
	if (result->still_open->len > 0)
		cam_cli_warn(cli, "%u vulnerabilities that were to be fixed are still there",
			     result->still_open->len);
	if (cam_fix_report_is_incomplete(result))
		cam_cli_set_exit(cli, CAM_EXIT_POLICY);
	if (fix_options->refuse_unexplained && result->unexplained->len > 0) {
		cam_cli_warn(cli,
			     "%u paths of the new layer are explained by no package: the image "
			     "gets no name",
			     result->unexplained->len);
		cam_cli_set_exit(cli, CAM_EXIT_POLICY);
	}
	return TRUE;
}

/* What no source has looked at cannot be known to need a fix. */
static gboolean
look_up(CamCli *cli, const FixOptions *self, const CamImage *image, GError **error)
{
	static const CamScanOptions options_for_scan = { 0 };
	g_autoptr(CamScanResult) result =
		cam_cli_scan(cli, image, &options_for_scan, self->repo, FALSE, error);

	if (result != NULL && result->n_unjudged > 0)
		cam_cli_warn(cli,
			     "%u of %u packages are not judged: whether they need a fix is not "
			     "known; 'cambium scan' says why",
			     result->n_unjudged, result->packages->len);
	return result != NULL;
}

/* Before anything is done: a fixed image that gets no name was made for nothing. */
static gboolean
check_suffix(CamCli *cli, const FixOptions *self, GError **error)
{
	const char *suffix = self->suffix != NULL ? self->suffix : cam_cli_get_config(cli)->suffix;
	g_autofree char *tag = g_strconcat("1", suffix, NULL);

	if (self->overwrite || suffix == NULL || (*suffix != '\0' && cam_tag_is_valid(tag)))
		return TRUE;
	if (*suffix == '\0')
		return cam_cli_usage_error(cli, error,
					   "the suffix is empty, and would leave the tag as it is: "
					   "--overwrite replaces the image of the tag");
	return cam_cli_usage_error(
		cli, error, "no tag ends with \"%s\": it may have letters, digits, _ . and -",
		suffix);
}

/* Repositories are only asked for what an image can be fixed with. */
static gboolean
check_inventory(const CamImage *image, const CamInventory *inventory, GError **error)
{
	if (inventory->packages->len > 0 || inventory->problems->len > 0)
		return TRUE;
	cam_set_error(
		error, CAM_ERROR_FAILED_PRECONDITION,
		"%s has no package database of dpkg, and no other kind is fixed: build it anew "
		"from what is fixed",
		image->name);
	return FALSE;
}

static gboolean
run_on_image(CamCli *cli, const FixOptions *self, const CamImage *image,
	     const CamLocation *destination, GError **error)
{
	CamScanEngine *engine = cam_cli_get_engine(cli, error);
	g_autoptr(CamInventory) inventory = NULL;
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(GPtrArray) sources = NULL;
	const CamConfig *config = cam_cli_get_config(cli);
	CamFixOptions options_for_fix = {
		.plan = { .all = self->all,
			  .only = self->only != NULL ? (const char *const *) self->only->pdata
						     : NULL },
		.method = self->method == 0 ? CAM_APPLY_AUTO : (CamApplyMethod) (self->method - 1),
		.suffix = self->suffix != NULL ? self->suffix : config->suffix,
		.overwrite = self->overwrite,
		.anew = self->anew,
		.store_only = self->store_only,
		.destination = destination,
		.limits = config->fix_limits,
		.dry_run = self->dry_run,
		.refuse_unexplained = self->fail_on_unexplained,
	};

	if (engine == NULL)
		return FALSE;
	inventory =
		cam_scan_engine_get_inventory(engine, image, cam_cli_get_cancellable(cli), error);
	if (inventory == NULL || !check_inventory(image, inventory, error))
		return FALSE;
	sources = cam_cli_find_sources(cli, image, inventory->os, self->repo, error);
	if (sources == NULL)
		return FALSE;
	options_for_fix.plan.sources = sources;
	if (!look_up(cli, self, image, error))
		return FALSE;
	if (!cam_cli_fill_transport(cli, &self->source, destination, &options_for_fix.transport,
				    error))
		return FALSE;
	repository = cam_cli_open_apt(cli, error);
	if (repository == NULL)
		return FALSE;
	return fix(cli, repository, image, &options_for_fix, error);
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const FixOptions *self = data;
	g_autoptr(CamLocation) destination = NULL;
	g_autoptr(CamImage) image = NULL;

	if (self->store_only && self->to != NULL)
		return cam_cli_usage_error(cli, error, "--store-only and --to exclude each other");
	if (self->overwrite && self->suffix != NULL)
		return cam_cli_usage_error(cli, error,
					   "--overwrite and --suffix exclude each other");
	if (!check_suffix(cli, self, error) || !cam_cli_check_repo(cli, self->repo, error))
		return FALSE;
	if (self->to != NULL) {
		destination = cam_location_parse(self->to, error);
		if (destination == NULL)
			return FALSE;
	}
	image = cam_cli_get_image(cli, words[0], &self->source, error);
	if (image == NULL || (!self->store_only && !cam_cli_reach_sources(cli, image, error)))
		return FALSE;
	return run_on_image(cli, self, image, destination, error);
}

const CamCommand cam_command_fix = {
	.name = "fix",
	.summary = "make an image without its fixable vulnerabilities",
	.description =
		"Plans which packages must move (those with findings that a version fixes, their "
		"siblings of the same source package and what these newly need; held packages "
		"stay, "
		"nothing is removed), verifies signatures and digests of the repositories and "
		"packages, applies the packages without network, and commits one new layer that "
		"holds only what changed. The original layers keep their digests.\n\n"
		"The result is named TAG_fix beside the original, in the store and where the "
		"original "
		"came from. It is scanned again, and each path of the new layer is held against "
		"the packages; what they do not explain is named at the end.\n\n"
		"The exit status is 3 if something that was asked for stays open although the "
		"sources have a version for it (the package is held, its dependencies cannot be "
		"met, or its scripts would have to run and the method runs nothing), or if what "
		"was to be fixed is still there. The last lines say how many and how to get "
		"them. What the sources do not have (no fix exists yet, a third party's package, "
		"a paid service) is counted apart and does not change the status; '--verbose' "
		"lists every finding with its reason. '--dry-run' ends in the same way. The same "
		"plan on the same image gives the same digests.\n\n"
		"Packages are looked for where --repo or [sources] in cambium.conf(5) say; else "
		"in the machine's sources of the same distribution, with the codename exchanged, "
		"and in the locations that the image proposes and the machine's keys verify.",
	.arguments = cam_image_arguments,
	.options = options,
	.options_size = sizeof(FixOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
