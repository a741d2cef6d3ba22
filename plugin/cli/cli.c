/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every command works with: global options, output, exit status, and how the store, its
 * engine and its images are reached. Signals and the order of a run are in run.c.
 */
#include "plugin/cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config.h"
#include "plugin/cli/backend.h"
#include "plugin/cli/cli-private.h"
#include "plugin/look-up.h"
#include "plugin/settings.h"
#include "plugin/sources.h"

static const char *const formats[] = { "table", "json", NULL };

const CamOption cam_global_options[] = {
	{ "store", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(CamGlobalOptions, store), "DIR", NULL,
	  CAM_COMPLETE_DIRECTORY, "the store to work on" },
	{ "config", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(CamGlobalOptions, config), "FILE", NULL,
	  CAM_COMPLETE_FILE, "configuration to read instead of " CAM_CONFIG_FILE },
	{ "containerd", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(CamGlobalOptions, containerd), "SOCKET",
	  NULL, CAM_COMPLETE_FILE,
	  "where containerd listens (default: " CAM_CONTAINERD_SOCKET ")" },
	{ "format", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(CamGlobalOptions, format), "FORMAT",
	  formats, CAM_COMPLETE_CHOICES, "how data is printed" },
	{ "quiet", 'q', CAM_OPTION_FLAG, G_STRUCT_OFFSET(CamGlobalOptions, quiet), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "no progress and no remarks; lists print names only" },
	{ "verbose", 'v', CAM_OPTION_FLAG, G_STRUCT_OFFSET(CamGlobalOptions, verbose), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "more columns and remarks" },
	{ "help", 'h', CAM_OPTION_FLAG, G_STRUCT_OFFSET(CamGlobalOptions, help), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "explain the command" },
	{ "version", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(CamGlobalOptions, version), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "print the version" },
	{ NULL },
};

const CamArgument cam_image_arguments[] = {
	{ "IMAGE", CAM_ARGUMENT_ONE, CAM_COMPLETE_IMAGE, NULL,
	  "a name in the store, or a location, which is imported first" },
	{ NULL },
};

CamExit
cam_exit_for_error(const GError *error)
{
	if (error->domain != CAM_ERROR)
		return CAM_EXIT_FAILED;
	switch ((CamError) error->code) {
	case CAM_ERROR_CANCELLED:
		return CAM_EXIT_INTERRUPTED;
	case CAM_ERROR_NOT_FOUND:
		return CAM_EXIT_NOT_FOUND;
	case CAM_ERROR_UNKNOWN:
	case CAM_ERROR_INVALID_ARGUMENT:
	case CAM_ERROR_ALREADY_EXISTS:
	case CAM_ERROR_PERMISSION_DENIED:
	case CAM_ERROR_UNAUTHENTICATED:
	case CAM_ERROR_RESOURCE_EXHAUSTED:
	case CAM_ERROR_FAILED_PRECONDITION:
	case CAM_ERROR_ABORTED:
	case CAM_ERROR_UNIMPLEMENTED:
	case CAM_ERROR_UNAVAILABLE:
	case CAM_ERROR_DATA_LOSS:
	case CAM_ERROR_INTERNAL:
		return CAM_EXIT_FAILED;
	}
	return CAM_EXIT_FAILED;
}

const CamGlobalOptions *
cam_cli_get_options(CamCli *self)
{
	return &self->options;
}

const CamConfig *
cam_cli_get_config(CamCli *self)
{
	return self->config;
}

CamFormat
cam_cli_get_format(CamCli *self)
{
	return self->options.format == 0 ? CAM_FORMAT_TABLE
					 : (CamFormat) (self->options.format - 1);
}

guint
cam_cli_terminal_width(int fd)
{
	struct winsize size = { 0 };

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

CamTableStyle
cam_cli_get_style(CamCli *self)
{
	const char *no_colour = g_getenv("NO_COLOR");
	gboolean terminal = isatty(STDOUT_FILENO);

	return (CamTableStyle){
		.width = terminal ? cam_cli_terminal_width(STDOUT_FILENO) : 0,
		.colour = terminal && (no_colour == NULL || *no_colour == '\0'),
		.verbose = self->options.verbose,
	};
}

CamProgress *
cam_cli_get_progress(CamCli *self)
{
	return self->progress;
}

GCancellable *
cam_cli_get_cancellable(CamCli *self)
{
	return self->cancellable;
}

void
cam_cli_print(CamCli *self, const char *text)
{
	cam_progress_display_clear(self->display);
	if (fputs(text, stdout) < 0)
		self->output_errno = errno;
}

void
cam_cli_print_line(CamCli *self, const char *text)
{
	g_autofree char *shown = cam_text_escape(text);

	cam_cli_print(self, shown);
	cam_cli_print(self, "\n");
}

void
cam_cli_print_json(CamCli *self, JsonObject *object)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = NULL, *shown = NULL;

	json_generator_set_pretty(generator, TRUE);
	json_generator_set_root(generator, root);
	text = json_generator_to_data(generator, NULL);
	shown = cam_text_escape_json(text);
	cam_cli_print(self, shown);
	cam_cli_print(self, "\n");
}

