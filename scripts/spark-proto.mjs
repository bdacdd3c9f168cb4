// Makes src/spark-connect/generated from src/spark-connect/proto: `node scripts/spark-proto.mjs [--extract]`. With --extract,
// takes the .proto files anew from the pyspark in .cache/spark/venv. Needed only when Spark's protocol grows.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const layer = join(resolve(dirname(fileURLToPath(import.meta.url)), '..'), 'src/spark-connect')
const proto = join(layer, 'proto')
if (process.argv.includes('--extract')) {
  const libraries = resolve(layer, '../../.cache/spark/venv/lib')
  const jars = join(libraries, readdirSync(libraries)[0], 'site-packages/pyspark/jars')
  const jar = readdirSync(jars).find((name) => name.startsWith('spark-connect_'))
  const wanted = ['spark/connect/*.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto']
  execFileSync('unzip', ['-qo', join(jars, jar), ...wanted, '-d', proto])
  rmSync(join(proto, 'spark/connect/example_plugins.proto'))
}
const work = mkdtempSync(join(tmpdir(), 'fathom-proto-'))
try {
  const plugin = { local: 'protoc-gen-es', out: join(layer, 'generated'), opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'] } // prettier-ignore
  writeFileSync(join(work, 'buf.gen.yaml'), JSON.stringify({ version: 'v2', clean: true, inputs: [{ directory: proto }], plugins: [plugin] })) // prettier-ignore
  const packages = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.17.0'].flatMap((name) => ['-p', name])
  execFileSync('npx', ['--yes', ...packages, 'buf', 'generate'], { cwd: work, stdio: 'inherit' })
} finally {
  rmSync(work, { recursive: true, force: true })
}
