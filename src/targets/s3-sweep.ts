import { isObjectName } from './object-name.ts'
import type { S3Connection } from './s3-connection.ts'
import type { S3Markers } from './s3-marker.ts'
import { abortUpload, lastWrite, listUploads } from './s3-uploads.ts'

const day = 24 * 60 * 60 * 1000

/**
 * Aborts the uploads of archives under `prefix` whose process is dead, and those of unknown processes that nothing was
 * written to for a day; returns the names. Uploads of other keys are not looked at: the bucket may serve others too.
 */
export async function sweepUploads(
  at: S3Connection,
  prefix: string,
  markers: S3Markers,
  now: Date,
  signal?: AbortSignal,
): Promise<string[]> {
  const noted = await markers.read()
  const living = new Set(noted.filter((note) => note.living).map((note) => note.upload.id))
  const dead = new Set(noted.filter((note) => !note.living).map((note) => note.upload.id))
  const swept: string[] = []
  for await (const upload of listUploads(at, prefix, signal)) {
    const name = upload.key.slice(prefix.length)
    if (!upload.key.startsWith(prefix) || !isObjectName(name) || living.has(upload.id)) continue
    if (!dead.has(upload.id)) {
      if (now.getTime() - upload.begunAt.getTime() < day) continue
      const last = await lastWrite(at, upload, signal)
      if (last === undefined || now.getTime() - last.getTime() < day) continue
    }
    if (await abortUpload(at, upload, signal)) swept.push(`${name} (upload ${upload.id})`)
  }
  // Only now: a sweep that failed on the way must find them again.
  for (const note of noted) if (!note.living) await note.forget()
  return swept
}
