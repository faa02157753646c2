import { textMap } from './metadata.ts'
import { isDataKey } from './names.ts'
import type { Specific } from './project.ts'
import type { Reader } from './reader.ts'

/** The API server's bound for the data of one object. */
const dataBytesMax = 1024 * 1024

type Entry = readonly [key: string, text: string]

/** Values are bytes, one character each; no fault shows any of them. */
export function projectSecret(raw: Reader): Specific<'Secret'> {
  raw.object('apiVersion', 'kind', 'metadata', 'type', 'data', 'stringData', 'immutable')
  const data = raw.at('data').hide()
  const stringData = raw.at('stringData').hide()
  const entries = [
    ...readEntries(data, 'data', readBase64),
    ...readEntries(stringData, 'stringData', (value) => Buffer.from(value.text(), 'utf8')),
  ]
  checkSize(data, entries)
  return { type: raw.at('type').text('') || 'Opaque', data: textMap(entries) }
}

export function projectConfigMap(raw: Reader): Specific<'ConfigMap'> {
  raw.object('apiVersion', 'kind', 'metadata', 'data', 'binaryData', 'immutable')
  const data = raw.at('data')
  const entries: Entry[] = []
  for (const [key, value] of data.members((name) => name)) {
    checkKey(key, value)
    entries.push([key, value.text()])
  }
  checkSize(data, entries)
  return { data: textMap(entries) }
}

export function projectNamespace(raw: Reader): Specific<'Namespace'> {
  raw.object('apiVersion', 'kind', 'metadata', 'spec', 'status')
  return { phase: raw.at('status').at('phase').text('Active') }
}

function readEntries(raw: Reader, field: string, bytesOf: (value: Reader) => Buffer): Entry[] {
  return raw
    .members((name) => `${field}[${name}]`)
    .map(([key, value]) => {
      checkKey(key, value)
      return [key, bytesOf(value).latin1Slice()]
    })
}

/** RFC 4648 base64 with padding; line breaks are allowed, as the API server allows them. */
function readBase64(value: Reader): Buffer {
  const text = value.text().replaceAll(/[\r\n]/g, '')
  const end = text.search(/[^A-Za-z0-9+/]/)
  const padding = end < 0 ? '' : text.slice(end)
  if (text.length % 4 !== 0 || !['', '=', '=='].includes(padding)) value.fault('must be base64')
  return Buffer.from(text, 'base64')
}

function checkKey(key: string, value: Reader): void {
  if (!isDataKey(key)) value.fault('has a key that is not of letters, digits, -, _ and . alone')
}

function checkSize(raw: Reader, entries: readonly Entry[]): void {
  let bytes = 0
  for (const [, text] of entries) bytes += text.length
  if (bytes > dataBytesMax) raw.fault(`must not exceed ${dataBytesMax} bytes`)
}
