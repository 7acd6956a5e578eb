import { PassThrough } from 'node:stream'
import type { Terminal } from '../../src/cli/world.ts'

/** A terminal on which this is typed, one answer for each question; it keeps what was shown and how it was set. */
export interface TypedTerminal extends Terminal {
  readonly raw: readonly boolean[]
  readonly closed: () => boolean
  readonly shown: () => string
  readonly hangUp: () => void
}

export function typedTerminal(...answers: readonly string[]): TypedTerminal {
  const raw: boolean[] = []
  const keyboard = new PassThrough()
  const left = [...answers]
  let shown = ''
  let closed = false
  const input = Object.assign(keyboard, {
    setRawMode(on: boolean) {
      raw.push(on)
      const next = on ? left.shift() : undefined
      if (next !== undefined && next !== '') keyboard.write(next)
    },
  })
  return {
    input,
    raw,
    write(text) {
      shown += text
    },
    close() {
      closed = true
    },
    closed: () => closed,
    shown: () => shown,
    hangUp: () => void keyboard.end(),
  }
}
