import { spawnSync } from 'node:child_process'

/** How Python's tarfile calls the kinds of member. */
export type PythonKind =
  'REGTYPE' | 'DIRTYPE' | 'SYMTYPE' | 'LNKTYPE' | 'CHRTYPE' | 'BLKTYPE' | 'FIFOTYPE' | 'CONTTYPE'

export interface PythonEntry {
  readonly name: string
  readonly kind?: PythonKind
  readonly link?: string
  readonly content?: string
  readonly mode?: number
  readonly uid?: number
  readonly mtime?: number
  readonly pax?: Readonly<Record<string, string>>
}

const script = `
import io, json, sys, tarfile
request = json.load(sys.stdin)
for entries in request["tars"]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=getattr(tarfile, request["format"])) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry["name"])
            content = entry.get("content", "").encode()
            info.type = getattr(tarfile, entry.get("kind", "REGTYPE"))
            info.size, info.linkname = len(content), entry.get("link", "")
            info.mode, info.uid, info.mtime = entry.get("mode", 0o644), entry.get("uid", 10001), entry.get("mtime", 1778754625)
            info.pax_headers = entry.get("pax", {})
            tar.addfile(info, io.BytesIO(content))
    sys.stdout.buffer.write(len(out.getvalue()).to_bytes(4, "big") + out.getvalue())`

export type PythonFormat = 'GNU_FORMAT' | 'PAX_FORMAT' | 'USTAR_FORMAT'

/** Gzipped tars that Python writes, one for each list: also of what no honest program would write. */
export function pythonTars(tars: readonly (readonly PythonEntry[])[], format: PythonFormat): Buffer[] {
  const input = JSON.stringify({ tars, format })
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { input, maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(stderr.toString())
  const made: Buffer[] = []
  for (let at = 0; at < stdout.length;) {
    const size = stdout.readUInt32BE(at)
    made.push(stdout.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return made
}

export const pythonTar = (entries: readonly PythonEntry[], format: PythonFormat = 'GNU_FORMAT'): Buffer =>
  pythonTars([entries], format)[0] ?? Buffer.alloc(0)
