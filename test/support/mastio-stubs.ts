import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestBundle } from './mastio-bundle.ts'

/** Stand-ins for `docker` and the bundle's `deploy.sh`. */
export interface Stubs {
  /** To be put before PATH. */
  readonly path: string
  readonly deploy: string
  /** Every call so far, a line each: `deploy.sh --down`, `docker compose -p cullis-mastio ps`. */
  calls(): Promise<string[]>
  /** What the application has logged. */
  log(): Promise<string>
  /** Ends the application if it runs: the test that started it must call this. */
  stop(): Promise<void>
}

/**
 * Puts `docker` into a folder of its own and `deploy.sh` into the bundle. Both log their calls. `deploy.sh` starts the
 * fake application, `deploy.sh --down` and `docker compose down` end it, `ps` and `logs` tell of it. An `--upgrade`
 * fails if `DEPLOY_FAILS` is set.
 */
export async function makeStubs(bundle: TestBundle, folder: string, port: number): Promise<Stubs> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  const [calls, pid, log] = ['calls', 'pid', 'log'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(calls, '')
  const program = join(import.meta.dirname, 'mastio-application.ts')
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const common = `#!/bin/sh
running() { [ -f ${quote(pid)} ] && grep -q '^State:.[^ZX]' "/proc/$(cat ${quote(pid)})/status" 2>/dev/null; }
down() { if running; then kill "$(cat ${quote(pid)})"; while running; do sleep 0.02; done; fi; rm -f ${quote(pid)}; }
printf '%s\\n' "$(basename "$0") $*" >> ${quote(calls)}
`
  const deploy = `${common}
case "$1" in
  --down) down; exit 0 ;;
  --upgrade|--upgrade-bundle) if [ -n "$DEPLOY_FAILS" ]; then echo 'upgrade failed' >&2; exit 3; fi ;;
esac
down
: > ${quote(log)}
${quote(process.execPath)} ${quote(program)} ${quote(bundle.data)} ${quote(bundle.nginxCerts)} ${port} >> ${quote(log)} 2>&1 &
echo $! > ${quote(pid)}
n=0
until grep -q listening ${quote(log)}; do
  n=$((n + 1)); running && [ $n -lt 500 ] || { cat ${quote(log)} >&2; exit 1; }
  sleep 0.02
done
`
  const docker = `${common}
[ "$1" = compose ] && shift
while :; do case "$1" in -p|-f|--env-file) shift 2 ;; *) break ;; esac; done
case "$1" in
  ps) if running; then case "$*" in *-q*|*--quiet*) echo 0123456789ab ;; *) echo 'mcp-proxy   running' ;; esac; fi ;;
  logs) cat ${quote(log)} ;;
  down|stop) down ;;
  exec) exit 0 ;;
  version) echo 'Docker Compose version v2.29.0' ;;
esac
`
  const write = async (path: string, text: string): Promise<void> => {
    await writeFile(path, text)
    await chmod(path, 0o755)
  }
  await write(join(bin, 'docker'), docker)
  await write(join(bundle.path, 'deploy.sh'), deploy)
  return {
    path: bin,
    deploy: join(bundle.path, 'deploy.sh'),
    calls: async () => (await readFile(calls, 'utf8')).split('\n').filter((line) => line !== ''),
    log: async () => readFile(log, 'utf8'),
    async stop() {
      const running = await readFile(pid, 'utf8').catch(() => '')
      if (running.trim() !== '') kill(Number(running))
    },
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid)
  } catch {
    // It has ended already.
  }
}
