import { SealiftError } from '../errors.ts'

export const invalidHeader = (reason: string, cause?: unknown) =>
  new SealiftError('HEADER_INVALID', { reason }, cause)

/** The fields of a JSON object that has exactly these keys. HEADER_INVALID names `where`. */
export function fieldsOf<Key extends string>(
  value: unknown,
  keys: readonly Key[],
  where: string,
): Record<Key, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidHeader(`${where} is not an object`)
  }
  for (const key of keys) if (!Object.hasOwn(value, key)) throw invalidHeader(`${where} has no ${key}`)
  for (const key of Object.keys(value)) {
    if (!keys.includes(key as Key)) throw invalidHeader(`${where} has an unknown key ${JSON.stringify(key)}`)
  }
  return value as Record<Key, unknown>
}

export function integerField(value: unknown, minimum: number, maximum: number, where: string): number {
  if (!Number.isSafeInteger(value)) throw invalidHeader(`${where} is not a whole number`)
  const number = value as number
  if (number < minimum || number > maximum) {
    throw invalidHeader(`${where} is ${number}, not ${minimum} to ${maximum}`)
  }
  return number
}

export function textField(value: unknown, pattern: RegExp, where: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw invalidHeader(`${where} is not valid`)
  return value
}

/** Standard base64 with padding, of exactly `size` bytes. */
export function bytesField(value: unknown, size: number, where: string): Buffer {
  const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64')
  if (bytes.length !== size || bytes.toString('base64') !== value) {
    throw invalidHeader(`${where} is not base64 of ${size} bytes`)
  }
  return bytes
}
