/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/command.h"

G_BEGIN_DECLS

/* What `cambium --help` says. */
char *cam_help_overview(void);

/* What `cambium help COMMAND` says. */
char *cam_help_for_command(const CamCommand *command);

/* What an option looks like in help and man page: "-s, --store DIR". */
char *cam_option_to_string(const CamOption *option);

/* The help of an option, with the choices that it has. */
char *cam_option_help(const CamOption *option);

/* "TITLE:", and a line or more for each option; nothing where there is none (nullable). */
void cam_help_append_options(GString *out, const char *title, const CamOption *options);

/* @text filled to @width columns, each line after @indent blanks; paragraphs stay apart. */
char *cam_text_fill(const char *text, guint indent, guint width);

G_END_DECLS
