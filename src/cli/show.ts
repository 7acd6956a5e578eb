import type { Command } from 'commander'
import type { ShowResult } from '../engine/show.ts'
import type { ManifestSource } from '../manifest.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening, withChoice } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { count, moment, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { headerFields } from './slot-text.ts'
import { fields, table } from './table.ts'

type Options = CommonOptions & OpenOptions & ChoiceOptions & { readonly members?: boolean }

export function addShow(program: Command, session: Session): void {
  const command = program.command('show').summary('show what an archive holds: sources, rows, facts')
  command
    .description(
      'Opens an archive and shows its manifest: where and when it was taken, each source with its row counts and facts, and the warnings of that run. It reads the index, not the payload.',
    )
    .argument(...archiveArgument)
    .option('--members', 'list every member of the index instead')
  withOutput(withConfigIfAny(withChoice(withOpening(command))))
  withExample(command, 'sealift show latest', 'sealift show 3fa81c02 --members | grep certs/')
  command.action((archive: string, options: Options) =>
    session.perform(options, faceFor(options), async (job) => {
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { show } = await import('../engine/show.ts')
      return show(ctx, {
        ...opening(job, archive, options, configured),
        ...(options.members === true && { onMember: job.renderer.member }),
      })
    }),
  )
}

function faceFor({ members }: Options): Face<ShowResult> {
  return { verb: 'show', text: members === true ? () => '' : showText, stdout: 'product' }
}

function showText({ archive, header, manifest }: ShowResult, { style }: View): string {
  const { app, profile, host, tool, started_at, finished_at, sources, warnings } = manifest
  const parts = [
    fields([
      ['archive', printable(archive.name)],
      ['application', `${printable(app)} (profile ${printable(profile)})`],
      ['host', printable(host)],
      ['taken', `${moment(started_at)} to ${moment(finished_at)}`],
      ['by', printable(`${tool.name} ${tool.version}`)],
      ['size', size(archive.size)],
      ...(header === undefined ? [] : headerFields(header)),
    ]),
    ...sources.map((source) =>
      sourceText(archive.format === undefined ? source : withoutPlace(source), style.bold),
    ),
  ]
  if (warnings.length > 0) {
    const lines = warnings.map(
      (w) => `  ${printable([w.source, w.path, w.message].filter(Boolean).join(': '))}`,
    )
    parts.push(
      `${style.attention(`${several(warnings.length, 'warning')} of that run`)}\n${lines.join('\n')}`,
    )
  }
  return parts.join('\n\n')
}

/** A foreign archive does not say where it came from: the place is where it would go. */
function withoutPlace({ place: _place, ...source }: ManifestSource): ManifestSource {
  return source
}

function sourceText(source: ManifestSource, bold: (text: string) => string): string {
  const { name, kind, place, members, bytes, rows, facts, versions, snapshot_at } = source
  const lines: [string, string][] = [
    ['snapshot', moment(snapshot_at)],
    ['holds', `${size(bytes)} in ${several(members, 'member')}`],
  ]
  if (place !== undefined) lines.unshift(['from', printable(place.path)])
  for (const [what, version] of Object.entries(versions)) lines.push([printable(what), printable(version)])
  for (const [fact, value] of Object.entries(facts)) {
    lines.push([printable(fact), printable(typeof value === 'string' ? value : JSON.stringify(value))])
  }
  const counted = Object.entries(rows ?? {}).map(([each, number]) => [
    `    ${printable(each)}`,
    count(number),
  ])
  const list =
    counted.length === 0 ? '' : `\n  rows\n${table([{ shrink: true }, { align: 'right' }], counted)}`
  return `${bold(printable(name))} (${printable(kind)})\n${fields(lines)}${list}`
}
