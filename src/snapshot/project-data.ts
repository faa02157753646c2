import type { Specific } from './project.ts'
import type { Reader } from './reader.ts'

/** RFC 4648 base64 with padding; line breaks are allowed, as kubectl allows them. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function projectSecret(raw: Reader): Specific<'Secret'> {
  const data: [string, string][] = []
  for (const [name, value] of raw.at('data').hide().members()) {
    const text = value.text().replaceAll(/\s/g, '')
    if (base64.test(text)) data.push([name, Buffer.from(text, 'base64').latin1Slice()])
    else value.fault('must be base64')
  }
  for (const [name, value] of raw.at('stringData').hide().members()) {
    data.push([name, Buffer.from(value.text(), 'utf8').latin1Slice()])
  }
  return { type: raw.at('type').text('Opaque'), data: Object.fromEntries(data) }
}

export function projectConfigMap(raw: Reader): Specific<'ConfigMap'> {
  return { data: raw.at('data').textMap() }
}

export function projectNamespace(raw: Reader): Specific<'Namespace'> {
  return { phase: raw.at('status').at('phase').text('Active') }
}
