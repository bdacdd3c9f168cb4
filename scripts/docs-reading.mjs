// Reads every file of the corpora in ../shared/data and writes what each gives into docs/reading.md. Needs a build.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { readAll } from './reading/read-all.mjs'

const root = join(import.meta.dirname, '..')
const data = join(root, '../shared/data')
const page = join(root, 'docs/reading.md')
const temporary = mkdtempSync(join(tmpdir(), 'fathom-corpora-'))
const unpack = (corpus) => {
  execFileSync('tar', ['xzf', join(data, corpus, `${corpus}.tar.gz`), '-C', temporary])
  return temporary
}
const walk = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => (a < b ? -1 : 1))
const ended = (pattern) => (path) => pattern.test(path)

const corpora = [
  { name: 'csv-spectrum', folder: join(data, 'csv-spectrum'), wanted: ended(/\.csv$/) },
  { name: 'nyc-taxi', folder: join(data, 'nyc-taxi'), wanted: ended(/\.(gz|parquet)$/) },
  { name: 'parquet-testing', folder: unpack('parquet-testing'), wanted: ended(/\.parquet(\.encrypted)?$/) },
  { name: 'arrow-testing', folder: unpack('arrow-testing'), wanted: ended(/data\/(?!orc).*\.(stream|arrow_file|arrow|csv|gz|avro|parquet)$/) },
  { name: 'json-test-suite', folder: join(data, 'json-test-suite'), wanted: ended(/\.json$/), options: { format: 'json' } },
] // prettier-ignore

function told(answer) {
  if (answer.died !== undefined) return `the process ended (${answer.died})`
  if (answer.error === undefined) return `${answer.rows} × ${answer.columns}`
  const sentence = answer.message.replaceAll(answer.path, '').replace(/^read : /, '')
  const short = sentence
    .replace(/^expected .*?; received /, '')
    .replace(/\.( [A-Z][^.]*)?\.?$/, '')
    .replace(/\s+/g, ' ')
    .slice(0, 160)
  return `${answer.error}: ${short}`
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll(/[^\x20-\uffff]/g, '?')
}

const sections = []
for (const { name, folder, wanted, options } of corpora) {
  const seen = new Set(sections.flatMap(({ files }) => files))
  const files = walk(folder).filter((path) => wanted(path) && !path.endsWith('.json.gz') && !seen.has(path))
  const rows = []
  for await (const answer of readAll(files.map((path) => ({ path, options })))) {
    rows.push([relative(folder, answer.path).replace(/^data\/arrow-ipc-stream\/integration\//, ''), told(answer)])
  }
  sections.push({ name, files, rows })
}
rmSync(temporary, { recursive: true, force: true })

const text = sections.flatMap(({ name, rows }) => {
  const read = rows.filter(([, outcome]) => /^\d/.test(outcome)).length
  const lines = [
    `### ${name}: ${read} of ${rows.length} read`,
    '',
    '| file | rows × columns, or the error |',
    '|---|---|',
  ]
  return [...lines, ...rows.map(([file, outcome]) => `| ${file} | ${outcome} |`), '']
})
const [before] = readFileSync(page, 'utf8').split('<!-- corpora -->')
writeFileSync(page, `${before}<!-- corpora -->\n\n${text.join('\n')}`)
