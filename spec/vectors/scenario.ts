import { unseal, type OpenKey } from '../../src/archive/index.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import { Forge, KEYPAIR, type ForgeOptions, type Forged } from './forge.ts'
import { sha256, type Vector } from './vector.ts'

/** A vector as the generator writes it down; the rest follows. */
export interface Scenario {
  readonly name: string
  readonly comment: string
  readonly clauses: readonly string[]
  readonly expect?: ErrorCode
  readonly passphrase?: string
  /** In place of the first key pair's secret; `none` where a passphrase is given. */
  readonly secret?: Secret | 'none'
  readonly make: (forge: Forge) => Promise<Buffer | Forged>
}

/** A scenario that one set of options describes. */
export const forged =
  (options: ForgeOptions | ((forge: Forge) => ForgeOptions)) =>
  (forge: Forge): Promise<Forged> =>
    forge.archive(typeof options === 'function' ? options(forge) : options)

/** A sound archive whose bytes are then changed. */
export const changed =
  (change: (bytes: Buffer, archive: Forged) => Buffer, options: ForgeOptions = SMALL) =>
  async (forge: Forge): Promise<Buffer> => {
    const archive = await forge.archive(options)
    return change(Buffer.from(archive.bytes), archive)
  }

/** Three data chunks of 65,536 bytes or less. */
export const SMALL: ForgeOptions = {
  members: [
    { path: 'app', type: 'directory', mode: 0o755 },
    { path: 'app/data', content: Buffer.alloc(140_000, 'row 1, row 2, ') },
  ],
}

export async function vectorOf(scenario: Scenario): Promise<Vector> {
  const made = await scenario.make(new Forge(scenario.name))
  const archive = Buffer.isBuffer(made) ? made : made.bytes
  const secret = scenario.secret === 'none' ? undefined : (scenario.secret ?? KEYPAIR.secret)
  const released: Buffer[] = []
  let outcome: Vector['unseal'] = 'success'
  try {
    for await (const piece of unseal(whole(archive), keysOf(scenario.passphrase, secret)))
      released.push(piece)
  } catch {
    outcome = 'refused'
  }
  return {
    name: scenario.name,
    comment: scenario.comment,
    expect: scenario.expect ?? 'success',
    unseal: outcome,
    clauses: scenario.clauses,
    ...(scenario.passphrase === undefined ? {} : { passphrase: scenario.passphrase }),
    ...(secret === undefined ? {} : { secret: secret.reveal() }),
    plaintextSha256: sha256(Buffer.concat(released)),
    archive,
  }
}

export function keysOf(passphrase: string | undefined, secret: Secret | undefined): OpenKey[] {
  return [
    ...(passphrase === undefined
      ? []
      : [{ type: 'passphrase', passphrase: new Secret(passphrase) } as const]),
    ...(secret === undefined ? [] : [{ type: 'secret', secret } as const]),
  ]
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
