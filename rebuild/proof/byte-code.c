/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiled Python files run in every program that imports them, and nothing signed lists them.
 * Whether they are what their sources say is asked of the interpreter of the image that is to get
 * them: it is trusted with that image already.
 */
#include "rebuild/proof/byte-code.h"

#include <fcntl.h>
#include <string.h>

#include "rebuild/pkgmgr/workspace.h"

#define MAX_FILE (64 * 1024 * 1024)
#define MAX_ALL	 (512 * 1024 * 1024)
#define SCRIPT	 CAM_SANDBOX_FILES "/check.py"
#define INPUT	 CAM_SANDBOX_FILES "/input"
#define ANSWER	 "all are the same\n"

/*
 * Reads the compiled form with its own few lines: marshal.loads() of hostile bytes may do anything
 * to the interpreter. The forms of code objects are those of Python 3.7 to 3.13; another one, like
 * anything that surprises it, ends in an exception.
 */
static const char script[] =
	"import sys, marshal\n"
	"import _frozen_importlib_external as external\n"
	"version = sys.version_info[:2]\n"
	"class Reader:\n"
	"    def __init__(self, data):\n"
	"        self.data, self.at, self.seen = data, 0, []\n"
	"    def take(self, n):\n"
	"        part = self.data[self.at:self.at + n]\n"
	"        if n < 0 or len(part) != n: raise ValueError('short')\n"
	"        self.at += n\n"
	"        return part\n"
	"    def number(self, n=4):\n"
	"        return int.from_bytes(self.take(n), 'little', signed=n > 1)\n"
	"    def many(self, n):\n"
	"        return tuple([self.value() for i in range(n)])\n"
	"    def code(self):\n"
	"        heads = 5 if version >= (3, 11) or version < (3, 8) else 6\n"
	"        head = tuple([self.number() for i in range(heads)])\n"
	"        body = self.many(8)\n"
	"        line = self.number()\n"
	"        return head + body + (line,) + self.many(2 if version >= (3, 11) else 1)\n"
	"    def plain(self, kind):\n"
	"        if kind in 'NTF.S': return kind\n"
	"        if kind == 'i': return ('i', self.number())\n"
	"        if kind == 'l':\n"
	"            n = self.number()\n"
	"            value = sum(self.number(2) << 15 * i for i in range(abs(n)))\n"
	"            return ('i', -value if n < 0 else value)\n"
	"        if kind in 'gy': return (kind, self.take(8 if kind == 'g' else 16))\n"
	"        if kind == 's': return ('s', self.take(self.number()))\n"
	"        if kind in 'ut': return ('u', self.take(self.number()).decode('utf-8', "
	"'surrogatepass'))\n"
	"        if kind in 'aA': return ('u', self.take(self.number()).decode('ascii'))\n"
	"        if kind in 'zZ': return ('u', self.take(self.number(1)).decode('ascii'))\n"
	"        if kind == '(': return ('t', self.many(self.number()))\n"
	"        if kind == ')': return ('t', self.many(self.number(1)))\n"
	"        if kind == '>': return ('>', frozenset(self.many(self.number())))\n"
	"        if kind == 'c': return ('c', self.code())\n"
	"        raise ValueError('kind ' + kind)\n"
	"    def value(self):\n"
	"        byte = self.number(1)\n"
	"        kind = chr(byte & 0x7f)\n"
	"        if kind == 'r':\n"
	"            found = self.seen[self.number()]\n"
	"            if found is None: raise ValueError('reference')\n"
	"            return found\n"
	"        if not byte & 0x80: return self.plain(kind)\n"
	"        place = len(self.seen)\n"
	"        self.seen.append(None)\n"
	"        self.seen[place] = self.plain(kind)\n"
	"        return self.seen[place]\n"
	"def read(data):\n"
	"    reader = Reader(data)\n"
	"    value = reader.value()\n"
	"    if reader.at != len(data): raise ValueError('long')\n"
	"    return value\n"
	"with open('" INPUT "', 'rb') as data:\n"
	"    while True:\n"
	"        path = data.readline()\n"
	"        if not path: break\n"
	"        level, n, m = map(int, data.readline().split())\n"
	"        source, compiled = data.read(n), data.read(m)\n"
	"        name = path[:-1].decode('utf-8', 'surrogateescape')\n"
	"        code = compile(source, name, 'exec', dont_inherit=True, optimize=level)\n"
	"        if compiled[:4] != external.MAGIC_NUMBER or compiled[4:8] != bytes(4) or "
	"read(marshal.dumps(code)) != read(compiled[16:]):\n"
	"            sys.exit(name + ' is another')\n"
	"sys.stdout.write('all are the same\\n')\n";

typedef struct {
	char *source; /* path */
	char *tag;    /* "311" */
	int level;    /* of optimization */
} Compiled;

static void
compiled_clear(Compiled *self)
{
	g_free(self->source);
	g_free(self->tag);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Compiled, compiled_clear)

