/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The light program, without gRPC. Everything else is in the library, where tests reach it. */
#include <locale.h>

#include "plugin/plugin.h"

int
main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	return cam_cli_main(argv, NULL);
}
