/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of cambiumd: in which order its parts are made, what signals do, and in which order it
 * all ends. What the parts do is theirs.
 */
#include "plugin/daemon/daemon.h"

#include <config.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include "plugin/containerd/containerd-transport.h"
#include "plugin/containerd/diff-service.h"
#include "plugin/containerd/snapshots-service.h"
#include "plugin/daemon/image-watch.h"
#include "plugin/daemon/listener.h"
#include "plugin/daemon/log.h"
#include "plugin/daemon/notify.h"
#include "plugin/daemon/policy-gate.h"
#include "plugin/daemon/root-lock.h"
#include "plugin/settings.h"

#define GRACE	 (10 * 1000) /* milliseconds that running calls have when it ends */
#define JOBS	 2
#define MAX_JOBS 64
#define TICK	 5 /* seconds between two looks at what changes by itself */

struct _CamDaemon {
	const CamDaemonOptions *options;
	CamConfig *config; /* as it was at the start */
	char *root;
	CamStore *store;
	CamFd lock;
	CamListener *listener;
	CamSnapshotter *snapshotter;
	CamVerdictDb *verdicts; /* (nullable) */
	CamPolicyGate *gate;
	CamContainerd *containerd; /* (nullable) */
	CamGrpcServer *server;
	/* What looks after images; all or none of it. */
	CamImageScanner *scanner;
	CamJobs *jobs;
	CamImageLook *look;
	CamImageWatch *watch;
	guint tick; /* source */
	GMainLoop *loop;
};

/* ---- configuration ---- */

static CamConfig *
load_config(const CamDaemonOptions *options, GError **error)
{
	return cam_config_load(options->config != NULL ? options->config : CAM_CONFIG_FILE,
			       options->config != NULL, error);
}

static CamLogLevel
wanted_level(const CamDaemonOptions *options, const CamConfig *config)
{
	if (options->log_level != 0)
		return (CamLogLevel) options->log_level;
	return config->log_level != 0 ? config->log_level : CAM_LOG_INFO;
}

/* What may change while it runs. */
static gboolean
apply_config(CamDaemon *self, GError **error)
{
	CamConfig *config = load_config(self->options, error);

	if (config == NULL)
		return FALSE;
	cam_log_set_level(wanted_level(self->options, config));
	cam_policy_gate_set_config(self->gate, config);
	return TRUE;
}

/* ---- beginning ---- */

static gboolean
open_root(CamDaemon *self, GError **error)
{
	g_autofree char *root = cam_settings_store_path(self->config, self->options->root);

	self->root = g_canonicalize_filename(root, NULL);
	self->store = cam_settings_open_store(self->root, TRUE, NULL, error);
	if (self->store == NULL)
		return FALSE;
	self->lock = cam_root_lock(cam_store_get_dirfd(self->store), self->root, error);
	return self->lock >= 0;
}

static gboolean
open_listener(CamDaemon *self, GError **error)
{
	g_autoptr(GError) problem = NULL;
	const char *path = self->options->socket;

	self->listener = cam_listener_new_from_systemd(&problem);
	if (problem != NULL) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	if (path == NULL)
		path = self->config->socket != NULL ? self->config->socket : CAM_DAEMON_SOCKET;
	if (self->listener == NULL)
		self->listener = cam_listener_new(path, error);
	return self->listener != NULL;
}

CamDaemon *
cam_daemon_new(const CamDaemonOptions *options, CamExit *code, GError **error)
{
	g_autoptr(CamDaemon) self = g_new0(CamDaemon, 1);

	self->options = options;
	self->lock = -1;
	*code = CAM_EXIT_USAGE;
	cam_log_start(options->log_level != 0 ? (CamLogLevel) options->log_level : CAM_LOG_INFO);
	self->config = load_config(options, error);
	if (self->config == NULL)
		return NULL;
	*code = CAM_EXIT_FAILED;
	cam_log_set_level(wanted_level(options, self->config));
	return open_root(self, error) && open_listener(self, error) ? g_steal_pointer(&self) : NULL;
}

