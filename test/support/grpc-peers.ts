import * as grpc from '@grpc/grpc-js'

// A service without generated code: a message is its text.

const serialize = (text: string): Buffer => Buffer.from(text)
const deserialize = (bytes: Buffer): string => bytes.toString()

function method(
  path: string,
  requestStream: boolean,
  responseStream: boolean,
): grpc.MethodDefinition<string, string> {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  }
}

const definition = {
  one: method('/test.Words/One', false, false),
  collect: method('/test.Words/Collect', true, false),
  repeat: method('/test.Words/Repeat', false, true),
  chat: method('/test.Words/Chat', true, true),
}

/** What a test's server does with each kind of call. */
export interface Words {
  one: grpc.handleUnaryCall<string, string>
  collect: grpc.handleClientStreamingCall<string, string>
  repeat: grpc.handleServerStreamingCall<string, string>
  chat: grpc.handleBidiStreamingCall<string, string>
}

/** Does what each name says; a test replaces what it needs. */
export const words: Words = {
  one: (call, done) => {
    done(null, call.request.toUpperCase())
  },
  collect: (call, done) => {
    const all: string[] = []
    call.on('data', (word: string) => all.push(word))
    call.on('end', () => done(null, all.join(' ')))
  },
  repeat: (call) => {
    for (let i = 0; i < Number(call.request); i++) call.write(`word ${i}`)
    call.end()
  },
  chat: (call) => {
    call.on('data', (word: string) => call.write(`${word}!`))
    call.on('end', () => call.end())
  },
}

/** A gRPC server of @grpc/grpc-js on a free port. */
export async function startGrpcServer(
  own: Partial<Words> = {},
  credentials = grpc.ServerCredentials.createInsecure(),
): Promise<{ readonly port: number; readonly server: grpc.Server }> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 })
  server.addService(definition, { ...words, ...own })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  return { port, server }
}

/** The outcome of a call. */
export interface Outcome {
  readonly code: grpc.status
  readonly details: string
  readonly messages: readonly string[]
  readonly trailers: grpc.Metadata
}

const channelOptions = {
  'grpc.default_authority': 'app.test',
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // What is retried must be our doing.
  'grpc.enable_retries': 0,
}

/** A gRPC client of @grpc/grpc-js. */
export class WordsClient extends grpc.Client {
  constructor(port: number, credentials = grpc.credentials.createInsecure(), options: object = {}) {
    super(`127.0.0.1:${port}`, credentials, { ...channelOptions, ...options })
  }

  async one(word: string, options: grpc.CallOptions = {}): Promise<Outcome> {
    return await this.#single((done) =>
      this.makeUnaryRequest(
        definition.one.path,
        serialize,
        deserialize,
        word,
        new grpc.Metadata(),
        options,
        done,
      ),
    )
  }

  async collect(all: readonly string[]): Promise<Outcome> {
    return await this.#single((done) => {
      const { path } = definition.collect
      const call = this.makeClientStreamRequest<string, string>(path, serialize, deserialize, done)
      for (const word of all) call.write(word)
      call.end()
      return call
    })
  }

  repeat(count: number, options: grpc.CallOptions = {}): grpc.ClientReadableStream<string> {
    const { path } = definition.repeat
    const metadata = new grpc.Metadata()
    const text = String(count)
    return this.makeServerStreamRequest(path, serialize, deserialize, text, metadata, options)
  }

  chat(): grpc.ClientDuplexStream<string, string> {
    return this.makeBidiStreamRequest(definition.chat.path, serialize, deserialize)
  }

  async #single(
    start: (done: grpc.requestCallback<string>) => grpc.ClientUnaryCall,
  ): Promise<Outcome> {
    return await new Promise((resolve) => {
      let message: string | undefined
      const call = start((_error, value) => (message = value))
      call.on('status', (status) => {
        setImmediate(() => {
          const messages = message === undefined ? [] : [message]
          resolve({
            code: status.code,
            details: status.details,
            messages,
            trailers: status.metadata,
          })
        })
      })
    })
  }
}

/** Reads a stream of answers to its end. */
export async function readAll(call: grpc.ClientReadableStream<string>): Promise<Outcome> {
  const messages: string[] = []
  call.on('error', () => undefined)
  call.on('data', (word: string) => messages.push(word))
  return await new Promise((resolve) => {
    call.on('status', ({ code, details, metadata }) => {
      setImmediate(() => {
        resolve({ code, details, messages, trailers: metadata })
      })
    })
  })
}
