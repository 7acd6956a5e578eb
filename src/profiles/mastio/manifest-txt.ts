import { momentOf, stampOf } from './archive-name.ts'

/** What `MANIFEST.txt` of an enterprise archive says. Paths are without the `./` that stands before them. */
export interface ManifestText {
  readonly bundle?: string
  readonly takenAt?: Date
  readonly version?: string
  readonly host?: string
  /** SHA-256 of each file, lower-case hex. */
  readonly sums: ReadonlyMap<string, string>
}

const sumsTitle = 'SHA256 checksums:'

/**
 * Reads it. Sizes are passed over: what it says of its own is wrong (151 instead of 852, measured), and the checksums
 * say more. A string tells what is wrong.
 */
export function parseManifestText(text: string): ManifestText | string {
  const lines = text.split(/\r?\n/)
  const at = lines.indexOf(sumsTitle)
  if (at < 0) return `it has no line “${sumsTitle}”`
  const sums = new Map<string, string>()
  for (const line of lines.slice(at + 1).filter((one) => one.trim() !== '')) {
    const [, sum, path] = /^([0-9a-f]{64})[ \t][ \t*](?:\.\/)?(.+)$/.exec(line) ?? []
    if (sum === undefined || path === undefined) return 'a line behind its checksums is none'
    if (sums.has(path)) return `it lists ${path} twice`
    sums.set(path, sum)
  }
  if (sums.size === 0) return 'it lists no checksum'
  const said = (name: string): string | undefined =>
    lines
      .slice(0, at)
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  const [bundle, version, host] = ['Bundle path', 'Bundle version', 'Host'].map(said)
  const takenAt = momentOf(said('Backup taken') ?? '')
  return {
    ...(bundle === undefined ? {} : { bundle }),
    ...(takenAt === undefined ? {} : { takenAt }),
    ...(version === undefined ? {} : { version }),
    ...(host === undefined ? {} : { host }),
    sums,
  }
}

export interface ManifestTextOf extends Required<Omit<ManifestText, 'sums'>> {
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[]
}

/** The text for these files, which do not include itself. */
export function formatManifestText({ bundle, takenAt, version, host, files }: ManifestTextOf): string {
  const ordered = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return [
    'Cullis Mastio enterprise backup',
    `Bundle path: ${bundle}`,
    `Backup taken: ${stampOf(takenAt)}`,
    `Bundle version: ${version}`,
    `Host: ${host}`,
    '',
    'Contents:',
    ...ordered.map(({ path, size }) => `  ./${path}  (${size} bytes)`),
    '',
    sumsTitle,
    ...ordered.map(({ path, sha256 }) => `${sha256}  ./${path}`),
    '',
  ].join('\n')
}
