import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title?: string
  readonly align?: 'right'
  /** The column that gives way where the line would be longer than `width`. */
  readonly shrink?: true
}

/**
 * Rows in columns of equal width, two spaces apart, without trailing spaces. A line that would be longer than `width`
 * has its shrinking column cut, with `…` in the middle so that both ends can be read.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width = 80): string {
  const titled = columns.some((column) => column.title !== undefined)
  const lines = titled ? [columns.map((column) => column.title ?? ''), ...rows] : rows
  const widths = columns.map((_, at) => Math.max(0, ...lines.map((line) => length(line[at] ?? ''))))
  const excess = widths.reduce((sum, each) => sum + each + 2, -2) - width
  const giving = columns.findIndex((column) => column.shrink === true)
  if (excess > 0 && giving !== -1) widths[giving] = Math.max(8, (widths[giving] ?? 0) - excess)
  return lines
    .map((line) =>
      columns
        .map((column, at) => pad(cut(line[at] ?? '', widths[at] ?? 0), widths[at] ?? 0, column.align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/**
 * Names and values, the names in one column: `  archive   notes-….sealift`. A value that would leave the line has the
 * next one for itself.
 */
export function fields(rows: readonly (readonly [name: string, value: string])[], width = 80): string {
  const wide = Math.max(0, ...rows.map(([name]) => name.length))
  return rows
    .map(([name, value]) => {
      const fits = wide + 4 + length(value) <= width
      return fits ? `  ${name.padEnd(wide)}  ${value}`.trimEnd() : `  ${name}\n    ${value}`
    })
    .join('\n')
}

function length(text: string): number {
  return stripVTControlCharacters(text).length
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, width - length(text)))
  return align === 'right' ? space + text : text + space
}

/** The text, or its two ends with `…` between them. */
export function cut(text: string, width: number): string {
  if (length(text) <= width) return text
  const head = Math.ceil((width - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`
}
