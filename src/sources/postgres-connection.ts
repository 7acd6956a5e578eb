import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { reasonOf, SealiftError } from '../errors.ts'
import { Secret } from '../secret.ts'

/** How a database is reached; what is absent is as libpq has it without an environment. */
export interface PostgresLocation {
  readonly database: string
  /** A host, or the folder of a unix socket. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  /** A file with the password alone; a line feed at its end is not of it. */
  readonly passwordFile?: string | undefined
}

/** One connection of its own. Every value comes as the server's own text. */
export interface PostgresConnection extends AsyncDisposable {
  query(sql: string): Promise<readonly Readonly<Record<string, string | null>>[]>
}

/** What is used of a client of `pg`. */
interface Client {
  connect(): Promise<unknown>
  query(sql: string): Promise<{ readonly rows: readonly Readonly<Record<string, string | null>>[] }>
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

/** SOURCE_UNREADABLE, with the server's own words, where nobody answers, the role is refused or a statement fails. */
export async function connectPostgres(
  source: string,
  location: PostgresLocation,
  signal: AbortSignal,
): Promise<PostgresConnection> {
  signal.throwIfAborted()
  const unreadable = (error: unknown): unknown => {
    if (signal.aborted) return signal.reason
    return new SealiftError(
      'SOURCE_UNREADABLE',
      { source, path: `database ${location.database}`, reason: reasonOf(error) },
      error,
    )
  }
  const { passwordFile, ...address } = location
  const password = await passwordOf(source, passwordFile)
  const { Client } = createRequire(import.meta.url)('pg') as { Client: new (config: object) => Client }
  const client = new Client({
    ...address,
    ...(password === undefined ? {} : { password: password.reveal() }),
    application_name: 'sealift',
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
    types: { getTypeParser: () => (value: string) => value },
  })
  // A connection lost in between shows with the next statement.
  client.on('error', () => undefined)
  const abort = (): void => void client.end().catch(() => undefined)
  signal.addEventListener('abort', abort, { once: true })
  const connection: PostgresConnection = {
    async query(sql) {
      signal.throwIfAborted()
      try {
        return (await client.query(sql)).rows
      } catch (error) {
        throw unreadable(error)
      }
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', abort)
      await client.end().catch(() => undefined)
    },
  }
  try {
    await client.connect()
    return connection
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw unreadable(error)
  }
}

/** What libpq reads of its environment, so that nothing of it stands in an argument. */
export async function postgresEnvironment(
  source: string,
  location: PostgresLocation,
): Promise<Record<string, string>> {
  const { database, host, port, user, passwordFile } = location
  const password = await passwordOf(source, passwordFile)
  return {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    PGAPPNAME: 'sealift',
    PGCONNECT_TIMEOUT: '30',
    PGDATABASE: database,
    ...(host === undefined ? {} : { PGHOST: host }),
    ...(port === undefined ? {} : { PGPORT: String(port) }),
    ...(user === undefined ? {} : { PGUSER: user }),
    ...(password === undefined ? {} : { PGPASSWORD: password.reveal() }),
  }
}

async function passwordOf(source: string, file: string | undefined): Promise<Secret | undefined> {
  if (file === undefined) return undefined
  try {
    return new Secret((await readFile(file, 'utf8')).replace(/\r?\n$/, ''))
  } catch (error) {
    throw new SealiftError('SOURCE_UNREADABLE', { source, path: file, reason: reasonOf(error) }, error)
  }
}
