import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { State } from '../support/journey-state.ts'
import { assertOneOf, rowsOf, stateOf } from '../support/journey-state.ts'
import type { Call } from '../support/journey-strace.ts'
import { failAtCall, killAtCall, requireStrace } from '../support/journey-strace.ts'
import { treeOf } from '../support/journey-tree.ts'
import { mayMount } from '../support/journey-world.ts'
import type { BundleOptions } from '../support/mastio-bundle.ts'
import { storePassphrase } from '../support/mastio-database.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import { tamper } from '../support/mastio-chain.ts'
import { crashWithRows } from '../support/mastio-fill.ts'
import { installMastio } from '../support/mastio-installation.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'
import { reseal } from '../support/mastio-reseal.ts'
import { filesIn } from '../support/mastio-residue.ts'
import { stateOfBundle } from '../support/mastio-small-disk.ts'

/** Restores of a Mastio (mastio.md §9.1, §13: checks 18 and 19). */
const archivedRows = 505
const lostRows = 2500
const asRoot = process.getuid?.() === 0

/** An installation with one archive of 505 audit rows. */
async function backedUp(options: BundleOptions = {}): Promise<Installation & { readonly archive: string }> {
  const at = await installMastio({ auditRows: archivedRows, ...options })
  const told = await at.tell(['backup'])
  assert.equal(told.ok, true, told.outcome.stdout)
  return { ...at, archive: at.join('archives', told.result.archive.name as string) }
}

function findings({ result, error }: Told): string {
  return `${JSON.stringify(result)} ${JSON.stringify(error)}`
}

const restoring = ['restore', 'latest', '--force']

