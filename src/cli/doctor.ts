import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { DoctorResult } from '../engine/doctor.ts'
import { readKeyFile } from './key-file.ts'
import { withConfigIfAny, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import type { Seal, World } from './world.ts'

type Options = CommonOptions & { readonly deep?: boolean }

export function addDoctor(program: Command, session: Session): void {
  const command = program.command('doctor').summary('say whether a backup would work now')
  command
    .description(
      'Examines the program, its state, the key files, each source and each target, and the archives that are there. Each finding comes with its fix. It ends with 1 where something wants a look.',
    )
    .option('--deep', 'also take a snapshot of every source, as a backup would')
  withOutput(withConfigIfAny(command))
  withExample(command, 'sealift doctor --deep')
  command.action((options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { doctor } = await import('../engine/doctor.ts')
      const { world } = job
      return doctor(ctx, {
        ...(configured === undefined ? {} : { application: configured.application }),
        nodeVersion: world.nodeVersion,
        keyFiles: standingKeyFiles(world, configured?.seal),
        checkKeyFile: (path) => checkKeyFile(path, world, configured?.seal),
        deep: options.deep === true,
      })
    }),
  )
}

/** The passphrase files that a run without options would take. */
function standingKeyFiles({ env }: World, seal: Seal | undefined): string[] {
  const named = [env['SEALIFT_PASSPHRASE_FILE'], seal?.passphraseFile]
  return named.filter((path): path is string => path !== undefined && path !== '')
}

/** Throws what a backup would throw; else gives what might be better. */
async function checkKeyFile(path: string, world: World, seal: Seal | undefined): Promise<string> {
  const { uid } = world
  const apartFrom = seal?.apartFrom ?? []
  await readKeyFile(path, { uid, credential: isCredential(world, path), apartFrom })
  const { mode } = await stat(path)
  return (mode & 0o200) === 0 ? '' : 'mode 0600 will do; 0400 keeps it from being changed by accident'
}

function isCredential({ env }: World, path: string): boolean {
  const folder = env['CREDENTIALS_DIRECTORY'] ?? ''
  return folder !== '' && path.startsWith(join(folder, '/'))
}

const face: Face<DoctorResult> = {
  verb: 'doctor',
  text: doctorText,
  attention: ({ verdict }) => verdict !== 'ok',
  stdout: 'product',
}

function doctorText({ findings }: DoctorResult, { style }: View): string {
  const words = {
    ok: style.good('ok  '),
    note: 'note',
    attention: style.attention('look'),
    fail: style.bad('FAIL'),
  }
  return findings
    .map(({ check, verdict, detail, fix }) => {
      const line = `${words[verdict]}  ${printable(check)}: ${printable(detail)}`
      return fix === undefined ? line : `${line}\n      ${printable(fix)}`
    })
    .join('\n')
}
