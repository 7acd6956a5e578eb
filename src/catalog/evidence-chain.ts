import type { EvidenceHead, EvidenceRecord } from './evidence-record.ts'
import { hashOf, nothingBefore, parseLine, sha256 } from './evidence-record.ts'

/** Something in a log that is not as it was written, by the number of the record it is about. */
export interface EvidenceProblem {
  readonly seq: number
  readonly problem: string
}

/** A log, read and judged. */
export interface EvidenceChain {
  /** Every record that can be read, in the order of the file. */
  readonly records: readonly EvidenceRecord[]
  /** Empty for a log that nobody changed. */
  readonly problems: readonly EvidenceProblem[]
  /** What the next record hangs on. */
  readonly head: EvidenceHead
  /** Bytes after the last line that are no record: an append that a crash cut off. */
  readonly torn: number
  /** The last line is a whole record and lacks its line end. */
  readonly unended: boolean
}

/**
 * Judges the text of a log. A changed, removed, added or moved record is a problem with its number. What the text alone
 * cannot tell, a cut tail and a log made anew, shows where `anchor` is given: the last head that was known elsewhere.
 */
export function checkChain(
  text: string,
  { app, anchor }: { readonly app: string; readonly anchor?: EvidenceHead | undefined },
): EvidenceChain {
  const lines = text.split('\n')
  const tail = lines.pop() ?? ''
  const last = tail === '' ? undefined : parseLine(tail)
  if (last !== undefined) lines.push(tail)
  const walk = new Walk(app)
  for (const line of lines) walk.take(line)
  if (anchor !== undefined) walk.compare(anchor)
  return {
    records: walk.records,
    problems: walk.problems.toSorted((a, b) => a.seq - b.seq),
    head: { seq: walk.expected - 1, hash: walk.before },
    torn: last === undefined ? Buffer.byteLength(tail) : 0,
    unended: last !== undefined,
  }
}

class Walk {
  readonly records: EvidenceRecord[] = []
  readonly problems: EvidenceProblem[] = []
  readonly #app: string
  expected = 1
  /** The hash that the next record must name. */
  before: string = nothingBefore

  constructor(app: string) {
    this.#app = app
  }

  take(line: string): void {
    const record = parseLine(line)
    if (record === undefined) {
      this.#say(this.expected, 'it cannot be read')
      // So that a log can be gone on with: its next record names the bytes that stand here.
      this.#follow(this.expected, sha256(line))
      return
    }
    this.records.push(record)
    const { seq, prev, hash, app } = record
    if (hash !== hashOf(record)) this.#say(seq, 'it was changed after it was written')
    if (app !== this.#app) this.#say(seq, `it belongs to ${app}`)
    if (seq < this.expected) {
      this.#say(seq, 'it stands a second time, or out of its order')
      return
    }
    if (seq > this.expected) {
      for (let gone = this.expected; gone < Math.min(seq, this.expected + mostNamed); gone++)
        this.#say(gone, 'it is missing')
    } else if (prev !== this.before) {
      if (seq === 1) this.#say(1, 'it names a record before it')
      else this.#say(seq - 1, `it is not the one that record ${seq} was chained to`)
    }
    this.#follow(seq, hash)
  }

  compare({ seq, hash }: EvidenceHead): void {
    if (seq >= this.expected) {
      const which = seq === this.expected ? 'it is' : `records ${this.expected} to ${seq} are`
      this.#say(this.expected, `${which} gone from the end, and the catalogue remembers them`)
      return
    }
    const found = this.records.find((record) => record.seq === seq)
    if (found !== undefined && found.hash !== hash)
      this.#say(seq, 'it is not the one that the catalogue remembers')
  }

  #follow(seq: number, hash: string): void {
    this.expected = seq + 1
    this.before = hash
  }

  /** One problem for each record: the first one that shows. */
  #say(seq: number, problem: string): void {
    if (!this.problems.some((known) => known.seq === seq)) this.problems.push({ seq, problem })
  }
}

/** How many missing records of one gap are named, each by its number. */
const mostNamed = 20
