import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

import { SealiftError, reasonOf } from '../errors.ts'
import type { Facts, Warning } from '../manifest.ts'
import type { Unusable } from './database.ts'
import type { EvidenceHead } from './evidence-record.ts'
import { isDamage, openDatabase, openInMemory, setAside } from './database.ts'

/** One execution of a verb. Times are RFC 3339 in UTC; `report` is the verb's own report, as JSON holds it. */
export interface RunRecord {
  readonly id: string
  readonly verb: string
  readonly app: string
  readonly started_at: string
  readonly finished_at: string
  readonly ok: boolean
  readonly archive_id?: string
  readonly target?: string
  readonly name?: string
  readonly bytes?: number
  readonly error_code?: string
  readonly report: unknown
}

/** An archive at a target. `created_at` is the archive's own time, `written_at` when it came to this target. */
export interface ArchiveRecord {
  readonly archive_id: string
  readonly app: string
  readonly target: string
  readonly name: string
  readonly created_at: string
  readonly size: number
  readonly written_at: string
  /** What the profile's examination came to; absent where nothing was examined. */
  readonly verdict?: 'ok' | 'attention' | 'fail'
  /** The application's facts as the manifest has them; absent where there are none. */
  readonly facts?: Facts
}

/** How long, and how many, runs are remembered. */
const runDays = 90
const mostRuns = 10_000

/** A change that the operator knows of: no backup asks again. */
export interface Acknowledgement {
  readonly value: string
  readonly at: string
  readonly reason: string
}

/**
 * Opens the catalogue, made if it is missing. It is a cache, and never a reason not to back up or restore: a damaged
 * file, or one with a newer schema, is renamed to `<path>.corrupt-<time>` or `.newer-<time>` and a new one begun; where
 * no file can be opened at all, the catalogue lasts as long as this process. `warnings` says so. The caller disposes it.
 */
export function openCatalog(path: string, now: () => Date = () => new Date()): Catalog {
  const warnings: Warning[] = []
  return new Catalog(path, openOrBegin(path, now, warnings), now, warnings)
}

/** A catalogue without a file, gone when it is disposed. */
export function catalogInMemory(): Catalog {
  return new Catalog(':memory:', openInMemory(), () => new Date(), [])
}

/**
 * What runs and archives have shown. Several processes use one file at once. Each method throws IO_FAILED if the file
 * cannot be read or written; a file that turns out to be damaged is set aside as by `openCatalog`, and the method
 * works on a new one.
 */
export class Catalog implements Disposable {
  readonly path: string
  readonly #now: () => Date
  readonly #warnings: Warning[]
  #database: DatabaseSync

  constructor(path: string, database: DatabaseSync, now: () => Date, warnings: Warning[]) {
    this.path = path
    this.#database = database
    this.#now = now
    this.#warnings = warnings
  }

  /** What had to be given up to go on: codes `catalog-set-aside` and `catalog-unavailable`. It may grow. */
  get warnings(): readonly Warning[] {
    return this.#warnings
  }

