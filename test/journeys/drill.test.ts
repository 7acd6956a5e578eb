import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fillFast } from '../support/mastio-fill.ts'
import { program, signalGroup, start } from '../support/journey-program.ts'
import type { Running } from '../support/journey-program.ts'
import { treeOf } from '../support/journey-tree.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import { installMastio } from '../support/mastio-installation.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'
import { credentials, versitygw } from '../support/versitygw-server.ts'
import type { Versitygw } from '../support/versitygw-server.ts'

/** Drills, the evidence that they leave, status and report (mastio.md §11; §13: checks 28 and 30). */

const breachesIn = ({ result }: Told): string[] =>
  (result.breaches as { breach: string }[]).map(({ breach }) => breach)

/** Only what a SQLite reader leaves beside a database may differ: it is no part of the bundle. */
const bundleOf = (at: Installation): string[] => treeOf(at.bundle.path)

function flipByte(file: string): void {
  const bytes = readFileSync(file)
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

suite('drills of a folder and a bucket', () => {
  let at: Installation
  let gateway: Versitygw
  const tell = (...args: string[]): Promise<Told> => at.tell(args, { env: credentials })
  const log = (): string => at.join('state/evidence/mastio.jsonl')
  const lines = (): string[] => readFileSync(log(), 'utf8').trimEnd().split('\n')
  const records = () => lines().map((line) => JSON.parse(line) as Record<string, unknown>)

  before(async () => {
    gateway = await versitygw()
    at = await installMastio()
    const config = readFileSync(at.join('sealift.yaml'), 'utf8')
    const bucket = `  - { name: bucket, kind: s3, bucket: archives, prefix: mastio, endpoint: "${gateway.endpoint}" }\n`
    writeFileSync(at.join('sealift.yaml'), config.replace('seal:', `${bucket}seal:`))
  })
  after(async () => {
    await at[Symbol.asyncDispose]()
    await gateway[Symbol.asyncDispose]()
  })

  test('before the first backup everything is missing, and each of it has its name', async () => {
    const told = await tell('report')
    assert.equal(told.code, 1)
    assert.deepEqual(breachesIn(told), [
      'backup-stale',
      'target-unverified',
      'target-unverified',
      'no-off-host-copy',
      'drill-missing',
    ])
    const drill = await tell('drill')
    assert.deepEqual([drill.code, drill.error?.code], [66, 'ARCHIVE_NOT_FOUND'])
    assert.equal(records()[0]?.['verdict'], 'fail')
    rmSync(log())
    rmSync(at.join('state/catalog.db'))
  })

  test('the newest archive of the last target is fetched, restored, checked, timed and noted', async () => {
    assert.equal((await tell('backup', '--verify')).code, 0)
    const bundle = bundleOf(at)
    const told = await tell('drill')
    assert.equal(told.code, 0, told.outcome.stdout + told.outcome.stderr)
    const [one] = told.result.drills
    assert.deepEqual([one.target, one.verdict, one.rto.met, one.rpo.met], ['bucket', 'ok', true, true])
    assert.deepEqual(Object.keys(one.phases), ['find', 'fetch', 'open', 'restore', 'check'])
    const sum = Object.values(one.phases as Record<string, number>).reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(sum - one.seconds) < 0.01)
    assert.ok(one.checks.some(({ check }: { check: string }) => check === 'data integrity'))
    assert.deepEqual(one.drift, [])
    assert.deepEqual(bundleOf(at), bundle)
    assert.deepEqual(readdirSync(at.join('state/scratch')), [])
    assert.deepEqual(readdirSync(at.join('state/journal')), [])
    assert.deepEqual(
      records().map(({ kind, verdict }) => [kind, verdict]),
      [
        ['backup', 'ok'],
        ['drill', 'ok'],
      ],
    )
  })

  test('then only what is so is left to be said, by report, status and the status file alike', async () => {
    const all = await tell('drill', '--all-targets')
    assert.deepEqual(
      all.result.drills.map(({ target, verdict }: Record<string, string>) => [target, verdict]),
      [
        ['disk', 'ok'],
        ['bucket', 'ok'],
      ],
    )
    const report = await tell('report')
    // Both lie on this machine, which the test cannot change.
    assert.deepEqual([report.code, breachesIn(report)], [1, ['no-off-host-copy']])
    const { chains, controls, evidence, targets } = report.result
    assert.deepEqual([chains.state, evidence.problems, evidence.records], ['ok', [], 4])
    assert.deepEqual(
      controls.map(({ control, state }: Record<string, string>) => `${control} ${state}`),
      [
        'SOC 2 CC9.2 breach',
        'ISO 27001 A.8.13 breach',
        'DORA Art. 12 ok',
        'EU AI Act Art. 12 ok',
        'ISO 22301 ok',
      ],
    )
    const status = await tell('status', '--refresh')
    assert.deepEqual([status.code, breachesIn(status)], [1, ['no-off-host-copy']])
    for (const one of targets) assert.ok(one.newest_verified.age < 3600)
    const file = JSON.parse(readFileSync(at.join('state/status/mastio.json'), 'utf8'))
    assert.deepEqual([file.status, file.last_success.ok, file.last_drill.target], [1, true, 'bucket'])
    assert.equal((await tell('report', '--html', 'page.html')).code, 1)
    assert.match(readFileSync(at.join('page.html'), 'utf8'), /^<!doctype html>[^]*no-off-host-copy/)
  })

  test('a change of the configuration is noted as drift, and is no failure', async () => {
    const config = readFileSync(at.join('sealift.yaml'), 'utf8')
    mkdirSync(at.join('bundle/saml-keys'))
    const more = `  - { name: saml-keys, kind: files, path: ${at.join('bundle/saml-keys')} }\ntargets:`
    writeFileSync(at.join('sealift.yaml'), config.replace('targets:', more))
    const told = await tell('drill', '--target', 'disk')
    writeFileSync(at.join('sealift.yaml'), config)
    rmSync(at.join('bundle/saml-keys'), { recursive: true })
    assert.equal(told.code, 0)
    assert.deepEqual(told.result.drills[0].drift, ['source saml-keys is configured, and not in the archive'])
  })

  test('objectives that are missed make the drill and the report want a look', async () => {
    const config = readFileSync(at.join('sealift.yaml'), 'utf8')
    await sleep(1100)
    writeFileSync(at.join('sealift.yaml'), `${config}objectives: { rpo: 1s, rto: 1h }\n`)
    const told = await tell('drill', '--target', 'disk')
    assert.deepEqual([told.code, told.result.verdict, told.result.drills[0].rpo.met], [1, 'attention', false])
    assert.ok(breachesIn(await tell('report')).includes('backup-stale'))
    writeFileSync(at.join('sealift.yaml'), config)
  })

  test('an edited, a removed and a cut record of the evidence is named by its number', async () => {
    const whole = readFileSync(log())
    const broken = async (edited: readonly string[]): Promise<string> => {
      writeFileSync(log(), `${edited.join('\n')}\n`)
      const told = await tell('report')
      assert.equal(told.code, 1)
      const found = told.result.breaches.find(
        ({ breach }: { breach: string }) => breach === 'evidence-broken',
      )
      return String(found?.detail)
    }
    const [one = '', two = '', ...rest] = lines()
    assert.match(
      await broken([one, two.replace('"verdict":"ok"', '"verdict":"fail"'), ...rest]),
      /^record 2 /,
    )
    assert.match(await broken([one, ...rest]), /^record 2 of the evidence log: it is missing/)
    const count = rest.length + 2
    assert.match(
      await broken([one, two, ...rest.slice(0, -1)]),
      new RegExp(`^record ${count} .*gone from the end`),
    )
    writeFileSync(log(), whole)
    assert.ok(!breachesIn(await tell('report')).includes('evidence-broken'))
  })

  test('a broken audit chain in the newest archive is a breach', async () => {
    changeDatabase(at.bundle.database, (db) => {
      db.exec('DROP TRIGGER audit_log_no_update')
      db.exec(`UPDATE audit_log SET detail = 'nothing happened' WHERE chain_seq = 3`)
    })
    await tell('backup', '--verify')
    const told = await tell('report')
    assert.ok(breachesIn(told).includes('chain-broken'))
    assert.match(JSON.stringify(told.result.chains.findings), /audit-chain.*row 3|audit-chain.*3/)
    const drill = await tell('drill', '--target', 'disk')
    assert.deepEqual([drill.code, drill.result.verdict], [1, 'attention'])
  })

  test('a copy that was damaged at its target is found, and counts no longer', async () => {
    const folder = join(gateway.folder, 'archives/mastio')
    for (const name of readdirSync(folder)) flipByte(join(folder, name))
    const told = await tell('drill')
    assert.deepEqual(
      [told.code, told.error?.code, told.result.drills[0].verdict],
      [65, 'CHUNK_CHANGED', 'fail'],
    )
    assert.equal(records().at(-1)?.['verdict'], 'fail')
    const status = await tell('status')
    const bucket = status.result.targets.find(({ target }: { target: string }) => target === 'bucket')
    assert.notEqual(bucket.newest.name, bucket.newest_verified?.name)
    assert.ok(breachesIn(await tell('report')).includes('drill-failed'))
    assert.deepEqual(readdirSync(at.join('state/scratch')), [])
  })

  test('a target that does not answer fails the drill, and the failure is noted', async () => {
    const config = readFileSync(at.join('sealift.yaml'), 'utf8')
    writeFileSync(at.join('sealift.yaml'), config.replace('bucket: archives', 'bucket: another'))
    const told = await tell('drill')
    writeFileSync(at.join('sealift.yaml'), config)
    assert.ok([66, 69].includes(told.code ?? 0), `${told.code}`)
    assert.deepEqual([told.result.drills[0].archive, records().at(-1)?.['verdict']], [null, 'fail'])
  })

  test('an archive by its path needs neither configuration nor state', async () => {
    const [name = ''] = readdirSync(at.join('archives')).filter((each) => each.endsWith('.sealift'))
    const env = { SEALIFT_STATE_DIR: at.join('rescue') }
    const args = ['drill', `archives/${name}`, '--no-config', '--passphrase-file', 'pass']
    const told = await at.tell(args, { env })
    assert.equal(told.code, 0, told.outcome.stdout)
    assert.deepEqual([told.result.drills[0].target, told.result.drills[0].rpo], ['file', null])
    assert.ok(existsSync(at.join('rescue/evidence/mastio.jsonl')))
  })
})

