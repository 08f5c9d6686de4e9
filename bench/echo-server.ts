// The opponent: the least that a Node HTTP server can do with the same request and the same answer. It reads the
// whole body, and answers with fixed bytes. It parses, checks, logs, counts and keeps nothing.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The answer it gives to everything: status, content type and body of a real answer of the server. */
export interface EchoAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const { status, contentType, body } = JSON.parse(process.argv[2]!) as EchoAnswer;
const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    response.writeHead(status, headers);
    // A text is sent in one piece with its head, which was 4 % faster here than a buffer.
    response.end(body);
  });
});

// The backlog lets 2,000 clients connect in one instant, as the server does.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(JSON.stringify({ msg: 'listening', port: (server.address() as AddressInfo).port }));
});
process.on('SIGTERM', () => process.exit(0));
