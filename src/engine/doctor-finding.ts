import type { Finding } from '../sources/source.ts'
import { named } from './run.ts'

/** A finding with what to do about it. */
export interface DoctorFinding extends Finding {
  readonly fix?: string
}

/** The finding that `examine` makes, or a `fail` that says what it threw. */
export async function attempted(
  check: string,
  examine: () => Promise<DoctorFinding>,
  signal?: AbortSignal,
): Promise<DoctorFinding> {
  try {
    return await examine()
  } catch (error) {
    signal?.throwIfAborted()
    const { message, hint } = named(error)
    return { check, verdict: 'fail', detail: message, ...(hint === undefined ? {} : { fix: hint }) }
  }
}

/** `12.3 MiB`: bytes for people. */
export function sized(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
