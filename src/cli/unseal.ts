import type { Command } from 'commander'
import { refuseTerminal } from './data-output.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening, withChoice } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import type { Session } from './session.ts'

export function addUnseal(program: Command, session: Session): void {
  const command = program.command('unseal').summary('write the tar in an archive to stdout')
  command
    .description(
      'Opens the seal and writes what is inside to standard output: a .tar.zst (a plain .tar where the archive is not compressed; the .tar.gz of an archive of gpg). Only bytes whose tag was checked are written; an exit code other than 0 says that they are not all.',
    )
    .argument(...archiveArgument)
  withOutput(withConfigIfAny(withChoice(withOpening(command))))
  withExample(command, 'sealift unseal latest | zstd -d | tar x && sha256sum -c SHA256SUMS')
  command.action((archive: string, options: CommonOptions & OpenOptions & ChoiceOptions) =>
    session.perform(options, { verb: 'unseal', text: () => '', stdout: 'data' }, async (job) => {
      refuseTerminal(job.world)
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { unseal } = await import('../engine/unseal.ts')
      return unseal(ctx, { ...opening(job, archive, options, configured), out: session.out.data() })
    }),
  )
}
