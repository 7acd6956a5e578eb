import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import { readKeyFile } from './key-file.ts'

const uid = process.geteuid?.() ?? 0
let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealift-key-file-'))
})
after(() => rm(folder, { recursive: true }))

async function file(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  await chmod(path, mode)
  return path
}

async function reasonFor(path: string, rules: Parameters<typeof readKeyFile>[1] = { uid }): Promise<string> {
  try {
    await readKeyFile(path, rules)
  } catch (error) {
    if (isSealiftError(error, 'KEY_FILE_REFUSED')) return error.data.reason
    throw error
  }
  return 'accepted'
}

test('the one line of a private file is read, with or without a line end', async () => {
  const ended = await readKeyFile(await file('ended', 'correct horse battery\n'), { uid })
  const bare = await readKeyFile(await file('bare', 'correct horse battery', 0o400), { uid })
  assert.equal(ended.reveal(), 'correct horse battery')
  assert.equal(bare.reveal(), 'correct horse battery')
})

test('spaces belong to the passphrase', async () => {
  const spaced = await readKeyFile(await file('spaced', '  two  words \n'), { uid })
  assert.equal(spaced.reveal(), '  two  words ')
})

test('what others may read or write is refused, and the mode is named', async () => {
  assert.equal(await reasonFor(await file('g', 'secret\n', 0o640)), 'mode 0640 gives its group access')
  assert.equal(await reasonFor(await file('o', 'secret\n', 0o604)), 'mode 0604 gives others access')
  assert.equal(
    await reasonFor(await file('go', 'secret\n', 0o666)),
    'mode 0666 gives its group and others access',
  )
})

test('a mode that no key file has is refused', async () => {
  for (const [mode, name] of [
    [0o700, '0700'],
    [0o4600, '4600'],
  ] as const) {
    const said = await reasonFor(await file(`m${name}`, 'secret\n', mode))
    assert.equal(said, `mode ${name} is none of a key file: 0400 or 0600`)
  }
})

test('a credential of systemd may carry the group bit of its access list, and no other', async () => {
  const rules = { uid, credential: true }
  assert.equal(await reasonFor(await file('acl', 'secret\n', 0o440), rules), 'accepted')
  assert.equal(
    await reasonFor(await file('aclw', 'secret\n', 0o460), rules),
    'mode 0460 gives its group access',
  )
  assert.equal(await reasonFor(await file('aclo', 'secret\n', 0o444), rules), 'mode 0444 gives others access')
})

test('a symlink is refused, also one to a good file', async () => {
  await file('good', 'secret\n')
  await symlink('good', join(folder, 'link'))
  assert.equal(await reasonFor(join(folder, 'link')), 'it is a symlink')
})

test('a folder, a FIFO and a device are refused without waiting on them', async () => {
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', ['-m', '600', fifo])
  for (const path of [folder, fifo, '/dev/null'])
    assert.equal(await reasonFor(path), 'it is not a regular file')
})

test('a file of another user is refused', async () => {
  const path = await file('theirs', 'secret\n')
  const reason = await reasonFor(path, { uid: 4242 })
  // Root's files are accepted from anyone; where the test runs as root the file is root's.
  assert.equal(
    reason,
    uid === 0 ? 'accepted' : `it belongs to user ${uid}, not to root or the caller (user 4242)`,
  )
})

test('an empty file, a second line, a Windows line end and a zero byte are refused', async () => {
  assert.equal(await reasonFor(await file('empty', '')), 'it is empty')
  assert.equal(await reasonFor(await file('newline', '\n')), 'it is empty')
  assert.equal(await reasonFor(await file('two', 'one\ntwo\n')), 'it has more than one line')
  assert.equal(await reasonFor(await file('blank', 'one\n\n')), 'it has more than one line')
  assert.equal(
    await reasonFor(await file('cr', 'one\r\n')),
    'its line ends with a carriage return (a Windows line end)',
  )
  assert.equal(await reasonFor(await file('nul', 'a\0b\n')), 'it holds a zero byte')
})

test('more than 4 KiB and bytes that are no text are refused', async () => {
  assert.equal(await reasonFor(await file('limit', 'x'.repeat(4096))), 'accepted')
  assert.equal(await reasonFor(await file('long', 'x'.repeat(4097))), 'it is longer than 4096 bytes')
  assert.equal(await reasonFor(await file('binary', Uint8Array.of(0xff, 0xfe, 0x41))), 'it is not UTF-8 text')
})

test('a file that is not there is not found, which is another thing than refused', async () => {
  await assert.rejects(readKeyFile(join(folder, 'absent'), { uid }), { code: 'KEY_FILE_NOT_FOUND' })
})

test('no refusal repeats what the file holds', async () => {
  const path = await file('leak', 'my secret words\nmore\n')
  await assert.rejects(readKeyFile(path, { uid }), (error: Error) => !error.message.includes('secret words'))
})
