/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the exchange of one package's files without running anything: which of them go where in
 * the tree below, what stays as the image has it, and what the old version leaves behind.
 */
#include "rebuild/pkgmgr/graft-package.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

#include "rebuild/pkgmgr/maintainer-script.h"

#define MAX_ENTRIES	  1000000
#define MAX_CONTENT	  (16ull << 30) /* unpacked bytes of one package */
#define CONFFILE_MAX_SIZE (64 * 1024 * 1024)

/* One path that the package changes. */
typedef struct {
	char *path; /* where it really lies below */
	CamStat stat;
	gint64 mtime;
	guint content; /* number of the file in the scratch directory, 0: none */
	int scratch;   /* that directory */
	char *link_of; /* (nullable): hard link of this path */
	gboolean whiteout;
} Staged;

/* A regular file of the archive, for hard links to it. */
typedef struct {
	guint content;
	CamStat stat;
	gint64 mtime;
	CamSha256 sha256;
	gboolean staged;
} Unpacked;

struct _CamGraftPackage {
	CamGraft *graft;
	const CamPlannedPackage *planned;
	CamDebFile *deb;
	CamDpkgRecord record;
	GPtrArray *staged;    /* (element-type Staged) */
	GPtrArray *files;     /* (element-type utf8): all paths as archived */
	GHashTable *shipped;  /* (element-type utf8): where they really lie */
	GHashTable *unpacked; /* (element-type utf8 Unpacked): by real path */
	GHashTable
		*new_directories; /* (element-type utf8 Staged): made when something is in them */
	GPtrArray *links;	  /* (element-type Staged): looked at when all files are known */
	GHashTable *conffiles;	  /* (element-type utf8 utf8): path → MD5 of the new version */
	guint64 bytes;
};

static void
staged_free(gpointer data)
{
	Staged *self = data;

	g_free(self->path);
	g_free(self->link_of);
	cam_stat_clear(&self->stat);
	g_free(self);
}

void
cam_graft_package_free(CamGraftPackage *self)
{
	if (!self)
		return;
	g_clear_pointer(&self->deb, cam_deb_file_close);
	cam_dpkg_record_clear(&self->record);
	g_ptr_array_unref(self->staged);
	g_ptr_array_unref(self->files);
	g_hash_table_unref(self->shipped);
	g_hash_table_unref(self->unpacked);
	g_hash_table_unref(self->new_directories);
	g_ptr_array_unref(self->links);
	g_hash_table_unref(self->conffiles);
	g_free(self);
}

