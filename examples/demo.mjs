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

/** Runs the command as a user would; `input` is what they pipe into it. */
function fathom(parameters, input) {
  const words = parameters.map((each) => (/[\s*'"]/.test(each) ? `"${each}"` : each)).join(' ')
  console.log(`\n${bold(`$ ${input === undefined ? '' : `echo '${input}' | `}fathom ${words}`)}`)
  const stdio = [input === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit']
  const { status } = spawnSync(process.execPath, ['bin/fathom.mjs', ...parameters], { stdio, input })
  if (status !== 0) {
    console.error(`\nThe demo stopped: this command ended with exit code ${status}.`)
    process.exit(1)
  }
}

rmSync('out', { recursive: true, force: true })
mkdirSync('out')
const wines = 'examples/data/wine-quality.csv'

console.log(bold('Fathom: from a file to a model that you can use'))

tell(`1. Look at the data: 6,497 Portuguese wines, eleven measurements each, and the grade from 0 to 10 that tasters gave them
   (${wines}). Files are tables, and SQL asks them questions:`)
fathom([
  'query',
  `select color, count(*) as wines, round(avg(quality), 2) as grade, round(avg(alcohol), 2) as alcohol from '${wines}' group by color order by color`,
])

tell('   Does alcohol go with the grade? A picture, here in the terminal; with -o alcohol.svg it is a file.')
const byGrade = `select quality, round(avg(alcohol), 2) as alcohol from '${wines}' group by quality order by quality`
fathom(['query', byGrade, '--chart', 'bar'])
fathom(['query', byGrade, '--chart', 'bar', '-o', 'out/alcohol.svg'])

tell('2. Put some wines aside, to play new ones later. The ending of the name says the format:')
fathom(['query', `select * from '${wines}' where fixed_acidity * 10 % 10 = 3`, '-o', 'out/new-wines.parquet'])
fathom(['query', `select * from '${wines}' where fixed_acidity * 10 % 10 <> 3`, '-o', 'out/known-wines.parquet'])

tell(`3. Train. Only the column to predict is named. Fathom says what it inferred and why, and every line of that can be
   overridden. Rows that a network has not seen decide when it is at its best (val.loss, *); others, which none of them has
   seen, tell in the end how good the model is:`)
fathom(['train', 'out/known-wines.parquet', '--target', 'quality', '-o', 'out/wine.fathom', '--preset', 'fast'])

tell(
  '4. Evaluate on the wines put aside. An rmse of 0.7 means: off by about 0.7 of a grade. The page has the pictures:',
)
fathom(['evaluate', 'out/wine.fathom', 'out/new-wines.parquet', '--report', 'out/report.html'])

tell('5. Use it: on a file …')
fathom(['predict', 'out/wine.fathom', 'out/new-wines.parquet', '-o', 'out/predictions.csv'])
const sample = `select color, alcohol, quality, round(prediction, 2) as prediction from 'out/predictions.csv' where alcohol > 12 limit 5`
fathom(['query', sample])

tell('   … or on one row of JSON. The same wine as made in a colder year, with less alcohol: change it and ask again.')
const wine = {
  color: 'white',
  fixed_acidity: 6.3,
  volatile_acidity: 0.28,
  citric_acid: 0.34,
  residual_sugar: 2.2,
  chlorides: 0.035,
  free_sulfur_dioxide: 32,
  total_sulfur_dioxide: 110,
  density: 0.9905,
  ph: 3.2,
  sulphates: 0.5,
}
fathom(['predict', 'out/wine.fathom'], JSON.stringify({ ...wine, alcohol: 12.6 }))
fathom(['predict', 'out/wine.fathom'], JSON.stringify({ ...wine, alcohol: 9.2 }))

tell('6. Look inside, and take the network elsewhere:')
fathom(['inspect', 'out/wine.fathom'])
fathom(['export', 'out/wine.fathom', '--format', 'onnx', '-o', 'out/wine.onnx'])

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
