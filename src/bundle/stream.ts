import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { BundleError } from '../core/index.ts'

/** Bytes moved at once: large enough for full disk speed, small enough that hashing one does not hold the event loop. */
export const chunkSize = 1 << 20

/** Bytes read in order, each once. */
export interface SequentialReader {
  readonly size: number
  /** Fills the whole target with the next bytes. @throws BundleError when they end before. */
  pull(target: Uint8Array): Promise<void>
}

/** Reads `size` bytes of a file from `position` on, hashing what passes. */
export class FileReader implements SequentialReader {
  readonly size: number
  private readonly file: FileHandle
  private readonly operation: string
  private position: number
  private remaining: number
  private readonly hash: Hash = createHash('sha256')
  private checksum = 0

  constructor(file: FileHandle, position: number, size: number, operation: string) {
    this.file = file
    this.position = position
    this.size = size
    this.remaining = size
    this.operation = operation
  }

  async pull(target: Uint8Array): Promise<void> {
    if (target.length > this.remaining) throw this.endsEarly()
    for (let done = 0; done < target.length;) {
      const part = target.subarray(done, Math.min(done + chunkSize, target.length))
      const { bytesRead } = await this.file.read(part, 0, part.length, this.position)
      if (bytesRead === 0) throw this.endsEarly()
      const read = part.subarray(0, bytesRead)
      this.hash.update(read)
      this.checksum = crc32(read, this.checksum)
      done += bytesRead
      this.position += bytesRead
      this.remaining -= bytesRead
    }
  }

  /** Reads what is left, and gives the sha256 (hex) and CRC-32 of all. */
  async finish(): Promise<{ sha256: string; crc: number }> {
    const scratch = new Uint8Array(Math.min(this.remaining, chunkSize))
    while (this.remaining > 0) await this.pull(scratch.subarray(0, Math.min(scratch.length, this.remaining)))
    return { sha256: this.hash.digest('hex'), crc: this.checksum }
  }

  private endsEarly(): BundleError {
    return new BundleError({
      operation: this.operation,
      problem: 'the file ends before its contents do',
      hint: 'It is truncated: copy it again from where it came from',
    })
  }
}

/** Appends to a file through one buffer, hashing what passes. */
export class FileWriter {
  position: number
  private readonly file: FileHandle
  private readonly buffer = new Uint8Array(chunkSize)
  private used = 0
  private hash: Hash = createHash('sha256')
  private checksum = 0

  constructor(file: FileHandle, position = 0) {
    this.file = file
    this.position = position
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + chunkSize)
      this.hash.update(part)
      this.checksum = crc32(part, this.checksum)
      if (this.used + part.length > this.buffer.length) await this.flush()
      this.buffer.set(part, this.used)
      this.used += part.length
      done += part.length
      this.position += part.length
    }
  }

  async flush(): Promise<void> {
    for (let done = 0; done < this.used;) {
      const { bytesWritten } = await this.file.write(this.buffer, done, this.used - done)
      done += bytesWritten
    }
    this.used = 0
  }

  /** The sha256 (hex) and CRC-32 of what was written since the last call. */
  digest(): { sha256: string; crc: number } {
    const result = { sha256: this.hash.digest('hex'), crc: this.checksum }
    this.hash = createHash('sha256')
    this.checksum = 0
    return result
  }
}