static gboolean refuse(char **refused, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Always FALSE: with *@refused set, that is no error. */
static gboolean
refuse(char **refused, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_free(*refused);
	*refused = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return FALSE;
}

/* ---- where a packaged path lies ---- */

/* "./usr/bin/x" → "usr/bin/x"; NULL for what no package may ship. */
static char *
clean_path(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; parts[i]; i++) {
		if (g_str_equal(parts[i], "..") || g_str_has_prefix(parts[i], ".wh."))
			return NULL;
		if (*parts[i] && !g_str_equal(parts[i], "."))
			g_string_append_printf(out, "%s%s", out->len ? "/" : "", parts[i]);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Follows the links of the tree below (a merged /usr!); what does not exist yet keeps its name.
 * Depth is bounded by the number of components. */
static char *
resolve_directory(CamGraftPackage *self, const char *path, char **refused)
{
	g_autofree char *real = NULL;
	CamEntry entry;

	if (!*path)
		return g_strdup("");
	if (cam_rootfs_lookup(self->graft->lower, path, TRUE, &real, &entry, NULL)) {
		if (entry.is_directory)
			return g_steal_pointer(&real);
		refuse(refused, "/%s of the image is no directory", path);
		return NULL;
	}
	if (cam_rootfs_lookup(self->graft->lower, path, FALSE, NULL, &entry, NULL)) {
		refuse(refused, "/%s of the image is a link that leads nowhere", path);
		return NULL;
	}

	const char *slash = strrchr(path, '/');
	g_autofree char *parent = g_strndup(path, slash ? (gsize) (slash - path) : 0);
	g_autofree char *where = resolve_directory(self, parent, refused);

	if (!where)
		return NULL;
	return g_strdup_printf("%s%s%s", where, *where ? "/" : "", slash ? slash + 1 : path);
}

static char *
resolve(CamGraftPackage *self, const char *path, char **refused)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = g_strndup(path, slash ? (gsize) (slash - path) : 0);
	g_autofree char *where = resolve_directory(self, parent, refused);

	if (!where)
		return NULL;
	return g_strdup_printf("%s%s%s", where, *where ? "/" : "", slash ? slash + 1 : path);
}

static gboolean
find(CamGraftPackage *self, const char *real, CamEntry *entry)
{
	return cam_rootfs_lookup(self->graft->lower, real, FALSE, NULL, entry, NULL);
}

static gboolean
parent_exists(CamGraftPackage *self, const char *real)
{
	g_autofree char *parent = g_path_get_dirname(real);
	CamEntry entry;

	return g_str_equal(parent, ".") || (find(self, parent, &entry) && entry.is_directory);
}

/* Trees that small images strip: a new file there is not wanted where its directory is not. */
static gboolean
is_for_people(const char *real)
{
	static const char *const trees[] = { "usr/share/doc/",	   "usr/share/man/",
					     "usr/share/info/",	   "usr/share/locale/",
					     "usr/share/lintian/", "usr/share/bug/",
					     "usr/share/doc-base/" };

	for (gsize i = 0; i < G_N_ELEMENTS(trees); i++)
		if (g_str_has_prefix(real, trees[i]))
			return TRUE;
	return FALSE;
}

/* Whether a path that the tree below lacks shall stay absent: the image removed it. */
static gboolean
stays_absent(CamGraftPackage *self, const char *path, const char *real)
{
	if (self->record.files && g_hash_table_contains(self->record.files, path))
		return TRUE;
	return is_for_people(real) && !parent_exists(self, real);
}

/* ---- staging ---- */

static Staged *
staged_new(const char *path, const CamArchiveEntry *entry, CamNodeType type)
{
	Staged *staged = g_new0(Staged, 1);

	staged->path = g_strdup(path);
	staged->stat.type = type;
	staged->stat.mode = entry->mode & 07777;
	staged->stat.uid = entry->uid;
	staged->stat.gid = entry->gid;
	staged->mtime = entry->mtime;
	if (type == CAM_NODE_SYMLINK) {
		staged->stat.mode = 0777;
		staged->stat.link_target = g_strdup(entry->link_target);
	}
	return staged;
}

/* Also the new directories above it. */
static void
stage(CamGraftPackage *self, Staged *staged)
{
	g_autofree char *directory = g_path_get_dirname(staged->path);

	while (!g_str_equal(directory, ".")) {
		gpointer key, value;
		char *up = g_path_get_dirname(directory);

		if (g_hash_table_steal_extended(self->new_directories, directory, &key, &value)) {
			g_free(key);
			g_ptr_array_add(self->staged, value);
		}
		g_free(directory);
		directory = up;
	}
	g_ptr_array_add(self->staged, staged);
}

static void
take_directory(CamGraftPackage *self, const char *path, const CamArchiveEntry *entry)
{
	g_autofree char *ignored = NULL;
	g_autofree char *real = resolve(self, path, &ignored);
	CamEntry below;

	/* a directory or a link to one that is there stays as it is */
	if (!real || find(self, real, &below))
		return;

	Staged *staged = staged_new(real, entry, CAM_NODE_DIRECTORY);

	/* an empty directory is only new if the old version is known not to have had it */
	if (self->record.complete && !g_hash_table_contains(self->record.files, path) &&
	    !is_for_people(real))
		stage(self, staged);
	else
		g_hash_table_insert(self->new_directories, g_strdup(real), staged);
}

static gboolean
copy_content(CamGraftPackage *self, GInputStream *in, Unpacked *out, GError **error)
{
	g_autofree char *name = g_strdup_printf("%u", ++self->graft->serial);
	g_autofree guint8 *buffer = g_malloc(256 * 1024);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_auto(CamFd) fd =
		openat(self->graft->scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	gssize size;

	if (fd < 0)
		return cam_set_error_errno(error, errno, "cannot write a temporary file");
	while ((size = g_input_stream_read(in, buffer, 256 * 1024, self->graft->cancellable,
					   error)) > 0) {
		self->bytes += (guint64) size;
		out->stat.size += (guint64) size;
		if (self->bytes > MAX_CONTENT)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "the package unpacks to more than %llu bytes",
					     MAX_CONTENT);
		cam_hasher_update(hasher, buffer, (gsize) size);
		if (!cam_write_all(fd, buffer, (gsize) size, error))
			return FALSE;
	}
	cam_hasher_finish_sha256(hasher, &out->sha256);
	out->content = self->graft->serial;
	return size == 0 || cam_error_translate(error, "cannot unpack the package");
}

static gboolean
md5_of(CamGraftPackage *self, const CamEntry *entry, char **out, GError **error)
{
	g_autoptr(GBytes) bytes =
		cam_rootfs_read_entry(self->graft->lower, entry, CONFFILE_MAX_SIZE, error);

	if (!bytes)
		return FALSE;
	*out = g_compute_checksum_for_bytes(G_CHECKSUM_MD5, bytes);
	return TRUE;
}

/* A conffile is replaced only where it is known to be as the old version shipped it. */
static gboolean
keeps_conffile(CamGraftPackage *self, const char *path, const CamEntry *below, gboolean *keeps,
	       GError **error)
{
	const char *shipped = g_hash_table_lookup(self->record.conffiles, path);
	g_autofree char *now = NULL;

	*keeps = FALSE;
	if (!g_hash_table_contains(self->conffiles, path))
		return TRUE;
	if (!below) { /* removed by the image, unless it is known to be new */
		*keeps = shipped || !self->record.complete ||
			 g_hash_table_contains(self->record.files, path);
		return TRUE;
	}
	if (!md5_of(self, below, &now, error))
		return FALSE;
	*keeps = g_strcmp0(shipped, now) != 0;
	return TRUE;
}

/* Whether what is below may be replaced by a file, and is not the same already. */
static gboolean
differs(CamGraftPackage *self, const char *real, const CamEntry *below, const Unpacked *unpacked,
	gboolean *differs_out, char **refused, GError **error)
{
	g_auto(CamStat) stat = { 0 };
	CamSha256 sha256;

	*differs_out = TRUE;
	if (below->is_directory)
		return refuse(refused, "/%s of the image is a directory", real);
	if (!cam_rootfs_stat(self->graft->lower, below, &stat, error))
		return FALSE;
	for (gsize i = 0; stat.xattrs && i < g_variant_n_children(stat.xattrs); i++) {
		g_autoptr(GVariant) pair = g_variant_get_child_value(stat.xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(pair, 0);

		if (g_str_equal(g_variant_get_bytestring(name), "security.capability"))
			return refuse(refused,
				      "/%s of the image has file capabilities, which the "
				      "package's scripts would have to set again",
				      real);
	}
	if (stat.type != CAM_NODE_REGULAR || stat.mode != unpacked->stat.mode ||
	    stat.uid != unpacked->stat.uid || stat.gid != unpacked->stat.gid ||
	    stat.size != unpacked->stat.size)
		return TRUE;
	if (!cam_rootfs_content_sha256(self->graft->lower, below, &sha256, error))
		return FALSE;
	*differs_out = memcmp(&sha256, &unpacked->sha256, sizeof(sha256)) != 0;
	return TRUE;
}

/* Decides about a regular file or one more name of it. */
static gboolean
take_content(CamGraftPackage *self, const char *path, const char *real, Unpacked *unpacked,
	     gboolean *wanted, char **refused, GError **error)
{
	CamEntry below;
	gboolean exists = find(self, real, &below), keeps;

	*wanted = FALSE;
	if (cam_path_filter_excludes(self->graft->config->filter, path))
		return TRUE;
	if (exists && below.is_directory)
		return refuse(refused, "/%s of the image is a directory", real);
	if (!keeps_conffile(self, path, exists ? &below : NULL, &keeps, error))
		return FALSE;
	if (keeps || (!exists && stays_absent(self, path, real)))
		return TRUE;
	if (!exists) {
		*wanted = TRUE;
		return TRUE;
	}
	return differs(self, real, &below, unpacked, wanted, refused, error);
}

static Staged *
stage_content(CamGraftPackage *self, const char *real, const Unpacked *unpacked)
{
	Staged *staged = g_new0(Staged, 1);

	staged->path = g_strdup(real);
	staged->stat = unpacked->stat;
	staged->mtime = unpacked->mtime;
	staged->content = unpacked->content;
	staged->scratch = self->graft->scratch;
	stage(self, staged);
	return staged;
}

static gboolean
take_file(CamGraftPackage *self, const char *path, const char *real, const CamArchiveEntry *entry,
	  char **refused, GError **error)
{
	g_autoptr(GInputStream) in = cam_archive_entry_stream(cam_deb_file_get_data(self->deb));
	Unpacked *unpacked = g_new0(Unpacked, 1);
	gboolean wanted;

	g_hash_table_insert(self->unpacked, g_strdup(real), unpacked);
	unpacked->stat.type = CAM_NODE_REGULAR;
	unpacked->stat.mode = entry->mode & 07777;
	unpacked->stat.uid = entry->uid;
	unpacked->stat.gid = entry->gid;
	unpacked->mtime = entry->mtime;
	if (!copy_content(self, in, unpacked, error) ||
	    !take_content(self, path, real, unpacked, &wanted, refused, error))
		return FALSE;
	unpacked->staged = wanted;
	if (wanted)
		stage_content(self, real, unpacked);
	return TRUE;
}

static gboolean
take_hardlink(CamGraftPackage *self, const char *path, const char *real,
	      const CamArchiveEntry *entry, char **refused, GError **error)
{
	g_autofree char *target = clean_path(entry->link_target ? entry->link_target : "");
	g_autofree char *real_target = target ? resolve(self, target, refused) : NULL;
	Unpacked *unpacked = real_target ? g_hash_table_lookup(self->unpacked, real_target) : NULL;
	gboolean wanted;

	if (!unpacked)
		return *refused ? FALSE
				: cam_set_error(error, CAM_ERROR_DATA_LOSS,
						"%s is a hard link to what comes later", path);
	if (!take_content(self, path, real, unpacked, &wanted, refused, error))
		return FALSE;
	if (!wanted)
		return TRUE;

	Staged *staged = stage_content(self, real, unpacked);

	if (unpacked->staged)
		staged->link_of = g_strdup(real_target);
	return TRUE;
}

static gboolean
take_entry(CamGraftPackage *self, const CamArchiveEntry *entry, char **refused, GError **error)
{
	g_autofree char *path = clean_path(entry->path);
	g_autofree char *real = path ? resolve(self, path, refused) : NULL;

	if (!path)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "the package ships %s",
				     entry->path);
	g_ptr_array_add(self->files, g_strdup(path));
	if (!*path)
		return TRUE;
	if (!real)
		return FALSE;
	g_hash_table_add(self->shipped, g_strdup(real));
	if (cam_dpkg_database_is_special(self->graft->database, path))
		return refuse(refused, "the image diverts or overrides /%s", path);
	switch (entry->type) {
	case CAM_ARCHIVE_DIRECTORY:
		take_directory(self, path, entry);
		return TRUE;
	case CAM_ARCHIVE_SYMLINK:
		if (!cam_path_filter_excludes(self->graft->config->filter, path))
			g_ptr_array_add(self->links, staged_new(real, entry, CAM_NODE_SYMLINK));
		return TRUE;
	case CAM_ARCHIVE_FILE:
		return take_file(self, path, real, entry, refused, error);
	case CAM_ARCHIVE_HARDLINK:
		return take_hardlink(self, path, real, entry, refused, error);
	case CAM_ARCHIVE_OTHER:
		break;
	}
	return refuse(refused, "it ships a device or FIFO, /%s", path);
}

static gboolean
is_staged(CamGraftPackage *self, const char *path)
{
	for (guint i = 0; i < self->staged->len; i++) {
		const Staged *staged = g_ptr_array_index(self->staged, i);

		if (g_str_equal(staged->path, path))
			return TRUE;
	}
	return FALSE;
}

/* dpkg never puts a link in a directory's place; new ones come where their directory is. */
static gboolean
wants_link(CamGraftPackage *self, const Staged *link, gboolean *wanted, GError **error)
{
	g_auto(CamStat) stat = { 0 };
	g_autofree char *parent = g_path_get_dirname(link->path);
	CamEntry below;

	*wanted = FALSE;
	if (!find(self, link->path, &below)) {
		*wanted = !stays_absent(self, link->path, link->path) &&
			  (parent_exists(self, link->path) || is_staged(self, parent));
		return TRUE;
	}
	if (below.is_directory)
		return TRUE;
	if (!cam_rootfs_stat(self->graft->lower, &below, &stat, error))
		return FALSE;
	*wanted = stat.type != CAM_NODE_SYMLINK || stat.uid != link->stat.uid ||
		  stat.gid != link->stat.gid ||
		  g_strcmp0(stat.link_target, link->stat.link_target) != 0;
	return TRUE;
}

static gboolean
take_links(CamGraftPackage *self, GError **error)
{
	for (guint i = self->links->len; i-- > 0;) {
		gboolean wanted;

		if (!wants_link(self, self->links->pdata[i], &wanted, error))
			return FALSE;
		if (wanted)
			stage(self, g_ptr_array_steal_index(self->links, i));
	}
	return TRUE;
}

/* What the old version shipped and the new one does not. */
static void
take_removals(CamGraftPackage *self)
{
	GHashTableIter iter;
	gpointer key;

	if (!self->record.files)
		return;
	g_hash_table_iter_init(&iter, self->record.files);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		g_autofree char *ignored = NULL;
		g_autofree char *path = clean_path(key);
		g_autofree char *real = path && *path ? resolve(self, path, &ignored) : NULL;
		CamEntry below;

		if (!real || g_hash_table_contains(self->shipped, real) ||
		    g_hash_table_contains(self->record.conffiles, path) ||
		    !find(self, real, &below) || below.is_directory ||
		    cam_dpkg_database_is_special(self->graft->database, path) ||
		    cam_dpkg_database_is_shared(self->graft->database, self->planned->name,
						self->planned->architecture, path))
			continue;

		Staged *staged = g_new0(Staged, 1);

		staged->path = g_steal_pointer(&real);
		staged->whiteout = TRUE;
		g_ptr_array_add(self->staged, staged);
	}
}

