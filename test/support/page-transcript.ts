/** One command of a page's transcripts, with what the page says that it prints. */
export interface Step {
  readonly command: string
  readonly output: string
}

const block = /```console\n([\s\S]*?)```/g

/** The commands of all `console` blocks of a page, in order. */
export function stepsOf(page: string): Step[] {
  return [...page.matchAll(block)].flatMap(([, text = '']) =>
    text
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...lines] = step.split('\n')
        return { command, output: lines.join('\n').trim() }
      }),
  )
}

/** The page with other outputs, one for each command in order. */
export function withOutputs(page: string, outputs: readonly string[]): string {
  let next = 0
  return page.replaceAll(block, (_, text: string) => {
    const steps = text.split(/^\$ /m).slice(1)
    const told = steps.map((step) => {
      const output = outputs[next++] ?? ''
      return `$ ${step.split('\n')[0] ?? ''}\n${output === '' ? '' : `${output}\n`}`
    })
    return `\`\`\`console\n${told.join('')}\`\`\``
  })
}

/** What differs from run to run, replaced by what kind of thing it is. */
export function alike(text: string): string {
  return text
    .replaceAll(/\d{8}T\d{6}Z(-\d+)?/g, '<time>')
    .replaceAll(/\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?/g, '<time>')
    .replaceAll(/\d{4}-\d{2}-\d{2}/g, '<day>')
    .replaceAll(/\b[0-9a-f]{8,64}\b/g, '<hex>')
    .replaceAll(/\b[0-9A-F]{2}(:[0-9A-F]{2}){7,}/g, '<hex>')
    .replaceAll(/\d+(\.\d+)? (B|KiB|MiB|GiB|TiB)\b/g, '<size>')
    .replaceAll(/\d+(\.\d+)? (s|ms|min|h)\b/g, '<duration>')
    .replaceAll(/[\d,]+ (rows|row|bytes|seconds)\b/g, '<count> $1')
    .replaceAll(/\b(steps?) .*/g, '$1 …')
    .replaceAll(/ +/g, ' ')
    .trim()
}

/** Whether a page tells what was printed; a line `…` in it stands for any number of lines. */
export function tells(expected: string, printed: string): boolean {
  const parts = expected.split(/^ *…$/m).map((part) => alike(part))
  const text = alike(printed)
  if (parts.length === 1) return parts[0] === text
  let at = 0
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 ? text.length - part.length : text.indexOf(part, at)
    if (found < at || !text.startsWith(part, found) || (index === 0 && found !== 0)) return false
    at = found + part.length
  }
  return true
}
