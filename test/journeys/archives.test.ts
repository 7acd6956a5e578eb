import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { program, sealift, signalGroup, start } from '../support/journey-program.ts'
import { residueOf, wholeArchives } from '../support/journey-residue.ts'
import { configuration, makeTemplate, okay } from '../support/journey-world.ts'
import type { Template, World } from '../support/journey-world.ts'

suite('archives at their targets', () => {
  let template: Template
  let archive: string

  before(async () => {
    template = await makeTemplate()
    archive = (await wholeArchives(template))[0] ?? ''
  })
  after(() => template[Symbol.dispose]())

  /** A second target, as its line in the configuration. */
  function withSecond(world: World, path: string): void {
    const recipient = /sealift-recipient-v1:[\w-]+/.exec(readFileSync(world.join('key'), 'utf8'))?.[0] ?? ''
    writeFileSync(
      world.join('sealift.yaml'),
      configuration(recipient, `  - { name: usb, kind: local, path: ${path} }\n`),
    )
  }

  test('each target gets a copy, the same to the byte', async () => {
    using world = template.copy()
    withSecond(world, 'second')
    await okay(world, 'backup')
    const [copy = ''] = await wholeArchives(world, 'second')
    assert.deepEqual(readFileSync(world.join('second', copy)), readFileSync(world.join('archives', copy)))
    assert.deepEqual(residueOf(world), [])
  })

  test('a second target that fails is named, and the first has the archive', async () => {
    using world = template.copy()
    withSecond(world, 'second')
    writeFileSync(world.join('second'), 'no folder')
    const { code, stdout } = await sealift(world, ['backup', '--json'])
    const report = lastLine(stdout) as { ok: boolean; result: { copies: unknown[] }; error: { code: string } }
    assert.equal(code, 69)
    assert.equal(report.ok, false)
    assert.equal(report.error.code, 'TARGET_UNAVAILABLE')
    assert.match(
      JSON.stringify(report.result.copies),
      /"target":"usb","ok":false,"error":\{"code":"TARGET_UNAVAILABLE"/,
    )
    assert.equal((await wholeArchives(world)).length, 2)
  })

  test('a first target that fails is named, and the next one has the archive', async () => {
    using world = template.copy()
    withSecond(world, 'second')
    rmSync(world.join('archives'), { recursive: true })
    writeFileSync(world.join('archives'), 'no folder')
    const { code, stderr } = await sealift(world, ['backup'])
    assert.equal(code, 69)
    assert.match(stderr, /target disk/)
    assert.equal((await wholeArchives(world, 'second')).length, 1)
    rmSync(world.join('archives'))
    assert.deepEqual(residueOf(world), [])
  })

  test('a file that changes all the time is in the archive, with a warning in report and manifest', async () => {
    using world = template.copy()
    const log = world.join('app/growing.log')
    writeFileSync(log, Buffer.alloc(60_000_000, 'x'))
    const writer = spawn('sh', ['-c', 'while :; do echo more >> "$1"; done', 'sh', log], { stdio: 'ignore' })
    try {
      // The writer may be given no time just while the file is read: then it did not change.
      let warned = false
      for (let attempt = 1; attempt <= 20 && !warned; attempt++) {
        const { code, stdout } = await sealift(world, ['backup', '--json'])
        assert.ok(code === 0 || code === 1)
        const { warnings } = lastLine(stdout) as { warnings: { path?: string }[] }
        warned = warnings.some((warning) => JSON.stringify(warning).includes('growing.log'))
      }
      assert.ok(warned)
    } finally {
      writer.kill('SIGKILL')
    }
    const shown = await okay(world, 'show', 'latest', '--json', '--key-file', 'key')
    assert.match(shown, /growing\.log/)
    await okay(world, 'restore', 'latest', '--force', '--key-file', 'key')
    assert.ok(readFileSync(log).length >= 60_000_000)
  })

  test('a file that vanishes during the backup is a warning, not a failure', async () => {
    using world = template.copy()
    mkdirSync(world.join('app/a'))
    for (const part of [1, 2, 3, 4])
      writeFileSync(world.join(`app/a/${part}`), randomFillSync(Buffer.alloc(20_000_000)))
    for (let file = 0; file < 50; file++) writeFileSync(world.join(`app/z${file}`), 'here today')
    const run = start(world, [program, 'backup', '--json'])
    // Well into the first of its files, so that the names in the folder were read.
    const sizeOf = (name: string): number =>
      statSync(world.join('archives', name), { throwIfNoEntry: false })?.size ?? 0
    const isSealing = (): boolean =>
      readdirSync(world.join('archives')).some((name) => name.endsWith('.part') && sizeOf(name) > 1e7)
    while (run.child.exitCode === null && !isSealing()) await sleep(1)
    signalGroup(run.child, 'SIGSTOP')
    for (let file = 0; file < 50; file++) rmSync(world.join(`app/z${file}`))
    signalGroup(run.child, 'SIGCONT')
    const { code, stdout, stderr } = await run.ended
    assert.ok(code === 0 || code === 1, stderr)
    const { ok, warnings } = lastLine(stdout) as { ok: boolean; warnings: unknown[] }
    assert.ok(ok)
    assert.match(JSON.stringify(warnings), /app\/z\d+/)
    assert.equal((await wholeArchives(world)).length, 2)
  })

  test('prune goes by the time in the archive, whatever the dates of the files say', async () => {
    using world = template.copy()
    for (let more = 0; more < 2; more++) {
      await sleep(1000)
      await okay(world, 'backup')
    }
    const names = await wholeArchives(world)
    const newest = names.at(-1) ?? ''
    for (const [index, name] of names.entries()) {
      const time = Date.now() / 1000 - index * 100 * 86_400
      utimesSync(world.join('archives', name), time, time)
    }
    const dry = lastLine(await okay(world, 'prune', '--dry-run', '--json')) as {
      result: { removed: { archive: { name: string } }[] }
    }
    assert.deepEqual(dry.result.removed.map(({ archive: { name } }) => name).toSorted(), names.slice(0, 2))
    assert.deepEqual(await wholeArchives(world), names)
    await okay(world, 'prune')
    assert.deepEqual(await wholeArchives(world), [newest])
  })

  test('after a change of passphrase the old one opens nothing, and no chunk is another', async () => {
    using world = template.copy()
    writeFileSync(world.join('newpass'), 'staple battery horse correct\n', { mode: 0o600 })
    await okay(world, 'backup', '--passphrase-file', 'pass')
    const name = (await names(world)).find((one) => one !== archive) ?? ''
    const file = world.join('archives', name)
    const chunks = chunksOf(readFileSync(file))
    await okay(
      world,
      'rekey',
      name,
      '--passphrase-file',
      'pass',
      '--add-passphrase-file',
      'newpass',
      '--remove-slot',
      '0',
    )
    assert.ok(chunksOf(readFileSync(file)).equals(chunks))
    const old = await sealift(world, ['verify', name, '--passphrase-file', 'pass'])
    assert.equal(old.code, 77)
    assert.match(old.stderr, /none of the 1 keys opens/)
    await okay(world, 'verify', name, '--passphrase-file', 'newpass')
    await okay(world, 'restore', name, '--force', '--passphrase-file', 'newpass')
    assert.deepEqual(residueOf(world), [])
  })

  async function names(world: World): Promise<string[]> {
    const { result } = lastLine(await okay(world, 'list', '--json')) as {
      result: { archives: { name: string }[] }
    }
    return result.archives.map(({ name }) => name)
  }
})

/** What follows the header: magic, length, header, MAC (archive-v1 §2); the footer holds offsets and is left out. */
function chunksOf(bytes: Buffer): Buffer {
  return bytes.subarray(12 + bytes.readUInt32LE(8) + 32, bytes.length - 24)
}

function lastLine(text: string): unknown {
  return JSON.parse(text.trim().split('\n').at(-1) ?? '')
}
