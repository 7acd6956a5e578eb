import { open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SealiftError } from '../../errors.ts'
import type { Arrangement } from '../arrangement.ts'
import { readEnv, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { planEnv } from './env-restore.ts'
import type { EnvPlan } from './env-restore.ts'
import { publicUrl } from './env-urls.ts'
import { envAt } from './examine-places.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { readSmall } from './small-file.ts'

/** What becomes of `proxy.env`. The files hold secrets: they are never shown. */
export interface ArrangedEnv {
  /** What the application will read; `undefined` where there will be none. */
  readonly effective: EnvFile | undefined
  /** `CULLIS_MASTIO_VERSION` as the archive has it. */
  readonly archivedVersion: string | undefined
  /** The bundle gets another name than it had in the archive. */
  readonly newHost: boolean
  /** The name that the archive's file gets where the live one stays as it is. */
  readonly beside?: string
  /** A second staged file, beside the first: the archive's, where the live one stays and is changed. */
  readonly also?: string
  readonly findings: readonly MastioFinding[]
}

const restoredName = 'proxy.env.restored'

/**
 * Decides which `proxy.env` the application will read (mastio.md §9.2), and makes the staged one that. What differs is
 * told by the names of keys. Throws USAGE for a public URL that is none, or that there is no file for.
 */
export async function arrangeEnv(
  { staged, standing, settings }: Arrangement,
  bundle: string | undefined,
): Promise<ArrangedEnv> {
  const path = staged.get('config')
  const archived = path === undefined ? undefined : await readSmall('config', path)
  if (path === undefined || archived === undefined) {
    if (settings.publicUrl !== undefined) {
      throw new SealiftError('USAGE', { reason: 'a public URL is for `config`, which is not restored' })
    }
    const live = bundle === undefined ? undefined : join(bundle, 'proxy.env')
    const there = live === undefined ? undefined : await readSmall('config', live)
    const effective = there === undefined ? undefined : await envAt(live)
    return { effective, archivedVersion: undefined, newHost: false, findings: [] }
  }
  const text = archived.toString('latin1')
  const livePath = standing.get('config')
  const live = livePath === undefined ? undefined : (await readSmall('config', livePath))?.toString('latin1')
  const plan = planEnv(text, live, {
    take: settings.env ?? 'live',
    ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl.href }),
  })
  const env = readEnv(text)
  const common = {
    effective: readEnv(plan.effective),
    archivedVersion: valueOf(env, 'CULLIS_MASTIO_VERSION') || undefined,
    newHost: publicUrl(env)?.host !== publicUrl(readEnv(plan.effective))?.host,
    findings: [...planFindings(plan), ...(plan.action === 'keep' ? await modeFindings(livePath) : [])],
  }
  const restored = plan.write.find(({ name }) => name === restoredName)
  const goes = plan.write.find(({ name }) => name === 'proxy.env')
  if (restored === undefined) {
    // `same`: the live text, with the license that the archive's lacks.
    await writeStaged(path, plan.effective)
    return common
  }
  if (goes === undefined) {
    await writeStaged(path, restored.text)
    return { ...common, beside: restoredName }
  }
  await writeStaged(path, goes.text)
  const also = join(dirname(path), restoredName)
  await writeStaged(also, restored.text)
  return { ...common, also }
}

function planFindings({ action, differing }: EnvPlan): MastioFinding[] {
  if (action !== 'keep' && action !== 'adopt') return []
  const keys = differing.length === 0 ? 'its lines, not in what they say' : differing.join(', ')
  if (action === 'adopt') {
    const detail = `the archive’s proxy.env replaces the live one, which differs in ${keys}`
    return [finding('note', 'env-adopted', detail)]
  }
  const detail = `the live proxy.env stays; the archive’s lies beside it as ${restoredName} and differs in ${keys}`
  return [finding(differing.length === 0 ? 'note' : 'attention', 'env-differs', detail)]
}

/** The bundle makes it by a plain copy, so everybody may read it; what a restore writes is private. */
async function modeFindings(path: string | undefined): Promise<MastioFinding[]> {
  if (path === undefined) return []
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return []
  return [finding('note', 'env-mode', 'proxy.env can be read by others than its owner: chmod 600')]
}

/** Private from its first byte on, and durable. */
async function writeStaged(path: string, text: string): Promise<void> {
  await using file = await open(path, 'a', 0o600)
  await file.chmod(0o600)
  await file.truncate()
  await file.writeFile(text, 'latin1')
  await file.sync()
}
