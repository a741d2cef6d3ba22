/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One small archive of each kind that readers of tar take differently, or once did. The names are
 * those of the table in snapshotter/store/TAR.md. */
#include "tar-sample.h"

#define GNU "ustar  \0"

typedef struct {
	const char *name;
	void (*add)(GByteArray *tar);
	gboolean has_own_end;
} TarKind;

static inline void
tar_patched(GByteArray *tar, const TarSample *sample, guint at, const char *bytes, guint size)
{
	guint8 header[512];

	tar_header(header, sample);
	memcpy(header + at, bytes, size);
	tar_checksum(header);
	g_byte_array_append(tar, header, sizeof header);
	if (sample->content != NULL) {
		g_byte_array_append(tar, (const guint8 *) sample->content,
				    (guint) strlen(sample->content));
		tar_pad(tar);
	}
}

static inline void
tar_long(GByteArray *tar, char type, const char *name, gsize size)
{
	tar_add(tar, &(TarSample){ .name = "././@LongLink",
				   .type = type,
				   .magic = GNU,
				   .content = name,
				   .content_size = size });
}

static inline void
tar_empty(GByteArray *tar, const char *name, char type)
{
	tar_add(tar, &(TarSample){ .name = name, .type = type, .mode = 0644 });
}

static inline void
add_unpadded(GByteArray *tar)
{
	tar_file(tar, "a", "abc");
	g_byte_array_set_size(tar, 515);
}

static inline void
add_no_end(GByteArray *tar)
{
	tar_file(tar, "a", "abc");
}

static inline void
add_junk_behind_end(GByteArray *tar)
{
	static const guint8 zeros[1024];

	tar_file(tar, "a", "abc");
	g_byte_array_append(tar, zeros, sizeof zeros);
	tar_file(tar, "hidden", "x");
}

static inline void
add_one_zero_block(GByteArray *tar)
{
	static const guint8 zeros[512];

	tar_file(tar, "a", "abc");
	g_byte_array_append(tar, zeros, sizeof zeros);
	tar_file(tar, "hidden", "x");
}

static inline void
add_odd_version(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "a",
				   .magic = "ustar\0  ",
				   .type = '0',
				   .prefix = "dir",
				   .content = "x" });
}

static inline void
add_unknown_magic(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "a", .magic = "ustar-00", .type = '0', .content = "x" });
}

static inline void
add_v7_device(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "null",
				   .magic = "\0\0\0\0\0\0\0\0",
				   .type = '3',
				   .major = 1,
				   .minor = 3 });
}

static inline void
add_v7_directory(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "d/", .type = 0, .mode = 0755 });
}

static inline void
add_slash_file(GByteArray *tar)
{
	tar_empty(tar, "a/", '0');
	tar_file(tar, "b", "b");
}

static inline void
add_slash_link(GByteArray *tar)
{
	tar_directory(tar, "usr", 0755);
	tar_symlink(tar, "lib/", "usr");
}

static inline void
add_slash_hard_link(GByteArray *tar)
{
	tar_file(tar, "a", "x");
	tar_hardlink(tar, "b/", "a");
}

static inline void
add_hard_link_target_slash(GByteArray *tar)
{
	tar_file(tar, "a", "x");
	tar_hardlink(tar, "b", "a/");
}

static inline void
add_absolute(GByteArray *tar)
{
	tar_file(tar, "/etc//./passwd", "x");
}

static inline void
add_parent_name(GByteArray *tar)
{
	tar_file(tar, "d/../../a", "x");
}

static inline void
add_no_name(GByteArray *tar)
{
	tar_file(tar, "", "x");
	tar_file(tar, "a", "x");
}

static inline void
add_link_with_size(GByteArray *tar)
{
	tar_file(tar, "a", "x");
	tar_add(tar, &(TarSample){ .name = "b", .type = '1', .link = "a", .size = 512 });
	tar_file(tar, "c", "x");
}

static inline void
add_directory_with_size(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "d/", .type = '5', .mode = 0755, .size = 512 });
	tar_file(tar, "c", "x");
}