suite('the rules of a restore', () => {
  let at: Awaited<ReturnType<typeof backedUp>>
  before(async () => {
    at = await backedUp({ saml: true })
  })
  after(() => at[Symbol.asyncDispose]())

  test('1: a damaged archive changes nothing, not even a time of a file', async () => {
    const whole = readFileSync(at.archive)
    const asIs = treeOf(at.bundle.path)
    for (const bad of [flipped(whole, 0.5), flipped(whole, 0.99), whole.subarray(0, whole.length - 9)]) {
      writeFileSync(at.join('bad.sealift'), bad)
      const { code } = await at.run('restore', at.join('bad.sealift'), '--force')
      assert.equal(code, 65)
      assert.deepEqual(withoutSidecars(treeOf(at.bundle.path)), withoutSidecars(asIs))
    }
  })

  test('3: without --force each part that is there is in the way, and named', async () => {
    for (const kept of ['data', 'nginx-certs', 'certs', 'saml-keys', 'proxy.env']) {
      using alone = copyOf(at.bundle.path)
      for (const name of readdirSync(alone.path))
        if (name !== kept && !name.startsWith('d')) rmSync(join(alone.path, name), { recursive: true })
      if (kept !== 'data') rmSync(join(alone.path, 'data'), { recursive: true })
      const asIs = treeOf(alone.path)
      const told = await at.tell(['restore', at.archive, '--into', alone.path])
      assert.deepEqual([told.code, told.error?.code], [73, 'DESTINATION_POPULATED'], kept)
      assert.match(told.error?.message ?? '', new RegExp(join(alone.path, kept)))
      assert.deepEqual(treeOf(alone.path), asIs)
    }
  })

  test('4: what was there is set aside whole, in private folders', async () => {
    using other = copyOf(at.bundle.path)
    writeFileSync(join(other.path, 'nginx-certs/keep'), 'of the operator\n')
    const told = await at.tell(['restore', at.archive, '--into', other.path, '--force'])
    assert.equal(told.ok, true, findings(told))
    const asides = told.result.set_aside as string[]
    assert.ok(asides.every((path) => (statSync(path).mode & 0o7777) === 0o700))
    const names = asides.flatMap((path) => filesIn(path))
    for (const name of [
      'nginx-certs/keep',
      'certs/org-ca.pem',
      'saml-keys/saml.key',
      'mcp_proxy.db',
      'proxy.env',
    ])
      assert.ok(names.includes(name), `${name} in ${names.join(', ')}`)
    assert.ok(!existsSync(join(other.path, 'nginx-certs/keep')))
  })

  test('5: an archive without the database is refused, also with --force', async () => {
    await reseal(at.archive, at.join('no-db.sealift'), 'six random words make one', { without: ['data'] })
    const asIs = treeOf(at.bundle.path)
    const told = await at.tell(['restore', at.join('no-db.sealift'), '--force'])
    assert.equal(told.code, 65, findings(told))
    assert.match(told.error?.message ?? '', /database/)
    assert.deepEqual(withoutSidecars(treeOf(at.bundle.path)), withoutSidecars(asIs))
    using empty = copyOf(undefined)
    assert.equal((await at.tell(['restore', at.join('no-db.sealift'), '--into', empty.path])).code, 65)
    assert.deepEqual(readdirSync(empty.path), [])
  })

  test('6: while the stack runs it is refused; once it is down it goes on', async () => {
    execFileSync(at.stubs.deploy)
    const running = treeOf(at.bundle.path)
    const told = await at.tell(['restore', at.archive, '--force'])
    assert.deepEqual([told.code, told.error?.code], [73, 'GUARD_REFUSED'])
    assert.match(told.error?.message ?? '', /deploy\.sh --down/)
    assert.deepEqual(withoutSidecars(treeOf(at.bundle.path)), withoutSidecars(running))
    // It is asked, and nothing more: the stack is the operator's.
    assert.ok(!(await at.stubs.calls()).some((call) => /--down|docker.* (down|stop)/.test(call)))
    execFileSync(at.stubs.deploy, ['--down'])
    assert.equal((await at.tell(['restore', at.archive, '--force'])).ok, true)
  })

  test('7: a member of no source of the manifest is refused', async () => {
    const member = { type: 'file', size: 4, mode: 0o644, mtimeMs: 0, uid: 0, gid: 0 } as const
    const first = [{ member: { ...member, path: 'aaa/evil' }, content: Buffer.from('evil') }]
    await reseal(at.archive, at.join('more.sealift'), 'six random words make one', { first })
    const asIs = treeOf(at.bundle.path)
    const told = await at.tell(['restore', at.join('more.sealift'), '--force'])
    assert.equal(told.code, 65, findings(told))
    assert.deepEqual(withoutSidecars(treeOf(at.bundle.path)), withoutSidecars(asIs))
  })

  test(
    '8: modes and owners are those that the application wants, whatever they were',
    { skip: !asRoot },
    async () => {
      await using odd = await backedUp({ saml: true })
      for (const name of filesIn(odd.bundle.path)) {
        chmodSync(join(odd.bundle.path, name), 0o666)
        chownSync(join(odd.bundle.path, name), 4321, 4321)
      }
      await odd.tell(['backup'])
      chownSync(odd.bundle.path, 1234, 1234)
      for (const name of ['data', 'nginx-certs', 'certs', 'saml-keys', 'proxy.env'])
        rmSync(join(odd.bundle.path, name), { recursive: true })
      const told = await odd.tell(['restore', 'latest'])
      assert.equal(told.ok, true, findings(told))
      const shown = (name: string): string => {
        const { mode, uid, gid } = statSync(join(odd.bundle.path, name))
        return `${name} ${(mode & 0o7777).toString(8)} ${uid}:${gid}`
      }
      const expected = [
        'data 750 10001:10001',
        'data/mcp_proxy.db 600 10001:10001',
        'nginx-certs 750 10001:10001',
        'nginx-certs/org-ca.crt 644 10001:10001',
        'nginx-certs/mastio-server.crt 644 10001:10001',
        'nginx-certs/mastio-server.key 600 10001:10001',
        'certs 755 1234:1234',
        'certs/org-ca.pem 644 1234:1234',
        'saml-keys/saml.key 600 10001:10001',
        'proxy.env 600 1234:1234',
      ]
      assert.deepEqual(
        expected.map((line) => shown(line.split(' ')[0] ?? '')),
        expected,
      )
    },
  )
})

test('2: what the crash left is not replayed: 505 rows, and the 3005 lie in the set-aside state', async () => {
  await using at = await backedUp()
  await crashWithRows(at.bundle.database, lostRows)
  assert.equal(rowsOf(at.bundle.database), `${archivedRows + lostRows} ok`)
  const told = await at.tell(restoring)
  assert.equal(told.ok, true, findings(told))
  assert.deepEqual(
    readdirSync(at.bundle.data).filter((name) => name.startsWith('mcp_proxy.db')),
    ['mcp_proxy.db'],
  )
  assert.equal(rowsOf(at.bundle.database), `${archivedRows} ok`)
  const aside =
    (told.result.set_aside as string[]).find((path) => existsSync(join(path, 'mcp_proxy.db'))) ?? ''
  assert.equal(rowsOf(join(aside, 'mcp_proxy.db')), `${archivedRows + lostRows} ok`)
  assert.ok(
    (told.result.undone as string[]).some((line) => line.includes(`${lostRows} rows of audit_log lost`)),
  )
})

