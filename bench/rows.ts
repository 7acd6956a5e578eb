import type { Random } from './random.ts'

const actions = [
  'session.open',
  'session.close',
  'tool.call',
  'tool.result',
  'agent.enroll',
  'certificate.renew',
  'policy.deny',
  'policy.allow',
]
const consonants = 'bcdfghjklmnprstvwz'
const vowels = 'aeiou'
const bytesPerRow = 48
const secondMs = 1000

/**
 * Row-like text as the audit log of an application has it: numbers and times that grow, names that repeat, a random
 * identifier of 8 bytes, a few words. `zstd -1` makes 37 % of it.
 */
export class Rows {
  readonly #random: Random
  readonly #words: readonly string[]
  readonly #hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
  #id = 0
  #time = Date.UTC(2026, 0, 1)
  #second = 0
  #clock = ''

  constructor(random: Random) {
    this.#random = random
    this.#words = Array.from({ length: 2048 }, () => word(random))
  }

  next(): string {
    const bytes = this.#random.bytes(bytesPerRow)
    const at = (index: number): number => bytes[index] ?? 0
    this.#id += 1
    this.#time += at(0) * 7
    let text = ''
    // The product of three bytes prefers low numbers, as words do.
    for (let left = 3 + (at(1) & 7), index = 2; left > 0; left -= 1, index += 3)
      text += ` ${this.#words[(at(index) * at(index + 1) * at(index + 2)) >>> 13] ?? ''}`
    let session = ''
    for (let index = 40; index < bytesPerRow; index += 1) session += this.#hex[at(index)] ?? ''
    const agent = (at(33) * at(34)) % 977
    const outcome = at(36) < 240 ? 'ok' : 'error'
    return `${this.#id}|${this.#timestamp()}|agent-${agent}|${actions[at(35) & 7]}|${outcome}|${(at(37) * at(38)) % 5000}|10.0.${at(39) & 15}.${at(32)}|${session}|${text}\n`
  }

  #timestamp(): string {
    const second = Math.floor(this.#time / secondMs)
    if (second !== this.#second) {
      this.#second = second
      this.#clock = new Date(second * secondMs).toISOString().slice(0, 19)
    }
    return `${this.#clock}.${String(this.#time % secondMs).padStart(3, '0')}Z`
  }
}

function word(random: Random): string {
  let made = ''
  for (let left = 2 + random.number(3); left > 0; left -= 1)
    made += `${consonants.charAt(random.number(consonants.length))}${vowels.charAt(random.number(vowels.length))}`
  return made
}
