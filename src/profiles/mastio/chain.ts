import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'

/** The last row of an audit chain, and how many rows there are: what every manifest carries. */
export interface ChainHead {
  readonly first_seq: number
  readonly max_seq: number
  readonly row_hash: string
  readonly chained: number
  readonly unchained: number
}

/**
 * Where a chain is broken first. `hash`: the row was changed; `link`: it does not name the row before it; `gap`: rows
 * are missing, from this number on; `format`: it is of a kind that is not known here; `sequence`: its number is none, or was taken.
 * `seq` is `null` for a row without a number, which `id` then names.
 */
export interface ChainBreak {
  readonly kind: 'hash' | 'link' | 'gap' | 'format' | 'sequence'
  readonly seq: number | null
  readonly id?: number
}

export interface ChainReport {
  /** `null` if no row has a number. */
  readonly head: ChainHead | null
  /** `null` if every row and every link is as it was written. */
  readonly firstBreak: ChainBreak | null
  /** How many numbers are missing, and the first ten holes, `[first missing, last missing]`. */
  readonly missing: number
  readonly gaps: readonly (readonly [number, number])[]
}

/** One row as the reader of a table prepared it: `covered` is the text that its hash covers. */
export interface ChainRow {
  readonly seq: number | null
  readonly id: number
  readonly previous: string | null
  readonly stored: string | null
  readonly covered: string | null
}

const genesis = 'genesis'
const gapsKept = 10
/** Rows between two looks at the signal: some tens of milliseconds of work. */
const rowsInOneGo = 5000

/** Follows one chain, row after row in the order of their numbers. Holds a bounded state, whatever the number of rows. */
export class ChainWalk {
  #first: number | null = null
  #last = 0
  #lastHash: string | null = null
  #chained = 0
  #unchained = 0
  #missing = 0
  #broken: ChainBreak | null = null
  readonly #gaps: [number, number][] = []

  /** A row without a number belongs to no chain; if it has a hash, that must be its own. */
  take({ seq, id, previous, stored, covered }: ChainRow): void {
    if (seq === null) {
      this.#unchained += 1
      if (stored !== null && covered !== null && sha256(covered) !== stored)
        this.#break({ kind: 'hash', seq, id })
      return
    }
    this.#chained += 1
    if (!Number.isSafeInteger(seq)) {
      this.#break({ kind: 'sequence', seq: null, id })
      return
    }
    if (this.#first === null) {
      this.#first = seq
      if (seq === 1 && (previous ?? genesis) !== genesis) this.#break({ kind: 'link', seq })
    } else if (seq <= this.#last) this.#break({ kind: 'sequence', seq, id })
    else if (seq !== this.#last + 1) {
      this.#missing += seq - this.#last - 1
      if (this.#gaps.length < gapsKept) this.#gaps.push([this.#last + 1, seq - 1])
      this.#break({ kind: 'gap', seq: this.#last + 1 })
    } else if (previous !== this.#lastHash) this.#break({ kind: 'link', seq })
    if (covered === null) this.#break({ kind: 'format', seq })
    else if (sha256(covered) !== stored) this.#break({ kind: 'hash', seq })
    this.#last = seq
    this.#lastHash = stored
  }

  report(): ChainReport {
    const head =
      this.#first === null
        ? null
        : {
            first_seq: this.#first,
            max_seq: this.#last,
            row_hash: this.#lastHash ?? '',
            chained: this.#chained,
            unchained: this.#unchained,
          }
    return { head, firstBreak: this.#broken, missing: this.#missing, gaps: this.#gaps }
  }

  #break(found: ChainBreak): void {
    this.#broken ??= found
  }
}

/** Calls `take` for each row, letting others run now and then. Throws the signal's reason. */
export async function walkRows<Row>(
  rows: Iterable<Row>,
  take: (row: Row) => void,
  signal: AbortSignal,
): Promise<void> {
  let count = 0
  for (const row of rows) {
    take(row)
    count += 1
    if (count % rowsInOneGo === 0) {
      await setImmediate()
      signal.throwIfAborted()
    }
  }
}

/** One sentence on a break, for a person. */
export function describeBreak({ kind, seq, id }: ChainBreak): string {
  const where = seq === null ? `the row with id ${id ?? 0}` : `row ${seq}`
  const what: Record<ChainBreak['kind'], string> = {
    hash: `${where} was changed`,
    link: `${where} does not follow the row before it`,
    gap: `rows are missing from ${where} on`,
    format: `${where} has a hash of an unknown kind`,
    sequence: `${where} has no valid number`,
  }
  return what[kind]
}

/** Lower-case hex, of the UTF-8 bytes. */
function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
