// `npm run test:full`: what is too long for every change. The kernels' own test, plain and under the address and
// undefined-behaviour sanitizers; the suite; and the tests that compare values once more in altered modes: lesser
// instruction sets, one thread, each pass of the compiler left out, an embedded database with little memory.
// Usage: npm run test:full [-- --list] [-- --only TEXT]: modes whose name contains TEXT.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(fileURLToPath(import.meta.url), '../..')
process.chdir(root)
if (!existsSync('dist/index.js') || !existsSync('build/fathom.node')) {
  console.error('The build is missing. Run "npm run build" first.')
  process.exit(1)
}
const { nativeRuntime, passNames } = await import('../dist/runtime/index.js')
const { canonicalPasses } = await import('../dist/graph/index.js')

// Tests of values, which hold in every mode. Others look at what a pass did, or at memory, and belong to the plain suite.
const values = ['tests/runtimes.test.ts', 'src/nn', 'src/runtime/native/ops.test.ts']
const kernels = [...values, 'src/runtime/native/elementwise.test.ts']
const tables = ['src/engines', 'src/plan', 'src/sources', 'src/table', 'src/features']

/** @param {string} name @param {readonly string[]} files @param {object} mode @param {Record<string, string>} [env] */
const suite = (name, files, mode, env = {}) => ({
  name,
  command: [process.execPath, 'scripts/test.mjs', ...files],
  env: { ...env, FATHOM_TEST_MODE: JSON.stringify(mode) },
})
const sanitized = {
  CXX: `${process.env.CXX ?? 'g++'} -fsanitize=address,undefined -fno-sanitize-recover=all`,
  FATHOM_TEST_BUILD: join(tmpdir(), `fathom-kernels-sanitized-${process.getuid?.() ?? 0}`),
}
const lesserSets = { avx512: ['avx2', 'portable'], avx2: ['portable'] }[nativeRuntime.instructionSet] ?? []
const passes = [...Object.keys(canonicalPasses), ...passNames]

const modes = [
  { name: 'kernels', command: ['sh', 'native/test/run.sh'], env: {} },
  { name: 'kernels under sanitizers', command: ['sh', 'native/test/run.sh'], env: sanitized },
  { name: 'the suite', command: [process.execPath, 'scripts/test.mjs'], env: { FATHOM_CONFORMANCE: '1' } },
  ...lesserSets.map((set) => suite(`instruction set ${set}`, kernels, {}, { FATHOM_INSTRUCTION_SET: set })),
  suite('one thread', kernels, { threads: 1 }),
  ...passes.map((pass) => suite(`without the pass ${pass}`, values, { disable: [pass] })),
  suite('without any pass', values, { disable: passes }),
  suite('the embedded database with 100 MB', tables, { engineMemory: 100e6 }),
]

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : ''
const chosen = modes.filter(({ name }) => name.includes(only ?? ''))
if (process.argv.includes('--list')) {
  for (const { name } of chosen) console.log(name)
  process.exit(0)
}
const failed = []
for (const { name, command, env } of chosen) {
  const start = Date.now()
  const run = spawnSync(command[0], command.slice(1), {
    env: { ...process.env, NO_COLOR: '1', ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const ok = run.status === 0
  const last = run.stdout.trimEnd().split('\n').at(-1)
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${last}, ${Math.round((Date.now() - start) / 1000)} s`)
  if (ok) continue
  failed.push(name)
  console.log(`${run.stdout}${run.stderr}`.trimEnd().split('\n').slice(-60).join('\n'))
}
console.log(`${chosen.length - failed.length} passed, ${failed.length} failed`)
process.exit(failed.length > 0 ? 1 : 0)
