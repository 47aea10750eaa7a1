CREATE TABLE changes (
	seq  INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
	kind TEXT    NOT NULL,                  -- a collection, 'credentials' or 'limits'
	key  TEXT    NOT NULL,                  -- ns/[pkg/]name, a uuid, or a namespace
	at   INTEGER NOT NULL                   -- ms since the epoch
);

CREATE TABLE docs (
	ns         TEXT    NOT NULL,
	pkg        TEXT    NOT NULL, -- '' is the default package
	name       TEXT    NOT NULL,
	collection TEXT    NOT NULL,
	revision   INTEGER NOT NULL, -- changes.seq of the last write
	updated    INTEGER NOT NULL, -- ms since the epoch
	code       BLOB,             -- codes.digest
	body       BLOB    NOT NULL,
	PRIMARY KEY (ns, pkg, name)
);
CREATE INDEX docs_list ON docs (ns, updated, collection);
CREATE INDEX docs_code ON docs (code) WHERE code IS NOT NULL;

CREATE TABLE codes (
	digest BLOB    PRIMARY KEY,
	since  INTEGER NOT NULL, -- ms: when it was stored, or a document last ceased to name it
	text   BLOB    NOT NULL
);

CREATE TABLE credentials (
	uuid    TEXT    PRIMARY KEY,
	subject TEXT    NOT NULL,
	ns      TEXT    NOT NULL,
	mac     BLOB,
	sealed  BLOB,
	blocked INTEGER NOT NULL
);
CREATE INDEX credentials_ns ON credentials (ns, uuid);

CREATE TABLE namespace_limits (
	ns   TEXT PRIMARY KEY,
	body TEXT NOT NULL -- JSON
);

CREATE TABLE spaces (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE); -- namespaces of records
CREATE TABLE names  (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE); -- '[pkg/]name' of records

CREATE TABLE activations (
	seq   INTEGER PRIMARY KEY,
	id    BLOB    NOT NULL UNIQUE, -- 16 bytes
	space INTEGER NOT NULL,        -- spaces.id
	name  INTEGER NOT NULL,        -- names.id
	start INTEGER NOT NULL,        -- ms since the epoch
	head  BLOB    NOT NULL,
	body  BLOB                     -- result and logs; last, so that lists need not read it
);
CREATE INDEX activations_space ON activations (space, start);
CREATE INDEX activations_name  ON activations (space, name, start);

CREATE TABLE queue (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- readers go on behind the last they saw
	id      BLOB    NOT NULL UNIQUE,
	ns      TEXT    NOT NULL,
	state   INTEGER NOT NULL, -- 0 queued, 1 started
	token   INTEGER NOT NULL,
	until   INTEGER NOT NULL,
	created INTEGER NOT NULL,
	code    BLOB,
	payload BLOB
);
