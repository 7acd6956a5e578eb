import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { appendAudit, appendLocal, tamper } from '../../../test/support/mastio-chain.ts'
import { makeMastioDatabase } from '../../../test/support/mastio-database.ts'
import { testPki } from '../../../test/support/mastio-pki.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { auditCovered, containsHead, verifyAuditLog } from './audit-log.ts'
import { describeBreak } from './chain.ts'
import type { ChainReport } from './chain.ts'
import { containsLocalHead, localCovered, verifyLocalAudit } from './local-audit.ts'
import { openSnapshot } from './snapshot-database.ts'

const { signal } = new AbortController()
const sha256 = (text: string | null): string => hash('sha256', text ?? '', 'hex')

test('the vectors of both chains', () => {
  const timestamp = '2026-05-14T10:30:25.123456+00:00'
  const row = {
    seq: 1,
    timestamp,
    agent_id: 'acme::alice',
    action: 'tool.call',
    tool_name: null,
    status: 'success',
    detail: '{"k":"v"}',
    request_id: 'r1',
  }
  const first = sha256(auditCovered(row, 'genesis'))
  assert.equal(first, '2f33e3326ccee81a2f1535bfcf41c4502fb4920f6188314c4a98934f58a1c536')
  const next = { ...row, seq: 2, hash_format: 'v2', dpop_jkt: 'jkt1', on_behalf_of_user_id: 'u1' }
  assert.equal(
    sha256(auditCovered(next, first)),
    'db3f4377e6c22e93b33cf049ee0aa3786012706570a09b002c4bb565fc4ae25b',
  )
  const local = {
    id: 7,
    timestamp,
    event_type: 'session.open',
    agent_id: 'a',
    session_id: null,
    org_id: 'acme',
    result: 'ok',
    details: '{"i":0}',
    seq: 1,
    peer_org_id: null,
  }
  const v2 = sha256(localCovered({ ...local, hash_format: 'v2' }, null))
  assert.equal(v2, '35212b26bc8fc6567657051bef0e48dc31b7a41325b54a5582cdc93ff32a40e0')
  assert.equal(
    sha256(localCovered(local, null)),
    '21a79c19164f837610b38a055d32bf1e88232169543e576f3f47763cc46d4e7e',
  )
  assert.equal(localCovered({ ...local, seq: null }, 'p'), `7|${timestamp}|session.open|a||acme|ok|{"i":0}|p`)
  const bare = localCovered({ ...local, timestamp: '2026-05-14T10:30:25' }, null)
  assert.match(bare ?? '', /^7\|2026-05-14T10:30:25\+00:00\|/)
  assert.equal(auditCovered({ ...row, hash_format: 'v3' }, ''), null)
})

type Chains = { audit: ChainReport; local: ReadonlyMap<string, ChainReport> }

/** Both chains of a database that `change` was let loose on. */
async function verified(
  change: (db: DatabaseSync) => void,
  options: Partial<Parameters<typeof makeMastioDatabase>[1]> = {},
): Promise<Chains> {
  await using folder = await testFolder()
  const path = folder.join('mcp_proxy.db')
  makeMastioDatabase(path, { pki: testPki(), auditRows: 30, local: { acme: 9, zeta: 4 }, ...options })
  {
    using db = new DatabaseSync(path)
    change(db)
  }
  using db = openSnapshot(path)
  return { audit: await verifyAuditLog(db, signal), local: await verifyLocalAudit(db, signal) }
}

