/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The set of changes that becomes a layer: which members the tar has, with which metadata. How one
 * header looks is the store's; where changes come from (an overlay's upper directory, unpacked
 * packages) is the package managers'.
 */
#include "rebuild/layer/layer-writer.h"

#include <string.h>

#include "rebuild/layer/layer-change.h"

#define COPY_BUFFER_SIZE (128 * 1024)
#define NSEC_PER_SEC	 G_GINT64_CONSTANT(1000000000)

typedef struct {
	gpointer data;
	GDestroyNotify destroy;
} Kept;

struct _CamLayerTar {
	CamRootfs *lower;
	CamMtimeFunc lower_mtime;
	gpointer user_data;
	gint64 epoch;
	GHashTable *changes; /* path → CamLayerChange */
	GArray *kept;	     /* Kept */
	GError *error;	     /* (nullable): the first thing that no layer can say */
};

static void
kept_clear(gpointer data)
{
	Kept *self = data;

	self->destroy(self->data);
}

CamLayerTar *
cam_layer_tar_new(CamRootfs *lower, CamMtimeFunc lower_mtime, gpointer user_data, gint64 epoch)
{
	CamLayerTar *self = g_new0(CamLayerTar, 1);

	self->lower = g_object_ref(lower);
	self->lower_mtime = lower_mtime;
	self->user_data = user_data;
	self->epoch = MAX(epoch, 0);
	self->changes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					      (GDestroyNotify) cam_layer_change_free);
	self->kept = g_array_new(FALSE, FALSE, sizeof(Kept));
	g_array_set_clear_func(self->kept, kept_clear);
	return self;
}

void
cam_layer_tar_free(CamLayerTar *self)
{
	g_hash_table_unref(self->changes);
	g_array_unref(self->kept);
	g_object_unref(self->lower);
	g_clear_error(&self->error);
	g_free(self);
}

void
cam_layer_tar_keep(CamLayerTar *self, gpointer data, GDestroyNotify destroy)
{
	Kept kept = { .data = data, .destroy = destroy };

	g_array_append_val(self->kept, kept);
}

CamRootfs *
cam_layer_tar_get_lower(CamLayerTar *self)
{
	return self->lower;
}

/* ---- collecting ---- */

/* (nullable): the path in its one spelling; the first that has none is remembered. */
static char *
clean_path(CamLayerTar *self, const char *path)
{
	g_autoptr(GError) error = NULL;
	char *clean = cam_layer_path_clean(path, &error);

	if (clean == NULL && self->error == NULL)
		self->error = g_steal_pointer(&error);
	return clean;
}

static void
put_change(CamLayerTar *self, CamLayerChange *change)
{
	g_hash_table_replace(self->changes, change->path, change);
}

void
cam_layer_tar_add(CamLayerTar *self, const char *path, const CamStat *stat, gint64 mtime,
		  CamOpenFunc open, gpointer user_data)
{
	g_autofree char *clean = clean_path(self, path);
	CamLayerChange *change;

	if (clean == NULL)
		return;
	change = cam_layer_change_new(CAM_LAYER_ENTRY, clean);
	cam_layer_change_set_stat(change, stat);
	change->mtime = CLAMP(mtime, 0, self->epoch);
	change->open = open;
	change->user_data = user_data;
	put_change(self, change);
}

void
cam_layer_tar_add_hardlink(CamLayerTar *self, const char *path, const char *target)
{
	g_autofree char *clean = clean_path(self, path);
	g_autofree char *clean_target = clean_path(self, target);
	CamLayerChange *change;

	if (clean == NULL || clean_target == NULL)
		return;
	change = cam_layer_change_new(CAM_LAYER_HARDLINK, clean);
	change->target = g_steal_pointer(&clean_target);
	put_change(self, change);
}

void
cam_layer_tar_add_whiteout(CamLayerTar *self, const char *path)
{
	g_autofree char *clean = clean_path(self, path);

	if (clean == NULL || g_hash_table_contains(self->changes, clean))
		return;
	if (*clean == '\0' && self->error == NULL)
		cam_set_error(&self->error, CAM_ERROR_INVALID_ARGUMENT,
			      "a layer cannot remove the root directory");
	put_change(self, cam_layer_change_new(CAM_LAYER_WHITEOUT, clean));
}

gboolean
cam_layer_tar_is_empty(CamLayerTar *self)
{
	return g_hash_table_size(self->changes) == 0;
}

/* ---- what the lower tree says ---- */

