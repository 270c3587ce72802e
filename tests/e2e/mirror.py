#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server of static files over HTTPS, and some that are no good.

mirror.py ADDRESS PORT CERT KEY DIR LOG [CLIENT-CA]: serves the files of DIR with their ETag. One
line of LOG for each request: path, status, bytes of the answer, time.
"""
import hashlib
import http.server
import os
import ssl
import sys
import time

address, port, cert, key, root, log = sys.argv[1:7]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status, n):
        with open(log, "a") as f:
            f.write(f"{self.path} {status} {n} {time.time():.3f}\n")

    def answer(self, status, body=b"", **heads):
        self.send_response(status)
        for name, value in heads.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.note(status, len(body))

    def endless(self, **heads):
        self.send_response(200)
        for name, value in heads.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        n = 0
        try:
            while n < 1 << 26:
                n += self.wfile.write(b"1" * 65536)
        except OSError:
            pass
        self.note(200, n)
        self.close_connection = True

    def do_GET(self):
        if self.path == "/to-http":
            return self.answer(302, Location=f"http://{address}:{port}/drop")
        if self.path == "/to-https":
            return self.answer(302, Location=f"https://{address}:{port}/drop")
        if self.path == "/round":
            return self.answer(302, Location=f"https://{address}:{port}/round")
        if self.path == "/endless":
            return self.endless()
        if self.path == "/long":
            return self.endless(Content_Length=1 << 40)
        if self.path == "/heads":
            return self.answer(200, **{f"X_{i}": "x" * 4000 for i in range(40)})
        if self.path == "/busy":
            return self.answer(503, b"no", Retry_After=3600)
        if self.path == "/slow":
            time.sleep(30)
            return self.answer(200)
        try:
            with open(os.path.join(root, os.path.basename(self.path)), "rb") as f:
                body = f.read()
        except OSError:
            return self.answer(404, b"nothing here")
        tag = '"' + hashlib.sha256(body).hexdigest() + '"'
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, ETag=tag)
        return self.answer(200, body, ETag=tag)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(cert, key)
if len(sys.argv) > 7:
    tls.load_verify_locations(sys.argv[7])
    tls.verify_mode = ssl.CERT_REQUIRED
server = Server((address, int(port)), Handler)
server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
