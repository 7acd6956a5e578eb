import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { startApplication } from '../../../test/support/mastio-application.ts'
import type { ApplicationOptions } from '../../../test/support/mastio-application.ts'
import { issueServer, testPki } from '../../../test/support/mastio-pki.ts'
import type { Facts } from '../../manifest.ts'
import type { Patience } from '../live.ts'
import { httpsGet } from './https-get.ts'
import { fingerprint } from './pki.ts'
import { checkEndpoints } from './post-boot.ts'

const { signal } = new AbortController()
const pki = testPki()
const other = testPki({ lineage: 'other' })
const facts: Facts = { ca_fingerprint_sha256: fingerprint(new X509Certificate(pki.root.cert)) }

/** A clock that sleeping alone moves on. */
function patience(seconds = 2): Patience & { slept: number[] } {
  let time = Date.parse('2026-05-14T10:30:25Z')
  const slept: number[] = []
  return {
    seconds,
    slept,
    now: () => new Date(time),
    sleep: async (ms) => {
      slept.push(ms)
      time += ms
      return Promise.resolve()
    },
  }
}

/** What is found at an application that answers like this, under the Root of the facts. */
async function found(options: Partial<ApplicationOptions>, host = 'mastio.acme.test'): Promise<string[]> {
  await using application = await startApplication({ server: pki.server, ca: pki.root.cert, ...options })
  const connect = { host: '127.0.0.1', port: application.port }
  const get = httpsGet({ url: `https://${host}:9443`, root: pki.root.cert, connect, timeoutMs: 5000 })
  const findings = await checkEndpoints(get, facts, patience(), signal)
  return findings.map((one) => `${one.check} ${one.class}`)
}

test('an application that is what was backed up has no finding', async () => {
  assert.deepEqual(await found({}), [])
  assert.deepEqual(await found({ ca: `${pki.root.cert}${pki.intermediate.cert}` }), [])
})

test('a ready application on another CA fails, by its certificate or by what it serves', async () => {
  assert.deepEqual(await found({ server: other.server, ca: other.root.cert }), ['tls fail'])
  assert.deepEqual(await found({ ca: other.root.cert }), ['ca-served fail'])
  assert.deepEqual(await found({ ca: 'no certificate' }), ['ca-served fail'])
})

test('an application without a CA, and one that is not ready, fail', async () => {
  await using application = await startApplication({ server: pki.server })
  const connect = { host: '127.0.0.1', port: application.port }
  const get = httpsGet({ url: 'https://localhost', root: pki.root.cert, connect, timeoutMs: 5000 })
  const [finding] = await checkEndpoints(get, facts, patience(), signal)
  assert.match(finding?.detail ?? '', /no Org CA: there is none/)
  assert.deepEqual(application.asked, ['/healthz', '/readyz', '/pki/ca.crt', '/health'])
  assert.deepEqual(await found({ ready: false }), ['readyz fail'])
})

test('a certificate without the public host, or an expired one, fails', async () => {
  assert.deepEqual(await found({}, 'other.acme.test'), ['tls fail'])
  const expired = issueServer(pki.intermediate, ['mastio.acme.test'], new Date('2025-01-01T00:00:00Z'))
  assert.deepEqual(await found({ server: expired }), ['tls fail'])
})

test('a warning of /health wants attention', async () => {
  assert.deepEqual(await found({ warnings: ['org_ca_legacy_pathlen_zero'] }), ['health-warning attention'])
})

test('an application that is not up yet is waited for, a second at a time, as long as there is patience', async () => {
  const clock = patience(3)
  let calls = 0
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const down = await checkEndpoints(async () => Promise.reject(refused), facts, clock, signal)
  assert.deepEqual(clock.slept, [1000, 1000, 1000])
  assert.deepEqual(
    down.map((one) => one.check),
    ['unreachable'],
  )
  const late = await checkEndpoints(
    async (path) => {
      calls += 1
      if (calls < 3) throw refused
      const body: Record<string, string> = { '/pki/ca.crt': pki.root.cert, '/healthz': '{"status":"ok"}' }
      return Promise.resolve({ status: 200, body: body[path] ?? '{"status":"ready"}' })
    },
    facts,
    patience(3),
    signal,
  )
  assert.deepEqual(late, [])
})

test('too many questions for the CA are no verdict on it', async () => {
  const findings = await checkEndpoints(
    async (path) => {
      const status = path === '/pki/ca.crt' ? 429 : 200
      return Promise.resolve({ status, body: path === '/readyz' ? '{"status":"ready"}' : '{"status":"ok"}' })
    },
    facts,
    patience(),
    signal,
  )
  assert.deepEqual(
    findings.map((one) => `${one.check} ${one.class}`),
    ['ca-served attention'],
  )
})

test('an aborted signal ends the waiting', async () => {
  const aborted = AbortSignal.abort(new Error('enough'))
  const get = httpsGet({ url: 'https://localhost:1', root: pki.root.cert, timeoutMs: 5000 })
  await assert.rejects(checkEndpoints(get, facts, patience(), aborted), { message: 'enough' })
})
