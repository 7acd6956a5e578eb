import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

/**
 * Compares the version that will be deployed with that of the archive. There is no downgrade: an image older than the
 * schema does not start, so an older version is a `fail` (`version-older`), to be accepted by name.
 */
export function checkVersion(archive: string | undefined, deployed: string | undefined): MastioFinding[] {
  const [before, after] = [numbersOf(archive), numbersOf(deployed)]
  if (before === undefined || after === undefined) {
    const which = before === undefined ? 'of the archive' : 'to be deployed (CULLIS_MASTIO_VERSION)'
    const detail = `the version ${which} is not known: an older one than the archive’s would not start`
    return [finding('attention', 'version-unknown', detail)]
  }
  const order = compare(before, after)
  if (order === 0) return []
  if (order < 0) {
    return [
      finding(
        'note',
        'version-newer',
        `version ${deployed ?? ''} is newer: the schema migrates at its first start`,
      ),
    ]
  }
  const detail = `version ${deployed ?? ''} is older than ${archive ?? ''} of the archive, and would not start`
  return [finding('fail', 'version-older', detail)]
}

/** `v0.4.4`, `0.4.4-rc1`: the numbers, and whether it is a pre-release; `undefined` for `latest` and the like. */
function numbersOf(version: string | undefined): number[] | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(-.+)?$/.exec(version?.trim() ?? '')
  if (match === null) return undefined
  const parts = (match[1] ?? '').split('.').map(Number)
  while (parts.length < 4) parts.push(0)
  return [...parts.slice(0, 4), match[2] === undefined ? 1 : 0]
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, index) => part !== b[index])
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