suite('a drill that is stopped, or is not alone', () => {
  let at: Installation
  const args = ['drill', '--scratch', 'big']
  before(async () => {
    at = await installMastio()
    fillFast(at.bundle.database, 30_000_000)
    mkdirSync(at.join('big'))
    assert.equal((await at.run('backup')).code, 0)
  })
  after(() => at[Symbol.asyncDispose]())

  /** A drill that has plaintext on the disk, standing still. */
  async function caught(): Promise<Running> {
    for (;;) {
      const running = start({ folder: at.folder }, [program, ...args])
      while (running.child.exitCode === null && !isStaging()) await sleep(1)
      signalGroup(running.child, 'SIGSTOP')
      if (running.child.exitCode === null && isStaging()) return running
      signalGroup(running.child, 'SIGCONT')
      await running.ended
    }
  }

  function isStaging(): boolean {
    const [own] = readdirSync(at.join('big'))
    if (own === undefined) return false
    const folder = at.join('big', own)
    return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('.sealift-restore-'))
  }

  test('after SIGTERM nothing of it is left', async () => {
    const { child, ended } = await caught()
    signalGroup(child, 'SIGTERM')
    signalGroup(child, 'SIGCONT')
    const { code, stderr } = await ended
    assert.equal(code, 143, stderr)
    assert.deepEqual([readdirSync(at.join('big')), readdirSync(at.join('state/journal'))], [[], []])
  })

  test('after SIGKILL the next start of any verb removes what it left', async () => {
    const { child, ended } = await caught()
    signalGroup(child, 'SIGKILL')
    await ended
    assert.equal(readdirSync(at.join('big')).length, 1)
    assert.equal((await at.run('prune', '--keep-last', '9')).code, 0)
    assert.deepEqual([readdirSync(at.join('big')), readdirSync(at.join('state/journal'))], [[], []])
  })

  test('a backup does not wait for it, and a second drill is refused', async () => {
    const { child, ended } = await caught()
    try {
      assert.equal((await at.run('backup')).code, 0)
      const second = await at.tell(['drill'])
      assert.deepEqual([second.code, second.error?.code], [73, 'LOCKED'])
    } finally {
      signalGroup(child, 'SIGCONT')
    }
    const { code, stderr } = await ended
    assert.equal(code, 0, stderr)
    assert.deepEqual(readdirSync(at.join('big')), [])
  })

  test('it restores into no place that is backed up', async () => {
    const told = await at.tell(['drill', '--scratch', at.bundle.nginxCerts])
    assert.deepEqual([told.code, told.error?.code], [64, 'USAGE'])
  })
})
