/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd's image records. What they stand for is containerd-content.c's. */
#include "plugin/containerd/containerd-images.h"

#include <string.h>

#include "plugin/containerd/containerd-private.h"
#include "proto/images.pb-c.h"

#define MAX_SUGGESTIONS 3

void
cam_containerd_image_free(CamContainerdImage *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	cam_descriptor_free(self->target);
	g_hash_table_unref(self->labels);
	g_free(self);
}

static CamContainerdImage *
image_from_wire(const Cam__Images__Image *wire, GError **error)
{
	CamContainerdImage *self;
	CamDescriptor *target = wire != NULL ? cam_wire_descriptor_get(wire->target, error) : NULL;

	if (wire == NULL)
		cam_set_error(error, CAM_ERROR_INTERNAL, "containerd answered without an image");
	if (target == NULL)
		return NULL;
	self = g_new0(CamContainerdImage, 1);
	self->name = g_strdup(wire->name);
	self->target = target;
	self->labels = cam_wire_table_from_entries(wire->n_labels, wire->labels);
	self->created = cam_wire_timestamp_get(wire->created_at);
	self->updated = cam_wire_timestamp_get(wire->updated_at);
	return self;
}

static int
compare_images(gconstpointer a, gconstpointer b)
{
	return strcmp((*(CamContainerdImage *const *) a)->name,
		      (*(CamContainerdImage *const *) b)->name);
}

GPtrArray *
cam_containerd_list_images(CamContainerd *self, const char *name_space, GCancellable *cancellable,
			   GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Images__ListImagesRequest request = CAM__IMAGES__LIST_IMAGES_REQUEST__INIT;
	Cam__Images__ListImagesResponse *answer =
		cam_containerd_call(self, &cam__images__images__descriptor, "List", &request,
				    &scope, cancellable, error);
	GPtrArray *images;

	if (answer == NULL)
		return NULL;
	images = g_ptr_array_new_with_free_func((GDestroyNotify) cam_containerd_image_free);
	for (gsize i = 0; i < answer->n_images; i++) {
		CamContainerdImage *image = image_from_wire(answer->images[i], NULL);

		if (image != NULL)
			g_ptr_array_add(images, image);
	}
	g_ptr_array_sort(images, compare_images);
	cam_wire_free(answer);
	return images;
}

CamContainerdImage *
cam_containerd_get_image(CamContainerd *self, const char *name_space, const char *name,
			 GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Images__GetImageRequest request = CAM__IMAGES__GET_IMAGE_REQUEST__INIT;
	Cam__Images__ImageResponse *answer;
	CamContainerdImage *image;

	request.name = (char *) name;
	answer = cam_containerd_call(self, &cam__images__images__descriptor, "Get", &request,
				     &scope, cancellable, error);
	if (answer == NULL)
		return NULL;
	image = image_from_wire(answer->image, error);
	cam_wire_free(answer);
	return image;
}

/* ---- writing ---- */

/* @image is filled with what belongs to others; the labels are @entries' and the target the
 * caller's to free. */
static void
fill_image(Cam__Images__Image *image, const char *name, const CamDescriptor *target,
	   const CamContainerdLabels *entries)
{
	image->name = (char *) name;
	image->target = cam_wire_descriptor_new(target);
	image->n_labels = entries->n;
	image->labels = entries->entries;
}

gboolean
cam_containerd_create_image(CamContainerd *self, const char *name_space, const char *lease,
			    const char *name, const CamDescriptor *target, GHashTable *labels,
			    GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { name_space, lease };
	g_auto(CamContainerdLabels) entries = cam_containerd_labels(labels);
	Cam__Images__Image image = CAM__IMAGES__IMAGE__INIT;
	Cam__Images__CreateImageRequest request = CAM__IMAGES__CREATE_IMAGE_REQUEST__INIT;
	gpointer answer;

	fill_image(&image, name, target, &entries);
	request.image = &image;
	answer = cam_containerd_call(self, &cam__images__images__descriptor, "Create", &request,
				     &scope, cancellable, error);
	cam_wire_free(image.target);
	cam_wire_free(answer);
	return answer != NULL;
}

