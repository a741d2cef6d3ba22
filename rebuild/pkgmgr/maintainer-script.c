/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the judgement of which maintainer scripts may be left out. It never runs or interprets a
 * script: a line is known or the package is not grafted.
 */
#include "rebuild/pkgmgr/maintainer-script.h"

#include <string.h>

#include "scanners/scanners.h"

/*
 * Scripts that were read, by their shape: what they do for an upgrade is to look at the running
 * system or to restart services; the rest is for a first installation.
 */
static const struct {
	const char *package, *name, *shape;
} known[] = {
	/* checks the running kernel and LD_LIBRARY_PATH */
	{ "libc6", "preinst", "bb2fb6b3b1b34a640f52ddc0641184fb5dcf0c9a18f15cc879c6799a062c0dd1" },
	/* restarts services */
	{ "libc6", "postinst", "b2d363210aa31e017c7404de10ddfcfa0ddff775b2be4e28f2663ae2253a3989" },
	/* asks debconf for the time zone that the image has */
	{ "tzdata", "postinst",
	  "55835943be0a5e6c7eb9a8dd65a55431fa9d986bbe473c26a7c44f3067cb3a8d" },
	/* makes /usr/lib/ssl where it is missing; the package ships it */
	{ "openssl", "postinst",
	  "ed3998613dbbdb20fc66244110a810a8d9ab8c53131224f2ce61355b7bbc168e" },
	/* makes /etc/hosts at a first installation */
	{ "netbase", "postinst",
	  "04a9aa38aed2a37503c02fdf76e77bd81f8d663b9e123dc3594cd226698ecd2c" },
	/* prints a comment */
	{ "libpython3.11-minimal", "postinst",
	  "2a1b38e506cbfb0373232baddb2f446b4d37a142ca87f0a7882cc8f18b234d4a" },
};

/* One expression a line; whatever is made of such lines alone has no effect. */
static const char *const idle_lines[] = {
	"#! ?/bin/(sh|bash|dash)( -e)?",
	"set -eu?",
	"exit 0",
	"return 0",
	":",
	"true",
	/* control flow */
	"if \\[ \"?\\$1\"? = \"?'?(configure|triggered|install|upgrade|abort-[a-z]+)'?\"? \\]"
	"( \\|\\| \\[ \"?\\$1\"? = \"?'?[a-z-]+'?\"? \\])* ?; ?then",
	"if command -v (ldconfig|py3compile|pypy3compile|update-mime) >/dev/null 2>&1; then",
	"if which (py3compile|pypy3compile) >/dev/null 2>&1; then",
	"else",
	"fi",
	"case \"?\\$1\"? in",
	"esac",
	"\\(?[a-z*|-]+\\)( ?;;)?",
	";;",
	/* caches that are made anew or not missed */
	"ldconfig( \\|\\| true)?",
	"(pypy3|py3)compile -p [a-z0-9.+-]+(:[a-z0-9]+)?( -V [0-9.-]+| [a-z0-9/._-]+)*( \\|\\| "
	"true)?",
};

/* ---- lines ---- */

/* Lines without blanks at either end, comments and empty ones. */
static char **
significant_lines(const char *text, gsize size)
{
	g_autofree char *copy = g_strndup(text, size);
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; lines[i]; i++) {
		const char *line = g_strstrip(lines[i]);

		if (*line && (*line != '#' || (i == 0 && line[1] == '!')))
			g_strv_builder_add(builder, line);
	}
	return g_strv_builder_end(builder);
}

static gboolean
is_helper(const char *line)
{
	return g_str_has_prefix(line, "dpkg-maintscript-helper ");
}

/*
 * "dpkg-maintscript-helper COMMAND ARGUMENT… [VERSION [PACKAGE]] -- "$@"" does something only when
 * VERSION or an older one is upgraded (dpkg-maintscript-helper(1)).
 */
static gboolean
helper_is_idle(const char *line, const char *from)
{
	static const struct {
		const char *command;
		guint arguments;
	} commands[] = { { "rm_conffile", 1 },
			 { "mv_conffile", 2 },
			 { "symlink_to_dir", 2 },
			 { "dir_to_symlink", 2 } };
	g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
	guint n = g_strv_length(words);

	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		guint position = 2 + commands[i].arguments;

		if (n <= position + 1 || !g_str_equal(words[1], commands[i].command) ||
		    g_str_equal(words[position], "--"))
			continue;

		g_autofree char *version = g_strcompress(words[position]);

		return cam_version_compare_deb(from, version) > 0;
	}
	return FALSE;
}

char *
cam_maintainer_script_shape(const char *text, gsize size, const char *version)
{
	g_auto(GStrv) lines = significant_lines(text, size);
	g_autoptr(GString) shape = g_string_new(NULL);

	for (guint i = 0; lines[i]; i++)
		if (!is_helper(lines[i]))
			g_string_append_printf(shape, "%s\n", lines[i]);
	g_string_replace(shape, version, "@VERSION@", 0);
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, shape->str, (gssize) shape->len);
}

static gboolean
is_known(const char *package, const char *name, const char *shape)
{
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_str_equal(known[i].package, package) && g_str_equal(known[i].name, name) &&
		    g_str_equal(known[i].shape, shape))
			return TRUE;
	return FALSE;
}

gboolean
cam_maintainer_script_is_idle(const char *package, const char *name, const char *text, gsize size,
			      const char *version, const char *from)
{
	g_auto(GStrv) lines = significant_lines(text, size);
	g_autofree char *shape = cam_maintainer_script_shape(text, size, version);
	g_autofree char *all = g_strjoinv("|", (char **) idle_lines);
	g_autofree char *pattern = g_strdup_printf("^(?:%s)$", all);
	g_autoptr(GRegex) idle =
		g_regex_new(pattern, G_REGEX_DOLLAR_ENDONLY | G_REGEX_RAW, 0, NULL);
	gboolean is_known_script = is_known(package, name, shape);

	for (guint i = 0; lines[i]; i++) {
		if (is_helper(lines[i])) {
			if (!helper_is_idle(lines[i], from))
				return FALSE;
		} else if (!is_known_script && !g_regex_match(idle, lines[i], 0, NULL)) {
			return FALSE;
		}
	}
	return TRUE;
}

gboolean
cam_triggers_are_idle(const char *text, gsize size)
{
	g_auto(GStrv) lines = significant_lines(text, size);

	for (guint i = 0; lines[i]; i++)
		if (!g_str_has_prefix(lines[i], "activate") ||
		    !g_str_has_suffix(lines[i], " ldconfig"))
			return FALSE;
	return TRUE;
}
