/**
 * A transcript: commands as they are typed, and what they print. Lines that begin with `#` between blocks are remarks.
 *
 *     $ sealift list
 *     TAKEN (UTC)  …          what goes to standard output
 *     ! sealift: …            what goes to standard error
 *     [exit 66]               the exit code, where it is not 0
 *
 * In expected lines `<ID>` (8 hex digits), `<ID32>`, `<TIME>`, `<SIZE>`, `<AGE>`, `<N>`, `<DIR>` (the folder it runs in)
 * and `<...>` (any text) stand for what differs from run to run; a line `...` stands for any lines. A run of spaces
 * stands for one or more, since columns follow the widths of such values.
 */
export interface Step {
  readonly line: number
  readonly command: string
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  readonly exit: number
}

export function parseTranscript(text: string): readonly Step[] {
  const steps: { line: number; command: string; stdout: string[]; stderr: string[]; exit: number }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const step = steps.at(-1)
    const exit = /^\[exit (\d+)\]$/.exec(line)
    if (line.startsWith('$ ')) {
      steps.push({ line: index + 1, command: line.slice(2), stdout: [], stderr: [], exit: 0 })
    } else if (line.startsWith('#')) continue
    else if (step === undefined) {
      if (line !== '') throw new Error(`line ${index + 1} stands before the first command`)
    } else if (line.startsWith('> ')) step.command += `\n${line.slice(2)}`
    else if (exit !== null) step.exit = Number(exit[1])
    else if (line === '!' || line.startsWith('! ')) step.stderr.push(line.slice(2))
    else step.stdout.push(line)
  }
  return steps.map((step) => ({ ...step, stdout: withoutEnd(step.stdout), stderr: withoutEnd(step.stderr) }))
}

/** The first line that differs, told for a person; undefined where all is as expected. */
export function difference(
  expected: readonly string[],
  actual: string,
  folder: string,
): { readonly expected: string; readonly actual: string } | undefined {
  const pattern = new RegExp(`^${expected.map((line) => linePattern(line, folder)).join('')}$`)
  const lines = withoutEnd(actual.split('\n'))
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('')
  return pattern.test(text) ? undefined : { expected: expected.join('\n'), actual: lines.join('\n') }
}

function linePattern(line: string, folder: string): string {
  if (line === '...') return '(?:.*\\n)*'
  const parts = line.trimEnd().split(/(<(?:ID|ID32|TIME|SIZE|AGE|N|DIR|\.\.\.)>| +)/)
  return `${parts.map((part) => partPattern(part, folder)).join('')}\\n`
}

function partPattern(part: string, folder: string): string {
  if (/^ +$/.test(part)) return ' +'
  const known = placeholders[part]
  if (known !== undefined) return known
  return escape(part === '<DIR>' ? folder : part)
}

const placeholders: Readonly<Record<string, string>> = {
  '<ID>': '[0-9a-f]{8}',
  '<ID32>': '[0-9a-f]{32}',
  '<TIME>': '\\d{4}-\\d{2}-\\d{2}[ T]\\d{2}:\\d{2}(?::\\d{2})?Z',
  '<SIZE>': '\\d+(?:\\.\\d)? (?:B|KiB|MiB)',
  '<AGE>': '(?:now|\\d+(?:\\.\\d)? (?:s|min))',
  '<N>': '[\\d.,]+',
  '<...>': '.*',
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function withoutEnd(lines: readonly string[]): string[] {
  const last = lines.findLastIndex((line) => line !== '')
  return lines.slice(0, last + 1)
}
