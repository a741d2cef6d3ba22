/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives put together at random of what tars of all times have, right and wrong. */
#include "tar-sample.h"

#define PICK(random, list) ((list)[g_rand_int_range(random, 0, (gint32) G_N_ELEMENTS(list))])
#define CHANCE(random, n)  (g_rand_int_range(random, 0, n) == 0)

static inline void
generate_field(GRand *random, guint8 *field, guint size)
{
	static const char *const values[] = {
		"0000644",
		"0000000\0",
		"  17 ",
		"17\0junk",
		" \0 5",
		"12 34",
		"-1",
		"8",
		"77777777",
		"777777777777",
		"0000x44",
		"",
		"00000000017",
		"\x80\0\0\0\0\0\0\1",
		"\x80\0\0\1\0\0\0\0",
		"\xff\xff\xff\xff\xff\xff\xff\xfe",
		"\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe",
		"\x80\0\0\0\0\0\0\0\0\0\0\3",
		"\x81\0\0\0\0\0\0\0\0\0\0\0",
		"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0",
		"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
		"\x80\0\0\0\xff\xff\xff\xff",
	};
	static const guint8 sizes[] = { 7,  8, 5, 7, 4, 5,  2,	1,  8,	12, 7, 0,
					11, 8, 8, 8, 8, 12, 12, 12, 12, 12, 8 };
	guint i = (guint) g_rand_int_range(random, 0, (gint32) G_N_ELEMENTS(values));

	G_STATIC_ASSERT(G_N_ELEMENTS(values) == G_N_ELEMENTS(sizes));
	memset(field, 0, size);
	memcpy(field, values[i], MIN(size, sizes[i]));
}

static const char *const generated_names[] = {
	"a",
	"b",
	"dir/",
	"dir/a",
	"./a",
	"/abs",
	".",
	"./",
	"",
	"a/",
	"../up",
	"x/../y",
	"..",
	"a//b",
	"a/./b",
	".wh.a",
	"\xe9",
	"L/M",
	"dir/.",
	"///",
	".wh..wh..opq",
	".wh..wh.plnk/1",
	"n0123456789012345678901234567890123456789012345678901234567890123456789",
};

static inline void
generate_header(GRand *random, guint8 header[512], char type, guint64 size)
{
	static const char *const magics[] = {
		NULL,	     NULL,	    NULL,	 "ustar  \0",
		"ustar  \0", "ustar\0\0\0", "ustar\0  ", "\0\0\0\0\0\0\0\0",
		"ustar-00",  "ustar \0 ",   "ustar   "
	};
	static const struct {
		guint16 at, size;
	} fields[] = { { 100, 8 },  { 108, 8 },	 { 116, 8 },  { 124, 12 }, { 136, 12 },
		       { 329, 8 },  { 337, 8 },	 { 345, 12 }, { 357, 12 }, { 476, 12 },
		       { 488, 12 }, { 386, 12 }, { 398, 12 }, { 483, 12 } };

	tar_header(header,
		   &(TarSample){ .name = PICK(random, generated_names),
				 .link = CHANCE(random, 4) ? "" : PICK(random, generated_names),
				 .magic = PICK(random, magics),
				 .type = type,
				 .mode = 0644,
				 .mtime = 1700000000,
				 .size = size });
	if (CHANCE(random, 6))
		memcpy(header + 345, "some/prefix", 11);
	if (CHANCE(random, 30))
		memcpy(header + 345, "\xc3\xa9/prefix", 9);
	if (CHANCE(random, 10))
		memcpy(header + 508, "tar\0", 4);
	while (CHANCE(random, 9)) {
		guint i = (guint) g_rand_int_range(random, 0, G_N_ELEMENTS(fields));

		generate_field(random, header + fields[i].at, fields[i].size);
	}
	if (CHANCE(random, 40))
		header[g_rand_int_range(random, 0, 512)] =
			(guint8) g_rand_int_range(random, 0, 256);
	tar_checksum(header);
	if (CHANCE(random, 100))
		header[g_rand_int_range(random, 0, 512)] ^= 1;
}

static inline void
generate_data(GRand *random, GByteArray *tar, gconstpointer data, gsize size)
{
	g_byte_array_append(tar, data, (guint) size);
	if (!CHANCE(random, 40))
		tar_pad(tar);
}

static const char *const generated_keys[] = {
	"path",
	"path",
	"linkpath",
	"size",
	"uid",
	"gid",
	"mtime",
	"atime",
	"uname",
	"SCHILY.xattr.user.a",
	"SCHILY.xattr.user.ab",
	"SCHILY.xattr.",
	"LIBARCHIVE.xattr.user.a",
	"SCHILY.devmajor",
	"GNU.sparse.major",
	"GNU.sparse.minor",
	"GNU.sparse.name",
	"GNU.sparse.size",
	"GNU.sparse.realsize",
	"GNU.sparse.map",
	"GNU.sparse.numblocks",
	"GNU.sparse.offset",
	"GNU.sparse.numbytes",
	"comment",
	"hdrcharset",
};
static const char *const generated_values[] = {
	"",
	"0",
	"1",
	"1",
	"2",
	"3",
	"10",
	"-1",
	"+4",
	"1.5",
	"-0.25",
	"5.",
	".5",
	"1e3",
	"0x10",
	"p",
	"p/q/",
	"../r",
	"4294967295",
	"4294967296",
	"-2",
	"9223372036854775807",
	"9223372036854775808",
	"0,1",
	"0,3",
	"0,1,4,2",
	"1,",
	"a=b",
	"\n",
	" 1",
	"-62135596800",
	"16725225600",
};

