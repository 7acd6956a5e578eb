import type { Command } from 'commander'
import type { ArchiveSummary, ListResult } from '../engine/report.ts'
import { folders, withFolders } from './opening.ts'
import { withConfigIfAny, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { isNear } from './placement.ts'
import { printable } from './printable.ts'
import { age, day, minute, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { table } from './table.ts'

type Options = CommonOptions & { readonly from?: readonly string[] }

export function addList(program: Command, session: Session): void {
  const command = program.command('list').summary('list the archives at the targets, newest first')
  command
    .description(
      'Lists the archives of the application at its targets, or those in folders, newest first over all of them. It needs no key.',
    )
    .argument('[folder]', 'list the archives in this folder instead')
  withOutput(withConfigIfAny(withFolders(command)))
  withExample(
    command,
    'sealift list',
    'sealift list /mnt/usb/archives --json',
    'sealift list --from /mnt/usb/archives',
  )
  command.action((folder: string | undefined, options: Options) =>
    session.perform(options, face, async (job) => {
      const { list } = await import('../engine/list.ts')
      const from = await folders(job, options.from ?? [])
      if (folder !== undefined) {
        const configured = await job.configuredIfAny()
        const place = await job.world.openFolder(folder)
        return list(await job.context(configured), { folders: [place, ...from] })
      }
      // Folders alone will do where nothing is configured.
      const configured = from.length > 0 ? await job.configuredIfAny() : await job.configured()
      const application = configured === undefined ? {} : { application: configured.application }
      return list(await job.context(configured), { ...application, folders: from })
    }),
  )
}

const face: Face<ListResult> = {
  verb: 'list',
  text: listText,
  attention: ({ unreadable, unavailable }) => unreadable.length + unavailable.length > 0,
  stdout: 'product',
}

const columns = [
  { title: 'TAKEN (UTC)' },
  { title: 'AGE', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'ID' },
  { title: 'STATE' },
  { title: 'TARGET', shrink: true },
] as const

function listText(
  { archives, unreadable, unavailable, placements }: ListResult,
  { now, style }: View,
): string {
  const rows = archives.map((archive) => [
    minute(archive.created_at),
    age(archive.created_at, now),
    size(archive.size),
    archive.id.slice(0, 8),
    state(archive),
    printable(archive.target),
  ])
  const lines = archives.length === 0 ? ['No archives.'] : [table(columns, rows)]
  for (const { name, target, error } of unreadable) {
    lines.push(
      `${style.bad('unreadable:')} ${printable(name)} (${printable(target)}): ${printable(error.message)}`,
    )
  }
  for (const { target, error } of unavailable) {
    lines.push(`${style.bad('not looked at:')} ${printable(target)}: ${printable(error.message)}`)
  }
  const near = (placements ?? [])
    .filter(({ distance }) => isNear(distance))
    .map(({ target }) => printable(target))
  if (near.length > 0) lines.push(`${style.attention('not off-host:')} ${near.join(', ')}`)
  return lines.join('\n')
}

function state({ verified_at, format }: ArchiveSummary): string {
  const state = verified_at === null ? 'written' : `verified ${day(verified_at)}`
  return format === undefined ? state : `${state} (${format})`
}
