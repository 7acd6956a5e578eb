import { NotJson, parsed, splitObject, type Cell } from '../../rows/cells.ts'
import { JsonReader } from '../../rows/json-reader.ts'

/** The longest row, and the longest of the fields beside the rows: what a reader holds at once. */
const VALUE_LIMIT = 64 << 20
const TABLES_LIMIT = 10_000

/** What comes by in a payload, in its order. A row comes with its fields as JSON texts. */
export type PayloadPart =
  | { readonly kind: 'table'; readonly name: string }
  | { readonly kind: 'row'; readonly table: string; readonly number: number; readonly row: Map<string, Cell> }
  | { readonly kind: 'field'; readonly name: string; readonly json: Cell }

/**
 * The payload JSON of a BCBKv2 file, row by row in bounded memory, its fields in any order. Throws NotJson with the
 * place and without a piece of the text: for JSON that is none, a name that appears twice, a `tables` that is not made
 * of lists of objects. The pieces are closed in every case.
 */
export async function* readPayload(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<PayloadPart, void, undefined> {
  const closing = pieces[Symbol.asyncIterator]()
  const reader = new JsonReader({ [Symbol.asyncIterator]: () => closing }, VALUE_LIMIT)
  try {
    const seen = new Set<string>()
    for await (const name of names(reader, 'the payload', seen)) {
      if (name === 'tables') yield* tables(reader)
      else yield { kind: 'field', name, json: await reader.value() }
    }
    if (!seen.has('tables')) throw new NotJson('the payload has no tables')
    if ((await reader.next()) !== undefined) throw new NotJson('something follows the payload')
  } finally {
    await closing.return?.()
  }
}

async function* tables(reader: JsonReader): AsyncGenerator<PayloadPart, void, undefined> {
  const seen = new Set<string>()
  for await (const name of names(reader, 'tables', seen)) {
    if (seen.size > TABLES_LIMIT) throw new NotJson(`tables has more than ${TABLES_LIMIT} tables`)
    yield { kind: 'table', name }
    await reader.take('[')
    for (let number = 1; (await reader.next()) !== ']'; number++) {
      if (number > 1) await reader.take(',')
      yield { kind: 'row', table: name, number, row: rowOf(await reader.value(), name, number) }
    }
    await reader.take(']')
  }
}

/** The names of an object's fields; the caller takes each value before it asks for the next name. */
async function* names(
  reader: JsonReader,
  where: string,
  seen: Set<string>,
): AsyncGenerator<string, void, undefined> {
  await reader.take('{')
  while ((await reader.next()) !== '}') {
    if (seen.size > 0) await reader.take(',')
    if ((await reader.next()) !== '"') throw new NotJson(`${where} has a field without a name`)
    const name = parsed(await reader.value()) as string
    if (seen.has(name)) throw new NotJson(`${where} has ${JSON.stringify(name.slice(0, 100))} twice`)
    seen.add(name)
    await reader.take(':')
    yield name
  }
  await reader.take('}')
}

function rowOf(text: string, table: string, number: number): Map<string, Cell> {
  try {
    return splitObject(text)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw new NotJson(`row ${number} of ${JSON.stringify(table.slice(0, 100))}: ${error.message}`)
  }
}
