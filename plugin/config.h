/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/rebuild.h"
#include "scanners/scanners.h"
#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* How the text of a key is read, and what is stored at its offset. */
typedef enum {
	CAM_CONFIG_TEXT,     /* char * */
	CAM_CONFIG_LIST,     /* char ** */
	CAM_CONFIG_SIZE,     /* guint64, bytes: "64G" */
	CAM_CONFIG_COUNT,    /* guint64 */
	CAM_CONFIG_SEVERITY, /* CamSeverity, not "unknown" */
	CAM_CONFIG_CHOICE,   /* int: 1 + the index in choices */
	CAM_CONFIG_BOOL,     /* CamConfigBool */
	CAM_CONFIG_DIGEST,   /* char *, a digest */
	CAM_CONFIG_DATE,     /* char *, "2030-12-31" */
	CAM_CONFIG_SOURCES,  /* any key of the group: a list of "deb" lines (see sources) */
} CamConfigKind;

/* One key, for the reader and the man page alike. The table ends with an entry without group. */
typedef struct {
	const char *group, *key;
	CamConfigKind kind;
	gsize offset;
	const char *fallback;	    /* (nullable): what holds where it is not said, for people */
	const char *help;	    /* sentences */
	const char *const *choices; /* NULL-terminated */
} CamConfigKey;

extern const CamConfigKey cam_config_keys[];

/* Where the daemon listens, and containerd, if nothing else is said. */
#define CAM_DAEMON_SOCKET     "/run/cambium/cambiumd.sock"
#define CAM_CONTAINERD_SOCKET "/run/containerd/containerd.sock"

/* Of these, as of all members of CamConfig, zero means that the file does not say. */
typedef enum { CAM_CONFIG_YES = 1, CAM_CONFIG_NO } CamConfigBool;
typedef enum {
	CAM_LOG_ERROR = 1,
	CAM_LOG_WARNING,
	CAM_LOG_INFO,
	CAM_LOG_DEBUG,
} CamLogLevel;
extern const char *const cam_log_level_names[];
typedef enum { CAM_GATE_OFF = 1, CAM_GATE_WARN, CAM_GATE_ENFORCE } CamGate;
typedef enum { CAM_NEVER_SCANNED_ALLOW = 1, CAM_NEVER_SCANNED_REFUSE } CamNeverScanned;
typedef enum {
	CAM_UNFIXED_COUNT = 1, /* what no version fixes counts by its severity */
	CAM_UNFIXED_IGNORE,    /* it does not count */
	CAM_UNFIXED_REQUIRE,   /* it counts, and a source must tell of such */
} CamUnfixed;
typedef enum { CAM_LOOKUP_UNJUDGED = 1, CAM_LOOKUP_FAIL } CamLookupFailure;
/* The levels of gates: 1 + the index is what an option or a key holds; 0: not said. */
extern const char *const cam_level_names[];

/* A group [exception NAME]. */
typedef struct {
	char *name;
	char *image;  /* (nullable): pattern */
	char *digest; /* (nullable) */
	char *until;  /* (nullable) */
	char *reason; /* (nullable) */
} CamPolicyException;

typedef struct {
	CamGate gate;
	int level; /* 0 or 1 + index in cam_level_names */
	CamUnfixed unfixed;
	CamNeverScanned never_scanned;
	char *exceptions_file;	/* (nullable) */
	GPtrArray *exceptions;	/* (element-type CamPolicyException): also those of the file */
	GPtrArray *acceptances; /* (element-type CamAcceptance): the groups [accept NAME] of both */
} CamPolicy;

/**
 * CamConfig: what cambium.conf says. Members that it does not name are zero.
 */
typedef struct {
	char *store;
	CamSeverity unknown_counts_as, unknown_with_fix_counts_as;
	CamConfigBool offline;
	CamLookupFailure lookup_failure;
	CamConfigBool allow_ambiguous;
	guint64 layer_size, layer_entries, layer_ratio;
	guint64 index_size, package_size;
	CamScanLimits scan_limits;
	guint64 lookups;
	char **insecure; /* (nullable): registries, host or host:port */
	char *auth_file;
	char *suffix;
	char **keyrings;   /* (nullable): directories with one per distribution */
	int image_sources; /* 0 or 1 + CamAptImageTrust */
	CamSandboxLimits fix_limits;
	GHashTable *sources; /* "debian" or "debian/bookworm" → char ** of "deb" lines */
	char *socket;
	CamLogLevel log_level;
	int mount;	     /* 0 or 1 + CamMountMethod */
	guint64 adopt_after; /* milliseconds */
	guint64 jobs;	     /* of the daemon, at the same time */
	char *containerd_address;
	char **containerd_namespaces; /* (nullable) */
	CamConfigBool scan_on_unpack;
	CamPolicy policy;
} CamConfig;

/**
 * cam_config_load:
 * @path: a key file
 * @required: whether it is an error (%CAM_ERROR_NOT_FOUND) if there is no such file
 *
 * Unknown groups and keys and malformed values are %CAM_ERROR_INVALID_ARGUMENT; the message names
 * the file.
 */
CamConfig *cam_config_load(const char *path, gboolean required, GError **error);
void cam_config_free(CamConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamConfig, cam_config_free)

/**
 * cam_config_get_sources:
 *
 * Returns: (transfer full) (nullable) (element-type CamAptSource): the repositories that the
 *     configuration names for a release, instead of those that are found; NULL without error where
 *     it names none. "{codename}" in a line stands for @codename.
 */
GPtrArray *cam_config_get_sources(const CamConfig *self, const char *distribution,
				  const char *codename, GError **error);

/* All sources that [sources] names, for whatever release; "{codename}" stands as it is. (transfer
 * full) (element-type CamAptSource) */
GPtrArray *cam_config_list_sources(const CamConfig *self);

/* Whether plain HTTP and unverified TLS are allowed for the registry @host. */
gboolean cam_config_is_insecure(const CamConfig *self, const char *host);

/* "64G" → bytes; suffixes K, M, G, T are powers of 1024. */
gboolean cam_parse_size(const char *text, guint64 *size, GError **error);

G_END_DECLS
