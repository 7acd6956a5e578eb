import { createRequire } from 'node:module'
import type { Readable, Writable } from 'node:stream'
import type { Secret } from '../secret.ts'

/** How a server is reached. What is absent is as libpq has it: `PGHOST` and its kin, or the socket in its usual place. */
export interface PostgresAddress {
  /** A host, or the folder of a unix socket. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  readonly password?: Secret | undefined
  /** `true`: encrypted, and the server's certificate checked. */
  readonly tls?: boolean | undefined
}

export interface PgAnswer {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: readonly Readonly<Record<string, string | null>>[]
}

/** What is used of a client of `pg`: of its own type there is far more, and none of it comes with the package. */
export interface PgClient {
  connect(): Promise<unknown>
  query(sql: string, values?: readonly unknown[]): Promise<PgAnswer>
  query<Stream extends Readable | Writable>(stream: Stream): Stream
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

interface Driver {
  readonly Client: new (config: object) => PgClient
}

interface CopyStreams {
  to(sql: string): Readable
  from(sql: string): Writable
}

/** Not yet connected. Every value comes back as the server's own text, so that no digit and no microsecond is lost. */
export function newClient({ password, tls, ...address }: PostgresAddress): PgClient {
  const { Client } = load('pg') as Driver
  return new Client({
    ...address,
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(tls === undefined ? {} : { ssl: tls ? { rejectUnauthorized: true } : false }),
    application_name: 'sealift',
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
    types: { getTypeParser: () => (value: string) => value },
  })
}

export const copyStreams = (): CopyStreams => load('pg-copy-streams') as CopyStreams

/** Loaded when it is first needed: a run without PostgreSQL does not pay for it. */
const load = (name: string): unknown => createRequire(import.meta.url)(name)
