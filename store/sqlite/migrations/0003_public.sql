ALTER TABLE docs ADD COLUMN public INTEGER NOT NULL DEFAULT 0; -- everybody may find it in a list
CREATE INDEX docs_public ON docs (ns, updated, collection) WHERE public;
