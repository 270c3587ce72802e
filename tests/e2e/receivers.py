# SPDX-License-Identifier: Apache-2.0
"""Receivers of what sinks send. Each writes what it took, a JSON record a line, to FILE.

receivers.py syslog PORT FILE [CERT KEY]     octet counting; TLS with a certificate
receivers.py webhook PORT FILE FAILS [CERT KEY]   answers 503 so often before it takes anything
receivers.py journal SOCKET FILE
"""
import gzip
import http.server
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading


def wrap(sock, args):
    if not args:
        return sock
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args[0], args[1])
    return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)


def syslog_messages(stream):
    while True:
        length = b""
        while not length.endswith(b" "):
            byte = stream.read(1)
            if not byte:
                return
            length += byte
        text = stream.read(int(length))
        if len(text) < int(length):
            return
        yield text.decode()


def serve_syslog(conn, path):
    form = re.compile(r"^<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) picketd \d+ alert - (\{.*\})$")
    try:
        with conn.makefile("rb") as stream, open(path, "a") as out:
            for message in syslog_messages(stream):
                got = form.match(message)
                assert got, message
                assert int(got.group(1)) // 8 == 13
                out.write(json.dumps(json.loads(got.group(4))) + "\n")
                out.flush()
    except (OSError, ssl.SSLError) as e:
        print("syslog:", e, flush=True)


def syslog(port, path, *certificate):
    listener = socket.create_server(("127.0.0.1", int(port)))
    listener = wrap(listener, certificate)
    print("ready", flush=True)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve_syslog, args=(conn, path), daemon=True).start()


def webhook(port, path, fails, *certificate):
    left = [int(fails)]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            left[0] -= 1
            status = 503 if left[0] >= 0 else 200
            if self.headers.get("Authorization") != "Bearer secret":
                status = 401
            if status == 200:
                with open(path, "a") as out:
                    for record in json.loads(body):
                        out.write(json.dumps(record) + "\n")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.socket = wrap(server.socket, certificate)
    print("ready", flush=True)
    server.serve_forever()


def entry_fields(data):
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack("<Q", data[:8])
            value, data = data[8:8 + size], data[9 + size:]
        fields[name.decode()] = value.decode()
    return fields


def journal(path, out_path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    os.chmod(path, 0o666)
    print("ready", flush=True)
    with open(out_path, "a") as out:
        while True:
            data, control, _, _ = listener.recvmsg(1 << 20, 256)
            for _, _, fds in control:
                fd = struct.unpack("i", fds[:4])[0]
                data = os.pread(fd, 1 << 20, 0)
                os.close(fd)
            fields = entry_fields(data)
            if "PICKET_RECORD" not in fields:
                continue  # somebody else's
            record = json.loads(fields["PICKET_RECORD"])
            assert fields["SYSLOG_IDENTIFIER"] == "picketd" and fields["MESSAGE"] == record["message"]
            assert fields["PICKET_UID"] == record["metadata"]["uid"] and fields["PRIORITY"] in "1234567"
            out.write(json.dumps(record) + "\n")
            out.flush()


{"syslog": syslog, "webhook": webhook, "journal": journal}[sys.argv[1]](*sys.argv[2:])
