import type { Command } from './command.ts'

/** Every command of the program: one row each. */
export const commands: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'Serves the Ingresses of a cluster, or of a folder of manifests.',
    flags: ['files', 'cluster', 'serve', 'instance', 'compile'],
    operands: '',
    load: async () => (await import('./serve.ts')).serve,
  },
  lint: {
    summary: 'Checks manifests; exit code 1 when something in them would not be in force.',
    flags: ['files', 'instance', 'cluster', 'pod', 'compile', 'strict'],
    operands: 'FILES…',
    load: async () => (await import('./lint.ts')).lint,
  },
  routes: {
    summary: 'Prints the table of routes of a folder or of a running instance.',
    flags: ['files', 'instance', 'cluster', 'pod', 'compile'],
    operands: '',
    load: async () => (await import('./routes.ts')).routes,
  },
  status: {
    summary: 'Says how a running instance stands; exit code 1 while it is not ready.',
    flags: ['instance', 'cluster', 'pod'],
    operands: '',
    load: async () => (await import('./status.ts')).status,
  },
  explain: {
    summary: 'Says which rule, policies and endpoints a request would meet, and why.',
    flags: ['files', 'instance', 'cluster', 'pod', 'compile', 'request', 'header'],
    operands: 'URL',
    load: async () => (await import('./explain.ts')).explain,
  },
  migrate: {
    summary:
      'Says what each Ingress of ingress-nginx, and each of its annotations, does here; without files those of a cluster, - reads standard input.',
    flags: ['files', 'cluster', 'compile', 'strict', 'output'],
    operands: '[FILES…]',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  compare: {
    summary:
      'Asks two controllers the same, and says what they answer differently; exit code 1 when they do.',
    flags: ['compare', 'header', 'output', 'compile'],
    operands: '[FILES…]',
    load: async () => (await import('./compare.ts')).compare,
  },
  schema: {
    summary: 'Prints the JSON Schema of metadata.annotations, or of the data of the ConfigMap.',
    flags: ['compile'],
    operands: '[annotations|configmap]',
    load: async () => (await import('./schema.ts')).schema,
  },
  demo: {
    summary: 'Serves a small shop with backends of its own, and says what to try.',
    flags: ['serve', 'instance', 'compile'],
    operands: '',
    load: async () => (await import('./demo.ts')).demo,
  },
  version: {
    summary: 'Prints the version.',
    flags: [],
    operands: '',
    load: async () => (await import('./version.ts')).version,
  },
  help: {
    summary: 'Prints this help, or that of a command.',
    flags: [],
    operands: '[COMMAND]',
    load: async () => (await import('./help.ts')).helpOf(commands),
  },
}
