// `npm test`: runs the suite and ends with the line "N passed, N failed". With --strict (the gate), a skipped test that
// scripts/allowed-skips.json does not name is a failure. Further arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
process.chdir(root)
const strict = process.argv.includes('--strict')
const rest = process.argv.slice(2).filter((argument) => argument !== '--strict')
const results = resolve(root, 'build/test-results.json')
mkdirSync(dirname(results), { recursive: true })

const need = (file, command) => {
  if (!existsSync(file)) {
    const run = spawnSync('npm', ['run', command], { stdio: 'inherit' })
    if (run.status !== 0) process.exit(1)
  }
}
need('build/fathom.node', 'build:native')
need('dist/index.js', 'build:ts')

const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...rest,
  ],
  { stdio: 'inherit' },
)
if (!existsSync(results)) {
  console.error('The test run ended without a result file.')
  process.exit(1)
}
const report = JSON.parse(readFileSync(results, 'utf8'))
const tests = report.testResults.flatMap((file) => file.assertionResults)
const skipped = tests.filter(({ status }) => status === 'pending' || status === 'skipped' || status === 'todo')
const { allowed } = JSON.parse(readFileSync('scripts/allowed-skips.json', 'utf8'))
const accepted = allowed.filter(({ absent }) => absent === undefined || !existsSync(absent))
const unexpected = skipped.filter(({ fullName }) => !accepted.some(({ test }) => fullName.includes(test)))
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`)
if (strict) for (const { fullName } of unexpected) console.log(`not in the allow-list of skips: ${fullName}`)

// A file that fails to load counts as one failure: vitest reports it without tests.
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
).length
const failed = report.numFailedTests + broken + (strict ? unexpected.length : 0)
console.log(`${report.numPassedTests} passed, ${failed} failed`)
process.exit(failed > 0 || run.status !== 0 ? 1 : 0)