/* Without it the daemon still serves: it knows of no scan. */
static void
open_verdicts(CamDaemon *self)
{
	g_autoptr(GError) error = NULL;

	self->verdicts = cam_verdict_db_open(self->root, TRUE, &error);
	if (self->verdicts == NULL)
		g_warning("scans on unpack are not remembered: %s", error->message);
}

static gboolean
is_scanning(const GPtrArray *verdicts, gboolean ask, gpointer user_data)
{
	CamDaemon *self = user_data;

	return self->look != NULL && cam_image_look_is_scanning(self->look, verdicts, ask);
}

static gboolean
check_policy(const char *key, const char *parent, GHashTable *labels, gpointer user_data,
	     GError **error)
{
	CamDaemon *self = user_data;

	return cam_policy_gate_check(self->gate, key, parent, labels, error);
}

static gboolean
open_snapshotter(CamDaemon *self, GError **error)
{
	CamSnapshotterOptions options = {
		.method = self->config->mount > 0 ? (CamMountMethod) (self->config->mount - 1)
						  : CAM_MOUNT_AUTO,
		.adopt_after = (guint) self->config->adopt_after,
		.limits = cam_settings_layer_limits(self->config),
	};

	self->snapshotter = cam_snapshotter_open(self->store, &options, NULL, error);
	return self->snapshotter != NULL;
}

static void
add_services(CamDaemon *self)
{
	CamSnapshotGate gate = { check_policy, self };

	cam_snapshots_service_add(self->server, self->snapshotter, &gate);
	if (self->containerd != NULL)
		cam_diff_service_add(self->server, self->snapshotter, &cam_diff_content_containerd,
				     self->containerd);
}

/* ---- looking after containerd's images ---- */

static gboolean
make_look(CamDaemon *self, GError **error)
{
	CamTransportOptions transport = {
		.cache_dirfd = -1,
		.open_containerd = cam_containerd_transport_open,
		.containerd = cam_containerd_get_address(self->containerd),
	};
	CamImageLookParts parts;

	self->scanner = cam_image_scanner_new(self->store, self->config, &transport);
	self->jobs = cam_jobs_new(
		self->config->jobs != 0 ? (guint) MIN(self->config->jobs, MAX_JOBS) : JOBS, error);
	if (self->jobs == NULL)
		return FALSE;
	parts = (CamImageLookParts){ self->containerd, self->snapshotter,
				     self->scanner,    self->verdicts,
				     self->jobs,       self->config->offline == CAM_CONFIG_YES };
	self->look = cam_image_look_new(&parts);
	return TRUE;
}

static gboolean
on_tick(gpointer user_data)
{
	CamDaemon *self = user_data;

	cam_image_watch_tick(self->watch);
	return G_SOURCE_CONTINUE;
}

static gboolean
begin_watch(CamDaemon *self, GError **error)
{
	CamImageWatchParts parts = {
		.root = self->root,
		.containerd = self->containerd,
		.verdicts = self->verdicts,
		.jobs = self->jobs,
		.look = self->look,
		.namespaces = (const char *const *) self->config->containerd_namespaces,
	};

	if (self->look == NULL)
		return TRUE;
	self->watch = cam_image_watch_new(&parts, error);
	if (self->watch == NULL)
		return FALSE;
	self->tick = g_timeout_add_seconds(TICK, on_tick, self);
	return TRUE;
}

/* The other way round: cambiumd as a client. Nothing is connected yet. */
static gboolean
open_containerd(CamDaemon *self, GError **error)
{
	const char *address = self->config->containerd_address;
	g_autoptr(GError) local = NULL;

	self->containerd =
		cam_containerd_new(address != NULL ? address : CAM_CONTAINERD_SOCKET, &local);
	if (self->containerd == NULL)
		g_warning("no layers are applied and no images are scanned: %s", local->message);
	else if (self->config->scan_on_unpack != CAM_CONFIG_NO && self->verdicts != NULL)
		return make_look(self, error);
	return TRUE;
}

