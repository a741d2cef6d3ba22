/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Text out of images and feeds may be no UTF-8, which JSON must be: such bytes become U+FFFD. */

/* NULL becomes null. */
void cam_json_set_text(JsonObject *object, const char *member, const char *text);
/* An array; NULL becomes an empty one. */
void cam_json_set_texts(JsonObject *object, const char *member, char **texts);

G_END_DECLS
