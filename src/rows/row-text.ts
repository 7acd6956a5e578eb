import { textOfCell, type Cell } from './cells.ts'
import type { Row } from './store.ts'

/** How many rows go together: enough to make a step worth while, few enough to be held. */
export const BATCH = 500

/** The JSON text of rows as objects, one text each, fields in the order of the columns. */
export function rowTexts(columns: readonly string[]): (row: Row) => string {
  const heads = columns.map((column, at) => `${at === 0 ? '{' : ','}${JSON.stringify(column)}:`)
  return (row) => {
    let text = ''
    for (let at = 0; at < heads.length; at++) text += (heads[at] ?? '') + (row[at] ?? 'null')
    return heads.length === 0 ? '{}' : `${text}}`
  }
}

/** A row's key for people and reports: the text of its only cell, or the cells as a JSON list. */
export function keyText(cells: readonly Cell[]): string {
  const [only] = cells
  if (cells.length === 1 && only !== undefined) return textOfCell(only) ?? only
  return `[${cells.join(',')}]`
}
