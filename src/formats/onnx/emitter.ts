import { OptionError, Tensor } from '../../core/index.ts'
import { type Dim, type OnnxAttributes, type OnnxEmitter, type Shape, dimText } from '../../graph/index.ts'
import type { OnnxNode, OnnxValue } from './model.ts'

/** Collects ONNX nodes and constants as the ops' rules emit them. */
export class Emitter implements OnnxEmitter {
  readonly nodes: OnnxNode[] = []
  readonly initializers = new Map<string, Tensor>()
  /** The layer whose op is being emitted: names its nodes. */
  scope = ''
  private readonly inputs: readonly OnnxValue[]
  private readonly taken = new Set<string>()
  private readonly constants = new Map<string, string>()
  private readonly sizes = new Map<string, string>()
  /** Names that hold a shape, by that shape. */
  private readonly shapes = new Map<string, Shape>()

  constructor(inputs: readonly OnnxValue[], reserved: readonly string[]) {
    this.inputs = inputs
    for (const name of reserved) this.taken.add(name)
  }

  node(opType: string, inputs: readonly string[], attributes: OnnxAttributes = {}, outputCount = 1): readonly string[] {
    const name = this.unique(this.scope === '' ? opType : `${this.scope}/${opType}`)
    const outputs = Array.from({ length: outputCount }, (_, i) => this.unique(i === 0 ? name + ':0' : `${name}:${i}`))
    this.nodes.push(
      opType === 'Reshape'
        ? this.reshape(name, inputs, outputs, attributes)
        : { opType, name, inputs, outputs, attributes },
    )
    return outputs
  }

  /** One unknown size can be left to the runtime, which spares computing it and lets it infer the others. */
  private reshape(
    name: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: OnnxAttributes,
  ): OnnxNode {
    const shape = this.shapes.get(inputs[1]!)
    const symbolic = shape?.filter((dim) => typeof dim !== 'number').length ?? 0
    if (shape === undefined || symbolic === 0) return { opType: 'Reshape', name, inputs, outputs, attributes }
    if (symbolic === 1 && !shape.includes(0)) {
      const sizes = this.int64(shape.map((dim) => (typeof dim === 'number' ? dim : -1)))
      return { opType: 'Reshape', name, inputs: [inputs[0]!, sizes], outputs, attributes }
    }
    return { opType: 'Reshape', name, inputs, outputs, attributes: { ...attributes, allowzero: 1 } }
  }

  int64(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.tensor(new Tensor('int64', shape, BigInt64Array.from(values, BigInt)))
  }

  scalar(value: number, dtype: 'float32' | 'float64' | 'int32'): string {
    const tensor = new Tensor(dtype, [])
    tensor.data[0] = value
    return this.tensor(tensor)
  }

  tensor(value: Tensor): string {
    const bytes = Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength)
    // Equal small constants (axes, shapes, zeros) are one; large ones are not compared.
    const key = bytes.length > 64 ? undefined : `${value.dtype}[${value.shape.join()}]${bytes.toString('hex')}`
    const known = key === undefined ? undefined : this.constants.get(key)
    if (known !== undefined) return known
    const name = this.unique('constant')
    this.initializers.set(name, value)
    if (key !== undefined) this.constants.set(key, name)
    return name
  }

  /** A weight under its own name. */
  weight(name: string, value: Tensor): string {
    const unique = this.unique(name)
    this.initializers.set(unique, value)
    return unique
  }

  shape(shape: Shape): string {
    if (shape.every((dim) => typeof dim === 'number')) {
      const name = this.int64(shape)
      this.shapes.set(name, shape)
      return name
    }
    const parts = shape.map((dim) => this.size(dim))
    const name = parts.length === 1 ? parts[0]! : this.node('Concat', parts, { axis: 0 })[0]!
    this.shapes.set(name, shape)
    return name
  }

  /** A dimension as an int64 tensor of one element. */
  private size(dim: Dim): string {
    if (typeof dim === 'number') return this.int64([dim])
    const known = this.sizes.get(dimText(dim))
    if (known !== undefined) return known
    let name = ''
    for (const { name: symbol } of dim.symbols) {
      const factor = this.symbol(symbol)
      name = name === '' ? factor : this.node('Mul', [name, factor])[0]!
    }
    if (dim.coefficient !== 1) name = this.node('Mul', [name, this.int64([dim.coefficient])])[0]!
    if (dim.offset !== 0) name = this.node('Add', [name, this.int64([dim.offset])])[0]!
    this.sizes.set(dimText(dim), name)
    return name
  }

  /** A symbol's size, solved from an input's dimension that holds it alone: coefficient × symbol + offset. */
  private symbol(symbol: string): string {
    const known = this.sizes.get(symbol)
    if (known !== undefined) return known
    for (const input of this.inputs) {
      for (const [axis, dim] of input.shape.entries()) {
        if (typeof dim === 'number' || dim.symbols.length !== 1 || dim.symbols[0]!.name !== symbol) continue
        const shape = this.node('Shape', [input.name], { start: axis, end: axis + 1 })
        let size = shape[0]!
        if (dim.offset !== 0) size = this.node('Sub', [size, this.int64([dim.offset])])[0]!
        if (dim.coefficient !== 1) size = this.node('Div', [size, this.int64([dim.coefficient])])[0]!
        this.sizes.set(symbol, size)
        return size
      }
    }
    throw new OptionError({
      operation: 'export to ONNX',
      problem: `layer "${this.scope}" needs the size "${symbol}", which no input's shape tells`,
      hint: 'Export a graph that has an input with this dimension',
    })
  }

  private unique(wanted: string): string {
    let name = wanted
    for (let i = 1; this.taken.has(name); i++) name = `${wanted}_${i}`
    this.taken.add(name)
    return name
  }
}
