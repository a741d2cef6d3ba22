/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the talk with an image's dpkg: how it is called, in how many rounds, and what its database
 * must say afterwards.
 */
#include "rebuild/pkgmgr/dpkg-run.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define STATUS_PATH	"var/lib/dpkg/status"
#define STATUS_MAX_SIZE (256 * 1024 * 1024)
/* A package that must be configured before another one is unpacked (Pre-Depends on a version of
 * this very plan) takes a round more; a chain of those is never long. */
#define MAX_ROUNDS     8
#define MAX_ERROR_SIZE 4096 /* of dpkg's words in an error */

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	/* never the image's: dpkg, and what scripts call, take options from there */
	"HOME=" CAM_SANDBOX_HOME,
	"LC_ALL=C.UTF-8",
	"TZ=UTC",
	"DEBIAN_FRONTEND=noninteractive",
	"DEBIAN_PRIORITY=critical",
	"DEBCONF_NONINTERACTIVE_SEEN=true",
	"UCF_FORCE_CONFFOLD=1",
	/* or the order of sets in compiled Python files differs from run to run */
	"PYTHONHASHSEED=0",
	/* SOURCE_DATE_EPOCH is not set: compiled Python files would refer to their source by hash
	 * and no longer be what the distribution's own installation makes */
	NULL,
};

typedef struct {
	const char *root, *grows, *scratch;
	const CamSandboxLimits *limits;
	int rootfd;
	GPtrArray *packages;
	const char *const *debs;
	const CamDpkgConfig *config;
	char *policy; /* host path of the script that says no */
	GCancellable *cancellable;
} Dpkg;

/* ---- the database ---- */

static GBytes *
read_status(Dpkg *self, GError **error)
{
	g_auto(CamFd) fd = cam_open_regular_in_root(self->rootfd, STATUS_PATH, error);

	return fd < 0 ? NULL : cam_read_fd(fd, STATUS_PATH, STATUS_MAX_SIZE, error);
}

static char *
package_key(const char *name, const char *architecture)
{
	return g_strdup_printf("%s:%s", name, architecture ? architecture : "");
}

/* What a package's state and version are: "install ok installed 1.2-3", by "name:architecture". */
static GHashTable *
read_states(Dpkg *self, GError **error)
{
	g_autoptr(GBytes) bytes = read_status(self, error);
	g_auto(CamDeb822) stanza = { 0 };
	GHashTable *states;
	gsize size;

	if (!bytes)
		return NULL;

	const char *data = g_bytes_get_data(bytes, &size);

	states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	cam_deb822_init(&stanza, data, size);
	while (cam_deb822_next(&stanza)) {
		g_autofree char *name = cam_deb822_dup(&stanza, "Package");
		g_autofree char *architecture = cam_deb822_dup(&stanza, "Architecture");
		g_autofree char *status = cam_deb822_dup(&stanza, "Status");
		g_autofree char *version = cam_deb822_dup(&stanza, "Version");

		if (name && status)
			g_hash_table_insert(
				states, package_key(name, architecture),
				g_strdup_printf("%s %s", status, version ? version : ""));
	}
	return states;
}

/* The third word of a status is the state. */
static gboolean
is_half_done(const char *state)
{
	return strstr(state, " unpacked ") || strstr(state, " half-installed ") ||
	       strstr(state, " half-configured ") || strstr(state, " triggers-awaited ") ||
	       strstr(state, " triggers-pending ");
}

static gboolean
is_installed(GHashTable *states, const CamPlannedPackage *package)
{
	g_autofree char *key = package_key(package->name, package->architecture);
	const char *state = g_hash_table_lookup(states, key);
	g_autofree char *end = g_strdup_printf(" ok installed %s", package->to);

	return state && g_str_has_suffix(state, end);
}

/* Indices of the packages that are not installed as planned. */
static GArray *
list_missing(Dpkg *self, GHashTable *states)
{
	GArray *missing = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < self->packages->len; i++)
		if (!is_installed(states, g_ptr_array_index(self->packages, i)))
			g_array_append_val(missing, i);
	return missing;
}

/* ---- the calls ---- */

/* No service is started: there is none to talk to, and nothing to serve. */
static gboolean
write_policy(Dpkg *self, GError **error)
{
	static const char script[] = "#!/bin/sh\nexit 101\n";
	g_autoptr(GBytes) bytes = g_bytes_new_static(script, strlen(script));

	self->policy = g_build_filename(self->scratch, "policy-rc.d", NULL);
	return cam_write_file_at(AT_FDCWD, self->policy, bytes, 0755, error);
}

/* The files with options that do not hold, without them. Not a mount: an upgrade of dpkg itself
 * must be able to replace its configuration. */
static gboolean
write_masks(Dpkg *self, GError **error)
{
	for (guint i = 0; i < self->config->masks->len; i++) {
		const CamDpkgMask *mask = self->config->masks->pdata[i];
		g_autofree char *directory = g_path_get_dirname(mask->path);
		g_autofree char *name = g_path_get_basename(mask->path);
		g_auto(CamFd) parent = cam_openat_beneath(
			self->rootfd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);

		if (parent < 0 ||
		    !cam_write_file_at(parent, name, mask->content, mask->mode, error))
			return cam_error_translate(error, "cannot prepare /%s of the image",
						   mask->path);
	}
	return TRUE;
}