/* ---- the package ---- */

static gboolean
check_scripts(CamGraftPackage *self, char **refused)
{
	static const char *const names[] = { "preinst", "postinst" };
	const CamPlannedPackage *planned = self->planned;
	GBytes *triggers = cam_deb_file_get_control(self->deb, "triggers");
	gsize size;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		GBytes *script = cam_deb_file_get_control(self->deb, names[i]);
		const char *text = script ? g_bytes_get_data(script, &size) : NULL;

		if (text && !cam_maintainer_script_is_idle(planned->name, names[i], text, size,
							   planned->to, planned->from))
			return refuse(refused, "its %s script would have to run", names[i]);
	}

	const char *text = triggers ? g_bytes_get_data(triggers, &size) : NULL;

	if (text && !cam_triggers_are_idle(text, size))
		return refuse(refused, "its triggers would have to run");
	return TRUE;
}

static void
read_conffile_names(CamGraftPackage *self)
{
	GBytes *bytes = cam_deb_file_get_control(self->deb, "conffiles");
	gsize size;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
	g_autofree char *text = data ? g_strndup(data, size) : g_strdup("");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);
		char *path = *line == '/' ? clean_path(line) : NULL;

		if (path) /* the digest follows when the file is unpacked */
			g_hash_table_insert(self->conffiles, path, NULL);
	}
}

