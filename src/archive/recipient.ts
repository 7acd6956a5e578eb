import { hash, randomBytes } from 'node:crypto'
import { SealiftError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { PUBLIC_KEY_SIZE, publicKeyOf, SEED_SIZE } from './xwing.ts'

const RECIPIENT = 'sealift-recipient-v1:'
const SECRET = 'SEALIFT-SECRET-V1:'
const CHECK_SIZE = 4

/** A new pair: the recipient to seal for, and the secret that opens (archive-v1 §3.2, text forms). */
export function generateKeypair(random: (size: number) => Buffer = randomBytes): {
  recipient: string
  secret: Secret
} {
  const seed = random(SEED_SIZE)
  const secret = new Secret(SECRET + Buffer.concat([seed, checkOf(seed)]).toString('base64url'))
  return { recipient: formatRecipient(publicKeyOf(seed)), secret }
}

/** The recipient that a secret belongs to. KEY_INVALID. */
export const recipientOf = (secret: Secret): string => formatRecipient(publicKeyOf(parseSecret(secret)))

/** The 1,216 bytes of the public key. KEY_INVALID. */
export function parseRecipient(text: string): Buffer {
  const invalid = (reason: string) => new SealiftError('KEY_INVALID', { what: 'the recipient', reason })
  if (!text.startsWith(RECIPIENT)) throw invalid(`it does not begin with ${RECIPIENT}`)
  const key = fromBase64url(text.slice(RECIPIENT.length))
  if (key?.length !== PUBLIC_KEY_SIZE) throw invalid(`it is not ${PUBLIC_KEY_SIZE} bytes of base64url`)
  return key
}

/** The 32-byte seed. KEY_INVALID, without a word of the secret itself. */
export function parseSecret(secret: Secret): Buffer {
  const invalid = (reason: string) => new SealiftError('KEY_INVALID', { what: 'the secret key', reason })
  const text = secret.reveal()
  if (!text.startsWith(SECRET)) throw invalid(`it does not begin with ${SECRET}`)
  const bytes = fromBase64url(text.slice(SECRET.length))
  if (bytes?.length !== SEED_SIZE + CHECK_SIZE) throw invalid('it has not the right length')
  const seed = bytes.subarray(0, SEED_SIZE)
  if (!checkOf(seed).equals(bytes.subarray(SEED_SIZE))) throw invalid('a character of it is wrong')
  return seed
}

/** Which key to try, and nothing more: the first 8 bytes of SHA-256 of the public key. */
export const keyId = (publicKey: Buffer): Buffer => hash('sha256', publicKey, 'buffer').subarray(0, 8)

const formatRecipient = (publicKey: Buffer): string => RECIPIENT + publicKey.toString('base64url')
const checkOf = (seed: Buffer): Buffer => hash('sha256', seed, 'buffer').subarray(0, CHECK_SIZE)

function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
