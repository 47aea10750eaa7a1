-- Checksums of rows, by which a damaged one is known when it is read.
ALTER TABLE docs ADD COLUMN sum INTEGER;
UPDATE docs SET sum = row_sum(ns, pkg, name, collection, revision, updated, code, public, body);
ALTER TABLE credentials ADD COLUMN sum INTEGER;
UPDATE credentials SET sum = row_sum(uuid, subject, ns, mac, sealed, blocked);
ALTER TABLE namespace_limits ADD COLUMN sum INTEGER;
UPDATE namespace_limits SET sum = row_sum(ns, body);
