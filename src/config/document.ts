import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node, YAMLMap } from 'yaml'
import { reasonOf } from '../errors.ts'
import type { Problem } from './config.ts'
import { expand } from './environment.ts'
import type { Environment } from './environment.ts'

export type KeyPath = readonly (string | number)[]

/** A parsed `sealift.yaml`: its value with references replaced, and where and how each part of it is written. */
export interface ParsedDocument {
  readonly value: unknown
  /** False where the text is no YAML: then `value` is not worth a look. */
  readonly readable: boolean
  readonly problems: readonly Problem[]
  /** The line of a key, or of the nearest thing around it that is there. */
  lineOf(path: KeyPath): number | undefined
  /** A single value as it stands in the file: `${NAME}` and not what NAME holds, which may not be shown. */
  textOf(path: KeyPath): string | undefined
  /** Whether a single value has a reference that could not be replaced; it is among `problems` already. */
  isBroken(path: KeyPath): boolean
}

/** Mistakes after which the text has no value worth judging. */
const fatalWords = /^(the alias|a key is not)/

const syntaxFix: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'remove the line `---` and what follows it',
  MISSING_CHAR: 'close the quote or bracket that opens before it',
}

/** Reads YAML 1.2 text. A byte order mark and CRLF are taken as they come; nothing is ever executed or constructed. */
export function parseConfigText(text: string, env: Environment): ParsedDocument {
  const lines = new LineCounter()
  // Duplicate keys are looked for below, so that the other mistakes are found in the same pass.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const problems: Problem[] = []
  const broken = new Set<unknown>()
  const lineAt = (offset: number | undefined): number | undefined =>
    offset === undefined ? undefined : lines.linePos(offset).line
  const say = (offset: number | undefined, what: string, fix: string | undefined): void => {
    const line = lineAt(offset)
    problems.push({ ...(line === undefined ? {} : { line }), what, ...(fix === undefined ? {} : { fix }) })
  }

  // The first only: what the parser says after it is mostly its own confusion.
  const [broke] = document.errors
  if (broke !== undefined) {
    const flow = /\{[^}]*\$\{/.test(text.split('\n')[(lineAt(broke.pos[0]) ?? 1) - 1] ?? '')
    const fix = flow ? 'put a value with ${NAME} in quotes when it stands in { }' : syntaxFix[broke.code]
    say(broke.pos[0], `not valid YAML: ${plain(broke.message)}`, fix)
  }
  for (const warning of document.warnings)
    say(warning.pos[0], `not understood: ${warning.message}`, 'remove the tag')
  if (problems.length === 0) {
    visit(document, {
      Map: (_, map) => checkKeys(map, (node, what, fix) => say(node.range?.[0], what, fix), lineAt),
      Alias: (_, alias, ancestors) => {
        const anchor = alias.resolve(document)
        const name = `the alias *${alias.source}`
        if (anchor === undefined) say(alias.range?.[0], `${name} names no anchor before it`, 'quote the text')
        else if (ancestors.includes(anchor))
          say(alias.range?.[0], `${name} stands inside what it names`, 'write it out')
      },
      Scalar: (role, scalar) => {
        if (role === 'key' || typeof scalar.value !== 'string') return
        const expansion = expand(scalar.value, env)
        if ('text' in expansion) {
          scalar.value = expansion.text
          return
        }
        broken.add(scalar)
        if ('unset' in expansion)
          say(
            scalar.range?.[0],
            `the environment variable ${expansion.unset} is not set`,
            `set it, or write \${${expansion.unset}:-default}; a $ that stands for itself before a brace is $$`,
          )
        else
          say(
            scalar.range?.[0],
            `${expansion.malformed} is no reference`,
            'write ${NAME} or ${NAME:-default}; a $ that stands for itself before a brace is $$',
          )
      },
    })
  }
  const fatal = document.errors.length > 0 || problems.some((problem) => fatalWords.test(problem.what))
  const { value, failure } = fatal ? { value: undefined, failure: undefined } : toValue(document)
  if (failure !== undefined) say(undefined, `not valid YAML: ${failure}`, undefined)
  return {
    value,
    readable: !fatal && failure === undefined,
    problems,
    lineOf: (path) => lineAt(locate(document, path).offset),
    textOf: (path) => {
      const { node, complete } = locate(document, path)
      return complete && isScalar(node) ? shorten(node.source ?? String(node.value)) : undefined
    },
    isBroken: (path) => broken.has(locate(document, path).node),
  }
}

/** Aliases that multiply beyond reason throw here (the library allows a hundredfold). */
function toValue(document: Document): { value: unknown; failure: string | undefined } {
  try {
    return { value: document.toJS(), failure: undefined }
  } catch (error) {
    return { value: undefined, failure: reasonOf(error) }
  }
}

function checkKeys(
  map: YAMLMap,
  say: (node: Node, what: string, fix: string) => void,
  lineAt: (offset: number | undefined) => number | undefined,
): typeof visit.SKIP | undefined {
  const seen = new Map<string, number | undefined>()
  for (const { key } of map.items) {
    if (!isScalar(key) || typeof key.value !== 'string') {
      const node = isScalar(key) || isMap(key) || isSeq(key) || isAlias(key) ? key : map
      say(node, 'a key is not a word', 'write `key: value`; quote a key that is a number or null')
      return visit.SKIP
    }
    if (seen.has(key.value))
      say(
        key,
        `\`${key.value}\` stands here a second time (first on line ${seen.get(key.value)})`,
        'remove one',
      )
    else seen.set(key.value, lineAt(key.range?.[0]))
  }
  return undefined
}

function locate(
  document: Document,
  path: KeyPath,
): { node: unknown; offset: number | undefined; complete: boolean } {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0]
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      // The last of two equal keys is the one whose value counts.
      const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === part)
      if (pair === undefined || !isScalar(pair.key)) return { node, offset, complete: false }
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof part === 'number') {
      const item: unknown = node.items[part]
      if (!isScalar(item) && !isMap(item) && !isSeq(item) && !isAlias(item))
        return { node, offset, complete: false }
      offset = item.range?.[0] ?? offset
      node = item
    } else return { node, offset, complete: false }
  }
  return { node: isAlias(node) ? node.resolve(document) : node, offset, complete: true }
}

/** Nesting beyond all reason ends the parser in this way. */
function plain(message: string): string {
  return message.startsWith('Maximum call stack') ? 'it is nested too deeply' : message
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}
