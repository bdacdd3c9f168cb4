import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that breaks connections: what networks and load balancers do to long streams. */
export class Proxy {
  /** Bytes that it lets through from the server before it cuts all connections; Infinity for none. Counted anew after. */
  cutAfter = Infinity
  cuts = 0
  connections = 0
  /** Bytes from the server so far. */
  received = 0
  private sockets = new Set<Socket>()
  private since = 0
  private readonly server

  constructor(host: string, port: number) {
    this.server = createServer((client) => {
      this.connections++
      const upstream = connect(port, host)
      for (const socket of [client, upstream]) {
        this.sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.sockets.delete(socket)
          client.destroy()
          upstream.destroy()
        })
      }
      client.pipe(upstream)
      upstream.on('data', (bytes) => {
        this.received += bytes.length
        this.since += bytes.length
        if (this.since > this.cutAfter) this.cut()
        else if (!client.write(bytes)) {
          upstream.pause()
          client.once('drain', () => upstream.resume())
        }
      })
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((done) => {
      this.server.listen(0, '127.0.0.1', done)
    })
    return (this.server.address() as AddressInfo).port
  }

  cut(): void {
    this.cuts++
    this.since = 0
    for (const socket of this.sockets) socket.destroy()
  }

  close(): void {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }
}
