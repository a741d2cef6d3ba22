/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a case works with: a client, a folder, and names that nobody else uses. */
#pragma once

#include "tests/conformance/client.h"
#include "tests/conformance/tree.h"

G_BEGIN_DECLS

typedef struct {
	Client *client;
	const ClientOptions *options;
	char *work;	    /* a folder of its own */
	char *prefix;	    /* of all its names: the server may have others */
	GHashTable *labels; /* of all its snapshots: keeps them from containerd's collection */
	GPtrArray *names;   /* keys and names that were made */
	GPtrArray *mounted; /* paths */
} Case;

typedef struct {
	const char *name;
	void (*run)(Case *c);
} CaseEntry;

/* They end with an entry without name. */
extern const CaseEntry cases_service[], cases_trees[], cases_more[];

/* Makes the case, runs it, and asserts that what it made can be removed; skips where no server was
 * named. */
void case_run(const CaseEntry *entry, const ClientOptions *options);

/* (transfer none): the server's name for @name */
const char *case_name(Case *c, const char *name);
/* The rest of a case's functions take such names. What goes wrong ends the test. */
GPtrArray *case_prepare(Case *c, const char *key, const char *parent);
GPtrArray *case_view(Case *c, const char *key, const char *parent);
void case_commit(Case *c, const char *name, const char *key);
void case_remove(Case *c, const char *key);
CamSnapshotInfo *case_stat(Case *c, const char *key);
/* (transfer none): where it is mounted now */
const char *case_mount(Case *c, const GPtrArray *mounts);
void case_unmount(Case *c, const char *target);
/* Prepare and mount. */
const char *case_begin(Case *c, const char *key, const char *parent);

void case_assert_gone(Case *c, const char *key);
void case_assert_info(Case *c, const char *name, CamSnapshotKind kind, const char *parent);
/* In work, a new one. (transfer full) */
char *case_folder(Case *c);
void case_assert_same_tree(const char *a, const char *b);

/**
 * case_check_layers:
 * @layers: lists of changes, then NULL
 *
 * A snapshot for each of them, one upon the other, holds what a plain folder holds after the same
 * changes.
 */
void case_check_layers(Case *c, const Change *const *layers);

G_END_DECLS
