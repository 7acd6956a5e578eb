import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, createReadStream, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { sealift } from '../support/journey-program.ts'
import { plaintextIn, residueOf, wholeArchives } from '../support/journey-residue.ts'
import { rowsOf, stateOf } from '../support/journey-state.ts'
import { treeOf } from '../support/journey-tree.ts'
import { archivedRows, emptyWorld, liveRows, makeTemplate, okay, places } from '../support/journey-world.ts'
import type { Template, World } from '../support/journey-world.ts'

/** Backup, disaster, restore: where an archive comes from, where it goes, and what is in the way. */
suite('restore', () => {
  let template: Template
  let archive: string
  const key = ['--key-file', 'key']

  before(async () => {
    template = await makeTemplate()
    archive = (await wholeArchives(template))[0] ?? ''
  })
  after(() => template[Symbol.dispose]())

  const destroy = (world: World): void => {
    for (const place of places) rmSync(world.join(place), { recursive: true })
  }
  const idOf = async (world: World): Promise<string> =>
    (JSON.parse(await okay(world, 'list', '--json')) as { result: { archives: { id: string }[] } }).result
      .archives[0]?.id ?? ''
  const dated = (world: World): string[] =>
    readdirSync(world.folder).filter((name) => name.startsWith('pre-restore-'))

  test('an empty machine without a configuration gets everything back to where it was', async () => {
    using world = template.copy()
    // The manifest names the places of the backed-up machine, so the backup is taken in this world.
    await okay(world, 'backup')
    const before = world.state()
    destroy(world)
    for (const name of ['sealift.yaml', 'state']) rmSync(world.join(name), { recursive: true })
    const newest = (await wholeArchives(world)).find((name) => name !== archive) ?? ''
    renameSync(world.join('archives', newest), world.join('rescued.bin'))
    using elsewhere = emptyWorld()
    cpSync(world.join('rescued.bin'), elsewhere.join('rescued.bin'))
    cpSync(world.join('key'), elsewhere.join('key'))
    await okay(elsewhere, 'restore', 'rescued.bin', '--no-config', ...key)
    const strip = (lines: readonly string[]): string[] => lines.filter((line) => !/\.db(-wal)? /.test(line))
    assert.deepEqual(strip(world.state()), strip(before))
    assert.equal(rowsOf(world.join('app/data/app.db')), `${liveRows} ok`)
    assert.deepEqual(dated(world), [])
  })

  for (const [name, archiveOf] of [
    ['latest', async () => 'latest'],
    ['the first digits of its id', async (world: World) => (await idOf(world)).slice(0, 8)],
    ['its name', async () => archive],
    ['a path', async () => `archives/${archive}`],
  ] as const) {
    test(`a restore by ${name}, after all was lost`, async () => {
      using world = template.copy()
      destroy(world)
      await okay(world, 'restore', await archiveOf(world), ...key)
      assert.deepEqual(world.state(), template.new)
      assert.deepEqual(dated(world), [])
      assert.deepEqual(residueOf(world), [])
    })
  }

  test('an archive comes from standard input', async () => {
    using world = template.copy()
    destroy(world)
    const input = createReadStream(world.join('archives', archive))
    const { code, stderr } = await sealift(world, ['restore', '-', ...key], { input })
    assert.equal(code, 0, stderr)
    assert.deepEqual(world.state(), template.new)
    assert.deepEqual(residueOf(world), [])
  })

  test('a configuration with other paths moves the application there', async () => {
    using world = template.copy()
    const moved = readFileSync(world.join('sealift.yaml'), 'utf8').replaceAll(
      /path: (app|certs)/g,
      'path: new/$1',
    )
    writeFileSync(world.join('sealift.yaml'), moved)
    await okay(world, 'restore', archive, ...key)
    assert.deepEqual(stateOf(world.join('new'), places), template.new)
    assert.deepEqual(world.state(), template.old)
  })

  test('--to puts everything below a folder and leaves the application alone', async () => {
    using world = template.copy()
    await okay(world, 'restore', archive, '--to', 'out', ...key)
    assert.deepEqual(world.state(), template.old)
    assert.equal(rowsOf(world.join('out/db/app.db')), `${archivedRows} ok`)
    const check = spawn('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], {
      cwd: world.join('out'),
      stdio: 'ignore',
    })
    assert.deepEqual(await once(check, 'exit'), [0, null])
    assert.match(readFileSync(world.join('out/MANIFEST.json'), 'utf8'), /"notes"/)
  })

  test('--only brings a source, a folder, a file, and a hard link without its original', async () => {
    using world = template.copy()
    destroy(world)
    await okay(
      world,
      'restore',
      archive,
      '--only',
      'certs',
      '--only',
      'app/data',
      '--only',
      'app/settings.json',
      ...key,
    )
    assert.deepEqual(
      stateOf(world.folder, ['certs']),
      template.new.filter((line) => line.startsWith('certs')),
    )
    assert.deepEqual(readdirSync(world.join('app')).toSorted(), ['data', 'settings.json'])
    assert.deepEqual(readdirSync(world.join('app/data')), [])
    const original = readFileSync(world.join('app/settings.json'))
    await okay(world, 'restore', archive, '--only', 'app/settings.bak', '--force', ...key)
    assert.deepEqual(readFileSync(world.join('app/settings.bak')), original)
    const missing = await sealift(world, ['restore', archive, '--only', 'app/nothing', ...key])
    assert.equal(missing.code, 66)
    assert.match(missing.stderr, /app\/nothing/)
    assert.deepEqual(residueOf(world), [])
  })

  test('populated places are refused by name, and nothing is touched', async () => {
    using world = template.copy()
    const before = [...treeOf(world.join('app')), ...treeOf(world.join('certs'))]
    const { code, stderr } = await sealift(world, ['restore', archive, ...key])
    assert.equal(code, 73)
    for (const place of places) assert.ok(stderr.includes(world.join(place)), stderr)
    assert.deepEqual([...treeOf(world.join('app')), ...treeOf(world.join('certs'))], before)
    assert.deepEqual(residueOf(world), [])
  })

  test('--force sets the old state aside whole, and no old log is replayed over the restored database', async () => {
    using world = template.copy()
    assert.equal(rowsOf(world.join('app/data/app.db')), `${liveRows} ok`)
    await okay(world, 'restore', archive, '--force', ...key)
    assert.equal(rowsOf(world.join('app/data/app.db')), `${archivedRows} ok`)
    assert.deepEqual(readdirSync(world.join('app/data')), ['app.db'])
    const [aside = ''] = dated(world)
    assert.deepEqual(stateOf(world.join(aside), places), template.old)
    assert.equal(rowsOf(world.join(aside, 'app/data/app.db')), `${liveRows} ok`)
    assert.ok(existsSync(world.join(aside, 'app/data/app.db-shm')))
  })

  for (const sidecar of ['-wal', '-shm', '-journal']) {
    test(`a stale ${sidecar} beside the place of a single database goes with the old state`, async () => {
      using world = template.copy()
      rmSync(world.join('app'), { recursive: true })
      mkdirSync(world.join('app/data'), { recursive: true })
      writeFileSync(world.join(`app/data/app.db${sidecar}`), 'stale')
      const { code } = await sealift(world, ['restore', archive, '--only', 'db', ...key])
      if (code === 73) await okay(world, 'restore', archive, '--only', 'db', '--force', ...key)
      assert.deepEqual(
        readdirSync(world.join('app/data')).filter((name) => name.startsWith('app.db')),
        ['app.db'],
      )
      const [aside = ''] = readdirSync(world.join('app/data')).filter((name) =>
        name.startsWith('pre-restore-'),
      )
      assert.equal(readFileSync(world.join('app/data', aside, `app.db${sidecar}`), 'utf8'), 'stale')
      assert.equal(rowsOf(world.join('app/data/app.db')), `${archivedRows} ok`)
    })
  }

  test('two restores in the same second keep both old states', async () => {
    using world = template.copy()
    const now = Date.now()
    for (let ahead = 0; ahead < 60; ahead++) {
      const time = new Date(now + ahead * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '')
      mkdirSync(world.join(`pre-restore-${time}`))
    }
    await okay(world, 'restore', archive, '--force', ...key)
    const second = dated(world).filter((name) => name.endsWith('Z-2'))
    assert.equal(second.length, 1)
    assert.deepEqual(stateOf(world.join(second[0] ?? ''), places), template.old)
  })

  test('a database that another process has open is refused with that process', async () => {
    using world = template.copy()
    const holder = spawn('tail', ['-f', world.join('app/data/app.db')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      await once(holder.stdout, 'data')
      const { code, stderr } = await sealift(world, ['restore', archive, '--force', ...key])
      assert.equal(code, 73)
      assert.ok(stderr.includes(`process ${holder.pid} (tail)`), stderr)
      assert.deepEqual(world.state(), template.old)
      assert.deepEqual(dated(world), [])
    } finally {
      holder.kill()
    }
  })

  test('a symlink at a place is refused with what it points to', async () => {
    using world = template.copy()
    renameSync(world.join('certs'), world.join('out'))
    symlinkSync('out', world.join('certs'))
    const { code, stderr } = await sealift(world, ['restore', archive, '--force', ...key])
    assert.equal(code, 73)
    assert.ok(stderr.includes(`symlink to ${world.join('out')}`), stderr)
    assert.deepEqual(residueOf(world), [])
  })

  test('the archive of another application is refused, and goes below --to', async () => {
    using world = template.copy()
    const other = readFileSync(world.join('sealift.yaml'), 'utf8').replace('app: notes', 'app: wiki')
    writeFileSync(world.join('sealift.yaml'), other)
    const args = ['restore', `archives/${archive}`, '--force', ...key]
    const { code, stderr } = await sealift(world, args)
    assert.equal(code, 64)
    assert.match(stderr, /holds notes.*that of wiki/)
    assert.deepEqual(world.state(), template.old)
    await okay(world, ...args, '--to', 'out')
  })

  test('an archive that is damaged anywhere changes nothing, not even a time', async () => {
    using world = template.copy()
    const whole = readFileSync(world.join('archives', archive))
    const before = ['app', 'certs'].flatMap((place) => treeOf(world.join(place)))
    for (const at of [12, 400, 3000, 0.3, 0.6, 0.9, 0.98, 0.9999]) {
      const bytes = Buffer.from(whole)
      const byte = at < 1 ? Math.floor(at * bytes.length) : at
      bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte)
      writeFileSync(world.join('archives', archive), bytes)
      const { code, stderr } = await sealift(world, ['restore', `archives/${archive}`, '--force', ...key])
      assert.ok(code === 65 || code === 77, `byte ${byte}: exit ${code} ${stderr}`)
    }
    for (const length of [0, 20, 2000, whole.length / 2, whole.length - 1]) {
      writeFileSync(world.join('archives', archive), whole.subarray(0, length))
      const { code, stderr } = await sealift(world, ['restore', `archives/${archive}`, '--force', ...key])
      assert.equal(code, 65, `cut at ${length}: ${stderr}`)
    }
    assert.deepEqual(
      ['app', 'certs'].flatMap((place) => treeOf(world.join(place))),
      before,
    )
    assert.deepEqual(dated(world), [])
    assert.deepEqual([residueOf(world), plaintextIn(world)], [[], []])
  })
})
