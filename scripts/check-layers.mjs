// Enforces the house's order: a folder of src/ imports only from folders above it in this list, and no import cycles.
// Type imports count. Node builtins and packages are free.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const layers = [
  'core', 'arrow', 'spark-connect', 'charts', 'plan', 'engines', 'sources', 'table', 'graph', 'runtime', 'dataset', 'features',
  'bundle', 'nn', 'formats', 'report', 'tasks', 'insight', 'cluster', 'serve', 'cli',
] // prettier-ignore
const root = resolve(dirname(new URL(import.meta.url).pathname), '../src')
const files = readdirSync(root, { recursive: true })
  .map((file) => join(root, String(file)))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
const importPattern = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g
const edges = new Map(
  files.map((file) => [
    file,
    [...readFileSync(file, 'utf8').matchAll(importPattern)].map((match) => resolve(dirname(file), match[1])),
  ]),
)
const problems = []
const layerOf = (file) => layers.indexOf(relative(root, file).split('/')[0])
for (const [file, targets] of edges) {
  const from = layerOf(file)
  if (from < 0 && relative(root, file).includes('/'))
    problems.push(`${relative(root, file)}: its folder is not in the list of layers`)
  for (const target of targets) {
    if (!edges.has(target))
      problems.push(`${relative(root, file)}: imports ${relative(root, target)}, which does not exist`)
    else if (from >= 0 && layerOf(target) > from)
      problems.push(`${relative(root, file)} (${layers[from]}) imports ${relative(root, target)}, a layer below it`)
    else if (from >= 0 && layerOf(target) < 0)
      problems.push(`${relative(root, file)} imports the top ${relative(root, target)}`)
  }
}

const state = new Map()
function visit(file, path) {
  if (state.get(file) === 'done') return
  if (state.get(file) === 'open') {
    problems.push(`cycle: ${[...path.slice(path.indexOf(file)), file].map((each) => relative(root, each)).join(' → ')}`)
    return
  }
  state.set(file, 'open')
  for (const target of edges.get(file) ?? []) visit(target, [...path, file])
  state.set(file, 'done')
}
for (const file of edges.keys()) visit(file, [])

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}
console.log(`layers: ${files.length} files in order, no cycles`)
