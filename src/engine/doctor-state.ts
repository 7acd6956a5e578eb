import { lstat, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { systemCode } from '../errors.ts'
import type { Context } from './context.ts'
import { attempted } from './doctor-finding.ts'
import type { DoctorFinding } from './doctor-finding.ts'
import { readJournals } from './journal.ts'

/** The state folder: there, private, writable; no restore left half done; a catalogue that can be used. */
export async function examineState(ctx: Context, app: string | undefined): Promise<DoctorFinding[]> {
  const check = 'state folder'
  const folder = await attempted(check, () => examineFolder(ctx, check), ctx.signal)
  const findings = [folder]
  for (const { message } of ctx.catalog.warnings)
    findings.push({
      check: 'catalogue',
      verdict: 'attention',
      detail: message,
      fix: 'archives are not touched by this',
    })
  if (folder.verdict === 'fail') return findings
  findings.push(await attempted('restore journal', () => examineJournals(ctx, app), ctx.signal))
  return findings
}

async function examineFolder({ stateDir, random }: Context, check: string): Promise<DoctorFinding> {
  try {
    const stat = await lstat(stateDir)
    const fix = `make ${stateDir} a folder of your own, or name another in \`state_dir\``
    if (!stat.isDirectory()) return { check, verdict: 'fail', detail: `${stateDir} is not a folder`, fix }
    await writeTo(path.join(stateDir, `.doctor-${random(6).toString('hex')}`))
    const mode = stat.mode & 0o7777
    if ((mode & 0o077) === 0) return { check, verdict: 'ok', detail: `${stateDir} is private and writable` }
    const detail = `${stateDir} has mode ${mode.toString(8).padStart(4, '0')}: others may look into it`
    return { check, verdict: 'attention', detail, fix: `chmod 0700 ${stateDir}` }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return { check, verdict: 'ok', detail: `${stateDir} is not there yet; the first run makes it` }
  }
}

async function writeTo(file: string): Promise<void> {
  try {
    await using handle = await open(file, 'wx', 0o600)
    await handle.writeFile('x')
    await handle.sync()
  } finally {
    await rm(file, { force: true })
  }
}

async function examineJournals(ctx: Context, app: string | undefined): Promise<DoctorFinding> {
  const check = 'restore journal'
  const journals = await readJournals(ctx.stateDir, app)
  if (journals.length === 0) return { check, verdict: 'ok', detail: 'no restore was interrupted' }
  const detail = journals
    .map(({ app: of, run, state }) => `a restore of ${of} (run ${run}) is ${state}`)
    .join('; ')
  const fix =
    'unless it is running now, it was interrupted: the next backup or restore of this application ends it'
  return { check, verdict: 'attention', detail, fix }
}
