-- compatible from: 1

-- The clock of all leases and times that Hearth's processes must agree on.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
	AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- One row: who takes the next number holds it until its commit, so that numbers
-- have no gaps and grow in the order of commits.
CREATE TABLE last_change (
	one boolean PRIMARY KEY CHECK (one),
	seq bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO last_change VALUES (true, 0);

CREATE TABLE changes (
	seq  bigint PRIMARY KEY,
	kind text   COLLATE "C" NOT NULL, -- a collection, 'credentials' or 'limits'
	key  text   COLLATE "C" NOT NULL, -- ns/[pkg/]name, a uuid, or a namespace
	at   bigint NOT NULL              -- ms since the epoch
);

CREATE TABLE docs (
	ns         text    COLLATE "C" NOT NULL,
	pkg        text    COLLATE "C" NOT NULL, -- '' is the default package
	name       text    COLLATE "C" NOT NULL,
	collection text    COLLATE "C" NOT NULL,
	revision   bigint  NOT NULL, -- changes.seq of the last write
	updated    bigint  NOT NULL, -- ms since the epoch
	code       bytea,            -- codes.digest
	public     boolean NOT NULL, -- everybody may find it in a list
	body       bytea   NOT NULL,
	PRIMARY KEY (ns, pkg, name)
);
CREATE INDEX docs_list    ON docs (ns, collection, updated DESC, pkg, name);
CREATE INDEX docs_updated ON docs (ns, updated DESC, pkg, name);
CREATE INDEX docs_public  ON docs (ns, collection, updated DESC, pkg, name) WHERE public;
CREATE INDEX docs_code    ON docs (code) WHERE code IS NOT NULL;

CREATE TABLE codes (
	digest bytea   PRIMARY KEY,
	since  bigint  NOT NULL, -- ms: when it was stored, or a document last ceased to name it
	size   integer NOT NULL
);
CREATE TABLE code_chunks (
	digest bytea   NOT NULL REFERENCES codes ON DELETE CASCADE,
	part   integer NOT NULL, -- 0, 1, …
	text   bytea   NOT NULL,
	PRIMARY KEY (digest, part)
);
ALTER TABLE code_chunks ALTER COLUMN text SET STORAGE EXTERNAL;

CREATE TABLE credentials (
	uuid    text    COLLATE "C" PRIMARY KEY,
	subject text    COLLATE "C" NOT NULL,
	ns      text    COLLATE "C" NOT NULL,
	mac     bytea,
	sealed  bytea,
	blocked boolean NOT NULL
);
CREATE INDEX credentials_ns      ON credentials (ns, subject, uuid);
CREATE INDEX credentials_subject ON credentials (subject, ns, uuid);

CREATE TABLE namespace_limits (
	ns   text COLLATE "C" PRIMARY KEY,
	body text NOT NULL -- JSON
);

CREATE TABLE notes (
	name  text  COLLATE "C" PRIMARY KEY,
	value bytea NOT NULL
);

CREATE TABLE alarms (
	ns       text    COLLATE "C" NOT NULL, -- of the trigger
	name     text    COLLATE "C" NOT NULL,
	revision bigint  NOT NULL,
	tick     bigint  NOT NULL, -- ms since the epoch: fired next
	due      bigint,           -- ms since the epoch: when to look at it; NULL: it has ended
	token    bigint  NOT NULL, -- of the last step
	fired    bigint  NOT NULL,
	changed  bigint  NOT NULL, -- ms since the epoch
	status   integer NOT NULL,
	reason   text    NOT NULL,
	body     bytea   NOT NULL, -- sealed
	PRIMARY KEY (ns, name)
);
CREATE INDEX alarms_due ON alarms (due) WHERE due IS NOT NULL;

-- Texts that stand in many rows, with the numbers that stand for them there.
CREATE TABLE spaces (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text COLLATE "C" NOT NULL UNIQUE); -- namespaces
CREATE TABLE names  (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text COLLATE "C" NOT NULL UNIQUE); -- '[pkg/]name' of records

CREATE TABLE activations (
	id    uuid    PRIMARY KEY,
	start bigint  NOT NULL, -- ms since the epoch
	space integer NOT NULL, -- spaces.id
	name  integer NOT NULL, -- names.id
	head  bytea   NOT NULL,
	body  bytea             -- result and logs
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX activations_space ON activations (space, start);
CREATE INDEX activations_name  ON activations (space, name, start);

-- A holder's lease on the queued rows that it has claimed while the lease was
-- renewed in time. One that comes too late begins another.
CREATE TABLE claims (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	holder bigint NOT NULL,
	until  bigint NOT NULL -- ms since the epoch
) WITH (fillfactor = 50);
CREATE INDEX claims_holder ON claims (holder);

CREATE SEQUENCE queue_seq AS bigint;
CREATE TABLE queue (
	id      uuid     PRIMARY KEY,
	seq     bigint   NOT NULL DEFAULT nextval('queue_seq'),
	space   integer  NOT NULL, -- spaces.id
	state   smallint NOT NULL, -- 0 queued, 1 started
	holder  bigint   NOT NULL, -- 0: nobody
	claim   bigint   NOT NULL, -- claims.id; 0: none
	token   bigint   NOT NULL, -- of the start; 0 while queued
	until   bigint   NOT NULL, -- ms: when a started row counts as broken off
	created bigint   NOT NULL, -- ms
	attempt integer  NOT NULL,
	due     bigint   NOT NULL, -- ms: not to be started before; 0: at once
	ready   bigint   NOT NULL, -- ms: since when it may start, which is how old it is to claims
	code    bytea,             -- codes.digest
	payload bytea              -- sealed
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE queue ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX queue_order ON queue (seq);
CREATE INDEX queue_free    ON queue (claim, space, ready, seq) WHERE state = 0;
CREATE INDEX queue_started ON queue (until) WHERE state = 1;

CREATE TABLE dead_letters (
	id       uuid    PRIMARY KEY,
	space    integer NOT NULL, -- spaces.id
	name     text    COLLATE "C" NOT NULL, -- of the action, '[pkg/]name'
	created  bigint  NOT NULL, -- ms
	ended    bigint  NOT NULL, -- ms
	attempts integer NOT NULL,
	reason   text    NOT NULL,
	code     bytea,            -- codes.digest
	payload  bytea             -- sealed
);
ALTER TABLE dead_letters ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX dead_letters_space ON dead_letters (space, ended, id DESC);
CREATE INDEX dead_letters_ended ON dead_letters (ended);

CREATE TABLE leaders (
	name   text   COLLATE "C" PRIMARY KEY,
	holder bigint NOT NULL, -- 0: nobody
	term   bigint NOT NULL,
	until  bigint NOT NULL  -- ms
) WITH (fillfactor = 50);

-- Bodies are compressed where that costs little.
DO $$ BEGIN
	ALTER TABLE activations ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
	ALTER TABLE activations ALTER COLUMN body SET STORAGE EXTERNAL;
END $$;
