const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes for people: `0 B`, `1023 B`, `1.0 KiB`, `12.3 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes / 1024
  let unit = 0
  // 1023.95 would be written as 1024.0
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value.toFixed(1)} ${units[unit] ?? ''}`
}

/** A whole number with its thousands apart: `1,234,567`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 member`, `2 members`. */
export function several(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`
}

/** Seconds in the largest unit that says enough: `0.4 s`, `12 s`, `5 min`, `3 h`, `12 d`, `3 y`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`
  if (seconds < 99.5) return `${Math.round(seconds)} s`
  if (seconds < 99.5 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  if (seconds < 1000 * 86_400) return `${Math.round(seconds / 86_400)} d`
  return `${Math.round(seconds / (365.25 * 86_400))} y`
}

/** How long ago a moment was; one that is ahead of this clock says so. */
export function age(rfc3339: string, now: Date): string {
  const seconds = (now.getTime() - Date.parse(rfc3339)) / 1000
  if (seconds < -60) return 'future'
  return seconds < 10 ? 'now' : duration(seconds)
}

/** `2026-11-22 12:00Z`: to the minute, in UTC. */
export function minute(rfc3339: string): string {
  return `${new Date(rfc3339).toISOString().slice(0, 16).replace('T', ' ')}Z`
}

/** `2026-11-22 12:00:05Z`: to the second, in UTC. */
export function moment(rfc3339: string): string {
  return `${new Date(rfc3339).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** `2026-11-22`, in UTC. */
export function day(rfc3339: string): string {
  return new Date(rfc3339).toISOString().slice(0, 10)
}
