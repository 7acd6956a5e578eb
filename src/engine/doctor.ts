import { SealiftError } from '../errors.ts'
import type { Finding } from '../sources/source.ts'
import type { Application, Context } from './context.ts'
import { examineArchives } from './doctor-archives.ts'
import { attempted } from './doctor-finding.ts'
import type { DoctorFinding } from './doctor-finding.ts'
import { examineSources } from './doctor-sources.ts'
import { examineState } from './doctor-state.ts'
import { examineTargets } from './doctor-targets.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'

export type { DoctorFinding }

export interface DoctorInput {
  /** Without one, only the program and its state are examined. */
  readonly application?: Application
  /** `26.10.0`: of the Node that runs this. */
  readonly nodeVersion: string
  /** Passphrase and key files that a run would use, and what judges each: it throws what a run would throw, or advises. */
  readonly keyFiles?: readonly string[]
  readonly checkKeyFile?: (path: string) => Promise<string>
  /** Also take a real snapshot of every source, under the application's lock. */
  readonly deep?: boolean
}

export interface DoctorResult {
  readonly findings: readonly DoctorFinding[]
  readonly verdict: Finding['verdict']
}

const oldestNode = 26

/**
 * Says whether a backup or a restore would work now, and what is likely to hurt later. Each finding stands for itself:
 * one that fails hides no other. Nothing of the application is changed; a target's folder is made if it is missing, and
 * something is written to each target and taken away again. With a `fail` among the findings the report is not ok
 * (NOT_READY).
 */
export async function doctor(ctx: Context, input: DoctorInput): Promise<Report<DoctorResult>> {
  return runVerb(ctx, 'doctor', async (run) => {
    const findings: DoctorFinding[] = [nodeFinding(input.nodeVersion)]
    const { application, deep = false } = input
    ctx.emit({ type: 'phase', phase: 'check', label: 'examining' })
    findings.push(...(await examineState(ctx, application?.app)))
    findings.push(...(await examineKeyFiles(input)))
    if (application === undefined) {
      findings.push({
        check: 'configuration',
        verdict: 'attention',
        detail: 'there is none, so only the program itself was examined',
        fix: '`sealift init` writes one; --config names another place',
      })
    } else {
      const { bytes, findings: ofSources } = await examineSources(ctx, application, deep)
      findings.push(...ofSources)
      findings.push(...(await examineTargets(ctx, application, bytes)))
      findings.push(...(await examineArchives(ctx, application)))
    }
    const failed = findings.filter(({ verdict }) => verdict === 'fail')
    if (failed.length > 0) {
      run.fail(new SealiftError('NOT_READY', { failed: failed.map(({ check }) => check) }))
      return { findings, verdict: 'fail' }
    }
    const attention = findings.some(({ verdict }) => verdict === 'attention')
    return { findings, verdict: attention ? 'attention' : 'ok' }
  })
}

function nodeFinding(version: string): DoctorFinding {
  const major = Number.parseInt(version, 10)
  if (major >= oldestNode) return { check: 'node', verdict: 'ok', detail: `Node ${version}` }
  const fix = `install Node ${oldestNode} or later`
  return { check: 'node', verdict: 'fail', detail: `Node ${version} is too old`, fix }
}

async function examineKeyFiles({ keyFiles = [], checkKeyFile }: DoctorInput): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  if (checkKeyFile === undefined) return findings
  for (const path of keyFiles) {
    const check = `key file ${path}`
    findings.push(
      await attempted(check, async () => {
        const advice = await checkKeyFile(path)
        const detail = 'readable here, and by nobody else but root'
        return { check, verdict: 'ok', detail: advice === '' ? detail : `${detail}; ${advice}` }
      }),
    )
  }
  return findings
}
