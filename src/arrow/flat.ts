/** Just enough of FlatBuffers to find an Arrow message's kind and length before a decoder sees it. Reads past the end throw. */
export class FlatTable {
  private readonly view: DataView
  private readonly at: number

  private constructor(view: DataView, at: number) {
    this.view = view
    this.at = at
  }

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new FlatTable(view, view.getUint32(0, true))
  }

  /** Where the field numbered `index` lies, undefined where the table leaves it out. */
  private field(index: number): number | undefined {
    const vtable = this.at - this.view.getInt32(this.at, true)
    const slot = 4 + 2 * index
    if (slot >= this.view.getUint16(vtable, true)) return undefined
    const offset = this.view.getUint16(vtable + slot, true)
    return offset === 0 ? undefined : this.at + offset
  }

  byte(index: number): number {
    const at = this.field(index)
    return at === undefined ? 0 : this.view.getUint8(at)
  }

  short(index: number): number {
    const at = this.field(index)
    return at === undefined ? 0 : this.view.getInt16(at, true)
  }

  /** A 64-bit integer as a number; what is past 2^53 is far past any file and stays far past it. */
  long(index: number): number {
    const at = this.field(index)
    return at === undefined ? 0 : Number(this.view.getBigInt64(at, true))
  }

  table(index: number): FlatTable | undefined {
    const at = this.field(index)
    return at === undefined ? undefined : new FlatTable(this.view, at + this.view.getUint32(at, true))
  }

  /** Where a vector's elements begin, and how many there are. */
  vector(index: number): { readonly start: number; readonly length: number } {
    const at = this.field(index)
    if (at === undefined) return { start: 0, length: 0 }
    const start = at + this.view.getUint32(at, true)
    return { start: start + 4, length: this.view.getUint32(start, true) }
  }
}
