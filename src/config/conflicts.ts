import type { Problem } from './config.ts'
import { covers, relativeInside } from './coverage.ts'
import type { GlobReader } from './coverage.ts'
import type { KeyPath, ParsedDocument } from './document.ts'
import type { Draft, DraftPlug } from './draft.ts'
import { at, keyName } from './mistakes.ts'

/** Mistakes that lie between entries: names given twice, places that overlap, nothing to seal with. */
export function conflictsOf(
  draft: Draft,
  document: ParsedDocument,
  given: { readonly stateDir: string; readonly sealGiven: boolean; readonly globs: GlobReader },
): Problem[] {
  return [
    ...twice(draft.sources, (plug) => plug.name).map(([plug, first]) => sameName(document, plug, first)),
    ...twice(draft.targets, (plug) => plug.name).map(([plug, first]) => sameName(document, plug, first)),
    ...twice(draft.targets, (plug) => (plug.kind === 'local' ? plug.path : undefined)).map(([plug, first]) =>
      at(
        document,
        [...plug.at, 'path'],
        `${called(plug)} and ${called(first)} are the same folder, so the copy is no copy`,
        'name another place, or remove one',
      ),
    ),
    ...samePlace(draft, document),
    ...sidecarsNamed(draft, document),
    ...treesInTrees(draft, document, given.globs),
    ...swallowed(draft, document, given),
    ...sealing(draft, document, given.sealGiven),
  ]
}

/** Each entry whose key an earlier one has as well, with that earlier one. */
function twice(
  plugs: readonly DraftPlug[],
  keyOf: (plug: DraftPlug) => string | undefined,
): [DraftPlug, DraftPlug][] {
  const first = new Map<string, DraftPlug>()
  return plugs.flatMap((plug): [DraftPlug, DraftPlug][] => {
    const key = keyOf(plug)
    if (key === undefined) return []
    const earlier = first.get(key)
    if (earlier !== undefined) return [[plug, earlier]]
    first.set(key, plug)
    return []
  })
}

function sameName(document: ParsedDocument, plug: DraftPlug, first: DraftPlug): Problem {
  const list = String(plug.at[0])
  const line = document.lineOf([...first.at, 'name'])
  const what = `two ${list} are called \`${plug.name}\` (the first on line ${line})`
  return at(document, [...plug.at, 'name'], what, `each of the ${list} needs a name of its own`)
}

const sidecars = ['-wal', '-shm', '-journal']

/** A restore puts each source in its place as a whole, so no two can have the same one. */
function samePlace(draft: Draft, document: ParsedDocument): Problem[] {
  return twice(draft.sources, (source) => source.path).map(([plug, first]) => {
    const what = plug.kind === 'sqlite' && first.kind === 'sqlite' ? 'database' : 'place'
    const fix = 'remove one, or make them one source: a restore puts each in its place as a whole'
    return at(
      document,
      [...plug.at, 'path'],
      `${called(plug)} and ${called(first)} are the same ${what}`,
      fix,
    )
  })
}

function sidecarsNamed(draft: Draft, document: ParsedDocument): Problem[] {
  return draft.sources
    .filter((source) => source.kind === 'sqlite')
    .flatMap((source) =>
      sidecars
        .filter((suffix) => source.path?.endsWith(suffix))
        .map((suffix) =>
          at(
            document,
            [...source.at, 'path'],
            `${called(source)} names a sidecar of a database, not a database`,
            `name the database itself, without \`${suffix}\``,
          ),
        ),
    )
}

/** Two trees of which one holds the other cannot both be put back. */
function treesInTrees(draft: Draft, document: ParsedDocument, globs: GlobReader): Problem[] {
  const trees = draft.sources.filter((source) => source.kind === 'files')
  return trees.flatMap((inner) =>
    trees.flatMap((outer) => {
      if (outer.path === inner.path || !reaches(outer, inner.path, true, globs)) return []
      return [
        at(
          document,
          [...inner.at, 'path'],
          `${called(inner)} lies in ${called(outer)}, which backs it up as well`,
          excludeFix(outer, inner.path, 'remove one of the two'),
        ),
      ]
    }),
  )
}

function swallowed(
  draft: Draft,
  document: ParsedDocument,
  { stateDir, globs }: { readonly stateDir: string; readonly globs: GlobReader },
): Problem[] {
  const places: [what: string, where: KeyPath, path: string | undefined, folder: boolean, why: string][] = [
    ...draft.targets.map((target): [string, KeyPath, string | undefined, boolean, string] => [
      called(target),
      [...target.at, 'path'],
      target.kind === 'local' ? target.path : undefined,
      true,
      'each archive would hold the earlier ones',
    ]),
    [
      keyName(document, ['seal', 'passphrase_file']),
      ['seal', 'passphrase_file'],
      draft.passphraseFile,
      false,
      'the archive would hold its own key',
    ],
    ['the state folder', ['state_dir'], stateDir, true, 'locks and half-done work would be backed up'],
  ]
  return draft.sources
    .filter((source) => source.kind === 'files')
    .flatMap((source) =>
      places
        .filter(([, , path, folder]) => reaches(source, path, folder, globs))
        .map(([what, where, path, , why]) =>
          at(
            document,
            where,
            `${what} lies in ${called(source)}: ${why}`,
            excludeFix(source, path, 'move it out of there'),
          ),
        ),
    )
}

function sealing(draft: Draft, document: ParsedDocument, sealGiven: boolean): Problem[] {
  const again = draft.recipients.flatMap((recipient, index) => {
    const first = draft.recipients.indexOf(recipient)
    return first === index
      ? []
      : [
          at(
            document,
            ['seal', 'recipients', index],
            `\`seal.recipients\` names one recipient twice`,
            'remove one',
          ),
        ]
  })
  if (sealGiven || draft.passphraseFile !== undefined || draft.recipients.length > 0) return again
  const fix = 'add `seal:` with `passphrase_file` or `recipients`, or give --passphrase-file'
  return [...again, at(document, ['seal'], 'nothing says how archives are sealed', fix)]
}

function reaches(source: DraftPlug, path: string | undefined, folder: boolean, globs: GlobReader): boolean {
  if (source.path === undefined || path === undefined) return false
  return covers({ path: source.path, include: source.include, exclude: source.exclude }, path, folder, globs)
}

function excludeFix(source: DraftPlug, path: string | undefined, otherwise: string): string {
  const inside = relativeInside(source.path ?? '/', path ?? '/')
  if (inside === undefined || inside === '') return otherwise
  return `${otherwise}, or add ${JSON.stringify(inside)} to \`exclude\` of that source`
}

function called(plug: DraftPlug): string {
  const noun = plug.at[0] === 'targets' ? 'target' : 'source'
  return `${noun} ${plug.name === undefined ? `number ${Number(plug.at[1]) + 1}` : `\`${plug.name}\``}`
}
