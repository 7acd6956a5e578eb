/** Backs a small application up while it writes, destroys it, brings it back, and checks all of it. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { afterDisaster } from './after.ts'
import { beforeDisaster } from './before.ts'
import { enterPlace } from './place.ts'
import { Proof, wrapped } from './proof.ts'
import { quoted, Shell } from './shell.ts'

const usage = `Usage: script/demo [--keep DIR]

Backs a small application up while it writes, destroys it, brings it back, and
checks all of it.

  --keep DIR  work in DIR, which is empty or new, and leave there:
              app/ sealift.yaml passphrase archives/
`

async function main(): Promise<number> {
  const stopping = new AbortController()
  let exitCode = 1
  const stopOn = (name: NodeJS.Signals, code: number): void => {
    process.on(name, () => {
      exitCode = code
      stopping.abort()
    })
  }
  stopOn('SIGINT', 130)
  stopOn('SIGTERM', 143)
  stopOn('SIGHUP', 129)
  process.stdout.on('error', () => stopping.abort())
  try {
    const { values } = parseArgs({
      options: { keep: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help === true) say(usage)
    else await demonstrate(values.keep, stopping.signal)
    return 0
  } catch (error) {
    if (!stopping.signal.aborted) process.stderr.write(`\ndemo: ${(error as Error).message}\n`)
    return exitCode
  }
}

async function demonstrate(kept: string | undefined, signal: AbortSignal): Promise<void> {
  using place = enterPlace(kept)
  const { folder } = place
  const began = process.hrtime.bigint()
  const proof = new Proof()
  const shell = new Shell({ cwd: folder, env: environment(), signal, say })
  const chapter = (title: string, text: string): void => say(`\n== ${title} ==\n${wrapped(text, '')}\n`)
  say(`\n$ cd ${folder}\n`)
  try {
    const telling = { folder, shell, proof, signal, chapter }
    await afterDisaster(telling, await beforeDisaster(telling))
  } catch (error) {
    // What went wrong can be looked at in a folder of one's own; what was interrupted is of no use.
    if (kept !== undefined && !signal.aborted) place.keep()
    throw error
  }
  if (kept !== undefined) place.keep()
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  say(`\n== What was proven, in ${seconds.toFixed(1)} s ==\n${proof.text}\n`)
  say(`\n${wrapped(notProven, '')}\n`)
  if (kept !== undefined)
    say(`\nKept: ${folder}\nTry: cd ${quoted(folder)} && ${quoted(path.join(bin, 'sealift'))} list\n`)
}

const notProven =
  'Not part of this: a copy off this machine, a power cut of the storage itself, and a lost passphrase, with which the archive is lost too.'

const bin = path.resolve(import.meta.dirname, '../bin')

/** This checkout's `sealift` before any other, and no settings of the caller's own. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SEALIFT_') && name !== 'CREDENTIALS_DIRECTORY',
  )
  return {
    ...Object.fromEntries(inherited),
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    // The reference reader leaves nothing beside itself.
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

function say(text: string): void {
  process.stdout.write(text)
}

process.exitCode = await main()
