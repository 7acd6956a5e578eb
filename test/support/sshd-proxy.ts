import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface CutTcp extends AsyncDisposable {
  readonly port: number
  /** Bytes of each connection so far, in order: to the server, and from it. */
  readonly passed: { up: number; down: number }[]
  /** The next connection is cut when so many bytes have passed in one direction. */
  cutAt(limit: { readonly up?: number; readonly down?: number }): void
  /** From now on so many bytes pass in a second, in each direction of a connection. */
  slow(bytesPerSecond: number): void
}

/** A TCP proxy in front of a loopback port that can be slow and cut connections. */
export async function cutTcp(port: number): Promise<CutTcp> {
  const passed: CutTcp['passed'] = []
  const limits: { readonly up?: number; readonly down?: number }[] = []
  const open = new Set<Socket>()
  let rate = Infinity
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const count = { up: 0, down: 0 }
    passed.push(count)
    const limit = limits.shift() ?? {}
    const end = (): void => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('close', () => open.delete(socket)).on('error', end)
    }
    void pass(near, far, 'up')
    void pass(far, near, 'down')

    async function pass(from: Socket, to: Socket, way: 'up' | 'down'): Promise<void> {
      try {
        for await (const chunk of from as AsyncIterable<Buffer>) {
          count[way] += chunk.length
          if (count[way] > (limit[way] ?? Infinity)) return end()
          if (!to.write(chunk)) await once(to, 'drain')
          if (rate !== Infinity) await sleep((chunk.length / rate) * 1000)
        }
        to.end()
      } catch {
        end()
      }
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    passed,
    cutAt: (limit) => void limits.push(limit),
    slow: (bytesPerSecond) => void (rate = bytesPerSecond),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
