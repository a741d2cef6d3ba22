/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium host`: which images this machine has and runs, and how bad they are. */
#include "plugin/cli/commands.h"

#include <string.h>

#include "plugin/cli/backend.h"
#include "plugin/cli/host-view.h"

typedef struct {
	GPtrArray *namespaces;
	gboolean scan, running;
} HostOptions;

static const CamOption options[] = {
	{ "namespace", 'n', CAM_OPTION_LIST, G_STRUCT_OFFSET(HostOptions, namespaces), "NAME", NULL,
	  CAM_COMPLETE_NOTHING, "only the images of this namespace of containerd" },
	{ "running", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(HostOptions, running), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "only images that containers run now" },
	{ "scan", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(HostOptions, scan), NULL, NULL,
	  CAM_COMPLETE_NOTHING,
	  "import and scan what the store does not have yet, and look up packages that no source "
	  "has looked at" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium host", "All images of containerd, and which containers run them." },
	{ "cambium host --scan --namespace k8s.io", "Judges all that the kubelet has pulled." },
	{ "cambium host --format json | jq '.images[] | select(.containers != []) | "
	  "[.name, .risk_level]'",
	  "What runs, and its risk levels." },
	{ NULL },
};

/* What finding out takes. */
typedef struct {
	CamCli *cli;
	const HostOptions *options;
	GHashTable *stored; /* digest of a manifest or index → CamImage */
	GHashTable *names;  /* names that host or store have → CamImage, NULL if only the host */
} Survey;

/* ---- what is there ---- */

static GPtrArray *
list_host(CamCli *cli, const HostOptions *self, GError **error)
{
	const CamCliBackend *backend = cam_cli_need_backend(cli, error);
	const CamConfig *config = cam_cli_get_config(cli);
	CamHostOptions host = {
		.containerd = cam_cli_containerd_address(cli),
		.cambiumd = config->socket != NULL ? config->socket : CAM_DAEMON_SOCKET,
		.namespaces = self->namespaces != NULL
				      ? (const char *const *) self->namespaces->pdata
				      : NULL,
	};

	if (backend == NULL)
		return NULL;
	return backend->list_host(&host, cam_cli_get_cancellable(cli), error);
}

static void
note_stored(Survey *self, const GPtrArray *images)
{
	for (guint i = 0; i < images->len; i++) {
		CamImage *image = g_ptr_array_index(images, i);

		g_hash_table_insert(self->stored, image->manifest->digest, image);
		if (image->index_digest != NULL)
			g_hash_table_insert(self->stored, image->index_digest, image);
		g_hash_table_insert(self->names, image->name, image);
	}
}

static void
note_present(Survey *self, const GPtrArray *images)
{
	for (guint i = 0; i < images->len; i++) {
		CamHostImage *image = g_ptr_array_index(images, i);

		if (!g_hash_table_contains(self->names, image->name))
			g_hash_table_insert(self->names, image->name, NULL);
	}
}

/* (nullable): the one of this name, if it is the same image, else one of any name. */
static const CamImage *
find_stored(Survey *self, const CamHostImage *image)
{
	const CamImage *namesake = g_hash_table_lookup(self->names, image->name);

	if (namesake != NULL && (g_str_equal(namesake->manifest->digest, image->digest) ||
				 g_strcmp0(namesake->index_digest, image->digest) == 0))
		return namesake;
	return g_hash_table_lookup(self->stored, image->digest);
}

/* ---- judging ---- */

static gboolean
judge(Survey *self, CamHostRow *row, const CamImage *image, GError **error)
{
	static const CamScanOptions scan = { 0 };
	g_autoptr(CamScanResult) result =
		cam_cli_scan(self->cli, image, &scan, NULL, !self->options->scan, error);

	if (result == NULL)
		return FALSE;
	row->stored = g_strdup(image->name);
	row->scanned = TRUE;
	row->risk = result->risk;
	row->n_unjudged = result->n_unjudged;
	memcpy(row->counts, result->counts, sizeof(row->counts));
	return TRUE;
}

static gboolean
import_and_judge(Survey *self, CamHostRow *row, GError **error)
{
	static const CamSourceOptions source = { 0 };
	g_autofree char *text = cam_host_location(row->image);
	g_autoptr(CamLocation) location = cam_location_parse(text, error);
	g_autoptr(CamImage) image = NULL;

	if (location != NULL)
		image = cam_cli_import(self->cli, location, NULL, TRUE, FALSE, &source, error);
	return image != NULL && judge(self, row, image, error);
}

/* One image that cannot be judged shall not hide the others: FALSE is for interruptions alone. */
static gboolean
fill_row(Survey *self, CamHostRow *row, GError **error)
{
	const CamImage *image = find_stored(self, row->image);
	const CamConfig *config = cam_cli_get_config(self->cli);
	g_autoptr(GError) problem = NULL;

	row->fix = cam_host_find_fix(row->image->name,
				     config->suffix != NULL ? config->suffix : "_fix", self->names);
	if (image != NULL)
		judge(self, row, image, &problem);
	else if (self->options->scan)
		import_and_judge(self, row, &problem);
	if (problem == NULL)
		return TRUE;
	if (problem->code == (int) CAM_ERROR_CANCELLED) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	row->problem = g_strdup(problem->message);
	return TRUE;
}

static GPtrArray *
survey(CamCli *cli, const HostOptions *self, const GPtrArray *images, GError **error)
{
	g_autoptr(GPtrArray) stored_images = cam_cli_list_images(cli, error);
	g_autoptr(GHashTable) stored = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) rows =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_host_row_free);
	Survey work = { cli, self, stored, names };

	if (stored_images == NULL)
		return NULL;
	note_stored(&work, stored_images);
	note_present(&work, images);
	for (guint i = 0; i < images->len; i++) {
		CamHostImage *image = g_ptr_array_index(images, i);
		CamHostRow *row;

		if (self->running && image->containers->len == 0)
			continue;
		row = g_new0(CamHostRow, 1);
		row->image = image;
		g_ptr_array_add(rows, row);
		if (!fill_row(&work, row, error))
			return NULL;
	}
	return g_steal_pointer(&rows);
}

/* ---- telling ---- */

static void
tell_problems(CamCli *cli, const GPtrArray *rows)
{
	gboolean failed = FALSE;
	guint unknown = 0;

	for (guint i = 0; i < rows->len; i++) {
		const CamHostRow *row = g_ptr_array_index(rows, i);

		if (row->problem != NULL)
			cam_cli_warn(cli, "%s: %s", row->image->name, row->problem);
		failed |= row->problem != NULL;
		unknown += !row->scanned && row->problem == NULL;
	}
	if (unknown > 0)
		cam_cli_note(cli, "%u image%s not scanned yet: 'cambium host --scan' does it",
			     unknown, unknown == 1 ? " is" : "s are");
	if (failed)
		cam_cli_set_exit(cli, CAM_EXIT_FAILED);
}

static void
print_locations(CamCli *cli, const GPtrArray *rows)
{
	for (guint i = 0; i < rows->len; i++) {
		const CamHostRow *row = g_ptr_array_index(rows, i);
		g_autofree char *location = cam_host_location(row->image);

		cam_cli_print_line(cli, location);
	}
}

static void
print_rows(CamCli *cli, const GPtrArray *rows)
{
	CamTableStyle style = cam_cli_get_style(cli);

	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object =
			cam_host_to_json(rows, cam_cli_containerd_address(cli));

		cam_cli_print_json(cli, object);
	} else if (cam_cli_get_options(cli)->quiet) {
		print_locations(cli, rows);
	} else if (rows->len == 0) {
		cam_cli_note(cli, "containerd has no such images");
	} else {
		g_autofree char *table = cam_host_to_table(rows, &style);

		cam_cli_print(cli, table);
	}
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const HostOptions *self = data;
	g_autoptr(GPtrArray) images = list_host(cli, self, error);
	g_autoptr(GPtrArray) rows = images != NULL ? survey(cli, self, images, error) : NULL;

	if (rows == NULL)
		return FALSE;
	print_rows(cli, rows);
	tell_problems(cli, rows);
	return TRUE;
}

const CamCommand cam_command_host = {
	.name = "host",
	.summary = "list this machine's images, what runs them, and their risk levels",
	.description =
		"Asks containerd for its images of all namespaces, and for the containers that are "
		"alive. The risk level is that of a scan of the image in the store; an image that "
		"the store does not have is not scanned, unless --scan is given: then it is "
		"imported from containerd, without asking a registry, and scanned.\n\n"
		"A container goes on running the image that it was started from: where the name "
		"stands for another one by now, it is marked as running an older image. FIX is the "
		"newest repair that 'cambium fix' has made. SNAPSHOTTER says where the containers "
		"have their files; cambium is this project's own.\n\n"
		"Of the three names that the kubelet's images have, the one for people is shown.",
	.options = options,
	.options_size = sizeof(HostOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
