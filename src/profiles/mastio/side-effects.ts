import type { DatabaseSync } from 'node:sqlite'
import { agentsOf } from './agents.ts'
import type { Agent } from './agents.ts'
import { columnsOf } from './snapshot-database.ts'

/** What is undone when an older state takes the place of a newer one. Lists are of agents' ids, sorted. */
export interface SideEffects {
  /** Revoked or switched off since: they work again. */
  readonly revoked: readonly string[]
  /** Enrolled since: they are unknown again and get 401. */
  readonly enrolled: readonly string[]
  /** Given a new certificate since: it is not the pinned one any more, and they get 401. */
  readonly recertified: readonly string[]
  /** Removed since: they are there again. */
  readonly removed: readonly string[]
  /** API tokens and sessions that were revoked or removed since, and are valid again. */
  readonly tokensRevoked: number
  readonly sessionsRevoked: number
  /** Audit rows that are lost: `audit_log`, and `local_audit` for all organisations. */
  readonly auditRowsLost: number
  readonly localRowsLost: number
}

/**
 * Compares two snapshots, of which `older` is to take the place of `newer`. A live database is compared by a snapshot of
 * it: this process must not open it.
 */
export function sideEffects(older: DatabaseSync, newer: DatabaseSync): SideEffects {
  const revoked: string[] = []
  const enrolled: string[] = []
  const recertified: string[] = []
  const removed: string[] = []
  for (const [before, after] of inStep(agentsOf(older), agentsOf(newer))) {
    if (before === undefined) enrolled.push(after?.id ?? '')
    else if (after === undefined) removed.push(before.id)
    else {
      if (before.active && !after.active) revoked.push(before.id)
      if (before.pin !== after.pin) recertified.push(before.id)
    }
  }
  return {
    revoked,
    enrolled,
    recertified,
    removed,
    tokensRevoked: revokedSince(older, newer, 'user_api_tokens', 'id'),
    sessionsRevoked: revokedSince(older, newer, 'user_sessions', 'session_id'),
    auditRowsLost: rowsLost(older, newer, 'audit_log'),
    localRowsLost: rowsLost(older, newer, 'local_audit'),
  }
}

/** Pairs of agents of the same id; both sides come sorted by it. */
function* inStep(
  older: Iterator<Agent>,
  newer: Iterator<Agent>,
): Generator<readonly [Agent | undefined, Agent | undefined]> {
  let left = older.next()
  let right = newer.next()
  while (left.done !== true || right.done !== true) {
    const [a, b] = [
      left.done === true ? undefined : left.value,
      right.done === true ? undefined : right.value,
    ]
    // SQLite sorts by bytes; ids of agents are compared in the same way.
    const order =
      a === undefined ? 1 : b === undefined ? -1 : Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
    yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined]
    if (order <= 0) left = older.next()
    if (order >= 0) right = newer.next()
  }
}

/** How many rows are valid in the older state and revoked or gone in the newer one. */
function revokedSince(older: DatabaseSync, newer: DatabaseSync, table: string, key: string): number {
  if (!columnsOf(older, table).has('revoked_at') || !columnsOf(newer, table).has('revoked_at')) return 0
  const valid = "coalesce(revoked_at, '') = ''"
  const still = newer.prepare(`SELECT 1 FROM ${table} WHERE ${key} = ? AND ${valid}`)
  let count = 0
  for (const row of older.prepare(`SELECT ${key} AS id FROM ${table} WHERE ${valid}`).iterate()) {
    if (still.get(row['id'] ?? null) === undefined) count += 1
  }
  return count
}

/** Rows whose number the older state does not reach, and the rows without a number beyond those that it has. */
function rowsLost(older: DatabaseSync, newer: DatabaseSync, table: string): number {
  if (!columnsOf(newer, table).has('id')) return 0
  const last = (db: DatabaseSync): number =>
    columnsOf(db, table).has('id')
      ? Number(db.prepare(`SELECT max(id) AS n FROM ${table}`).get()?.['n'] ?? 0)
      : 0
  const count = newer.prepare(`SELECT count(*) AS n FROM ${table} WHERE id > ?`).get(last(older))
  return Number(count?.['n'])
}

/** True if the older state undoes something that somebody must know of. */
export function hasSideEffects(effects: SideEffects): boolean {
  return Object.values(effects).some((value) => (typeof value === 'number' ? value > 0 : value.length > 0))
}
