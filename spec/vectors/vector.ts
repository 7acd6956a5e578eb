import { createHash } from 'node:crypto'
import type { ErrorCode } from '../../src/errors.ts'

/** One scenario: what README.md in this folder describes. */
export interface Vector {
  readonly name: string
  readonly comment: string
  /** `success`, or the code with which a reader of the whole archive refuses it. */
  readonly expect: 'success' | ErrorCode
  /** What a reader of the outer layer alone does: `unseal`, and the reference reader. */
  readonly unseal: 'success' | 'refused'
  readonly clauses: readonly string[]
  readonly passphrase?: string
  readonly secret?: string
  /** SHA-256 of all bytes that `unseal` releases, also where it refuses the rest. */
  readonly plaintextSha256: string
  readonly archive: Buffer
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export function encodeVector(vector: Vector): Buffer {
  const lines = [
    `comment: ${vector.comment}`,
    `expect: ${vector.expect}`,
    `unseal: ${vector.unseal}`,
    `clause: ${vector.clauses.join(' ')}`,
    ...(vector.passphrase === undefined ? [] : [`passphrase: ${vector.passphrase}`]),
    ...(vector.secret === undefined ? [] : [`secret: ${vector.secret}`]),
    `plaintext-sha256: ${vector.plaintextSha256}`,
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n\n`), vector.archive])
}

export function decodeVector(name: string, bytes: Buffer): Vector {
  const end = bytes.indexOf('\n\n')
  const fields = new Map(
    bytes
      .toString('utf8', 0, end)
      .split('\n')
      .map((line): [string, string] => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)]
      }),
  )
  const field = (key: string): string => {
    const value = fields.get(key)
    if (value === undefined) throw new Error(`${name} has no ${key}`)
    return value
  }
  const passphrase = fields.get('passphrase')
  const secret = fields.get('secret')
  return {
    name,
    comment: field('comment'),
    expect: field('expect') as Vector['expect'],
    unseal: field('unseal') as Vector['unseal'],
    clauses: field('clause').split(' '),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(secret === undefined ? {} : { secret }),
    plaintextSha256: field('plaintext-sha256'),
    archive: bytes.subarray(end + 2),
  }
}
