import type { Assurance } from '../controls.ts'

/** The vendor's compliance table and what each of its lines rests on (mastio.md §11). */
export const assurance: Assurance = {
  controls: [
    {
      control: 'SOC 2 CC9.2',
      asks: 'encrypted off-host backup with documented frequency',
      rests_on: ['encryption', 'backups', 'off-host'],
    },
    {
      control: 'ISO 27001 A.8.13',
      asks: 'encrypted off-host backup with documented frequency',
      rests_on: ['encryption', 'backups', 'off-host', 'retention'],
    },
    {
      control: 'DORA Art. 12',
      asks: 'recovery point and recovery time defined and met',
      rests_on: ['backups', 'drills'],
    },
    {
      control: 'EU AI Act Art. 12',
      asks: 'audit log preserved, its chains verified in the archive',
      rests_on: ['chains', 'evidence'],
    },
    {
      control: 'ISO 22301',
      asks: 'recovery rehearsed, drift documented',
      rests_on: ['drills', 'drift', 'evidence'],
    },
  ],
  note: 'The mapping is that of the vendor. Auditors usually place backup under SOC 2 A1.2 and A1.3; in DORA, Art. 11 is continuity and Art. 12 is backup. Your auditor decides what counts.',
  chains: ['audit-chain', 'audit-start', 'head-lost', 'trigger-missing'],
  drift: [
    'alembic_head',
    'bundle_version',
    'edition',
    'ca_mode',
    'ca_fingerprint_sha256',
    'intermediate_fingerprint_sha256',
    'org_id',
  ],
}
