import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { endingPattern } from './object-name.ts'

/**
 * The name of an archive that is being written: `.<name>.<pid>-<start>-<place>-<random>.part`. It says which process
 * writes it, so that a sweep removes what a killed one left and never what a living one writes. A pid alone does not
 * say that: it is used again, and it means another process in another container or on another host of a shared folder.
 * `start` is the process's start in clock ticks since boot; `place` is three hashes, of the machine, its boot and the
 * pid namespace. Where /proc does not tell, they are zeros.
 */
const pattern = new RegExp(
  `^\\.(.+\\.${endingPattern})\\.(\\d+)-(\\d+)-([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})-[0-9a-f]{8}\\.part$`,
)
const unknown = '00000000'

/** The process that writes a part file, as its name says it. */
export interface Owner {
  readonly pid: number
  readonly start: string
  readonly machine: string
  readonly boot: string
  readonly namespace: string
}

/** The process that is running now. */
export function thisProcess(): Owner {
  const boot = told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = told(() => readlinkSync('/proc/self/ns/pid'))
  const machine = told(() => readFileSync('/etc/machine-id', 'utf8')) ?? ''
  return {
    pid: process.pid,
    start: startOf(process.pid) ?? '0',
    machine: short(`${hostname()}\n${machine}`),
    boot: boot === undefined ? unknown : short(boot),
    namespace: namespace === undefined ? unknown : short(namespace),
  }
}

export function partName(name: string, owner: Owner): string {
  const place = `${owner.machine}${owner.boot}${owner.namespace}`
  return `.${name}.${owner.pid}-${owner.start}-${place}-${randomBytes(4).toString('hex')}.part`
}

/** Who writes the part file of this name; undefined if it is no part file. */
export function ownerOf(file: string): Owner | undefined {
  const [, , pid, start, machine, boot, namespace] = pattern.exec(file) ?? []
  if (pid === undefined || start === undefined) return undefined
  if (machine === undefined || boot === undefined || namespace === undefined) return undefined
  return { pid: Number(pid), start, machine, boot, namespace }
}

/** Whether the owner still runs, as far as the process `self` can tell. */
export function fateOf(owner: Owner, self: Owner): 'living' | 'dead' | 'unknown' {
  if (owner.machine !== self.machine || owner.boot === unknown || self.boot === unknown) return 'unknown'
  if (owner.boot !== self.boot) return 'dead'
  if (owner.namespace !== self.namespace || owner.namespace === unknown) return 'unknown'
  return startOf(owner.pid) === owner.start ? 'living' : 'dead'
}

/** When a process started (proc_pid_stat(5), field 22); undefined for one that is gone or only waits to be reaped. */
function startOf(pid: number): string | undefined {
  const stat = told(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The second field is the program's name in parentheses, and it may hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** What the system says, or undefined where it has no such file. */
function told(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
