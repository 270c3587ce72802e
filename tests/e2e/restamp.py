# SPDX-License-Identifier: Apache-2.0
"""What root could do: changes an alert and writes the chain anew around it, hash after hash."""
import hashlib
import json
import sqlite3
import sys


def canonical(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE object SET json = replace(json, 'pkst-odd-t3', 'pkst-odd-xx')")
prev = "0" * 64
for seq, text in db.execute("SELECT seq, record FROM chain ORDER BY seq").fetchall():
    record = json.loads(text)
    assert canonical(record) == text, "not canonical: " + text
    row = db.execute("SELECT json FROM object WHERE seq = ?", (seq,)).fetchone()
    if row:
        record["fingerprint"]["value"] = hashlib.sha256(row[0].encode()).hexdigest()
    record["prev_event"] = prev
    text = canonical(record)
    digest = hashlib.sha256(text.encode()).digest()
    db.execute("UPDATE chain SET record = ?, hash = ? WHERE seq = ?", (text, digest, seq))
    prev = digest.hex()
db.commit()