static inline void
add_negative_size(GByteArray *tar)
{
	tar_patched(tar, &(TarSample){ .name = "a", .type = '0', .magic = GNU }, 124,
		    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0", 12);
}

static inline void
add_base256_size(GByteArray *tar)
{
	tar_patched(tar, &(TarSample){ .name = "a", .type = '0', .magic = GNU, .content = "abc" },
		    124, "\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
}

static inline void
add_number_behind_nul(GByteArray *tar)
{
	tar_patched(tar, &(TarSample){ .name = "a", .type = '0', .content = "abc" }, 124,
		    "3\0junk     \0", 12);
}

static inline void
add_negative_owner(GByteArray *tar)
{
	tar_patched(tar, &(TarSample){ .name = "a", .type = '0', .magic = GNU }, 108,
		    "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
}

static inline void
add_owner_minus_one(GByteArray *tar)
{
	tar_pax(tar, 'x', "uid", "-1", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_owner_beyond_32_bits(GByteArray *tar)
{
	tar_pax(tar, 'x', "uid", "4294967296", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_device_beyond_kernel(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "a", .type = '3', .major = 4096 });
}

static inline void
add_time_of_any_value(GByteArray *tar)
{
	tar_pax(tar, 'x', "mtime", "-62135596800", NULL);
	tar_file(tar, "a", "x");
	tar_pax(tar, 'x', "mtime", "16725225600", NULL);
	tar_file(tar, "b", "x");
}

static inline void
add_acl_mask(GByteArray *tar)
{
	tar_pax(tar, 'x', "SCHILY.acl.access",
		"user::rw-,user:1000:rw-,group::r--,mask::rw-,other::r--", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_aufs_remains(GByteArray *tar)
{
	tar_file(tar, ".wh..wh.plnk/12.34", "content");
	tar_file(tar, ".wh..wh.aufs", "");
	tar_file(tar, "a", "x");
}

static inline void
add_whiteout_with_content(GByteArray *tar)
{
	tar_file(tar, ".wh.gone", "content");
	tar_file(tar, "a", "x");
}

static inline void
add_two_pax(GByteArray *tar)
{
	tar_pax(tar, 'x', "path", "longer", NULL);
	tar_pax(tar, 'x', "mtime", "1700000000", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_pax_key_twice(GByteArray *tar)
{
	tar_pax(tar, 'x', "path", "one", "path", "two", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_pax_empty_value(GByteArray *tar)
{
	tar_pax(tar, 'x', "path", "one", "path", "", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_pax_nul(GByteArray *tar)
{
	g_autoptr(GString) records = g_string_new(NULL);

	pax_record(records, "path", "a\0b", 3);
	tar_add(tar, &(TarSample){ .name = "x",
				   .type = 'x',
				   .content = records->str,
				   .content_size = records->len });
	tar_file(tar, "a", "x");
}

static inline void
add_pax_number(GByteArray *tar)
{
	tar_pax(tar, 'x', "size", "1e3", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_pax_and_long_name(GByteArray *tar)
{
	tar_pax(tar, 'x', "path", "by-pax", NULL);
	tar_long(tar, 'L', "by-gnu", 7);
	tar_file(tar, "a", "x");
}

static inline void
add_two_long_names(GByteArray *tar)
{
	tar_long(tar, 'L', "first", 6);
	tar_long(tar, 'L', "second", 7);
	tar_file(tar, "a", "x");
}

static inline void
add_long_name_with_nul(GByteArray *tar)
{
	tar_long(tar, 'L', "name\0rest", 10);
	tar_file(tar, "a", "x");
}

static inline void
add_extension_alone(GByteArray *tar)
{
	tar_file(tar, "a", "x");
	tar_pax(tar, 'x', "path", "of nothing", NULL);
}

static inline void
add_libarchive_xattr(GByteArray *tar)
{
	tar_pax(tar, 'x', "LIBARCHIVE.xattr.user.a", "OTk=", "SCHILY.devmajor", "9", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_global_header(GByteArray *tar)
{
	tar_pax(tar, 'g', "comment", "of git", "uid", "77", NULL);
	tar_file(tar, "a", "x");
}

static inline void
add_global_name(GByteArray *tar)
{
	tar_file(tar, "a", "x");
	tar_pax(tar, 'g', "path", "a", NULL);
}

static inline void
add_gnu_prefix(GByteArray *tar)
{
	tar_add(tar,
		&(TarSample){
			.name = "a", .magic = GNU, .type = '0', .prefix = "dir", .content = "x" });
}

static inline void
add_gnu_times(GByteArray *tar)
{
	tar_patched(tar, &(TarSample){ .name = "a", .magic = GNU, .type = '0', .content = "x" },
		    345, "14524770400\00014524770400\0", 24);
}

static inline void
add_sparse_name_alone(GByteArray *tar)
{
	tar_pax(tar, 'x', "path", "a", "GNU.sparse.name", "b", "GNU.sparse.realsize", "0", NULL);
	tar_file(tar, "x", "");
}

static inline void
add_sparse_0_1(GByteArray *tar)
{
	tar_pax(tar, 'x', "GNU.sparse.size", "10", "GNU.sparse.name", "s", "GNU.sparse.numblocks",
		"1", "GNU.sparse.map", "2,3", NULL);
	tar_file(tar, "GNUSparseFile.1/s", "abc");
}

static inline void
add_sparse_1_0(GByteArray *tar)
{
	char content[515] = "1\n2\n3\n";

	memcpy(content + 512, "abc", 3);
	tar_pax(tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "s",
		"GNU.sparse.realsize", "10", NULL);
	tar_add(tar, &(TarSample){ .name = "GNUSparseFile.1/s",
				   .type = '0',
				   .content = content,
				   .content_size = sizeof content });
}

static inline void
add_sparse_old(GByteArray *tar)
{
	guint8 header[512];

	tar_header(header, &(TarSample){ .name = "s", .type = 'S', .magic = GNU, .size = 3 });
	memcpy(header + 386, "00000000002\00000000000003\0", 24);
	memcpy(header + 483, "00000000012\0", 12);
	tar_checksum(header);
	g_byte_array_append(tar, header, sizeof header);
	g_byte_array_append(tar, (const guint8 *) "abc", 3);
	tar_pad(tar);
}

static inline void
add_contiguous(GByteArray *tar)
{
	tar_add(tar, &(TarSample){ .name = "a", .type = '7', .content = "x" });
}

static inline void
add_unknown_type(GByteArray *tar)
{
	tar_empty(tar, "a", 'V');
}

static inline void
add_latin_name(GByteArray *tar)
{
	tar_file(tar, "caf\xe9", "x");
}

static const TarKind tar_kinds[] = {
	{ "unpadded", add_unpadded, TRUE },
	{ "no-end", add_no_end, TRUE },
	{ "junk-behind-end", add_junk_behind_end, TRUE },
	{ "one-zero-block", add_one_zero_block, TRUE },
	{ "odd-version", add_odd_version },
	{ "unknown-magic", add_unknown_magic },
	{ "v7-device", add_v7_device },
	{ "v7-directory", add_v7_directory },
	{ "slash-file", add_slash_file },
	{ "slash-link", add_slash_link },
	{ "slash-hard-link", add_slash_hard_link },
	{ "link-slash", add_hard_link_target_slash },
	{ "absolute", add_absolute },
	{ "parent-name", add_parent_name },
	{ "no-name", add_no_name },
	{ "link-with-size", add_link_with_size },
	{ "directory-with-size", add_directory_with_size },
	{ "negative-size", add_negative_size },
	{ "base256-size", add_base256_size },
	{ "number-behind-nul", add_number_behind_nul },
	{ "negative-owner", add_negative_owner },
	{ "owner-minus-one", add_owner_minus_one },
	{ "owner-beyond-32-bits", add_owner_beyond_32_bits },
	{ "device-number", add_device_beyond_kernel },
	{ "time-of-any-value", add_time_of_any_value },
	{ "acl-mask", add_acl_mask },
	{ "aufs-remains", add_aufs_remains },
	{ "whiteout-with-content", add_whiteout_with_content },
	{ "two-pax", add_two_pax },
	{ "pax-key-twice", add_pax_key_twice },
	{ "pax-empty-value", add_pax_empty_value },
	{ "pax-nul", add_pax_nul },
	{ "pax-number", add_pax_number },
	{ "pax-and-long-name", add_pax_and_long_name },
	{ "two-long-names", add_two_long_names },
	{ "long-name-with-nul", add_long_name_with_nul },
	{ "extension-alone", add_extension_alone },
	{ "libarchive-keys", add_libarchive_xattr },
	{ "global-header", add_global_header },
	{ "global-name", add_global_name },
	{ "gnu-prefix", add_gnu_prefix },
	{ "gnu-times", add_gnu_times },
	{ "sparse-keys", add_sparse_name_alone },
	{ "sparse-0.1", add_sparse_0_1 },
	{ "sparse-1.0", add_sparse_1_0 },
	{ "sparse-old", add_sparse_old },
	{ "contiguous", add_contiguous },
	{ "unknown-type", add_unknown_type },
	{ "latin-name", add_latin_name },
};

static inline GBytes *
tar_of_kind(const TarKind *kind)
{
	GByteArray *tar = g_byte_array_new();

	kind->add(tar);
	return kind->has_own_end ? g_byte_array_free_to_bytes(tar) : tar_end(tar);
}
