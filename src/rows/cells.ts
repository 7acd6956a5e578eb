/**
 * One value of a row as the JSON text that stands for it: `null`, `true`, `12`, `"text"`. Kept as text so that no
 * number loses a digit on its way; only a store knows what a cell of one of its columns may be.
 */
export type Cell = string

/** JSON that is none, or not the one that was expected. Carries no piece of the text: there may be secrets in it. */
export class NotJson extends Error {
  override readonly name = 'NotJson'
}

const SPACE = /[ \t\n\r]*/y
/** Nothing in it that a parser would change. */
const SIMPLE = /^"[A-Za-z0-9_]*"$/
const PLAIN = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/y

/** The fields of one JSON object in their order. Throws NotJson for a key that appears twice, and for what follows it. */
export function splitObject(text: string): Map<string, Cell> {
  const fields = new Map<string, Cell>()
  let at = skipSpace(text, 0)
  if (text[at] !== '{') throw new NotJson('it is not an object')
  at = skipSpace(text, at + 1)
  while (text[at] !== '}') {
    if (fields.size > 0) {
      if (text[at] !== ',') throw new NotJson('it has no comma between two fields')
      at = skipSpace(text, at + 1)
    }
    if (text[at] !== '"') throw new NotJson('it has a field without a name')
    const nameEnd = endOfValue(text, at)
    const quotedName = text.slice(at, nameEnd)
    const name = SIMPLE.test(quotedName) ? quotedName.slice(1, -1) : (textOfCell(quotedName) ?? '')
    at = skipSpace(text, nameEnd)
    if (text[at] !== ':') throw new NotJson('it has a field without a value')
    at = skipSpace(text, at + 1)
    const end = endOfValue(text, at)
    if (fields.has(name)) throw new NotJson(`it has the field ${JSON.stringify(name.slice(0, 100))} twice`)
    fields.set(name, text.slice(at, end))
    at = skipSpace(text, end)
  }
  if (skipSpace(text, at + 1) !== text.length) throw new NotJson('something follows it')
  return fields
}

/** The text of a JSON string, `undefined` for every other kind of value. Throws NotJson for a broken string. */
export function textOfCell(cell: Cell): string | undefined {
  if (cell[0] !== '"') return undefined
  return parsed(cell) as string
}

/** The value of a cell by JavaScript's own parser: for fields that have no number beyond its reach. */
export function parsed(cell: Cell): unknown {
  try {
    return JSON.parse(cell) as unknown
  } catch {
    // The parser's own error quotes the text.
    throw new NotJson('it has a value that is no JSON')
  }
}

export const isNumber = (cell: Cell): boolean => /^-?[0-9]/.test(cell)

/** Where the value that begins at `at` ends. What is inside a string, a list or an object is not looked at. */
function endOfValue(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return endOfString(text, at)
  if (first === '{' || first === '[') return endOfNested(text, at)
  PLAIN.lastIndex = at
  if (!PLAIN.test(text)) throw new NotJson('it has a value that is no JSON')
  return PLAIN.lastIndex
}

function endOfString(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return quote + 1
  }
  throw new NotJson('a string in it does not end')
}

function endOfNested(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length; index++) {
    const code = text[index]
    if (code === '"') index = endOfString(text, index) - 1
    else if (code === '{' || code === '[') depth++
    else if ((code === '}' || code === ']') && --depth === 0) return index + 1
  }
  throw new NotJson('a list or an object in it does not end')
}

function skipSpace(text: string, at: number): number {
  if (text.charCodeAt(at) > 0x20) return at
  SPACE.lastIndex = at
  SPACE.test(text)
  return SPACE.lastIndex
}
