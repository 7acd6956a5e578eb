import assert from 'node:assert/strict'
import { openSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { commandWorld } from '../../test/support/command-world.ts'
import { typedTerminal } from '../../test/support/typed-terminal.ts'
import type { OpenKey, SlotKey } from '../engine/context.ts'
import { openKeys, sealSlots } from './keys.ts'

const recipient = 'sealift-recipient-v1:AAAA'
let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealift-keys-'))
})
after(() => rm(folder, { recursive: true }))

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  await chmod(path, 0o600)
  return path
}

function plain(keys: readonly (OpenKey | SlotKey)[]): string[] {
  return keys.map((key) => {
    if (key.type === 'passphrase') return key.passphrase.reveal()
    if (key.type === 'opened') return key.id
    return key.type === 'secret' ? key.secret.reveal() : key.recipient
  })
}

async function credentials(passphrase: string | undefined): Promise<string> {
  const path = await mkdtemp(join(folder, 'credentials-'))
  if (passphrase !== undefined) await file(join(path.slice(folder.length), 'sealift-passphrase'), passphrase)
  return path
}

test('the options come first and all count; then one of environment, credential, configuration', async () => {
  const named = await file('named', 'from the option')
  const env = {
    SEALIFT_PASSPHRASE_FILE: await file('env', 'from the environment'),
    CREDENTIALS_DIRECTORY: await credentials('from the credential'),
  }
  const seal = { passphraseFile: await file('configured', 'from the configuration'), recipients: [] }
  const keyFile = [await file('key', '# recipient: x\nSEALIFT-SECRET-V1:abc\n')]
  const world = commandWorld({ env })
  assert.deepEqual(plain(await openKeys(world, { passphraseFile: [named], keyFile }, seal)), [
    'from the option',
    'SEALIFT-SECRET-V1:abc',
  ])
  assert.deepEqual(plain(await openKeys(world, {}, seal)), ['from the environment'])
  const { CREDENTIALS_DIRECTORY } = env
  assert.deepEqual(plain(await openKeys(commandWorld({ env: { CREDENTIALS_DIRECTORY } }), {}, seal)), [
    'from the credential',
  ])
  assert.deepEqual(plain(await openKeys(commandWorld(), {}, seal)), ['from the configuration'])
})

test('a service with other credentials goes on to the configuration', async () => {
  const env = { CREDENTIALS_DIRECTORY: await credentials(undefined) }
  const seal = { passphraseFile: await file('conf', 'from the configuration'), recipients: [] }
  assert.deepEqual(plain(await openKeys(commandWorld({ env }), {}, seal)), ['from the configuration'])
})

test('a file that was named and is refused is an error, never a reason to take the next', async () => {
  const open = await file('open', 'from the environment')
  await chmod(open, 0o644)
  const world = commandWorld({ env: { SEALIFT_PASSPHRASE_FILE: open } })
  const seal = { passphraseFile: await file('conf2', 'from the configuration'), recipients: [] }
  await assert.rejects(openKeys(world, {}, seal), { code: 'KEY_FILE_REFUSED' })
})

test('without any, the terminal is asked once to open, and closed again', async () => {
  const terminal = typedTerminal('short\r')
  const keys = await openKeys(commandWorld({ openTerminal: () => terminal }), {})
  assert.deepEqual(plain(keys), ['short'])
  assert.equal(terminal.closed(), true)
})

test('without any and without a terminal the error says what to use', async () => {
  await assert.rejects(openKeys(commandWorld(), {}), { code: 'PASSPHRASE_MISSING' })
  await assert.rejects(sealSlots(commandWorld(), {}, { recipients: [] }), { code: 'PASSPHRASE_MISSING' })
})

test('sealing takes the recipients of the configuration beside its passphrase; options replace both', async () => {
  const seal = { passphraseFile: await file('conf3', 'from the configuration'), recipients: [recipient] }
  assert.deepEqual(plain(await sealSlots(commandWorld(), {}, seal)), ['from the configuration', recipient])
  const other = 'sealift-recipient-v1:BBBB'
  assert.deepEqual(plain(await sealSlots(commandWorld(), { recipient: [other] }, seal)), [other])
})

