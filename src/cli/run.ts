import { CommanderError } from 'commander'
import { SealiftError } from '../errors.ts'
import { exitCodes } from './exit.ts'
import { program } from './program.ts'
import { failed, Session } from './session.ts'
import { styleFor } from './style.ts'
import { errorText } from './text.ts'
import type { World } from './world.ts'

/** Runs one command line and returns its exit code, when all that it printed is on its way. */
export async function run(world: World, args: readonly string[]): Promise<number> {
  const session = new Session(world)
  try {
    await program(session).parseAsync(args, { from: 'user' })
  } catch (error) {
    session.exitCode = await refuse(session, args, error)
  }
  await session.out.flush()
  await session.err.flush()
  const { failure, readerGone } = session.out
  if (failure === undefined || readerGone) return session.exitCode
  if (session.exitCode !== exitCodes.ok) return session.exitCode
  // Standard output itself failed (a full disk): what was asked for is not there, whatever the verb says.
  const lost = new SealiftError('IO_FAILED', {
    path: 'standard output',
    operation: 'write',
    reason: failure.message,
  })
  session.err.print(errorText(lost, styleFor(world.stderr, world.env)))
  await session.err.flush()
  return exitCodes[lost.kind]
}

/** Shows a mistake in the arguments as every error is shown; asking for help or the version is none. */
async function refuse(session: Session, args: readonly string[], error: unknown): Promise<number> {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode === 0) return exitCodes.ok
  // The help that stands in for a missing command was printed already.
  if (error.code === 'commander.help') return exitCodes.usage
  const { world } = session
  const named = new SealiftError('USAGE', { reason: reasonFor(error.message) })
  if (args.includes('--json')) {
    const verb = args.find((arg) => !arg.startsWith('-')) ?? ''
    const report = await failed(verb, named, world.now(), world)
    session.out.print(`${JSON.stringify({ type: 'report', ...report })}\n`)
  } else session.err.print(errorText(named, styleFor(world.stderr, world.env)))
  return exitCodes.usage
}

/** `unknown command 'backp' (did you mean backup?)`: commander's own words, on one line. */
function reasonFor(message: string): string {
  return message.replace(/^error: /, '').replace(/\n\(Did you/, ' (did you')
}
