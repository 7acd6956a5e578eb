import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  copyStreams,
  newClient,
  type PgAnswer,
  type PgClient,
  type PostgresAddress,
} from './postgres-driver.ts'
import { FromServer, postgresFailure } from './postgres-failure.ts'

/** What makes the text of every value the same on every server, and readable without loss. */
const SETTINGS = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmloption: 'content',
  lc_monetary: 'C',
  // A filtered read becomes an error instead of a silent gap.
  row_security: 'off',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
} as const

/** One connection of its own, never a pooled one. An abort ends it, and with it what runs on it. */
export class PostgresSession implements AsyncDisposable {
  /** What it is called in errors: no password in it. */
  readonly name: string
  readonly signal: AbortSignal
  readonly #client: PgClient
  readonly #abort = (): void => void this.#client.end().catch(() => undefined)

  private constructor(name: string, client: PgClient, signal: AbortSignal) {
    this.name = name
    this.#client = client
    this.signal = signal
    // Whoever waits for an answer hears of it; a connection lost in between shows with the next question.
    client.on('error', () => undefined)
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  /** DATABASE_UNAVAILABLE where nobody answers, or the role is refused. */
  static async open(address: PostgresAddress, signal: AbortSignal): Promise<PostgresSession> {
    signal.throwIfAborted()
    const name = `database ${address.database ?? address.user ?? 'of the environment'}`
    const session = new PostgresSession(name, newClient(address), signal)
    try {
      await session.#answer('connecting', session.#client.connect())
      for (const [setting, value] of Object.entries(SETTINGS))
        await session.query('SELECT set_config($1, $2, false)', [setting, value])
      return session
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<PgAnswer['rows']> {
    return (await this.command(sql, values)).rows
  }

  async command(sql: string, values: readonly unknown[] = []): Promise<PgAnswer> {
    return this.#answer('a statement', this.raw(sql, values))
  }

  /** As `command`, and throws FromServer with the server's own error as its cause. */
  async raw(sql: string, values: readonly unknown[] = []): Promise<PgAnswer> {
    this.signal.throwIfAborted()
    try {
      return await (values.length === 0 ? this.#client.query(sql) : this.#client.query(sql, values))
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : new FromServer(error)
    }
  }

  /** What `COPY … TO STDOUT` gives. Whoever stops early ends the session. */
  async *copyOut(sql: string): AsyncGenerator<Buffer, void, undefined> {
    this.signal.throwIfAborted()
    const stream = this.#client.query(copyStreams().to(sql))
    let ended = false
    try {
      for await (const piece of stream) yield piece as Buffer
      ended = true
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : this.failure('reading rows', error)
    } finally {
      if (!ended) await this.#client.end().catch(() => undefined)
    }
  }

  /**
   * Feeds `COPY … FROM STDIN`. An error of the pieces comes out as it is, the server's as FromServer. After one the
   * session is only good for being disposed.
   */
  async copyIn(sql: string, pieces: AsyncIterable<string>): Promise<void> {
    const { signal } = this
    signal.throwIfAborted()
    const own: { error?: unknown } = {}
    const source = pieces[Symbol.asyncIterator]()
    // Without a `throw`: a failure of the server would come in again through the pieces.
    const watched: AsyncIterator<string> = {
      async next() {
        try {
          return await source.next()
        } catch (error) {
          own.error = error
          throw error
        }
      },
      return: async () => (await source.return?.()) ?? { done: true, value: undefined },
    }
    const input = Readable.from(
      { [Symbol.asyncIterator]: () => watched },
      { objectMode: true, highWaterMark: 1 },
    )
    const stream = this.#client.query(copyStreams().from(sql))
    try {
      await pipeline(input, stream, { signal })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw 'error' in own ? own.error : new FromServer(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal.removeEventListener('abort', this.#abort)
    // The server undoes what was not committed.
    await this.#client.end().catch(() => undefined)
  }

  failure(operation: string, error: unknown): unknown {
    return postgresFailure(this.name, operation, error)
  }

  async #answer<T>(operation: string, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (this.signal.aborted) throw this.signal.reason
      throw this.failure(operation, error instanceof FromServer ? error.cause : error)
    }
  }
}
