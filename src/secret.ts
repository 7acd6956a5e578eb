import { inspect } from 'node:util'

/**
 * A value that must not be printed: a passphrase, a secret key. Wherever it is logged, serialised or put into a
 * string it shows `[secret]`; only `reveal()` gives the value, so every use of a secret can be found by that word.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
