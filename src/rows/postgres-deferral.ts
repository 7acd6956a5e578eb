import type { PostgresCatalog } from './postgres-catalog.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quoted } from './sql-names.ts'
import { tableSql } from './postgres-tables.ts'

/** Foreign keys put off and triggers silenced, until `end`. */
export interface Deferral {
  /** Puts both back as they were found. Only after SET CONSTRAINTS ALL IMMEDIATE: no event may be pending. */
  end(): Promise<void>
}

const TRIGGERS = `
SELECT c.oid::regclass::text AS "table", t.tgname AS name, t.tgenabled::text AS state
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.oid = ANY($1::regclass[]) AND NOT t.tgisinternal ORDER BY t.tgname`

/** How each state of pg_trigger.tgenabled is brought back; a trigger that was off stays off. */
const ENABLING: Readonly<Record<string, string>> = { O: 'ENABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' }

/**
 * Makes every foreign key of and to these tables deferrable, and puts it off: SET CONSTRAINTS alone does nothing for an
 * ordinary one. Disables the triggers of users by name, because enabling all would switch on those that were off.
 */
export async function deferral(
  session: PostgresSession,
  catalog: PostgresCatalog,
  tables: readonly string[],
): Promise<Deferral> {
  const concerned = new Set(tables)
  const keys = catalog.foreignKeys.filter(
    ({ owner, table, deferrable }) => !deferrable && (concerned.has(owner) || concerned.has(table)),
  )
  const alter = async (table: string, change: string): Promise<void> =>
    void (await session.command(`ALTER TABLE ${tableSql(catalog, table).name} ${change}`))
  for (const { owner, name } of keys)
    await alter(owner, `ALTER CONSTRAINT ${quoted(name)} DEFERRABLE INITIALLY IMMEDIATE`)
  await session.command('SET CONSTRAINTS ALL DEFERRED')
  const found: { table: string; name: string; enable: string }[] = []
  for (const table of tables) {
    for (const { name, state } of await session.query(TRIGGERS, [[tableSql(catalog, table).name]])) {
      const enable = ENABLING[state ?? '']
      if (enable !== undefined) found.push({ table, name: String(name), enable })
    }
  }
  for (const { table, name } of found) await alter(table, `DISABLE TRIGGER ${quoted(name)}`)
  return {
    async end() {
      for (const { table, name, enable } of found) await alter(table, `${enable} TRIGGER ${quoted(name)}`)
      for (const { owner, name } of keys)
        await alter(owner, `ALTER CONSTRAINT ${quoted(name)} NOT DEFERRABLE`)
    },
  }
}
