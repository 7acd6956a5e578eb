import type { Command } from 'commander'
import type { SlotKey } from '../engine/context.ts'
import type { RekeyResult } from '../engine/rekey.ts'
import { SealiftError } from '../errors.ts'
import { givenSlots, newPassphrase } from './keys.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening } from './opening.ts'
import { collect, wholeNumbers, withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import type { Face } from './renderer.ts'
import type { Session } from './session.ts'
import { headerFields } from './slot-text.ts'
import { fields } from './table.ts'
import type { World } from './world.ts'

type Options = CommonOptions &
  OpenOptions & {
    readonly addPassphraseFile?: readonly string[]
    readonly addRecipient?: readonly string[]
    readonly removeSlot?: readonly number[]
    readonly changePassphrase?: boolean
  }

export function addRekey(program: Command, session: Session): void {
  const command = program.command('rekey').summary('add, remove or change what opens an archive')
  command
    .description(
      'Writes a new header around the same chunks: no byte of the payload is decrypted. --change-passphrase adds the new passphrase and removes the slot that opened the archive.',
    )
    .argument(...archiveArgument)
    .option('--add-passphrase-file <file>', 'add the passphrase in this file (repeatable)', collect)
    .option('--add-recipient <key>', 'add this public key, or the one in this file (repeatable)', collect)
    .option(
      '--remove-slot <number>',
      'remove this slot, as `sealift inspect` numbers it (repeatable)',
      wholeNumbers,
    )
    .option('--change-passphrase', 'put a new passphrase in the place of the one that opens it')
  withOutput(withConfigIfAny(withOpening(command)))
  withExample(
    command,
    'sealift rekey latest --change-passphrase',
    'sealift rekey latest --add-recipient offsite.key --remove-slot 1',
  )
  command.action((archive: string, options: Options) =>
    session.perform(options, face, async (job) => {
      refuseIdle(options)
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { rekey } = await import('../engine/rekey.ts')
      return rekey(ctx, {
        ...opening(job, archive, options, configured),
        add: () => {
          job.renderer.pause()
          return slotsToAdd(job.world, options)
        },
        remove: options.removeSlot ?? [],
        removeOpened: options.changePassphrase === true,
      })
    }),
  )
}

function refuseIdle(options: Options): void {
  const { addPassphraseFile, addRecipient, removeSlot, changePassphrase } = options
  if (addPassphraseFile ?? addRecipient ?? removeSlot ?? changePassphrase) return
  throw new SealiftError('USAGE', {
    reason:
      'say what to change: --add-passphrase-file, --add-recipient, --remove-slot or --change-passphrase',
  })
}

async function slotsToAdd(world: World, options: Options): Promise<readonly SlotKey[]> {
  const { addPassphraseFile = [], addRecipient = [] } = options
  const slots = await givenSlots(world, { passphraseFile: addPassphraseFile, recipient: addRecipient })
  if (options.changePassphrase !== true || addPassphraseFile.length > 0) return slots
  return [...slots, { type: 'passphrase', passphrase: await newPassphrase(world) }]
}

const face: Face<RekeyResult> = {
  verb: 'rekey',
  text: ({ name, header }, { style }) =>
    `${style.bold('Rekeyed.')} Copies made before still open with the old keys.\n${fields([
      ['archive', printable(name)],
      ...headerFields(header),
    ])}`,
}
