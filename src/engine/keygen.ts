import { open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { generateKeypair } from '../archive/index.ts'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import type { Context } from './context.ts'
import { syncFolder } from './journal.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'
import { rfc3339 } from './time.ts'

export interface KeygenResult {
  readonly path: string
  readonly recipient: string
}

/** Makes a recipient and its secret key, and writes both to a new 0600 file. Never overwrites: KEY_FILE_EXISTS. */
export async function keygen(ctx: Context, input: { readonly path: string }): Promise<Report<KeygenResult>> {
  return runVerb(ctx, 'keygen', async () => {
    const file = path.resolve(input.path)
    const { recipient, secret } = generateKeypair(ctx.random)
    const text = `# created: ${rfc3339(ctx.now())}\n# recipient: ${recipient}\n${secret.reveal()}\n`
    await writeNew(file, text)
    return { path: file, recipient }
  })
}

async function writeNew(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    if (systemCode(error) === 'EEXIST') throw new SealiftError('KEY_FILE_EXISTS', { path: file }, error)
    throw new SealiftError('IO_FAILED', { operation: 'write', path: file, reason: reasonOf(error) }, error)
  })
  try {
    await handle.writeFile(text)
    await handle.sync()
  } catch (error) {
    await unlink(file)
    throw error
  } finally {
    await handle.close()
  }
  await syncFolder(path.dirname(file))
}
