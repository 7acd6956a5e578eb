import { SealiftError } from '../../errors.ts'
import { textOfCell } from '../../rows/cells.ts'
import type { ImportOptions } from '../../rows/transfer-import.ts'
import type { RowTransaction } from '../../rows/store.ts'

/** Backup, restore, export and import of one database exclude each other by this advisory lock (bilbycast.md §8). */
export const LOCK = 42

const HOLDERS = `
SELECT a.pid::text AS pid, coalesce(nullif(a.application_name, ''), 'a nameless program') AS program,
  to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = ${LOCK} AND l.objsubid = 1 AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** Takes lock 42 to the end of the transaction. LOCKED, at once, names who has it. */
export async function takeLock(transaction: RowTransaction): Promise<void> {
  const [answer] = await transaction.query(`SELECT pg_try_advisory_xact_lock(${LOCK})::text AS taken`)
  if (answer?.['taken'] === 'true') return
  const [holder] = await transaction.query(HOLDERS)
  const who =
    holder === undefined
      ? 'a session that has just ended'
      : `process ${holder['pid']} of the server, ${holder['program']}, since ${holder['since']}`
  throw new SealiftError('LOCKED', { app: 'the database', holder: `advisory lock ${LOCK} is held by ${who}` })
}

/** GUARD_REFUSED, with both counts, where there is more than the administrator of a new installation. */
export async function refusePopulated(transaction: RowTransaction): Promise<void> {
  const [found] = await transaction.query(
    'SELECT (SELECT count(*) FROM users)::text AS users, (SELECT count(*) FROM nodes)::text AS nodes',
  )
  const [users, nodes] = [Number(found?.['users']), Number(found?.['nodes'])]
  if (users <= 1 && nodes === 0) return
  const reason = `the database has ${users} users and ${nodes} nodes, and all of its rows would be replaced`
  throw new SealiftError('GUARD_REFUSED', { guard: 'destination-not-empty', reason })
}

/** GUARD_REFUSED where nobody could log in as an administrator afterwards. */
export async function requireAdministrator(transaction: RowTransaction): Promise<void> {
  const [found] = await transaction.query(
    "SELECT count(*)::text AS n FROM users WHERE role = 'super_admin' AND is_active",
  )
  if (found?.['n'] !== '0') return
  const reason = 'the archive has no active super_admin: nobody could administer the result'
  throw new SealiftError('GUARD_REFUSED', { guard: 'no-administrator', reason })
}

/** What became of the registration tokens of an archive. */
export interface RegistrationTokens {
  readonly change: NonNullable<ImportOptions['change']>
  /** Ids of nodes whose token had to go, in the order of the archive. */
  readonly dead: string[]
}

/**
 * Registration tokens are checked with a key of the master key and cannot be wrapped again: under another one they are
 * dead, and go. An archive that does not say which key it comes from keeps them.
 */
export function registrationTokens(archiveCheck: string | undefined, ownCheck: string): RegistrationTokens {
  const dead: string[] = []
  return {
    dead,
    change(table, columns) {
      const at = columns.indexOf('registration_token')
      if (table !== 'nodes' || at < 0 || archiveCheck === undefined || archiveCheck === ownCheck)
        return undefined
      return (row) => {
        if ((row[at] ?? 'null') === 'null') return row
        const id = row[columns.indexOf('id')] ?? 'null'
        dead.push(textOfCell(id) ?? id)
        return row.with(at, 'null')
      }
    },
  }
}
