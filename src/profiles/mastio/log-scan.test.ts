import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { scanLog } from './log-scan.ts'

const { signal } = new AbortController()
const failing = [
  'Self-signed Org CA generated',
  'Org CA not found via KMS provider',
  'Mastio Intermediate CA minted',
  'Org CA subject mismatch',
  'failed to decrypt org_ca',
  'cannot be decrypted with the current',
  'ADR-014 nginx server cert provisioning failed',
  'AUDIT_CHAIN_UNHEALTHY',
  'rotation state inconsistent at boot',
  'rotation state corrupt at boot',
  'signing halted',
  'Traceback',
]
const warning = [
  'SSL_do_handshake() failed',
  'Org CA on-disk vs DB mismatch',
  'Legacy plaintext PKI rows detected',
]
const good = [
  'Org Root cert cached (cold private key) — CN=acme CA',
  'Mastio identity loaded (ca + active key)',
  'nginx server cert reused',
]

/** As a JSON line of the application: what is not ASCII is escaped. */
function json(message: string): string {
  const text = JSON.stringify({ level: 'INFO', event: { message }, n: 1 })
  return text.replaceAll(
    /[^\u0020-\u007e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

async function scan(...lines: string[]): Promise<string[]> {
  const { findings } = await scanLog([`${lines.join('\n')}\n`], 'acme', signal)
  return findings.map((one) => one.class)
}

for (const [weight, patterns] of [
  ['fail', failing],
  ['attention', warning],
  ['note', good],
] as const) {
  for (const pattern of patterns) {
    test(`a log with "${pattern}" is ${weight}, plain, behind the name of a service, and as JSON`, async () => {
      const message = `before ${pattern} after`
      assert.deepEqual(await scan('x', message), [weight])
      assert.deepEqual(await scan(`mcp-proxy-1  | ${message}`), [weight])
      assert.deepEqual(await scan(`mcp-proxy-1  | ${json(message)}`), [weight])
      assert.deepEqual(await scan(json(message)), [weight])
    })
  }
}

test('a log that is as usual has no finding', async () => {
  assert.deepEqual(await scan('INFO started', '{"message":"GET /healthz 200"}', '{ no JSON', ''), [])
})

test('a Root of another organisation in the log fails', async () => {
  const line = 'Org Root cert cached (cold private key) — CN=other CA'
  assert.deepEqual(await scan(json(line)), ['note', 'fail'])
})

test('what is found is told with its count and its first line, and the line itself is not', async () => {
  const lines = ['ok', 'signing halted token=s3cret', 'ok', json('signing halted token=s3cret')]
  const { findings, lines: count } = await scanLog([lines.join('\n')], undefined, signal)
  assert.equal(count, 4)
  assert.deepEqual(findings, [
    { check: 'log', class: 'fail', detail: '"signing halted" 2 times, first in line 2' },
  ])
})

test('a log that comes in pieces is read as one, whatever the cuts', async () => {
  const bytes = Buffer.from(`x\n${json('— signing halted —')}\nOrg CA on-disk vs DB mismatch é`)
  for (const size of [1, 7, 1000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    )
    const { findings, lines } = await scanLog(Readable.from(pieces), 'acme', signal)
    assert.deepEqual([lines, ...findings.map((one) => one.class)], [3, 'fail', 'attention'])
  }
})

test('a line without an end is looked through in bounded pieces, and nothing across a cut is missed', async () => {
  const pieces = function* (): Generator<string> {
    for (let at = 0; at < 40; at += 1) yield 'x'.repeat(64 * 1024)
    yield 'signing '
    yield `halted${'y'.repeat(2 * 1024 * 1024)}`
  }
  const { findings } = await scanLog(pieces(), 'acme', signal)
  assert.deepEqual([...new Set(findings.map((one) => one.class))], ['fail'])
})

test('an aborted signal ends the scan', async () => {
  await assert.rejects(scanLog(['a\n'], 'acme', AbortSignal.abort(new Error('enough'))), {
    message: 'enough',
  })
})