gboolean
cam_cli_copy_to_stdout(CamCli *self, GInputStream *stream, GError **error)
{
	g_autofree char *buffer = g_malloc(256 * 1024);
	gssize n;

	fflush(stdout);
	while ((n = g_input_stream_read(stream, buffer, 256 * 1024, self->cancellable, error)) >
	       0) {
		if (!cam_write_all(STDOUT_FILENO, buffer, (gsize) n, error)) {
			self->output_errno = errno;
			return FALSE;
		}
	}
	return n == 0 || cam_error_translate(error, NULL);
}

static void
tell(CamCli *self, const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_autofree char *shown = cam_text_escape(text);

	cam_progress_display_clear(self->display);
	fprintf(stderr, "cambium: %s\n", shown);
}

void
cam_cli_note(CamCli *self, const char *format, ...)
{
	va_list args;

	if (self->options.quiet)
		return;
	va_start(args, format);
	tell(self, format, args);
	va_end(args);
}

void
cam_cli_warn(CamCli *self, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(self, format, args);
	va_end(args);
}

void
cam_cli_set_exit(CamCli *self, CamExit code)
{
	self->exit_code = code;
}

gboolean
cam_cli_usage_error(CamCli *self, GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	self->exit_code = CAM_EXIT_USAGE;
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s", text);
}

/* ---- store and engine ---- */

char *
cam_cli_store_path(CamCli *self)
{
	return cam_settings_store_path(self->config, self->options.store);
}

