import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenKey, SlotKey } from '../engine/context.ts'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import { Secret } from '../secret.ts'
import { readDescriptor } from './descriptor.ts'
import { readGuarded, readKeyFile, refused } from './key-file.ts'
import { askHidden } from './prompt.ts'
import { strengthOf } from './strength.ts'
import type { Seal, Terminal, World } from './world.ts'

/** Fewest characters of a passphrase that seals. What was sealed elsewhere with a shorter one still opens. */
export const minimumLength = 12

const attempts = 3
const recipientPrefix = 'sealift-recipient-v1:'
const secretPrefix = 'SEALIFT-SECRET-V1:'

/** The ways of a command line to name what opens an archive. Any number of them together. */
export interface OpenOptions {
  readonly passphraseFile?: readonly string[]
  readonly passphraseFd?: number
  readonly keyFile?: readonly string[]
}

/** The ways of a command line to name what an archive is sealed with. Any number of them together. */
export interface SealOptions {
  readonly passphraseFile?: readonly string[]
  readonly passphraseFd?: number
  readonly recipient?: readonly string[]
}

/**
 * What opens an archive. The first of these that names something is used, alone: the options; SEALIFT_PASSPHRASE_FILE;
 * the systemd credential `sealift-passphrase`; `seal.passphrase_file` of the configuration; the terminal, asked once.
 * PASSPHRASE_MISSING where there is none of them.
 */
export async function openKeys(world: World, options: OpenOptions, seal?: Seal): Promise<readonly OpenKey[]> {
  const keys: OpenKey[] = (await givenPassphrases(world, options)).map(asPassphrase)
  for (const path of options.keyFile ?? [])
    keys.push({ type: 'secret', secret: await secretKey(world, path) })
  if (keys.length > 0) return keys
  const passphrase = (await standingPassphrase(world, seal)) ?? (await asked(world, askOnce))
  return [asPassphrase(passphrase)]
}

/** The passphrase that is at hand without asking: what opens an archive in passing. None where there is none. */
export async function keysAtHand(world: World, seal: Seal): Promise<readonly OpenKey[]> {
  const passphrase = await standingPassphrase(world, seal)
  return passphrase === undefined ? [] : [asPassphrase(passphrase)]
}

/**
 * What an archive is sealed with. Options, if there are any, replace the configuration. Else its recipients and one
 * passphrase, the first of SEALIFT_PASSPHRASE_FILE, the systemd credential and `seal.passphrase_file`; with neither a
 * recipient nor a passphrase the terminal is asked, twice. PASSPHRASE_TOO_SHORT, PASSPHRASE_MISMATCH, PASSPHRASE_MISSING.
 */
export async function sealSlots(world: World, options: SealOptions, seal: Seal): Promise<readonly SlotKey[]> {
  const given = await givenSlots(world, options, seal)
  if (given.length > 0) return given
  const slots: SlotKey[] = seal.recipients.map((recipient) => ({ type: 'recipient', recipient }))
  const standing = await standingPassphrase(world, seal, seal.apartFrom)
  if (standing !== undefined) slots.unshift(asPassphrase(longEnough(standing)))
  if (slots.length === 0) slots.push(asPassphrase(await asked(world, askTwice)))
  return slots
}

/** The slots that options name; none where there are none. */
export async function givenSlots(
  world: World,
  options: SealOptions,
  seal?: Seal,
): Promise<readonly SlotKey[]> {
  const given = await givenPassphrases(world, options, seal?.apartFrom)
  const slots: SlotKey[] = given.map((p) => asPassphrase(longEnough(p)))
  for (const text of options.recipient ?? []) {
    slots.push({ type: 'recipient', recipient: await recipientText(text) })
  }
  return slots
}

/** Asks for a new passphrase on the terminal, twice. */
export async function newPassphrase(world: World): Promise<Secret> {
  return asked(world, askTwice)
}

async function givenPassphrases(
  world: World,
  options: Pick<OpenOptions, 'passphraseFile' | 'passphraseFd'>,
  apartFrom: readonly string[] = [],
): Promise<Secret[]> {
  const passphrases: Secret[] = []
  for (const path of options.passphraseFile ?? [])
    passphrases.push(await readKeyFile(path, { uid: world.uid, apartFrom }))
  if (options.passphraseFd !== undefined)
    passphrases.push(await readDescriptor(options.passphraseFd, world.signal))
  return passphrases
}

