import type { EvidenceReport } from '../../src/engine/report-evidence.ts'
import { assurance } from '../../src/profiles/mastio/assurance.ts'

/** An evidence report with as much in it as a busy installation has. */
export function busyReport(more: Partial<EvidenceReport> = {}): EvidenceReport {
  const held = (age: number) => ({
    name: 'mastio-20260514T020000Z.sealift',
    id: 'a1'.repeat(16),
    created_at: '2026-05-14T02:00:00Z',
    size: 281_000_000,
    age,
    verified_at: '2026-05-14T02:01:00Z',
  })
  const target = (name: string, off_host: boolean) => ({
    target: name,
    kind: 's3',
    location: `s3://${name}`,
    off_host,
    archives: 30,
    newest: held(30_000),
    newest_verified: held(30_000),
    oldest: '2026-04-14T02:00:00Z',
  })
  const drill = (seq: number) => ({
    seq,
    time: '2026-05-02T08:30:00Z',
    target: 'yourorg-cullis-backups',
    archive: 'mastio-20260502T020000Z.sealift',
    verdict: 'ok' as const,
    seconds: 312.5,
    age: 1_036_800,
  })
  const says = 'a sentence that says on what it rests, with the number that counts and the day it is from'
  return {
    app: 'mastio',
    profile: 'Cullis Mastio (Docker Compose bundle)',
    host: 'mastio.example.org',
    as_of: '2026-05-14T10:20:00Z',
    objectives: { rpo: 86_400, rto: 900, drillEvery: 7_948_800 },
    targets: [target('local', false), target('yourorg-cullis-backups', true), target('backup-host', true)],
    last_drill: drill(17),
    drills: [17, 16, 15, 14, 13].map(drill),
    drift: [
      'source saml-keys is configured, and not in the archive',
      'the archive was written by sealift 0.1.0, and this is 0.2.0',
    ],
    chains: { state: 'ok', as_of: held(1).name, findings: [] },
    retention: 'keeps within 30 d, newest verified 7; 90 archives, the oldest of 2026-04-14',
    evidence: { records: 123, head: { seq: 123, hash: 'c3'.repeat(32) }, problems: [], notes: [] },
    versions: {
      sealift: '0.1.0',
      alembic_head: '0042_audit_log_v2',
      bundle_version: '0.4.2',
      ca_fingerprint_sha256: 'ab'.repeat(32),
      edition: 'open-core',
    },
    controls: assurance.controls.map(({ control, asks, rests_on }) => ({
      control,
      asks,
      state: 'ok' as const,
      rests_on: rests_on.map((ground) => ({ ground, state: 'ok' as const, says })),
    })),
    note: assurance.note ?? null,
    breaches: [],
    ...more,
  }
}
