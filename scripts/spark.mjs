// A real Spark on this machine, for tests and for trying: `node scripts/spark.mjs setup|start|cluster [options]`.
//
//   setup                      pyspark into .cache/spark/venv, if it is not there (from the package registry; once)
//   start                      a Spark Connect server in one process (`npm run spark`)
//   cluster                    a standalone master, two workers, and a Spark Connect server on them (`npm run cluster`)
//
//   --port N                   of the Connect server; without it any free one
//   --conf KEY=VALUE           further settings of Spark, any number
//   --memory 1g                of the server, and of each worker's executor
//   --workers 2, --cores 2     of the cluster: how many workers; of a local server: how many threads
//   --json                     prints one line {"address", "pid", "master"} when it is ready
//   --while-stdin              stops when standard input ends: a parent that dies takes the server along
//
// It prints the address (sc://127.0.0.1:PORT) when it is ready, and stops on Ctrl-C. Java 17 or newer must be there.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const version = '4.1.0'
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const venv = join(root, '.cache/spark/venv')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    conf: { type: 'string', multiple: true, default: [] },
    memory: { type: 'string', default: '1g' },
    workers: { type: 'string', default: '2' },
    cores: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    'while-stdin': { type: 'boolean', default: false },
  },
})

/** Why Java cannot be used, or undefined. */
function javaAbsent() {
  const java = process.env.JAVA_HOME === undefined ? 'java' : join(process.env.JAVA_HOME, 'bin/java')
  const { error, stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' })
  if (error !== undefined) return 'no Java found: install a JRE 17 or newer, or set JAVA_HOME'
  const found = /version "(\d+)/.exec(stderr)
  if (found !== null && Number(found[1]) < 17) return `Java ${found[1]} is too old: Spark ${version} wants 17 or newer`
}

/** The folder of the installed pyspark, which holds all of Spark. SPARK_HOME goes first. */
function sparkHome() {
  if (process.env.SPARK_HOME !== undefined) return process.env.SPARK_HOME
  const libraries = join(venv, 'lib')
  const python = existsSync(libraries) ? readdirSync(libraries).find((name) => name.startsWith('python')) : undefined
  const home = python === undefined ? undefined : join(libraries, python, 'site-packages/pyspark')
  return home !== undefined && existsSync(join(home, 'bin/spark-submit')) ? home : undefined
}

function setup() {
  const absent = javaAbsent()
  if (absent !== undefined) {
    console.log(`Spark is left out: ${absent}.`)
    return
  }
  if (sparkHome() !== undefined) {
    console.log(`Spark is there: ${sparkHome()}`)
    return
  }
  mkdirSync(dirname(venv), { recursive: true })
  const run = (command, ...args) => {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    if (error !== undefined || status !== 0) {
      rmSync(venv, { recursive: true, force: true })
      console.error(`${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`)
      process.exit(1)
    }
  }
  console.log(`installing pyspark ${version} into ${venv}`)
  run('python3', '-m', 'venv', venv)
  run(join(venv, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', `pyspark[connect]==${version}`)
}

const folder = () => (work ??= mkdtempSync(join(tmpdir(), 'fathom-spark-')))
let work
const children = []

/** Starts one of Spark's processes and waits for a line of its log; gives what the line's group holds. */
async function launch(name, command, args, line) {
  const log = join(folder(), `${name}.log`)
  const file = openSync(log, 'w')
  const child = spawn(join(sparkHome(), 'bin', command), args, {
    cwd: folder(),
    detached: true, // Ctrl-C goes to this script alone, which then stops them in order
    stdio: ['ignore', file, file],
    env: { ...process.env, SPARK_HOME: sparkHome(), SPARK_LOCAL_IP: '127.0.0.1', SPARK_NO_DAEMONIZE: '1' },
  })
  children.unshift(child)
  let ended
  child.on('exit', (code, signal) => {
    ended = signal ?? code
    void stop(stopping ? 0 : 1, `${name} ended (${ended})`)
  })
  for (const start = Date.now(); ; await new Promise((done) => setTimeout(done, 50))) {
    const text = readFileSync(log, 'utf8')
    const found = line.exec(text)
    if (found !== null) return { pid: child.pid, value: found[1] }
    if (ended !== undefined || Date.now() - start > 120_000) {
      await stop(1, `${name} did not start:\n${text.split('\n').slice(-30).join('\n')}`)
    }
  }
}

let stopping = false
async function stop(code, reason) {
  if (stopping) return
  stopping = true
  if (reason !== undefined) console.error(reason)
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((done) => child.on('exit', done))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(late)
  }
  if (work !== undefined) rmSync(work, { recursive: true, force: true })
  process.exit(code)
}

function connectArguments(master) {
  const settings = {
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    // Ready sooner and smaller; a benchmark sets its own.
    'spark.driver.extraJavaOptions': '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto',
    'spark.ui.enabled': 'false',
    'spark.sql.shuffle.partitions': '4',
    'spark.sql.session.timeZone': 'UTC',
    'spark.connect.grpc.binding.address': '127.0.0.1',
    'spark.connect.grpc.binding.port': values.port,
    'spark.local.dir': join(folder(), 'local'),
    'spark.sql.warehouse.dir': join(folder(), 'warehouse'),
    'spark.sql.artifact.copyFromLocalToFs.allowDestLocal': 'true',
  }
  for (const each of values.conf) {
    const at = each.indexOf('=')
    if (at < 1) throw new Error(`--conf ${each}: expected KEY=VALUE`)
    settings[each.slice(0, at)] = each.slice(at + 1)
  }
  return [
    '--class', 'org.apache.spark.sql.connect.service.SparkConnectServer',
    '--master', master,
    '--driver-memory', values.memory,
    ...Object.entries(settings).flatMap(([key, value]) => ['--conf', `${key}=${value}`]),
    'spark-internal',
  ] // prettier-ignore
}

async function serve(clustered) {
  const absent = javaAbsent()
  if (absent !== undefined) await stop(1, absent)
  if (sparkHome() === undefined) await stop(1, 'Spark is not there: npm run spark -- setup')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0))
  if (values['while-stdin']) process.stdin.on('end', () => void stop(0)).resume()
  let master = `local[${values.cores}]`
  if (clustered) {
    const host = ['--host', '127.0.0.1', '--port', '0', '--webui-port', '0']
    const started = /Starting Spark master at (spark:\S+)/
    master = (await launch('master', 'spark-class', ['org.apache.spark.deploy.master.Master', ...host], started)).value
    const worker = ['org.apache.spark.deploy.worker.Worker', ...host, '--cores', '1', '--memory', values.memory]
    for (let i = 1; i <= Number(values.workers); i++) {
      const own = [...worker, '--work-dir', join(folder(), `worker-${i}`), master]
      await launch(`worker-${i}`, 'spark-class', own, /Successfully registered with master/)
    }
  }
  const line = /Spark Connect server started at: 127\.0\.0\.1:(\d+)/
  const server = await launch('connect', 'spark-submit', connectArguments(master), line)
  const address = `sc://127.0.0.1:${server.value}`
  if (values.json) console.log(JSON.stringify({ address, pid: server.pid, master }))
  else console.log(`Spark ${version} (${master}) answers at ${address}\nlogs: ${folder()}\nCtrl-C stops it.`)
}

const commands = { setup, start: () => serve(false), cluster: () => serve(true) }
const command = commands[positionals[0] ?? 'start']
if (command === undefined || positionals.length > 1) {
  console.error(`node scripts/spark.mjs ${Object.keys(commands).join('|')} [options]`)
  process.exit(2)
}
await command()
