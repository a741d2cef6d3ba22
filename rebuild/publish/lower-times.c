/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directory times of a chain of layers, from their skeletons. */
#include "rebuild/publish/lower-times.h"

struct _CamLowerTimes {
	GHashTable *times; /* path → gint64 */
};

static gboolean
add_directory(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	GHashTable *times = user_data;
	gint64 *seconds;

	if (entry->type != CAM_NODE_DIRECTORY || entry->is_whiteout || entry->is_hardlink)
		return TRUE;
	seconds = g_new(gint64, 1);
	*seconds = entry->mtime / 1000000000;
	g_hash_table_replace(times, g_strdup(entry->path), seconds);
	return TRUE;
}

CamLowerTimes *
cam_lower_times_new(CamStore *store, const char *const *diff_ids, GError **error)
{
	g_autoptr(CamLowerTimes) self = g_new0(CamLowerTimes, 1);

	self->times = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; diff_ids[i] != NULL; i++) {
		if (!cam_store_foreach_layer_entry(store, diff_ids[i], add_directory, self->times,
						   error))
			return NULL;
	}
	return g_steal_pointer(&self);
}

gint64
cam_lower_times_get(const char *path, gpointer self)
{
	CamLowerTimes *times = self;
	gint64 *seconds = g_hash_table_lookup(times->times, path);

	return seconds != NULL ? MAX(*seconds, 0) : -1;
}

void
cam_lower_times_free(CamLowerTimes *self)
{
	g_hash_table_unref(self->times);
	g_free(self);
}