static gboolean
unpack(CamGraftPackage *self, char **refused, GError **error)
{
	CamArchive *archive = cam_deb_file_get_data(self->deb);
	const CamArchiveEntry *entry;
	g_autoptr(GError) local = NULL;

	while ((entry = cam_archive_next(archive, self->graft->cancellable, &local))) {
		if (self->files->len == MAX_ENTRIES)
			return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					     "the package has too many entries");
		if (!take_entry(self, entry, refused, error))
			return FALSE;
	}
	if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!take_links(self, error))
		return FALSE;
	take_removals(self);
	return TRUE;
}

/* The digests that dpkg would remember of the conffiles as shipped. */
static gboolean
digest_conffiles(CamGraftPackage *self, GError **error)
{
	GHashTableIter iter;
	gpointer path, value;

	g_hash_table_iter_init(&iter, self->conffiles);
	while (g_hash_table_iter_next(&iter, &path, &value)) {
		g_autofree char *ignored = NULL;
		g_autofree char *real = resolve(self, path, &ignored);
		const Unpacked *unpacked = real ? g_hash_table_lookup(self->unpacked, real) : NULL;
		g_autofree char *name = g_strdup_printf("%u", unpacked ? unpacked->content : 0);
		g_autoptr(GBytes) bytes = NULL;

		if (!unpacked) { /* named, but not shipped */
			g_hash_table_iter_remove(&iter);
			continue;
		}
		bytes = cam_read_file_at(self->graft->scratch, name, CONFFILE_MAX_SIZE, error);
		if (!bytes)
			return FALSE;
		g_hash_table_iter_replace(&iter,
					  g_compute_checksum_for_bytes(G_CHECKSUM_MD5, bytes));
	}
	return TRUE;
}

