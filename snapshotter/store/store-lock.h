/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * CamStoreLock:
 *
 * The file that operations on a store share and that a sweep has for itself, in all processes. A
 * sweep that waits goes before holds that are taken later: those wait for it, at most
 * %CAM_LOCK_GATE_MAX, or a sweep could wait for ever where holds overlap. A thread that has a hold
 * gets another at once. Thread-safe.
 */
typedef struct _CamStoreLock CamStoreLock;

#define CAM_LOCK_GATE_MAX (10 * G_TIME_SPAN_SECOND)

/* @dirfd: the store's directory, kept by the caller; @path names it in messages. Of a store that
 * cannot be written to, shared locks alone can be had. */
CamStoreLock *cam_store_lock_new(int dirfd, const char *path, gboolean read_only);
void cam_store_lock_free(CamStoreLock *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamStoreLock, cam_store_lock_free)

/* A descriptor that has the lock until it is closed; -1 on error. */
int cam_store_lock_share(CamStoreLock *self, GCancellable *cancellable, GError **error);
int cam_store_lock_exclude(CamStoreLock *self, GCancellable *cancellable, GError **error);

/* Counts the holds of threads: @thread has one more, or one less. */
void cam_store_lock_count(CamStoreLock *self, GThread *thread, int change);

G_END_DECLS
