import { stripVTControlCharacters } from 'node:util'

/** A paragraph in lines of at most `width` columns; those after the first begin with `indent` spaces. */
export function wrapped(
  text: string,
  { indent = 0, width = 80 }: { readonly indent?: number; readonly width?: number } = {},
): string {
  const lead = /^ */.exec(text)?.[0] ?? ''
  const lines: string[] = []
  let line = ''
  for (const word of text.slice(lead.length).split(' ')) {
    const before = line === '' ? (lines.length === 0 ? lead : ' '.repeat(indent)) : `${line} `
    if (line !== '' && length(before + word) > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word
    } else line = before + word
  }
  return [...lines, line].join('\n')
}

function length(text: string): number {
  return stripVTControlCharacters(text).length
}
