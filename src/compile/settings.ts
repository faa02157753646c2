import type { LabelRequirement } from './label-selector.ts'

/** What the command line says to the compiler. Plain data, fixed while the process lives. */
export interface CompileSettings {
  /**
   * `files`: no API server has seen the objects. Then an Ingress without class gets the default class
   * as admission would give it, an Ingress may name our class though no IngressClass is there, and
   * endpoints may have any address.
   */
  readonly source: 'kubernetes' | 'files'
  /** Ports of the listeners, 0: none. */
  readonly httpPort: number
  readonly httpsPort: number
  /** Ports of the admin server and of the admission webhook, 0: none. No other listener may have them. */
  readonly adminPort: number
  readonly webhookPort: number
  /** ConfigMap with TCP ports to serve. */
  readonly tcpServices: ObjectName | undefined
  /** The annotation ssl-passthrough counts. */
  readonly sslPassthrough: boolean
  /** Our class as the annotation kubernetes.io/ingress.class names it. */
  readonly ingressClass: string
  /** spec.controller of the IngressClasses that are ours. */
  readonly controllerClass: string
  /**
   * `names`: IngressClasses cannot be read, so an Ingress is ours when it names `ingressClass`. Absent:
   * they are objects like others.
   */
  readonly classes?: 'objects' | 'names'
  /** An IngressClass is ours by the name `ingressClass` as well, whatever its controller. */
  readonly ingressClassByName: boolean
  readonly watchIngressWithoutClass: boolean
  /** For linting: an Ingress is judged unless an IngressClass at hand says that it is another's. */
  readonly everyClass: boolean
  /** Prefix of the compatible annotations, without slash. */
  readonly annotationsPrefix: string
  /** Ingresses of other namespaces are not served; empty: all are. */
  readonly namespaces: readonly string[]
  /** Labels that the namespace of an Ingress must have; empty: any will do. */
  readonly namespaceSelector: readonly LabelRequirement[]
  readonly configMap: ObjectName | undefined
  readonly defaultBackendService: ObjectName | undefined
  readonly defaultCertificate: ObjectName | undefined
  /** Lines of the access log, where the ConfigMap has no format for them. */
  readonly accessLog: 'json' | 'text'
  /** --drain-timeout, where it was given. */
  readonly drainTimeoutMs: number | undefined
  /** Where this process runs, for topology hints; '': unknown, and hints are ignored. */
  readonly node: string
  readonly zone: string
}

export interface ObjectName {
  readonly namespace: string
  readonly name: string
}

/** What holds where the command line says nothing, in a cluster. */
export const defaultCompileSettings: CompileSettings = {
  source: 'kubernetes',
  httpPort: 80,
  httpsPort: 443,
  adminPort: 9180,
  webhookPort: 0,
  tcpServices: undefined,
  sslPassthrough: false,
  ingressClass: 'headgate',
  controllerClass: 'headgate.dev/ingress-controller',
  ingressClassByName: false,
  watchIngressWithoutClass: false,
  everyClass: false,
  annotationsPrefix: 'nginx.ingress.kubernetes.io',
  namespaces: [],
  namespaceSelector: [],
  configMap: undefined,
  defaultBackendService: undefined,
  defaultCertificate: undefined,
  accessLog: 'json',
  drainTimeoutMs: undefined,
  node: '',
  zone: '',
}

/** What compiling asks of cryptography. Injected: it does none itself. */
export interface CertificateReaders {
  readonly readCertificate: ReadCertificate
  readonly readAuthorities: ReadAuthorities
}

/** Checks and reads CA certificates and revocation lists ('' for none), both PEM. */
export type ReadAuthorities = (caPem: string, crlPem: string) => AuthoritiesReading

export type AuthoritiesReading =
  | {
      readonly ok: true
      readonly caPem: string
      readonly crlPem: string
      readonly fingerprint: string
    }
  | { readonly ok: false; readonly error: string }

/** Checks and reads a certificate with its key, both PEM. */
export type ReadCertificate = (certificatePem: string, keyPem: string) => CertificateReading

export type CertificateReading =
  | {
      readonly ok: true
      /** Leaf first. */
      readonly certificatePem: string
      readonly keyPem: string
      /** Names that the leaf covers, lower case. */
      readonly names: readonly string[]
      readonly notBeforeMs: number
      readonly notAfterMs: number
      readonly fingerprint: string
      /** What was put right, e.g. the order of the chain. */
      readonly warnings: readonly string[]
    }
  | { readonly ok: false; readonly error: string }
