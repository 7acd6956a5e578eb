import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { open, truncate } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import { listTree } from '../../test/support/tree-listing.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { scratchRun, sourceSuite } from '../../test/suites/source.ts'
import { files, filesOptions } from './files.ts'
import type { FilesOptions } from './files.ts'

const big = 9 * 1024 * 1024
const tree = (path: string, options: Omit<FilesOptions, 'path'> = {}): ReturnType<typeof files.open> =>
  files.open('tree', { path, ...options })

sourceSuite('files (tree)', async () => {
  const folder = await testFolder()
  mkdirSync(folder.join('in', 'deep', 'empty'), { recursive: true })
  writeFileSync(folder.join('in', 'big'), Buffer.alloc(big, 'content'))
  for (let n = 0; n < 40; n += 1) writeFileSync(folder.join('in', 'deep', `small-${n}`), `content ${n}`)
  linkSync(folder.join('in', 'big'), folder.join('in', 'deep', 'again'))
  symlinkSync('nowhere', folder.join('in', 'link'))
  return {
    source: tree(folder.join('in')),
    missing: tree(folder.join('none')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
})

sourceSuite('files (single)', async () => {
  const folder = await testFolder()
  writeFileSync(folder.join('proxy.env'), 'KEY=value\n')
  return {
    source: tree(folder.join('proxy.env')),
    missing: tree(folder.join('proxy.env', 'below')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
})

suite('a tree', () => {
  test('comes in byte order with all that lies in it', async () => {
    await using folder = await testFolder()
    for (const path of ['b/empty', 'b.d', 'Z']) mkdirSync(folder.join(path), { recursive: true })
    writeFileSync(folder.join('b/file'), 'text')
    writeFileSync(folder.join('b.d/zero'), '')
    symlinkSync('/etc/hostname', folder.join('absolute'))
    symlinkSync('../..', folder.join('b', 'out'))
    symlinkSync('dangling\n', folder.join('z'))
    linkSync(folder.join('b/file'), folder.join('hard'))
    linkSync(folder.join('b/file'), folder.join('b/other'))
    const { lines, warnings, facts } = await listTree(tree(folder.path))
    assert.deepEqual(lines, [
      'd Z/',
      'l absolute -> /etc/hostname',
      'd b/',
      'd b/empty/',
      '- b/file = text',
      'h b/other == b/file',
      'l b/out -> ../..',
      'd b.d/',
      '- b.d/zero = ',
      'h hard == b/file',
      'l z -> dangling\n',
    ])
    assert.deepEqual(warnings, [])
    assert.deepEqual(facts, { files: 4, folders: 4, symlinks: 3, bytes: 4 })
  })

  test('keeps modes, owners and times to the microsecond, also of its root', async () => {
    await using folder = await testFolder()
    mkdirSync(folder.join('in'))
    writeFileSync(folder.join('in', 'a'), '')
    chmodSync(folder.join('in', 'a'), 0o4751)
    chmodSync(folder.join('in'), 0o1700)
    utimesSync(folder.join('in', 'a'), 1, 1_234_567_890.123456)
    await using run = await scratchRun()
    await using snapshot = await tree(folder.join('in')).snapshot(run.context)
    const [member] = await Array.fromAsync(snapshot.members(), (each) => each)
    const { uid, gid } = lstatSync(folder.join('in', 'a'))
    assert.equal(member?.mode, 0o4751)
    assert.ok(Math.abs(member.mtimeMs - 1_234_567_890_123.456) < 0.002, String(member.mtimeMs))
    assert.deepEqual([member.uid, member.gid], [uid, gid])
    assert.deepEqual([snapshot.root?.mode, snapshot.root?.uid], [0o1700, uid])
  })

  test('carries names of every kind that is UTF-8', async () => {
    await using folder = await testFolder()
    const names = [
      'two\nlines',
      'back\\slash',
      '-rf',
      ' ',
      'caf\u00e9',
      'cafe\u0301',
      '🚢',
      '...',
      'x'.repeat(255),
    ]
    for (const name of names) writeFileSync(folder.join(name), '')
    const { lines } = await listTree(tree(folder.path))
    assert.deepEqual(new Set(lines), new Set(names.map((name) => `- ${name} = `)))
  })

  test('refuses a name that is not UTF-8 by that name, unless it is excluded', async () => {
    await using folder = await testFolder()
    writeFileSync(Buffer.concat([Buffer.from(folder.join('caf')), Buffer.from([0xe9])]), 'x')
    writeFileSync(folder.join('good'), '')
    await assert.rejects(
      listTree(tree(folder.path)),
      (error) => isSealiftError(error, 'SOURCE_NAME_REFUSED') && error.message.includes('caf\\xe9'),
    )
    const { lines } = await listTree(tree(folder.path, { exclude: ['caf?'] }))
    assert.deepEqual(lines, ['- good = '])
  })

  test('refuses a path that is too long for an archive', async () => {
    await using folder = await testFolder()
    const before = process.cwd()
    try {
      process.chdir(folder.path)
      for (let depth = 0; depth < 21; depth += 1) {
        mkdirSync('d'.repeat(200))
        process.chdir('d'.repeat(200))
      }
    } finally {
      process.chdir(before)
    }
    const refused = (error: unknown): boolean => isSealiftError(error, 'SOURCE_NAME_REFUSED')
    await assert.rejects(listTree(tree(folder.path)), refused)
    assert.deepEqual((await listTree(tree(folder.path, { exclude: ['d*/'] }))).lines, [])
    execFileSync('rm', ['-rf', folder.path])
  })

  test('leaves out sockets and FIFOs, with a warning for each', async () => {
    await using folder = await testFolder()
    execFileSync('mkfifo', [folder.join('fifo')])
    const server = createServer().listen(folder.join('socket'))
    await once(server, 'listening')
    const { lines, warnings } = await listTree(tree(folder.path))
    server.close()
    assert.deepEqual(lines, [])
    assert.deepEqual(
      warnings.map(({ code, path }) => [code, path]),
      [
        ['fifo-skipped', folder.join('fifo')],
        ['socket-skipped', folder.join('socket')],
      ],
    )
  })

  test('gives sparse files in full without holding them', async () => {
    await using folder = await testFolder()
    writeFileSync(folder.join('sparse'), 'end')
    await truncate(folder.join('sparse'), 256 * 1024 * 1024)
    const before = process.memoryUsage().rss
    const { lines } = await listTree(tree(folder.path))
    assert.match(lines[0] ?? '', /^- sparse = 268435456 bytes /)
    assert.ok(process.memoryUsage().rss - before < 128 * 1024 * 1024)
  })

  test('leaves out what other sources claim, and warns of a database that none claims', async () => {
    await using folder = await testFolder()
    const magic = 'SQLite format 3\0'
    for (const name of ['claimed.db', 'claimed.db-wal', 'free.db']) writeFileSync(folder.join(name), magic)
    writeFileSync(folder.join('large.db'), Buffer.concat([Buffer.from(magic), Buffer.alloc(big)]))
    const claimed = new Set([folder.join('claimed.db'), folder.join('claimed.db-wal')])
    const { lines, warnings } = await listTree(tree(folder.path), claimed)
    assert.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      ['free.db', 'large.db'],
    )
    assert.deepEqual(
      warnings.map(({ code, path }) => [code, path]),
      [
        ['live-database', folder.join('free.db')],
        ['live-database', folder.join('large.db')],
      ],
    )
    const signal = new AbortController().signal
    assert.equal(await tree(folder.path).estimate(signal, claimed), magic.length * 2 + big)
    const single = await listTree(tree(folder.join('claimed.db')), claimed)
    assert.deepEqual([single.lines, single.codes], [[], ['claimed']])
  })

  test('names a file and a folder that it may not read', async () => {
    await using folder = await testFolder()
    mkdirSync(folder.join('closed'))
    writeFileSync(folder.join('secret'), 'x')
    const unreadable = async (name: string): Promise<void> =>
      assert.rejects(
        listTree(tree(folder.path, { include: [name] })),
        (error) => isSealiftError(error, 'SOURCE_UNREADABLE') && error.message.includes(folder.join(name)),
      )
    chmodSync(folder.path, 0o755)
    chmodSync(folder.join('secret'), 0)
    await unprivileged(() => unreadable('secret'))
    chmodSync(folder.join('closed'), 0)
    await unprivileged(() => unreadable('closed'))
  })

  test('whose root is a symlink is what the link leads to; one below is not followed', async () => {
    await using folder = await testFolder()
    mkdirSync(folder.join('real'))
    writeFileSync(folder.join('real', 'a'), '')
    symlinkSync('.', folder.join('real', 'self'))
    symlinkSync('real', folder.join('link'))
    const source = tree(folder.join('link'))
    assert.deepEqual((await listTree(source)).lines, ['- a = ', 'l self -> .'])
    assert.deepEqual(source.place, { path: folder.join('link'), type: 'directory' })
    assert.deepEqual((await listTree(source, new Set([folder.join('real', 'a')]))).lines, ['l self -> .'])
  })
})

/** Runs as a user who may read little: root may read everything. */
async function unprivileged(work: () => Promise<void>): Promise<void> {
  const root = process.geteuid?.() === 0
  try {
    if (root) process.seteuid?.(65534)
    await work()
  } finally {
    if (root) process.seteuid?.(0)
  }
}

test('a root that is neither a folder nor a file is refused', async () => {
  await assert.rejects(listTree(tree('/dev/null')), (error) => isSealiftError(error, 'SOURCE_UNREADABLE'))
})

test('the options are strict and say what they are', () => {
  assert.deepEqual(filesOptions.parse({ path: '/a' }), { path: '/a' })
  assert.throws(() => filesOptions.parse({ path: '/a', include: [] }))
  assert.throws(() => filesOptions.parse({ path: '/a', excludes: ['x'] }))
})

test('a file stays unread by a FIFO that took its place', async () => {
  await using folder = await testFolder()
  await using _held = await open(folder.path)
  execFileSync('mkfifo', [folder.join('pipe')])
  await assert.rejects(listTree(tree(folder.join('pipe'))), (error) =>
    isSealiftError(error, 'SOURCE_UNREADABLE'),
  )
})
