# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd's snapshots and diff services, called without generated code: python3-grpcio moves
the bytes, and the few messages that are needed are put together here.

A process of `ctr` takes longer to start than what is to be measured.
"""
import grpc

SNAPSHOTS = "/containerd.services.snapshots.v1.Snapshots/"
DIFF = "/containerd.services.diff.v1.Diff/"
# Keeps containerd's garbage collector away from what no image names.
KEEP = {"containerd.io/gc.root": "2026-01-01T00:00:00Z"}


# ---- protocol buffers ----

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def encode(fields):
    """{number: text, bytes, int, dict (a map of texts) or list of those} → a message."""
    out = b""
    for number, value in fields.items():
        if isinstance(value, dict):
            value = [encode({1: key, 2: text}) for key, text in value.items()]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, int):
                out += varint(number << 3) + varint(item)
            else:
                data = item.encode() if isinstance(item, str) else item
                out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def decode(data):
    """A message → {number: [value, …]}; texts stay bytes."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
        else:
            size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


class Client:
    """One connection to containerd (with a namespace) or to a snapshotter itself."""

    def __init__(self, socket, namespace=None):
        # A pool of its own, or all clients of a process would share one connection.
        self.channel = grpc.insecure_channel("unix:" + socket,
                                             options=[("grpc.use_local_subchannel_pool", 1)])
        self.metadata = [("containerd-namespace", namespace)] if namespace else []

    def call(self, path, fields):
        answer = self.channel.unary_unary(path)(encode(fields), metadata=self.metadata,
                                                wait_for_ready=True, timeout=600)
        return decode(answer)

    def prepare(self, snapshotter, key, parent="", labels=None):
        """The mounts, as they came."""
        answer = self.call(SNAPSHOTS + "Prepare", {1: snapshotter, 2: key, 3: parent,
                                                   4: {**KEEP, **(labels or {})}})
        return answer.get(1, [])

    def view(self, snapshotter, key, parent):
        answer = self.call(SNAPSHOTS + "View", {1: snapshotter, 2: key, 3: parent, 4: KEEP})
        return answer.get(1, [])

    def mounts(self, snapshotter, key):
        return self.call(SNAPSHOTS + "Mounts", {1: snapshotter, 2: key}).get(1, [])

    def commit(self, snapshotter, name, key, labels=None):
        self.call(SNAPSHOTS + "Commit", {1: snapshotter, 2: name, 3: key,
                                         4: {**KEEP, **(labels or {})}})

    def remove(self, snapshotter, key):
        self.call(SNAPSHOTS + "Remove", {1: snapshotter, 2: key})

    def apply(self, descriptor, mounts):
        self.call(DIFF + "Apply", {1: encode({1: descriptor["mediaType"], 2: descriptor["digest"],
                                              3: descriptor["size"]}), 2: mounts})

    def diff(self, left, right):
        """The digest of the compressed layer that makes the second of the first."""
        answer = self.call(DIFF + "Diff", {1: left, 2: right})
        return decode(answer[3][0])[2][0].decode()

    def close(self):
        self.channel.close()
