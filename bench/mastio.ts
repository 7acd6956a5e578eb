/** Measures backup and restore of a Mastio of 300 MB that is written to all the time, and writes bench/MASTIO.md. */
import { statSync, writeFileSync } from 'node:fs'
import { getPriority, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { installMastio } from '../test/support/mastio-installation.ts'
import { fillAudit } from '../test/support/mastio-fill.ts'
import { describeMachine, versionsOf } from './machine.ts'
import { mastioPage } from './mastio-page.ts'
import type { MastioResults } from './mastio-page.ts'
import { measureBackup, measureRestore, measureStepwise } from './mastio-rounds.ts'

const usage = `Usage: script/bench --mastio [options]

Measures how long the backup of a Mastio database takes while a writer commits
100 times a second, how long that writer has to wait, whether the stepwise
backup of the sqlite3 command line ends at all, and how long a restore takes
until the application answers. Writes bench/MASTIO.md; some minutes.

  --rounds N     how many times each is measured (default: 5)
  --size MB      size of the database (default: 300)
  --out FILE     write the results to FILE
`
const megabyte = 1e6

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '300' },
      out: { type: 'string', default: path.join(import.meta.dirname, 'MASTIO.md') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    say(usage)
    return 0
  }
  const rounds = wholeNumber('--rounds', values.rounds)
  const busy = loadavg()[0] ?? 0
  await using at = await installMastio({ license: '' })
  say(`filling a database of ${values.size} MB\n`)
  fillAudit(at.bundle.database, wholeNumber('--size', values.size) * megabyte)
  const { size } = statSync(at.bundle.database)
  const [backups, restores]: [MastioResults['backups'][number][], MastioResults['restores'][number][]] = [
    [],
    [],
  ]
  for (let round = 1; round <= rounds; round++) {
    const backup = await measureBackup(at)
    backups.push(backup)
    say(
      `round ${round}/${rounds}  backup ${backup.seconds.toFixed(2)} s, writer waited ${backup.stallMs.toFixed(0)} ms\n`,
    )
    const restore = await measureRestore(at)
    restores.push(restore)
    say(`round ${round}/${rounds}  restore ${restore.seconds.toFixed(2)} s\n`)
  }
  const stepwise = await measureStepwise(at)
  say(`stepwise  ${stepwise.ended ? `${stepwise.seconds.toFixed(2)} s` : 'not finished in 60 s'}\n`)
  const load = [
    ['load before', `${busy.toFixed(1)} processes running or waiting, this one at nice ${getPriority()}`],
  ] as const
  const machine = [...describeMachine(tmpdir(), new Date()), ...load, ...versionsOf([])]
  const results: MastioResults = { bytes: size, rounds, backups, restores, stepwise, machine }
  const { page, met } = mastioPage(results)
  writeFileSync(values.out, page)
  say(`written to ${values.out}\n`)
  return met ? 0 : 1
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new Error(`${name} wants a whole number above 0, not ${text}`)
}

function say(text: string): void {
  process.stdout.write(text)
}

process.exitCode = await main()
