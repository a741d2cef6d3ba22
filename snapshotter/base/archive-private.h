/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reading and writing archives share: the locale in which libarchive runs. */
#pragma once

#include <locale.h>

/* Gives this thread a UTF-8 locale until cam_archive_locale_leave() gets what this returned. */
locale_t cam_archive_locale_enter(void);
void cam_archive_locale_leave(locale_t previous);
