import type { Command } from 'commander'
import type { KeygenResult } from '../engine/keygen.ts'
import { withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import type { Face } from './renderer.ts'
import type { Session } from './session.ts'

export function addKeygen(program: Command, session: Session): void {
  const command = program.command('keygen').summary('make a key pair for sealing without a passphrase')
  command
    .description(
      'Makes a key pair and writes it to a new file with mode 0600. The recipient (public key) seals and may be given to anyone; the secret key opens and belongs off the host that seals.',
    )
    .argument('<file>', 'the new key file; it must not exist')
  withOutput(command)
  withExample(command, 'sealift keygen offsite.key', 'sealift backup --recipient offsite.key')
  command.action((path: string, options: CommonOptions) =>
    session.perform(options, face, async (job) => {
      const ctx = await job.context()
      const { keygen } = await import('../engine/keygen.ts')
      return keygen(ctx, { path })
    }),
  )
}

const face: Face<KeygenResult> = {
  verb: 'keygen',
  text: ({ path }) =>
    `Wrote ${printable(path)} (mode 0600): the secret key, and the recipient as a comment.\n` +
    'Keep a copy where this host cannot reach it: without the secret key nothing\nsealed for this recipient opens again.',
}
