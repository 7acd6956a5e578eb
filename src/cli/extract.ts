import type { Command } from 'commander'
import type { ExtractResult } from '../engine/extract.ts'
import { SealiftError } from '../errors.ts'
import { refuseTerminal } from './data-output.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening, withChoice } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { several, size } from './quantity.ts'
import type { Face } from './renderer.ts'
import type { Session } from './session.ts'

type Options = CommonOptions &
  OpenOptions &
  ChoiceOptions & { readonly to: string; readonly allowOutsideLinks?: boolean }

export function addExtract(program: Command, session: Session): void {
  const command = program.command('extract').summary('take single members out of an archive')
  command
    .description(
      'Takes members out of an archive without reading the rest. A folder is taken with all that is in it. With --to - the one file named goes to standard output.',
    )
    .argument(...archiveArgument)
    .argument('<paths...>', 'members, as `sealift show ARCHIVE --members` lists them')
    .requiredOption('--to <folder>', 'put them below this folder; - for standard output')
    .option('--allow-outside-links', 'take symlinks that point out of the folder')
  withOutput(withConfigIfAny(withChoice(withOpening(command))))
  withExample(
    command,
    'sealift extract latest certs/ca.pem --to ./out',
    'sealift extract latest certs/ca.pem --to - | openssl x509 -noout -subject',
  )
  command.action((archive: string, paths: string[], options: Options) => {
    const toOutput = options.to === '-'
    return session.perform(options, faceFor(options.to), async (job) => {
      if (toOutput && paths.length !== 1) {
        throw new SealiftError('USAGE', {
          reason: 'standard output takes one file: name one path, or a folder with --to',
        })
      }
      if (toOutput) refuseTerminal(job.world)
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { extract } = await import('../engine/extract.ts')
      return extract(ctx, {
        ...opening(job, archive, options, configured),
        paths,
        to: toOutput ? session.out.data() : options.to,
        allowOutsideLinks: options.allowOutsideLinks === true,
      })
    })
  })
}

function faceFor(to: string): Face<ExtractResult> {
  return {
    verb: 'extract',
    text: ({ members, bytes }) =>
      `Extracted ${several(members, 'member')} (${size(bytes)}) to ${printable(to)}`,
    ...(to === '-' && { stdout: 'data' }),
  }
}
