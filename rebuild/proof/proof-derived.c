/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The closed table of files that are made from packages on installation. A pattern alone explains
 * nothing: each has a check of what the file says, against the packages and against what the same
 * file said before. What is not in the table, or cannot be checked, is not explained.
 */
#include <fnmatch.h>
#include <string.h>

#include "rebuild/diff/regenerated.h"
#include "rebuild/proof/ld-cache.h"
#include "rebuild/proof/proof-private.h"

#define ALTERNATIVES "etc/alternatives/"
#define CERTIFICATES "usr/share/ca-certificates/"
#define CA_CONFIG    "etc/ca-certificates.conf"
#define PEM_BEGIN    "-----BEGIN CERTIFICATE-----"
#define PEM_END	     "-----END CERTIFICATE-----"
#define PYC_HEADER   16 /* PEP 552: magic, flags, mtime, size of the source */
#define NOT_AS_PLAIN "it is not an ordinary file of root's"

static char *
explained(void)
{
	return g_strdup("");
}

static GHashTable *
lines_of(const char *text)
{
	GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = 0; lines[i]; i++)
		if (*lines[i])
			g_hash_table_add(set, g_strdup(lines[i]));
	return set;
}

/* ---- the dynamic linker's cache ---- */

static char *
judge_ld_cache(const CamProof *self, const CamPathChange *change)
{
	g_autoptr(GBytes) before =
		cam_rootfs_read(self->before, change->path, CAM_PROOF_MAX_FILE, NULL);
	g_autoptr(GBytes) after =
		cam_rootfs_read(self->after, change->path, CAM_PROOF_MAX_FILE, NULL);
	g_autofree char *problem = NULL;

	if (!before || !after || !cam_proof_is_plain(&change->after, 0644))
		return g_strdup(NOT_AS_PLAIN);
	problem = cam_ld_cache_compare(self, before, after);
	return problem ? g_steal_pointer(&problem) : explained();
}

/* ---- links ---- */

static gboolean
is_root_link(const CamStat *stat)
{
	return stat->type == CAM_NODE_SYMLINK && stat->uid == 0 && stat->gid == 0 &&
	       stat->xattrs == NULL;
}

/* A link that leads to what a package of the fix ships; one that goes led to what goes. */
static char *
judge_link(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *real = NULL;
	CamEntry entry;

	if (change->kind == CAM_CHANGE_REMOVED) {
		if (change->before.type == CAM_NODE_SYMLINK &&
		    cam_rootfs_lookup(self->before, change->path, TRUE, &real, &entry, NULL) &&
		    g_hash_table_contains(self->formerly, real) &&
		    !g_hash_table_contains(self->shipped, real))
			return explained();
		return g_strdup("it led to something that no package of the fix removes");
	}
	if (is_root_link(&change->after) && cam_proof_find_shipped(self, change->path))
		return explained();
	return g_strdup("it leads to nothing that a package of the fix ships");
}

/* usr/bin/editor → /etc/alternatives/editor */
static char *
judge_alternative_name(const CamProof *self, const CamPathChange *change)
{
	if (change->after.type != CAM_NODE_SYMLINK || change->kind != CAM_CHANGE_ADDED ||
	    !g_str_has_prefix(change->after.link_target, "/" ALTERNATIVES))
		return NULL;
	return judge_link(self, change);
}

/* var/lib/dpkg/alternatives/NAME: what is new in it are priorities and paths of packages. */
static char *
judge_alternatives(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *old = cam_proof_read_text(self->before, change->path);
	g_autofree char *now = cam_proof_read_text(self->after, change->path);
	g_autoptr(GHashTable) before = lines_of(old);
	g_auto(GStrv) lines = g_strsplit(now ? now : "", "\n", -1);

	if (!old || !now || !cam_proof_is_plain(&change->after, 0644))
		return g_strdup(NOT_AS_PLAIN);
	for (guint i = 0; lines[i]; i++) {
		gboolean number = *lines[i] && lines[i][strspn(lines[i], "0123456789")] == '\0';

		if (*lines[i] && !number && !g_hash_table_contains(before, lines[i]) &&
		    !(*lines[i] == '/' && cam_proof_find_shipped(self, lines[i])))
			return g_strdup("it names what no package of the fix ships");
	}
	return explained();
}