static void
end_watch(CamDaemon *self)
{
	if (self->watch == NULL)
		return;
	g_source_remove(self->tick);
	cam_jobs_close(self->jobs);
	g_clear_pointer(&self->watch, cam_image_watch_free);
}

/* One line that says what is running here. */
static void
introduce(CamDaemon *self)
{
	static const char *const names[] = { "auto", "erofs", "erofs-loop", "checkout" };
	g_autofree char *reason = NULL;
	CamMountMethod method;

	if (self->config->mount > 1) {
		method = (CamMountMethod) (self->config->mount - 1);
		reason = g_strdup("as configured");
	} else {
		method = cam_mount_probe(self->store, &reason);
	}
	g_message("cambiumd " CAM_VERSION " serves %s on %s; mounts: %s (%s)", self->root,
		  cam_listener_get_name(self->listener), names[method], reason);
}

/* ---- serving ---- */

static void
take_connection(int fd, gpointer user_data)
{
	CamDaemon *self = user_data;

	/* Who connects anew may have been told to unpack in another way than before. */
	cam_snapshotter_expect_differ(self->snapshotter, FALSE);
	cam_grpc_server_add_connection(self->server, fd);
}

static gboolean
on_end(gpointer user_data)
{
	CamDaemon *self = user_data;

	g_main_loop_quit(self->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_reload(gpointer user_data)
{
	CamDaemon *self = user_data;
	g_autoptr(GError) error = NULL;

	cam_notify_reloading();
	if (apply_config(self, &error)) {
		g_message("the configuration was read again");
		if (self->look != NULL)
			cam_image_look_at_unjudged(self->look);
	} else {
		g_warning("the configuration stays as it was: %s", error->message);
	}
	cam_notify("READY=1");
	return G_SOURCE_CONTINUE;
}

static void
end(CamDaemon *self)
{
	g_message("ending");
	cam_notify("STOPPING=1");
	cam_listener_stop(self->listener);
	end_watch(self);
	cam_grpc_server_stop(self->server, GRACE);
	cam_snapshotter_close(self->snapshotter);
	g_message("ended");
}

gboolean
cam_daemon_run(CamDaemon *self, GError **error)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	guint sources[G_N_ELEMENTS(signals)];

	/* From here on a signal waits until it can be answered in order. */
	self->loop = g_main_loop_new(NULL, FALSE);
	for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
		sources[i] = g_unix_signal_add(signals[i],
					       signals[i] == SIGHUP ? on_reload : on_end, self);
	open_verdicts(self);
	self->gate = cam_policy_gate_new(self->verdicts, is_scanning, self);
	if (!apply_config(self, error) || !open_snapshotter(self, error) ||
	    !open_containerd(self, error))
		return FALSE;
	self->server = cam_grpc_server_new(NULL);
	add_services(self);
	if (!cam_grpc_server_start(self->server, error) ||
	    !cam_listener_start(self->listener, take_connection, self, error))
		return FALSE;
	introduce(self);
	cam_notify("READY=1");
	if (!begin_watch(self, error))
		return FALSE;
	g_main_loop_run(self->loop);
	/* A second signal ends it at once. */
	for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
		g_source_remove(sources[i]);
	end(self);
	return TRUE;
}

void
cam_daemon_free(CamDaemon *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->listener, cam_listener_free);
	g_clear_object(&self->server);
	g_clear_pointer(&self->jobs, cam_jobs_free);
	g_clear_pointer(&self->look, cam_image_look_free);
	g_clear_pointer(&self->scanner, cam_image_scanner_free);
	g_clear_object(&self->containerd);
	g_clear_pointer(&self->gate, cam_policy_gate_free);
	g_clear_pointer(&self->verdicts, cam_verdict_db_free);
	g_clear_object(&self->snapshotter);
	g_clear_object(&self->store);
	cam_fd_close(self->lock);
	g_clear_pointer(&self->loop, g_main_loop_unref);
	g_clear_pointer(&self->config, cam_config_free);
	g_free(self->root);
	g_free(self);
}
