import type { ArchiveSummary } from './report.ts'

type Dated = Pick<ArchiveSummary, 'created_at' | 'name'>

/**
 * Orders archives by their own times, the newest first. Those of one second by the number that the later ones have in
 * their names: `x-20261122T120000Z.sealift` is older than `x-20261122T120000Z-2.sealift`.
 */
export function newestFirst(a: Dated, b: Dated): number {
  const times = Date.parse(b.created_at) - Date.parse(a.created_at)
  if (times !== 0) return times
  const [stemA, numberA] = parts(a.name)
  const [stemB, numberB] = parts(b.name)
  if (stemA !== stemB) return stemA < stemB ? 1 : -1
  return numberB - numberA
}

function parts(name: string): [string, number] {
  const [, stem = name, number = '1'] = /^(.*\d{8}T\d{6}Z)(?:-(\d+))?\.sealift$/.exec(name) ?? []
  return [stem, Number(number)]
}
