/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of cambium.conf: the table that its reader, its man page and the tests work by.
 */
#include "plugin/config.h"

#include <config.h>

const char *const cam_log_level_names[] = { "error", "warning", "info", "debug", NULL };
static const char *const mount_methods[] = { "auto", "erofs", "erofs-loop", "checkout", NULL };
static const char *const gates[] = { "off", "warn", "enforce", NULL };
const char *const cam_level_names[] = { "critical", "high", "medium", "low", "unknown", NULL };
static const char *const unfixed[] = { "count", "ignore", "require", NULL };
static const char *const lookup_failures[] = { "unjudged", "fail", NULL };
static const char *const never_scanned[] = { "allow", "refuse", NULL };

static const char *const image_sources[] = { "verified", "ignored", "believed", NULL };

const CamConfigKey cam_config_keys[] = {
	{ "store", "path", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, store),
	  "the state directory for root, ~/.local/share/cambium for others",
	  "Directory of the store. The option --store has precedence." },
	{ "scan", "unknown_counts_as", CAM_CONFIG_SEVERITY,
	  G_STRUCT_OFFSET(CamConfig, unknown_counts_as), "medium",
	  "What a finding whose severity is not known counts as in the risk level of an image: "
	  "critical, high, medium, low or none. Reports show it as unknown all the same. The level "
	  "unknown stands just below this one." },
	{ "scan", "unknown_with_fix_counts_as", CAM_CONFIG_SEVERITY,
	  G_STRUCT_OFFSET(CamConfig, unknown_with_fix_counts_as), "critical",
	  "What a finding whose severity is not known but that a published version fixes counts as "
	  "for --fail-on and for the policy: critical, high, medium, low or none. The default lets "
	  "no such finding pass: the fix is there, and no source says that the finding is "
	  "harmless. Without a fix it counts as unknown_counts_as says." },
	{ "scan", "offline", CAM_CONFIG_BOOL, G_STRUCT_OFFSET(CamConfig, offline), "no",
	  "Whether scans look nothing up over the network, as if --offline were given; also those "
	  "of "
	  "cambiumd." },
	{ "scan", "lookup_failure", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, lookup_failure),
	  "unjudged",
	  "What happens when packages that no source has looked at cannot be looked up: they are "
	  "reported as not judged, which makes the risk level unknown at best (unjudged), or the "
	  "scan fails (fail). cambiumd always reports, and tries again later.",
	  lookup_failures },
	{ "limits", "allow_ambiguous", CAM_CONFIG_BOOL, G_STRUCT_OFFSET(CamConfig, allow_ambiguous),
	  "no",
	  "Whether layers are taken that containerd unpacks and that are refused for safety: names "
	  "with \"..\" (parent-name), a name prefix in GNU headers (gnu-prefix), keys of sparse "
	  "files without a map (sparse-keys), owners and device numbers that the kernel would cut "
	  "(owner, device-number), global headers named as files (global-name), hard links to "
	  "names "
	  "that end in \"/\" (link-slash). They are read as containerd reads them. For one import, "
	  "the option --allow-ambiguous does the same." },
	{ "limits", "layer_size", CAM_CONFIG_SIZE, G_STRUCT_OFFSET(CamConfig, layer_size), "64G",
	  "Uncompressed bytes of one layer beyond which import refuses it; K, M, G and T are "
	  "powers "
	  "of 1024." },
	{ "limits", "layer_entries", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, layer_entries),
	  "4000000", "Members of one layer's tar beyond which import refuses it." },
	{ "limits", "layer_ratio", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, layer_ratio),
	  "1000",
	  "How many times larger than its compressed form a layer may become before import takes "
	  "it "
	  "for a bomb; the first 64 MiB are free." },
	{ "limits", "index_size", CAM_CONFIG_SIZE, G_STRUCT_OFFSET(CamConfig, index_size), "1G",
	  "Bytes of a package repository's index, compressed or expanded, beyond which it is not "
	  "read." },
	{ "limits", "package_size", CAM_CONFIG_SIZE, G_STRUCT_OFFSET(CamConfig, package_size), "4G",
	  "Bytes of a package beyond which it is not fetched." },
	{ "limits", "packages", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, scan_limits.packages),
	  "100000",
	  "Packages of one image beyond which its package databases are not judged: the risk of "
	  "such an image is unknown. A full desktop has 5000." },
	{ "limits", "package_database_size", CAM_CONFIG_SIZE,
	  G_STRUCT_OFFSET(CamConfig, scan_limits.database_size), "64M",
	  "Bytes of one package database beyond which it is not read, with the same consequence. "
	  "That of a full desktop has 5M." },
	{ "limits", "lookups", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, lookups), "5000",
	  "Source packages of one image that are looked up in the repositories at once, by a scan "
	  "or "
	  "by 'cambium db update'. What is beyond is not judged before it is looked up the next "
	  "time. A full desktop has 2000." },
	{ "limits", "findings", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, scan_limits.findings),
	  "200000",
	  "Findings of one image beyond which matching stops; the scan then says that it is not "
	  "complete, and the risk is at best unknown." },
	{ "registries", "insecure", CAM_CONFIG_LIST, G_STRUCT_OFFSET(CamConfig, insecure), NULL,
	  "Registries (host or host:port) for which plain HTTP and unverified TLS are accepted. "
	  "localhost needs no mention." },
	{ "registries", "auth_file", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, auth_file),
	  "the usual places of auth.json and config.json", "File with the credentials." },
	{ "fix", "suffix", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, suffix), "_fix",
	  "What is appended to the tag of a fixed image." },
	{ "fix", "memory", CAM_CONFIG_SIZE, G_STRUCT_OFFSET(CamConfig, fix_limits.memory), "1G",
	  "Memory that the package manager of an image may take while the image is fixed, all its "
	  "processes and temporary files together. A fix that needs more fails and says so." },
	{ "fix", "disk", CAM_CONFIG_SIZE, G_STRUCT_OFFSET(CamConfig, fix_limits.disk), "2G",
	  "Bytes that it may write." },
	{ "fix", "processes", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, fix_limits.processes),
	  "512", "Processes and threads that it may have at the same time." },
	{ "fix", "seconds", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, fix_limits.seconds),
	  "1800", "How long one run of it may take." },
	{ "sources", "DISTRIBUTION[/CODENAME]", CAM_CONFIG_SOURCES, 0,
	  "the machine's sources with the codename exchanged, then what images propose (see "
	  "[trust] image_sources)",
	  "Where the packages and changelogs of a distribution are looked for, as lines of "
	  "sources.list(5) parted by semicolons, for example \"debian = deb "
	  "https://mirror.example.org/debian {codename} main; deb "
	  "https://mirror.example.org/debian-security {codename}-security main\". {codename} "
	  "stands for the codename of the image's release; a key with a codename (debian/bookworm) "
	  "has precedence over one without. A line without signed-by is verified with the "
	  "machine's trusted keys and those of the distribution. The option pinned=yes, which apt "
	  "does not know, is for a snapshot: metadata older than those that were seen before are "
	  "taken." },
	{ "trust", "keyrings", CAM_CONFIG_LIST, G_STRUCT_OFFSET(CamConfig, keyrings),
	  CAM_KEYRINGS "; " CAM_SHARED_KEYRINGS,
	  "Directories with one directory per distribution (debian, ubuntu) of keyrings "
	  "(*.gpg, *.asc, *.pgp) that verify its archive, beside those that the "
	  "distribution's keyring package puts into " CAM_APT_SYSTEM_KEYRINGS "." },
	{ "trust", "image_sources", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, image_sources),
	  "verified",
	  "How far the apt sources of an image count. verified: an http or https location of its "
	  "distribution's own suites is used where the machine and this file name none, if the "
	  "machine's keys verify its metadata; connections to it go to public addresses only, "
	  "unless the machine's apt sources or this file name the same server. ignored: not at "
	  "all. believed: also its own keys and trusted=yes count, for fixes of that very image, "
	  "never for advisories.",
	  image_sources },
	{ "daemon", "socket", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, socket),
	  CAM_DAEMON_SOCKET,
	  "Where cambiumd listens for containerd, at most 107 bytes. The option --socket has "
	  "precedence, and so have sockets that systemd passes." },
	{ "daemon", "log_level", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, log_level), "info",
	  "What cambiumd tells: error, warning, info or debug. The option --log-level has "
	  "precedence. Read again on SIGHUP.",
	  cam_log_level_names },
	{ "daemon", "jobs", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, jobs), "2",
	  "How many images are imported and scanned at the same time, at most 64; one that takes "
	  "long "
	  "keeps no other waiting while there is a second job." },
	{ "snapshotter", "mount", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, mount), "auto",
	  "How the trees of layers become visible: erofs (a metadata image over the object store), "
	  "erofs-loop (the same through a loop device, so that a container can stack one more "
	  "overlay on its root), checkout (a tree of hard links to the objects, without the times "
	  "of files), or auto, which is erofs where the kernel can.",
	  mount_methods },
	{ "snapshotter", "adopt_after_ms", CAM_CONFIG_COUNT,
	  G_STRUCT_OFFSET(CamConfig, adopt_after), "1000",
	  "How many milliseconds containerd must have asked nothing before directories that it "
	  "unpacked itself are taken into the store." },
	{ "containerd", "address", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, containerd_address),
	  CAM_CONTAINERD_SOCKET, "The socket of containerd." },
	{ "containerd", "namespaces", CAM_CONFIG_LIST,
	  G_STRUCT_OFFSET(CamConfig, containerd_namespaces), "all",
	  "The namespaces of containerd whose images cambiumd looks after." },
	{ "containerd", "scan_on_unpack", CAM_CONFIG_BOOL,
	  G_STRUCT_OFFSET(CamConfig, scan_on_unpack), "yes",
	  "Whether an image that containerd has unpacked with this snapshotter is imported into "
	  "the store and scanned, in the background." },
	{ "policy", "gate", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, policy.gate), "off",
	  "What happens when a container is made from an image that the policy does not allow: "
	  "nothing (off), a line in the log and the label containerd.io/snapshot/cambium.policy on "
	  "its snapshot (warn), or it is refused (enforce). Containers that exist are left alone. "
	  "This group and the exceptions are read again on SIGHUP.",
	  gates },
	{ "policy", "level", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, policy.level), "high",
	  "Findings of this level and worse are not allowed: critical, high, medium, low or "
	  "unknown. Unknown names findings of unknown severity and what is worse than "
	  "scan.unknown_counts_as. A finding of unknown severity that a published version fixes "
	  "counts as scan.unknown_with_fix_counts_as says.",
	  cam_level_names },
	{ "policy", "unfixed", CAM_CONFIG_CHOICE, G_STRUCT_OFFSET(CamConfig, policy.unfixed),
	  "count",
	  "What findings without a published fix mean: they count by their severity (count), not "
	  "at all (ignore), or they count and an image is not judged unless the advisories tell of "
	  "such findings, which those from changelogs do not (require).",
	  unfixed },
	{ "policy", "never_scanned", CAM_CONFIG_CHOICE,
	  G_STRUCT_OFFSET(CamConfig, policy.never_scanned), "allow",
	  "Whether images that were never scanned, or of which something was not judged, are "
	  "allowed: allow or refuse. Packages that a group [accept NAME] names count as judged.",
	  never_scanned },
	{ "policy", "exceptions", CAM_CONFIG_TEXT,
	  G_STRUCT_OFFSET(CamConfig, policy.exceptions_file), "none",
	  "A file with further groups [exception NAME] and [accept NAME], so that who may grant "
	  "them need not be who may change the rest." },
	{ "exception NAME", "image", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamPolicyException, image),
	  NULL,
	  "Images that are allowed whatever their level: a name as containerd has it, with * for "
	  "any characters and ? for one. Where the same content has several names, an exception "
	  "for one of them is one for all." },
	{ "exception NAME", "digest", CAM_CONFIG_DIGEST,
	  G_STRUCT_OFFSET(CamPolicyException, digest), NULL,
	  "The same for one image, by the digest of its index, manifest or config. Of image and "
	  "digest one must be given; where both are, both must fit." },
	{ "exception NAME", "until", CAM_CONFIG_DATE, G_STRUCT_OFFSET(CamPolicyException, until),
	  "for ever", "The last day of the exception, as 2030-12-31, in UTC." },
	{ "exception NAME", "reason", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamPolicyException, reason),
	  NULL, "Why; it is logged whenever the exception is used." },
	{ "accept NAME", "package", CAM_CONFIG_LIST, G_STRUCT_OFFSET(CamAcceptance, packages), NULL,
	  "Packages that are accepted although no source judges them: names of source or binary "
	  "packages parted by semicolons, with * for any characters and ? for one. What a source "
	  "judges is not affected. Holds for 'cambium scan' and for the policy; reports list what "
	  "is accepted." },
	{ "accept NAME", "origin", CAM_CONFIG_LIST, G_STRUCT_OFFSET(CamAcceptance, origins), NULL,
	  "The same by who made the packages, as the image's package database says it: the field "
	  "Origin or Vendor, else Maintainer. Of package and origin one must be given; where both "
	  "are, both must fit." },
	{ "accept NAME", "until", CAM_CONFIG_DATE, G_STRUCT_OFFSET(CamAcceptance, until),
	  "for ever", "The last day of it, as 2030-12-31, in UTC." },
	{ "accept NAME", "reason", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamAcceptance, reason), NULL,
	  "Why; reports show it." },
	{ NULL },
};