static CamStore *
open_store(CamCli *self, gboolean create, GError **error)
{
	g_autofree char *path = cam_cli_store_path(self);
	g_autoptr(GError) problem = NULL;
	CamStore *store = cam_settings_open_store(path, create, self->cancellable, &problem);

	if (store != NULL)
		return store;
	if (!create && g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		cam_set_error(error, CAM_ERROR_NOT_FOUND,
			      "there is no store in %s yet; 'cambium import' makes one", path);
	else
		g_propagate_error(error, g_steal_pointer(&problem));
	return NULL;
}

CamStore *
cam_cli_get_store(CamCli *self, gboolean create, GError **error)
{
	if (self->store == NULL)
		self->store = open_store(self, create, error);
	if (self->store == NULL)
		return NULL;
	if (self->command->holds_store && self->hold == NULL) {
		self->hold = cam_store_hold(self->store, self->cancellable, error);
		if (self->hold == NULL)
			return NULL;
	}
	return self->store;
}

CamScanEngine *
cam_cli_get_engine(CamCli *self, GError **error)
{
	if (self->engine == NULL) {
		CamStore *store = cam_cli_get_store(self, FALSE, error);

		if (store == NULL)
			return NULL;
		self->engine = cam_scan_engine_new(store, error);
		if (self->engine != NULL)
			cam_scan_engine_set_limits(self->engine, &self->config->scan_limits);
	}
	return self->engine;
}

CamAptRepository *
cam_cli_open_apt(CamCli *self, GError **error)
{
	CamStore *store = cam_cli_get_store(self, FALSE, error);

	return store != NULL ? cam_settings_open_apt(self->config, store, error) : NULL;
}

gboolean
cam_cli_check_repo(CamCli *self, const GPtrArray *lines, GError **error)
{
	for (guint i = 0; lines != NULL && i < lines->len; i++) {
		g_autoptr(GError) problem = NULL;
		g_autoptr(CamAptSource) source =
			cam_apt_source_parse(g_ptr_array_index(lines, i), &problem);

		if (source == NULL)
			return cam_cli_usage_error(self, error, "--repo: %s", problem->message);
	}
	return TRUE;
}

GPtrArray *
cam_cli_find_sources(CamCli *self, const CamImage *image, const CamOsRelease *os,
		     const GPtrArray *lines, GError **error)
{
	g_autoptr(GPtrArray) remarks = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *sources = cam_find_sources(self->config, lines, self->store, image, os, remarks,
					      self->cancellable, error);

	for (guint i = 0; i < remarks->len; i++)
		cam_cli_warn(self, "%s", (const char *) g_ptr_array_index(remarks, i));
	return sources;
}

/* ---- images ---- */

static gboolean
reach(CamCli *self, const CamLocation *location, GError **error)
{
	return location == NULL || location->transport != CAM_TRANSPORT_CONTAINERD ||
	       cam_cli_need_backend(self, error) != NULL;
}

static gboolean
reach_source(CamCli *self, const CamImage *image, GError **error)
{
	g_autoptr(CamLocation) source =
		image->source != NULL ? cam_location_parse(image->source, NULL) : NULL;

	return reach(self, source, error);
}

gboolean
cam_cli_reach_sources(CamCli *self, const CamImage *image, GError **error)
{
	g_autoptr(CamImage) base = NULL;

	if (!reach_source(self, image, error))
		return FALSE;
	if (image->base_name != NULL)
		base = cam_store_get_image(self->store, image->base_name, NULL);
	return base == NULL || reach_source(self, base, error);
}

gboolean
cam_cli_fill_transport(CamCli *self, const CamSourceOptions *options, const CamLocation *location,
		       CamTransportOptions *out, GError **error)
{
	const char *host =
		location != NULL && location->reference != NULL ? location->reference->host : NULL;

	*out = (CamTransportOptions){
		.insecure = options->insecure || cam_config_is_insecure(self->config, host),
		.auth_file =
			options->auth_file != NULL ? options->auth_file : self->config->auth_file,
		.cache_dirfd = -1,
		.progress = self->progress,
		.open_containerd = self->backend != NULL ? self->backend->open_containerd : NULL,
		.containerd = cam_cli_containerd_address(self),
	};
	return reach(self, location, error);
}

CamImage *
cam_cli_import(CamCli *self, const CamLocation *location, const char *name, gboolean replace,
	       gboolean allow_ambiguous, const CamSourceOptions *options, GError **error)
{
	g_autoptr(CamPlatform) platform = NULL;
	CamStore *store;
	CamImportOptions import = {
		.name = name,
		.replace = replace,
		.limits = cam_settings_layer_limits(self->config),
	};

	import.limits.allow_ambiguous |= allow_ambiguous;
	if (options->platform != NULL) {
		platform = cam_platform_parse(options->platform, error);
		if (platform == NULL)
			return NULL;
	}
	store = cam_cli_get_store(self, TRUE, error);
	if (store == NULL)
		return NULL;
	import.platform = platform;
	if (!cam_cli_fill_transport(self, options, location, &import.transport, error))
		return NULL;
	return cam_image_import(store, location, &import, self->progress, self->cancellable, error);
}

CamImage *
cam_cli_get_image(CamCli *self, const char *text, const CamSourceOptions *options, GError **error)
{
	g_autoptr(GError) absent = NULL;
	g_autoptr(CamLocation) location = NULL;
	CamStore *store = cam_cli_get_store(self, FALSE, &absent);
	CamImage *image = store != NULL ? cam_store_get_image(store, text, &absent) : NULL;

	if (image != NULL)
		return image;
	/* What cannot be a name at all may still be a location. */
	if (!g_error_matches(absent, CAM_ERROR, CAM_ERROR_NOT_FOUND) &&
	    !g_error_matches(absent, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT)) {
		g_propagate_error(error, g_steal_pointer(&absent));
		return NULL;
	}
	location = cam_location_parse(text, NULL);
	if (location == NULL || location->transport == CAM_TRANSPORT_STORE) {
		g_propagate_error(error, g_steal_pointer(&absent));
		return NULL;
	}
	image = cam_cli_import(self, location, NULL, TRUE, FALSE, options, error);
	if (image != NULL)
		cam_cli_note(self, "imported %s as %s", text, image->name);
	return image;
}

/* The list that @list makes of the store, or an empty one where there is no store. */
static GPtrArray *
list_store(CamCli *self, GPtrArray *(*list)(CamStore *, GError **), GError **error)
{
	g_autoptr(GError) absent = NULL;
	CamStore *store = cam_cli_get_store(self, FALSE, &absent);

	if (store != NULL)
		return list(store, error);
	if (g_error_matches(absent, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return g_ptr_array_new();
	g_propagate_error(error, g_steal_pointer(&absent));
	return NULL;
}

GPtrArray *
cam_cli_list_images(CamCli *self, GError **error)
{
	return list_store(self, cam_store_list_images, error);
}

GPtrArray *
cam_cli_list_image_names(CamCli *self, GError **error)
{
	return list_store(self, cam_store_list_image_names, error);
}

CamScanResult *
cam_cli_scan(CamCli *self, const CamImage *image, const CamScanOptions *options,
	     const GPtrArray *repo_lines, gboolean offline, GError **error)
{
	CamScanOptions all = *options;
	CamLookUp look_up = { .config = self->config,
			      .repo_lines = repo_lines,
			      .progress = self->progress };

	look_up.engine = cam_cli_get_engine(self, error);
	if (look_up.engine == NULL)
		return NULL;
	look_up.store = self->store;
	all.unknown_counts_as = cam_cli_unknown_counts_as(self);
	all.acceptances = self->config->policy.acceptances;
	if (offline || self->config->offline == CAM_CONFIG_YES)
		return cam_scan_engine_scan(look_up.engine, image, &all, self->progress,
					    self->cancellable, error);
	return cam_look_up_scan(&look_up, image, &all, self->cancellable, error);
}

CamSeverity
cam_cli_unknown_counts_as(CamCli *self)
{
	return cam_settings_unknown_counts_as(self->config);
}
