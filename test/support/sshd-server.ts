import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import { answering, freePort } from './versitygw-server.ts'

export interface Sshd extends AsyncDisposable {
  readonly port: number
  /** A private key that may do anything. */
  readonly key: string
  readonly knownHosts: string
  readonly user: string
  /** For files of a test that go with the server. */
  readonly root: string
  /** A private key that may only run this command. */
  keyFor(command: string): Promise<string>
}

/**
 * Starts a real SSH server as an ordinary process: a free loopback port, keys and settings of its own in a folder, the
 * user that runs the test. `through` is a port that the host’s key is known for as well.
 */
export async function sshd(): Promise<Sshd> {
  const program = '/usr/sbin/sshd'
  if (!existsSync(program)) throw new Error(`${program} is missing: run script/setup`)
  // What the package’s service would make: sshd changes its root there before anybody has logged in.
  if (process.geteuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const root = await mkdtemp(join(tmpdir(), 'sealift-sshd-'))
  const port = await freePort()
  const authorized = join(root, 'authorized_keys')
  for (const name of ['host', 'key']) generate(join(root, name))
  await writeFile(authorized, readFileSync(join(root, 'key.pub')), { mode: 0o600 })
  await writeFile(join(root, 'config'), settings(root, port))
  const hostKey = readFileSync(join(root, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  await writeFile(join(root, 'known_hosts'), `[127.0.0.1]:* ${hostKey}\n`)
  const server = spawn(program, ['-D', '-e', '-f', join(root, 'config')], { stdio: 'ignore' })
  const ended = once(server, 'exit')
  await Promise.race([
    answering(port),
    ended.then(([code]) => Promise.reject(new Error(`sshd ended with ${String(code)}`))),
  ])
  let keys = 0
  return {
    port,
    key: join(root, 'key'),
    knownHosts: join(root, 'known_hosts'),
    user: userInfo().username,
    root,
    async keyFor(command) {
      const path = join(root, `key-${++keys}`)
      generate(path)
      const line = `restrict,command="${command}" ${readFileSync(`${path}.pub`, 'utf8')}`
      await writeFile(authorized, line, { flag: 'a' })
      return path
    },
    async [Symbol.asyncDispose]() {
      server.kill()
      await ended
      await rm(root, { recursive: true, force: true })
    },
  }
}

function generate(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
}

function settings(root: string, port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(root, 'host')}`,
    `AuthorizedKeysFile ${join(root, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'UseDNS no',
    'PrintMotd no',
    'MaxStartups 100:30:200',
    // The newest key exchange costs a tenth of a second for each of several hundred connections.
    'KexAlgorithms curve25519-sha256',
    // A shell within a shell: bash then leaves the user’s ~/.bashrc alone, whatever that does and takes.
    'SetEnv SHLVL=1',
    '',
  ].join('\n')
}
