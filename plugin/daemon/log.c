/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the daemon's log goes, and what of it. Whoever has something to say uses GLib's log. */
#include "plugin/daemon/log.h"

#include <string.h>
#include <unistd.h>

static gint log_level = CAM_LOG_INFO;
static gboolean to_journal;

static CamLogLevel
level_for_flags(GLogLevelFlags flags)
{
	if (flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return CAM_LOG_ERROR;
	if (flags & G_LOG_LEVEL_WARNING)
		return CAM_LOG_WARNING;
	return flags & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO) ? CAM_LOG_INFO : CAM_LOG_DEBUG;
}

static const char *
find_field(const GLogField *fields, gsize n_fields, const char *key)
{
	for (gsize i = 0; i < n_fields; i++) {
		if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0)
			return fields[i].value;
	}
	return "";
}

char *
cam_log_format(gint64 time, CamLogLevel level, const char *message)
{
	g_autoptr(GDateTime) seconds = g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC);
	g_autofree char *date = g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S");
	/* It may quote keys, names and errors of others: one message is one line. */
	g_autofree char *text = cam_text_escape(message);

	return g_strdup_printf("%s.%03dZ %s: %s\n", date,
			       (int) (time % G_USEC_PER_SEC / (G_USEC_PER_SEC / 1000)),
			       cam_log_level_names[level - 1], text);
}

static GLogWriterOutput
write_log(GLogLevelFlags flags, const GLogField *fields, gsize n_fields, gpointer data)
{
	CamLogLevel level = level_for_flags(flags);
	g_autofree char *line = NULL;

	if (level > (CamLogLevel) g_atomic_int_get(&log_level))
		return G_LOG_WRITER_HANDLED;
	/* Libraries' debugging is about themselves. */
	if (level == CAM_LOG_DEBUG &&
	    strcmp(find_field(fields, n_fields, "GLIB_DOMAIN"), G_LOG_DOMAIN) != 0)
		return G_LOG_WRITER_HANDLED;
	if (to_journal &&
	    g_log_writer_journald(flags, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
		return G_LOG_WRITER_HANDLED;
	line = cam_log_format(g_get_real_time(), level, find_field(fields, n_fields, "MESSAGE"));
	return cam_write_all(STDERR_FILENO, line, strlen(line), NULL) ? G_LOG_WRITER_HANDLED
								      : G_LOG_WRITER_UNHANDLED;
}

void
cam_log_start(CamLogLevel level)
{
	cam_log_set_level(level);
	to_journal = g_log_writer_is_journald(STDERR_FILENO);
	g_log_set_writer_func(write_log, NULL, NULL);
}

void
cam_log_set_level(CamLogLevel level)
{
	g_atomic_int_set(&log_level, (gint) level);
}