/* DIR/__pycache__/NAME.cpython-311[.opt-1].pyc */
static gboolean
parse_name(const char *path, Compiled *out)
{
	g_autofree char *cache = g_path_get_dirname(path);
	g_autofree char *directory = g_path_get_dirname(cache);
	g_autofree char *name = g_path_get_basename(path);
	char *tag = strstr(name, ".cpython-");
	const char *rest;
	gsize digits;

	if (tag == NULL)
		return FALSE;
	*tag = '\0';
	tag += strlen(".cpython-");
	digits = strspn(tag, "0123456789");
	rest = tag + digits;
	if (digits < 2 || digits > 3)
		return FALSE;
	if (g_str_equal(rest, ".pyc"))
		out->level = 0;
	else if (g_str_equal(rest, ".opt-1.pyc"))
		out->level = 1;
	else if (g_str_equal(rest, ".opt-2.pyc"))
		out->level = 2;
	else
		return FALSE;
	out->tag = g_strndup(tag, digits);
	out->source = g_strconcat(directory, "/", name, ".py", NULL);
	return strchr(out->source, '\n') == NULL;
}

/* One file for the script: for each a line with the source's path, a line with three numbers, and
 * both contents. */
static gboolean
append(GByteArray *input, CamRootfs *after, const char *path, const Compiled *compiled,
       GError **error)
{
	g_autoptr(GBytes) source = cam_rootfs_read(after, compiled->source, MAX_FILE, error);
	g_autoptr(GBytes) code = source ? cam_rootfs_read(after, path, MAX_FILE, error) : NULL;
	g_autofree char *head = NULL;

	if (!code)
		return FALSE;
	head = g_strdup_printf("/%s\n%d %zu %zu\n", compiled->source, compiled->level,
			       g_bytes_get_size(source), g_bytes_get_size(code));
	g_byte_array_append(input, (const guint8 *) head, (guint) strlen(head));
	g_byte_array_append(input, g_bytes_get_data(source, NULL),
			    (guint) g_bytes_get_size(source));
	g_byte_array_append(input, g_bytes_get_data(code, NULL), (guint) g_bytes_get_size(code));
	return input->len <= MAX_ALL ||
	       cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			     "the layer has more than %d bytes of compiled Python files", MAX_ALL);
}

static gboolean
write_scratch(const CamWorkspace *workspace, const char *name, gconstpointer data, gsize size,
	      char **path, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);

	*path = g_build_filename(workspace->scratch, name, NULL);
	return cam_write_file_at(AT_FDCWD, *path, bytes, 0644, error);
}

/* By @tag's interpreter. */
static gboolean
ask(const CamWorkspace *workspace, const char *tag, const GByteArray *input,
    const CamSandboxLimits *limits, gboolean *same, GCancellable *cancellable, GError **error)
{
	static const char *const environment[] = { "PATH=/usr/bin:/bin", "HOME=" CAM_SANDBOX_HOME,
						   "LC_ALL=C.UTF-8", NULL };
	g_autofree char *interpreter = g_strdup_printf("/usr/bin/python%c.%s", tag[0], tag + 1);
	g_autofree char *script_path = NULL, *input_path = NULL;
	const char *const argv[] = { interpreter, "-I", "-S", "-B", "-W", "ignore", SCRIPT, NULL };
	g_auto(CamSandboxResult) result = { 0 };

	if (!write_scratch(workspace, "check.py", script, sizeof(script) - 1, &script_path,
			   error) ||
	    !write_scratch(workspace, "input", input->data, input->len, &input_path, error))
		return FALSE;

	const CamSandboxFile files[] = { { script_path, SCRIPT }, { input_path, INPUT } };
	CamSandboxCommand command = {
		.root = workspace->root,
		.grows = workspace->upper_path,
		.argv = argv,
		.environment = environment,
		.files = files,
		.n_files = G_N_ELEMENTS(files),
		.limits = *limits,
	};

	if (!cam_sandbox_run(&command, &result, cancellable, error))
		return cam_error_translate(error, "Python of the image");
	*same = result.status == 0 && g_str_has_suffix(result.output, ANSWER);
	return TRUE;
}

/* The files of one interpreter. */
static gboolean
check_tag(const CamWorkspace *workspace, CamRootfs *after, const GPtrArray *paths, const char *tag,
	  const CamSandboxLimits *limits, gboolean *same, GCancellable *cancellable, GError **error)
{
	g_autoptr(GByteArray) input = g_byte_array_new();

	for (guint i = 0; i < paths->len; i++) {
		g_auto(Compiled) compiled = { 0 };

		if (parse_name(paths->pdata[i], &compiled) && g_str_equal(compiled.tag, tag) &&
		    !append(input, after, paths->pdata[i], &compiled, error))
			return FALSE;
	}
	return ask(workspace, tag, input, limits, same, cancellable, error);
}

gboolean
cam_byte_code_check(CamStore *store, const CamImage *image, CamRootfs *before, CamRootfs *after,
		    const GPtrArray *paths, const CamSandboxLimits *limits, gboolean *same,
		    GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(CamWorkspace) workspace = NULL;
	GHashTableIter iter;
	gpointer tag;

	*same = TRUE;
	for (guint i = 0; i < paths->len && *same; i++) {
		g_auto(Compiled) compiled = { 0 };

		*same = parse_name(paths->pdata[i], &compiled);
		if (*same)
			g_hash_table_add(tags, g_steal_pointer(&compiled.tag));
	}
	if (!*same || paths->len == 0)
		return TRUE;
	*same = cam_sandbox_probe(NULL);
	if (!*same)
		return TRUE;
	workspace = cam_workspace_new(store, image, before, cancellable, error);
	if (!workspace)
		return FALSE;
	g_hash_table_iter_init(&iter, tags);
	while (*same && g_hash_table_iter_next(&iter, &tag, NULL))
		if (!check_tag(workspace, after, paths, tag, limits, same, cancellable, error))
			return FALSE;
	return TRUE;
}
