import { Option } from 'commander'
import type { Command } from 'commander'
import type { BackupInput } from '../engine/backup.ts'
import type { BackupResult } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { sealSlots } from './keys.ts'
import type { SealOptions } from './keys.ts'
import { withConfig, withExample, withOutput, withSealing } from './options.ts'
import type { CommonOptions } from './options.ts'
import { findingLine } from './finding-line.ts'
import { placed } from './placement.ts'
import { prunedText } from './pruned-text.ts'
import { count, duration, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields, table } from './table.ts'

type Options = CommonOptions &
  SealOptions & {
    readonly verify?: boolean
    readonly redact?: boolean
    readonly prune?: boolean
    readonly format: string
    readonly layout?: string
  }

export function addBackup(program: Command, session: Session): void {
  const command = program.command('backup').summary('seal the application into a new archive')
  command
    .description(
      'Takes a consistent snapshot of every source, seals it into one archive at the first target that serves and copies it to the others. The archive appears only when it is complete and durable.',
    )
    .option('--verify', 'read every tag and checksum back afterwards')
    .option('--prune', 'read it back, and end with retention if it is good')
    .option('--no-redact', 'archive secrets that the profile would leave out (a license)')
    .addOption(
      new Option(
        '--format <format>',
        'what the archive is: a sealed one, or a .tar.gz.gpg that gpg and tar open',
      )
        .choices(['sealift', 'gpg'])
        .default('sealift'),
    )
    .option('--layout <name>', 'what lies where in a .tar.gz.gpg; the application’s usual one unless given')
  withOutput(withConfig(withSealing(command)))
  withExample(command, 'sealift backup --config /etc/sealift/notes.yaml')
  command.action((options: Options) =>
    session.perform(options, face, async (job) => {
      const { application, ...configured } = await job.configured()
      const ctx = await job.context({ application, ...configured })
      const slots = async () => {
        job.renderer.pause()
        return sealSlots(job.world, options, configured.seal)
      }
      const { backup } = await import('../engine/backup.ts')
      return backup(ctx, {
        application,
        slots,
        verify: options.verify === true,
        ...(options.prune === true ? { prune: true } : {}),
        unredacted: options.redact === false,
        ...foreignChoice(options),
      })
    }),
  )
}

function foreignChoice({ format, layout }: Options): Pick<BackupInput, 'foreign'> {
  if (format !== 'sealift') return { foreign: { format, ...(layout === undefined ? {} : { layout }) } }
  if (layout === undefined) return {}
  throw new SealiftError('USAGE', {
    reason: '--layout is for an archive of another program: give --format too',
  })
}

const face: Face<BackupResult> = {
  verb: 'backup',
  text: backupText,
  attention: ({ verdict }) => verdict === 'attention',
}

function backupText(result: BackupResult, { report, style }: View): string {
  const { archive, sources, copies, placements, state, findings = [], pruned } = result
  const said =
    state === 'verified'
      ? 'verified: every tag, checksum and index entry was read back'
      : 'written: complete and durable, not read back (`sealift verify` does)'
  const head = fields([
    ['archive', archive.name],
    ['id', archive.id.slice(0, 8)],
    [
      'size',
      `${size(archive.size)}, from ${size(result.payload_bytes)} in ${several(result.members, 'member')}`,
    ],
    ['target', placed(archive.target, placements)],
    ...copies.map((copy): [string, string] => [
      'copy',
      copy.ok ? copyText(copy, state, placements) : style.bad(`${copy.target}: failed`),
    ]),
    ['state', state === 'verified' ? style.good(said) : said],
    ['took', duration(report.seconds)],
  ])
  const rows = sources.map((source) => [
    `  ${source.name}`,
    source.kind,
    several(source.members, 'member'),
    size(source.bytes),
    source.rows === undefined ? '' : `${count(source.rows)} rows`,
  ])
  const parts = [`${style.bold(headline(result, report.ok))}\n${head}`, table(sourceColumns, rows)]
  if (pruned !== undefined && (pruned.removed.length > 0 || pruned.failed.length > 0))
    parts.push(prunedText(pruned, style))
  if (findings.length > 0)
    parts.push(`Findings\n${findings.map((one) => findingLine(one, style)).join('\n')}`)
  return parts.join('\n\n')
}

function headline({ copies, verdict }: BackupResult, ok: boolean): string {
  if (ok) return 'Backed up.'
  if (verdict === 'fail') return 'Backed up, but this archive does not count as good.'
  return copies.every((copy) => copy.ok) ? 'Backed up, with an error.' : 'Backed up, but not to every target.'
}

/** A copy of an archive that was verified is so itself; where it is not, that must be seen. */
function copyText(
  { target, state }: BackupResult['copies'][number],
  original: BackupResult['state'],
  placements: BackupResult['placements'],
): string {
  const text = placed(target, placements)
  return original === 'verified' && state !== 'verified' ? `${text}, compared` : text
}

const sourceColumns = [
  { shrink: true },
  {},
  { align: 'right' },
  { align: 'right' },
  { align: 'right' },
] as const
