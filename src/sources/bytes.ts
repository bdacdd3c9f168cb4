import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { DataError, FileError } from '../core/index.ts'
import { describe, errorCode } from './files.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

/** The first bytes of a file, as they lie on disk. */
export async function head(path: string, length: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.alloc(length)
      const { bytesRead } = await file.read(buffer, 0, length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new FileError({ operation: `read ${path}`, problem: describe(errorCode(cause)), cause })
  }
}

/** The last bytes of a file's content. Compressed files are read to their end for them. */
export async function tail(path: string, compression: Compression, length: number): Promise<Buffer> {
  if (compression === 'none') {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const buffer = Buffer.alloc(Math.min(length, size))
      await file.read(buffer, 0, buffer.length, size - buffer.length)
      return buffer
    } finally {
      await file.close()
    }
  }
  let end = Buffer.alloc(0)
  for await (const piece of bytesOf(path, compression))
    end = Buffer.concat([end, piece.subarray(-length)]).subarray(-length)
  return end
}

/** By the magic numbers, not the name. */
export async function compressionOf(path: string): Promise<Compression> {
  const start = await head(path, 4)
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip'
  if (start.length === 4 && start.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  return 'none'
}

/**
 * A file's content in pieces, decompressed.
 * @throws DataError for truncated or corrupt compression, FileError when it cannot be read.
 */
export async function* bytesOf(path: string, compression: Compression): AsyncGenerator<Uint8Array, void, void> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 })
  try {
    if (compression === 'gzip') {
      const gunzip = createGunzip({ chunkSize: 1 << 18 })
      file.on('error', (error) => gunzip.destroy(error))
      yield* file.pipe(gunzip) as AsyncIterable<Uint8Array>
    } else if (compression === 'zstd') {
      yield* unzstd(file as AsyncIterable<Uint8Array>)
    } else {
      yield* file as AsyncIterable<Uint8Array>
    }
  } catch (cause) {
    const code = errorCode(cause)
    const corrupt = code.startsWith('Z_') || (compression === 'zstd' && !code.startsWith('E'))
    if (!corrupt) throw new FileError({ operation: `read ${path}`, problem: describe(code), cause })
    throw new DataError({
      operation: `read ${path}`,
      expected: `a whole ${compression} file`,
      received: code === 'Z_BUF_ERROR' ? 'one that ends too early' : 'damaged data',
      hint: 'Fetch the file again',
      cause,
    })
  } finally {
    file.destroy()
  }
}

async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const ready: Uint8Array[] = []
  let ended = false
  const stream = new Decompress((chunk, final) => {
    if (chunk.length > 0) ready.push(chunk)
    ended = final === true
  })
  for await (const piece of source) {
    stream.push(piece)
    yield* ready.splice(0)
  }
  stream.push(new Uint8Array(0), true)
  yield* ready
  if (!ended) throw new Error('the zstd frame ends too early')
}
