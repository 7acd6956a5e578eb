import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { sealift } from '../support/journey-program.ts'
import { treeOf } from '../support/journey-tree.ts'
import { emptyWorld, mayMount, okay, root } from '../support/journey-world.ts'
import type { World } from '../support/journey-world.ts'

const isRoot = process.geteuid?.() === 0

/** A world whose application is one folder, with what `fill` puts into it, already backed up. */
async function backedUp(fill: (folder: string, world: World) => void, sources = treeSource): Promise<World> {
  const world = emptyWorld()
  writeFileSync(world.join('pass'), 'correct horse battery staple\n', { mode: 0o600 })
  await okay(world, 'keygen', 'key')
  const recipient = /sealift-recipient-v1:[\w-]+/.exec(readFileSync(world.join('key'), 'utf8'))?.[0] ?? ''
  writeFileSync(
    world.join('sealift.yaml'),
    `version: 1\napp: notes\nstate_dir: state\nsources:\n${sources}\ntargets: [{ name: disk, kind: local, path: archives }]\nseal: { recipients: ["${recipient}"] }\n`,
  )
  mkdirSync(world.join('tree'))
  fill(world.join('tree'), world)
  await okay(world, 'backup')
  return world
}

const treeSource = '  - { name: tree, kind: files, path: tree }'
const restoring = ['restore', 'latest', '--key-file', 'key']

