CREATE TABLE queue_new (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- readers go on behind the last they saw
	id      BLOB    NOT NULL UNIQUE,
	ns      TEXT    NOT NULL,
	state   INTEGER NOT NULL, -- 0 queued, 1 started
	token   INTEGER NOT NULL,
	until   INTEGER NOT NULL, -- ms since the epoch
	created INTEGER NOT NULL, -- ms since the epoch
	attempt INTEGER NOT NULL, -- the next one or the one under way, from 1; 0: there are no more than one
	due     INTEGER NOT NULL, -- ms since the epoch: not before; 0: at once
	code    BLOB,
	payload BLOB              -- last, so that the rest can be read without it
);
INSERT INTO queue_new (seq, id, ns, state, token, until, created, attempt, due, code, payload)
	SELECT seq, id, ns, state, token, until, created, 0, 0, code, payload FROM queue;
DELETE FROM sqlite_sequence WHERE name = 'queue_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'queue_new', seq FROM sqlite_sequence WHERE name = 'queue';
DROP TABLE queue;
ALTER TABLE queue_new RENAME TO queue;
CREATE INDEX queue_ready ON queue (ns, due, seq) WHERE state = 0;
CREATE INDEX queue_started ON queue (until) WHERE state = 1;

CREATE TABLE dead (
	seq      INTEGER PRIMARY KEY,
	id       BLOB    NOT NULL UNIQUE,
	ns       TEXT    NOT NULL,
	name     TEXT    NOT NULL, -- '[pkg/]name'
	created  INTEGER NOT NULL, -- ms since the epoch
	ended    INTEGER NOT NULL, -- ms since the epoch
	attempts INTEGER NOT NULL,
	reason   TEXT    NOT NULL,
	code     BLOB,
	payload  BLOB              -- sealed
);
CREATE INDEX dead_list ON dead (ns, ended);
CREATE INDEX dead_ended ON dead (ended);
CREATE INDEX dead_code ON dead (code) WHERE code IS NOT NULL;

CREATE TABLE leases (
	name TEXT    PRIMARY KEY,
	term INTEGER NOT NULL -- of the last leader; who it is, and until when, is not written
);
