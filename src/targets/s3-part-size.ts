const mebibyte = 1024 * 1024

/** Amazon’s limits: 10,000 parts of 5 MiB (but the last) to 5 GiB, 5 TiB in all. */
const largestPart = 5 * 1024 * mebibyte
/** So many parts have one size, because some servers want it so; the rest is for an archive larger than its guess. */
const evenParts = 8000

/**
 * The size of all ordinary parts of an archive of about `expectedSize` bytes: small, because a few of them lie in
 * memory, and large enough that a quarter more than was expected still fits into `evenParts`.
 */
export function ordinaryPart(expectedSize: number | undefined): number {
  if (expectedSize === undefined) return 16 * mebibyte
  const needed = Math.ceil((expectedSize * 1.25) / evenParts / mebibyte) * mebibyte
  return Math.min(largestPart, Math.max(8 * mebibyte, needed))
}

/** The size of part `number` (from 1): beyond `evenParts` it doubles every 150 parts, so that 5 TiB always fit. */
export function partSize(number: number, ordinary: number): number {
  if (number <= evenParts) return ordinary
  return Math.min(largestPart, ordinary * 2 ** Math.ceil((number - evenParts) / 150))
}

/** How many parts are on their way at once: one while the next fills, three where they are small. */
export function partsInFlight(ordinary: number): number {
  return ordinary <= 32 * mebibyte ? 3 : 1
}
