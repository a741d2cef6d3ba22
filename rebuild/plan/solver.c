/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the universe: how dpkg's paragraphs become libsolv solvables, and the questions about them.
 * The search itself is in solver-run.c. Paragraphs are read here and not by libsolvext, because the
 * status of an image is hostile input, architectures must be told apart, and Replaces must not
 * count (see dependency.c).
 */
#include "rebuild/plan/solver-private.h"

#include <solv/queue.h>
#include <solv/solver.h>
#include <string.h>

#include "rebuild/plan/dependency.h"

CamSolver *
cam_solver_new(const char *architecture, const char *const *foreign, GError **error)
{
	Pool *pool = pool_create();

	if (pool_setdisttype(pool, DISTTYPE_DEB) < 0) {
		pool_free(pool);
		cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
			      "this build of libsolv cannot plan for Debian packages");
		return NULL;
	}

	CamSolver *self = g_new0(CamSolver, 1);

	self->pool = pool;
	self->architecture = g_strdup(architecture);
	self->foreign = g_strdupv((char **) foreign);
	self->installed_repo = repo_create(pool, "installed");
	pool_set_installed(pool, self->installed_repo);
	self->installed = g_array_new(FALSE, FALSE, sizeof(int));
	self->details = g_array_new(FALSE, TRUE, sizeof(CamSolvableDetail));
	self->texts = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
	return self;
}

void
cam_solver_free(CamSolver *self)
{
	if (!self)
		return;
	pool_free(self->pool);
	g_free(self->architecture);
	g_strfreev(self->foreign);
	g_array_unref(self->installed);
	g_array_unref(self->details);
	g_ptr_array_unref(self->texts);
	g_free(self);
}

void
cam_solver_prepare(CamSolver *self)
{
	if (self->ready)
		return;
	pool_createwhatprovides(self->pool);
	self->ready = TRUE;
	if (self->lenient)
		cam_solver_relax(self);
}

/* ---- from a paragraph to a solvable ---- */

/* The first word of "install ok installed" is what the administrator wants, the third what is. */
static gboolean
status_is_installed(CamDeb822 *stanza, gboolean *held)
{
	g_autofree char *status = cam_deb822_dup(stanza, "Status");

	*held = FALSE;
	if (!status)
		return TRUE; /* status.d has none */

	g_auto(GStrv) words = g_strsplit(g_strstrip(status), " ", 3);

	if (g_strv_length(words) != 3)
		return FALSE;
	*held = g_str_equal(words[0], "hold");
	return g_str_equal(words[2], "installed") || g_str_equal(words[2], "triggers-awaited") ||
	       g_str_equal(words[2], "triggers-pending");
}

/* "Source: name (version)"; what is not said is the package's own. */
static void
read_source(CamSolver *self, CamDeb822 *stanza, CamSolvableDetail *detail)
{
	gsize size;
	const char *value = cam_deb822_get(stanza, "Source", &size);

	detail->source_name = detail->name;
	detail->source_version = detail->version;
	if (!value || !size)
		return;

	gsize name_size = 0;

	while (name_size < size && !strchr(" \t(", value[name_size]))
		name_size++;
	detail->source_name = pool_strn2id(self->pool, value, (unsigned int) name_size, 1);

	const char *open = memchr(value, '(', size);
	const char *close = memchr(value, ')', size);

	if (open && close > open + 1)
		detail->source_version =
			pool_strn2id(self->pool, open + 1, (unsigned int) (close - open - 1), 1);
}

/* Reads one field and appends its relations to an array of the repository. */
static gboolean
add_relations(CamDeb822 *stanza, const char *field, CamRelation relation,
	      const CamDependencyContext *context, Repo *repo, Id marker, Offset *offset,
	      GError **error)
{
	gsize size;
	const char *value = cam_deb822_get(stanza, field, &size);

	if (!value)
		return TRUE;

	Queue ids;

	queue_init(&ids);

	gboolean ok = cam_dependency_parse(context, relation, value, size, &ids, error);

	for (int i = 0; ok && i < ids.count; i++)
		*offset = repo_addid_dep(repo, *offset, ids.elements[i], marker);
	queue_free(&ids);
	return ok || cam_error_translate(error, "%s", field);
}

/* Packages of one name and version conflict with those of another architecture and another
 * version: "Multi-Arch: same" packages move together, as dpkg demands. */
static void
add_lockstep(const CamDependencyContext *context, const char *name, gsize size, Repo *repo,
	     Solvable *solvable)
{
	Pool *pool = repo->pool;
	Id native = cam_dependency_name(context, name, size, NULL);

	if (native == solvable->name)
		return;
	solvable->conflicts =
		repo_addid_dep(repo, solvable->conflicts,
			       pool_rel2id(pool, native, solvable->evr, REL_LT | REL_GT, 1), 0);
}

