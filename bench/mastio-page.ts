import { median } from './timing.ts'

export interface BackupRound {
  readonly seconds: number
  /** Of the writer, meanwhile. */
  readonly commits: number
  /** The longest that one commit took, under the backup and without it. */
  readonly stallMs: number
  readonly aloneMs: number
}

export interface RestoreRound {
  readonly seconds: number
  readonly steps: readonly { readonly step: string; readonly seconds: number }[]
}

export interface Stepwise {
  readonly ended: boolean
  readonly seconds: number
  readonly commits: number
}

export interface MastioResults {
  readonly bytes: number
  readonly rounds: number
  readonly backups: readonly BackupRound[]
  readonly restores: readonly RestoreRound[]
  readonly stepwise: Stepwise
  readonly machine: readonly (readonly [string, string])[]
}

const backupLimit = 10
const stallLimit = 500
const restoreLimit = 60

/** The page bench/MASTIO.md, and whether all is as required. */
export function mastioPage(results: MastioResults): { readonly page: string; readonly met: boolean } {
  const { bytes, rounds, backups, restores, stepwise, machine } = results
  const seconds = median(backups.map((one) => one.seconds))
  const stall = median(backups.map((one) => one.stallMs))
  const restore = median(restores.map((one) => one.seconds))
  const verdicts: [string, string, boolean][] = [
    [`backup under ${backupLimit} s`, `${seconds.toFixed(2)} s`, seconds < backupLimit],
    [`writer waits less than ${stallLimit} ms`, `${stall.toFixed(0)} ms`, stall < stallLimit],
    ['the stepwise backup does not end in 60 s', told(stepwise), !stepwise.ended],
    [
      `restored, started and checked under ${restoreLimit} s`,
      `${restore.toFixed(2)} s`,
      restore < restoreLimit,
    ],
  ]
  const names = restores[0]?.steps.map(({ step }) => step) ?? []
  const parts = [
    '# Mastio: measured',
    `Written by \`script/bench --mastio\`: a database of ${(bytes / 1e6).toFixed(0)} MB with its audit chain, another process that commits a chained row 100 times a second, median of ${rounds}. A backup is \`sealift backup\` from its start to its end: snapshot, integrity check, verification of the chains, seal, fsync.`,
    table(
      ['requirement', 'measured', ''],
      verdicts.map(([what, measured, met]) => [what, measured, met ? 'met' : '**not met**']),
    ),
    '## Backups',
    'The longest commit of the writer during the backup, and of a writer left alone for as long.',
    table(
      ['round', 'backup', 'commits meanwhile', 'longest commit', 'left alone'],
      backups.map((one, index) => [
        String(index + 1),
        `${one.seconds.toFixed(2)} s`,
        String(one.commits),
        `${one.stallMs.toFixed(0)} ms`,
        `${one.aloneMs.toFixed(0)} ms`,
      ]),
    ),
    `The page of the vendor: \`sqlite3 mcp_proxy.db ".backup …"\` in the same run, under the same writer (${stepwise.commits} commits): ${told(stepwise)}.`,
    '## Restore to running state',
    'From an empty `data/` to a checked application, by the steps of the report. The application is a stand-in that opens the database and serves the endpoints; the start of the real one comes on top.',
    table(
      ['step', ...restores.map((_, index) => `round ${index + 1}`), 'median'],
      names.map((name, index) => {
        const times = restores.map(({ steps }) => steps[index]?.seconds ?? Number.NaN)
        return [name, ...times.map((time) => time.toFixed(2)), `${median(times).toFixed(2)} s`]
      }),
    ),
    '## Machine',
    table(['', ''], machine),
  ]
  return { page: `${parts.join('\n\n')}\n`, met: verdicts.every(([, , met]) => met) }
}

function told({ ended, seconds }: Stepwise): string {
  return ended ? `ended after ${seconds.toFixed(1)} s` : 'not ended after 60 s'
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