/* *@found: whether the lower tree itself has @path, not by way of a symbolic link. */
static gboolean
lookup_lower(CamLayerTar *self, const char *path, gboolean *found, CamEntry *entry, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree char *real = NULL;

	*found = FALSE;
	if (!cam_rootfs_lookup(self->lower, path, FALSE, &real, entry, &local)) {
		if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*found = g_str_equal(real, path);
	return TRUE;
}

/* A directory above something that changes, as the lower tree has it. */
static CamLayerChange *
parent_new(CamLayerTar *self, const char *path, GError **error)
{
	CamLayerChange *parent;
	CamEntry entry;
	gboolean found;
	gint64 mtime = -1;
	g_auto(CamStat) stat = { .type = CAM_NODE_DIRECTORY, .mode = 0755 };

	if (!lookup_lower(self, path, &found, &entry, error))
		return NULL;
	if (found && !cam_rootfs_stat(self->lower, &entry, &stat, error))
		return NULL;
	if (found && !entry.is_directory) {
		g_autofree char *shown = g_strescape(path, NULL);

		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "a layer cannot change what is below \"%s\", which is no directory",
			      shown);
		return NULL;
	}
	if (found && self->lower_mtime != NULL)
		mtime = self->lower_mtime(path, self->user_data);
	parent = cam_layer_change_new(CAM_LAYER_PARENT, path);
	cam_layer_change_set_stat(parent, &stat);
	parent->mtime = mtime < 0 ? self->epoch : MIN(mtime, self->epoch);
	return parent;
}

/* ---- from changes to members ---- */

/*
 * What is written: the changes that matter, and the parents that nobody added. Parents are made
 * once and owned here; they are members as soon as something below them is.
 */
typedef struct {
	CamLayerTar *tar;
	GHashTable *parents; /* path → CamLayerChange */
	GPtrArray *members;  /* CamLayerChange, not owned */
	GHashTable *written; /* CamLayerChange of content → path of its first name */
} Members;

static void
members_clear(Members *self)
{
	g_clear_pointer(&self->parents, g_hash_table_unref);
	g_clear_pointer(&self->members, g_ptr_array_unref);
	g_clear_pointer(&self->written, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Members, members_clear)

/* Finds or makes all directories above @change. *@covered: one of them is removed or replaced by
 * this layer, so that a whiteout below it says nothing new. */
static gboolean
find_parents(Members *self, const CamLayerChange *change, GPtrArray *parents, gboolean *covered,
	     GError **error)
{
	*covered = FALSE;
	for (const char *slash = strchr(change->path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *path = g_strndup(change->path, (gsize) (slash - change->path));
		CamLayerChange *parent = g_hash_table_lookup(self->tar->changes, path);

		if (parent == NULL)
			parent = g_hash_table_lookup(self->parents, path);
		if (parent == NULL) {
			parent = parent_new(self->tar, path, error);
			if (parent == NULL)
				return FALSE;
			g_hash_table_insert(self->parents, parent->path, parent);
		}
		if (!cam_layer_change_is_directory(parent)) {
			*covered = TRUE;
			return TRUE;
		}
		if (parent->kind == CAM_LAYER_PARENT)
			g_ptr_array_add(parents, parent);
	}
	return TRUE;
}

static gboolean
add_member(Members *self, CamLayerChange *change, GHashTable *known, GError **error)
{
	g_autoptr(GPtrArray) parents = g_ptr_array_new();
	gboolean covered, found = TRUE;
	CamEntry entry;

	if (!find_parents(self, change, parents, &covered, error))
		return FALSE;
	if (change->kind == CAM_LAYER_WHITEOUT) {
		if (covered)
			return TRUE;
		if (!lookup_lower(self->tar, change->path, &found, &entry, error))
			return FALSE;
	} else if (covered) {
		g_autofree char *shown = g_strescape(change->path, NULL);

		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"the layer has \"%s\" and also replaces or removes what is above it",
			shown);
	}
	if (!found)
		return TRUE;
	g_ptr_array_add(parents, change);
	for (guint i = 0; i < parents->len; i++) {
		if (g_hash_table_add(known, parents->pdata[i]))
			g_ptr_array_add(self->members, parents->pdata[i]);
	}
	return TRUE;
}

static gboolean
collect_members(Members *self, CamLayerTar *tar, GError **error)
{
	g_autoptr(GPtrArray) changes = g_ptr_array_new();
	g_autoptr(GHashTable) known = g_hash_table_new(NULL, NULL);
	GHashTableIter iter;
	gpointer change;

	self->tar = tar;
	self->parents = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					      (GDestroyNotify) cam_layer_change_free);
	self->members = g_ptr_array_new();
	self->written = g_hash_table_new(NULL, NULL);
	g_hash_table_iter_init(&iter, tar->changes);
	while (g_hash_table_iter_next(&iter, NULL, &change))
		g_ptr_array_add(changes, change);
	/* Sorted already here so that of several errors always the same is reported. */
	g_ptr_array_sort(changes, cam_layer_change_compare);
	for (guint i = 0; i < changes->len; i++) {
		if (!add_member(self, changes->pdata[i], known, error))
			return FALSE;
	}
	g_ptr_array_sort(self->members, cam_layer_change_compare);
	return TRUE;
}

/* The change that has the content which @link names, through any number of links. */
static const CamLayerChange *
resolve_hardlink(CamLayerTar *self, const CamLayerChange *link, GError **error)
{
	const CamLayerChange *change = link;
	guint left = g_hash_table_size(self->changes);
	g_autofree char *shown = NULL;

	while (change != NULL && change->kind == CAM_LAYER_HARDLINK && left-- > 0)
		change = g_hash_table_lookup(self->changes, change->target);
	if (change != NULL && change->kind == CAM_LAYER_ENTRY &&
	    !cam_layer_change_is_directory(change))
		return change;
	shown = g_strescape(link->path, NULL);
	cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
		      "the hard link \"%s\" leads to nothing that the layer has", shown);
	return NULL;
}

