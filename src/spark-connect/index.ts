/**
 * A client of Spark Connect (Spark 4.0 and newer) that stands alone: plans of the protocol or SQL with bound values in,
 * Arrow or typed columns out.
 *
 * @packageDocumentation
 */
export { endpoint, parseAddress, type SparkAddress } from './address.ts'
export { artifactKinds, type ArtifactData, type ArtifactKind, type Artifacts } from './artifacts.ts'
export type { Config } from './config.ts'
export { type QueryContext, SessionExpiredError, SparkError } from './errors.ts'
export { type Bindable, decimalLiteral, literal, valueOf } from './literals.ts'
export { type Executable, planOf, relation, sqlCommand, sqlRelation, type SqlArguments } from './relations.ts'
export { type OperatorMetrics, Result, type ResultOptions } from './result.ts'
export { defaultRetry, type RetryPolicy } from './retry.ts'
export { connect, type ConnectOptions, type ExecuteOptions, type ExplainMode, Session } from './session.ts'
export type { TlsOptions, TransportOptions } from './transport.ts'
export { schemaOf, sqlType } from './types.ts'
/** The protocol's messages, for plans that nothing here builds: `proto.relations.RelationSchema` … */
export * as proto from './protocol.ts'
