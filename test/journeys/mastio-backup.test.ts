import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inLanes, numberFrom, seeded } from '../support/journey-lanes.ts'
import { Tally } from '../support/journey-phase.ts'
import { program, sealift, sealiftUntil, signalGroup, start } from '../support/journey-program.ts'
import { killAtCall, requireStrace } from '../support/journey-strace.ts'
import { treeOf } from '../support/journey-tree.ts'
import { mayMount, root } from '../support/journey-world.ts'
import { fillFast } from '../support/mastio-fill.ts'
import { installMastio } from '../support/mastio-installation.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { filesIn, plaintextIn, visibleArchives } from '../support/mastio-residue.ts'
import { traceBackup } from '../support/mastio-trace.ts'
import type { Traced } from '../support/mastio-trace.ts'
import { startMastioWriter } from '../support/mastio-writer.ts'
import type { MastioWriter } from '../support/mastio-writer.ts'

/** Backups of a running Mastio (mastio.md §3, §6, §13: checks 1, 2, 3, 13, 14, 30). */
const seed = numberFrom('SEALIFT_CRASH_SEED', 1)

suite('a database of 200 MB, 100 commits a second', () => {
  let at: Installation
  let traced: Traced
  let committed: { readonly before: number; readonly after: number }
  let stall: number

  before(async () => {
    requireStrace()
    at = await installMastio({ locks: true, unknown: true })
    await configureByInit(at)
    fillFast(at.bundle.database, 205_000_000)
    await using writer = await startMastioWriter({ path: at.bundle.database, rate: 100 })
    await until(() => writer.committed > 20)
    const begun = writer.committed
    traced = await traceBackup(at, at.bundle.database)
    await progressOf(writer)
    committed = { before: begun, after: writer.committed }
    stall = writer.longestStall
  })
  after(() => at[Symbol.asyncDispose]())

  test('is backed up while it runs: nothing was stopped, and the writer went on', async () => {
    const { code, stdout, stderr } = traced.outcome
    assert.equal(code, 0, stderr)
    assert.equal((JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { ok: boolean }).ok, true)
    assert.deepEqual(
      (await at.stubs.calls()).filter((call) => /deploy\.sh|down|stop|kill|pause|restart/.test(call)),
      [],
    )
    assert.ok(committed.after > committed.before, 'the writer went on')
    // Loose: how long a writer waits is measured by script/bench --mastio.
    assert.ok(stall < 5000, `the writer waited ${stall} ms`)
  })

  test('gives an archive of one moment: sound, and without a gap in the chain', async () => {
    const { manifest } = (await at.tell(['show', 'latest'])).result
    const { bytes, facts } = manifest.sources.find(({ name }: { name: string }) => name === 'data')
    assert.ok(bytes >= 200_000_000)
    assert.deepEqual([facts.verdict, facts.audit_log_head.first_seq], ['ok', 1])
    assert.equal((await at.run('restore', 'latest', '--to', 'out')).code, 0)
    // What the operator put there comes along; locks and sidecars do not.
    assert.deepEqual(readdirSync(at.join('out/data-files')), ['notes.txt'])
    using db = new DatabaseSync(at.join('out/data/mcp_proxy.db'), { readOnly: true })
    const one = (sql: string): unknown => Object.values(db.prepare(sql).get() ?? {})[0]
    assert.equal(one('PRAGMA integrity_check'), 'ok')
    const rows = Number(one('SELECT count(chain_seq) FROM audit_log'))
    assert.equal(one('SELECT max(chain_seq) FROM audit_log'), rows)
    assert.equal(facts.audit_log_head.max_seq, rows)
    assert.ok(rows >= 12 + committed.before && rows <= 13 + committed.after, `${rows} rows in the archive`)
    const broken = `SELECT count(*) FROM (SELECT prev_hash, lag(row_hash, 1, 'genesis') OVER (ORDER BY chain_seq)
      AS before FROM audit_log WHERE chain_seq IS NOT NULL) WHERE prev_hash <> before`
    assert.equal(one(broken), 0)
  })

  test('was opened by the snapshot process alone, once, by SQLite, under one read transaction', () => {
    const { opened, readLocks } = traced
    const main = opened.filter(({ path }) => path === at.bundle.database)
    assert.equal(main.length, 1, JSON.stringify(opened))
    for (const { by, path, flags } of opened) {
      assert.match(by, /sqlite-child\.ts.*\\"work\\":\\"snapshot\\"/, `${path} opened by ${by}`)
      // SQLite never follows a symlink here; Node opens without this flag.
      assert.match(flags, /O_NOFOLLOW/)
    }
    // A loop of small steps would take it anew for each, some five hundred times.
    assert.ok(readLocks >= 1 && readLocks <= 4, `${readLocks} read locks`)
  })
})