test('1: what an archive was found to have is refused by name, and accepted by name', async () => {
  await using at = await installMastio()
  changeDatabase(at.bundle.database, (db) =>
    tamper(db, "UPDATE audit_log SET status = 'denied' WHERE chain_seq = 5"),
  )
  assert.equal((await at.tell(['backup'])).code, 1)
  const refused = await at.tell(restoring)
  assert.deepEqual([refused.code, refused.error?.code], [65, 'CHECK_FAILED'])
  assert.match(refused.error?.message ?? '', /audit-chain: .*5/)
  assert.equal((await at.tell([...restoring, '--accept', 'audit-trigger'])).ok, false)
  assert.equal((await at.tell([...restoring, '--accept', 'audit-chain'])).ok, true)
})

suite('9: folders that proxy.env puts elsewhere', () => {
  test('are archived, and restored to where they were', async () => {
    await using at = await backedUp({ relocated: '../elsewhere', saml: true })
    const there = stateOf(at.folder, ['elsewhere'])
    assert.ok(there.some((line) => line.startsWith('elsewhere/data/mcp_proxy.db')))
    rmSync(at.join('elsewhere'), { recursive: true })
    const told = await at.tell(restoring)
    assert.equal(told.ok, true, findings(told))
    // Modes and owners are the restore's own rule.
    const names = (lines: State): string[] => lines.map((line) => line.split(' ')[0] ?? '')
    assert.deepEqual(names(stateOf(at.folder, ['elsewhere'])), names(there))
    assert.equal(rowsOf(at.join('elsewhere/data/mcp_proxy.db')), `${archivedRows} ok`)
  })

  test('inside of the bundle go with it to another folder', async () => {
    await using at = await backedUp({ relocated: 'volumes', license: '' })
    using other = copyOf(undefined)
    const told = await at.tell([
      'restore',
      at.archive,
      '--into',
      other.path,
      '--no-config',
      '--passphrase-file',
      'pass',
    ])
    assert.equal(told.ok, true, findings(told))
    assert.deepEqual(told.result.blocked, [])
    assert.equal(rowsOf(join(other.path, 'volumes/data/mcp_proxy.db')), `${archivedRows} ok`)
  })

  test('that the configuration has left behind are no good backup', async () => {
    await using at = await installMastio()
    writeFileSync(join(at.bundle.path, 'proxy.env'), `${at.bundle.env}MASTIO_DATA_DIR=../elsewhere/data\n`)
    mkdirSync(at.join('elsewhere'))
    execFileSync('cp', ['-a', at.bundle.data, at.join('elsewhere/data')])
    const told = await at.tell(['backup'])
    assert.equal(told.result.verdict, 'fail')
    assert.match(findings(told), /source-elsewhere/)
    assert.notEqual(told.code, 0)
  })
})

test('11: an encrypted Org CA that the key at hand does not open is refused before anything is touched', async () => {
  await using at = await backedUp({ ca: 'encrypted' })
  const env = readFileSync(join(at.bundle.path, 'proxy.env'), 'latin1')
  for (const wrong of ['', 'another passphrase of some length', 'too short']) {
    const line = `MCP_PROXY_DB_ENCRYPTION_KEY="${wrong}"`
    const changed = env.replace(`MCP_PROXY_DB_ENCRYPTION_KEY="${storePassphrase}"`, line)
    assert.notEqual(changed, env)
    writeFileSync(join(at.bundle.path, 'proxy.env'), changed)
    const asIs = treeOf(at.bundle.path)
    const told = await at.tell([...restoring, '--accept', 'pki-key', '--accept', 'version-unknown'])
    assert.deepEqual([told.code, told.error?.code], [65, 'CHECK_FAILED'], `"${wrong}" ${findings(told)}`)
    assert.match(told.error?.message ?? '', /pki-key/)
    assert.ok(wrong === '' || !told.outcome.stdout.includes(wrong))
    assert.deepEqual(withoutSidecars(treeOf(at.bundle.path)), withoutSidecars(asIs))
  }
  writeFileSync(join(at.bundle.path, 'proxy.env'), env)
  const good = await at.tell(restoring)
  assert.equal(good.error, undefined, findings(good))
})

test('13: what the restore undoes is told, in words', async () => {
  await using at = await backedUp()
  changeDatabase(at.bundle.database, (db) => {
    db.exec(
      "UPDATE internal_agents SET is_active = 0, revoked_at = '2026-06-01' WHERE agent_id LIKE '%::alice'",
    )
    db.exec("UPDATE user_api_tokens SET revoked_at = '2026-06-01'")
    db.exec("INSERT INTO internal_agents (agent_id, is_active) VALUES ('acme::late', 1)")
  })
  const told = await at.tell(restoring)
  assert.equal(told.ok, true, findings(told))
  const undone = (told.result.undone as string[]).join('\n')
  assert.match(undone, /1 agent revoked since the backup: active again: \w+::alice/)
  assert.match(undone, /1 agent enrolled since the backup.*401: acme::late/)
  assert.match(undone, /1 API token revoked since the backup: valid again/)
})

