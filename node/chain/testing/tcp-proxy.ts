import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP relay on the loopback interface that a test can cut. */
export type TcpProxy = AsyncDisposable & {
  readonly url: string
  /** Breaks every connection and refuses new ones. */
  cut(): void
  /** Accepts, and never answers. */
  freeze(): void
  restore(): void
  /** Connections accepted so far. */
  accepted(): number
  stop(): Promise<void>
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let mode: 'open' | 'cut' | 'frozen' = 'open'
  let accepted = 0
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const server = createServer((inbound) => {
    accepted++
    track(inbound)
    if (mode === 'cut') return inbound.destroy()
    if (mode === 'frozen') return
    const outbound = connect(targetPort, '127.0.0.1')
    track(outbound)
    inbound.pipe(outbound).pipe(inbound)
    inbound.on('close', () => outbound.destroy())
    outbound.on('close', () => inbound.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const stop = async () => {
    server.close()
    breakAll()
    await once(server, 'close')
  }
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      mode = 'cut'
      breakAll()
    },
    freeze() {
      mode = 'frozen'
      breakAll()
    },
    restore() {
      mode = 'open'
      breakAll()
    },
    accepted: () => accepted,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
