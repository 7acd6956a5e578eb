import type { Event } from '../engine/events.ts'
import type { Report } from '../engine/report.ts'
import type { Warning } from '../manifest.ts'
import { memberLine } from './member-line.ts'
import { printable, printableLines } from './printable.ts'
import type { Printer } from './printer.ts'
import type { Progress } from './progress.ts'
import type { Face, Renderer } from './renderer.ts'
import type { Style } from './style.ts'

export interface TextOptions {
  readonly out: Printer
  readonly err: Printer
  /** Absent where standard error is no terminal, or with `--quiet`. */
  readonly progress: Progress | undefined
  readonly quiet: boolean
  /** Whether a fault is shown with its stack although it has a name. */
  readonly debug: boolean
  readonly outStyle: Style
  readonly errStyle: Style
  readonly now: () => Date
}

/** Text for people: the result on standard output; warnings, notes, progress and errors on standard error. */
export function text(options: TextOptions): Renderer {
  const { out, err, progress, quiet } = options
  const told = new Set<string>()
  const warn = (warning: Warning): void => {
    const line = warningLine(warning)
    if (told.has(line)) return
    told.add(line)
    err.print(`${options.errStyle.attention('warning:')} ${line}\n`)
  }
  const event = (event: Event): void => {
    if (event.type === 'warning' || event.type === 'note') {
      progress?.clear()
      if (event.type === 'warning') warn(event)
      else if (!quiet) err.print(`${printableLines(event.message)}\n`)
    } else progress?.show(event)
  }
  return {
    event,
    member(entry) {
      progress?.clear()
      out.print(`${memberLine(entry)}\n`)
      return out.room()
    },
    pause: () => progress?.clear(),
    end(report, face, fault) {
      progress?.clear()
      for (const warning of report.warnings) warn(warning)
      printResult(report, face, options)
      if (report.error !== undefined) err.print(errorText(report.error, options.errStyle))
      if (fault !== undefined && (options.debug || report.error?.kind === 'bug'))
        err.print(`${stack(fault)}\n`)
    },
  }
}

function printResult<Result>(report: Report<Result>, face: Face<Result>, options: TextOptions): void {
  const { out, quiet, outStyle, now } = options
  if (report.result === undefined || face.stdout === 'data') return
  if (quiet && face.stdout !== 'product' && report.ok) return
  const shown = face.text(report.result, { report, style: outStyle, now: now() })
  if (shown !== '') out.print(`${shown}\n`)
}

/** `sealift: what went wrong`, and under it what to do. */
export function errorText(
  error: { readonly message: string; readonly hint?: string | undefined },
  style: Style,
): string {
  const hint = error.hint === undefined ? '' : `  hint: ${printableLines(error.hint)}\n`
  return `${style.bad('sealift:')} ${printableLines(error.message)}\n${hint}`
}

function warningLine({ source, path, message }: Warning): string {
  const where = [source, path].filter((part) => part !== undefined && !mentions(message, part))
  return printable([...where, message].join(': '))
}

/** Whether a message names something already, as a word of its own. */
function mentions(message: string, name: string): boolean {
  const long = /[\s/]/.test(name)
  return long ? message.includes(name) : message.split(/[\s:,;()`'"]+/).includes(name)
}

function stack(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault)
  const cause = fault.cause === undefined ? '' : `\ncaused by: ${stack(fault.cause)}`
  return `${fault.stack ?? fault.message}${cause}`
}
