/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine: from an image of the store to its inventory and its findings. It owns the memo and
 * the advisory database; what scanners want, what layers brought, what matches and what is made of
 * it stands in the files beside this one.
 */
#include "scanners/engine/scan-engine.h"

#include "scanners/engine/judgement.h"
#include "scanners/engine/layer-origin.h"
#include "scanners/engine/memo.h"
#include "scanners/engine/scanner-table.h"
#include "scanners/engine/tree-walk.h"

struct _CamScanEngine {
	GObject parent_instance;

	CamStore *store;
	CamMemo *memo;
	CamAdvisoryDb *advisories;
	char *generation; /* of the scanners and limits */
	CamScanLimits limits;
	guint64 trees_visited, trees_remembered;
};

G_DEFINE_FINAL_TYPE(CamScanEngine, cam_scan_engine, G_TYPE_OBJECT)

static void
cam_scan_engine_finalize(GObject *object)
{
	CamScanEngine *self = CAM_SCAN_ENGINE(object);

	g_clear_pointer(&self->memo, cam_memo_free);
	g_clear_object(&self->advisories);
	g_clear_object(&self->store);
	g_free(self->generation);
	G_OBJECT_CLASS(cam_scan_engine_parent_class)->finalize(object);
}

static void
cam_scan_engine_class_init(CamScanEngineClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_scan_engine_finalize;
}

static void
cam_scan_engine_init(CamScanEngine *self)
{
	self->limits = (CamScanLimits) CAM_SCAN_LIMITS_DEFAULT;
}

/* What was beyond another limit is read again. */
static void
set_generation(CamScanEngine *self)
{
	static const CamMemoKind kinds[] = { CAM_MEMO_WALK, CAM_MEMO_FRAGMENT, CAM_MEMO_INVENTORY };
	g_autofree char *scanners = cam_scanners_generation(cam_scanners);

	g_free(self->generation);
	self->generation =
		g_strdup_printf("%s; %" G_GUINT64_FORMAT " packages, %" G_GUINT64_FORMAT " bytes",
				scanners, self->limits.packages, self->limits.database_size);
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		cam_memo_set_generation(self->memo, kinds[i], self->generation);
}

void
cam_scan_engine_set_limits(CamScanEngine *self, const CamScanLimits *limits)
{
	g_return_if_fail(CAM_IS_SCAN_ENGINE(self));

	if (limits->packages != 0)
		self->limits.packages = limits->packages;
	if (limits->database_size != 0)
		self->limits.database_size = limits->database_size;
	if (limits->findings != 0)
		self->limits.findings = limits->findings;
	set_generation(self);
}

CamScanEngine *
cam_scan_engine_new(CamStore *store, GError **error)
{
	g_autoptr(CamScanEngine) self = g_object_new(CAM_TYPE_SCAN_ENGINE, NULL);
	g_autofree char *memo_path = g_build_filename(cam_store_get_path(store), "memo.db", NULL);
	g_autofree char *advisories_path =
		g_build_filename(cam_store_get_path(store), "advisories.db", NULL);

	self->store = g_object_ref(store);
	self->advisories = cam_advisory_db_open(advisories_path, error);
	if (self->advisories == NULL)
		return NULL;
	self->memo = cam_memo_open(memo_path);
	set_generation(self);
	return g_steal_pointer(&self);
}

CamAdvisoryDb *
cam_scan_engine_get_advisories(CamScanEngine *self)
{
	return self->advisories;
}

/* ---- inventory ---- */

static CamInventory *
scan_tree(CamScanEngine *self, CamRootfs *rootfs, GCancellable *cancellable, GError **error)
{
	CamTreeWalk walk = {
		.scanners = cam_scanners,
		.generation = self->generation,
		.memo = self->memo,
		.limits = self->limits,
	};
	CamInventory *inventory = cam_tree_walk_scan(&walk, rootfs, cancellable, error);

	self->trees_visited += walk.trees_visited;
	self->trees_remembered += walk.trees_remembered;
	return inventory;
}

static gboolean
name_layers(CamScanEngine *self, CamInventory *inventory, const CamImage *image,
	    GCancellable *cancellable, GError **error)
{
	g_autoptr(CamLayerOrigin) origin = cam_layer_origin_new(inventory);
	gboolean more = TRUE;

	for (int i = (int) g_strv_length(image->diff_ids) - 1; i >= 0 && more; i--) {
		const char *diff_id = image->diff_ids[i];
		g_autoptr(CamRootfs) tree = cam_store_open_layer_tree(self->store, diff_id, error);
		g_autoptr(CamInventory) layer = NULL;

		if (tree == NULL)
			return FALSE;
		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		layer = scan_tree(self, tree, cancellable, error);
		if (layer == NULL)
			return cam_error_translate(error, "layer %s", diff_id);
		more = cam_layer_origin_add(origin, i, layer);
	}
	return TRUE;
}

