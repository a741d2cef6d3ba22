/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	CAM_MENTION_FIX,    /* the entry fixes the CVE */
	CAM_MENTION_NEWS,   /* it only speaks of it */
	CAM_MENTION_REVERT, /* it takes an earlier fix back */
} CamMentionKind;

/**
 * CamMentionRules: how changelogs speak of CVEs, as a table of expressions. To be used by one
 * thread at a time.
 */
typedef struct _CamMentionRules CamMentionRules;

CamMentionRules *cam_mention_rules_new(void);
void cam_mention_rules_free(CamMentionRules *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamMentionRules, cam_mention_rules_free)

/**
 * cam_mention_rules_classify:
 * @item: one item of a changelog as one line of valid UTF-8, without its bullet
 * @start, @end: where in it the CVE stands
 * @parent: (nullable): the item that this one is an item of
 * @age: by how many years the entry is younger than the CVE's number
 *
 * See scanners/README.md, "Mentions".
 */
CamMentionKind cam_mention_rules_classify(CamMentionRules *self, const char *item, gsize start,
					  gsize end, const char *parent, int age);

G_END_DECLS
