import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { EvidenceReport } from '../engine/report-evidence.ts'
import { reasonOf, SealiftError } from '../errors.ts'
import { withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import type { Face } from './renderer.ts'
import { reportHtml } from './report-html.ts'
import { reportText } from './report-text.ts'
import type { Session } from './session.ts'

type Options = CommonOptions & { readonly html?: string; readonly refresh?: boolean }

export function addReport(program: Command, session: Session): void {
  const command = program.command('report').summary('judge backups and drills by the objectives')
  command
    .description(
      'Judges backups, copies, drills, audit chains and the evidence log by the objectives, and shows the compliance table with what each line rests on. It ends with 1 on any breach.',
    )
    .option('--html <file>', 'write it as one page that prints on A4; - for standard output')
    .option('--refresh', 'ask the targets what they hold first')
  withOutput(withConfig(command))
  withExample(command, 'sealift report', 'sealift report --html evidence.html')
  command.action((options: Options) =>
    session.perform(options, faceFor(options), async (job) => {
      const configured = await job.configured()
      const ctx = await job.context(configured)
      const { report } = await import('../engine/report-evidence.ts')
      const { application } = configured
      const made = await report(ctx, { application, refresh: options.refresh === true })
      const { html } = options
      if (html !== undefined && html !== '-' && made.result !== undefined) await save(html, made.result)
      return made
    }),
  )
}

function faceFor({ html }: Options): Face<EvidenceReport> {
  return {
    verb: 'report',
    text: html === '-' ? (result) => reportHtml(result).trimEnd() : reportText,
    attention: ({ breaches }) => breaches.length > 0,
    stdout: 'product',
  }
}

async function save(file: string, result: EvidenceReport): Promise<void> {
  try {
    await writeFile(file, reportHtml(result), { mode: 0o600 })
  } catch (error) {
    throw new SealiftError('IO_FAILED', { path: file, operation: 'write', reason: reasonOf(error) }, error)
  }
}
