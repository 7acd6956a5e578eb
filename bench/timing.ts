export type Verb = 'backup' | 'restore'

/** What was measured of one contestant. */
export interface Timing {
  readonly contestant: string
  readonly verb: Verb
  /** The script, as it ran. */
  readonly script: string
  /** One for each round. */
  readonly seconds: readonly number[]
  /** Size of the backup in the last round. */
  readonly stored: number
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
