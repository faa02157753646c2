import { size } from '#src/annotations/quantities.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'

const streamed =
  'bodies are passed on as they come, and a slow reader slows the sender, so there is no buffer to set'

/** Annotations that are read, checked and without effect, each for a reason. */
export const unusedAnnotations = annotationTable({
  'client-body-buffer-size': {
    type: size,
    default: 8192,
    doc: 'Memory for a request body.',
    example: '16k',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: streamed },
    option: true,
  },
  'proxy-buffering': {
    type: oneOf(['on', 'off']),
    default: 'off',
    doc: 'Whether a response is read faster than the client takes it.',
    example: 'on',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: streamed },
    option: true,
  },
  'proxy-buffers-number': {
    type: integer(1, 65_536),
    default: 4,
    doc: 'Number of buffers for a response.',
    example: '8',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: streamed },
    option: true,
  },
  'proxy-busy-buffers-size': {
    type: size,
    default: 8192,
    doc: 'Part of the buffers that may be on its way to the client.',
    example: '16k',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: streamed },
    option: true,
  },
  'proxy-max-temp-file-size': {
    type: size,
    default: 1024 ** 3,
    doc: 'Disk space for a response.',
    example: '0',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: 'responses are never written to disk' },
    option: true,
  },
  'http2-push-preload': {
    type: bool,
    default: false,
    doc: 'Pushes what Link fields name.',
    example: 'true',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: 'browsers no longer take pushed responses' },
  },
  'enable-rewrite-log': {
    type: bool,
    default: false,
    doc: 'Logs rewrites.',
    example: 'true',
    risk: 'low',
    scope: 'path',
    compatibility: { unused: 'headgate explain shows what a request is rewritten to' },
  },
})