/* ---- writing ---- */

static gboolean
write_bytes(GOutputStream *out, gconstpointer data, gsize size, GCancellable *cancellable,
	    GError **error)
{
	if (!g_output_stream_write_all(out, data, size, NULL, cancellable, error))
		return cam_error_translate(error, "cannot write the layer");
	return TRUE;
}

/* Exactly as many bytes as the header said, else the rest of the tar would be nonsense. */
static gboolean
copy_content(const CamLayerChange *content, GInputStream *in, GOutputStream *out,
	     GCancellable *cancellable, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(COPY_BUFFER_SIZE);
	guint64 left = content->stat.size;
	gssize n;

	do {
		n = g_input_stream_read(in, buffer, COPY_BUFFER_SIZE, cancellable, error);
		if (n < 0)
			return cam_error_translate(error, "cannot read %s", content->path);
		if ((guint64) n > left || (n == 0 && left > 0))
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "%s changed its size while it was read",
					     content->path);
		if (!write_bytes(out, buffer, (gsize) n, cancellable, error))
			return FALSE;
		left -= (guint64) n;
	} while (n > 0);
	return TRUE;
}

static gboolean
write_content(const CamLayerChange *content, GOutputStream *out, GCancellable *cancellable,
	      GError **error)
{
	static const guint8 zeros[CAM_TAR_BLOCK_SIZE];
	g_autoptr(GInputStream) in = NULL;

	if (content->stat.type != CAM_NODE_REGULAR || content->stat.size == 0)
		return TRUE;
	if (content->open == NULL)
		return cam_set_error(error, CAM_ERROR_INTERNAL, "nobody gave the content of %s",
				     content->path);
	in = content->open(content->path, content->user_data, error);
	if (in == NULL)
		return FALSE;
	return copy_content(content, in, out, cancellable, error) &&
	       write_bytes(out, zeros, cam_tar_padding(content->stat.size), cancellable, error);
}

static gboolean
write_whiteout(const CamLayerChange *change, GOutputStream *out, GCancellable *cancellable,
	       GError **error)
{
	static const CamStat empty = { .type = CAM_NODE_REGULAR };
	const char *slash = strrchr(change->path, '/');
	gsize parent = slash != NULL ? (gsize) (slash - change->path) + 1 : 0;
	g_autofree char *path = g_strdup_printf("%.*s" CAM_WHITEOUT_PREFIX "%s", (int) parent,
						change->path, change->path + parent);
	CamTarMember member = { .path = path, .stat = &empty };
	g_autoptr(GByteArray) header = g_byte_array_new();

	return cam_tar_append_header(header, &member, error) &&
	       write_bytes(out, header->data, header->len, cancellable, error);
}

static gboolean
write_member(Members *self, const CamLayerChange *change, GOutputStream *out,
	     GCancellable *cancellable, GError **error)
{
	g_autoptr(GByteArray) header = g_byte_array_new();
	const CamLayerChange *content = change;
	CamTarMember member = { .path = *change->path != '\0' ? change->path : "." };

	if (change->kind == CAM_LAYER_WHITEOUT)
		return write_whiteout(change, out, cancellable, error);
	if (change->kind == CAM_LAYER_HARDLINK)
		content = resolve_hardlink(self->tar, change, error);
	if (content == NULL)
		return FALSE;
	member.stat = &content->stat;
	member.xattrs = content->xattrs;
	member.mtime = content->mtime * NSEC_PER_SEC;
	/* Links to anything but regular files are not portable: those are written once more. */
	if (content->stat.type == CAM_NODE_REGULAR)
		member.hardlink = g_hash_table_lookup(self->written, content);
	if (member.hardlink == NULL)
		g_hash_table_insert(self->written, (gpointer) content, change->path);
	return cam_tar_append_header(header, &member, error) &&
	       write_bytes(out, header->data, header->len, cancellable, error) &&
	       (member.hardlink != NULL || write_content(content, out, cancellable, error));
}

gboolean
cam_layer_tar_write(CamLayerTar *self, GOutputStream *out, GCancellable *cancellable,
		    GError **error)
{
	static const guint8 end[2 * CAM_TAR_BLOCK_SIZE];
	g_auto(Members) members = { 0 };

	if (self->error != NULL) {
		g_propagate_error(error, g_error_copy(self->error));
		return FALSE;
	}
	if (!collect_members(&members, self, error))
		return FALSE;
	for (guint i = 0; i < members.members->len; i++) {
		if (!write_member(&members, members.members->pdata[i], out, cancellable, error))
			return FALSE;
	}
	if (!write_bytes(out, end, sizeof(end), cancellable, error))
		return FALSE;
	if (!g_output_stream_flush(out, cancellable, error))
		return cam_error_translate(error, "cannot write the layer");
	return TRUE;
}
