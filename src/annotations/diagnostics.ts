/** Where in the user's objects a problem sits, e.g. Ingress shop/web, annotation proxy-body-size. */
export interface Place {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** The annotation key, ConfigMap key or path in the object; '' for the object as a whole. */
  readonly field: string
  /** File and document, '' from a cluster. */
  readonly file: string
}

export type Severity = 'error' | 'warning' | 'info'

/** One finding. Lint, log, /api/diagnostics, Events and the webhook all show this. */
export interface Diagnostic extends Place {
  readonly code: DiagnosticCode
  readonly severity: Severity
  /** Names the value and what was expected; never the contents of a Secret. */
  readonly message: string
}

/**
 * Every finding there is: how grave it is and what follows from it.
 *
 * error: something that the object asks for is not in force. warning: in force but differs, or is
 * risky. info: accepted without effect.
 */
export const diagnosticCodes = {
  'file-unreadable': { severity: 'error', effect: 'The last good version stays in force.' },
  'state-restored': { severity: 'warning', effect: 'Changes since then are not in force.' },
  'object-invalid': { severity: 'error', effect: 'The object is not used.' },
  'field-unknown': { severity: 'warning', effect: 'The field is ignored.' },
  'kind-unknown': { severity: 'info', effect: 'The object is ignored.' },
  'object-duplicate': { severity: 'error', effect: 'The first object of this name is used.' },
  'access-denied': { severity: 'error', effect: 'What was read before stays in force.' },
  'cluster-unreachable': { severity: 'warning', effect: 'The last objects stay in force.' },
  'references-left-out': { severity: 'error', effect: 'What refers to them goes without.' },
  'class-by-name': { severity: 'info', effect: 'Other names of classes are not ours.' },
  'annotation-invalid': { severity: 'error', effect: 'The default is used instead.' },
  'annotation-unknown': { severity: 'error', effect: 'Ignored.' },
  'annotation-refused': { severity: 'error', effect: 'Not in force.' },
  'annotation-unused': { severity: 'info', effect: 'Accepted without effect.' },
  'annotation-differs': { severity: 'warning', effect: 'In force, with a difference.' },
  'path-regex': { severity: 'warning', effect: 'Served, as in ingress-nginx.' },
  'snippet-translated': { severity: 'info', effect: 'In force, as policies.' },
  'option-invalid': { severity: 'error', effect: 'The default is used instead.' },
  'option-unknown': { severity: 'error', effect: 'Ignored.' },
  'option-refused': { severity: 'error', effect: 'Not in force.' },
  'option-unused': { severity: 'info', effect: 'Accepted without effect.' },
  'option-differs': { severity: 'warning', effect: 'In force, with a difference.' },
  'configmap-missing': { severity: 'warning', effect: 'The defaults are in force.' },
  'class-missing': { severity: 'warning', effect: 'The Ingress is not served.' },
  'host-invalid': { severity: 'error', effect: 'The rule is not served.' },
  'path-invalid': { severity: 'error', effect: 'The path is not served.' },
  'route-conflict': { severity: 'error', effect: 'The older object is served.' },
  'canary-unused': { severity: 'error', effect: 'The canary gets no requests for this path.' },
  'service-missing': { severity: 'error', effect: 'The route answers 503.' },
  'active-service-unused': {
    severity: 'error',
    effect: 'The Service of the route stays in force.',
  },
  'service-port-missing': { severity: 'error', effect: 'The route answers 503.' },
  'backend-unsupported': { severity: 'error', effect: 'The route answers 503.' },
  'endpoint-invalid': { severity: 'error', effect: 'The endpoint gets no requests.' },
  'name-unresolved': { severity: 'error', effect: 'The route answers 503.' },
  'secret-missing': { severity: 'error', effect: 'The default certificate is served.' },
  'reference-denied': { severity: 'error', effect: 'The routes of the Ingress answer 503.' },
  'reference-secret-missing': {
    severity: 'error',
    effect: 'The routes of the Ingress answer 503.',
  },
  'reference-configmap-missing': {
    severity: 'error',
    effect: 'The routes of the Ingress answer 503.',
  },
  'client-authorities-missing': {
    severity: 'error',
    effect: 'The hosts of the Ingress answer 403.',
  },
  'client-authorities-unusable': {
    severity: 'error',
    effect: 'The hosts of the Ingress answer 403.',
  },
  'client-certificates-conflict': {
    severity: 'error',
    effect: "The older object's demands on clients are in force.",
  },
  'host-setting-conflict': {
    severity: 'error',
    effect: "The older object's value is in force for the host.",
  },
  'stream-configmap-missing': { severity: 'error', effect: 'None of its ports is served.' },
  'port-unavailable': { severity: 'error', effect: 'It is tried again every few seconds.' },
  'stream-invalid': { severity: 'error', effect: 'The port is not served.' },
  'reference-unusable': { severity: 'error', effect: 'What it would add is left out.' },
  'annotation-forbidden': { severity: 'error', effect: 'The Ingress is not served.' },
  'certificate-invalid': { severity: 'error', effect: 'The default certificate is served.' },
  'certificate-mismatch': { severity: 'error', effect: 'The default certificate is served.' },
  'certificate-conflict': {
    severity: 'error',
    effect: "The older object's certificate is served.",
  },
  'certificate-repaired': { severity: 'warning', effect: 'Served as put right.' },
  'certificate-early': { severity: 'warning', effect: 'Served; clients will not accept it yet.' },
  'tls-host-unused': {
    severity: 'warning',
    effect: 'The TLS section has no effect for this host.',
  },
  'certificate-expired': { severity: 'warning', effect: 'Served; clients will not accept it.' },
} as const satisfies Record<string, { severity: Severity; effect: string }>

export type DiagnosticCode = keyof typeof diagnosticCodes

/** Collects findings. Compiling never throws over user input: it reports and carries on. */
export class Diagnostics {
  readonly list: Diagnostic[] = []

  report(code: DiagnosticCode, place: Place, message: string): void {
    this.list.push({ code, severity: diagnosticCodes[code].severity, ...place, message })
  }

  /** Takes over findings that were made elsewhere. */
  include(findings: readonly Diagnostic[]): void {
    for (const finding of findings) this.list.push(finding)
  }
}
