/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Brings together what a proof needs: the contents of packages, remembered or read in the
 * background, and the trees with and without a layer.
 */
#include "rebuild/publish/fix-proof.h"

#include "rebuild/proof/byte-code.h"

struct _CamFixProof {
	CamStore *store;
	const CamImage *image;
	CamRootfs *before;
	const CamFixPlan *plan;
	CamFixMemory *memory;
	const CamSandboxLimits *limits;
	CamProgress *progress;
	GCancellable *cancellable;
	GHashTable *contents;	    /* (element-type utf8 CamDebContent), by the package's digest */
	GThread *reader;	    /* (nullable): fills the two below */
	GPtrArray *digests, *paths; /* (element-type utf8): of what it reads */
	GPtrArray *read;	    /* (element-type CamDebContent) */
	GError *problem;	    /* (nullable) */
};

static void
join_reader(CamFixProof *self)
{
	if (self->reader != NULL)
		g_thread_join(g_steal_pointer(&self->reader));
}

void
cam_fix_proof_free(CamFixProof *self)
{
	if (self == NULL)
		return;
	join_reader(self);
	g_hash_table_unref(self->contents);
	g_ptr_array_unref(self->digests);
	g_ptr_array_unref(self->paths);
	for (guint i = 0; i < self->read->len; i++)
		cam_deb_content_free(self->read->pdata[i]);
	g_ptr_array_unref(self->read);
	g_clear_error(&self->problem);
	g_free(self);
}

CamFixProof *
cam_fix_proof_new(CamStore *store, const CamImage *image, CamRootfs *before, const CamFixPlan *plan,
		  CamFixMemory *memory, const CamSandboxLimits *limits, CamProgress *progress,
		  GCancellable *cancellable)
{
	CamFixProof *self = g_new0(CamFixProof, 1);

	self->store = store;
	self->image = image;
	self->before = before;
	self->plan = plan;
	self->memory = memory;
	self->limits = limits;
	self->progress = progress;
	self->cancellable = cancellable;
	self->contents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify) cam_deb_content_free);
	self->digests = g_ptr_array_new_with_free_func(g_free);
	self->paths = g_ptr_array_new_with_free_func(g_free);
	self->read = g_ptr_array_new();
	return self;
}

/* ---- what packages ship ---- */

static CamDebContent *
find_content(CamFixProof *self, const char *sha256)
{
	CamDebContent *content = g_hash_table_lookup(self->contents, sha256);

	if (content != NULL || self->memory == NULL)
		return content;
	content = cam_fix_memory_get_content(self->memory, sha256, NULL);
	if (content != NULL)
		g_hash_table_insert(self->contents, g_strdup(sha256), content);
	return content;
}

/* In a thread of its own. */
static gpointer
read_all(gpointer data)
{
	CamFixProof *self = data;

	for (guint i = 0; i < self->paths->len; i++) {
		CamDebContent *content = cam_deb_content_read(self->paths->pdata[i],
							      self->cancellable, &self->problem);

		if (content == NULL)
			break;
		g_ptr_array_add(self->read, content);
	}
	return NULL;
}

void
cam_fix_proof_read_packages(CamFixProof *self, const char *const *debs)
{
	for (guint i = 0; i < self->plan->packages->len; i++) {
		const CamPlannedPackage *package = self->plan->packages->pdata[i];

		if (find_content(self, package->sha256) != NULL)
			continue;
		g_ptr_array_add(self->digests, g_strdup(package->sha256));
		g_ptr_array_add(self->paths, g_strdup(debs[i]));
	}
	if (self->paths->len > 0)
		self->reader = g_thread_try_new("read packages", read_all, self, NULL);
	if (self->reader == NULL)
		read_all(self);
}

/* What the thread has read becomes known. */
static gboolean
take_read(CamFixProof *self, GError **error)
{
	join_reader(self);
	for (guint i = 0; i < self->read->len; i++) {
		CamDebContent *content = self->read->pdata[i];

		if (self->memory != NULL)
			cam_fix_memory_put_content(self->memory, self->digests->pdata[i], content,
						   NULL);
		g_hash_table_replace(self->contents, g_strdup(self->digests->pdata[i]), content);
	}
	g_ptr_array_set_size(self->read, 0);
	if (self->problem == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&self->problem));
	return FALSE;
}

/* (element-type CamDebContent), as the plan has its packages. */
static GPtrArray *
list_contents(CamFixProof *self, GError **error)
{
	g_autoptr(GPtrArray) contents = g_ptr_array_new();

	for (guint i = 0; i < self->plan->packages->len; i++) {
		const CamPlannedPackage *package = self->plan->packages->pdata[i];
		CamDebContent *content = find_content(self, package->sha256);

		if (content == NULL) {
			cam_set_error(error, CAM_ERROR_NOT_FOUND, "what %s %s ships is not known",
				      package->name, package->to);
			return NULL;
		}
		g_ptr_array_add(contents, content);
	}
	return g_steal_pointer(&contents);
}

/* ---- layers ---- */

static CamRootfs *
open_after(CamFixProof *self, const char *diff_id, GError **error)
{
	g_autoptr(GPtrArray) diff_ids = g_ptr_array_new();

	for (guint i = 0; self->image->diff_ids[i] != NULL; i++)
		g_ptr_array_add(diff_ids, self->image->diff_ids[i]);
	g_ptr_array_add(diff_ids, (gpointer) diff_id);
	g_ptr_array_add(diff_ids, NULL);
	return cam_store_open_rootfs(self->store, (const char *const *) diff_ids->pdata,
				     self->cancellable, error);
}

static GPtrArray *
judge(CamFixProof *self, const char *diff_id, GPtrArray *byte_code, CamRootfs **after,
      GError **error)
{
	g_autoptr(GPtrArray) contents = NULL;

	if (!take_read(self, error))
		return NULL;
	contents = list_contents(self, error);
	if (contents == NULL)
		return NULL;
	*after = open_after(self, diff_id, error);
	if (*after == NULL)
		return NULL;
	return cam_layer_prove(self->before, *after, self->plan->packages, contents, byte_code,
			       self->cancellable, error);
}

GPtrArray *
cam_fix_proof_judge(CamFixProof *self, const char *diff_id, GError **error)
{
	g_autoptr(CamRootfs) after = NULL;

	return judge(self, diff_id, NULL, &after, error);
}

gboolean
cam_fix_proof_accepts(const char *diff_id, gpointer user_data, gboolean *accepted, GError **error)
{
	CamFixProof *self = user_data;
	g_autoptr(GPtrArray) byte_code = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) doubts = NULL;
	g_autoptr(CamRootfs) after = NULL;
	g_autoptr(GError) local = NULL;

	*accepted = FALSE;
	doubts = judge(self, diff_id, byte_code, &after, &local);
	if (doubts == NULL) {
		if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (doubts->len > 0) {
		const CamLayerDoubt *first = doubts->pdata[0];
		g_autofree char *path = g_strescape(first->path, NULL);

		cam_progress_message(self->progress,
				     "a layer that was made for another image is not used: /%s: %s",
				     path, first->reason);
		return TRUE;
	}
	if (!cam_byte_code_check(self->store, self->image, self->before, after, byte_code,
				 self->limits, accepted, self->cancellable, error))
		return FALSE;
	if (!*accepted)
		cam_progress_message(self->progress,
				     "a layer that was made for another image is not used: its "
				     "compiled Python files are not what this image's Python "
				     "makes");
	return TRUE;
}