static gboolean
run(Dpkg *self, const char *const *argv, GArray *files, CamSandboxResult *result, GError **error)
{
	CamSandboxCommand command = {
		.root = self->root,
		.grows = self->grows,
		.argv = argv,
		.environment = environment,
		.files = (const CamSandboxFile *) (gpointer) files->data,
		.n_files = files->len,
		.limits = *self->limits,
	};

	cam_sandbox_result_clear(result);
	return cam_sandbox_run(&command, result, self->cancellable, error) ||
	       cam_error_translate(error, "dpkg of the image");
}

static GPtrArray *
dpkg_argv(Dpkg *self, const char *action)
{
	static const char *const common[] = { "/usr/bin/dpkg", "--force-confdef", "--force-confold",
					      "--force-unsafe-io", "--auto-deconfigure" };
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < G_N_ELEMENTS(common); i++)
		g_ptr_array_add(argv, g_strdup(common[i]));
	for (guint i = 0; i < self->config->arguments->len; i++)
		g_ptr_array_add(argv, g_strdup(self->config->arguments->pdata[i]));
	g_ptr_array_add(argv, g_strdup(action));
	return argv;
}

static void
add_file(Dpkg *self, GArray *files, const char *source, const char *target)
{
	CamSandboxFile file = { source, target };

	g_array_append_val(files, file);
}

/* One call for all: dpkg itself unpacks first and then configures in the order of dependencies. */
static gboolean
install(Dpkg *self, GArray *missing, CamSandboxResult *result, GError **error)
{
	g_autoptr(GPtrArray) argv = dpkg_argv(self, "--install");
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(CamSandboxFile));

	for (guint i = 0; i < missing->len; i++) {
		guint index = g_array_index(missing, guint, i);
		char *target = g_strdup_printf(CAM_SANDBOX_FILES "/%u.deb", index);

		g_ptr_array_add(argv, target);
		add_file(self, files, self->debs[index], target);
	}
	g_ptr_array_add(argv, NULL);
	add_file(self, files, self->policy, "/" CAM_DPKG_POLICY);
	return run(self, (const char *const *) argv->pdata, files, result, error);
}

static gboolean
configure(Dpkg *self, CamSandboxResult *result, GError **error)
{
	g_autoptr(GPtrArray) argv = dpkg_argv(self, "--configure");
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(CamSandboxFile));

	g_ptr_array_add(argv, g_strdup("--pending"));
	g_ptr_array_add(argv, NULL);
	add_file(self, files, self->policy, "/" CAM_DPKG_POLICY);
	return run(self, (const char *const *) argv->pdata, files, result, error);
}

static gboolean
not_installed(Dpkg *self, GArray *missing, const CamSandboxResult *result, GError **error)
{
	const CamPlannedPackage *first =
		g_ptr_array_index(self->packages, g_array_index(missing, guint, 0));
	gsize size = strlen(result->output);
	const char *end = result->output + (size > MAX_ERROR_SIZE ? size - MAX_ERROR_SIZE : 0);

	while ((*end & 0xc0) == 0x80) /* not in the midst of a character */
		end++;
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "dpkg of the image could not install %s %s (exit status %d): %s",
			     first->name, first->to, result->status, end);
}

/* What was whole before must be whole now. */
static gboolean
check_half_done(GHashTable *before, GHashTable *after, GError **error)
{
	GHashTableIter iter;
	gpointer key, state;

	g_hash_table_iter_init(&iter, after);
	while (g_hash_table_iter_next(&iter, &key, &state)) {
		const char *old = g_hash_table_lookup(before, key);

		if (is_half_done(state) && (!old || !is_half_done(old)))
			return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
					     "dpkg of the image left %s half done (%s)",
					     (const char *) key, (const char *) state);
	}
	return TRUE;
}

static gboolean
install_all(Dpkg *self, GError **error)
{
	g_autoptr(GHashTable) before = read_states(self, error);
	g_autoptr(GArray) missing = before ? list_missing(self, before) : NULL;

	if (!missing || !write_policy(self, error) || !write_masks(self, error))
		return FALSE;
	for (guint round = 0; missing->len > 0; round++) {
		g_auto(CamSandboxResult) result = { 0 };
		g_auto(CamSandboxResult) configured = { 0 };
		guint n = missing->len;

		if (!install(self, missing, &result, error))
			return FALSE;
		if (result.status != 0 && !configure(self, &configured, error))
			return FALSE;

		g_autoptr(GHashTable) states = read_states(self, error);

		if (!states)
			return FALSE;
		g_array_unref(missing);
		missing = list_missing(self, states);
		if (missing->len == 0)
			return check_half_done(before, states, error);
		if (missing->len == n || round + 1 == MAX_ROUNDS)
			return not_installed(self, missing, &result, error);
	}
	return TRUE;
}

gboolean
cam_dpkg_install(const CamWorkspace *workspace, const CamSandboxLimits *limits, GPtrArray *packages,
		 const char *const *debs, const CamDpkgConfig *config, GCancellable *cancellable,
		 GError **error)
{
	Dpkg self = { .root = workspace->root,
		      .grows = workspace->upper_path,
		      .scratch = workspace->scratch,
		      .limits = limits,
		      .rootfd = workspace->merged,
		      .packages = packages,
		      .debs = debs,
		      .config = config,
		      .cancellable = cancellable };
	gboolean ok = install_all(&self, error);

	g_free(self.policy);
	return ok;
}
