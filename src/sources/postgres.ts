import { open } from 'node:fs/promises'
import { z } from 'zod'
import { isSealiftError } from '../errors.ts'
import type { ManifestSource } from '../manifest.ts'
import { connectPostgres, type PostgresLocation } from './postgres-connection.ts'
import { countRows, ScriptCounter } from './postgres-count.ts'
import { HEADER_SIZE, readDumpHeader } from './postgres-dump-header.ts'
import { snapshotPostgres } from './postgres-snapshot.ts'
import { findTool } from './postgres-tools.ts'
import { stream } from './process.ts'
import type { Finding, Source, SourceDriver } from './source.ts'

/** What stands in sealift.yaml beside `name` and `kind: postgres`. */
export const postgresOptions = z.strictObject({
  database: z.string().min(1).describe('The name of the database'),
  host: z.string().min(1).optional().describe('A host, or the folder of a unix socket'),
  port: z.int().min(1).max(65_535).optional().describe('5432 unless given'),
  user: z.string().min(1).optional().describe('The role that reads: it must see every row'),
  password_file: z.string().min(1).optional().describe('A file with the password of the role alone'),
  path: z.string().min(1).describe('Where a restore puts the dump'),
  timeout: z.number().positive().max(86_400).default(120).describe('Seconds to wait for a lock, at most'),
})

export interface PostgresOptions {
  readonly database: string
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  /** Absolute. */
  readonly password_file?: string | undefined
  /** Absolute. */
  readonly path: string
  /** 120 unless given. */
  readonly timeout?: number | undefined
}

/**
 * A database of a PostgreSQL server, as the server's own pg_dump sees it at one moment. The one member is the dump in
 * the custom format, named as the file that a restore makes of it: `pg_restore` brings that into a database.
 */
export const postgres: SourceDriver<PostgresOptions> = {
  kind: 'postgres',
  open: openPostgres,
  checkRestored,
  staleSidecars: () => [],
}

function openPostgres(name: string, options: PostgresOptions): Source {
  const { path, timeout = 120, password_file: passwordFile, ...address } = options
  const location: PostgresLocation = { ...address, passwordFile }
  return {
    name,
    kind: 'postgres',
    place: { path, type: 'file' },
    claims: () => [],
    async estimate(signal) {
      await using connection = await connectPostgres(name, location, signal)
      const [row] = await connection.query('SELECT pg_database_size(current_database())::text AS size')
      return Number(row?.['size'])
    },
    snapshot: (context) => snapshotPostgres({ name, location, path, timeout }, context),
    async spotCheck(sample, recorded, { signal }) {
      try {
        await using connection = await connectPostgres(name, location, signal)
        const detail = differences(recorded, await countRows(connection)).join('; ')
        return sample.map((entry) =>
          detail === ''
            ? { path: entry.path, state: 'same' }
            : { path: entry.path, state: 'changed', detail },
        )
      } catch (error) {
        if (!isSealiftError(error, 'SOURCE_UNREADABLE')) throw error
        return sample.map((entry) => ({ path: entry.path, state: 'missing', detail: error.message }))
      }
    },
  }
}

/** Lets pg_restore read the whole dump, without a database, and counts the rows of every table in what it says. */
async function checkRestored(
  path: string,
  recorded: ManifestSource,
  signal: AbortSignal,
): Promise<Finding[]> {
  await using handle = await open(path)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_SIZE), 0, HEADER_SIZE, 0)
  const header = readDumpHeader(buffer.subarray(0, bytesRead))
  if (header === undefined) return [fail('dump', `${path} is no dump in the custom format`)]
  const tool = await findTool('pg_restore', header.dumpMajor, signal)
  const counter = new ScriptCounter()
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' }
  try {
    for await (const piece of stream(tool.path, ['--data-only', '--file=-', path], { signal, env }))
      counter.push(piece as Buffer)
  } catch (error) {
    if (!isSealiftError(error, 'PROCESS_FAILED')) throw error
    return [fail('dump', error.message)]
  }
  // What extensions keep in tables of their own is dumped too, and is not counted.
  const known = Object.keys(recorded.rows ?? {})
  const wrong = differences(
    recorded,
    Object.fromEntries(Object.entries(counter.counts).filter(([table]) => known.includes(table))),
  )
  return [
    { check: 'dump', verdict: 'ok', detail: `pg_restore ${tool.version} read all of it` },
    wrong.length > 0
      ? fail('rows', wrong.join('; '))
      : { check: 'rows', verdict: 'ok', detail: `${known.length} tables have the rows that were counted` },
  ]
}

const fail = (check: string, detail: string): Finding => ({ check, verdict: 'fail', detail })

/** Against what was counted when the snapshot was taken; ten at most. */
function differences({ rows = {} }: ManifestSource, counts: Readonly<Record<string, number>>): string[] {
  const tables = [...new Set([...Object.keys(rows), ...Object.keys(counts)])].sort()
  return tables
    .filter((table) => rows[table] !== counts[table])
    .map((table) => `${table}: ${counts[table] ?? 'no'} rows, ${rows[table] ?? 'none'} were counted`)
    .slice(0, 10)
}