suite('without SQLite there is no archive', () => {
  const broken = {
    'it cannot be loaded': "import 'node:sqlite-is-not-here'",
    'it ends without a word': '',
    'it dies after the copy': `
      import { copyFileSync, writeSync } from 'node:fs'
      const { copy } = JSON.parse(process.argv[2] ?? '') as { copy: string }
      copyFileSync(process.execPath, copy)
      writeSync(1, '{"state":"reading"}\\n{"state":"copied"}\\n')
      process.kill(process.pid, 'SIGKILL')`,
    'it says that it failed': `process.stdout.write('{"state":"failed","failure":"other","reason":"no SQLite"}\\n')`,
  }
  for (const [how, text] of Object.entries(broken)) {
    test(how, async () => {
      assert.ok(mayMount(), 'this test needs a mount namespace (run as root)')
      await using at = await installMastio()
      const child = at.join('sqlite-child.ts')
      writeFileSync(child, text)
      const mount = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
      const { outcome, opened } = await traceBackup(at, at.bundle.database, {
        before: ['unshare', '--mount', 'sh', '-c', mount, 'sh', child, `${root}/src/sources/sqlite-child.ts`],
      })
      assert.notEqual(outcome.code, 0)
      assert.match(outcome.stdout, /"code":"(SNAPSHOT_FAILED|PROCESS_FAILED)"/)
      // Above all not as a plain file.
      assert.deepEqual(opened, [])
      assert.deepEqual(filesIn(at.join('archives')), [])
      assert.deepEqual(filesIn(at.join('state', 'scratch')), [])
    })
  }
})

suite(`a backup killed (seed ${seed})`, () => {
  const random = seeded(seed)
  const phases = new Tally()

  /** What must hold after a kill: before the next start, and after it. */
  async function examine(at: Installation, known: readonly string[], where: string): Promise<void> {
    const bundle = (): string[] =>
      filesIn(at.bundle.path).filter((name) => !/mcp_proxy\.db-(wal|shm)$/.test(name))
    const archives = await visibleArchives(at)
    phases.add(phaseOf(at, archives.length))
    assert.deepEqual(bundle(), known, `no snapshot lies in the bundle (${where})`)
    const { code, stderr } = await at.run('backup')
    assert.equal(code, 0, `the start after it (${where}): ${stderr}`)
    assert.deepEqual(plaintextIn(at), [], `plaintext (${where})`)
    assert.deepEqual(bundle(), known)
    assert.deepEqual(filesIn(at.join('state', 'scratch')), [])
    assert.equal((await visibleArchives(at)).length, archives.length + 1, where)
    assert.equal(readdirSync(at.join('archives')).length, archives.length + 1, `part files (${where})`)
    rmSync(at.join('archives'), { recursive: true })
  }

  test('at any moment leaves neither plaintext nor half an archive', async (t) => {
    await inLanes([0, 1], async () => {
      await using at = await installMastio()
      await using _writer = await startMastioWriter({ path: at.bundle.database, rate: 100 })
      const known = filesIn(at.bundle.path).filter((name) => !/mcp_proxy\.db-(wal|shm)$/.test(name))
      const { ms } = await at.run('backup')
      rmSync(at.join('archives'), { recursive: true })
      for (let moment = 0; moment < 6; moment++) {
        const delay = ms * (0.25 + 0.85 * random())
        await sealiftUntil(at, ['backup'], delay, 'SIGKILL')
        await examine(at, known, `killed after ${delay.toFixed(0)} ms`)
      }
    })
    t.diagnostic(`killed: ${phases.text}`)
  })

  test('at each step that gives, takes or keeps a name', async (t) => {
    await inLanes(['unlink', 'rename', 'link'] as const, async (call) => {
      await using at = await installMastio()
      await using _writer = await startMastioWriter({ path: at.bundle.database, rate: 100 })
      const known = filesIn(at.bundle.path).filter((name) => !/mcp_proxy\.db-(wal|shm)$/.test(name))
      for (let n = 1; ; n++) {
        const { hit, at: where, outcome } = await killAtCall(at, ['backup'], call, n)
        if (!hit) {
          assert.equal(outcome.code, 0, outcome.stderr)
          break
        }
        await examine(at, known, where)
      }
    })
    t.diagnostic(`killed: ${phases.text}`)
    for (const phase of ['copy', 'seal', 'done'])
      assert.ok(phases.count(phase) > 0, `none in ${phase}: ${phases.text}`)
  })
})

