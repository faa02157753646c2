import { quote } from '#src/annotations/schema.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { compression } from '#src/policies/compression.ts'
import type { Coding } from '#src/policies/compressor.ts'
import type { CodingEdit } from '#src/policies/snippets/program.ts'
import type { Directive } from './directives.ts'
import type { Level } from './level.ts'
import type { DirectiveRow, DirectiveTable } from './row.ts'

const { options } = compression

/** A directive of one coding; the values and limits are those of the option. */
function row<Value>(
  coding: Coding,
  says: string,
  type: Pick<ValueType<Value>, 'expects' | 'parse'>,
  edit: (value: Value) => CodingEdit,
): DirectiveRow {
  return {
    kind: 'translated',
    places: ['location', 'server', 'server-location', 'auth'],
    words: [1, 64],
    doc: `${says} In a location of server-snippet and in auth-snippet it has no effect.`,
    read({ name, line, words }: Directive, { place, shared, program }: Level) {
      const text = words.map((word) => word.text).join(' ')
      const value = type.parse(text)
      if (value === undefined) return `must be ${type.expects}, got ${quote(text)}`
      if (place === 'location' || place === 'server') {
        program[coding] = { ...program[coding], ...edit(value) }
      } else {
        const message = `${name}: what answers here is compressed as the route is, or not at all`
        shared.notes.push({ line, message })
      }
      return undefined
    },
  }
}

const flag = {
  expects: 'on or off',
  parse(text: string): boolean | undefined {
    if (text === 'on') return true
    return text === 'off' ? false : undefined
  },
}

/** Directives about the compression of answers: as the options of the ConfigMap, for one route or one host. */
export const compressionTable: DirectiveTable = {
  gzip: row('gzip', 'As the option use-gzip.', flag, (on) => ({ on })),
  gzip_comp_level: row('gzip', 'As gzip-level.', options['gzip-level'].type, (level) => ({
    level,
  })),
  gzip_min_length: row(
    'gzip',
    'As gzip-min-length.',
    options['gzip-min-length'].type,
    (bytesMin) => ({ bytesMin }),
  ),
  gzip_types: row('gzip', 'As gzip-types.', options['gzip-types'].type, (types) => ({ types })),
  brotli: row('br', 'As the option enable-brotli.', flag, (on) => ({ on })),
  brotli_comp_level: row('br', 'As brotli-level.', options['brotli-level'].type, (level) => ({
    level,
  })),
  brotli_min_length: row(
    'br',
    'As brotli-min-length.',
    options['brotli-min-length'].type,
    (bytesMin) => ({ bytesMin }),
  ),
  brotli_types: row('br', 'As brotli-types.', options['brotli-types'].type, (types) => ({ types })),
}