/* ---- compiled Python files ---- */

static guint32
little_endian(const guint8 *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (guint32) bytes[3] << 24;
}

/* Made from a source by its time and size, as the distribution's installation does: the
 * interpreter looks at the source whenever it loads it. */
static gboolean
header_fits(const CamProof *self, const char *pyc, const CamDebEntry *source)
{
	g_autoptr(GBytes) bytes = cam_rootfs_read(self->after, pyc, CAM_PROOF_MAX_FILE, NULL);
	gsize size = 0;
	const guint8 *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

	return size > PYC_HEADER && little_endian(data + 4) == 0 &&
	       little_endian(data + 12) == (guint32) source->size;
}

static char *
judge_byte_code(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *source = cam_byte_code_get_source(change->path);
	const CamProvenPath *proven = source ? g_hash_table_lookup(self->shipped, source) : NULL;

	if (change->kind == CAM_CHANGE_REMOVED)
		return source && !proven && g_hash_table_contains(self->formerly, source)
			       ? explained()
			       : g_strdup("its source stays");
	if (!proven || !cam_proof_is_plain(&change->after, 0644) ||
	    !header_fits(self, change->path, proven->entry))
		return g_strdup("it is not made from a source that a package of the fix ships");
	if (self->byte_code)
		g_ptr_array_add(self->byte_code, g_strdup(change->path));
	return explained();
}

/* ---- certificates ---- */

/* The certificates of a PEM file, each from its first to its last line. */
static void
add_certificates(GHashTable *set, const char *text)
{
	const char *begin = text;

	while (begin && (begin = strstr(begin, PEM_BEGIN))) {
		const char *end = strstr(begin, PEM_END);

		if (!end)
			return;
		g_hash_table_add(set, g_strndup(begin, (gsize) (end - begin)));
		begin = end;
	}
}

/* Those that the tree's configuration enables, of packages and of the administrator. */
static GHashTable *
enabled_certificates(const CamProof *self)
{
	GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *config = cam_proof_read_text(self->after, CA_CONFIG);
	g_auto(GStrv) lines = g_strsplit(config ? config : "", "\n", -1);
	static const char local[] = "usr/local/share/ca-certificates";
	CamEntry entry;

	for (guint i = 0; lines[i]; i++) {
		g_autofree char *path = g_strconcat(CERTIFICATES, g_strstrip(lines[i]), NULL);
		g_autofree char *text = NULL;

		if (*lines[i] == '\0' || *lines[i] == '#' || *lines[i] == '!')
			continue;
		text = cam_proof_read_text(self->after, path);
		add_certificates(set, text);
	}
	if (cam_rootfs_lookup(self->after, local, TRUE, NULL, &entry, NULL) && entry.is_directory) {
		g_autoptr(CamTree) tree = cam_rootfs_open_tree(self->after, &entry, NULL);

		for (guint i = 0; tree && i < cam_tree_size(tree); i++) {
			g_autofree char *path =
				g_build_filename(local, cam_tree_get(tree, i)->name, NULL);
			g_autofree char *text = cam_proof_read_text(self->after, path);

			add_certificates(set, text);
		}
	}
	return set;
}

/* The bundle holds the enabled certificates, all of them, and nothing else at all: programs know
 * more kinds of blocks than this one. */
static char *
judge_bundle(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *text = cam_proof_read_text(self->after, change->path);
	g_autoptr(GHashTable) enabled = enabled_certificates(self);
	guint n = g_hash_table_size(enabled);
	const char *at = text;

	if (!text || !cam_proof_is_plain(&change->after, 0644))
		return g_strdup(NOT_AS_PLAIN);
	for (at += strspn(at, " \r\n"); *at; at += strspn(at, " \r\n")) {
		const char *end = strstr(at, PEM_END);
		g_autofree char *block = end ? g_strndup(at, (gsize) (end - at)) : NULL;

		if (!block || !g_hash_table_remove(enabled, block))
			return g_strdup("it holds something else than enabled certificates");
		at = end + strlen(PEM_END);
	}
	if (n == 0 || g_hash_table_size(enabled) > 0)
		return g_strdup("it lacks certificates that are enabled");
	return explained();
}

