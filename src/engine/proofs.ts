import type { SealiftError } from '../errors.ts'
import type { Facts } from '../manifest.ts'
import type { Proof } from './evidence.ts'
import { subjectOf } from './evidence.ts'
import type { ArchiveSummary, BackupResult, RestoreResult } from './report.ts'

/** What a verified backup leaves in the evidence log. */
export function backupProof({ archive, members, payload_bytes, copies, verdict }: BackupResult): Proof {
  const lost = copies.some(({ ok }) => !ok)
  const details = {
    members,
    payload_bytes,
    copies: copies.map(({ target, ok }) => ({ target, ok })),
    examined: verdict ?? null,
  }
  return {
    kind: 'backup',
    subject: subjectOf(archive),
    verdict: verdict === 'fail' ? 'fail' : lost || verdict === 'attention' ? 'attention' : 'ok',
    details,
  }
}

/** What an archive that was read back whole leaves. */
export function verifyProof(archive: ArchiveSummary, members: number, payload_bytes: number): Proof {
  return { kind: 'verify', subject: subjectOf(archive), verdict: 'ok', details: { members, payload_bytes } }
}

/** What an archive leaves that could not be read back. */
export function unreadableProof(target: string, name: string, { code, message }: SealiftError): Proof {
  return { kind: 'verify', subject: { target, name }, verdict: 'fail', details: { error: { code, message } } }
}

/** What a restore leaves. */
export function restoreProof({ archive, in_place, restored, set_aside, checks }: RestoreResult): Proof {
  const found = (verdict: string): Facts[] =>
    checks.filter((one) => one.verdict === verdict).map(({ check, detail }) => ({ check, detail }))
  const [attention, failed] = [found('attention'), found('fail')]
  return {
    kind: 'restore',
    subject: subjectOf(archive),
    verdict: failed.length > 0 ? 'fail' : attention.length > 0 ? 'attention' : 'ok',
    details: {
      in_place,
      sources: restored.length,
      bytes: restored.reduce((sum, { bytes }) => sum + bytes, 0),
      set_aside: [...set_aside],
      attention,
      failed,
    },
  }
}
