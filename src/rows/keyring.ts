import type { Secret } from '../secret.ts'

/**
 * Why a stored secret does not open: a stable word. `key-or-change`: the cipher's tag differs, and nobody can tell
 * whether the key is another one or the value was changed.
 */
export type Unopened = 'unknown-prefix' | 'not-base64' | 'too-short' | 'key-or-change' | 'not-utf8'

/** What a stored value opens to. `codec` names the shape it had. */
export type Opened =
  | { readonly secret: Secret; readonly codec: string }
  | { readonly refused: Unopened; readonly codec?: string }

/**
 * One shape of a wrapped secret, with the keys it needs in it. `domain` says which of an application's keys a column
 * belongs to. `open` never throws for a value that does not open: one broken row must not stop the others.
 */
export interface Codec {
  readonly name: string
  /** Whether a stored value has this shape; the first codec of a list that says so is the one that opens it. */
  recognises(stored: string): boolean
  open(domain: string, stored: string): Secret | Unopened
  /** Absent for a shape that is read and no longer written. Fresh randomness for each value. */
  wrap?(domain: string, secret: Secret): string
}

/** The keys of one application, made from exactly one master key. */
export interface Keyring {
  /** Tells two keyrings apart and reveals nothing of the keys: it stands in archives and in the application's database. */
  readonly check: string
  open(domain: string, stored: string): Opened
  /** In the newest shape. Throws BUG for a domain that the keyring does not have. */
  wrap(domain: string, secret: Secret): string
}

/** A keyring over a plain list of codecs, tried in order; the first that can write is the one that writes. */
export function keyringOf(
  check: string,
  codecs: readonly [Codec & Required<Pick<Codec, 'wrap'>>, ...Codec[]],
): Keyring {
  const [newest] = codecs
  return {
    check,
    open(domain, stored) {
      const codec = codecs.find((one) => one.recognises(stored))
      if (codec === undefined) return { refused: 'unknown-prefix' }
      const opened = codec.open(domain, stored)
      return typeof opened === 'string'
        ? { refused: opened, codec: codec.name }
        : { secret: opened, codec: codec.name }
    },
    wrap: (domain, secret) => newest.wrap(domain, secret),
  }
}
