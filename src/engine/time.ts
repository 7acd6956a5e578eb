/** RFC 3339 in UTC with whole seconds, as headers, manifests and reports write it. */
export function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

/** `20260514T103025Z`: the time in a file or folder name. */
export function compactTime(time: Date): string {
  return rfc3339(time).replaceAll(/[-:]/g, '')
}
