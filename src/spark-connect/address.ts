import { didYouMean, OptionError } from '../core/index.ts'

/** Where a server is and who asks: what a connection string says. */
export interface SparkAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string
  /** 15002 where the string names none. */
  readonly port: number
  /** TLS; true where a token is sent to another machine, since it would be read on the way. */
  readonly tls: boolean
  readonly token: string | undefined
  readonly userId: string | undefined
  readonly userAgent: string | undefined
  /** A UUID: the session to go on with. */
  readonly sessionId: string | undefined
  /** Sent with each request, as metadata: parameters of the form `x-name=value`. */
  readonly headers: Readonly<Record<string, string>>
}

const parameters = ['token', 'use_ssl', 'user_id', 'user_agent', 'session_id']
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const form = 'sc://host:port/;token=…;use_ssl=true;user_id=…;session_id=…;x-header=…'
const local = new Set(['localhost', '127.0.0.1', '::1'])

/**
 * Reads a connection string of Spark Connect, strictly: `sc://host[:port][/[;name=value]…]`, values percent-encoded.
 * An OptionError names the part that is wrong; it never shows a token.
 *
 * @example
 * parseAddress('sc://spark.example:443/;token=abc;user_id=ada').tls // true
 */
export function parseAddress(text: string): SparkAddress {
  const fail = (received: string, expected: string, hint?: string): never => {
    throw new OptionError({ operation: 'Spark address', expected, received, ...(hint === undefined ? {} : { hint }) })
  }
  const [, scheme, rest] = /^(?:([^:/]*):\/\/)?(.*)$/s.exec(text)!
  if (scheme !== 'sc') {
    const hint = scheme === 'spark' ? 'spark:// is the port of a master; ask for its Spark Connect server' : undefined
    fail(scheme === undefined ? 'no scheme' : `the scheme "${scheme}://"`, `an address of the form ${form}`, hint)
  }
  const end = rest!.search(/[/;?#]/)
  const authority = end < 0 ? rest! : rest!.slice(0, end)
  const tail = end < 0 ? '' : rest!.slice(end)
  if (tail.startsWith(';'))
    fail(`"${authority};…"`, 'a "/" between the port and the first ";"', `Write sc://${authority}/;…`)
  const path = /^\/?([^;]*)/.exec(tail)![1]!
  if (path !== '') fail(`"/${path}"`, 'nothing between the "/" and the first ";"')

  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(authority) ?? []
  const host = bracketed ?? plain
  const unbracketed = bracketed === undefined && authority.split(':').length > 2
  if (host === undefined || unbracketed || (bracketed !== undefined && !bracketed.includes(':'))) {
    fail(`"${authority}"`, 'host or host:port', 'An IPv6 address goes in brackets: sc://[::1]:15002')
  }
  if (authority.includes('@')) fail('a name before "@"', 'host:port', 'Say who you are by ;user_id= and ;token=')
  if (host === '' || /\s/.test(host!)) fail(host === '' ? 'none' : `"${host}"`, 'the name of a host after sc://')
  const port = portText === undefined ? 15002 : Number(portText)
  if (!/^\d*$/.test(portText ?? '1') || !(port >= 1 && port <= 65535)) {
    fail(`"${portText}"`, 'a port from 1 to 65535')
  }

  const values = new Map<string, string>()
  const text_ = tail.includes(';') ? tail.slice(tail.indexOf(';') + 1) : ''
  for (const part of text_.split(';').filter((each) => each !== '')) {
    const at = part.indexOf('=')
    const name = at < 0 ? part : part.slice(0, at)
    if (at < 1) fail(`";${name}"`, 'parameters of the form ;name=value')
    if (!parameters.includes(name) && !/^x-[a-z0-9_.-]+$/.test(name)) {
      fail(`";${name}="`, `parameters among ${parameters.join(', ')} and x-… headers`, didYouMean(name, parameters))
    }
    if (values.has(name)) fail(`";${name}=" twice`, 'each parameter once')
    try {
      values.set(name, decodeURIComponent(part.slice(at + 1)))
    } catch {
      fail(`a malformed percent-encoding in ";${name}="`, 'percent-encoded UTF-8', 'Write "%" as %25')
    }
  }
  const get = (name: string) =>
    values.get(name) === '' ? fail(`";${name}="`, `a value for ${name}`) : values.get(name)
  const ssl = get('use_ssl')
  if (ssl !== undefined && ssl !== 'true' && ssl !== 'false') fail(`";use_ssl=${ssl}"`, 'use_ssl=true or use_ssl=false')
  const token = get('token')
  const remote = !local.has(host!)
  if (token !== undefined && ssl === 'false' && remote) {
    fail('a token with use_ssl=false', 'TLS where a token is sent to another machine', 'Leave use_ssl out')
  }
  const sessionId = get('session_id')
  if (sessionId !== undefined && !uuid.test(sessionId)) fail(`"${sessionId}"`, 'a UUID as session_id')
  return {
    host: host!,
    port,
    tls: ssl === 'true' || (ssl === undefined && token !== undefined && remote),
    token,
    userId: get('user_id'),
    userAgent: get('user_agent'),
    sessionId,
    headers: Object.fromEntries([...values].filter(([name]) => name.startsWith('x-'))),
  }
}

/** `host:port`, as people read it. */
export function endpoint({ host, port }: SparkAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
