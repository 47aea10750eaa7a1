CREATE TABLE alarms (
	ns       TEXT    NOT NULL, -- of the trigger
	name     TEXT    NOT NULL,
	revision INTEGER NOT NULL,
	tick     INTEGER NOT NULL, -- ms since the epoch: fired next
	due      INTEGER,          -- ms since the epoch: when to look at it; NULL: it has ended
	token    INTEGER NOT NULL, -- of the last step
	fired    INTEGER NOT NULL,
	changed  INTEGER NOT NULL, -- ms since the epoch
	status   INTEGER NOT NULL,
	reason   TEXT    NOT NULL,
	body     BLOB    NOT NULL, -- sealed
	PRIMARY KEY (ns, name)
);
CREATE INDEX alarms_due ON alarms (due) WHERE due IS NOT NULL;
