#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lying-registry.py LAYOUT PORT-FILE [LOG [CERTIFICATE]]: a registry that misbehaves in a way of
its own for each repository, and serves the images of an OCI layout in all of them; by TLS if it is
given a file with a certificate and its key.

  honest/*        as it should be; images may be pushed
  token/*         wants a bearer token, and for it the login user:secret
  anonymous/*     wants a bearer token, and gives one to everybody
  basic/*         wants the login user:secret
  cut/*           breaks every blob off after 64 KiB; honours Range
  cut-norange/*   the same, and sends everything from the beginning whatever is asked for
  dead/*          breaks every blob off before the first byte
  wrong/*         flips a bit in the middle of every large blob
  wrong-once/*    does so the first time only
  short/*         ends every large blob early and calls that its whole length
  long/*          sends one byte more
  claims/*        names a digest that its manifests do not have
  swapped/*       answers every request for a manifest by digest with another one
  busy/*          answers every first request with 429 and Retry-After
  redirect/*      sends readers of blobs to another host, which refuses credentials
  stolen/*        sends readers of blobs to another host, which asks for a login of its own
  stolen-token/*  wants a bearer token; its token server sends the login on to another host
  plain-token/*   wants a bearer token from a server on another machine, over plain http
  immutable-N/*   refuses to replace a tag with HTTP status N
  schema1/*       has a manifest of docker's first schema
"""

import base64
import hashlib
import json
import os
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

CHUNK = 64 * 1024
LARGE = 4 * 1024
LOGIN = "Basic " + base64.b64encode(b"user:secret").decode()
TOKEN = "Bearer a-token"

layout, port_file = sys.argv[1:3]
log_file = open(sys.argv[3], "a", buffering=1) if len(sys.argv) > 3 else None
state = threading.Lock()
pushed_blobs = {}
pushed_manifests = {}
pushed_tags = {}
asked = set()
corrupted = set()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def stored(digest):
    if digest in pushed_blobs:
        return pushed_blobs[digest]
    path = os.path.join(layout, "blobs", digest.replace(":", "/"))
    if not os.path.exists(path):
        return None
    with open(path, "rb") as blob:
        return blob.read()


def find_manifest(repository, reference):
    """(bytes, media type), or None."""
    key = (repository, reference)
    if key in pushed_tags:
        key = (repository, pushed_tags[key])
    if key in pushed_manifests:
        return pushed_manifests[key]
    with open(os.path.join(layout, "index.json"), "rb") as index:
        entries = json.load(index)["manifests"]
    for entry in entries:
        name = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
        if reference in (name, entry["digest"]):
            return stored(entry["digest"]), entry["mediaType"]
    return None


class Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        if log_file:
            log_file.write("%s %s %s\n" % (self.command, self.path, self.headers.get("Range", "-")))

    # ---- answers ----

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, headers=()):
        body = json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
        self.answer(status, body, headers)

    # ---- logging in ----

    def is_allowed(self, mode):
        given = self.headers.get("Authorization")
        here = "http://" + self.headers["Host"]
        if mode == "basic" and given != LOGIN:
            self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", 'Basic realm="x, y"')])
        elif mode in ("stolen-token", "plain-token") and given != TOKEN:
            realm = here + "/token?moved=1" if mode == "stolen-token" else "http://token.example.org/token"
            self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", 'Bearer realm="%s"' % realm)])
        elif mode in ("token", "anonymous") and given != TOKEN:
            challenge = 'Bearer realm="%s/token",service="here, there",scope="x"' % here
            if mode == "token":
                challenge += ', Basic realm="never"'
                challenge = challenge.replace("/token", "/token?strict=1")
            self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", challenge)])
        else:
            return True
        return False

    def give_token(self, query):
        if "strict" in query and self.headers.get("Authorization") != LOGIN:
            self.refuse(401, "UNAUTHORIZED")
        elif query.get("service") != ["here, there"] or not query["scope"][0].startswith(
            "repository:"
        ):
            self.refuse(400, "BAD_SCOPE")
        else:
            self.answer(200, b'{"access_token":"a-token","expires_in":60}')

    # ---- manifests ----

    def send_manifest(self, mode, repository, reference):
        found = find_manifest(repository, reference)
        if mode == "schema1":
            body = b'{"schemaVersion":1,"name":"x","tag":"y","fsLayers":[]}'
            found = body, "application/vnd.docker.distribution.manifest.v1+json"
        if found is None:
            return self.refuse(404, "MANIFEST_UNKNOWN")
        body, media_type = found
        digest = digest_of(body)
        if mode == "claims":
            digest = digest_of(b"something else")
        if mode == "swapped" and reference.startswith("sha256:"):
            body = body.replace(b"{", b"{ ", 1)
        headers = [("Content-Type", media_type + "; charset=utf-8"), ("Docker-Content-Digest", digest)]
        return self.answer(200, body, headers)

    def take_manifest(self, mode, repository, reference, body):
        digest = digest_of(body)
        if mode.startswith("immutable-"):
            now = find_manifest(repository, reference)
            if now and digest_of(now[0]) != digest:
                return self.refuse(int(mode.split("-")[1]), "TAG_INVALID")
        for layer in json.loads(body).get("layers", []):
            if stored(layer["digest"]) is None:
                return self.refuse(404, "MANIFEST_BLOB_UNKNOWN")
        with state:
            pushed_manifests[(repository, digest)] = body, self.headers["Content-Type"]
            if not reference.startswith("sha256:"):
                pushed_tags[(repository, reference)] = digest
        return self.answer(201, headers=[("Docker-Content-Digest", digest)])

    # ---- blobs ----

    def start_of_range(self):
        asked_range = self.headers.get("Range")
        return int(asked_range[len("bytes="):].split("-")[0]) if asked_range else 0

    def spoil(self, mode, digest, body):
        if len(body) < LARGE:
            return body
        first = (mode, digest) not in corrupted
        corrupted.add((mode, digest))
        if mode == "wrong" or (mode == "wrong-once" and first):
            middle = len(body) // 2
            return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:]
        if mode == "short":
            return body[:-100]
        if mode == "long":
            return body + b"x"
        return body

    def send_blob(self, mode, digest):
        body = stored(digest)
        if body is None:
            return self.refuse(404, "BLOB_UNKNOWN")
        if self.command == "HEAD":
            return self.answer(200, body)
        if mode in ("redirect", "stolen"):
            place = "cdn" if mode == "redirect" else "thief"
            return self.answer(307, headers=[("Location", self.elsewhere("/%s/%s" % (place, digest)))])
        body = self.spoil(mode, digest, body)
        start = 0 if mode == "cut-norange" else self.start_of_range()
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        part = body[start:]
        if mode == "dead" and len(body) >= LARGE:
            part = b""
        elif mode == "cut":
            part = part[:CHUNK]
        elif mode == "cut-norange":
            # A little further each time, or it would never end.
            self.server.patience = getattr(self.server, "patience", 0) + CHUNK
            part = part[:self.server.patience]
        self.wfile.write(part)
        if len(part) < len(body) - start:
            self.wfile.flush()
            self.close_connection = True
        return None

    # The same server under another name is another host.
    def elsewhere(self, path):
        return "http://localhost:%d%s" % (self.server.server_address[1], path)

    # What arrives here has gone astray.
    def be_the_thief(self, body=b""):
        if "Authorization" in self.headers or body:
            log_file.write("STOLEN %s %s\n" % (self.headers.get("Authorization"), body.decode()))
        challenge = 'Bearer realm="%s",service="x"' % self.elsewhere("/thief/token")
        self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", challenge)])

    def send_from_elsewhere(self, digest):
        if "Authorization" in self.headers:
            return self.refuse(400, "CREDENTIALS_LEAKED")
        return self.answer(200, stored(digest))

    # ---- requests ----

    def do_GET(self):
        url = urlparse(self.path)
        parts = url.path.strip("/").split("/")
        if parts[0] == "token":
            return self.give_token(parse_qs(url.query))
        if parts[0] == "thief":
            return self.be_the_thief()
        if parts[0] == "cdn":
            return self.send_from_elsewhere(parts[1])
        if len(parts) < 4:
            return self.answer(200, b"{}")
        mode, repository, kind, name = parts[1], "/".join(parts[1:-2]), parts[-2], parts[-1]
        if mode == "busy" and self.path not in asked:
            asked.add(self.path)
            return self.refuse(429, "TOOMANYREQUESTS", [("Retry-After", "1")])
        if mode == "redirect" and self.headers.get("Authorization") != LOGIN:
            return self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", "Basic realm=x")])
        if not self.is_allowed(mode):
            return None
        if kind == "manifests":
            return self.send_manifest(mode, repository, name)
        if kind == "blobs":
            return self.send_blob(mode, name)
        return self.refuse(404, "UNSUPPORTED")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/thief"):
            return self.be_the_thief(body)
        if self.path.startswith("/token?moved"):
            return self.answer(307, headers=[("Location", self.elsewhere("/thief/token"))])
        mode = self.path.split("/")[2]
        if self.is_allowed(mode):
            self.answer(202, headers=[("Location", "/upload/%s?state=%%2F1" % mode)])
        return None

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        url = urlparse(self.path)
        parts = url.path.strip("/").split("/")
        if parts[0] == "upload":
            query = parse_qs(url.query)
            if query["state"] != ["/1"] or query["digest"] != [digest_of(body)]:
                return self.refuse(400, "DIGEST_INVALID")
            with state:
                pushed_blobs[digest_of(body)] = body
            return self.answer(201)
        if not self.is_allowed(parts[1]):
            return None
        return self.take_manifest(parts[1], "/".join(parts[1:-2]), parts[-1], body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Registry)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as out:
    out.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
