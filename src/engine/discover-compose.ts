import path from 'node:path'

/** What a compose file says of data that does not lie beside it. */
export interface ComposeData {
  /** Images of database servers. */
  readonly databases: readonly string[]
  /** Named volumes, whose data Docker keeps. */
  readonly volumes: readonly string[]
  /** Folders of the host that are mounted: absolute paths, `~/…` as it stands. */
  readonly mounts: readonly string[]
}

const server =
  /^(postgres|postgis|pgvector|timescale|mysql|mariadb|percona|mongo|redis|valkey|couchdb|cassandra|influxdb|clickhouse|elasticsearch|opensearch|mssql|cockroach|neo4j)/
const noServer = /(exporter|admin|express|proxy|commander|insight|backup)/
const systemPlace =
  /^\/(dev|proc|sys|run|var\/run|etc\/(localtime|timezone|passwd|group|hosts|resolv\.conf))(\/|$)/

/**
 * Reads the lines of a compose file that name data, without being a YAML parser: it is for hints, so an unusual way of
 * writing may hide one, and nothing in the file can do harm. `folder` is where the file lies.
 */
export function readCompose(text: string, folder: string): ComposeData {
  const databases = new Set<string>()
  const volumes = new Set<string>()
  const mounts = new Set<string>()
  let inVolumes = false
  let indent: number | undefined
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#|$)/.test(line)) continue
    if (/^\S/.test(line)) {
      inVolumes = line.startsWith('volumes:')
      indent = undefined
    } else if (inVolumes) {
      const [, space = '', name] = /^(\s+)["']?([\w.-]+)["']?:/.exec(line) ?? []
      indent ??= space.length
      if (name !== undefined && space.length === indent) volumes.add(name)
    }
    const image = /^\s+(?:-\s+)?image:\s*["']?([^\s"'#]+)/.exec(line)?.[1]
    if (image !== undefined && isServer(image)) databases.add(image)
    const mount =
      /^\s+-\s*["']?((?:\/|\.{1,2}\/|~\/)[^:"']*):/.exec(line)?.[1] ??
      /^\s+(?:-\s+)?source:\s*["']?((?:\/|\.{1,2}\/|~\/)[^"'#]*?)["']?\s*$/.exec(line)?.[1]
    if (mount === undefined || systemPlace.test(mount)) continue
    mounts.add(mount.startsWith('~') ? mount : path.resolve(folder, mount))
  }
  return { databases: [...databases], volumes: [...volumes], mounts: [...mounts] }
}

function isServer(image: string): boolean {
  const name = (image.split('/').at(-1) ?? '').replace(/[:@].*$/, '').toLowerCase()
  return server.test(name) && !noServer.test(name)
}