static gboolean
fill_relations(CamDeb822 *stanza, const CamDependencyContext *context, Repo *repo,
	       Solvable *solvable, GError **error)
{
	return add_relations(stanza, "Pre-Depends", CAM_RELATION_REQUIRES, context, repo,
			     SOLVABLE_PREREQMARKER, &solvable->requires, error) &&
	       add_relations(stanza, "Depends", CAM_RELATION_REQUIRES, context, repo,
			     -SOLVABLE_PREREQMARKER, &solvable->requires, error) &&
	       add_relations(stanza, "Conflicts", CAM_RELATION_CONFLICTS, context, repo, 0,
			     &solvable->conflicts, error) &&
	       add_relations(stanza, "Breaks", CAM_RELATION_CONFLICTS, context, repo, 0,
			     &solvable->conflicts, error) &&
	       add_relations(stanza, "Provides", CAM_RELATION_PROVIDES, context, repo, 0,
			     &solvable->provides, error);
}

/* Every package provides its name; a Multi-Arch: foreign one to all architectures. */
static void
provide_itself(const CamDependencyContext *context, const char *name, gsize size, Repo *repo,
	       Solvable *solvable)
{
	Pool *pool = repo->pool;

	solvable->provides =
		repo_addid_dep(repo, solvable->provides,
			       pool_rel2id(pool, solvable->name, solvable->evr, REL_EQ, 1), 0);
	if (!context->multi_arch_foreign)
		return;
	for (int i = -1; i < 0 || (context->foreign && context->foreign[i]); i++) {
		const char *architecture = i < 0 ? NULL : context->foreign[i];
		Id other = cam_dependency_name(context, name, size, architecture);

		if (other != solvable->name)
			solvable->provides = repo_addid_dep(
				repo, solvable->provides,
				pool_rel2id(pool, other, solvable->evr, REL_EQ, 1), 0);
	}
}

static Id
add_solvable(CamSolver *self, Repo *repo, CamDeb822 *stanza, CamSolvableDetail *detail,
	     GError **error)
{
	gsize name_size, version_size;
	const char *name = cam_deb822_get(stanza, "Package", &name_size);
	const char *version = cam_deb822_get(stanza, "Version", &version_size);

	if (!name || !name_size || !version || !version_size) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "a paragraph lacks Package or Version");
		return 0;
	}
	detail->name = pool_strn2id(self->pool, name, (unsigned int) name_size, 1);
	detail->version = pool_strn2id(self->pool, version, (unsigned int) version_size, 1);

	/* not the pool's own string: that moves when the pool grows */
	g_autofree char *architecture = cam_deb822_dup(stanza, "Architecture");

	detail->architecture =
		pool_str2id(self->pool, architecture ? architecture : self->architecture, 1);
	detail->stanza = cam_deb822_raw(stanza, &detail->stanza_size);
	read_source(self, stanza, detail);

	g_autofree char *multi_arch = cam_deb822_dup(stanza, "Multi-Arch");
	CamDependencyContext context = {
		.pool = self->pool,
		.native = self->architecture,
		.foreign = (const char *const *) self->foreign,
		.architecture = architecture,
		.multi_arch_foreign = g_strcmp0(multi_arch, "foreign") == 0,
	};
	Id id = repo_add_solvable(repo);
	Solvable *solvable = pool_id2solvable(self->pool, id);

	solvable->name = cam_dependency_name(&context, name, name_size, context.architecture);
	solvable->evr = cam_dependency_version(self->pool, version, version_size);
	/* Names tell architectures apart; to the solver there is but one. */
	solvable->arch = ARCH_ALL;
	provide_itself(&context, name, name_size, repo, solvable);
	if (g_strcmp0(multi_arch, "same") == 0)
		add_lockstep(&context, name, name_size, repo, solvable);
	if (!fill_relations(stanza, &context, repo, solvable, error)) {
		cam_error_translate(error, "package %s", pool_id2str(self->pool, detail->name));
		repo_free_solvable(repo, id, 1);
		return 0;
	}
	return id;
}

static void
put_detail(CamSolver *self, int id, const CamSolvableDetail *detail)
{
	if (self->details->len <= (guint) id)
		g_array_set_size(self->details, (guint) id + 1);
	g_array_index(self->details, CamSolvableDetail, id) = *detail;
}

gboolean
cam_solver_add_installed(CamSolver *self, GBytes *status, const char *path, GError **error)
{
	gsize size;
	const char *data = g_bytes_get_data(status, &size);
	g_auto(CamDeb822) stanza = { 0 };

	self->ready = FALSE;
	g_ptr_array_add(self->texts, g_bytes_ref(status));
	cam_deb822_init(&stanza, data, size);
	while (cam_deb822_next(&stanza)) {
		CamSolvableDetail detail = { .repository = -1 };

		if (!status_is_installed(&stanza, &detail.held))
			continue;

		int id = add_solvable(self, self->installed_repo, &stanza, &detail, error);

		if (!id)
			return cam_error_translate(error, "%s:%u", path, stanza.line);
		put_detail(self, id, &detail);
		g_array_append_val(self->installed, id);
	}
	return TRUE;
}

static gboolean
is_excluded(CamDeb822 *stanza, GHashTable *excluded)
{
	if (!excluded)
		return FALSE;

	g_autofree char *name = cam_deb822_dup(stanza, "Package");

	return name && g_hash_table_contains(excluded, name);
}

