/** What the demo has shown. A statement enters only where it held; the first that does not hold ends the demo. */
export class Proof {
  readonly #shown: string[] = []

  holds(statement: string, condition: boolean, otherwise = ''): void {
    if (!condition)
      throw new Error(`this does not hold: ${statement}${otherwise === '' ? '' : ` (${otherwise})`}`)
    this.#shown.push(statement)
  }

  /** The statements as a list of at most 80 columns. */
  get text(): string {
    return this.#shown.map((statement) => wrapped(`- ${statement}`)).join('\n')
  }
}

export function wrapped(text: string, indent = '  '): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= 79) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(line === undefined ? word : `${indent}${word}`)
  }
  return lines.join('\n')
}
