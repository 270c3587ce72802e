-- SPDX-License-Identifier: Apache-2.0
-- The hub's database in SQLite: a file, made by the hub at its first start. Times are ms since the
-- epoch. Tables and columns are those of postgres.sql beside this, which says what they hold.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;

CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE host(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
	first INTEGER NOT NULL, last INTEGER NOT NULL, records INTEGER NOT NULL DEFAULT 0,
	lost INTEGER NOT NULL DEFAULT 0, alerts INTEGER NOT NULL DEFAULT 0,
	vals INTEGER NOT NULL DEFAULT 0, owns INTEGER NOT NULL DEFAULT 0,
	evicted INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE refused(host INTEGER NOT NULL, why INTEGER NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY(host, why)) STRICT, WITHOUT ROWID;
CREATE TRIGGER host_gone AFTER DELETE ON host BEGIN
	DELETE FROM refused WHERE host = old.id;
END;

CREATE TABLE alert(host INTEGER NOT NULL, uid TEXT NOT NULL, seq INTEGER NOT NULL,
	time INTEGER NOT NULL, remote TEXT NOT NULL, outbound INTEGER NOT NULL,
	PRIMARY KEY(host, uid)) STRICT, WITHOUT ROWID;
CREATE INDEX alert_time ON alert(host, time);
CREATE INDEX alert_age ON alert(time);

CREATE TABLE seen(kind INTEGER NOT NULL, value TEXT NOT NULL, host INTEGER NOT NULL,
	first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL, firm INTEGER NOT NULL,
	uid TEXT NOT NULL, PRIMARY KEY(kind, value, host)) STRICT, WITHOUT ROWID;
CREATE INDEX seen_host ON seen(host, last);
CREATE INDEX seen_age ON seen(last);

CREATE TABLE own(address TEXT PRIMARY KEY, host INTEGER NOT NULL, last INTEGER NOT NULL)
	STRICT, WITHOUT ROWID;
CREATE INDEX own_host ON own(host, last);

CREATE TABLE step(src INTEGER NOT NULL, dst INTEGER NOT NULL, first INTEGER NOT NULL,
	last INTEGER NOT NULL, uid TEXT NOT NULL, PRIMARY KEY(src, dst)) STRICT, WITHOUT ROWID;
CREATE INDEX step_dst ON step(dst, first);

CREATE TABLE finding(number INTEGER PRIMARY KEY, key TEXT NOT NULL, told INTEGER NOT NULL,
	time INTEGER NOT NULL, last INTEGER NOT NULL, json TEXT NOT NULL,
	said INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE INDEX finding_key ON finding(key, last);
CREATE INDEX finding_unsaid ON finding(number) WHERE said = 0;

-- How many rows a host has is kept with it, so that nothing is read to know whether it has too many.
CREATE TRIGGER alert_in AFTER INSERT ON alert BEGIN
	UPDATE host SET alerts = alerts + 1 WHERE id = new.host;
END;
CREATE TRIGGER alert_out AFTER DELETE ON alert BEGIN
	UPDATE host SET alerts = alerts - 1 WHERE id = old.host;
END;
CREATE TRIGGER seen_in AFTER INSERT ON seen BEGIN
	UPDATE host SET vals = vals + 1 WHERE id = new.host;
END;
CREATE TRIGGER seen_out AFTER DELETE ON seen BEGIN
	UPDATE host SET vals = vals - 1 WHERE id = old.host;
END;
CREATE TRIGGER own_in AFTER INSERT ON own BEGIN
	UPDATE host SET owns = owns + 1 WHERE id = new.host;
END;
CREATE TRIGGER own_out AFTER DELETE ON own BEGIN
	UPDATE host SET owns = owns - 1 WHERE id = old.host;
END;
CREATE TRIGGER own_moved AFTER UPDATE OF host ON own WHEN old.host <> new.host BEGIN
	UPDATE host SET owns = owns - 1 WHERE id = old.host;
	UPDATE host SET owns = owns + 1 WHERE id = new.host;
END;

PRAGMA user_version = 2;
COMMIT;
