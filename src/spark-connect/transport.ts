import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import { type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { endpoint, type SparkAddress } from './address.ts'
import { SparkConnectService } from './generated/spark/connect/base_pb.ts'

/** PEM texts for TLS; without them the system's authorities are trusted and no certificate is shown. */
export interface TlsOptions {
  readonly rootCertificates?: string | Uint8Array
  /** For servers that ask clients for a certificate; both or none. */
  readonly privateKey?: string | Uint8Array
  readonly certificateChain?: string | Uint8Array
  /** The name in the server's certificate, where it is not the host of the address. */
  readonly serverName?: string
}

export interface TransportOptions {
  readonly tls?: TlsOptions | undefined
  /** Bytes of the largest message taken; 128 MiB by default, as Spark's clients have it. */
  readonly maxMessageBytes?: number | undefined
  /** Bytes that the server may send ahead of what is read: what a slow reader holds. Default 16 MiB. */
  readonly windowBytes?: number | undefined
  /** Further options of grpc-js, which go before those set here. */
  readonly channelOptions?: ChannelOptions | undefined
}

type Methods = typeof SparkConnectService.method
type Input<M extends DescMethod> = MessageShape<M['input']>
type Output<M extends DescMethod> = MessageShape<M['output']>
/** Names of the calls of one kind: `methodKind` is of the service's description. */
type OfKind<Kind extends DescMethod['methodKind']> = {
  [Name in keyof Methods]: Methods[Name] extends { methodKind: Kind } ? Name : never
}[keyof Methods]

const serializer =
  <Desc extends DescMessage>(schema: Desc) =>
  (message: MessageShape<Desc>) =>
    Buffer.from(toBinary(schema, message))
const deserializer =
  <Desc extends DescMessage>(schema: Desc) =>
  (bytes: Uint8Array) =>
    fromBinary(schema, bytes)
const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`

/**
 * The calls of Spark Connect's service over grpc-js. Knows the service's description, an address and nothing of sessions;
 * failures are grpc-js's own.
 */
export class Transport {
  private readonly client: Client
  private readonly metadata: Metadata
  private users = 1

  constructor(
    address: SparkAddress,
    { tls, maxMessageBytes = 128 * 2 ** 20, windowBytes = 16 * 2 ** 20, channelOptions }: TransportOptions = {},
  ) {
    this.metadata = new Metadata()
    if (address.token !== undefined) this.metadata.set('authorization', `Bearer ${address.token}`)
    for (const [name, value] of Object.entries(address.headers)) this.metadata.set(name, value)
    this.client = new Client(endpoint(address), address.tls ? secure(tls) : credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      // Each client has a connection of its own, so that closing one leaves the others alone.
      'grpc.use_local_subchannel_pool': 1,
      // 64 KB, the protocol's default, makes a large result wait for a round trip thousands of times.
      'grpc-node.flow_control_window': windowBytes,
      // Retries are the session's; between them the channel must not sit out a wait of its own (two minutes by default).
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.enable_retries': 0,
      ...(tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
      ...channelOptions,
    })
  }

  unary<Name extends OfKind<'unary'>>(
    name: Name,
    request: Input<Methods[Name]>,
    options: { deadline?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<Output<Methods[Name]>> {
    const method: DescMethod = SparkConnectService.method[name]
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: MessageShape<DescMessage>) => {
        options.signal?.removeEventListener('abort', abort)
        if (error === null) resolve(response as Output<Methods[Name]>)
        else reject(error)
      }
      const abort = () => call.cancel()
      const call = this.client.makeUnaryRequest(
        pathOf(method),
        serializer(method.input),
        deserializer(method.output),
        request,
        this.metadata,
        callOptions(options.deadline),
        done,
      )
      options.signal?.addEventListener('abort', abort)
    })
  }

  /** Responses arrive no faster than they are read: grpc-js stops reading the socket when nobody takes them. */
  serverStream<Name extends OfKind<'server_streaming'>>(
    name: Name,
    request: Input<Methods[Name]>,
  ): ClientReadableStream<Output<Methods[Name]>> {
    const method: DescMethod = SparkConnectService.method[name]
    return this.client.makeServerStreamRequest(
      pathOf(method),
      serializer(method.input),
      deserializer(method.output),
      request,
      this.metadata,
    ) as ClientReadableStream<Output<Methods[Name]>>
  }

  clientStream<Name extends OfKind<'client_streaming'>>(
    name: Name,
    requests: AsyncIterable<Input<Methods[Name]>> | Iterable<Input<Methods[Name]>>,
  ): Promise<Output<Methods[Name]>> {
    const method: DescMethod = SparkConnectService.method[name]
    return new Promise((resolve, reject) => {
      let ended = false
      const call = this.client.makeClientStreamRequest(
        pathOf(method),
        serializer(method.input),
        deserializer(method.output),
        this.metadata,
        (error: ServiceError | null, response?: MessageShape<DescMessage>) => {
          ended = true
          release()
          if (error === null) resolve(response as Output<Methods[Name]>)
          else reject(error)
        },
      )
      let release = () => {}
      const send = async () => {
        for await (const request of requests) {
          // The answer may come before all is sent: an error. Nobody takes the rest then.
          if (ended) return
          const free = call.write(request)
          if (!free && !ended) {
            await new Promise<void>((next) => {
              release = next
              call.once('drain', next)
            })
          }
        }
        call.end()
      }
      send().catch((error: unknown) => {
        call.cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      })
    })
  }

  /** Another session uses it, too, and will close it. */
  share(): this {
    this.users++
    return this
  }

  /** Closes the connection when the last that uses it says so. */
  close(): void {
    if (--this.users === 0) this.client.close()
  }
}

function callOptions(deadline: number | undefined): CallOptions {
  return deadline === undefined ? {} : { deadline: Date.now() + deadline }
}

function secure({ rootCertificates, privateKey, certificateChain }: TlsOptions = {}): ChannelCredentials {
  const pem = (text: string | Uint8Array | undefined) => (text === undefined ? null : Buffer.from(text))
  return credentials.createSsl(pem(rootCertificates), pem(privateKey), pem(certificateChain))
}