/* etc/ssl/certs/NAME.pem → /usr/share/ca-certificates/…, and HASH.N → NAME.pem. Other certificates
 * than those of the package cannot come in: links that are new lead to what it ships. */
static char *
judge_certificate_link(const CamProof *self, const CamPathChange *change)
{
	if (g_str_has_suffix(change->path, "/ca-certificates.crt"))
		return judge_bundle(self, change);
	return judge_link(self, change);
}

/* ca-certificates.conf: lines of before, switched off perhaps, and certificates of the package. */
static char *
judge_ca_config(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *old = cam_proof_read_text(self->before, change->path);
	g_autofree char *now = cam_proof_read_text(self->after, change->path);
	g_autoptr(GHashTable) before = lines_of(old);
	g_auto(GStrv) lines = g_strsplit(now ? now : "", "\n", -1);

	if (!now || !cam_proof_is_plain(&change->after, 0644))
		return g_strdup(NOT_AS_PLAIN);
	for (guint i = 0; lines[i]; i++) {
		const char *name = lines[i] + (*lines[i] == '!');
		g_autofree char *path = g_strconcat(CERTIFICATES, name, NULL);
		g_autofree char *off = g_strconcat("!", name, NULL);

		if (*lines[i] == '\0' || *lines[i] == '#' ||
		    g_hash_table_contains(before, lines[i]))
			continue;
		/* one that the administrator switched off does not come back */
		if (*lines[i] != '!' && (g_hash_table_contains(before, off) ||
					 !g_hash_table_contains(self->shipped, path)))
			return g_strdup("it enables what no package of the fix ships");
	}
	return explained();
}

/* ---- services ---- */

/* deb-systemd-helper's records: empty, or the links that it made. */
static char *
judge_systemd_record(const CamProof *self, const CamPathChange *change)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (change->kind == CAM_CHANGE_REMOVED)
		return g_strdup("it is gone");
	text = cam_proof_read_text(self->after, change->path);
	if (!text || !cam_proof_is_plain(&change->after, 0644))
		return g_strdup(NOT_AS_PLAIN);
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++)
		if (*lines[i] && !g_str_has_prefix(lines[i], "/etc/systemd/system/"))
			return g_strdup("it names a link of another place");
	return explained();
}

/* ---- the table ---- */

static const struct {
	const char *pattern; /* fnmatch(3), "*" does not match "/" */
	char *(*judge)(const CamProof *self, const CamPathChange *change);
} rules[] = {
	{ "etc/ld.so.cache", judge_ld_cache },
	{ "etc/alternatives/*", judge_link },
	{ "var/lib/dpkg/alternatives/*", judge_alternatives },
	{ "usr/bin/*", judge_alternative_name },
	{ "usr/sbin/*", judge_alternative_name },
	{ "usr/share/man/man?/*", judge_alternative_name },
	{ "etc/ssl/certs/*", judge_certificate_link },
	{ CA_CONFIG, judge_ca_config },
	{ "etc/systemd/system/*.wants/*", judge_link },
	{ "etc/systemd/system/*.service", judge_link },
	{ "var/lib/systemd/deb-systemd-helper-enabled/*", judge_systemd_record },
	{ "var/lib/systemd/deb-systemd-helper-enabled/*/*", judge_systemd_record },
	{ "etc/rc?.d/[SK][0-9][0-9]*", judge_link },
};

char *
cam_proof_derived(const CamProof *self, const CamPathChange *change, GError **error)
{
	if (change->is_directory)
		return NULL;
	if (g_str_has_suffix(change->path, ".pyc"))
		return judge_byte_code(self, change);
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		if (fnmatch(rules[i].pattern, change->path, FNM_PATHNAME) == 0)
			return rules[i].judge(self, change);
	return NULL;
}
