import type { Contestant } from './contestant.ts'
import { sealift } from './contestant.ts'
import { judge, medianOf } from './requirements.ts'
import type { Measured } from './requirements.ts'
import type { Timing, Verb } from './timing.ts'
import { median } from './timing.ts'

export interface ResultsInput extends Measured {
  /** Bytes of the data, and how many files. */
  readonly data: { readonly bytes: number; readonly files: number }
  readonly machine: readonly (readonly [string, string])[]
  readonly versions: readonly (readonly [string, string])[]
  readonly contestants: readonly Contestant[]
  /** What could not be measured, and why. */
  readonly absent: readonly string[]
  /** The command that gave these results. */
  readonly command: string
  readonly rounds: number
}

const mebibyte = 2 ** 20

/** The page bench/RESULTS.md. */
export function resultsPage(input: ResultsInput): string {
  const { data, rounds, absent, command, machine, versions, contestants } = input
  const size = `${(data.bytes / mebibyte).toFixed(0)} MiB in ${data.files} files`
  const parts = [
    '# Benchmark results',
    `Written by \`${command}\`: ${size}, 70 % row-like text and 30 % incompressible; median of ${rounds}, the contestants in turn in each round. Sealift's times include its start, the key derivation and making the result durable (fsync); a rival's include what it does by itself. Making a repository or a key is not timed. Data was read just before, so it came from the page cache for all.`,
    ...absent.map((line) => `**Not measured:** ${line}`),
    '## Requirements',
    table(
      ['requirement', 'measured', ''],
      judge(input).map(({ requirement, measured, met }) => [requirement, measured, wordFor(met)]),
    ),
    ...(['backup', 'restore'] as const).flatMap((verb) => verbPart(verb, input)),
    '## Machine and tools',
    table(['', ''], [...machine, ...versions]),
    '## Commands',
    'Each with bash and `pipefail`, in an empty folder. `$DATA_PARENT` holds the folder `data`; `$OUT` is empty. A restored folder was compared with the data byte by byte in the first round.',
    ...contestants.map(commandsOf),
  ]
  return `${parts.join('\n\n')}\n`
}

function verbPart(verb: Verb, input: ResultsInput): string[] {
  const timings = input.timings.filter((timing) => timing.verb === verb)
  if (timings.length === 0) return []
  const own = medianOf(timings, verb, sealift.name)
  const rows = timings
    .toSorted((a, b) => median(a.seconds) - median(b.seconds))
    .map((timing) => row(timing, own, input.data.bytes))
  const title = verb === 'backup' ? '## Backup' : '## Restore, with verification'
  return [title, table(['', 'median', 'fastest to slowest', 'MiB/s', 'beside sealift', 'stored'], rows)]
}

function row({ contestant, seconds, stored }: Timing, own: number, bytes: number): string[] {
  const middle = median(seconds)
  return [
    contestant,
    `${middle.toFixed(2)} s`,
    `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)} s`,
    (bytes / mebibyte / middle).toFixed(0),
    Number.isNaN(own) ? '' : `${(middle / own).toFixed(2)}×`,
    `${(stored / mebibyte).toFixed(0)} MiB`,
  ]
}

function commandsOf({ name, prepare, backup, restore }: Contestant): string {
  const part = (title: string, script: string | undefined): string =>
    script === undefined ? '' : `# ${title}\n${script}\n`
  const scripts = part('before', prepare) + part('backup', backup) + part('restore', restore)
  return `### ${name}\n\n\`\`\`sh\n${scripts}\`\`\``
}

export function wordFor(met: boolean | undefined): string {
  if (met === undefined) return '–'
  return met ? 'met' : '**not met**'
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
