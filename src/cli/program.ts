import { Command } from 'commander'
import { addAcknowledge } from './acknowledge.ts'
import { addBackup } from './backup.ts'
import { addCheck } from './check.ts'
import { addCompletion } from './completion.ts'
import { addConfig } from './config.ts'
import { addDoctor } from './doctor.ts'
import { addDrill } from './drill.ts'
import { addExtract } from './extract.ts'
import { addGuard } from './guard.ts'
import { addInit } from './init.ts'
import { addInspect } from './inspect.ts'
import { addKeygen } from './keygen.ts'
import { addList } from './list.ts'
import { withExample } from './options.ts'
import { addPrune } from './prune.ts'
import { addRecover } from './recover.ts'
import { addRekey } from './rekey.ts'
import { addReport } from './report.ts'
import { addRestore } from './restore.ts'
import { addRollback } from './rollback.ts'
import type { Session } from './session.ts'
import { addShow } from './show.ts'
import { addStatus } from './status.ts'
import { addUnseal } from './unseal.ts'
import { addVerify } from './verify.ts'

/** The whole command line. Nothing but its shape is loaded here: each command loads what it needs when it is run. */
export function program(session: Session): Command {
  const root = new Command('sealift')
  root
    .description('Encrypted backup and disaster recovery for self-hosted applications.')
    .version(`sealift ${session.world.version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .showHelpAfterError(false)
    .configureHelp({ helpWidth: 80, minWidthToWrap: 20, commandUsage: usage, subcommandTerm: term })
    .configureOutput({
      writeOut: (text) => session.out.print(text),
      writeErr: (text) => session.err.print(text),
      // A mistake in the arguments is shown by `run.ts`, as every other error is.
      outputError: () => undefined,
    })
  const commands = [addInit, addBackup, addList, addShow, addVerify, addRestore, addExtract, addInspect]
  const after = [addCheck, addGuard, addRollback, addRecover, addAcknowledge, addDrill, addStatus, addReport]
  const others = [addUnseal, addRekey, addKeygen, addPrune, addDoctor, addConfig, addCompletion]
  for (const add of [...commands, ...after, ...others]) add(root, session)
  return withExample(root, 'sealift backup', 'sealift restore latest --to ./look')
}

/** `sealift restore [options] <archive>`: with the names of the commands above it, without their options. */
function usage(command: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name())
  return `${names.join(' ')} ${command.usage()}`
}

/** `restore <archive>`: every command has options. */
function term(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [command.name(), ...words].join(' ')
}