gboolean
cam_solver_add_repository(CamSolver *self, GBytes *packages, const char *path, int pin,
			  GHashTable *excluded, int *repository, GError **error)
{
	gsize size;
	const char *data = g_bytes_get_data(packages, &size);
	g_auto(CamDeb822) stanza = { 0 };
	Repo *repo = repo_create(self->pool, path);

	self->ready = FALSE;
	*repository = self->repositories++;
	repo->priority = pin;
	g_ptr_array_add(self->texts, g_bytes_ref(packages));
	cam_deb822_init(&stanza, data, size);
	while (cam_deb822_next(&stanza)) {
		CamSolvableDetail detail = { .repository = *repository, .pin = pin };

		if (is_excluded(&stanza, excluded))
			continue;

		int id = add_solvable(self, repo, &stanza, &detail, error);

		if (!id)
			return cam_error_translate(error, "%s:%u", path, stanza.line);
		put_detail(self, id, &detail);
	}
	return TRUE;
}

/* ---- questions ---- */

const GArray *
cam_solver_get_installed(CamSolver *self)
{
	return self->installed;
}

void
cam_solver_describe(CamSolver *self, int id, CamSolvable *out)
{
	const CamSolvableDetail *detail = cam_solver_detail(self, id);

	*out = (CamSolvable){
		.id = id,
		.name = pool_id2str(self->pool, detail->name),
		.architecture = pool_id2str(self->pool, detail->architecture),
		.version = pool_id2str(self->pool, detail->version),
		.source_name = pool_id2str(self->pool, detail->source_name),
		.source_version = pool_id2str(self->pool, detail->source_version),
		.repository = detail->repository,
		.held = detail->held,
	};
}

gboolean
cam_solver_get_file(CamSolver *self, int id, char **filename, char **sha256, gint64 *size,
		    GError **error)
{
	const CamSolvableDetail *detail = cam_solver_detail(self, id);
	g_auto(CamDeb822) stanza = { 0 };

	cam_deb822_init(&stanza, detail->stanza, detail->stanza_size);

	gboolean found = cam_deb822_next(&stanza);
	g_autofree char *name = found ? cam_deb822_dup(&stanza, "Filename") : NULL;
	g_autofree char *digest = found ? cam_deb822_dup(&stanza, "SHA256") : NULL;
	g_autofree char *bytes = found ? cam_deb822_dup(&stanza, "Size") : NULL;
	guint64 value;
	CamSha256 sha;

	if (!name || !digest || !bytes || !cam_sha256_from_hex(digest, &sha) ||
	    !g_ascii_string_to_unsigned(bytes, 10, 1, G_MAXINT64, &value, NULL))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "the repository does not say where %s %s lies, how large it "
				     "is and its SHA256",
				     pool_id2str(self->pool, detail->name),
				     pool_id2str(self->pool, detail->version));
	*filename = g_steal_pointer(&name);
	*sha256 = g_steal_pointer(&digest);
	*size = (gint64) value;
	return TRUE;
}

static gint
compare_candidates(gconstpointer a, gconstpointer b, gpointer user_data)
{
	CamSolver *self = user_data;
	const CamSolvableDetail *one = cam_solver_detail(self, *(const int *) a);
	const CamSolvableDetail *two = cam_solver_detail(self, *(const int *) b);

	if (one->pin != two->pin)
		return two->pin - one->pin;

	int order = cam_version_compare_deb(pool_id2str(self->pool, two->version),
					    pool_id2str(self->pool, one->version));

	return order ? order : one->repository - two->repository;
}

/* Every package of the repositories with the name and architecture of @installed. */
static GArray *
list_offered(CamSolver *self, int installed)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(int));
	Pool *pool = self->pool; /* FOR_PROVIDES wants the name */
	Solvable *old = pool_id2solvable(pool, installed);
	Id p, pp;

	cam_solver_prepare(self);
	FOR_PROVIDES(p, pp, old->name)
	{
		Solvable *solvable = pool_id2solvable(pool, p);

		if (solvable->name == old->name && solvable->repo != self->installed_repo)
			g_array_append_val(ids, p);
	}
	return ids;
}

GArray *
cam_solver_get_candidates(CamSolver *self, int installed)
{
	g_autoptr(GArray) offered = list_offered(self, installed);
	GArray *out = g_array_new(FALSE, FALSE, sizeof(int));
	const CamSolvableDetail *old = cam_solver_detail(self, installed);
	const char *have = pool_id2str(self->pool, old->version);

	g_array_sort_with_data(offered, compare_candidates, self);
	for (guint i = 0; i < offered->len; i++) {
		int id = g_array_index(offered, int, i);
		const CamSolvableDetail *detail = cam_solver_detail(self, id);
		const char *version = pool_id2str(self->pool, detail->version);

		if (detail->pin >= CAM_SOLVER_PIN_BUT_AUTOMATIC &&
		    cam_version_compare_deb(version, have) > 0)
			g_array_append_val(out, id);
	}
	return out;
}

gboolean
cam_solver_is_offered(CamSolver *self, int installed)
{
	g_autoptr(GArray) offered = list_offered(self, installed);

	return offered->len > 0;
}
