CREATE INDEX credentials_subject ON credentials (subject, ns, uuid);

CREATE TABLE notes (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
);