  /** Records a run, in the place of an earlier record with its id. */
  recordRun(run: RunRecord): void {
    this.#run(
      'record a run in',
      `INSERT OR REPLACE INTO runs VALUES
       ($id, $verb, $app, $started_at, $finished_at, $ok, $archive_id, $target, $name, $bytes, $error_code, $report)`,
      {
        $id: run.id,
        $verb: run.verb,
        $app: run.app,
        $started_at: run.started_at,
        $finished_at: run.finished_at,
        $ok: run.ok ? 1 : 0,
        $archive_id: run.archive_id ?? null,
        $target: run.target ?? null,
        $name: run.name ?? null,
        $bytes: run.bytes ?? null,
        $error_code: run.error_code ?? null,
        $report: JSON.stringify(run.report ?? null),
      },
    )
    this.#forgetOldRuns(run.started_at)
  }

  /** The newest run of an application that fits. One that was refused because another was at work is none. */
  lastRun(app: string, which: { readonly verb?: string; readonly ok?: boolean } = {}): RunRecord | undefined {
    const sql = `SELECT * FROM runs WHERE app = $app AND ($verb IS NULL OR verb = $verb)
      AND ($ok IS NULL OR ok = $ok)
      AND error_code IS NOT 'LOCKED' ORDER BY started_at DESC, rowid DESC LIMIT 1`
    const ok = which.ok === undefined ? null : Number(which.ok)
    const [row] = this.#run('read', sql, { $app: app, $verb: which.verb ?? null, $ok: ok })
    return row === undefined ? undefined : runOf(row)
  }

  /** Restores stay: they say why a chain forks. So does the last success of each verb of an application. */
  #forgetOldRuns(newest: string): void {
    const cutoff = new Date(Date.parse(newest) - runDays * 86_400_000).toISOString()
    const sql = `DELETE FROM runs WHERE verb <> 'restore'
      AND (started_at < $cutoff
        OR rowid IN (SELECT rowid FROM runs ORDER BY started_at DESC, rowid DESC LIMIT -1 OFFSET $most))
      AND NOT EXISTS (SELECT 1 FROM (SELECT rowid AS last FROM runs AS other
        WHERE other.app = runs.app AND other.verb = runs.verb AND other.ok = 1
        ORDER BY started_at DESC, rowid DESC LIMIT 1) WHERE last = runs.rowid)`
    this.#run('forget old runs in', sql, { $cutoff: cutoff, $most: mostRuns })
  }

  /** The newest runs, newest first. */
  recentRuns(limit: number): RunRecord[] {
    const sql = 'SELECT * FROM runs ORDER BY started_at DESC, rowid DESC LIMIT $limit'
    return this.#run('read', sql, { $limit: limit }).map(runOf)
  }

  /** Records that an archive is at a target, in the place of an earlier record of it. */
  recordArchive(archive: ArchiveRecord): void {
    this.#run(
      'record an archive in',
      `INSERT OR REPLACE INTO archives VALUES
       ($archive_id, $target, $app, $name, $created_at, $size, $written_at, $verdict, $facts)`,
      {
        $archive_id: archive.archive_id,
        $target: archive.target,
        $app: archive.app,
        $name: archive.name,
        $created_at: archive.created_at,
        $size: archive.size,
        $written_at: archive.written_at,
        $verdict: archive.verdict ?? null,
        $facts: archive.facts === undefined ? null : JSON.stringify(archive.facts),
      },
    )
  }

  /** Records that an archive was read back whole from a target. The archive need not be recorded itself. */
  markVerified(mark: { readonly archive_id: string; readonly target: string; readonly at: Date }): void {
    const sql = 'INSERT OR REPLACE INTO verifications VALUES ($archive_id, $target, $at)'
    const { archive_id, target, at } = mark
    this.#run('record a verification in', sql, {
      $archive_id: archive_id,
      $target: target,
      $at: at.toISOString(),
    })
  }

  /** Takes back that an archive was verified at a target: it no longer reads as it did. */
  unmarkVerified(archive_id: string, target: string): void {
    const sql = 'DELETE FROM verifications WHERE archive_id = $archive_id AND target = $target'
    this.#run('record a verification in', sql, { $archive_id: archive_id, $target: target })
  }

  /** When the archive was last verified at this target. */
  verified(archive_id: string, target: string): Date | undefined {
    const sql = 'SELECT at FROM verifications WHERE archive_id = $archive_id AND target = $target'
    const [row] = this.#run('read', sql, { $archive_id: archive_id, $target: target })
    return row === undefined ? undefined : new Date(text(row['at']))
  }

  /** The archives of an application that are known to be at this target, newest first by their own times. */
  archivesAt(app: string, target: string): ArchiveRecord[] {
    const sql = `SELECT * FROM archives WHERE app = $app AND target = $target
      ORDER BY created_at DESC, written_at DESC`
    return this.#run('read', sql, { $app: app, $target: target }).map(archiveOf)
  }

  /**
   * The newest recorded archive of an application, by the archive's own time, that was verified at this target. One
   * that its examination failed does not count.
   */
  newestVerified(app: string, target: string): ArchiveRecord | undefined {
    const sql = `SELECT archives.* FROM archives JOIN verifications USING (archive_id, target)
      WHERE app = $app AND target = $target AND NOT EXISTS (SELECT 1 FROM archives AS failed
        WHERE failed.archive_id = archives.archive_id AND failed.verdict = 'fail')
      ORDER BY created_at DESC, written_at DESC LIMIT 1`
    const [row] = this.#run('read', sql, { $app: app, $target: target })
    return row === undefined ? undefined : archiveOf(row)
  }

  /** The newest recorded archive of an application with facts, at any target, that its examination did not fail. */
  predecessor(app: string): ArchiveRecord | undefined {
    const sql = `SELECT * FROM archives WHERE app = $app AND facts IS NOT NULL AND verdict <> 'fail'
      ORDER BY created_at DESC, written_at DESC, rowid DESC LIMIT 1`
    const [row] = this.#run('read', sql, { $app: app })
    return row === undefined ? undefined : archiveOf(row)
  }

  /** The record of an archive at any target, one with facts before one without. */
  archive(archive_id: string): ArchiveRecord | undefined {
    const sql = 'SELECT * FROM archives WHERE archive_id = $archive_id ORDER BY facts IS NULL LIMIT 1'
    const [row] = this.#run('read', sql, { $archive_id: archive_id })
    return row === undefined ? undefined : archiveOf(row)
  }

  /** Whether a restore of the application to its own places ended well after this moment (RFC 3339). */
  restoredSince(app: string, moment: string): boolean {
    const sql = `SELECT 1 FROM runs WHERE app = $app AND verb = 'restore' AND finished_at >= $moment
      AND json_extract(report, '$.in_place') LIMIT 1`
    return this.#run('read', sql, { $app: app, $moment: moment }).length > 0
  }

  /** Records that the operator knows of a changed value, in the place of an earlier word on it. */
  acknowledge(app: string, { value, at, reason }: Acknowledgement): void {
    const sql = 'INSERT OR REPLACE INTO acknowledgements VALUES ($app, $value, $at, $reason)'
    this.#run('record an acknowledgement in', sql, { $app: app, $value: value, $at: at, $reason: reason })
  }

  /** All that the operator acknowledged of an application, oldest first. */
  acknowledged(app: string): Acknowledgement[] {
    const sql = 'SELECT * FROM acknowledgements WHERE app = $app ORDER BY at, value'
    return this.#run('read', sql, { $app: app }).map((row) => ({
      value: text(row['value']),
      at: text(row['at']),
      reason: text(row['reason']),
    }))
  }

  /** The last record of an application's evidence log, as it was when it was written. */
  evidenceHead(app: string): EvidenceHead | undefined {
    const sql = 'SELECT seq, hash FROM evidence_heads WHERE app = $app'
    const [row] = this.#run('read', sql, { $app: app })
    return row === undefined ? undefined : { seq: Number(row['seq']), hash: text(row['hash']) }
  }

  /** Remembers the head of an evidence log, so that a cut tail or a log made anew shows. */
  rememberEvidence(app: string, { seq, hash }: EvidenceHead, at: Date): void {
    // Of two runs the one that appended first may come here last. A log that begins anew begins at the front.
    const sql = `INSERT INTO evidence_heads VALUES ($app, $seq, $hash, $at)
      ON CONFLICT (app) DO UPDATE SET seq = $seq, hash = $hash, at = $at WHERE $seq > seq OR $seq <= 2`
    this.#run('remember evidence in', sql, { $app: app, $seq: seq, $hash: hash, $at: at.toISOString() })
  }

  /** Forgets an archive that is no longer at the target. */
  forget(archive_id: string, target: string): void {
    for (const table of ['verifications', 'archives']) {
      const sql = `DELETE FROM ${table} WHERE archive_id = $archive_id AND target = $target`
      this.#run('forget an archive in', sql, { $archive_id: archive_id, $target: target })
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #run(operation: string, sql: string, values: Record<string, string | number | null>): Row[] {
    try {
      try {
        return this.#database.prepare(sql).all(values)
      } catch (error) {
        if (!isDamage(error) || this.path === ':memory:') throw error
      }
      this.#database.close()
      this.#warnings.push(...asideWarning(this.path, 'corrupt', this.#now))
      this.#database = openOrBegin(this.path, this.#now, this.#warnings)
      return this.#database.prepare(sql).all(values)
    } catch (error) {
      throw new SealiftError('IO_FAILED', { path: this.path, operation, reason: reasonOf(error) }, error)
    }
  }
}