static CamInventory *
make_inventory(CamScanEngine *self, const CamImage *image, GCancellable *cancellable,
	       GError **error)
{
	g_autoptr(CamRootfs) rootfs = NULL;
	g_autoptr(CamInventory) inventory = NULL;

	if (image->diff_ids[0] == NULL) /* no layer, no tree */
		return cam_inventory_new();
	rootfs = cam_store_open_rootfs(self->store, (const char *const *) image->diff_ids,
				       cancellable, error);
	if (rootfs == NULL)
		return NULL;
	inventory = scan_tree(self, rootfs, cancellable, error);
	if (inventory == NULL || !name_layers(self, inventory, image, cancellable, error))
		return NULL;
	return g_steal_pointer(&inventory);
}

CamInventory *
cam_scan_engine_get_inventory(CamScanEngine *self, const CamImage *image, GCancellable *cancellable,
			      GError **error)
{
	g_autoptr(CamInventory) inventory = NULL;
	g_autoptr(GBytes) bytes = NULL;
	CamSha256 key;

	cam_memo_key(&key, "inventory", self->generation, G_STRINGIFY(CAM_TREE_RULE),
		     image->chain_id, NULL);
	bytes = cam_memo_get(self->memo, CAM_MEMO_INVENTORY, &key);
	if (bytes != NULL)
		inventory = cam_inventory_from_bytes(bytes);
	if (inventory != NULL && inventory->os != NULL) {
		self->trees_remembered++;
		return g_steal_pointer(&inventory);
	}

	g_clear_pointer(&inventory, cam_inventory_free);
	inventory = make_inventory(self, image, cancellable, error);
	if (inventory == NULL) {
		cam_error_translate(error, "cannot scan %s", image->name);
		return NULL;
	}
	if (inventory->os == NULL)
		inventory->os = cam_os_release_parse("", 0);
	g_clear_pointer(&bytes, g_bytes_unref);
	bytes = cam_inventory_to_bytes(inventory);
	cam_memo_put(self->memo, CAM_MEMO_INVENTORY, &key, bytes);
	cam_memo_flush(self->memo);
	return g_steal_pointer(&inventory);
}

/* ---- scan ---- */

static void
describe_image(CamScanResult *result, const CamImage *image)
{
	result->reference = g_strdup(image->name);
	result->digest = g_strdup(image->manifest->digest);
	result->platform = cam_platform_to_string(image->config->platform);
	for (guint i = 0; image->diff_ids[i] != NULL; i++) {
		CamLayerLabel *label = g_new0(CamLayerLabel, 1);

		label->diff_id = g_strdup(image->diff_ids[i]);
		label->created_by = g_strdup(cam_image_config_layer_created_by(image->config, i));
		g_ptr_array_add(result->layers, label);
	}
}

/* The sources that the result names are those that judged it: one state of the advisories. */
static gboolean
match(CamScanEngine *self, CamScanResult *result, const CamScanOptions *options,
      GCancellable *cancellable, GError **error)
{
	GPtrArray *databases = cam_advisory_db_list_sources(self->advisories, error);

	if (databases == NULL)
		return FALSE;
	g_ptr_array_unref(result->databases);
	result->databases = databases;
	return cam_judge(result, self->memo, self->advisories, self->limits.findings, options,
			 cancellable, error);
}

CamScanResult *
cam_scan_engine_scan(CamScanEngine *self, const CamImage *image, const CamScanOptions *options,
		     CamProgress *progress, GCancellable *cancellable, GError **error)
{
	static const CamScanOptions defaults = { 0 };
	g_autoptr(CamScanResult) result = cam_scan_result_new();
	g_autoptr(CamInventory) inventory = NULL;
	gboolean done;
	guint phase;

	self->trees_visited = self->trees_remembered = 0;
	describe_image(result, image);
	phase = cam_progress_begin(progress, "reading package databases", 0, CAM_PROGRESS_ITEMS);
	inventory = cam_scan_engine_get_inventory(self, image, cancellable, error);
	cam_progress_end(progress, phase);
	if (inventory == NULL)
		return NULL;
	result->os = g_steal_pointer(&inventory->os);
	g_ptr_array_extend_and_steal(result->packages, g_steal_pointer(&inventory->packages));
	inventory->packages = g_ptr_array_new();
	g_ptr_array_extend_and_steal(result->problems, g_steal_pointer(&inventory->problems));
	inventory->problems = g_ptr_array_new();
	result->trees_visited = self->trees_visited;
	result->trees_remembered = self->trees_remembered;

	if (!cam_advisory_db_begin_read(self->advisories, error))
		return NULL;
	phase = cam_progress_begin(progress, "matching advisories", 0, CAM_PROGRESS_ITEMS);
	done = match(self, result, options != NULL ? options : &defaults, cancellable, error);
	cam_progress_end(progress, phase);
	cam_advisory_db_end_read(self->advisories);
	if (!done)
		return NULL;
	cam_memo_flush(self->memo);
	return g_steal_pointer(&result);
}
