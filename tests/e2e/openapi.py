#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls made from the API's own document: for each operation right, boundary and malformed values.
Each answer must be one that the document has: its status, its type, its body by its schema; a
problem for each error; and no 5xx but a documented 503 (what this host has not, as a store).

openapi.py SOCKET [--seed N] [--rounds N]: HTTP on the unix socket.
openapi.py URL --cacert F --cert F --key F [...]: over TLS; the rate limit is waited for.
Prints a line for each finding, and how many calls found nothing; exits 1 on findings.
"""
import argparse
import http.client
import json
import random
import socket
import ssl
import sys
import time
import urllib.parse

LONG = "a" * 5000


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("picket", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def connector(args):
    if not args.target.startswith("https:"):
        return lambda: UnixConnection(args.target)
    url = urllib.parse.urlsplit(args.target)
    context = ssl.create_default_context(cafile=args.cacert)
    context.load_cert_chain(args.cert, args.key)
    return lambda: http.client.HTTPSConnection(url.hostname, url.port, timeout=20, context=context)


class Api:
    """The document, and the server it is about."""

    def __init__(self, args):
        self.connect = connector(args)
        self.random = random.Random(args.seed)
        status, _, body = self.call("GET", "/v1/openapi.json", {}, None, False)
        if status != 200:
            sys.exit("no document: %d" % status)
        self.doc = json.loads(body)

    def resolve(self, node):
        while "$ref" in node:
            at = self.doc
            for key in node["$ref"][2:].split("/"):
                at = at[key]
            node = at
        return node

    def call(self, method, path, heads, body, stream):
        for _ in range(50):
            c = self.connect()
            try:
                c.request(method, path, body=body, headers=heads)
                r = c.getresponse()
                if r.status == 429:
                    r.read()
                    time.sleep(0.2)
                    continue
                if stream and r.status == 200:
                    return r.status, dict(r.getheaders()), b""
                return r.status, dict(r.getheaders()), r.read()
            finally:
                c.close()
        sys.exit("429 without an end")


def lower(heads):
    return {k.lower(): v for k, v in heads.items()}


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def mismatch(api, schema, value, at="$"):
    """What is wrong with value, or None. As much of JSON Schema as the document uses."""
    schema = api.resolve(schema)
    unknown = set(schema) - {
        "type", "properties", "required", "items", "enum", "additionalProperties", "minimum", "maximum",
        "minLength", "maxLength", "pattern", "description", "default", "example"}
    if unknown:
        return "%s: keywords that are not checked: %s" % (at, unknown)
    names = schema.get("type", [])
    names = names if isinstance(names, list) else [names]
    if names and not any(is_type(value, n) for n in names):
        return "%s is not of type %s: %.80r" % (at, names, value)
    if "enum" in schema and value not in schema["enum"]:
        return "%s: %.80r is none of %s" % (at, value, schema["enum"])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            return "%s: %s is out of range" % (at, value)
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                return "%s has no %s" % (at, name)
        for name, member in value.items():
            if name in schema.get("properties", {}):
                why = mismatch(api, schema["properties"][name], member, at + "." + name)
                if why:
                    return why
            elif schema.get("additionalProperties") is False:
                return "%s: %s is not documented" % (at, name)
    if isinstance(value, list) and "items" in schema:
        for i, member in enumerate(value):
            why = mismatch(api, schema["items"], member, "%s[%d]" % (at, i))
            if why:
                return why
    return None


def right(api, schema, example=None):
    schema = api.resolve(schema)
    if example is not None:
        return example
    if "example" in schema:
        return schema["example"]
    if "enum" in schema:
        return api.random.choice(schema["enum"])
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in ("integer", "number"):
        return schema.get("default", schema.get("minimum", 1))
    if kind == "boolean":
        return api.random.choice([True, False])
    if kind == "array":
        return [right(api, schema.get("items", {}))]
    if kind == "object":
        return {k: right(api, v) for k, v in schema.get("properties", {}).items()
                if k in schema.get("required", []) or api.random.random() < 0.3}
    return api.random.choice(["x", "tcp", "10.0.0.1", "1"])


def odd_texts(api, schema):
    """Values of a parameter that stand at the edge of what is right, or beyond it."""
    schema = api.resolve(schema)
    values = ["", "0", "-1", "1.5", "1e3", "0x10", "x" * 64, LONG, "%", "%zz", "%00", "%0a", "a\x7f", "\u00e4", "\U0001f600",
              "'\"<>;--", "../../etc/passwd", "nan", "null", "[]", "{}", "18446744073709551616", "-9223372036854775809"]
    for bound in ("minimum", "maximum"):
        if bound in schema:
            values += [str(schema[bound] + d) for d in (-1, 0, 1)]
    return values


def odd_values(api, schema):
    """The same of a member of a body."""
    return [None, True, 0, -1, 2**63, 1e308, "", "x", LONG, "\u0000", "\u00e4\u202e", [], [[]], {}, {"a": {}}, ["x"] * 1000]


class Call:
    def __init__(self, path, method, op):
        self.path, self.method, self.op = path, method, op
        self.query, self.parts, self.body, self.heads = {}, {}, None, {}
        self.raw_query = None

    def url(self):
        path = self.path
        for name, value in self.parts.items():
            path = path.replace("{%s}" % name, urllib.parse.quote(str(value), safe=""))
        if self.raw_query is not None:
            return path + "?" + self.raw_query
        return path + ("?" + urllib.parse.urlencode(self.query) if self.query else "")


def body_schema(api, op):
    content = op.get("requestBody", {}).get("content", {})
    media = next(iter(content), None)
    return (media, content[media]) if media else (None, None)


def fresh(api, path, method, op, optional):
    """A call with values that are right; of those that may be left out, a part (optional: 0 to 1)."""
    c = Call(path, method, op)
    for p in op.get("parameters", []):
        p = api.resolve(p)
        if p["in"] == "path":
            c.parts[p["name"]] = right(api, p["schema"], p.get("example"))
        elif p["in"] == "query" and (p.get("required") or api.random.random() < optional):
            c.query[p["name"]] = right(api, p["schema"], p.get("example"))
        elif p["in"] == "header" and api.random.random() < optional:
            c.heads[p["name"]] = str(right(api, p["schema"], p.get("example")))
    media, content = body_schema(api, op)
    if media == "application/json":
        c.body = json.dumps(right(api, content["schema"], content.get("example"))).encode()
    elif media:
        c.body = content.get("example", "").encode()
    if media:
        c.heads["Content-Type"] = media
    return c


def malformed_bodies(api, op):
    media, content = body_schema(api, op)
    yield b""
    yield b"\xff\xfe\x00"
    yield b"{" * 3000
    yield b"x" * 70000
    if media != "application/json":
        yield b"not a list at all \x01\n" * 10
        yield b"\x1f\x8b" + b"\x00" * 50
        yield b"\x28\xb5\x2f\xfd" + b"\xff" * 50
        return
    good = right(api, content["schema"], content.get("example"))
    text = json.dumps(good)
    yield text[:-1].encode()
    yield (text + text).encode()
    yield b'{"x":1,"x":2}'
    yield b"[" * 3000
    for other in ([], "x", 1, None, {"no_such_member": 1}):
        yield json.dumps(other).encode()
    for name, schema in api.resolve(content["schema"]).get("properties", {}).items():
        for value in odd_values(api, schema):
            yield json.dumps(dict(good, **{name: value})).encode()


def calls(api, path, method, op, rounds):
    ends = op.get("x-ends-agent")
    for i in range(0 if ends else rounds):
        yield fresh(api, path, method, op, i / max(1, rounds - 1))
    for p in op.get("parameters", []):
        p = api.resolve(p)
        for value in odd_texts(api, p["schema"]):
            c = fresh(api, path, method, op, 0)
            if p["in"] == "path":
                c.parts[p["name"]] = value
            elif p["in"] == "query":
                c.query[p["name"]] = value
            else:
                c.heads[p["name"]] = value.encode("ascii", "replace").decode().replace("\x7f", "?")
            yield c
    for raw in ("no_such_parameter=1", "=", "&&&", "%", "%zz=1", "a", "limit=1&limit=2", "filter=%00", LONG + "=1"):
        if ends and raw in ("&&&", "="):
            continue
        c = fresh(api, path, method, op, 0)
        c.raw_query = raw
        yield c
    if ends:
        return
    for body in malformed_bodies(api, op):
        c = fresh(api, path, method, op, 0)
        c.body = body
        yield c


def judge(api, c, status, heads, body):
    """What is wrong with an answer, or None."""
    documented = c.op["responses"]
    if str(status) not in documented:
        # of any operation: a path that is none any more by its odd part; what libevent refuses
        if status not in (400, 404, 405, 413):
            return "status %d is not documented" % status
        answer = api.resolve({"$ref": "#/components/responses/Bad"})
    else:
        answer = api.resolve(documented[str(status)])
    if status >= 500 and status != 503:
        return "status %d" % status
    kind = heads.get("content-type", "").split(";")[0]
    content = answer.get("content", {})
    if status == 304 or c.method == "head":
        return "a body" if body else None
    if kind not in content:
        return "type %r is none of %s" % (kind, list(content))
    for name, head in answer.get("headers", {}).items():
        head = api.resolve(head)
        if head.get("required") and name.lower() not in heads:
            return "no header %s" % name
    if "json" not in kind or kind.endswith("ndjson"):
        return None
    try:
        value = json.loads(body)
    except ValueError as e:
        return "not JSON: %s" % e
    why = mismatch(api, content[kind]["schema"], value)
    if not why and status >= 400 and value["status"] != status:
        why = "the problem says %s" % value["status"]
    return why


def main():
    a = argparse.ArgumentParser()
    a.add_argument("target")
    a.add_argument("--cacert")
    a.add_argument("--cert")
    a.add_argument("--key")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--rounds", type=int, default=6)
    a.add_argument("--part", type=float, default=1.0, help="so many of the calls, chosen at random")
    api = Api(a.parse_args())
    args = a.parse_args()
    n, found, by = 0, 0, {}
    for path, item in api.doc["paths"].items():
        for method, op in item.items():
            stream = any(t != "application/json" for t in api.resolve(next(r for s, r in sorted(op["responses"].items()) if s[0] == "2"))["content"])
            for c in calls(api, path, method, op, args.rounds):
                if api.random.random() >= args.part:
                    continue
                try:
                    status, heads, body = api.call(method.upper(), c.url(), c.heads, c.body, stream)
                    why = judge(api, c, status, lower(heads), body)
                except (OSError, http.client.HTTPException) as e:
                    # a body that is refused early may meet a closed connection
                    status, why = 0, None if c.body and len(c.body) > 60000 else "no answer: %r" % e
                n += 1
                by[status] = by.get(status, 0) + 1
                if why:
                    found += 1
                    print("%s %.200s body %.100r: %d: %s" % (method.upper(), c.url(), c.body, status, why))
    print("%d calls, %d findings; by status: %s" % (n, found, dict(sorted(by.items()))))
    return 1 if found or not n else 0


if __name__ == "__main__":
    sys.exit(main())
