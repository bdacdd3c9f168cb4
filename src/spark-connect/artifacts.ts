import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { basename, posix } from 'node:path'
import { crc32 } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import { DataError, FileError, OptionError } from '../core/index.ts'
import type { Connection } from './connection.ts'
import {
  type AddArtifactsRequest,
  AddArtifactsRequestSchema,
  type AddArtifactsRequest_ArtifactChunk as Chunk,
  AddArtifactsRequest_ArtifactChunkSchema as ChunkSchema,
  ArtifactStatusesRequestSchema,
} from './generated/spark/connect/base_pb.ts'

/** What the server does with a file: on every executor's disk, unpacked there, on the class path, for Python. */
export const artifactKinds = ['files', 'archives', 'jars', 'pyfiles'] as const
export type ArtifactKind = (typeof artifactKinds)[number]

/** Bytes, or the path of a local file that is read as it is sent. */
export type ArtifactData = Uint8Array | { readonly path: string }

interface Artifact {
  readonly name: string
  readonly data: ArtifactData
  readonly size: number
}

const chunkBytes = 256 * 1024
const operation = 'send files to Spark'

/** Files and bytes of a session on the server: sent in chunks with checksums, gone when the session is. */
export class Artifacts {
  private readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
  }

  /**
   * Sends a local file, or bytes, under a name of its own. Executors find it in their working directory's
   * `./<server side session id>/` or by `SparkFiles`.
   * @throws FileError where it cannot be read; SparkError where the session has another file of that name.
   *
   * @example
   * await spark.artifacts.add({ path: 'worker.mjs' })
   * await spark.artifacts.add(new TextEncoder().encode('a,b'), { name: 'data.csv' })
   */
  async add(data: ArtifactData, { kind = 'files', name }: { kind?: ArtifactKind; name?: string } = {}): Promise<void> {
    const own = name ?? (data instanceof Uint8Array ? undefined : basename(data.path))
    if (own === undefined) throw new OptionError({ operation, expected: 'a name for the bytes', received: 'none' })
    await this.send([await artifact(`${kind}/${relative(own)}`, data)])
  }

  /**
   * Copies a local file to a path of the server's own file system.
   * Servers allow this for distributed file systems, and for their own disk where
   * `spark.sql.artifact.copyFromLocalToFs.allowDestLocal` is on.
   */
  async copyToServer(path: string, target: string): Promise<void> {
    if (!posix.isAbsolute(target)) throw new OptionError({ operation, expected: 'an absolute path on the server', received: `"${target}"` }) // prettier-ignore
    await this.send([await artifact(`forward_to_fs${target}`, { path })])
  }

  /** Keeps blobs by their content; those that the server has are not sent again. Gives their SHA-256, in hexadecimal. */
  async cache(blobs: readonly Uint8Array[]): Promise<string[]> {
    const hashes = blobs.map((blob) => createHash('sha256').update(blob).digest('hex'))
    const missing = new Map(hashes.map((hash, i) => [`cache/${hash}`, blobs[i]!]))
    const there = await this.exist([...missing.keys()])
    for (const name of there) missing.delete(name)
    if (missing.size > 0) await this.send([...missing].map(([name, data]) => ({ name, data, size: data.length })))
    return hashes
  }

  /** Those of the names ("cache/…", "files/…") that the server has. */
  async exist(names: readonly string[]): Promise<Set<string>> {
    if (names.length === 0) return new Set()
    const { connection } = this
    const { statuses } = await connection.call(
      () => connection.transport.unary('artifactStatus', create(ArtifactStatusesRequestSchema, { ...connection.common, names: [...names] })), // prettier-ignore
      { operation: 'look for files on Spark' },
    )
    return new Set(names.filter((name) => statuses[name]?.exists === true))
  }

  private async send(artifacts: readonly Artifact[]): Promise<void> {
    const { connection } = this
    const answer = await connection.call(
      () => connection.transport.clientStream('addArtifacts', requests(connection, artifacts)),
      { operation },
    )
    const damaged = answer.artifacts.filter(({ isCrcSuccessful }) => !isCrcSuccessful).map(({ name }) => name)
    if (damaged.length === 0) return
    throw new DataError({
      operation,
      problem: `${damaged.join(', ')} arrived damaged: the server's checksum is another`,
      hint: 'Send again; look for a proxy that alters bytes',
    })
  }
}

async function artifact(name: string, data: ArtifactData): Promise<Artifact> {
  if (data instanceof Uint8Array) return { name, data, size: data.length }
  try {
    const found = await stat(data.path)
    if (!found.isFile()) throw new FileError({ operation, expected: 'a file', received: `"${data.path}"` })
    return { name, data, size: found.size }
  } catch (cause) {
    if (cause instanceof FileError) throw cause
    throw new FileError({ operation, problem: `cannot read "${data.path}"`, hint: 'Check the path', cause })
  }
}

function relative(name: string): string {
  const parts = name.split('/')
  if (name !== '' && !parts.some((part) => part === '' || part === '.' || part === '..')) return name
  throw new OptionError({ operation, expected: 'a relative path below the folder of its kind', received: `"${name}"` })
}

/** Small ones together in one message; a large one in a first message with its size and further ones with its chunks. */
async function* requests(connection: Connection, artifacts: readonly Artifact[]): AsyncGenerator<AddArtifactsRequest> {
  const request = (payload: AddArtifactsRequest['payload']) => {
    const made = create(AddArtifactsRequestSchema, connection.common)
    made.payload = payload
    return made
  }
  let batch: { name: string; data: Chunk }[] = []
  let size = 0
  const flush = () => {
    const full = create(AddArtifactsRequestSchema, { ...connection.common, payload: { case: 'batch', value: { artifacts: batch } } }) // prettier-ignore
    batch = []
    size = 0
    return full
  }
  for (const { name, data, size: bytes } of artifacts) {
    if (bytes > chunkBytes) {
      if (batch.length > 0) yield flush()
      let first = true
      for await (const chunk of chunks(data, bytes)) {
        if (first) {
          const value = { name, totalBytes: BigInt(bytes), numChunks: BigInt(Math.ceil(bytes / chunkBytes)), initialChunk: chunk } // prettier-ignore
          yield create(AddArtifactsRequestSchema, { ...connection.common, payload: { case: 'beginChunk', value } })
        } else yield request({ case: 'chunk', value: chunk })
        first = false
      }
      continue
    }
    if (size + bytes > chunkBytes && batch.length > 0) yield flush()
    for await (const chunk of chunks(data, bytes)) batch.push({ name, data: chunk })
    size += bytes
  }
  if (batch.length > 0) yield flush()
}

async function* chunks(data: ArtifactData, size: number): AsyncGenerator<Chunk> {
  const chunk = (bytes: Uint8Array) => create(ChunkSchema, { data: bytes, crc: BigInt(crc32(bytes)) })
  if (data instanceof Uint8Array) {
    for (let at = 0; at === 0 || at < size; at += chunkBytes) yield chunk(data.subarray(at, at + chunkBytes))
    return
  }
  const file = await open(data.path)
  try {
    for (let at = 0; at === 0 || at < size;) {
      const bytes = Buffer.alloc(Math.min(chunkBytes, size - at))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, at + filled)
        if (bytesRead === 0) {
          throw new FileError({ operation, problem: `"${data.path}" became shorter while it was sent`, hint: 'Send it again' }) // prettier-ignore
        }
        filled += bytesRead
      }
      yield chunk(bytes)
      at += Math.max(1, bytes.length)
    }
  } finally {
    await file.close()
  }
}
