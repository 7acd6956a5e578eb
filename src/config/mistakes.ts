import type { z } from 'zod'
import type { Problem } from './config.ts'
import type { KeyPath, ParsedDocument } from './document.ts'
import { nearest } from './nearest.ts'
import { keysAt } from './schema-keys.ts'
import type { ConfigSchema } from './schema.ts'

/** Keys under which people would write the secret itself. */
const secretKeys = /^(passphrase|password|passwd|pass|secret|secret_key|private_key|key)$/

/** Says what a schema found in the words of the file: each mistake with its line and what to write instead. */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  document: ParsedDocument,
  schema: ConfigSchema,
): Problem[] {
  const said = new Set<string>()
  return issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol')
    // Its reference was refused already: what the text looks like without it is no second mistake.
    if (document.isBroken(path)) return []
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey([...path, key], document, schema))
    // What a check says of a value of the wrong type is noise.
    const place = JSON.stringify(path)
    if (said.has(place)) return []
    said.add(place)
    return [at(document, path, ...describe(issue, path, document, schema))]
  })
}

/** A problem at a key of the file. */
export function at(document: ParsedDocument, path: KeyPath, what: string, fix?: string): Problem {
  const line = document.lineOf(path)
  return { ...(line === undefined ? {} : { line }), what, ...(fix === undefined ? {} : { fix }) }
}

/** `seal.compression`, or `sources.db.path` where an item of a list has a name. */
export function keyName(document: ParsedDocument, path: KeyPath): string {
  if (path.length === 0) return 'the file'
  const parts = path.map((part, index) => {
    if (typeof part === 'string') return index === 0 ? part : `.${part}`
    const name = document.textOf([...path.slice(0, index + 1), 'name'])
    return name === undefined ? `[${part}]` : `.${name}`
  })
  return `\`${parts.join('')}\``
}

function unknownKey(path: KeyPath, document: ParsedDocument, schema: ConfigSchema): Problem {
  const key = String(path.at(-1))
  const known = keysAt(schema, path.slice(0, -1), document.value)
  if (secretKeys.test(key)) {
    const fix =
      'write it into a file of mode 0600 of its own, name that in `seal.passphrase_file`, and remove it here'
    return at(document, path, `${keyName(document, path)}: a secret must not stand in this file`, fix)
  }
  const guess = nearest(key, known)
  const fix = guess === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${guess}\`?`
  return at(document, path, `${keyName(document, path)} is an unknown key`, fix)
}

type Sentence = readonly [what: string, fix?: string | undefined]

function describe(
  issue: z.core.$ZodIssue,
  path: KeyPath,
  document: ParsedDocument,
  schema: ConfigSchema,
): Sentence {
  const name = keyName(document, path)
  const key = String(path.at(-1))
  const value = valueAt(document.value, path)
  const text = document.textOf(path) ?? ''
  if (value === undefined) return [`${name} is missing`, missingFix(issue, path, schema)]
  if (value === null && path.length > 0) return [`${name} has no value`, 'give it one, or remove the key']
  switch (issue.code) {
    case 'invalid_type':
      return [
        `${name} is ${article(value)}, and must be ${expected[issue.expected] ?? issue.expected}`,
        typeFix(value, issue.expected),
      ]
    case 'invalid_value':
      if (key === 'version')
        return [`version ${text} of this file is not known`, 'this Sealift reads `version: 1`']
      return choice(name, text, issue.values.map(String))
    case 'invalid_union':
      return choice(name, text, kindsOf(schema, path))
    case 'invalid_format':
    case 'custom':
      return path[0] === 'seal' && path[1] === 'recipients'
        ? recipient(name, typeof value === 'string' ? value : '')
        : [`${name}: ${JSON.stringify(text)} ${issue.message}`]
    case 'too_small':
      if (issue.origin === 'string') return [`${name} is empty`, 'give it a value']
      if (issue.origin === 'array') return [`${name} is an empty list`, 'it needs at least one entry']
      return [
        `${name} is ${text}, and must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`,
      ]
    case 'too_big':
      if (issue.origin === 'array') return [`${name} has more than ${issue.maximum} entries`]
      return [
        `${name} is ${text}, and must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}`,
      ]
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
      break
  }
  return [`${name}: ${issue.message}`]
}

const expected: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
}

function article(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'object') return 'a group of keys'
  return typeof value === 'boolean' ? 'true or false' : 'a number'
}

function typeFix(value: unknown, wanted: string): string | undefined {
  if (wanted === 'array') return 'write `[one, two]`, or one `- entry` a line'
  if (typeof value === 'string' && wanted !== 'object')
    return 'a quoted value and a ${NAME} reference are always text'
  if (typeof value === 'number' || typeof value === 'boolean')
    return 'put it in quotes if it is meant as text'
  return undefined
}

function choice(name: string, text: string, known: readonly string[]): Sentence {
  const guess = nearest(text, known)
  const all = `known: ${known.join(', ')}`
  return [
    `${name}: ${JSON.stringify(text)} is unknown`,
    guess === undefined ? all : `did you mean \`${guess}\`? ${all}`,
  ]
}

function missingFix(issue: z.core.$ZodIssue, path: KeyPath, schema: ConfigSchema): string {
  const key = String(path.at(-1))
  if (key === 'version') return 'add `version: 1`'
  if (key === 'sources' || key === 'targets')
    return `add \`${key}:\` with at least one entry, or run \`sealift init\``
  if (issue.code === 'invalid_union') return `add \`kind\`: ${kindsOf(schema, path).join(', ')}`
  return `add \`${key}: …\``
}

/** Never shows the value: it may be a secret key in the wrong place. */
function recipient(name: string, value: string): Sentence {
  if (/^sealift-secret/i.test(value.trim()))
    return [
      `${name} is a secret key, which must never stand in this file`,
      'remove it and write the recipient from the same `sealift keygen` file; treat this key as disclosed',
    ]
  return [`${name} is no recipient`, 'it looks like `sealift-recipient-v1:…`; `sealift keygen` writes one']
}

function kindsOf(schema: ConfigSchema, path: KeyPath): string[] {
  const list = path[0] === 'targets' ? schema.shape.targets : schema.shape.sources
  return list.element.options.flatMap((option) => [...option.shape.kind.values])
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let current: unknown = value
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = Object.hasOwn(current, part) ? Reflect.get(current, part) : undefined
  }
  return current
}
