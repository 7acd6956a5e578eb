import type { DatabaseSync } from 'node:sqlite'
import type { Facts, FactValue } from '../../manifest.ts'
import type { Predecessor } from '../examination.ts'
import { containsHead } from './audit-log.ts'
import type { ChainHead } from './chain.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { containsLocalHead } from './local-audit.ts'

/** Compares a snapshot with the previous backup: its heads must be in the chains, its CA must be the same. */
export function checkPredecessor(
  db: DatabaseSync,
  now: { readonly fingerprint: string | null; readonly firstSeq: number | null },
  { facts, restoredSince, acknowledged }: Predecessor,
): MastioFinding[] {
  const found: MastioFinding[] = []
  const head = headIn(facts['audit_log_head'])
  const lost = lostHeads(db, facts)
  if (lost.length > 0 && !restoredSince) {
    const detail = `history rewritten or database replaced: ${lost.join(', ')} of the previous backup is gone`
    found.push(finding('fail', 'head-lost', detail))
  }
  if (head !== undefined && now.firstSeq !== null && now.firstSeq > head.first_seq && !restoredSince) {
    const detail = `audit_log began at row ${head.first_seq} in the previous backup and begins at row ${now.firstSeq} now`
    found.push(finding('attention', 'audit-start', detail))
  }
  const before = facts['ca_fingerprint_sha256']
  if (
    typeof before === 'string' &&
    now.fingerprint !== before &&
    !acknowledged.includes(now.fingerprint ?? '')
  ) {
    const detail = `the Org CA changed from ${before} to ${now.fingerprint ?? 'none'}, and nobody acknowledged it`
    found.push(finding('attention', 'ca-changed', detail))
  }
  return found
}

/** The heads that facts name and a database does not have: a row of that number with that hash is gone. */
export function lostHeads(db: DatabaseSync, facts: Facts): string[] {
  const head = headIn(facts['audit_log_head'])
  const lost: string[] = []
  if (head !== undefined && !containsHead(db, head)) lost.push(`audit_log row ${head.max_seq}`)
  for (const [org, value] of Object.entries(objectIn(facts['local_audit_heads']))) {
    const local = headIn(value)
    if (local !== undefined && !containsLocalHead(db, org, local)) {
      lost.push(`local_audit row ${local.max_seq} of ${org}`)
    }
  }
  return lost
}

/** The head that a fact holds, if it holds one. */
export function headIn(value: FactValue | undefined): ChainHead | undefined {
  const { first_seq, max_seq, row_hash, chained, unchained } = objectIn(value)
  if (typeof max_seq !== 'number' || typeof row_hash !== 'string' || typeof first_seq !== 'number')
    return undefined
  return { first_seq, max_seq, row_hash, chained: Number(chained ?? 0), unchained: Number(unchained ?? 0) }
}

export function objectIn(value: FactValue | undefined): Readonly<Record<string, FactValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, FactValue>>)
    : {}
}
