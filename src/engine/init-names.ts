/** A name for sources and applications made from any text: small letters, digits, `.`, `_`, `-`; may be empty. */
export function wordOf(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 40)
    .replace(/[^a-z0-9]+$/, '')
}

/**
 * One name for each list of words, no two the same: the first word, with the next ones before it as far as that is
 * needed to tell two apart, and a number where even that does not help.
 */
export function uniqueNames(lists: readonly (readonly string[])[]): string[] {
  const words = lists.map((list) => list.map(wordOf).filter((word) => word !== ''))
  const taken = new Set<string>()
  return words.map((list, index) => {
    const rivals = words.filter((_, other) => other !== index)
    let count = 1
    while (count < list.length && rivals.some((rival) => joined(rival, count) === joined(list, count)))
      count += 1
    const base =
      joined(list, count)
        .slice(-50)
        .replace(/^[^a-z0-9]+/, '') || 'source'
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base}-${number}`
    taken.add(name)
    return name
  })
}

function joined(words: readonly string[], count: number): string {
  return words.slice(0, count).toReversed().join('-')
}