static CamGraftPackage *
package_new(CamGraft *graft, const CamPlannedPackage *planned)
{
	CamGraftPackage *self = g_new0(CamGraftPackage, 1);

	self->graft = graft;
	self->planned = planned;
	self->staged = g_ptr_array_new_with_free_func(staged_free);
	self->files = g_ptr_array_new_with_free_func(g_free);
	self->shipped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->unpacked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->new_directories = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, staged_free);
	self->links = g_ptr_array_new_with_free_func(staged_free);
	self->conffiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return self;
}

static gboolean
load(CamGraftPackage *self, const char *deb, char **refused, GError **error)
{
	if (!self->planned->from)
		return refuse(refused, "it is a new dependency, and nothing but upgrades can be "
				       "done without the package manager");
	self->deb = cam_deb_file_open(deb, self->graft->cancellable, error);
	if (!self->deb || !check_scripts(self, refused))
		return FALSE;
	if (!cam_dpkg_database_get(self->graft->database, self->planned->name,
				   self->planned->architecture, &self->record, error))
		return FALSE;
	read_conffile_names(self);
	return unpack(self, refused, error) && digest_conffiles(self, error);
}

CamGraftPackage *
cam_graft_package_new(CamGraft *graft, const CamPlannedPackage *planned, const char *deb,
		      char **refused, GError **error)
{
	g_autoptr(CamGraftPackage) self = package_new(graft, planned);

	if (load(self, deb, refused, error))
		return g_steal_pointer(&self);
	if (!*refused)
		cam_error_translate(error, "%s %s", planned->name, planned->to);
	return NULL;
}

/* ---- into the tar ---- */

static GInputStream *
open_scratch(const char *path, gpointer user_data, GError **error)
{
	Staged *staged = user_data;
	g_autofree char *name = g_strdup_printf("%u", staged->content);
	int fd = openat(staged->scratch, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot open the unpacked %s", path);
		return NULL;
	}
	return g_unix_input_stream_new(fd, TRUE);
}

gboolean
cam_graft_package_commit(CamGraftPackage *self, CamLayerTar *tar, GError **error)
{
	for (guint i = 0; i < self->staged->len; i++) {
		Staged *staged = g_ptr_array_index(self->staged, i);

		if (staged->whiteout)
			cam_layer_tar_add_whiteout(tar, staged->path);
		else if (staged->link_of)
			cam_layer_tar_add_hardlink(tar, staged->path, staged->link_of);
		else
			cam_layer_tar_add(tar, staged->path, &staged->stat, staged->mtime,
					  open_scratch, staged);
	}
	return cam_dpkg_database_put(self->graft->database, self->planned->name,
				     self->planned->architecture, self->deb, self->files,
				     self->conffiles, error);
}