/** How far a killed backup had come. In `copy` the database lies in the clear in the private folder. */
function phaseOf(at: Installation, archives: number): string {
  if (archives > 0) return 'done'
  if (filesIn(at.join('archives')).some((name) => name.endsWith('.part'))) return 'seal'
  return plaintextIn(at).some((name) => name.startsWith('state/scratch/')) ? 'copy' : 'start'
}

suite('the passphrase file', () => {
  let at: Installation
  before(async () => {
    at = await installMastio()
  })
  after(() => at[Symbol.asyncDispose]())

  const good = 'six random words make one\n'
  const refused: readonly [what: string, reason: RegExp, make: (path: string) => string | void][] = [
    ['that others may read', /mode 0644/, (path) => put(path, good, 0o644)],
    ['that is a symlink', /symlink/, (path) => symlinkSync(at.join('pass'), path)],
    [
      'of another owner',
      /belongs to user 10001/,
      (path) => (put(path, good, 0o400), chownSync(path, 10001, 10001)),
    ],
    ['that is empty', /empty/, (path) => put(path, '', 0o400)],
    ['with a Windows line end', /carriage return/, (path) => put(path, good.replace('\n', '\r\n'), 0o400)],
    ['of two lines', /more than one line/, (path) => put(path, `${good}${good}`, 0o400)],
    ['in the bundle', /lies in .*bundle/, () => put(at.join('bundle/backup.pass'), good, 0o400)],
    ['among the archives', /lies in .*archives/, () => put(at.join('archives/backup.pass'), good, 0o400)],
    ['in the state folder', /lies in .*state/, () => put(at.join('state/backup.pass'), good, 0o400)],
  ]
  for (const [what, reason, make] of refused) {
    test(`${what} is refused`, async () => {
      const path = make(at.join('backup.pass')) ?? at.join('backup.pass')
      try {
        const { code, stderr } = await at.run('backup', '--passphrase-file', path)
        assert.equal(code, 77, stderr)
        assert.match(stderr, reason)
        assert.ok(!stderr.includes(good.trim()))
        assert.deepEqual(
          filesIn(at.join('archives')).filter((name) => name.startsWith('mastio-')),
          [],
        )
      } finally {
        rmSync(path)
      }
    })
  }

  for (const mode of [0o400, 0o600]) {
    test(`of mode ${mode.toString(8)} is taken`, async () => {
      const path = put(at.join('backup.pass'), good, mode)
      const { code, stderr } = await at.run('backup', '--passphrase-file', path)
      assert.equal(code, 0, stderr)
      const doctor = await sealift(at, ['doctor'], { env: { SEALIFT_PASSPHRASE_FILE: path } })
      assert.equal(
        /backup\.pass: .*mode 0600 will do; 0400/.test(doctor.stdout),
        mode === 0o600,
        doctor.stdout,
      )
      rmSync(at.join('archives'), { recursive: true })
      rmSync(path)
    })
  }
})

