import type { Command } from 'commander'
import type { DrillOutcome, DrillResult } from '../engine/drill-result.ts'
import { findingLine } from './finding-line.ts'
import type { OpenOptions } from './keys.ts'
import { opening } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { age, duration, minute, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

type Options = CommonOptions &
  OpenOptions & {
    readonly target?: string
    readonly allTargets?: boolean
    readonly scratch?: string
  }

export function addDrill(program: Command, session: Session): void {
  const command = program.command('drill').summary('rehearse a restore and write down what it proved')
  command
    .description(
      'Fetches an archive from a target, restores it into a private folder, runs every check, takes the time, and adds the result to the evidence log. The application is not touched. It ends with 1 where something wants a look.',
    )
    .argument('[archive]', 'latest, an id or its first digits, a name, or a path (default: latest)')
    .option('--target <name>', 'fetch from this target (default: the last one)')
    .option('--all-targets', 'drill every target')
    .option('--scratch <folder>', 'restore below this folder instead of the state folder')
  withOutput(withConfigIfAny(withOpening(command)))
  withExample(command, 'sealift drill', 'sealift drill --all-targets --json')
  command.action((archive: string | undefined, options: Options) =>
    session.perform(options, face, async (job) => {
      const wanted = archive ?? 'latest'
      const configured = wanted === 'latest' ? await job.configured() : await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { drill } = await import('../engine/drill.ts')
      const { target, allTargets, scratch } = options
      return drill(ctx, {
        ...opening(job, wanted, options, configured),
        ...(target === undefined ? {} : { target }),
        ...(scratch === undefined ? {} : { scratch }),
        allTargets: allTargets === true,
      })
    }),
  )
}

const face: Face<DrillResult> = {
  verb: 'drill',
  text: ({ drills }, view) => drills.map((one) => drillText(one, view)).join('\n\n'),
  attention: ({ verdict }) => verdict !== 'ok',
}

function drillText(one: DrillOutcome, { style, now }: View): string {
  const { archive, verdict, rto, rpo, checks, drift, evidence } = one
  const words = {
    ok: style.good('Drilled: the archive came back and passed every check.'),
    attention: style.attention('Drilled: the archive came back, and something wants a look.'),
    fail: style.bad('Drilled: FAILED.'),
  }
  const phases = Object.entries(one.phases).map(([phase, seconds]) => `${phase} ${duration(seconds)}`)
  const rows: [string, string][] = [['target', printable(one.target)]]
  if (archive !== null) {
    const late = rpo?.met === false ? style.bad(`, over the RPO of ${duration(rpo.objective)}`) : ''
    rows.push(['archive', printable(archive.name)])
    rows.push(['taken', `${minute(archive.created_at)}, age ${age(archive.created_at, now)}${late}`])
    rows.push(['restored', `${size(one.restored_bytes)} from ${size(archive.size)}`])
  }
  const slow = `${duration(one.seconds)} of ${duration(rto.objective)} (RTO)`
  rows.push(['time', rto.met ? slow : style.bad(slow)], ['phases', phases.join(', ')])
  if (checks.length > 0)
    rows.push(['checks', `${several(checks.length, 'check')}, ${checks.filter(isOk).length} ok`])
  rows.push(['evidence', evidence === null ? style.bad('not written') : `record ${evidence.seq}`])
  const looks = checks
    .filter((each) => !isOk(each))
    .map(({ check, verdict: weight, detail }) =>
      findingLine({ check, class: weight === 'ok' ? 'note' : weight, detail }, style),
    )
  const notes = drift.map((note) => `  drift: ${printable(note)}`)
  return [words[verdict], fields(rows), ...looks, ...notes].join('\n')
}

function isOk({ verdict }: DrillOutcome['checks'][number]): boolean {
  return verdict === 'ok' || verdict === 'note'
}
