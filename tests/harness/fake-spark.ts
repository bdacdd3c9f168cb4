import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type status,
} from '@grpc/grpc-js'
import { RetryInfoSchema } from '../../src/spark-connect/generated/google/rpc/error_details_pb.ts'
import { StatusSchema } from '../../src/spark-connect/generated/google/rpc/status_pb.ts'
import { type AnalyzePlanRequest, AnalyzePlanResponseSchema, SparkConnectService } from '../../src/spark-connect/generated/spark/connect/base_pb.ts' // prettier-ignore

export interface Failure {
  readonly code: status
  readonly details: string
  /** `google.rpc.RetryInfo`, ms. */
  readonly retryDelay?: number
}

const codec = <Desc extends DescMessage>(schema: Desc) => ({
  serialize: (message: MessageShape<Desc>) => Buffer.from(toBinary(schema, message)),
  deserialize: (bytes: Buffer) => fromBinary(schema, bytes),
})

/** A server that answers AnalyzePlan alone, as some version of Spark, after failing as it is told: what no real one does. */
export class FakeSpark {
  version = '4.1.0'
  /** Taken from the front, one a call. */
  failures: Failure[] = []
  readonly calls: { readonly metadata: Metadata; readonly request: AnalyzePlanRequest }[] = []
  private readonly server = new Server()

  async listen(tls?: { readonly key: Buffer; readonly cert: Buffer }): Promise<number> {
    const { analyzePlan } = SparkConnectService.method
    const [input, output] = [codec(analyzePlan.input), codec(analyzePlan.output)]
    const definition = {
      path: `/${SparkConnectService.typeName}/${analyzePlan.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: input.serialize,
      requestDeserialize: input.deserialize,
      responseSerialize: output.serialize,
      responseDeserialize: output.deserialize,
    }
    this.server.addService(
      { analyzePlan: definition },
      { analyzePlan: this.analyzePlan.bind(this) as handleUnaryCall<AnalyzePlanRequest, unknown> },
    )
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }])
    return new Promise((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
        if (error === null) resolve(port)
        else reject(error)
      })
    })
  }

  private analyzePlan(
    call: ServerUnaryCall<AnalyzePlanRequest, unknown>,
    answer: sendUnaryData<MessageShape<typeof AnalyzePlanResponseSchema>>,
  ): void {
    this.calls.push({ metadata: call.metadata, request: call.request })
    const failure = this.failures.shift()
    if (failure === undefined) {
      const { sessionId } = call.request
      const result = { case: 'sparkVersion' as const, value: { version: this.version } }
      answer(null, create(AnalyzePlanResponseSchema, { sessionId, serverSideSessionId: 'a', result }))
      return
    }
    const metadata = new Metadata()
    if (failure.retryDelay !== undefined) {
      const nanos = failure.retryDelay * 1e6
      const retry = create(RetryInfoSchema, { retryDelay: { seconds: 0n, nanos } })
      const packed = create(StatusSchema, {
        code: failure.code,
        message: failure.details,
        details: [anyPack(RetryInfoSchema, retry)],
      })
      metadata.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, packed)))
    }
    answer({ code: failure.code, details: failure.details, metadata })
  }

  close(): void {
    this.server.forceShutdown()
  }
}
