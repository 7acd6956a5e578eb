import { resolve } from 'node:path'
import type { KeyPath } from './document.ts'

/** What a file says of its places, read leniently: other mistakes must not hide the ones between places. */
export interface Draft {
  readonly sources: readonly DraftPlug[]
  readonly targets: readonly DraftPlug[]
  readonly passphraseFile: string | undefined
  readonly recipients: readonly string[]
  readonly stateDir: string | undefined
  readonly statusFile: string | undefined
}

export interface DraftPlug {
  readonly at: KeyPath
  readonly name: string | undefined
  readonly kind: string | undefined
  readonly path: string | undefined
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

export function draftOf(value: unknown, folder: string): Draft {
  const seal = field(value, 'seal')
  return {
    sources: plugsOf(value, 'sources', folder),
    targets: plugsOf(value, 'targets', folder),
    passphraseFile: pathOf(field(seal, 'passphrase_file'), folder),
    recipients: textsOf(field(seal, 'recipients')),
    stateDir: pathOf(field(value, 'state_dir'), folder),
    statusFile: pathOf(field(value, 'status_file'), folder),
  }
}

/** An option whose value is a path of this machine. */
export function isPathKey(key: string): boolean {
  return key === 'path' || key.endsWith('_file')
}

/** The options of a source or target with its paths absolute. */
export function withAbsolutePaths(options: Record<string, unknown>, folder: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key,
      isPathKey(key) && typeof value === 'string' ? resolve(folder, value) : value,
    ]),
  )
}

function plugsOf(value: unknown, key: 'sources' | 'targets', folder: string): DraftPlug[] {
  const list = field(value, key)
  if (!Array.isArray(list)) return []
  return list.map((item: unknown, index) => ({
    at: [key, index],
    name: textOf(field(item, 'name')),
    kind: textOf(field(item, 'kind')),
    path: pathOf(field(item, 'path'), folder),
    include: textsOf(field(item, 'include')),
    exclude: textsOf(field(item, 'exclude')),
  }))
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function pathOf(value: unknown, folder: string): string | undefined {
  const text = textOf(value)
  return text === undefined ? undefined : resolve(folder, text)
}