test('recipients alone ask nobody', async () => {
  assert.deepEqual(plain(await sealSlots(commandWorld(), {}, { recipients: [recipient] })), [recipient])
})

test('a recipient may be given as the file that keygen wrote', async () => {
  const path = await file('pair.key', `# recipient: ${recipient}\nSEALIFT-SECRET-V1:abc\n`)
  assert.deepEqual(plain(await sealSlots(commandWorld(), { recipient: [path] }, { recipients: [] })), [
    recipient,
  ])
  const none = await file('none.key', 'hello\n')
  const refused = sealSlots(commandWorld(), { recipient: [none] }, { recipients: [] })
  await assert.rejects(refused, { code: 'KEY_INVALID' })
})

test('a passphrase of 11 characters seals nothing, one of 12 does; opening takes any', async () => {
  const short = await file('short', 'elevenchars')
  const long = await file('long', 'twelve chars')
  await assert.rejects(sealSlots(commandWorld(), { passphraseFile: [short] }, { recipients: [] }), {
    code: 'PASSPHRASE_TOO_SHORT',
  })
  assert.equal((await sealSlots(commandWorld(), { passphraseFile: [long] }, { recipients: [] })).length, 1)
  assert.deepEqual(plain(await openKeys(commandWorld(), { passphraseFile: [short] })), ['elevenchars'])
})

test('characters are counted as people see them composed, and the key keeps its bytes, as gpg takes them', async () => {
  const decomposed = await file('nfd', 'u\u0308bergrösse')
  const [key] = plain(await openKeys(commandWorld(), { passphraseFile: [decomposed] }))
  assert.equal(key, 'u\u0308bergrösse')
  await assert.rejects(sealSlots(commandWorld(), { passphraseFile: [decomposed] }, { recipients: [] }), {
    code: 'PASSPHRASE_TOO_SHORT',
  })
})

test('a new passphrase is asked twice, with a word on its strength and none of itself', async () => {
  const typed = 'otter bridge lemon canvas orbit tulip'
  const terminal = typedTerminal(`${typed}\r`, `${typed}\r`)
  const slots = await sealSlots(commandWorld({ openTerminal: () => terminal }), {}, { recipients: [] })
  assert.deepEqual(plain(slots), [typed])
  assert.match(terminal.shown(), /Strength: strong, about \d+ bits/)
  assert.doesNotMatch(terminal.shown(), /otter/)
})

test('a mismatch or a short one is asked again, three times at most', async () => {
  const good = 'a good passphrase'
  const terminal = typedTerminal('short\r', `${good}\r`, 'another one, longer\r', `${good}\r`, `${good}\r`)
  const slots = await sealSlots(commandWorld({ openTerminal: () => terminal }), {}, { recipients: [] })
  assert.deepEqual(plain(slots), [good])
  const never = typedTerminal(
    ...Array.from({ length: 3 }, () => ['one passphrase\r', 'two passphrase\r']).flat(),
  )
  await assert.rejects(sealSlots(commandWorld({ openTerminal: () => never }), {}, { recipients: [] }), {
    code: 'PASSPHRASE_MISMATCH',
  })
})

test('a passphrase is read from an open descriptor; one that is closed is a mistake in the arguments', async () => {
  const fd = openSync(await file('fd', 'through a descriptor\n'), 'r')
  assert.deepEqual(plain(await openKeys(commandWorld(), { passphraseFd: fd })), ['through a descriptor'])
  await assert.rejects(openKeys(commandWorld(), { passphraseFd: 987_654 }), { code: 'USAGE' })
  const folderFd = openSync(await file('two', 'one\ntwo\n'), 'r')
  await assert.rejects(openKeys(commandWorld(), { passphraseFd: folderFd }), { code: 'KEY_FILE_REFUSED' })
})

test('a key file holds one secret key', async () => {
  const two = await file('two.key', 'SEALIFT-SECRET-V1:a\nSEALIFT-SECRET-V1:b\n')
  const none = await file('no.key', `${recipient}\n`)
  for (const path of [two, none]) {
    await assert.rejects(openKeys(commandWorld(), { keyFile: [path] }), { code: 'KEY_FILE_REFUSED' })
  }
})
