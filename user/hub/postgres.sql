-- SPDX-License-Identifier: Apache-2.0
-- The hub's database in PostgreSQL (12 or later). The hub applies this itself at its first start, if
-- its role may create a schema in the database; or somebody who may does it for that role:
--
--     psql -v ON_ERROR_STOP=1 -d picket -f hub-postgres.sql
--     GRANT USAGE ON SCHEMA picket_hub TO the_role;
--     GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA picket_hub TO the_role;
--
-- One database is one tenant's. Times are ms since the epoch. The tables are bounded by the
-- configuration of the hub (section hub), which removes what is too old or too much.
BEGIN;
CREATE SCHEMA picket_hub;
SET LOCAL search_path = picket_hub;

CREATE TABLE meta(key text PRIMARY KEY, value bigint NOT NULL);
COMMENT ON TABLE meta IS 'version of this shape; begun: when the hub opened it first';
INSERT INTO meta VALUES('version', 2);

CREATE TABLE host(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
	first bigint NOT NULL, last bigint NOT NULL, records bigint NOT NULL DEFAULT 0,
	lost bigint NOT NULL DEFAULT 0, alerts bigint NOT NULL DEFAULT 0,
	vals bigint NOT NULL DEFAULT 0, owns bigint NOT NULL DEFAULT 0,
	evicted bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
COMMENT ON TABLE host IS 'who sent alerts, by the subject they came by';
COMMENT ON COLUMN host.lost IS 'values that an alert had too many of, or of no valid form';
COMMENT ON COLUMN host.alerts IS 'rows in alert; vals, owns: in seen, own';
COMMENT ON COLUMN host.evicted IS 'rows that its quota pushed out';

CREATE TABLE refused(host bigint NOT NULL, why bigint NOT NULL, n bigint NOT NULL,
	PRIMARY KEY(host, why));
COMMENT ON TABLE refused IS 'messages that were not looked at, by host (0: none known) and cause';

CREATE TABLE alert(host bigint NOT NULL, uid text NOT NULL, seq bigint NOT NULL,
	time bigint NOT NULL, remote text NOT NULL, outbound smallint NOT NULL,
	PRIMARY KEY(host, uid));
CREATE INDEX alert_time ON alert(host, time);
CREATE INDEX alert_age ON alert(time);
COMMENT ON TABLE alert IS 'alerts that were taken, once each whatever comes again';

CREATE TABLE seen(kind smallint NOT NULL, value text NOT NULL, host bigint NOT NULL,
	first bigint NOT NULL, last bigint NOT NULL, n bigint NOT NULL, firm smallint NOT NULL,
	uid text NOT NULL, PRIMARY KEY(kind, value, host));
CREATE INDEX seen_host ON seen(host, last);
CREATE INDEX seen_age ON seen(last);
COMMENT ON TABLE seen IS 'which value was in alerts of which host';
COMMENT ON COLUMN seen.firm IS '1: an alert that nobody can have forged from elsewhere';

CREATE TABLE own(address text PRIMARY KEY, host bigint NOT NULL, last bigint NOT NULL);
CREATE INDEX own_host ON own(host, last);
COMMENT ON TABLE own IS 'whose an address is: the first host that used it';

CREATE TABLE step(src bigint NOT NULL, dst bigint NOT NULL, first bigint NOT NULL,
	last bigint NOT NULL, uid text NOT NULL, PRIMARY KEY(src, dst));
CREATE INDEX step_dst ON step(dst, first);
COMMENT ON TABLE step IS 'from one host to the next';

CREATE TABLE finding(number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL,
	told bigint NOT NULL, time bigint NOT NULL, last bigint NOT NULL, json json NOT NULL,
	said smallint NOT NULL DEFAULT 1);
CREATE INDEX finding_key ON finding(key, last);
CREATE INDEX finding_unsaid ON finding(number) WHERE said = 0;
COMMENT ON TABLE finding IS 'what was found, as OCSF';
COMMENT ON COLUMN finding.told IS 'its size when it was told last';
COMMENT ON COLUMN finding.said IS '0: it has to be printed, which a crash may have prevented';

-- How many rows a host has is kept with it, so that nothing is read to know whether it has too many.
CREATE FUNCTION host_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM picket_hub.refused WHERE host = OLD.id;
	RETURN NULL;
END $$;
CREATE TRIGGER host_gone AFTER DELETE ON host FOR EACH ROW EXECUTE FUNCTION host_gone();

CREATE FUNCTION alert_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		UPDATE picket_hub.host SET alerts = alerts + 1 WHERE id = NEW.host;
	ELSE
		UPDATE picket_hub.host SET alerts = alerts - 1 WHERE id = OLD.host;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER alert_rows AFTER INSERT OR DELETE ON alert FOR EACH ROW EXECUTE FUNCTION alert_rows();

CREATE FUNCTION seen_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		UPDATE picket_hub.host SET vals = vals + 1 WHERE id = NEW.host;
	ELSE
		UPDATE picket_hub.host SET vals = vals - 1 WHERE id = OLD.host;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER seen_rows AFTER INSERT OR DELETE ON seen FOR EACH ROW EXECUTE FUNCTION seen_rows();

CREATE FUNCTION own_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.host = NEW.host THEN
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		UPDATE picket_hub.host SET owns = owns - 1 WHERE id = OLD.host;
	END IF;
	IF TG_OP <> 'DELETE' THEN
		UPDATE picket_hub.host SET owns = owns + 1 WHERE id = NEW.host;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER own_rows AFTER INSERT OR DELETE OR UPDATE OF host ON own
	FOR EACH ROW EXECUTE FUNCTION own_rows();

-- For people and their dashboards.
CREATE VIEW findings AS SELECT number, to_timestamp(time / 1000.0) AS time,
	to_timestamp(last / 1000.0) AS last, json #>> '{finding_info,analytic,uid}' AS what,
	json ->> 'severity' AS severity, json #>> '{unmapped,picket,value}' AS value,
	(json #>> '{unmapped,picket,hosts}')::bigint AS hosts, json ->> 'message' AS message
	FROM finding;
CREATE VIEW hosts AS SELECT name, to_timestamp(first / 1000.0) AS first,
	to_timestamp(last / 1000.0) AS last, records AS alerts, lost AS values_lost, evicted,
	(SELECT coalesce(sum(n), 0) FROM refused WHERE refused.host = host.id) AS refused FROM host;
COMMIT;