static inline void
generate_pax(GRand *random, GByteArray *tar)
{
	GString *records = g_string_new(NULL);
	guint n = (guint) g_rand_int_range(random, 0, 6);
	guint8 header[512];

	for (guint i = 0; i < n; i++) {
		const char *value = PICK(random, generated_values);

		pax_record(records, PICK(random, generated_keys), value, strlen(value));
	}
	if (CHANCE(random, 3)) {
		pax_record(records, "GNU.sparse.major", "0", 1);
		pax_record(records, "GNU.sparse.minor", "1", 1);
		pax_record(records, "GNU.sparse.numblocks", "1", 1);
		pax_record(records, "GNU.sparse.map", "2,3", 3);
		pax_record(records, "GNU.sparse.size", CHANCE(random, 3) ? "4" : "9", 1);
	}
	if (CHANCE(random, 20) && records->len > 0)
		records->str[g_rand_int_range(random, 0, (gint32) records->len)] =
			(char) g_rand_int_range(random, 0, 256);
	generate_header(random, header, CHANCE(random, 8) ? 'g' : 'x', records->len);
	g_byte_array_append(tar, header, sizeof header);
	generate_data(random, tar, records->str, records->len);
	g_string_free(records, TRUE);
}

static inline void
generate_long_name(GRand *random, GByteArray *tar)
{
	static const char names[][12] = { "long/name\0", "a\0b", "", "../x", "l/", ".wh.x" };
	guint i = (guint) g_rand_int_range(random, 0, G_N_ELEMENTS(names));
	gsize size = (gsize) g_rand_int_range(random, 0, 12);
	guint8 header[512];

	generate_header(random, header, CHANCE(random, 3) ? 'K' : 'L', size);
	g_byte_array_append(tar, header, sizeof header);
	generate_data(random, tar, names[i], size);
}

static inline void
generate_member(GRand *random, GByteArray *tar)
{
	static const char types[] = { '0', '0', '0', 0,	  0,   '1', '2', '3',
				      '4', '5', '6', '7', 'S', 'V', 'X', '5' };
	static const char *const contents[] = { "", "abc", "1\n2\n3\n", "0\n", "abcde" };
	const char *content = PICK(random, contents);
	char type = PICK(random, types);
	gboolean has_content =
		type == '0' || type == 0 || type == '7' || type == 'S' || CHANCE(random, 10);
	gsize size = has_content ? strlen(content) : 0;
	g_autofree guint8 *map = g_malloc0(512 + 16);
	guint8 header[512];

	if (CHANCE(random, 12) && has_content) {
		/* As form 1.0 of a sparse file wants it. */
		memcpy(map, "1\n2\n3\n", 6);
		memcpy(map + 512, "xyz", 3);
		generate_header(random, header, type, 515);
		g_byte_array_append(tar, header, sizeof header);
		generate_data(random, tar, map, 515);
		return;
	}
	generate_header(random, header, type, CHANCE(random, 12) ? 7 : size);
	if (type == 'S' && !CHANCE(random, 4)) {
		memcpy(header + 257, "ustar  \0", 8);
		memcpy(header + 386,
		       "00000000001\0"
		       "00000000003\0",
		       24);
		memcpy(header + 483, "00000000007\0", 12);
		if (CHANCE(random, 6))
			header[482] = 1;
		tar_checksum(header);
	}
	g_byte_array_append(tar, header, sizeof header);
	generate_data(random, tar, content, size);
}

static inline GBytes *
generate_tar(GRand *random)
{
	static const guint8 zeros[1024];
	GByteArray *tar = g_byte_array_new();
	guint n = (guint) g_rand_int_range(random, 1, 5);

	for (guint i = 0; i < n; i++) {
		while (CHANCE(random, 3))
			generate_pax(random, tar);
		while (CHANCE(random, 8))
			generate_long_name(random, tar);
		if (CHANCE(random, 40))
			g_byte_array_append(tar, zeros, 512);
		generate_member(random, tar);
	}
	if (!CHANCE(random, 20))
		g_byte_array_append(tar, zeros, CHANCE(random, 6) ? 512 : 1024);
	if (CHANCE(random, 12))
		g_byte_array_append(tar, (const guint8 *) "junk behind the end", 19);
	if (CHANCE(random, 15))
		g_byte_array_set_size(tar, (guint) g_rand_int_range(random, 0, (gint32) tar->len));
	return g_byte_array_free_to_bytes(tar);
}