suite('what a restored tree is like', () => {
  test('modes, owners, times, hard links, empty folders and odd names are as they were', async () => {
    using world = await backedUp((tree) => {
      const names = [
        '-rf',
        'new\nline',
        'back\\slash',
        'caf\u00e9',
        'cafe\u0301',
        ' ',
        '*',
        'quote\'"',
        '\u{1f512}',
        '.hidden',
        'tab\t',
      ]
      for (const name of names) writeFileSync(join(tree, name), name)
      for (const mode of [0o400, 0o4755, 0o2711, 0o1644, 0o000]) {
        writeFileSync(join(tree, `mode ${mode.toString(8)}`), 'x')
        chmodSync(join(tree, `mode ${mode.toString(8)}`), isRoot || (mode & 0o400) !== 0 ? mode : 0o400)
      }
      mkdirSync(join(tree, 'empty/deep/er'), { recursive: true })
      mkdirSync(join(tree, 'read only'))
      writeFileSync(join(tree, 'read only/file'), 'x')
      writeFileSync(join(tree, 'first'), 'shared')
      linkSync(join(tree, 'first'), join(tree, 'empty/second'))
      symlinkSync('nowhere', join(tree, 'dangling'))
      symlinkSync('../first', join(tree, 'empty/up'))
      writeFileSync(join(tree, 'old'), 'x')
      utimesSync(join(tree, 'old'), 12_345, 12_345.678)
      if (isRoot) chownSync(join(tree, 'empty/deep'), 10001, 65_534)
      if (isRoot) chownSync(join(tree, 'old'), 400_000, 3)
      utimesSync(join(tree, 'empty/deep'), 1e9, 1e9)
      chmodSync(join(tree, 'read only'), 0o555)
      chmodSync(join(tree, 'empty/deep/er'), 0o3770)
    })
    const before = treeOf(world.join('tree'))
    renameSync(world.join('tree'), world.join('lost'))
    await okay(world, ...restoring)
    assert.deepEqual(treeOf(world.join('tree')), before)
    chmodSync(world.join('lost/read only'), 0o755)
    chmodSync(world.join('tree/read only'), 0o755)
  })

  test('a symlink that is absolute or leaves its source is refused by name, and restored where that is allowed', async () => {
    for (const target of ['/etc/hostname', '../../outside', 'a/../../..']) {
      using world = await backedUp((tree) => symlinkSync(target, join(tree, 'leaving')))
      rmSync(world.join('tree'), { recursive: true })
      const { code, stderr } = await sealift(world, restoring)
      assert.equal(code, 77)
      assert.ok(stderr.includes('tree/leaving') && stderr.includes(target), stderr)
      assert.ok(!existsSync(world.join('tree')))
      assert.deepEqual(
        readdirSync(world.folder).filter((name) => name.startsWith('.sealift')),
        [],
      )
      await okay(world, ...restoring, '--allow-outside-links')
      assert.ok(treeOf(world.join('tree')).some((line) => line.endsWith(`-> ${target}`)))
    }
  })

  test('a folder that is made around a database gets its old mode and owner', async () => {
    using world = await backedUp((tree) => {
      mkdirSync(join(tree, 'inner'))
      execFileSync(join(root, 'node_modules/.bin/node'), [
        '-e',
        `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('CREATE TABLE t (n)')`,
        join(tree, 'inner/app.db'),
      ])
      chmodSync(join(tree, 'inner'), 0o2710)
      if (isRoot) chownSync(join(tree, 'inner'), 10001, 10002)
    }, '  - { name: db, kind: sqlite, path: tree/inner/app.db }')
    const without = (lines: string[]): string[] => lines.map((line) => line.replace(/ \d+( \S*)?$/, ''))
    const before = without(treeOf(world.join('tree/inner')))
    rmSync(world.join('tree'), { recursive: true })
    await okay(world, ...restoring)
    assert.deepEqual(without(treeOf(world.join('tree/inner'))), before)
  })

  test('where a folder is a mount point, its content is replaced and the mount stays', async (t) => {
    if (!mayMount())
      return t.diagnostic('nothing may be mounted here: a folder that is no mount point was tried')
    using world = await backedUp((tree) => {
      mkdirSync(join(tree, 'sub'))
      writeFileSync(join(tree, 'sub/file'), 'archived')
      chmodSync(tree, 0o751)
    })
    for (const mount of ['mount -t tmpfs tmpfs tree', 'mkdir under && mount --bind under tree']) {
      const steps = [
        `set -e; ${mount}; mkdir tree/lost+found; echo live > tree/live`,
        `if "$0" restore latest --key-file key 2>refusal; then exit 3; fi; grep -q 'would replace' refusal`,
        `"$0" restore latest --force --key-file key`,
        `mountpoint -q tree; stat -c '%a' tree; cat tree/sub/file; ls -A tree | sort; cat tree/pre-restore-*/live; umount tree`,
      ]
      const { status, stdout, stderr } = spawnSync(
        'unshare',
        ['--mount', 'sh', '-c', steps.join('\n'), join(root, 'bin/sealift')],
        { cwd: world.folder, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: world.folder } },
      )
      assert.equal(status, 0, `${mount}: ${stdout}${stderr}`)
      assert.match(stdout, /\n751\narchivedlost\+found\npre-restore-\d+T\d+Z\nsub\nlive\n$/)
    }
  })

  test('who is not root restores what he may, read-only folders among it', async () => {
    using world = await backedUp((tree) => {
      mkdirSync(join(tree, 'closed'))
      writeFileSync(join(tree, 'closed/file'), 'x')
      chmodSync(join(tree, 'closed'), 0o555)
    })
    // The archive and the key are handed to nobody, with a folder to restore into.
    const user = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : ['env']
    mkdirSync(world.join('out'))
    if (isRoot) {
      execFileSync('chown', [
        '-R',
        '65534:65534',
        world.join('out'),
        world.join('archives'),
        world.join('key'),
        world.folder,
      ])
    }
    const [archive = ''] = readdirSync(world.join('archives'))
    const [command, ...args] = [...user, join(root, 'bin/sealift')]
    const env = { PATH: process.env['PATH'], HOME: world.folder, SEALIFT_STATE_DIR: world.join('mine') }
    const options = { cwd: world.folder, encoding: 'utf8', env } as const
    const run = (...more: string[]) =>
      spawnSync(
        command,
        [...args, 'restore', `archives/${archive}`, '--no-config', '--key-file', 'key', ...more],
        options,
      )
    const good = run('--to', 'out/good')
    assert.equal(good.status, 0, good.stderr)
    assert.match(treeOf(world.join('out/good/tree')).join('\n'), /"closed" 40555/)
    // A folder that may not be written to may not be moved either: it fails at the last step, with closed folders staged.
    chmodSync(world.join('out/good/tree'), 0o555)
    if (!isRoot) return
    const before = treeOf(world.join('out'))
    const bad = run('--to', 'out/good', '--force')
    assert.equal(bad.status, 69, bad.stderr)
    assert.match(bad.stderr, /EACCES.*out\/good\/tree/)
    assert.doesNotMatch(bad.stderr, /next start/)
    const still = (lines: string[]): string[] => lines.filter((line) => !line.startsWith('"good"'))
    assert.deepEqual(still(treeOf(world.join('out'))), still(before))
  })
})
