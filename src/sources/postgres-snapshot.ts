import { once } from 'node:events'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { SealiftError } from '../errors.ts'
import type { Facts } from '../manifest.ts'
import {
  connectPostgres,
  postgresEnvironment,
  type PostgresConnection,
  type PostgresLocation,
} from './postgres-connection.ts'
import { countRows } from './postgres-count.ts'
import { isDump } from './postgres-dump-header.ts'
import { findTool, type PostgresTool } from './postgres-tools.ts'
import { stream } from './process.ts'
import type { Snapshot, SourceContext } from './source.ts'

export interface PostgresDatabase {
  readonly name: string
  readonly location: PostgresLocation
  /** Where a restore puts the dump: absolute. */
  readonly path: string
  /** Seconds to wait for a lock. */
  readonly timeout: number
}

/**
 * A database at one moment: what pg_dump writes and what is counted come from the same exported snapshot. The dump goes
 * from the program straight to the reader, uncompressed, since the archive compresses; no file holds it. The versions of
 * program and server are compared first.
 */
export async function snapshotPostgres(
  { name, location, path, timeout }: PostgresDatabase,
  context: SourceContext,
): Promise<Snapshot> {
  const { signal } = context
  const connection = await connectPostgres(name, location, signal)
  try {
    const server = await serverOf(connection)
    const tool = await findTool('pg_dump', server.major, signal)
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    // Rows that a policy hides are an error, for pg_dump too, and not a gap.
    await connection.query('SET LOCAL row_security = off; SET LOCAL idle_in_transaction_session_timeout = 0')
    const [exported] = await connection.query('SELECT pg_export_snapshot() AS id')
    const takenAt = context.now()
    const rows = await countRows(connection)
    const facts = await factsOf(connection)
    const env = await postgresEnvironment(name, location)
    const dumps: Readable[] = []
    return {
      takenAt,
      async *members() {
        signal.throwIfAborted()
        yield {
          path: basename(path),
          type: 'file',
          mode: 0o600,
          // The same data gives the same member; when it was taken stands in the manifest.
          mtimeMs: 0,
          uid: 0,
          gid: 0,
          content: () => {
            const args = [`--snapshot=${exported?.['id'] ?? ''}`, `--lock-wait-timeout=${timeout * 1000}`]
            const dump = startDump(tool, args, env, signal)
            dumps.push(dump)
            return checked(name, dump)
          },
        }
      },
      describe: () => ({
        facts,
        versions: { server: server.version, pg_dump: tool.version },
        rows,
        warnings: [],
      }),
      async [Symbol.asyncDispose]() {
        for (const dump of dumps.splice(0)) {
          if (dump.closed) continue
          const closed = once(dump, 'close')
          dump.on('error', () => undefined).destroy()
          await closed
        }
        await connection[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

function startDump(
  tool: PostgresTool,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Readable {
  const whole = ['--format=custom', '--compress=0', '--no-password', ...args]
  return stream(tool.path, whole, { signal, env, refuseEmpty: true })
}

/** SNAPSHOT_FAILED, before anything is given on, for output that is no dump. */
async function* checked(source: string, dump: Readable): AsyncGenerator<Buffer, void, undefined> {
  let begun = false
  for await (const piece of dump as AsyncIterable<Buffer>) {
    // The program writes its head at once, in one piece.
    if (!begun && !isDump(piece))
      throw new SealiftError('SNAPSHOT_FAILED', { source, reason: 'pg_dump wrote no dump' })
    begun = true
    yield piece
  }
}

export async function serverOf(
  connection: PostgresConnection,
): Promise<{ readonly version: string; readonly major: number }> {
  const [row] = await connection.query(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number",
  )
  return { version: row?.['version'] ?? '', major: Math.floor(Number(row?.['number']) / 10_000) }
}

async function factsOf(connection: PostgresConnection): Promise<Facts> {
  const [row] = await connection.query(`
    SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collation,
      (SELECT count(*)::text FROM pg_largeobject_metadata) AS large_objects,
      (SELECT coalesce(json_agg(extname || ' ' || extversion ORDER BY extname), '[]')::text FROM pg_extension) AS extensions
    FROM pg_database WHERE datname = current_database()`)
  return {
    encoding: row?.['encoding'] ?? null,
    collation: row?.['collation'] ?? null,
    large_objects: Number(row?.['large_objects']),
    extensions: JSON.parse(row?.['extensions'] ?? '[]') as string[],
  }
}