gboolean
cam_containerd_update_image(CamContainerd *self, const char *name_space, const char *lease,
			    const char *name, const CamDescriptor *target, GHashTable *labels,
			    GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { name_space, lease };
	g_auto(CamContainerdLabels) entries = cam_containerd_labels(labels);
	g_autoptr(GHashTable) none = g_hash_table_new(NULL, NULL);
	g_auto(GStrv) paths = cam_containerd_label_paths(labels != NULL ? labels : none, "target");
	Cam__Images__Image image = CAM__IMAGES__IMAGE__INIT;
	Cam__Images__UpdateImageRequest request = CAM__IMAGES__UPDATE_IMAGE_REQUEST__INIT;
	Cam__Google__FieldMask mask = CAM__GOOGLE__FIELD_MASK__INIT;
	gpointer answer;

	fill_image(&image, name, target, &entries);
	mask.paths = paths;
	mask.n_paths = g_strv_length(paths);
	request.image = &image;
	request.update_mask = &mask;
	answer = cam_containerd_call(self, &cam__images__images__descriptor, "Update", &request,
				     &scope, cancellable, error);
	cam_wire_free(image.target);
	cam_wire_free(answer);
	return answer != NULL;
}

gboolean
cam_containerd_delete_image(CamContainerd *self, const char *name_space, const char *name,
			    gboolean sync, GCancellable *cancellable, GError **error)
{
	CamContainerdScope scope = { .name_space = name_space };
	Cam__Images__DeleteImageRequest request = CAM__IMAGES__DELETE_IMAGE_REQUEST__INIT;
	gpointer answer;

	request.name = (char *) name;
	request.sync = sync;
	answer = cam_containerd_call(self, &cam__images__images__descriptor, "Delete", &request,
				     &scope, cancellable, error);
	cam_wire_free(answer);
	return answer != NULL;
}

/* ---- what was probably meant ---- */

/* The last component, for "shop" of "registry.example.org/team/shop:1.0". */
static const char *
last_component(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

/* People leave out hosts and mistype tags: what counts is the last name of the repository. */
static gboolean
is_near(const char *name, const char *wanted)
{
	const char *a = last_component(name), *b = last_component(wanted);
	gsize stem = strcspn(b, ":@");

	return stem > 0 && strcspn(a, ":@") == stem && g_ascii_strncasecmp(a, b, stem) == 0;
}

static char *
suggest(GPtrArray *images, const char *wanted)
{
	g_autoptr(GString) near = g_string_new(NULL);
	g_autoptr(GString) first = g_string_new(NULL);
	guint n = 0;

	for (guint i = 0; i < images->len; i++) {
		const CamContainerdImage *image = g_ptr_array_index(images, i);

		if (i < MAX_SUGGESTIONS)
			g_string_append_printf(first, "%s%s", i > 0 ? ", " : "", image->name);
		if (n < MAX_SUGGESTIONS && is_near(image->name, wanted))
			g_string_append_printf(near, "%s%s", n++ > 0 ? ", " : "", image->name);
	}
	if (n > 0)
		return g_strdup_printf("; did you mean %s?", near->str);
	if (images->len == 0)
		return g_strdup("; it has no images at all");
	return g_strdup_printf("; it has %s%s", first->str,
			       images->len > MAX_SUGGESTIONS ? ", …" : "");
}

gboolean
cam_containerd_explain_missing_image(CamContainerd *self, const char *name_space, const char *name,
				     GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) images = NULL;
	g_autofree char *hint = NULL;

	if (error == NULL || !g_error_matches(*error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return FALSE;
	g_clear_error(error);
	if (!cam_containerd_check_namespace(self, name_space, cancellable, error))
		return FALSE;
	images = cam_containerd_list_images(self, name_space, cancellable, error);
	if (images == NULL)
		return FALSE;
	hint = suggest(images, name);
	return cam_set_error(error, CAM_ERROR_NOT_FOUND,
			     "containerd's namespace %s has no image %s%s", name_space, name, hint);
}
