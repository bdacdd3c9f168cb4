// Writes docs/ops.md from the op table. `npm run build:ts` first: it reads dist/.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** @typedef {{ name: string, doc: string, gradient: unknown, decompose?: unknown, onnx: unknown }} Op */

/**
 * The page for a table of op definitions.
 * @param {Readonly<Record<string, Op>>} table
 */
export function opsPage(table) {
  const ops = Object.values(table)
  /** @param {(op: Op) => boolean} test */
  const count = (test) => ops.filter(test).length
  const rows = ops.map((op) => `| \`${op.name}\` | ${cell(op.doc)} | ${gradientText(op)} | ${onnxText(op)} |`)
  return `# The ops

Made by \`node scripts/docs-ops.mjs\` from the op table in \`src/graph/ops\`; attributes are in \`src/graph/attributes.ts\`.
${ops.length} ops, ${count(({ gradient }) => gradient !== 'none')} of them differentiable, ${count((op) => op.decompose !== undefined)} with a decomposition into
others (by which a runtime without a kernel of its own computes them), ${count((op) => onnxText(op) !== '–')} with a form in ONNX, opset 18.

Gradient: *rule*, graph values by a rule of its own; *decomposition*, through its parts; –, zero wherever it exists.

| op | what it computes | gradient | ONNX |
|---|---|---|---|
${rows.join('\n')}
`
}

/** @param {Op} op */
function gradientText({ gradient, decompose }) {
  if (gradient === 'none') return '–'
  if (gradient === 'decompose') return 'decomposition'
  return decompose === undefined ? 'rule' : 'rule, or decomposition'
}

/** @param {Op} op */
function onnxText({ onnx, decompose }) {
  if (onnx === 'source') return 'graph input or initialiser'
  if (typeof onnx === 'function') return 'yes'
  if (typeof onnx === 'object' && onnx !== null && 'opType' in onnx) return `\`${String(onnx.opType)}\``
  return decompose === undefined ? '–' : 'decomposition'
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|')
}

const page = fileURLToPath(new URL('../docs/ops.md', import.meta.url))
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { opTable } = /** @type {{ opTable: Record<string, Op> }} */ (
    await import(new URL('../dist/graph/index.js', import.meta.url).href)
  )
  const text = opsPage(opTable)
  const before = (() => {
    try {
      return readFileSync(page, 'utf8')
    } catch {
      return ''
    }
  })()
  if (before !== text) writeFileSync(page, text)
  console.log(before === text ? 'docs/ops.md is up to date' : 'docs/ops.md written')
}