async function standingPassphrase(
  world: World,
  seal: Seal | undefined,
  apartFrom: readonly string[] = [],
): Promise<Secret | undefined> {
  const { uid, env } = world
  const named = env['SEALIFT_PASSPHRASE_FILE']
  if (named !== undefined && named !== '') return readKeyFile(named, { uid, apartFrom })
  const credentials = env['CREDENTIALS_DIRECTORY']
  if (credentials !== undefined && credentials !== '') {
    const path = join(credentials, 'sealift-passphrase')
    try {
      return await readKeyFile(path, { uid, credential: true })
    } catch (error) {
      // A service may have other credentials and not this one.
      if (!(error instanceof SealiftError && error.code === 'KEY_FILE_NOT_FOUND')) throw error
    }
  }
  if (seal?.passphraseFile !== undefined) return readKeyFile(seal.passphraseFile, { uid, apartFrom })
  return undefined
}

/** The secret key of a file: the line `SEALIFT-SECRET-V1:…`, alone or among the comments and the recipient that `keygen` writes. */
async function secretKey(world: World, path: string): Promise<Secret> {
  const lines = (await readGuarded(path, { uid: world.uid })).split('\n').map((line) => line.trim())
  const secrets = lines.filter((line) => line.startsWith(secretPrefix))
  const [secret] = secrets
  if (secret === undefined) throw refused(path, `it has no line that begins with ${secretPrefix}`)
  if (secrets.length > 1) throw refused(path, 'it holds more than one secret key')
  return new Secret(secret)
}

/** A recipient as given, or from a file that holds one (also as a comment of a key file). It is no secret. */
async function recipientText(given: string): Promise<string> {
  if (given.startsWith(recipientPrefix)) return given
  let text: string
  try {
    text = await readFile(given, 'utf8')
  } catch (error) {
    const reason =
      systemCode(error) === 'ENOENT' ? `it is no ${recipientPrefix}… and no file` : reasonOf(error)
    throw new SealiftError('KEY_INVALID', { what: `recipient ${given}`, reason }, error)
  }
  const found = /sealift-recipient-v1:[A-Za-z0-9_-]+/.exec(text)?.[0]
  if (found !== undefined) return found
  throw new SealiftError('KEY_INVALID', { what: `recipient ${given}`, reason: 'the file holds no recipient' })
}

async function asked(
  world: World,
  ask: (world: World, terminal: Terminal) => Promise<Secret>,
): Promise<Secret> {
  const terminal = world.openTerminal()
  if (terminal === undefined) throw new SealiftError('PASSPHRASE_MISSING', {})
  try {
    return await ask(world, terminal)
  } finally {
    terminal.close()
  }
}

async function askOnce(world: World, terminal: Terminal): Promise<Secret> {
  return hidden(world, terminal, 'Passphrase: ')
}

async function askTwice(world: World, terminal: Terminal): Promise<Secret> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await askNew(world, terminal)
    } catch (error) {
      const again =
        error instanceof SealiftError &&
        (error.code === 'PASSPHRASE_TOO_SHORT' || error.code === 'PASSPHRASE_MISMATCH')
      if (!again || left === 1) throw error
      terminal.write(`${error.message}; again, please\n`)
    }
  }
}

async function askNew(world: World, terminal: Terminal): Promise<Secret> {
  const question = `New passphrase (${minimumLength} characters or more, not shown): `
  const first = longEnough(await hidden(world, terminal, question))
  const { word, bits } = strengthOf(first.reveal())
  const advice = word === 'strong' ? '' : '; six random words make a good one'
  terminal.write(`Strength: ${word}, about ${bits} bits if picked at random${advice}\n`)
  const second = await hidden(world, terminal, 'The same again: ')
  if (composed(second) !== composed(first)) throw new SealiftError('PASSPHRASE_MISMATCH', {})
  return first
}

function hidden(world: World, terminal: Terminal, question: string): Promise<Secret> {
  return askHidden(terminal, question, world.signal, () => world.stop('SIGINT'))
}

/**
 * A passphrase is its Unicode NFC (archive-v1 §3.2), however the keyboard or the file composed it. The archive sees to
 * that itself: gpg takes the bytes as they are, so they are kept.
 */
function composed(passphrase: Secret): string {
  return passphrase.reveal().normalize('NFC')
}

function longEnough(passphrase: Secret): Secret {
  if (Array.from(composed(passphrase)).length >= minimumLength) return passphrase
  throw new SealiftError('PASSPHRASE_TOO_SHORT', { minimum: minimumLength })
}

function asPassphrase(passphrase: Secret): { readonly type: 'passphrase'; readonly passphrase: Secret } {
  return { type: 'passphrase', passphrase }
}
