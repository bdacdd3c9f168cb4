// `npm run demo`: the first page of a tutorial. Runs the real command on real data, step by step, and says what came of it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
process.chdir(root)
const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined
const bold = (text) => (colour ? `\u001b[1m${text}\u001b[0m` : text)
const start = Date.now()

function tell(text) {
  console.log(`\n${text}`)
}

function fathom(...parameters) {
  console.log(
    `\n${bold(`$ fathom ${parameters.map((each) => (/[\s*'"]/.test(each) ? `"${each}"` : each)).join(' ')}`)}`,
  )
  const { status } = spawnSync(process.execPath, ['bin/fathom.mjs', ...parameters], { stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\nThe demo stopped: this command ended with exit code ${status}.`)
    process.exit(1)
  }
}

rmSync('out', { recursive: true, force: true })
mkdirSync('out')
const wines = 'examples/data/wine-quality.csv'

console.log(bold('Fathom: from a file to a model that you can use'))
tell(`The data: 6,497 Portuguese wines, eleven measurements each, and the grade that tasters gave them (${wines}).
First, look at it. Files are tables, and SQL asks them questions:`)
fathom(
  'query',
  `select color, count(*) as wines, round(avg(quality), 2) as grade, round(avg(alcohol), 2) as alcohol from '${wines}' group by color order by color`,
)
tell('Does alcohol go with the grade? A picture, here in the terminal (and as out/alcohol.svg):')
const byGrade = `select quality, round(avg(alcohol), 2) as alcohol from '${wines}' group by quality order by quality`
fathom('query', byGrade, '--chart', 'bar')
fathom('query', byGrade, '--chart', 'bar', '-o', 'out/alcohol.svg')

tell('Some wines are put aside to play "new" ones later; the others are for training. Rows can go to any format:')
fathom('query', `select * from '${wines}' where fixed_acidity * 10 % 10 = 3`, '-o', 'out/new-wines.parquet')
fathom('query', `select * from '${wines}' where fixed_acidity * 10 % 10 <> 3`, '-o', 'out/known-wines.parquet')

tell('Now train. Only the column to predict is named; the rest is inferred, said, and can be overridden:')
fathom('train', 'out/known-wines.parquet', '--target', 'quality', '-o', 'out/wine.fathom', '--preset', 'fast')

tell('How well does it do on the wines it has never seen?')
fathom('evaluate', 'out/wine.fathom', 'out/new-wines.parquet', '--report', 'out/report.html')

tell('Use it: predict a file …')
fathom('predict', 'out/wine.fathom', 'out/new-wines.parquet', '-o', 'out/predictions.csv')
fathom('query', `select color, alcohol, quality, round(prediction, 2) as prediction from 'out/predictions.csv' limit 5`)

tell('… look inside, and take the network elsewhere:')
fathom('inspect', 'out/wine.fathom')
fathom('export', 'out/wine.fathom', '--format', 'onnx', '-o', 'out/wine.onnx')

console.log(`
${bold(`Done in ${Math.round((Date.now() - start) / 1000)} seconds.`)} Made in out/:
  wine.fathom       the bundle: features, network, weights, metrics, report
  report.html       how good it is and where it errs; open it in a browser
  predictions.csv   a grade for every "new" wine
  wine.onnx         the network for any ONNX runtime; the fitted features lie beside it
  alcohol.svg       the picture

Try next:
  npx fathom train YOUR.csv --target COLUMN
  npx fathom train FOLDER/              # one folder of pictures per class
  npx fathom train --help
`)