/** Writes a file, with the folders around it, and gives its path. */
function put(path: string, text: string, mode: number): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test('of two backups at once the second ends with a code of its own, and the first goes on', async () => {
  await using at = await installMastio()
  const first = start(at, [program, 'backup'])
  const holder = (): boolean => filesIn(at.join('state')).some((name) => name.endsWith('.holder.json'))
  await until(holder)
  // It stands still, so that it cannot end before the second has looked.
  signalGroup(first.child, 'SIGSTOP')
  assert.ok(holder())
  const second = await at.tell(['backup'])
  assert.deepEqual([second.code, second.error?.code], [73, 'LOCKED'])
  assert.match(
    second.error?.message ?? '',
    new RegExp(`backup.*${first.child.pid}|${first.child.pid}.*backup`),
  )
  signalGroup(first.child, 'SIGCONT')
  assert.equal((await first.ended).code, 0)
  assert.equal((await visibleArchives(at)).length, 1)
})

test('two backups in one second are two archives, and neither is overwritten', async () => {
  await using at = await installMastio()
  mkdirSync(at.join('archives'), { mode: 0o700 })
  // Whichever second it is, its name is taken.
  const now = Date.now()
  for (let ahead = 0; ahead < 90; ahead++) {
    const time = new Date(now + ahead * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '')
    writeFileSync(at.join('archives', `mastio-${time}.sealift`), 'the first one')
  }
  const { code, result } = await at.tell(['backup'])
  assert.equal(code, 0)
  assert.match(result.archive.name, /^mastio-\d{8}T\d{6}Z-2\.sealift$/)
  const rest = filesIn(at.join('archives')).filter((name) => name !== result.archive.name)
  assert.equal(rest.length, 90)
  assert.ok(rest.every((name) => statSync(at.join('archives', name)).size === 'the first one'.length))
})

test('what only reads leaves the bundle as it was, byte for byte, but for sidecars of SQLite that are the application’s', async () => {
  await using at = await installMastio({ saml: true, locks: true })
  const asIs = treeOf(at.bundle.path)
  const sidecar = /"(\.\/)?data\/mcp_proxy\.db-(wal|shm)"/
  const apart = (tree: readonly string[]): string[] =>
    tree.filter((line) => !sidecar.test(line)).map((line) => line.replace(/^("data" \S+ \S+) \d+$/, '$1'))
  const verbs = [
    ['backup'],
    ['list'],
    ['show', 'latest'],
    ['inspect', 'latest'],
    ['verify', 'latest'],
    ['verify', 'latest', '--source'],
    ['doctor', '--deep'],
    ['drill'],
    ['status', '--refresh'],
    ['report', '--refresh'],
    ['recover', '--breach-at', new Date(Date.now() + 60_000).toISOString()],
    ['rollback', '--list'],
    ['prune', '--dry-run', '--keep-last', '1'],
  ]
  for (const verb of verbs) {
    const { code, stderr } = await at.run(...verb)
    assert.ok(code === 0 || code === 1, `${verb.join(' ')}: ${code} ${stderr}`)
    assert.deepEqual(apart(treeOf(at.bundle.path)), apart(asIs), verb.join(' '))
    for (const name of readdirSync(at.bundle.data).filter((one) => /-(wal|shm)$/.test(one))) {
      const { uid, gid, mode, size } = statSync(`${at.bundle.data}/${name}`)
      const database = statSync(at.bundle.database)
      assert.deepEqual([uid, gid, mode], [database.uid, database.gid, database.mode], name)
      if (name.endsWith('-wal')) assert.equal(size, 0)
    }
  }
})

/** The configuration that `init` writes for this bundle, but for the places that are the machine's own. */
async function configureByInit(at: Installation): Promise<void> {
  const { code, stderr } = await at.run('init', 'bundle', '--profile', 'mastio', '--force')
  assert.equal(code, 0, stderr)
  const written = readFileSync(at.join('sealift.yaml'), 'utf8')
  assert.match(written, /name: data-files, kind: files/)
  const own = written
    .replaceAll('/var/backups/cullis', at.join('archives'))
    .replaceAll('/etc/cullis/backup.pass', at.join('pass'))
  writeFileSync(at.join('sealift.yaml'), `state_dir: ${at.join('state')}\n${own}`)
}

async function progressOf(writer: MastioWriter): Promise<void> {
  const seen = writer.committed
  await until(() => writer.committed > seen)
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds();) {
    if (Date.now() > end) throw new Error('waited in vain')
    await sleep(2)
  }
}
