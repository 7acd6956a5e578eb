import { isDeepStrictEqual } from 'node:util'
import type { Facts } from '../../manifest.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

/** What a restored database must show again: who issued the certificates, who is enrolled, where the chains end. */
const lasting = [
  'ca_fingerprint_sha256',
  'org_id',
  'agents_total',
  'agents_active',
  'audit_log_head',
  'local_audit_heads',
]

/**
 * Compares facts of staged data with those of its archive. Facts that the archive lacks (a foreign one has none) are
 * passed over, and so are those which only a part that is not restored could tell (`null` now).
 */
export function compareFacts(recorded: Facts, now: Facts, complete: boolean): MastioFinding[] {
  const differing = lasting.filter((name) => {
    const [before, after] = [recorded[name], now[name]]
    if (before === undefined || (after === null && !complete)) return false
    return !isDeepStrictEqual(before, after)
  })
  if (differing.length === 0) return []
  const detail = `the data is not what the archive says of it: ${differing.join(', ')} differ`
  return [finding('fail', 'facts-differ', detail)]
}
