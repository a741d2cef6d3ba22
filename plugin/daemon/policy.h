/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"
#include "plugin/daemon/verdict.h"

G_BEGIN_DECLS

typedef enum {
	CAM_DECISION_ALLOW,
	CAM_DECISION_WARN,
	CAM_DECISION_REFUSE,
} CamDecision;

typedef struct {
	const char *name_space;	   /* (nullable): where the container is made */
	const char *chain_id;	   /* of its image's layers */
	const GPtrArray *verdicts; /* (element-type CamVerdict): of the images with these layers */
	gboolean scanning;	   /* one of them is being scanned */
	const char *today;	   /* "2026-11-28", UTC */
} CamPolicyQuestion;

/**
 * CamPolicyAnswer:
 */
typedef struct {
	CamDecision decision;
	char *text;	   /* (nullable): why, for people: which image, level, findings and what to
			    * do. Also set where an exception allows it; otherwise NULL for what is
			    * allowed */
	char *label;	   /* (nullable): the same in a few words, for what is not */
	gboolean unjudged; /* not allowed only because something was not judged (yet) */
} CamPolicyAnswer;
void cam_policy_answer_clear(CamPolicyAnswer *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamPolicyAnswer, cam_policy_answer_clear)

/**
 * cam_policy_decide:
 * @answer: (out): filled, whatever it held before
 *
 * What the policy says about a container. It decides by its arguments alone. Images with the same
 * layers have the same content: one exception is enough, and one bad verdict.
 */
void cam_policy_decide(const CamConfig *config, const CamPolicyQuestion *question,
		       CamPolicyAnswer *answer);

G_END_DECLS
