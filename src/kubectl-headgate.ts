#!/usr/bin/env node
// `kubectl headgate COMMAND`: kubectl finds the program by its name. The same program, which looks for the
// running instance in the cluster of the current context.
process.env['HEADGATE_IN_CLUSTER'] ??= 'true'
await import('./main.ts')
