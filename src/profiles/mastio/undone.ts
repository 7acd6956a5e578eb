import { isSqliteError, openSnapshot } from './snapshot-database.ts'
import { sideEffects } from './side-effects.ts'
import { reasonOf } from '../../errors.ts'

/**
 * What putting one database in the place of another undoes, a sentence each; both are snapshots. One that cannot be read
 * is no error: the standing one may be why there is a restore, and of the staged one the examination says so.
 */
export function undoneBy(staged: string, standing: string): string[] {
  try {
    using older = openSnapshot(staged)
    using newer = openSnapshot(standing)
    return sentences(sideEffects(older, newer))
  } catch (error) {
    if (!isSqliteError(error)) throw error
    return [`one of the two databases cannot be read (${reasonOf(error)}): what is lost is not known`]
  }
}

function sentences(effects: ReturnType<typeof sideEffects>): string[] {
  const { revoked, enrolled, recertified, removed } = effects
  const agents = (ids: readonly string[], what: string): string[] =>
    ids.length === 0 ? [] : [`${counted(ids.length, 'agent')} ${what}: ${ids.join(', ')}`]
  const rows = (count: number, noun: string, what: string): string[] =>
    count === 0 ? [] : [`${counted(count, noun)} ${what}`]
  return [
    ...agents(revoked, 'revoked since the backup: active again'),
    ...agents(removed, 'removed since the backup: there again'),
    ...agents(enrolled, 'enrolled since the backup: unknown again, and refused with 401'),
    ...agents(recertified, 'given a new certificate since the backup: refused with 401 until enrolled again'),
    ...rows(effects.tokensRevoked, 'API token', 'revoked since the backup: valid again'),
    ...rows(effects.sessionsRevoked, 'session', 'ended since the backup: valid again'),
    ...rows(effects.auditRowsLost, 'row', 'of audit_log lost'),
    ...rows(effects.localRowsLost, 'row', 'of local_audit lost'),
  ]
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
