/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which maintainer scripts may be left out.
 */
#include "rebuild/pkgmgr/maintainer-script.h"

#include <string.h>

static void
test_idle(void)
{
	static const struct {
		const char *text;
		gboolean idle;
	} cases[] = {
		{ "#!/bin/sh\nset -e\n# nothing\n\nexit 0\n", TRUE },
		{ "#!/bin/sh\nset -e\nif [ \"$1\" = \"configure\" ]; then\n\tldconfig\nfi\n",
		  TRUE },
		{ "#!/bin/sh\nset -e\nif command -v py3compile >/dev/null 2>&1; then\n"
		  "\tpy3compile -p python3-x\nfi\n",
		  TRUE },
		{ "#!/bin/sh\ncase \"$1\" in\n  configure|abort-upgrade)\n  ;;\n  *)\n  ;;\nesac\n",
		  TRUE },
		{ "#!/bin/sh\nrm -rf /\n", FALSE },
		{ "#!/bin/sh\nexit 0; rm -rf /\n", FALSE },
		{ "#!/bin/sh\nldconfig; rm -f /etc/x\n", FALSE },
		{ "#!/bin/sh\nif [ \"$1\" = \"$(rm x)\" ]; then\n:\nfi\n", FALSE },
		{ "#!/bin/sh\npy3compile -p x; rm y\n", FALSE },
		{ "#!/usr/bin/perl\n", FALSE },
		{ "", TRUE },
		{ "\x7f"
		  "ELF",
		  FALSE },
		/* only the upgrade from an old version would do something */
		{ "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x 0.9 -- \"$@\"\n", TRUE },
		{ "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x 1.0 -- \"$@\"\n", FALSE },
		{ "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x -- \"$@\"\n", FALSE },
		{ "#!/bin/sh\ndpkg-maintscript-helper dir_to_symlink /a b 0.5\\~ x -- \"$@\"\n",
		  TRUE },
		{ "#!/bin/sh\ndpkg-maintscript-helper dir_to_symlink /a b 1.5\\~ x -- \"$@\"\n",
		  FALSE },
		{ "#!/bin/sh\ndpkg-maintscript-helper surprise /a b 0.5 -- \"$@\"\n", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].text);
		g_assert_cmpint(cam_maintainer_script_is_idle("x", "postinst", cases[i].text,
							      strlen(cases[i].text), "2.0", "1.0"),
				==, cases[i].idle);
	}
}

/* The shape of a script is the same in every version. */
static void
test_shape(void)
{
	static const char one[] = "#!/bin/sh\n# one\nrun 1.0-1 now\n";
	static const char two[] = "#!/bin/sh\n\n\trun 1.0-2 now\n";
	static const char other[] = "#!/bin/sh\nrun 1.0-2 later\n";
	g_autofree char *a = cam_maintainer_script_shape(one, strlen(one), "1.0-1");
	g_autofree char *b = cam_maintainer_script_shape(two, strlen(two), "1.0-2");
	g_autofree char *c = cam_maintainer_script_shape(other, strlen(other), "1.0-2");

	g_assert_cmpstr(a, ==, b);
	g_assert_cmpstr(a, !=, c);
}

static void
test_triggers(void)
{
	static const struct {
		const char *text;
		gboolean idle;
	} cases[] = {
		{ "# Triggers added by dh_makeshlibs\nactivate-noawait ldconfig\n", TRUE },
		{ "activate ldconfig\n", TRUE },
		{ "activate-noawait update-initramfs\n", FALSE },
		{ "interest-noawait /usr/share/x\n", FALSE },
		{ "interest ldconfig\n", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(cam_triggers_are_idle(cases[i].text, strlen(cases[i].text)), ==,
				cases[i].idle);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pkgmgr/maintainer-script/idle", test_idle);
	g_test_add_func("/pkgmgr/maintainer-script/shape", test_shape);
	g_test_add_func("/pkgmgr/maintainer-script/triggers", test_triggers);
	return g_test_run();
}
