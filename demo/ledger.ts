import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

const first = '0'.repeat(64)

/**
 * The demo application's database: notes, each with a hash over the one before it, and their number in another table,
 * both written in one transaction. So a copy shows by itself whether it is of one moment, and a lost row shows too.
 */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 10_000 })
  }

  create(): void {
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE notes (id INTEGER PRIMARY KEY, written_at TEXT NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL);
      CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
      INSERT INTO totals VALUES ('notes', 0);`)
  }

  /** Commits `count` more notes as one transaction; the id of the last of them. */
  write(count: number): number {
    this.#db.exec('BEGIN IMMEDIATE')
    const last = this.#db.prepare('SELECT id, hash FROM notes ORDER BY id DESC LIMIT 1').get()
    let id = Number(last?.['id'] ?? 0)
    let hash = String(last?.['hash'] ?? first)
    const insert = this.#db.prepare('INSERT INTO notes VALUES (?, ?, ?, ?)')
    for (let left = count; left > 0; left -= 1) {
      id += 1
      const text = `Note ${id}: the kettle was on at ${(id * 7) % 24}:${String((id * 13) % 60).padStart(2, '0')}`
      hash = chained(hash, id, text)
      insert.run(id, new Date().toISOString(), text, hash)
    }
    this.#db.prepare("UPDATE totals SET value = value + ? WHERE name = 'notes'").run(count)
    this.#db.exec('COMMIT')
    return id
  }

  /** Reads everything. `flaws` is empty where the notes are 1 to `rows` without a gap, and all else agrees. */
  audit(): { rows: number; flaws: string[] } {
    const flaws: string[] = []
    const integrity = this.#db.prepare('PRAGMA integrity_check').get()?.['integrity_check']
    if (integrity !== 'ok') flaws.push(`integrity_check: ${String(integrity)}`)
    let rows = 0
    let hash = first
    for (const row of this.#db.prepare('SELECT id, text, hash FROM notes ORDER BY id').iterate()) {
      rows += 1
      hash = chained(hash, rows, String(row['text']))
      if (row['id'] === rows && row['hash'] === hash) continue
      flaws.push(`note ${rows} is missing or was changed`)
      break
    }
    const total = this.#db.prepare("SELECT value FROM totals WHERE name = 'notes'").get()?.['value']
    if (total !== rows) flaws.push(`the table totals says ${String(total)} notes, and there are ${rows}`)
    return { rows, flaws }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

function chained(before: string, id: number, text: string): string {
  return createHash('sha256').update(`${before} ${id} ${text}`).digest('hex')
}
