import path from 'node:path'
import { parseArgs } from 'node:util'

export const parts = ['backup', 'restore', 'memory', 'help'] as const
export type Part = (typeof parts)[number]

export interface Options {
  readonly rounds: number
  /** MiB of data. */
  readonly size: number
  readonly only: readonly Part[]
  /** Without the memory at eight times the size. */
  readonly quick: boolean
  /** Where the results go; undefined for nowhere but the terminal. */
  readonly out: string | undefined
  readonly help: boolean
}

export const usage = `Usage: script/bench [options]

Measures sealift and its rivals side by side on the same data, and compares the
results with what is required. A full run takes about ten minutes and 25 GiB of
disk (in $TMPDIR), and writes bench/RESULTS.md.

  --rounds N     how many times each is measured (default: 5)
  --size MIB     size of the data (default: 1024)
  --only PART    only backup, restore, memory or help (repeatable)
  --quick        without the memory at eight times the size
  --out FILE     write the results to FILE, also those of a reduced run
`

/** Throws where the arguments make no sense. A run that is not full goes to no file unless one is named. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '1024' },
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const full = values.rounds === '5' && values.size === '1024' && values.only.length === 0 && !values.quick
  const standing = full ? path.join(import.meta.dirname, 'RESULTS.md') : undefined
  return {
    rounds: wholeNumber('--rounds', values.rounds),
    size: wholeNumber('--size', values.size),
    only: values.only.length === 0 ? parts : values.only.map(partNamed),
    quick: values.quick,
    out: values.out === undefined ? standing : path.resolve(values.out),
    help: values.help,
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new Error(`${name} wants a whole number above 0, not ${text}`)
}

function partNamed(text: string): Part {
  const part = parts.find((name) => name === text)
  if (part !== undefined) return part
  throw new Error(`--only wants one of ${parts.join(', ')}, not ${text}`)
}
