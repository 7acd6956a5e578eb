import type { RsyncOptions } from './rsync-options.ts'

/**
 * The command that rsync reaches the other host with. It asks nobody anything, trusts only a known host key, and ends
 * when the other side has been silent for a minute. Everybody on this machine may read it: there is no secret in it.
 */
export function sshCommand(options: RsyncOptions): string {
  const { port, ssh_key_file: key, known_hosts_file: known } = options
  const settings = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ConnectTimeout=30',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'ClearAllForwardings=yes',
    'LogLevel=ERROR',
    ...(key === undefined ? [] : ['IdentitiesOnly=yes']),
    ...(known === undefined ? [] : [`UserKnownHostsFile="${known}"`, 'GlobalKnownHostsFile=/dev/null']),
  ]
  const words = [
    'ssh',
    '-T',
    '-x',
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(key === undefined ? [] : ['-i', key]),
    ...settings.flatMap((setting) => ['-o', setting]),
  ]
  return words.map(quoted).join(' ')
}

/** The folder as rsync names it. The `.` at the end keeps rsync from making a folder that is not there. */
export function remoteFolder({ host, user, folder }: RsyncOptions): string {
  const at = host.includes(':') ? `[${host}]` : host
  return `${user === undefined ? '' : `${user}@`}${at}:${folder.replace(/\/+$/, '')}/.`
}

/** The folder as people write it. */
export function remotePlace({ host, user, port, folder }: RsyncOptions): string {
  const at = host.includes(':') ? `[${host}]` : host
  const place = `${user === undefined ? '' : `${user}@`}${at}:${folder}`
  return port === undefined ? place : `${place} (port ${port})`
}

/** A word as rsync reads its option `-e`: in single quotes, and one of those doubled (rsync(1), --rsh). */
function quoted(word: string): string {
  return /[ '"]/.test(word) ? `'${word.replaceAll("'", "''")}'` : word
}
