import type { PostgresConnection } from './postgres-connection.ts'

const LINE_FEED = 0x0a
/** As much of a line as tells what it is. */
const LINE_KEPT = 4096
const COPY = /^COPY (?:("(?:[^"]|"")*"|[^ ."]+)\.)("(?:[^"]|"")*"|[^ ."]+) (?:\(.*\) )?FROM stdin;$/

const TABLES = `
SELECT n.nspname || '.' || c.relname AS name, format('%I.%I', n.nspname, c.relname) AS sql
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1`

/** Rows of every table, by `schema.table`: partitions by themselves, without what extensions own. */
export async function countRows(connection: PostgresConnection): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { name, sql } of await connection.query(TABLES)) {
    const [row] = await connection.query(`SELECT count(*)::text AS n FROM ONLY ${sql}`)
    counts[name ?? ''] = Number(row?.['n'])
  }
  return counts
}

/** Counts the rows in a script of pg_restore as it comes by, in bounded memory. */
export class ScriptCounter {
  readonly counts: Record<string, number> = {}
  #table: string | undefined
  #line: Buffer = Buffer.alloc(0)

  push(piece: Buffer): void {
    let from = 0
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      this.#keep(piece.subarray(from, end))
      this.#end()
      from = end + 1
    }
    this.#keep(piece.subarray(from))
  }

  #keep(part: Buffer): void {
    if (part.length === 0 || this.#line.length >= LINE_KEPT) return
    const kept = part.subarray(0, LINE_KEPT - this.#line.length)
    this.#line = this.#line.length === 0 ? Buffer.from(kept) : Buffer.concat([this.#line, kept])
  }

  #end(): void {
    const line = this.#line
    this.#line = Buffer.alloc(0)
    if (this.#table !== undefined) {
      if (line.length === 2 && line[0] === 0x5c && line[1] === 0x2e) this.#table = undefined
      else this.counts[this.#table] = (this.counts[this.#table] ?? 0) + 1
      return
    }
    const match = line[0] === 0x43 ? COPY.exec(line.toString('utf8')) : null
    if (match === null) return
    this.#table = `${unquoted(match[1] ?? '')}.${unquoted(match[2] ?? '')}`
    this.counts[this.#table] ??= 0
  }
}

const unquoted = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
