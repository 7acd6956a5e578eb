import type { Command } from 'commander'
import type { CheckResult } from '../engine/report.ts'
import { asking, withAsking } from './asking.ts'
import type { AskOptions } from './asking.ts'
import { findingLine } from './finding-line.ts'
import type { OpenOptions } from './keys.ts'
import { opening } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { duration, minute } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

type Options = CommonOptions & OpenOptions & AskOptions & { readonly url: string; readonly logs?: string }

export function addCheck(program: Command, session: Session): void {
  const command = program.command('check').summary('compare a running application with a backup')
  command
    .description(
      'Compares a running application with the facts of a backup: its endpoints over TLS under the CA of the facts, the CA that it serves, its database, its log. Ready is no proof: an application is ready on a new CA and on an empty database. Without an archive, the facts are those of the one that was restored last, or else of the newest good backup.',
    )
    .argument('[archive]', 'latest, an id or its first digits, a name, a path, or - for standard input')
    .requiredOption('--url <url>', 'where the application answers: https://HOST[:PORT]')
    .option('--logs <file>', 'what it has logged since its start; - for standard input')
  withAsking(command)
  withOutput(withConfigIfAny(withOpening(command)))
  withExample(
    command,
    'sealift check --url https://localhost:9443',
    'docker compose logs | sealift check --url https://localhost:9443 --logs -',
  )
  command.action((archive: string | undefined, options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configuredIfAny()
      const ask = await asking(options.url, options)
      const ctx = await job.context(configured)
      const { check } = await import('../engine/check.ts')
      const { archive: named, ...rest } = opening(job, archive ?? 'latest', options, configured)
      return check(ctx, {
        ...rest,
        ...ask,
        ...(archive === undefined ? {} : { archive: named }),
        ...(options.logs === undefined ? {} : { logs: options.logs }),
      })
    }),
  )
}

const face: Face<CheckResult> = {
  verb: 'check',
  text: (result, view) =>
    `${checkText(result, view)}\n\n${fields([['took', duration(view.report.seconds)]])}`,
  attention: ({ verdict }) => verdict === 'attention',
}

/** What was looked at, what was not, and what was found: also part of what `guard` says. */
export function checkText(
  { archive, facts_from, looks, findings, verdict }: CheckResult,
  { style }: Pick<View, 'style'>,
): string {
  const words = {
    ok: style.good('ok:'),
    attention: style.attention('attention:'),
    fail: style.bad('fail:'),
  }
  const sentences = {
    ok: 'it is the continuation of the backup, as far as was looked',
    attention: 'nothing wrong was seen, but not all was looked at, or something wants a look',
    fail: 'it is not the application of the backup, or it is not well',
  }
  const from = facts_from === 'archive' ? 'the archive' : 'the catalogue'
  const seen = looks.map(({ what, done, detail }) => {
    const word = done ? style.good('looked at ') : style.attention('not looked')
    return `  ${word}  ${what}: ${printable(detail)}`
  })
  const lines = findings.map((one) => findingLine(one, style))
  return [
    `${words[verdict]} ${sentences[verdict]}`,
    `  compared with ${printable(archive.name)} of ${minute(archive.created_at)} (facts from ${from})`,
    ...seen,
    ...lines,
  ].join('\n')
}
