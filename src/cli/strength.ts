/** How hard a passphrase is to guess, as a note for the person who typed it; never a reason to refuse. */
export interface Strength {
  readonly word: 'weak' | 'fair' | 'strong'
  /** About how many bits, were it picked at random in the way it looks. */
  readonly bits: number
}

const bitsPerWord = 11
const longestWord = 10

/**
 * A guess from the shape alone: it knows no dictionary. A run of letters counts as one word, once, unless it is longer
 * than words are; all else counts by its characters, of which repeats and runs (`aaaa`, `1234`) add next to nothing.
 * What it calls weak is weak; what it calls strong is strong only if it was picked at random.
 */
export function strengthOf(passphrase: string): Strength {
  const words = new Set(passphrase.match(plainWord)?.map((word) => word.toLowerCase()))
  const rest = passphrase.replace(plainWord, '').replaceAll(/[\s.,_-]/g, '')
  const bits = Math.floor([...words].reduce((sum, word) => sum + wordBits(word), characterBits(rest)))
  return { word: bits < 50 ? 'weak' : bits < 65 ? 'fair' : 'strong', bits: Math.min(bits, 128) }
}

/** Three letters or more as words are written: small, capital, or with a capital at the front. */
const plainWord = /(?<!\p{L})(?:\p{L}\p{Ll}{2,}|\p{Lu}{3,})(?!\p{L})/gu

function wordBits(word: string): number {
  const beyond = Math.max(0, word.length - longestWord) * Math.log2(26)
  return Math.min(characterBits(word), bitsPerWord + beyond)
}

function characterBits(text: string): number {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  const fresh = points.filter((point, at) => {
    const step = point - (points[at - 1] ?? -10)
    return step < -1 || step > 1
  })
  const distinct = new Set(fresh).size
  // A few characters over and over are few choices, however long the text is.
  const effective = Math.min(fresh.length, distinct * 2)
  return effective * Math.log2(alphabet(text))
}

function alphabet(text: string): number {
  const classes: readonly (readonly [RegExp, number])[] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[ -/:-@[-`{-~]/, 20],
    [/\P{ASCII}/u, 60],
  ]
  return Math.max(
    2,
    classes.reduce((sum, [found, count]) => sum + (found.test(text) ? count : 0), 0),
  )
}
