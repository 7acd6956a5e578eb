import { StringDecoder } from 'node:string_decoder'
import { SealiftError } from '../errors.ts'
import { Secret } from '../secret.ts'
import type { Terminal } from './world.ts'

/** What a key did to the line: it goes on, it is finished, or the person wants out. */
export type Keystroke = 'more' | 'done' | 'interrupt'

/**
 * A line being typed without being shown. Backspace takes a character away, Ctrl-U and Ctrl-W all of them; arrow keys and other
 * escape sequences are no part of a passphrase and are dropped, and so are the marks of a bracketed paste.
 */
export class HiddenLine {
  readonly #decoder = new StringDecoder('utf8')
  #characters: string[] = []
  #escape: 'none' | 'started' | 'sequence' = 'none'

  get text(): string {
    return this.#characters.join('')
  }

  /** Takes what the terminal sent. Whatever comes behind the end of the line is dropped. */
  feed(bytes: Buffer): Keystroke {
    for (const character of this.#decoder.write(bytes)) {
      const outcome = this.#key(character)
      if (outcome !== 'more') return outcome
    }
    return 'more'
  }

  #key(character: string): Keystroke {
    if (this.#inEscape(character)) return 'more'
    switch (character) {
      case '\r':
      case '\n':
        return 'done'
      case '\u0003': // Ctrl-C
      case '\u001C': // Ctrl-\
        return 'interrupt'
      case '\u0004': // Ctrl-D: out on an empty line, the end of any other
        return this.#characters.length === 0 ? 'interrupt' : 'done'
      case '\u007F':
      case '\b':
        this.#characters.pop()
        return 'more'
      case '\u0015': // Ctrl-U
      case '\u0017': // Ctrl-W
        this.#characters = []
        return 'more'
      default:
        if (character >= ' ') this.#characters.push(character)
        return 'more'
    }
  }

  #inEscape(character: string): boolean {
    if (character === '\u001B') {
      this.#escape = 'started'
      return true
    }
    if (this.#escape === 'started') {
      this.#escape = character === '[' || character === 'O' ? 'sequence' : 'none'
      return true
    }
    if (this.#escape === 'sequence') {
      if (character >= '@' && character <= '~') this.#escape = 'none'
      return true
    }
    return false
  }
}

/**
 * Asks for a line on the terminal without showing it. Ctrl-C calls `interrupt` and gives CANCELLED, as does an aborted
 * `signal`. The terminal is left as it was found in every case; it stays open.
 */
export async function askHidden(
  terminal: Terminal,
  question: string,
  signal: AbortSignal,
  interrupt: () => void,
): Promise<Secret> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Secret>()
  const line = new HiddenLine()
  const onData = (bytes: Buffer): void => {
    const outcome = line.feed(bytes)
    if (outcome === 'done') resolve(new Secret(line.text))
    if (outcome !== 'interrupt') return
    interrupt()
    reject(new SealiftError('CANCELLED', {}))
  }
  const onEnd = (): void => reject(new SealiftError('CANCELLED', {}))
  const onAbort = (): void => reject(new SealiftError('CANCELLED', {}, signal.reason))
  // First silent, then the question: whoever types at once must not be shown either.
  terminal.input.setRawMode(true)
  terminal.write(question)
  terminal.input.on('data', onData).on('end', onEnd).on('error', onEnd).resume()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    terminal.input.off('data', onData).off('end', onEnd).off('error', onEnd).pause()
    terminal.input.setRawMode(false)
    terminal.write('\n')
  }
}