suite('19: a restore that fails at a step', () => {
  let at: Installation
  let saved: ReturnType<typeof copyOf>
  let known: { readonly old: State; readonly new: State }

  before(async () => {
    requireStrace()
    at = await backedUp()
    await crashWithRows(at.bundle.database, 300)
    saved = copyOf(at.folder)
    const old = stateOfBundle(at.folder)
    const told = await at.tell(restoring)
    assert.equal(told.ok, true, findings(told))
    known = { old, new: stateOfBundle(at.folder) }
  })
  after(async () => {
    saved[Symbol.dispose]()
    await at[Symbol.asyncDispose]()
  })

  /** The machine as it was before the restore. */
  function again(): void {
    for (const name of ['bundle', 'state', 'archives'])
      rmSync(at.join(name), { recursive: true, force: true })
    execFileSync('cp', ['-a', `${saved.path}/.`, at.folder])
  }

  /** After the next start, of a verb that restores nothing, the bundle is whole: all of the old state, or all of the new. */
  async function whole(where: string): Promise<'old' | 'new'> {
    const { code, stderr } = await at.run('prune', '--keep-last', '9')
    assert.equal(code, 0, `the start after it (${where}): ${stderr}`)
    assert.deepEqual(filesIn(at.join('state/scratch')), [], where)
    assert.deepEqual(
      filesIn(at.folder).filter((name) => /\.sealift-restore-|\.part$/.test(name)),
      [],
      where,
    )
    return assertOneOf(stateOfBundle(at.folder), known)
  }

  for (const [call, every] of [
    ['rename', 2],
    ['mkdir', 4],
    ['fsync', 6],
  ] as const) {
    test(`killed at its ${call} calls`, async (t) => {
      const ends: string[] = []
      for (let n = 1; ; n += every) {
        again()
        const { hit, at: where } = await killAtCall(at, restoring, call, n)
        if (!hit) break
        ends.push(await whole(where))
      }
      t.diagnostic(`${ends.length} kills: ${ends.join(' ')}`)
      assert.ok(ends.length >= 3)
      // While it stages the next start goes back; once everything is verified and durable it goes on.
      assert.match(ends.join(' '), /^old( old)*( new)*$/)
    })
  }

  for (const [call, error, every] of [
    ['rename', 'EACCES', 3],
    ['mkdir', 'ENOSPC', 5],
    ['fchown', 'EPERM', 4],
    ['fsync', 'EIO', 6],
  ] as const satisfies readonly (readonly [Call, string, number])[]) {
    test(`${error} at its ${call} calls`, async (t) => {
      let failed = 0
      for (let n = 1; ; n += every) {
        again()
        const { hit, at: where, outcome } = await failAtCall(at, restoring, call, error, String(n))
        if (!hit) break
        const state = await whole(where)
        // It may have failed to tidy up, which is told, or in something that it can do without.
        if (outcome.code !== 0 && state === 'old') failed += 1
        if (outcome.code === 0) assert.equal(state, 'new', where)
      }
      t.diagnostic(`${failed} restores failed and left the old state`)
      assert.ok(failed > 0)
    })
  }

  test('for want of room: the old state is whole, and the run says what it needed', async (t) => {
    assert.ok(mayMount(), 'this test needs a mount namespace (run as root)')
    const ends: string[] = []
    // Less than the staged database; room for that and not for a copy of the one that stands there; room for all.
    for (const room of [100_000, 700_000, 1_400_000, 8_000_000]) {
      again()
      const program = join(import.meta.dirname, '../support/mastio-small-disk.ts')
      const args = ['--mount', process.execPath, program, at.folder, String(room), JSON.stringify(known)]
      ends.push(
        execFileSync('unshare', args, { encoding: 'utf8', env: { ...process.env, ...at.env } }).trim(),
      )
    }
    t.diagnostic(ends.join('; '))
    assert.match(ends[0] ?? '', /^old 69/)
    assert.match(ends.at(-1) ?? '', /^new [01]/)
  })
})

function withoutSidecars(tree: readonly string[]): string[] {
  return tree
    .filter((line) => !/mcp_proxy\.db-(wal|shm)"/.test(line))
    .map((line) => line.replace(/^("(?:data|\.)" \S+ \S+) \d+$/, '$1'))
}

/** A folder of its own, empty or a copy, gone when it is disposed of. */
function copyOf(folder: string | undefined): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sealift-journey-'))
  chmodSync(path, 0o755)
  if (folder !== undefined) execFileSync('cp', ['-a', `${folder}/.`, path])
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

function flipped(bytes: Buffer, where: number): Buffer {
  const changed = Buffer.from(bytes)
  const at = Math.floor(bytes.length * where)
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
  return changed
}
