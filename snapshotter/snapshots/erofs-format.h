/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The part of the EROFS on-disk format that our images use: superblock, extended inodes, directory
 * entries, inline extended attributes, chunk maps that are all holes. All numbers are little
 * endian. Field names are ours; meanings are those of the kernel's filesystems/erofs document.
 */
#include <glib.h>

G_BEGIN_DECLS

#define EROFS_BLOCK_BITS 12
#define EROFS_BLOCK_SIZE (1u << EROFS_BLOCK_BITS)

#define EROFS_MAGIC	   0xe0f5e1e2u
#define EROFS_SUPER_OFFSET 1024
/* An inode is named by its offset from the metadata area, in slots. */
#define EROFS_SLOT_SIZE 32

#define EROFS_COMPAT_CHECKSUM 0x1u /* the superblock carries a crc32c */
#define EROFS_COMPAT_MTIME    0x2u /* times of inodes are modification times */
#define EROFS_INCOMPAT_CHUNKS 0x4u /* some inodes map their data in chunks */

typedef struct {
	guint32 magic;
	guint32 checksum; /* of the block from here to its end, with this field zero */
	guint32 compat;
	guint8 block_bits;
	guint8 extra_slots;
	guint16 root_nid;
	guint64 inodes;
	guint64 epoch;
	guint32 epoch_nsec;
	guint32 blocks;
	guint32 meta_block;
	guint32 xattr_block;
	guint8 uuid[16];
	guint8 volume_name[16];
	guint32 incompat;
	guint16 compression;
	guint16 extra_devices;
	guint16 device_slot;
	guint8 directory_block_bits;
	guint8 xattr_prefixes;
	guint32 xattr_prefix_start;
	guint64 packed_nid;
	guint8 reserved[24];
} __attribute__((packed)) ErofsSuper;
G_STATIC_ASSERT(sizeof(ErofsSuper) == 128);

typedef enum {
	EROFS_LAYOUT_PLAIN = 0,	 /* all data in whole blocks elsewhere */
	EROFS_LAYOUT_INLINE = 2, /* the last, partial block follows the inode */
	EROFS_LAYOUT_CHUNKS = 4, /* a map of chunks follows the inode */
} ErofsLayout;

/* ErofsInode.format: bit 0 is set for the extended (64 byte) form, the layout follows. */
#define EROFS_INODE_FORMAT(layout) ((guint16) (1u | ((guint) (layout) << 1)))

typedef struct {
	guint16 format;
	guint16 xattr_units; /* 0, or 1 + (bytes after the xattr header) / 4 */
	guint16 mode;
	guint16 reserved;
	guint64 size;
	guint32 data; /* first block, device number, or (low half) bits of a chunk beyond a block */
	guint32 number;
	guint32 uid;
	guint32 gid;
	gint64 mtime;
	guint32 mtime_nsec;
	guint32 nlink;
	guint8 reserved2[16];
} __attribute__((packed)) ErofsInode;
G_STATIC_ASSERT(sizeof(ErofsInode) == 64);

/* A chunk map entry is a block number; this one is a hole. */
#define EROFS_HOLE	     0xffffffffu
#define EROFS_CHUNK_MAX_BITS 31 /* beyond EROFS_BLOCK_BITS */

typedef struct {
	guint32 name_filter; /* unused unless a feature bit says so */
	guint8 shared;
	guint8 reserved[7];
} __attribute__((packed)) ErofsXattrHeader;
G_STATIC_ASSERT(sizeof(ErofsXattrHeader) == 12);

/* Followed by the name without its prefix and the value, padded to 4 bytes. */
typedef struct {
	guint8 name_length;
	guint8 prefix;
	guint16 value_size;
} __attribute__((packed)) ErofsXattr;
G_STATIC_ASSERT(sizeof(ErofsXattr) == 4);

enum {
	EROFS_XATTR_USER = 1,
	EROFS_XATTR_ACL_ACCESS = 2,
	EROFS_XATTR_ACL_DEFAULT = 3,
	EROFS_XATTR_TRUSTED = 4,
	EROFS_XATTR_SECURITY = 6,
};

#define EROFS_NAME_MAX 255

typedef struct {
	guint64 nid;
	guint16 name_offset; /* in the block; the first one's also tells how many entries there are
			      */
	guint8 type;
	guint8 reserved;
} __attribute__((packed)) ErofsDirent;
G_STATIC_ASSERT(sizeof(ErofsDirent) == 12);

enum {
	EROFS_TYPE_REGULAR = 1,
	EROFS_TYPE_DIRECTORY = 2,
	EROFS_TYPE_CHARACTER = 3,
	EROFS_TYPE_BLOCK = 4,
	EROFS_TYPE_FIFO = 5,
	EROFS_TYPE_SYMLINK = 7,
};

G_END_DECLS
