import type { Command } from 'commander'
import type { Status } from '../engine/status.ts'
import type { RunBrief, TargetStanding } from '../engine/standing.ts'
import { withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { age, duration, minute, several } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields, table } from './table.ts'
import { wrapped } from './wrap.ts'

type Options = CommonOptions & { readonly refresh?: boolean }

export function addStatus(program: Command, session: Session): void {
  const command = program.command('status').summary('show what each target holds, and the last runs')
  command
    .description(
      'Shows the newest archive and the newest verified one of each target, the last backup, the last failure and the last drill, from what earlier runs noted. It ends with 1 where something wants a look.',
    )
    .option('--refresh', 'ask the targets what they hold')
  withOutput(withConfig(command))
  withExample(command, 'sealift status', 'sealift status --refresh --json')
  command.action((options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configured()
      const ctx = await job.context(configured)
      const { status } = await import('../engine/status.ts')
      return status(ctx, { application: configured.application, refresh: options.refresh === true })
    }),
  )
}

const face: Face<Status> = {
  verb: 'status',
  text: statusText,
  attention: ({ breaches, last_backup, targets }) =>
    breaches.length > 0 || last_backup?.ok === false || targets.some(({ error }) => error !== undefined),
  stdout: 'product',
}

const columns = [
  { title: 'TARGET', shrink: true },
  { title: 'ARCHIVES', align: 'right' },
  { title: 'NEWEST (UTC)' },
  { title: 'AGE', align: 'right' },
  { title: 'VERIFIED (UTC)' },
  { title: 'AGE', align: 'right' },
] as const

function statusText(status: Status, { style, now }: View): string {
  const { targets, last_backup, last_failure, last_drill, breaches } = status
  const rows = targets.map((one) => [
    printable(one.target),
    String(one.archives),
    ...when(one.newest?.created_at, now, 'none'),
    ...when(one.newest_verified?.created_at, now, 'none'),
  ])
  const flags = targets.flatMap((one) => flagsOf(one, style))
  const runs: [string, string][] = [['last backup', runText(last_backup, now, style)]]
  if (last_failure !== null) runs.push(['last failure', runText(last_failure, now, style)])
  const drill =
    last_drill === null
      ? 'never'
      : `${minute(last_drill.time)}, ${last_drill.verdict}, ${duration(last_drill.seconds)} from ${printable(last_drill.target)}`
  runs.push(['last drill', drill])
  const looks = breaches.map(({ breach, detail, fix }) =>
    wrapped(`  ${style.attention(breach)}  ${printable(detail)}: ${fix}`, { indent: 6 }),
  )
  const head = looks.length === 0 ? [] : [several(looks.length, 'matter') + ' to look at:', ...looks]
  return [
    table(columns, rows),
    ...flags,
    '',
    fields(runs),
    ...(looks.length === 0 ? [] : ['', ...head]),
  ].join('\n')
}

function when(created_at: string | undefined, now: Date, none: string): string[] {
  return created_at === undefined ? [none, ''] : [minute(created_at), age(created_at, now)]
}

function flagsOf({ target, off_host, error }: TargetStanding, style: View['style']): string[] {
  const name = printable(target)
  return [
    ...(off_host ? [] : [`  ${style.attention('not off-host:')} ${name}`]),
    ...(error === undefined ? [] : [`  ${style.bad('not asked:')} ${name}: ${printable(error.message)}`]),
  ]
}

function runText(run: RunBrief | null, now: Date, style: View['style']): string {
  if (run === null) return 'none is known'
  const { verb, finished_at, ok, error_code } = run
  const how = ok ? style.good('ok') : style.bad(error_code ?? 'failed')
  return `${minute(finished_at)} (${age(finished_at, now)}), ${verb}: ${how}`
}