test('chains of v1 and v2 rows verify, one for each organisation, and rows without a number are counted', async () => {
  const { audit, local } = await verified((db) => {
    db.exec("INSERT INTO audit_log (timestamp, action) VALUES ('2026-05-14T10:30:25+00:00', 'old')")
    appendAudit(db, { count: 5, format: 'v2' })
    appendAudit(db, { count: 5, format: 'v1' })
    appendLocal(db, { count: 3, org: '__system__', format: 'v2' })
  })
  assert.equal(audit.firstBreak, null)
  assert.deepEqual(
    { ...audit.head, row_hash: '' },
    { first_seq: 1, max_seq: 40, row_hash: '', chained: 40, unchained: 1 },
  )
  assert.match(audit.head?.row_hash ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(
    [...local].map(([org, { head, firstBreak }]) => [org, head?.max_seq, firstBreak]),
    [
      ['__system__', 3, null],
      ['acme', 9, null],
      ['zeta', 4, null],
    ],
  )
})

test('rows of an older head, without the newer columns, verify as v1', async () => {
  const { audit } = await verified(
    (db) => {
      const covered = '1|t|a|x||ok|d|r|genesis'
      db.prepare(
        `INSERT INTO audit_log (timestamp, agent_id, action, status, detail, request_id, chain_seq, prev_hash, row_hash)
         VALUES ('t', 'a', 'x', 'ok', 'd', 'r', 1, 'genesis', ?)`,
      ).run(sha256(covered))
    },
    { head: '0037_audit_dev_attest' },
  )
  assert.equal(audit.firstBreak, null)
  assert.equal(audit.head?.chained, 1)
})

test('an empty log has no head and no break', async () => {
  const { audit, local } = await verified(() => {}, { auditRows: 0, local: {} })
  assert.deepEqual(audit, { head: null, firstBreak: null, missing: 0, gaps: [] })
  assert.equal(local.size, 0)
})

const damages: [string, string, Partial<ChainReport>][] = [
  [
    'a changed field of a v1 row',
    "UPDATE audit_log SET detail = 'x' WHERE chain_seq = 7",
    { firstBreak: { kind: 'hash', seq: 7 } },
  ],
  [
    'a changed field of a v2 row',
    "UPDATE audit_log SET dpop_jkt = 'x' WHERE chain_seq = 9",
    { firstBreak: { kind: 'hash', seq: 9 } },
  ],
  [
    'a changed number of the format',
    "UPDATE audit_log SET hash_format = 'v9' WHERE chain_seq = 5",
    { firstBreak: { kind: 'format', seq: 5 } },
  ],
  [
    'a changed hash',
    "UPDATE audit_log SET row_hash = 'x' WHERE chain_seq = 11",
    { firstBreak: { kind: 'hash', seq: 11 } },
  ],
  [
    'a row that is gone',
    'DELETE FROM audit_log WHERE chain_seq = 20',
    { firstBreak: { kind: 'gap', seq: 20 }, missing: 1, gaps: [[20, 20]] },
  ],
  [
    'rows that are gone in two places',
    'DELETE FROM audit_log WHERE chain_seq IN (4, 5, 6, 12)',
    {
      firstBreak: { kind: 'gap', seq: 4 },
      missing: 4,
      gaps: [
        [4, 6],
        [12, 12],
      ],
    },
  ],
  [
    'a first row that follows something',
    "UPDATE audit_log SET prev_hash = 'x' WHERE chain_seq = 1",
    { firstBreak: { kind: 'link', seq: 1 } },
  ],
  [
    'a number that is none',
    "UPDATE audit_log SET chain_seq = 'many' WHERE id = 30",
    { firstBreak: { kind: 'sequence', seq: null, id: 30 } },
  ],
]
for (const [what, sql, expected] of damages) {
  test(`${what} is a break, named with its number`, async () => {
    const { audit } = await verified((db) => tamper(db, sql))
    for (const [key, value] of Object.entries(expected))
      assert.deepEqual(audit[key as keyof ChainReport], value, key)
    assert.notEqual(audit.firstBreak, null)
    if (audit.firstBreak !== null) assert.match(describeBreak(audit.firstBreak), /\d/)
  })
}

test('a row that was put in with a hash of its own does not follow the row before it', async () => {
  const { audit } = await verified((db) =>
    tamper(
      db,
      `UPDATE audit_log SET prev_hash = 'x', hash_format = 'v1', agent_id = NULL, action = NULL,
      tool_name = NULL, status = NULL, detail = NULL, request_id = NULL, timestamp = NULL,
      row_hash = '${sha256('8||||||||x')}' WHERE chain_seq = 8`,
    ),
  )
  assert.deepEqual(audit.firstBreak, { kind: 'link', seq: 8 })
})

test('a start at 2 is told by the head, and is no break', async () => {
  const { audit } = await verified((db) => tamper(db, 'DELETE FROM audit_log WHERE chain_seq = 1'))
  assert.equal(audit.firstBreak, null)
  assert.equal(audit.head?.first_seq, 2)
})

test('columns that no hash covers may change', async () => {
  const { audit } = await verified((db) =>
    tamper(db, "UPDATE audit_log SET duration_ms = 9, device_attestation = 'x', effective_tier = 'y'"),
  )
  assert.equal(audit.firstBreak, null)
})

test('a break in one organisation is not one in another; a changed row without a number is named by its id', async () => {
  const { local } = await verified((db) => {
    tamper(db, "UPDATE local_audit SET result = 'denied' WHERE org_id = 'zeta' AND chain_seq = 3")
    tamper(db, "INSERT INTO local_audit (id, org_id, timestamp, entry_hash) VALUES (99, 'acme', 't', 'x')")
  })
  assert.deepEqual(local.get('zeta')?.firstBreak, { kind: 'hash', seq: 3 })
  assert.deepEqual(local.get('acme')?.firstBreak, { kind: 'hash', seq: null, id: 99 })
  assert.equal(local.get('acme')?.head?.unchained, 1)
})

test('a head is found again in a chain that has grown, and not in one that was cut or computed anew', async () => {
  await using folder = await testFolder()
  const path = folder.join('mcp_proxy.db')
  makeMastioDatabase(path, { pki: testPki(), auditRows: 10 })
  const heads = async (): Promise<Chains> => {
    using db = openSnapshot(path)
    return { audit: await verifyAuditLog(db, signal), local: await verifyLocalAudit(db, signal) }
  }
  const { audit, local } = await heads()
  const [head, localHead] = [audit.head, local.get('acme')?.head]
  assert.ok(head && localHead)
  const found = (): boolean[] => {
    using db = openSnapshot(path)
    return [
      containsHead(db, head),
      containsLocalHead(db, 'acme', localHead),
      containsLocalHead(db, 'other', localHead),
    ]
  }
  const change = (sql: string): void => {
    using db = new DatabaseSync(path)
    if (sql === '') {
      appendAudit(db, { count: 3 })
      appendLocal(db, { count: 3 })
    } else tamper(db, sql)
  }
  change('')
  assert.deepEqual(found(), [true, true, false])
  change('DELETE FROM audit_log WHERE chain_seq >= 10; DELETE FROM local_audit WHERE chain_seq >= 5')
  assert.deepEqual(found(), [false, false, false])
  change('')
  assert.deepEqual(found(), [true, true, false], 'the same rows were written again')
  change("DELETE FROM audit_log WHERE chain_seq >= 10; UPDATE audit_log SET row_hash = 'x'")
  {
    using db = new DatabaseSync(path)
    appendAudit(db, { count: 3 })
  }
  assert.deepEqual(found(), [false, true, false])
})

test('an aborted signal ends the verification of many rows', async () => {
  await using folder = await testFolder()
  const path = folder.join('mcp_proxy.db')
  makeMastioDatabase(path, { pki: testPki(), auditRows: 5001 })
  using db = openSnapshot(path)
  await assert.rejects(verifyAuditLog(db, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
})

test('two rows of one number, which a database allows where no organisation is named, are a break', async () => {
  const { local } = await verified((db) => {
    const insert = db.prepare("INSERT INTO local_audit (id, timestamp, chain_seq) VALUES (?, 't', 1)")
    for (const id of [900, 901]) insert.run(id)
  })
  const report = local.get('__system__')
  assert.equal(report?.head?.chained, 2)
  assert.equal(report.missing, 0)
  assert.notEqual(report.firstBreak, null)
})
