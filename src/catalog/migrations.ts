/**
 * The catalogue's schema, as the steps that made it: step n brings `PRAGMA user_version` from n to n + 1. A step that
 * was released is never changed; a change is a new step.
 *
 * Times are RFC 3339 in UTC. `verifications` stands apart from `archives`, so that an archive can be marked before,
 * or without, being recorded.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    verb TEXT NOT NULL,
    app TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    ok INTEGER NOT NULL,
    archive_id TEXT,
    target TEXT,
    name TEXT,
    bytes INTEGER,
    error_code TEXT,
    report TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_time ON runs (started_at);
  CREATE TABLE archives (
    archive_id TEXT NOT NULL,
    target TEXT NOT NULL,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    size INTEGER NOT NULL,
    written_at TEXT NOT NULL,
    PRIMARY KEY (archive_id, target)
  ) STRICT;
  CREATE TABLE verifications (
    archive_id TEXT NOT NULL,
    target TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (archive_id, target)
  ) STRICT;
  `,
  `
  ALTER TABLE archives ADD COLUMN verdict TEXT;
  ALTER TABLE archives ADD COLUMN facts TEXT;
  CREATE TABLE acknowledgements (
    app TEXT NOT NULL,
    value TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (app, value)
  ) STRICT;
  `,
  `
  CREATE TABLE evidence_heads (
    app TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_verb ON runs (app, verb, ok, started_at);
  `,
]
