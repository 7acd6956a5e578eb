import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rowsSuite, type RowsUnderTest } from '../../test/suites/rows.ts'
import { sqliteStore } from './sqlite.ts'

async function fresh(): Promise<RowsUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-rows-'))
  const path = join(folder, 'app.db')
  const other = new DatabaseSync(path, { timeout: 1000 })
  other.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
  return {
    store: sqliteStore({ path, timeoutMs: 1000 }),
    exec: async (sql) => other.exec(sql),
    texts: async (sql) => {
      const statement = other.prepare(sql)
      statement.setReadBigInts(true)
      return statement
        .all()
        .map((row) => Object.values(row).map((value) => (value === null ? null : String(value))))
    },
    async [Symbol.asyncDispose]() {
      other.close()
      await rm(folder, { recursive: true })
    },
  }
}

rowsSuite('sqlite', fresh, {
  counter: 'id integer PRIMARY KEY AUTOINCREMENT',
  trigger: [
    "CREATE TRIGGER meddle AFTER INSERT ON child BEGIN UPDATE child SET note = 'meddled' WHERE id = new.id; END",
  ],
  definitions: 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name',
  values: [
    ['', '9007199254740993'],
    ['', '-9223372036854775808'],
    ['', '0.1'],
    ['', '1.0'],
    ['', '1e300'],
    ['', '5e-324'],
    ['', '-0.0'],
    ['', '9e999'],
    ['', '-9e999'],
    ['', "''"],
    ['', "'12'"],
    ['text', "'tab\there' || char(10) || '\\ \\N é 🐎'"],
    ['', "'a' || char(0) || 'b'"],
    ['', "x'00ff10'"],
    ['', "x''"],
    ['', "CAST(x'41ff42' AS TEXT)"],
    ['', 'char(0xfffd)'],
    ['', "char(0xfeff) || 'bom'"],
    ['', `'{"b": 1, "a":2}'`],
    ['numeric', "'1e1000'"],
    ['real', '3'],
    ['blob', "'text in a blob column'"],
    ['integer', "'not a number'"],
    ['date', "'2026-04-27'"],
  ],
})
