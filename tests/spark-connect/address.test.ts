import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/core/index.ts'
import { endpoint, parseAddress } from '../../src/spark-connect/index.ts'

describe('a connection string', () => {
  test('has a default port and no TLS', () => {
    expect(parseAddress('sc://localhost')).toEqual({
      host: 'localhost',
      port: 15002,
      tls: false,
      token: undefined,
      userId: undefined,
      userAgent: undefined,
      sessionId: undefined,
      headers: {},
    })
  })

  test('gives every parameter, decoded', () => {
    const session = '00112233-4455-6677-8899-aabbccddeeff'
    const text = `sc://spark.example:443/;use_ssl=true;token=a%3Db%3B;user_id=Ada%20L;user_agent=me;session_id=${session};x-tenant=7`
    expect(parseAddress(text)).toEqual({
      host: 'spark.example',
      port: 443,
      tls: true,
      token: 'a=b;',
      userId: 'Ada L',
      userAgent: 'me',
      sessionId: session,
      headers: { 'x-tenant': '7' },
    })
  })

  test('a token goes over TLS to other machines', () => {
    expect(parseAddress('sc://spark.example/;token=x').tls).toBe(true)
    expect(parseAddress('sc://127.0.0.1/;token=x').tls).toBe(false)
    expect(parseAddress('sc://[::1]:7/;token=x;use_ssl=true').tls).toBe(true)
  })

  test.each([
    ['sc://[::1]', '[::1]:15002'],
    ['sc://[fe80::1]:7', '[fe80::1]:7'],
    ['sc://a.b:1/', 'a.b:1'],
  ])('%s is %s', (text, place) => {
    expect(endpoint(parseAddress(text))).toBe(place)
  })

  test.each([
    ['localhost:15002', /received no scheme/],
    ['http://localhost', /the scheme "http:\/\/"/],
    ['spark://localhost:7077', /port of a master/],
    ['sc://', /the name of a host/],
    ['sc://host:0', /a port from 1 to 65535; received "0"/],
    ['sc://host:99999', /"99999"/],
    ['sc://host:port', /"port"/],
    ['sc://host:', /received ""/],
    ['sc://::1', /in brackets/],
    ['sc://me@host', /Say who you are by/],
    ['sc://host/path', /received "\/path"/],
    ['sc://host/?x=1', /received "\/\?x=1"/],
    ['sc://host;token=a', /Write sc:\/\/host\/;/],
    ['sc://host/;toekn=a', /Did you mean "token"\?/],
    ['sc://host/;token', /of the form ;name=value/],
    ['sc://host/;token=', /a value for token/],
    ['sc://host/;token=a;token=b', /each parameter once/],
    ['sc://host/;use_ssl=yes', /use_ssl=true or use_ssl=false/],
    ['sc://host/;token=secret;use_ssl=false', /TLS where a token is sent/],
    ['sc://host/;session_id=7', /a UUID as session_id/],
    ['sc://host/;user_id=%E0%A4%A', /malformed percent-encoding/],
  ])('%s is refused', (text, message) => {
    expect(() => parseAddress(text)).toThrow(OptionError)
    expect(() => parseAddress(text)).toThrow(message)
  })

  test('an error never shows a token', () => {
    expect.assertions(1)
    try {
      parseAddress('sc://host/;token=secret;use_ssl=false')
    } catch (error) {
      expect(String(error)).not.toContain('secret')
    }
  })
})