type Row = Record<string, SQLOutputValue>

function openOrBegin(path: string, now: () => Date, warnings: Warning[]): DatabaseSync {
  try {
    const first = openDatabase(path)
    if (typeof first !== 'string') return first
    warnings.push(...asideWarning(path, first, now))
    const second = openDatabase(path)
    if (typeof second !== 'string') return second
    throw new Error(`it is ${second} again after it was set aside`)
  } catch (error) {
    const message = `the catalog ${path} cannot be used (${reasonOf(error)}): this run is not recorded in it`
    warnings.push({ code: 'catalog-unavailable', path, message })
    return openInMemory()
  }
}

function asideWarning(path: string, why: Unusable, now: () => Date): Warning[] {
  const aside = setAside(path, why, now())
  if (aside === undefined) return []
  const what = why === 'corrupt' ? 'is damaged' : 'was written by a newer version of Sealift'
  const message = `the catalog ${path} ${what}: it was set aside as ${aside} and a new one begun`
  return [{ code: 'catalog-set-aside', path, message }]
}

function runOf(row: Row): RunRecord {
  return {
    id: text(row['id']),
    verb: text(row['verb']),
    app: text(row['app']),
    started_at: text(row['started_at']),
    finished_at: text(row['finished_at']),
    ok: row['ok'] === 1,
    ...(row['archive_id'] === null ? {} : { archive_id: text(row['archive_id']) }),
    ...(row['target'] === null ? {} : { target: text(row['target']) }),
    ...(row['name'] === null ? {} : { name: text(row['name']) }),
    ...(row['bytes'] === null ? {} : { bytes: Number(row['bytes']) }),
    ...(row['error_code'] === null ? {} : { error_code: text(row['error_code']) }),
    report: JSON.parse(text(row['report'])),
  }
}

function archiveOf(row: Row): ArchiveRecord {
  return {
    archive_id: text(row['archive_id']),
    app: text(row['app']),
    target: text(row['target']),
    name: text(row['name']),
    created_at: text(row['created_at']),
    size: Number(row['size']),
    written_at: text(row['written_at']),
    ...(row['verdict'] === null
      ? {}
      : { verdict: text(row['verdict']) as NonNullable<ArchiveRecord['verdict']> }),
    ...(row['facts'] === null ? {} : { facts: JSON.parse(text(row['facts'])) as Facts }),
  }
}

/** STRICT tables hold the type that the migrations gave a column. */
function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`a text was expected and ${typeof value} found`)
  return value
}
