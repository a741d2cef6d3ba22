/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/command.h"
#include "plugin/config.h"
#include "rebuild/rebuild.h"
#include "scanners/scanners.h"
#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* The process's exit status. */
typedef enum {
	CAM_EXIT_OK = 0,
	CAM_EXIT_FAILED = 1,
	CAM_EXIT_USAGE = 2,
	CAM_EXIT_POLICY = 3, /* a gate that the user asked for is closed */
	CAM_EXIT_NOT_FOUND = 4,
	CAM_EXIT_INTERRUPTED = 130, /* 128 + SIGINT; SIGTERM gives 143 */
} CamExit;

CamExit cam_exit_for_error(const GError *error);

typedef enum {
	CAM_FORMAT_TABLE,
	CAM_FORMAT_JSON,
} CamFormat;

typedef struct {
	const char *store, *config, *containerd;
	int format; /* 0 or 1 + CamFormat */
	gboolean quiet, verbose, help, version;
} CamGlobalOptions;

/**
 * CamCli: what a command works with. One a process.
 */

typedef struct _CamCliBackend CamCliBackend;

/* Runs the command line. @backend: (nullable): see backend.h */
CamExit cam_cli_main(char **argv, const CamCliBackend *backend);

const CamGlobalOptions *cam_cli_get_options(CamCli *self);
const CamConfig *cam_cli_get_config(CamCli *self);
CamFormat cam_cli_get_format(CamCli *self);
CamTableStyle cam_cli_get_style(CamCli *self);
CamProgress *cam_cli_get_progress(CamCli *self);
GCancellable *cam_cli_get_cancellable(CamCli *self);

/* Standard output. Text goes out as it is. */
void cam_cli_print(CamCli *self, const char *text);
/* A line of what may come out of an image or a registry: escaped. */
void cam_cli_print_line(CamCli *self, const char *text);
/* One document, indented, with a newline. */
void cam_cli_print_json(CamCli *self, JsonObject *object);
gboolean cam_cli_copy_to_stdout(CamCli *self, GInputStream *stream, GError **error);

/* A line on standard error, not with --quiet. */
void cam_cli_note(CamCli *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same with --quiet too. */
void cam_cli_warn(CamCli *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The exit status of a run that did not fail. */
void cam_cli_set_exit(CamCli *self, CamExit code);
/* %CAM_ERROR_INVALID_ARGUMENT, and the exit status for wrong usage. Always returns FALSE. */
gboolean
cam_cli_usage_error(CamCli *self, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* ---- what commands need again and again ---- */

/* @create: for commands that bring something into the store; for others a store that does not
 * exist is NOT_FOUND and says what to do. (transfer none) */
CamStore *cam_cli_get_store(CamCli *self, gboolean create, GError **error);
/* (transfer none) */
CamScanEngine *cam_cli_get_engine(CamCli *self, GError **error);
CamAptRepository *cam_cli_open_apt(CamCli *self, GError **error);

/* --repo, before anything else is done: lines that are none are wrong usage. */
gboolean cam_cli_check_repo(CamCli *self, const GPtrArray *lines, GError **error);

/* cam_find_sources() for an image of the store; its remarks are warnings. @lines: (nullable): what
 * --repo said. (element-type CamAptSource) */
GPtrArray *cam_cli_find_sources(CamCli *self, const CamImage *image, const CamOsRelease *os,
				const GPtrArray *lines, GError **error);

/* Options that every command which reads a location has; embed one and list its options with
 * CAM_SOURCE_OPTIONS(struct, member). */
typedef struct {
	const char *platform, *auth_file;
	gboolean insecure;
} CamSourceOptions;

/* (element-type utf8) */
#define CAM_REPO_OPTION(type, member)                                                        \
	{                                                                                    \
		"repo", 0, CAM_OPTION_LIST, G_STRUCT_OFFSET(type, member), "LINE", NULL,     \
			CAM_COMPLETE_NOTHING,                                                \
			"a repository to use instead of those that are found, as a line of " \
			"sources.list(5)"                                                    \
	}

#define CAM_SOURCE_OPTIONS(type, member)                                       \
	{ "platform",                                                          \
	  0,                                                                   \
	  CAM_OPTION_TEXT,                                                     \
	  G_STRUCT_OFFSET(type, member.platform),                              \
	  "OS/ARCH",                                                           \
	  NULL,                                                                \
	  CAM_COMPLETE_NOTHING,                                                \
	  "which image of a multi-architecture index (default: the host's)" }, \
		CAM_TRANSPORT_OPTIONS(type, member)
#define CAM_TRANSPORT_OPTIONS(type, member)                                                   \
	{ "auth-file",                                                                        \
	  0,                                                                                  \
	  CAM_OPTION_TEXT,                                                                    \
	  G_STRUCT_OFFSET(type, member.auth_file),                                            \
	  "FILE",                                                                             \
	  NULL,                                                                               \
	  CAM_COMPLETE_FILE,                                                                  \
	  "credentials for registries, instead of the usual places" },                        \
	{                                                                                     \
		"insecure", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(type, member.insecure), NULL, \
			NULL, CAM_COMPLETE_NOTHING,                                           \
			"accept plain HTTP and unverified TLS of the registry"                \
	}

/* @location: (nullable): what will be opened; one of containerd makes the light program execute
 * the full one */
gboolean
cam_cli_fill_transport(CamCli *self, const CamSourceOptions *options, const CamLocation *location,
		       CamTransportOptions *out, GError **error);
/* The same for the places that @image, or the one that it is the repair of, came from. */
gboolean cam_cli_reach_sources(CamCli *self, const CamImage *image, GError **error);
/* Imports @location under @name (nullable: its own). */
CamImage *
cam_cli_import(CamCli *self, const CamLocation *location, const char *name, gboolean replace,
	       gboolean allow_ambiguous, const CamSourceOptions *options, GError **error);
/* The image of the store that @text names, else that of the location, which is imported first. */
CamImage *
cam_cli_get_image(CamCli *self, const char *text, const CamSourceOptions *options, GError **error);
/* The arguments of a command that takes one such image. */
extern const CamArgument cam_image_arguments[];
/* Scans with what the configuration accepts; looks up what no source has looked at yet, unless
 * @offline. @repo_lines: (nullable): what --repo said */
CamScanResult *cam_cli_scan(CamCli *self, const CamImage *image, const CamScanOptions *options,
			    const GPtrArray *repo_lines, gboolean offline, GError **error);
/* What a finding of unknown severity counts as. */
CamSeverity cam_cli_unknown_counts_as(CamCli *self);
/* (element-type CamImage): all images; empty if there is no store. */
GPtrArray *cam_cli_list_images(CamCli *self, GError **error);
/* (element-type utf8): their names alone */
GPtrArray *cam_cli_list_image_names(CamCli *self, GError **error);

G_END_DECLS
